import type { Reason } from "../core/reasons.ts";
import type { FederationEvent } from "./federation/events.ts";
import type { Warning } from "./operations/warnings/warning.ts";
import type { RowCounts } from "./rows/rows.ts";

/** What a node tells its operator while it runs; nothing of it leaves the machine. */
export type NodeEvent =
  | FederationEvent
  /** The rows of a study were read: what became of the records, those that anonymity left out among them. */
  | ({ readonly type: "rows"; readonly study: string; readonly rows: number } & RowCounts)
  /** A warning opened or closed. */
  | { readonly type: "warning"; readonly warning: Warning }
  /** Quality and features were computed anew: windows of sites, and series of devices. */
  | { readonly type: "refreshed"; readonly windows: number; readonly series: number }
  /** A changed node.yaml was taken, but for the parts that wait for the next start. */
  | { readonly type: "configured"; readonly waiting: readonly string[] }
  /** A changed node.yaml will not work: the node goes on with what it had. */
  | { readonly type: "configuration refused"; readonly reason: Reason; readonly message: string }
  /** The enterprise's page is there. */
  | { readonly type: "page"; readonly url: string };
