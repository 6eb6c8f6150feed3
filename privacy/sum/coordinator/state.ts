/**
 * The bank's side of the sealed sum: one attempt of a round.
 *
 * A runtime begins with `openRound` (or `resumeRelease` after a crash), feeds events and performs the effects
 * it gets in order, each finished before the next begins. `fold` and `unmask` are answered by an event; a
 * message to a party that is not connected is dropped, because `joined` has it said again.
 */

import type { Digest } from "../../../core/canonical.ts";
import type { Reason } from "../../../core/reasons.ts";
import type { Roster } from "../../roster.ts";
import type { PartyId } from "../graph.ts";
import type { RoundHeader } from "../header.ts";
import type { Packing } from "../layout.ts";
import type {
  Advertised,
  Agreed,
  CoordinatorRoundMessage,
  Keys,
  PartyRoundMessage,
  Released,
  SealedShare,
  Submit,
  Survivor,
  Unmask,
} from "../messages.ts";

export interface CoordinatorContext {
  readonly roster: Roster;
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
  | { readonly type: "unmasked"; readonly chunks: readonly Digest[]; readonly faults: readonly Fault[] }
  | {
      readonly type: "unmaskFailed";
      readonly reason: Reason;
      readonly detail: string;
      readonly faults: readonly Fault[];
    }
  /** The server step ran and its state is stored. */
  | { readonly type: "advanced"; readonly state: Digest }
  /** The coordinator itself ends the attempt: stopped study, drain, storage failure. */
  | { readonly type: "abort"; readonly reason: Reason; readonly detail: string };

/** A secret to rebuild from shares, and how to know that it is the right one. */
export type Rebuild = {
  readonly party: PartyId;
  readonly threshold: number;
  readonly shares: readonly { readonly holder: PartyId; readonly share: Uint8Array }[];
} & (
  | {
      readonly kind: "selfMask";
      /** Of the submission. */
      readonly commitment: Digest;
    }
  | {
      readonly kind: "maskKey";
      /** The advertised key. */
      readonly maskKey: Uint8Array;
      /** The survivors that masked with it. */
      readonly partners: readonly { readonly party: PartyId; readonly maskKey: Uint8Array }[];
    }
);

/** All that a coordinator needs to finish after step 5. Plain JSON. */
export interface ReleasePoint {
  readonly header: RoundHeader;
  readonly survivors: readonly Survivor[];
  /** Of the unmasked aggregate's ciphertexts, in slot order. */
  readonly chunks: readonly Digest[];
  readonly faults: readonly Fault[];
}

/** What goes to the privacy log. */
export type RoundRecord =
  | { readonly kind: "submitted"; readonly roundId: Digest; readonly party: PartyId; readonly digest: Digest }
  | { readonly kind: "survivors"; readonly roundId: Digest; readonly survivors: readonly Survivor[] }
  | {
      readonly kind: "aborted";
      readonly roundId: Digest;
      readonly reason: Reason;
      readonly detail: string;
      readonly faults: readonly Fault[];
    }
  | { readonly kind: "fault"; readonly roundId: Digest; readonly fault: Fault };

export type CoordinatorEffect =
  | { readonly type: "send"; readonly to: PartyId; readonly message: CoordinatorRoundMessage }
  /** Start the attempt's only timer anew; feed `deadline` with this number when it is over. */
  | { readonly type: "wait"; readonly wait: number; readonly seconds: number }
  /** Check a submission's ciphertexts against their digests and add them to the running sum (`performFold`). */
  | { readonly type: "fold"; readonly party: PartyId; readonly chunks: readonly Digest[] }
  /** Rebuild secrets, subtract all masks, store the aggregate's ciphertexts (`performUnmask`). */
  | {
      readonly type: "unmask";
      readonly roundId: Digest;
      readonly packing: Packing;
      readonly selfMaskSeeds: readonly Uint8Array[];
      readonly rebuild: readonly Rebuild[];
    }
  /** Store durably before what follows: from here `resumeRelease` finishes after a crash. */
  | { readonly type: "persist"; readonly point: ReleasePoint }
  | { readonly type: "record"; readonly record: RoundRecord }
  /** The one sum of the round: run the server step, store, log, then feed `advanced`. */
  | {
      readonly type: "advance";
      readonly roundId: Digest;
      readonly header: RoundHeader;
      readonly sum: { readonly values: Float64Array; readonly parties: number };
      /** Of the released slots, as signed by `signers`. */
      readonly digest: Digest;
      readonly survivors: readonly PartyId[];
      readonly signers: readonly PartyId[];
    };

/** What every phase knows. */
export interface RoundBase {
  readonly roundId: Digest;
  readonly header: RoundHeader;
  readonly packing: Packing;
  readonly faults: readonly Fault[];
  /** Without a connection now. */
  readonly gone: ReadonlySet<PartyId>;
  /** Number of the wait under way. */
  readonly wait: number;
}

/** After step 2: who can unmask whom. */
export interface Circle {
  readonly advertised: ReadonlyMap<PartyId, Advertised>;
  readonly neighbours: ReadonlyMap<PartyId, readonly PartyId[]>;
  readonly threshold: number;
  readonly sharers: readonly PartyId[];
}

export type CoordinatorState =
  | {
      readonly phase: "advertising";
      readonly round: RoundBase;
      readonly advertised: ReadonlyMap<PartyId, Advertised>;
    }
  | {
      readonly phase: "sharing";
      readonly round: RoundBase;
      readonly keys: Keys;
      readonly circle: Omit<Circle, "sharers">;
      /** Sender → sealed shares by recipient. */
      readonly shared: ReadonlyMap<PartyId, readonly SealedShare[]>;
    }
  | {
      readonly phase: "submitting";
      readonly round: RoundBase;
      readonly circle: Circle;
      /** Recipient → sealed shares by sender. */
      readonly inboxes: ReadonlyMap<PartyId, readonly SealedShare[]>;
      readonly submitted: ReadonlyMap<PartyId, Submit>;
      readonly folded: ReadonlySet<PartyId>;
      /** The deadline is over; only the folds under way are waited for. */
      readonly closing: boolean;
    }
  | {
      readonly phase: "agreeing";
      readonly round: RoundBase;
      readonly circle: Circle;
      readonly survivors: ReadonlyMap<PartyId, Submit>;
      readonly signatures: ReadonlyMap<PartyId, Uint8Array>;
    }
  | {
      readonly phase: "unmasking";
      readonly round: RoundBase;
      readonly circle: Circle;
      readonly survivors: ReadonlyMap<PartyId, Submit>;
      readonly agreed: Agreed;
      readonly revealed: ReadonlyMap<PartyId, Unmask>;
    }
  /** Waits for the masks to be subtracted. */
  | { readonly phase: "subtracting"; readonly round: RoundBase; readonly survivors: readonly Survivor[] }
  | {
      readonly phase: "releasing";
      readonly round: RoundBase;
      readonly survivors: readonly Survivor[];
      readonly chunks: readonly Digest[];
      /** Who was asked for the sum itself. */
      readonly first: PartyId;
      readonly released: ReadonlyMap<PartyId, Released>;
      /** Deadlines passed in this phase. */
      readonly waits: number;
    }
  /** A majority signed one digest and its sum is here; waits for the server step. */
  | {
      readonly phase: "released";
      readonly round: RoundBase;
      readonly survivors: readonly Survivor[];
      readonly digest: Digest;
    }
  | {
      readonly phase: "closed";
      readonly roundId: Digest;
      readonly faults: readonly Fault[];
      readonly state: Digest;
    }
  | {
      readonly phase: "aborted";
      readonly roundId: Digest;
      readonly reason: Reason;
      readonly detail: string;
      readonly faults: readonly Fault[];
      /** Who the next attempt leaves out. */
      readonly excluded: readonly PartyId[];
    };

export interface CoordinatorStep {
  readonly state: CoordinatorState;
  readonly effects: readonly CoordinatorEffect[];
}
