import type { EventEmitter } from "node:events";
import type { Logger } from "pino";
import type { Digest } from "../core/canonical.ts";
import type { Random } from "../core/random.ts";
import type { KnownSigner, NoteVerifier } from "../privacy/log/note.ts";
import type { Authority, Identity } from "./authority/ca.ts";
import type { CasePolicy } from "./cases/policy.ts";
import type { CoordinatorConfig } from "./config.ts";
import type { SharedChunks } from "./rounds/shared-chunks.ts";
import type { UploadAllowance } from "./rounds/upload-allowance.ts";
import type { HourlyLimit } from "./service/hourly-limit.ts";
import type { Meters } from "./service/meters.ts";
import type { BlobStore } from "./store/blobs.ts";
import type { Database } from "./store/database.ts";
import type { LogStore } from "./store/log.ts";

/** Time, injected so that a test decides when a deadline is over. */
export interface Clock {
  /** Unix milliseconds. */
  now(): number;
  /** Calls `fire` once, `seconds` from now. @returns a function that calls it off. */
  after(seconds: number, fire: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after: (seconds, fire) => {
    // Longer waits than a timer holds end early at most once in 24 days.
    const timer = setTimeout(fire, Math.min(seconds * 1000, 2 ** 31 - 1));
    return () => clearTimeout(timer);
  },
};

/** Places where a test may stop the process for good; each is right after something became durable. */
export type CrashPoint =
  | "epoch-stored"
  | "attempt-opened"
  /** The submissions are durable, the survivor list is not. */
  | "uploads-synced"
  | "agreeing-stored"
  | "unmasking-stored"
  /** Some unmask messages are. */
  | "unmask-stored"
  | "aggregate-stored"
  | "released"
  /** An attempt without a sum. */
  | "ended";

/** What changed, for whoever waits for it. */
export interface BankEvents {
  /** A study's row changed. */
  study: [Digest];
  /** The operator started or stopped one. */
  ordered: [Digest];
  /** An attempt ended, with a sum or without. */
  ended: [];
  /** The authority has another certificate. */
  authority: [];
  /** The current roster changed. */
  roster: [];
  /** A user of the console has another role or password, or was removed. */
  user: [string];
  /** No certificate that somebody had is valid any more. */
  revoked: [Identity];
}

/** What every part of the coordinator works with. */
export interface Bank {
  readonly config: CoordinatorConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly database: Database;
  readonly privacyLog: LogStore;
  readonly blobs: {
    /** Ciphertexts of enterprises: read by the fold, and by who shares in the attempt. */
    readonly uploads: BlobStore;
    /** Aggregates: what members may download. */
    readonly published: BlobStore;
  };
  /** Ciphertexts of enterprises that others may read. */
  readonly shared: SharedChunks;
  /** What enterprises may upload. */
  readonly allowance: UploadAllowance;
  /** Consents, by study and enterprise. */
  readonly consents: HourlyLimit;
  /** Score statements, by enterprise. */
  readonly statements: HourlyLimit;
  /** When a score or a warning becomes a case. */
  readonly casePolicy: CasePolicy;
  /** Reports of warnings, by enterprise. */
  readonly warningReports: HourlyLimit;
  /** Proposals of next keys, by holder. */
  readonly successions: HourlyLimit;
  /** Serial numbers of certificates that count no more. */
  readonly revoked: Set<string>;
  /** Whether enterprises wait because the database was restored from a backup. */
  readonly restored: { isAwaited: boolean };
  /** Exports of the log under way: nothing is pruned meanwhile. */
  readonly exports: Set<symbol>;
  readonly meters: Meters;
  /** What a running study waits for, by its digest. */
  readonly waiting: Map<Digest, string>;
  readonly authority: Authority;
  /** The bank's keys, those that may follow the one in force too. */
  readonly bankKeys: KnownSigner[];
  /** Of bank and auditor, as the log began: rosters lead from them to those in force. */
  readonly firstKeys: { readonly bank: NoteVerifier; readonly auditor: NoteVerifier };
  readonly events: EventEmitter<BankEvents>;
  /** Aborted when the coordinator shuts down: what would go on for ever ends. */
  readonly closing: AbortSignal;
  readonly crashPoint: (point: CrashPoint) => void | Promise<void>;
}
