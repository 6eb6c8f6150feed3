import type { Digest } from "../../core/canonical.ts";
import type { Reason } from "../../core/reasons.ts";

/** What a node tells its operator of its part in studies; nothing of it leaves the machine. */
export type FederationEvent =
  | { readonly type: "connected" }
  | {
      readonly type: "disconnected";
      readonly reason: Reason;
      readonly message: string;
      readonly retryMillis: number;
    }
  | {
      readonly type: "round";
      readonly study: Digest;
      readonly algorithm: string;
      readonly round: number;
      readonly attempt: number;
      /** Where the party's state machine stands. */
      readonly phase: string;
    }
  /** The node's certificate was renewed; with a reason, it was not, and the one at hand ends then. */
  | {
      readonly type: "certificate";
      /** Unix milliseconds. */
      readonly expires: number;
      readonly reason?: Reason;
      readonly message?: string;
    }
  /** Warnings were told to the bank, in coarse form; with a reason, why none were. */
  | {
      readonly type: "warnings";
      readonly told: number;
      readonly reason?: Reason;
      readonly message?: string;
    }
  /** The bank did not know of a decision about a study, and was told of it again; with a reason, it could not be. */
  | {
      readonly type: "decision";
      readonly study: Digest;
      readonly name: string;
      readonly decision: "consent" | "withdrawal";
    }
  | { readonly type: "decision"; readonly reason: Reason; readonly message: string }
  /** The coordinator ended an attempt. */
  | {
      readonly type: "closed";
      readonly roundId: Digest;
      /** "released", "aborted", "rerun", "split" or "lost". */
      readonly outcome: string;
      readonly reason: string;
    }
  /** A key epoch is open, or its opening ended: then with a reason. */
  | { readonly type: "epoch"; readonly epoch: Digest }
  | { readonly type: "epoch"; readonly reason: string; readonly detail: string }
  /** A month's score statement was sent by itself, or could not be: then with a reason. */
  | { readonly type: "statement"; readonly study: Digest; readonly until: string; readonly grade: string }
  | {
      readonly type: "statement";
      readonly study: Digest;
      readonly until: string;
      readonly reason: Reason;
      readonly message: string;
    }
  /** The node would not do what it was asked to. */
  | {
      readonly type: "refused";
      readonly roundId: Digest | "";
      readonly reason: Reason;
      readonly message: string;
    };
