import type { FederationEvent } from "./federation/events.ts";
import type { Warning } from "./operations/warnings/warning.ts";

/** What a node tells its operator while it runs; nothing of it leaves the machine. */
export type NodeEvent =
  | FederationEvent
  /** A warning opened or closed. */
  | { readonly type: "warning"; readonly warning: Warning }
  /** Quality and features were computed anew: windows of sites, and series of devices. */
  | { readonly type: "refreshed"; readonly windows: number; readonly series: number }
  /** The enterprise's page is there. */
  | { readonly type: "page"; readonly url: string };
