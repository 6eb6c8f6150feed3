/**
 * The bank's side of the sealed sum: one attempt of a round.
 *
 * A runtime begins with `openRound` (or, after a crash, with `resumeRound`), feeds events and performs the effects
 * it gets in order, each finished before the next begins: what is to be durable is so before what follows.
 * `fold`, `unmask` and `advance` are answered by an event; a message to a party that is not connected is dropped,
 * because `joined` has it said again.
 */

import type { Digest } from "../../../core/canonical.ts";
import type { Reason } from "../../../core/reasons.ts";
import type { Roster } from "../../roster.ts";
import type { SumCertificate } from "../certificate.ts";
import type { OpenEpoch, ShareHashes } from "../epoch/secrets.ts";
import type { PartyId } from "../graph.ts";
import type { RoundHeader } from "../header.ts";
import type { Packing } from "../layout.ts";
import type {
  CoordinatorRoundMessage,
  Growth,
  Lift,
  PartyRoundMessage,
  PartySignature,
  Released,
  Submit,
  Survivor,
  Unmask,
} from "../messages.ts";
import type { NoisyHeader } from "../noise-terms.ts";
import type { LeftOver } from "../round-masks.ts";
import type { UnmaskingSecrets } from "../statements.ts";

export interface CoordinatorContext {
  readonly roster: Roster;
  /** Of the header. */
  readonly epoch: OpenEpoch;
  readonly hashes: ShareHashes;
}

/** What a party did wrong or failed to do. */
export interface Fault {
  readonly party: PartyId;
  readonly reason: Reason;
  readonly detail: string;
}

export type CoordinatorEvent =
  | { readonly type: "message"; readonly from: PartyId; readonly message: PartyRoundMessage }
  /** The party's stream ended; until it is back, nobody waits for it. */
  | { readonly type: "gone"; readonly party: PartyId }
  /** The party's stream is back: what it still owes is asked again. */
  | { readonly type: "joined"; readonly party: PartyId }
  /** The wait asked for under this number is over. */
  | { readonly type: "deadline"; readonly wait: number }
  | { readonly type: "folded"; readonly party: PartyId }
  /** `spoiled`: bytes of it are already in the running sum, which is lost. */
  | {
      readonly type: "foldFailed";
      readonly party: PartyId;
      readonly reason: Reason;
      readonly detail: string;
      readonly spoiled: boolean;
    }
  | {
      readonly type: "unmasked";
      readonly chunks: readonly Digest[];
      /** What the aggregate was unmasked with. */
      readonly secrets: UnmaskingSecrets;
    }
  /** Whose shares match their hashes and combine to another secret than it committed to. */
  | { readonly type: "dealtWrong"; readonly sharers: readonly PartyId[] }
  /** The certificate is stored and logged, the state has moved on. */
  | { readonly type: "advanced"; readonly certificate: Digest }
  /** The coordinator itself ends the attempt: stopped study, storage failure. */
  | { readonly type: "abort"; readonly reason: Reason; readonly detail: string };

/** A secret to rebuild from shares that match their signed hashes, and how to know that it is the right one. */
export type Rebuild = {
  readonly party: PartyId;
  readonly shares: readonly { readonly holder: PartyId; readonly share: Uint8Array }[];
} & (
  | {
      readonly kind: "selfMask";
      /** Of the submission. */
      readonly commitment: Digest;
    }
  | {
      readonly kind: "maskSecret";
      /** Of the epoch and slot. */
      readonly maskKey: Uint8Array;
      readonly partners: LeftOver["partners"];
    }
);

/** Why this attempt was opened as it was. */
export interface Opening {
  readonly lifts: readonly Lift[];
  /** Of what it follows (`evidence.ts`); empty where that is nothing. */
  readonly evidence: Uint8Array;
  readonly growth?: Growth;
}

interface Stored {
  readonly header: RoundHeader;
  readonly opening: Opening;
  /** Of the survivors, sorted by party. */
  readonly submissions: readonly Submitted[];
  readonly faults: readonly Fault[];
}

/** All that a coordinator needs to go on after a crash; `storedText` and `readStored` turn it into text and back. */
export type RoundPoint =
  /** The uploads of these submissions are durable: go on by asking for agreement. */
  | ({ readonly at: "agreeing" } & Stored)
  /** With the unmask messages that `store` stored. */
  | ({ readonly at: "unmasking"; readonly signatures: readonly PartySignature[] } & Stored)
  | ({
      readonly at: "releasing";
      readonly signatures: readonly PartySignature[];
      readonly secrets: UnmaskingSecrets;
      /** Of the unmasked aggregate's ciphertexts, in slot order. */
      readonly chunks: readonly Digest[];
    } & Stored);

export type Submitted = Omit<Submit, "type" | "roundId"> & { readonly party: PartyId };

/** What goes to the privacy log, signatures as its evidence. */
export type RoundRecord =
  | { readonly kind: "submitted"; readonly roundId: Digest; readonly submission: Submitted }
  | { readonly kind: "survivors"; readonly roundId: Digest; readonly survivors: readonly Survivor[] }
  | { readonly kind: "agreed"; readonly roundId: Digest; readonly signatures: readonly PartySignature[] }
  | {
      readonly kind: "unmasked";
      readonly roundId: Digest;
      readonly party: PartyId;
      readonly message: Unmask;
    }
  | { readonly kind: "fault"; readonly roundId: Digest; readonly fault: Fault }
  /** How an attempt without a sum ended, and with which statements. */
  | {
      readonly kind: "ended";
      readonly roundId: Digest;
      readonly outcome: Exclude<Ended["phase"], "closed">;
      readonly reason: Reason;
      readonly detail: string;
      readonly faults: readonly Fault[];
      /** `renounced` where it is aborted, `invalid` where it is split or lost for that. */
      readonly signatures: readonly PartySignature[];
    };

export type CoordinatorEffect =
  | { readonly type: "send"; readonly to: PartyId; readonly message: CoordinatorRoundMessage }
  /** Start the attempt's only timer anew; feed `deadline` with this number when it is over. */
  | { readonly type: "wait"; readonly wait: number; readonly seconds: number }
  /** Fetch a submission's ciphertexts by their digests and add them to the running sum (`performFold`). */
  | { readonly type: "fold"; readonly party: PartyId; readonly chunks: readonly Digest[] }
  /** Rebuild secrets, subtract all masks, store the aggregate's ciphertexts (`performUnmask`). */
  | {
      readonly type: "unmask";
      readonly roundId: Digest;
      readonly header: NoisyHeader;
      readonly packing: Packing;
      readonly threshold: number;
      readonly seeds: UnmaskingSecrets["seeds"];
      /** As they were revealed, sorted by party. */
      readonly noise: UnmaskingSecrets["noise"];
      readonly rebuild: readonly Rebuild[];
    }
  /** Store durably, uploads of the submissions included, before what follows. Replaces the attempt's earlier point. */
  | { readonly type: "persist"; readonly roundId: Digest; readonly point: RoundPoint }
  /** Store an unmask message durably before it counts. */
  | { readonly type: "store"; readonly roundId: Digest; readonly from: PartyId; readonly message: Unmask }
  | { readonly type: "record"; readonly record: RoundRecord }
  /** The one sum of the step: run the server step, store and log the certificate, then feed `advanced`. */
  | {
      readonly type: "advance";
      readonly roundId: Digest;
      readonly header: RoundHeader;
      readonly sum: { readonly values: Float64Array; readonly parties: number };
      readonly survivors: readonly PartyId[];
      readonly certificate: SumCertificate;
    };

/** What every phase knows. */
export interface RoundBase {
  readonly roundId: Digest;
  readonly header: RoundHeader;
  /** Of the epoch. */
  readonly members: readonly PartyId[];
  readonly opening: Opening;
  readonly packing: Packing;
  readonly faults: readonly Fault[];
  /** Without a connection now. */
  readonly gone: ReadonlySet<PartyId>;
  /** Number of the wait under way. */
  readonly wait: number;
  /** Waits over in this phase. */
  readonly waits: number;
}

/** After step 1. */
export interface Agreeing {
  readonly round: RoundBase;
  readonly submissions: ReadonlyMap<PartyId, Submitted>;
  /** Not in the running sum yet: after a crash, everyone's are folded again. */
  readonly unfolded: ReadonlySet<PartyId>;
  readonly signatures: ReadonlyMap<PartyId, Uint8Array>;
}

export type CoordinatorState =
  | {
      readonly phase: "submitting";
      readonly round: RoundBase;
      readonly submitted: ReadonlyMap<PartyId, Submitted>;
      readonly folded: ReadonlySet<PartyId>;
      /** The deadline is over; only the folds under way are waited for. */
      readonly closing: boolean;
    }
  | ({ readonly phase: "agreeing" } & Agreeing)
  | ({
      readonly phase: "unmasking";
      /** Who saw T signatures of its neighbourhood. */
      readonly unmaskers: readonly PartyId[];
      readonly revealed: ReadonlyMap<PartyId, Unmask>;
    } & Agreeing)
  /** Waits for the masks to be subtracted. */
  | ({
      readonly phase: "subtracting";
      readonly unmaskers: readonly PartyId[];
      readonly revealed: ReadonlyMap<PartyId, Unmask>;
      readonly rebuild: readonly Rebuild[];
    } & Agreeing)
  | ({
      readonly phase: "releasing";
      readonly secrets: UnmaskingSecrets;
      readonly chunks: readonly Digest[];
      /** Of whom it is known that it has unmasked. */
      readonly unmasked: ReadonlySet<PartyId>;
      /** Who was asked for the sum itself. */
      readonly first: PartyId;
      readonly released: ReadonlyMap<PartyId, Released>;
      /** Who says that this is no sum of valid vectors. */
      readonly invalid: ReadonlyMap<PartyId, Uint8Array>;
    } & Agreeing)
  /** A quorum signed one digest and its sum is here; waits for the server step. */
  | {
      readonly phase: "released";
      readonly round: RoundBase;
      readonly survivors: readonly PartyId[];
      readonly digest: Digest;
    }
  /** Agreed on and not to be finished: asks everyone to renounce, so that the step can be summed after all. */
  | {
      readonly phase: "renouncing";
      readonly round: RoundBase;
      readonly reason: Reason;
      readonly detail: string;
      /** Who signed the survivor list, and is locked. */
      readonly locked: readonly PartyId[];
      /** Whether anybody unmasked: then an end is needed even without enough statements. */
      readonly isUnmasked: boolean;
      readonly renounced: ReadonlyMap<PartyId, Uint8Array>;
      /** Who refused to: it has unmasked. */
      readonly unwilling: ReadonlySet<PartyId>;
    }
  | Ended;

/** How an attempt ends, and what comes next. */
export type Ended =
  /** The step has its sum. */
  | {
      readonly phase: "closed";
      readonly roundId: Digest;
      readonly faults: readonly Fault[];
      readonly certificate: Digest;
    }
  /** The step may be opened again with these lifts, without the excluded and without who has spent it. */
  | {
      readonly phase: "aborted";
      readonly roundId: Digest;
      readonly reason: Reason;
      readonly detail: string;
      readonly faults: readonly Fault[];
      /** Who the next attempt leaves out. */
      readonly excluded: readonly PartyId[];
      /** Undefined where nobody was asked to agree. */
      readonly lift: Lift | undefined;
    }
  /** Unmasked, and some sharer's secret does not rebuild: next comes exactly this cohort with this evidence. */
  | {
      readonly phase: "rerun";
      readonly roundId: Digest;
      readonly faults: readonly Fault[];
      /** The sharers named. */
      readonly without: readonly PartyId[];
      readonly cohort: readonly PartyId[];
      readonly evidence: Uint8Array;
    }
  /**
   * Unmasked, and no sum of valid vectors: next comes the first half with this evidence, then the second unless
   * the first has a sum (both cannot be valid, as vectors are the same). Whoever is in a half that fails sits out.
   */
  | {
      readonly phase: "split";
      readonly roundId: Digest;
      readonly faults: readonly Fault[];
      readonly halves: readonly [readonly PartyId[], readonly PartyId[]];
      readonly evidence: Uint8Array;
    }
  /** The step is spent and has no sum: the study ends as `round_lost` or `sum_invalid`. */
  | {
      readonly phase: "lost";
      readonly roundId: Digest;
      readonly reason: Reason;
      readonly detail: string;
      readonly faults: readonly Fault[];
    };

export interface CoordinatorStep {
  readonly state: CoordinatorState;
  readonly effects: readonly CoordinatorEffect[];
}
