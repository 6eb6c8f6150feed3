import type { Json } from "../models/algorithm.ts";
import type { StudyManifest } from "../models/study.ts";
import type { Table } from "../models/table.ts";
import type { Digest } from "../privacy/canonical.ts";
import type { Random } from "../privacy/random.ts";
import type { Bfv } from "../privacy/sum/bfv.ts";
import type { NodeCredentials } from "./pins.ts";
import type { Policy } from "./policy.ts";

/** Where a node's training rows come from. Asked once for each consented manifest. */
export type RowSource = (manifest: StudyManifest) => Promise<Table>;

/** What a node tells its operator while it runs; nothing of it leaves the machine. */
export type NodeEvent =
  | { readonly type: "connected" }
  | { readonly type: "disconnected"; readonly reason: string; readonly retrySeconds: number }
  | { readonly type: "study"; readonly study: Digest; readonly name: string; readonly phase: string }
  | {
      readonly type: "round";
      readonly study: Digest;
      readonly algorithm: string;
      readonly round: number;
      readonly attempt: number;
      readonly step: string;
    }
  | {
      readonly type: "closed";
      readonly study: Digest;
      readonly round: number;
      readonly attempt: number;
      readonly outcome: string;
      readonly reason: string;
    }
  | {
      readonly type: "refused";
      readonly study: Digest | "";
      readonly reason: string;
      readonly message: string;
    };

export interface NodeOptions {
  readonly credentials: NodeCredentials;
  /** host:port of the coordinator. */
  readonly coordinator: string;
  readonly policy: Policy;
  readonly rows: RowSource;
  /** Path of the egress ledger and the node's own state; ":memory:" for a simulation. */
  readonly ledger: string;
  /** Several nodes of one process may share one; not closed by the node. */
  readonly bfv: Bfv;
  readonly random: Random;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly onEvent?: (event: NodeEvent) => void;
}

export interface StudyView {
  readonly study: Digest;
  readonly name: string;
  readonly phase: string;
  readonly algorithm: string;
  readonly round: number;
  readonly attempt: number;
  readonly reason: string;
  readonly manifest: StudyManifest;
  /** When this enterprise's consent ends, milliseconds since the epoch; absent without one. */
  readonly consentExpires?: number;
}

export interface RunningNode {
  readonly enterprise: string;
  studies(): Promise<StudyView[]>;
  /** Checks the manifest against the policy, reads the rows once, signs. @throws Refusal */
  consent(study: Digest): Promise<void>;
  withdraw(study: Digest): Promise<void>;
  /** @returns the model's canonical JSON, its digest checked. @throws Refusal */
  model(study: Digest): Promise<{ digest: Digest; model: Json }>;
  /** Bytes sent and received since start, messages before TLS. */
  bytes(): { up: number; down: number };
  /** Leaves at once, in the middle of whatever runs: what a crash looks like from outside. */
  drop(): void;
  /** Ends cleanly. */
  stop(): Promise<void>;
  /** Settles when the node ended; rejects with the Refusal that ended it (a forked log, a ledger that cannot be written). */
  readonly finished: Promise<void>;
}

/**
 * Connects an enterprise to its coordinator and takes part in every study it consented to until stopped.
 * Reconnects by itself. @throws Refusal clock_skew, protocol_version, certificate_invalid, log_forked
 */
export async function startNode(_options: NodeOptions): Promise<RunningNode> {
  throw new Error("not written");
}
