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
  /** The enterprise's page is there. */
  | { readonly type: "page"; readonly url: string };
