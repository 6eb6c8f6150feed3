/**
 * An enterprise's side of the sealed sum: one attempt of a round, four exchanges.
 *
 * A runtime keeps one state a study, starting with `idleParty`. It feeds events and performs the effects it gets
 * in order, each finished before the next begins: what is to be durable is so before the message after it leaves.
 * An effect with an answer (judge, contribute, seal, verify, decrypt) is answered by its event (judged,
 * contributed, sealed, verified, decrypted). When an effect fails, the runtime drops the rest of the list and feeds `failed`.
 */

import type { Digest } from "../../../core/canonical.ts";
import type { Random } from "../../../core/random.ts";
import type { Reason } from "../../../core/reasons.ts";
import type { Identity } from "../../identity.ts";
import type { Roster } from "../../roster.ts";
import type { GroupLimits } from "../cohort-change.ts";
import type { EpochSecrets, OpenEpoch, SlotSecrets } from "../epoch/secrets.ts";
import type { PartyId } from "../graph.ts";
import type { RoundHeader } from "../header.ts";
import type { Packing, VectorLayout } from "../layout.ts";
import type { MaskTerm } from "../mask.ts";
import type {
  Aggregate,
  Closed,
  CoordinatorRoundMessage,
  Open,
  PartyRoundMessage,
  Refuse,
  Renounce,
  Survivor,
} from "../messages.ts";
import type { NoisePart, PartyNoise } from "../noise.ts";
import type { NoiseTerms } from "../noise-terms.ts";
import type { Unmasking } from "../round-masks.ts";

/** Who the party is. Constant while a roster holds. */
export interface PartyContext {
  readonly id: PartyId;
  readonly identity: Identity;
  readonly roster: Roster;
  readonly random: Random;
}

/** A step that this party agreed to sum under one roundId: what the effect `lock` stored. */
export interface LockedStep {
  readonly roundId: Digest;
  /** This party and its neighbours, in the epoch of that attempt. */
  readonly among: readonly PartyId[];
  /** Of these, how many must have renounced. */
  readonly threshold: number;
}

/** What the enterprise itself knows about a study and round: looked up before the event `open`. */
export interface LocalFacts {
  readonly nowMillis: number;
  /** Whether the ledger knows this roundId, opened or renounced: its masks serve once. */
  readonly seen: boolean;
  /** The manifest consented to whose digest is `header.study`. A member outside the cohort needs none. */
  readonly consent:
    | {
        readonly expiresMillis: number;
        readonly manifest: {
          readonly consortium: string;
          readonly algorithms: readonly { readonly name: string }[];
          readonly privacy: { readonly minCohort: number; readonly maxColluding: number };
          readonly unprotected: readonly string[];
          readonly groups?: readonly (readonly PartyId[])[] | undefined;
        };
      }
    | undefined;
  /** Of policy.yaml; wins over any study. */
  readonly policy: {
    readonly minCohort: number;
    readonly algorithms: readonly string[];
    readonly unprotected: readonly string[];
    /** Whether a sum may count 1 … minCohort − 1 organisations more or fewer than one before over the same table. */
    readonly cohortChange: "refuse" | "accept";
  };
  /** Whether a further sum with this noise stays within the policy's epsilon; true where it has none. */
  readonly withinBudget: boolean;
  /** Exact sums over the study's table, as the policy counts them. */
  readonly exactSums: {
    /** That the policy still allows in this period. */
    readonly left: number;
    /** Survivors of those released before. */
    readonly survivors: readonly (readonly PartyId[])[];
  };
  /** The key epoch that this process holds. */
  readonly epoch: EpochSecrets | undefined;
  /** What comes next by the node's own walk of the state chain; undefined where it does not know the study's state. */
  readonly next:
    | {
        readonly round: number;
        readonly algorithm: RoundHeader["algorithm"];
        readonly state: Digest;
        /** What the algorithm's own `layout(state)` says, on the grid that its noise needs. */
        readonly layout: VectorLayout;
        /** What manifest and algorithm say of the noise; undefined without. */
        readonly noise: NoiseTerms | undefined;
        /** Who may be in the sum; undefined where the manifest deals its members to no groups. */
        readonly among: readonly PartyId[] | undefined;
      }
    | undefined;
  /**
   * The latest lock and spending of `header.round` of `header.study`, or of the same state under another name,
   * by the ledger.
   */
  readonly step: { readonly locked: LockedStep | undefined; readonly spent: Digest | undefined };
  /** Whether `header.checkpoint` is signed by the bank and consistent with the last one seen. */
  readonly checkpointConsistent: boolean;
}

export type PartyEvent =
  | { readonly type: "open"; readonly message: Open; readonly local: LocalFacts }
  /** `spent`: whether the ledger says that this roundId was spent. */
  | { readonly type: "renounce"; readonly message: Renounce; readonly spent: boolean }
  | { readonly type: "message"; readonly message: Exclude<CoordinatorRoundMessage, Open | Renounce> }
  /** The cohorts that the evidence allows. */
  | {
      readonly type: "judged";
      readonly roundId: Digest;
      readonly cohorts: readonly (readonly PartyId[])[];
    }
  /** Shape [vectorLength(header.layout)]. */
  | { readonly type: "contributed"; readonly roundId: Digest; readonly values: Float64Array }
  /** The ciphertexts of the contribution, in slot order. */
  | { readonly type: "sealed"; readonly roundId: Digest; readonly ciphertexts: readonly Uint8Array[] }
  /** The chunks among those picked that are not the sum of what was submitted. */
  | { readonly type: "verified"; readonly roundId: Digest; readonly altered: readonly number[] }
  /** The slots of the sum, shape [packing.slots]. */
  | { readonly type: "decrypted"; readonly roundId: Digest; readonly slots: Float64Array }
  | {
      readonly type: "failed";
      readonly roundId: Digest;
      readonly reason: Reason;
      readonly detail: string;
      readonly party?: PartyId | undefined;
    };

/** What goes into the node's egress ledger before the bytes it speaks of leave. */
export type PartyRecord =
  /** `contributes`: whether this party is of the cohort; else it only agrees and unmasks. */
  | {
      readonly kind: "open";
      readonly roundId: Digest;
      readonly header: RoundHeader;
      readonly contributes: boolean;
    }
  | {
      readonly kind: "submission";
      readonly roundId: Digest;
      readonly header: RoundHeader;
      readonly digest: Digest;
      readonly chunks: readonly Digest[];
      readonly bytes: number;
    }
  | {
      readonly kind: "release";
      readonly roundId: Digest;
      readonly header: RoundHeader;
      readonly digest: Digest;
      readonly aggregate: Digest;
      readonly survivors: readonly PartyId[];
    }
  /** The aggregate was the sum of what was submitted, and no sum of valid vectors. */
  | {
      readonly kind: "invalid";
      readonly roundId: Digest;
      readonly header: RoundHeader;
      readonly aggregate: Digest;
    }
  /** The bank's aggregate is not the sum of what the survivors submitted: what was asked, and where it differs. */
  | {
      readonly kind: "altered";
      readonly roundId: Digest;
      readonly header: RoundHeader;
      readonly survivors: readonly Survivor[];
      readonly aggregate: readonly Digest[];
      readonly unmasking: Digest;
      readonly altered: readonly number[];
    };

/** One chunk of an aggregate to be recomputed. */
export interface PickedChunk {
  readonly index: number;
  readonly aggregate: Digest;
  /** Of each survivor. */
  readonly submitted: readonly Digest[];
}

export type PartyEffect =
  /** Check why vectors are to be summed again (`performJudge`). */
  | {
      readonly type: "judge";
      readonly roundId: Digest;
      readonly kind: "rerun" | "half";
      readonly of: SpentAttempt;
      readonly evidence: Uint8Array;
    }
  /** Compute the local statistic on the state whose digest the header names. */
  | { readonly type: "contribute"; readonly roundId: Digest; readonly header: RoundHeader }
  /** Quantize, add noise, mask, encrypt under the epoch's key (`performSeal`). */
  | {
      readonly type: "seal";
      readonly roundId: Digest;
      readonly epoch: Digest;
      readonly values: Float64Array;
      readonly packing: Packing;
      readonly noise: readonly NoisePart[];
      readonly masks: readonly MaskTerm[];
    }
  /** Append to the ledger, durably. */
  | { readonly type: "record"; readonly record: PartyRecord }
  /** The step is this roundId's, durably: `LocalFacts.step.locked` from now on. */
  | {
      readonly type: "lock";
      readonly header: RoundHeader;
      readonly step: LockedStep;
      /** Of `survivorsDigest`. */
      readonly survivors: Digest;
    }
  /** The step is spent, durably: `LocalFacts.step.spent` from now on. Nothing takes this back. */
  | {
      readonly type: "spend";
      readonly header: RoundHeader;
      readonly roundId: Digest;
      /** What leaves: of `revealedDigest`. */
      readonly revealed: Digest;
    }
  /** This roundId is never unmasked here, durably: `LocalFacts.seen` from now on. */
  | { readonly type: "renounce"; readonly roundId: Digest }
  /** Upload the blobs, if any, then say the message. */
  | { readonly type: "send"; readonly message: PartyRoundMessage; readonly blobs?: readonly Uint8Array[] }
  /** Fetch the picked chunks and recompute them from what was submitted (`performVerify`). */
  | {
      readonly type: "verify";
      readonly roundId: Digest;
      /** Of the aggregate, all of them: what is decrypted next may be fetched with the same call. */
      readonly chunks: readonly Digest[];
      readonly packing: Packing;
      readonly picked: readonly PickedChunk[];
      readonly unmasking: Unmasking;
    }
  /** Fetch the aggregate's ciphertexts by digest and decrypt them (`performDecrypt`). */
  | {
      readonly type: "decrypt";
      readonly roundId: Digest;
      readonly epoch: Digest;
      readonly chunks: readonly Digest[];
      readonly slots: number;
    };

/** One attempt, and what was answered to which instruction: the same again for the same, a refusal for another. */
export interface Attempt {
  readonly roundId: Digest;
  readonly header: RoundHeader;
  readonly packing: Packing;
  readonly epoch: OpenEpoch;
  readonly answers: readonly Answer[];
  /** Of the same step, where this attempt follows one of them. */
  readonly earlier: readonly SpentAttempt[];
  /** Looked up at `open`, for the survivor list. */
  readonly limits: Pick<LocalFacts["policy"], "cohortChange"> &
    Pick<LocalFacts["exactSums"], "survivors"> &
    Pick<GroupLimits, "groups">;
}
export interface Answer {
  readonly instruction: Exclude<CoordinatorRoundMessage, Closed | Renounce>;
  /** Undefined while it is being worked out. */
  readonly reply: PartyRoundMessage | undefined;
}

/** What this party has submitted in an attempt. */
export interface Submission {
  readonly digest: Digest;
  readonly commitment: Digest;
  readonly noise: PartyNoise;
  /** Kept for the one time that vectors may be summed again. */
  readonly values: Float64Array;
}

/** An attempt that this party unmasked: what summing its vectors again goes by. In memory only. */
export interface SpentAttempt {
  readonly roundId: Digest;
  readonly header: RoundHeader;
  readonly epoch: OpenEpoch;
  readonly survivors: readonly Survivor[];
  /** Of its submission; undefined where it had none. */
  readonly values: Float64Array | undefined;
  /** What of its noise stayed in the sum. */
  readonly noise: readonly NoisePart[];
  /** Whether it signed a release. */
  readonly released: boolean;
}

/** What is left of a slot once the masks are made. At most one of a peer's two shares is ever shown. */
export type HeldSlot = Omit<SlotSecrets, "maskSecret">;

/** The survivors and what they agreed on, after step 3. */
interface Summed {
  readonly attempt: Attempt;
  readonly spent: SpentAttempt;
}

/** What is done before a sum leaves. */
interface Examined extends Summed {
  readonly aggregate: Aggregate;
  /**
   * Whether the coordinator was away when ciphertexts were fetched: the same work is begun again once it asks again.
   * A step that is spent is not lost to that, and the picked chunks stay the same: none is got round by being away.
   */
  readonly isInterrupted: boolean;
}

export type PartyState =
  /** Waits for a round. */
  | { readonly phase: "idle" }
  /** Waits for the evidence to be judged that the vectors may be summed again. */
  | {
      readonly phase: "judging";
      readonly roundId: Digest;
      readonly open: Open;
      readonly local: LocalFacts;
      readonly spent: readonly SpentAttempt[];
    }
  /** Waits for the local statistic. */
  | {
      readonly phase: "contributing";
      readonly attempt: Attempt;
      readonly slot: HeldSlot;
      readonly masks: readonly MaskTerm[];
    }
  /** Waits for the ciphertexts. */
  | {
      readonly phase: "sealing";
      readonly attempt: Attempt;
      readonly slot: HeldSlot;
      readonly values: Float64Array;
      readonly noise: PartyNoise;
    }
  /** Waits for the survivor list; without a submission where it is outside the cohort. */
  | {
      readonly phase: "ready";
      readonly attempt: Attempt;
      readonly slot: HeldSlot;
      readonly submission: Submission | undefined;
    }
  /** Has signed one survivor list; waits for the others' signatures over the same. */
  | {
      readonly phase: "agreed";
      readonly attempt: Attempt;
      readonly slot: HeldSlot;
      readonly submission: Submission | undefined;
      readonly survivors: readonly Survivor[];
    }
  /** Has revealed one kind of share a peer and holds none any more; waits for the aggregate, if it survived. */
  | ({
      readonly phase: "unmasked";
      /** Whose signatures over the survivor list were verified. */
      readonly agreed: ReadonlySet<PartyId>;
    } & Summed)
  /** Waits for the picked chunks to be recomputed. */
  | ({
      readonly phase: "verifying";
      readonly work: Extract<PartyEffect, { readonly type: "verify" }>;
    } & Examined)
  /** Waits for the decrypted sum. */
  | ({
      readonly phase: "decrypting";
      readonly work: Extract<PartyEffect, { readonly type: "decrypt" }>;
    } & Examined)
  /** Has released this one sum; repeats it when asked. */
  | ({
      readonly phase: "released";
      readonly aggregate: Aggregate;
      readonly sum: Uint8Array;
      /** What the sum's slots say. */
      readonly values: Float64Array;
      readonly digest: Digest;
      readonly signature: Uint8Array;
    } & Summed)
  /** Has said that this one aggregate is no sum of valid vectors; repeats it when asked. */
  | ({
      readonly phase: "invalid";
      readonly aggregate: Aggregate;
      readonly reply: PartyRoundMessage;
    } & Summed)
  /** The coordinator ended the attempt. */
  | {
      readonly phase: "closed";
      readonly roundId: Digest;
      readonly closed: Closed;
      readonly spent: readonly SpentAttempt[];
    }
  /** Never unmasks this attempt. */
  | {
      readonly phase: "renounced";
      readonly roundId: Digest;
      readonly reply: PartyRoundMessage;
      readonly spent: readonly SpentAttempt[];
    }
  /** This party ended its part in the attempt. */
  | {
      readonly phase: "refused";
      readonly roundId: Digest;
      readonly reason: Reason;
      readonly detail: string;
      /** What was said of it. */
      readonly refusal: Refuse;
      readonly spent: readonly SpentAttempt[];
    };

export interface PartyStep {
  readonly state: PartyState;
  readonly effects: readonly PartyEffect[];
}
