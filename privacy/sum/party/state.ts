/**
 * An enterprise's side of the sealed sum: steps 0–6 of one attempt of a round.
 *
 * A runtime keeps one state, starting with `idleParty`. It feeds events and performs the effects it gets in
 * order, each finished before the next begins. An effect with an answer (split, contribute, seal, decrypt)
 * is answered by its event (splitDone, contributed, sealed, decrypted). When an effect fails, the runtime drops the
 * rest of the list and feeds `failed`.
 */

import type { Digest } from "../../../core/canonical.ts";
import type { Random } from "../../../core/random.ts";
import type { Reason } from "../../../core/reasons.ts";
import type { Identity } from "../../identity.ts";
import type { Roster } from "../../roster.ts";
import type { PartyId } from "../graph.ts";
import type { RoundHeader } from "../header.ts";
import type { Packing, VectorLayout } from "../layout.ts";
import type { MaskTerm } from "../mask.ts";
import type {
  Closed,
  CoordinatorRoundMessage,
  Open,
  PartyRoundMessage,
  Refuse,
  Survivor,
} from "../messages.ts";

/** Who the party is. Constant while a roster holds. */
export interface PartyContext {
  readonly id: PartyId;
  readonly identity: Identity;
  readonly roster: Roster;
  readonly random: Random;
}

/** What the enterprise itself knows about a study and round: looked up before the event `open`. */
export interface LocalFacts {
  readonly nowMillis: number;
  /** The manifest consented to whose digest is `header.study`. */
  readonly consent:
    | {
        readonly expiresMillis: number;
        readonly manifest: {
          readonly consortium: string;
          readonly algorithms: readonly { readonly name: string }[];
          readonly privacy: { readonly minCohort: number };
          readonly unprotected: readonly string[];
        };
      }
    | undefined;
  /** Of policy.yaml; wins over any study. */
  readonly policy: {
    readonly minCohort: number;
    readonly algorithms: readonly string[];
    readonly unprotected: readonly string[];
  };
  /** The epoch key the node holds, and how many rounds before this one were opened under it. */
  readonly keyEpoch:
    | { readonly epoch: number; readonly commitment: Digest; readonly rounds: number }
    | undefined;
  /** The latest attempt of this study that the node's ledger has opened. */
  readonly last: { readonly round: number; readonly attempt: number; readonly released: boolean } | undefined;
  /** Whether `header.checkpoint` is signed by the bank and consistent with the last one seen. */
  readonly checkpointConsistent: boolean;
}

export type PartyEvent =
  | { readonly type: "open"; readonly message: Open; readonly local: LocalFacts }
  | { readonly type: "message"; readonly message: Exclude<CoordinatorRoundMessage, Open> }
  | {
      readonly type: "splitDone";
      readonly roundId: Digest;
      readonly maskKeyShares: readonly Uint8Array[];
      readonly selfMaskShares: readonly Uint8Array[];
    }
  | {
      readonly type: "contributed";
      readonly roundId: Digest;
      /** Shape [vectorLength(layout)]. */
      readonly values: Float64Array;
      /** What the algorithm's own `layout(state)` says here. */
      readonly layout: VectorLayout;
    }
  /** The ciphertexts of the contribution, in slot order. */
  | { readonly type: "sealed"; readonly roundId: Digest; readonly ciphertexts: readonly Uint8Array[] }
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
  | { readonly kind: "open"; readonly roundId: Digest; readonly header: RoundHeader }
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
      readonly survivors: readonly PartyId[];
    };

export type PartyEffect =
  /** Shamir-split both secrets (`performSplit`). */
  | {
      readonly type: "split";
      readonly roundId: Digest;
      readonly maskSecret: Uint8Array;
      readonly selfMaskSeed: Uint8Array;
      readonly holders: number;
      readonly threshold: number;
    }
  /** Compute the local statistic on the state whose digest the header names. */
  | { readonly type: "contribute"; readonly roundId: Digest; readonly header: RoundHeader }
  /** Quantize, mask, encrypt under the epoch key (`performSeal`). */
  | {
      readonly type: "seal";
      readonly roundId: Digest;
      readonly epoch: number;
      readonly values: Float64Array;
      readonly packing: Packing;
      readonly masks: readonly MaskTerm[];
    }
  /** Append to the ledger, durably. */
  | { readonly type: "record"; readonly record: PartyRecord }
  /** Upload the blobs, if any, then say the message. */
  | { readonly type: "send"; readonly message: PartyRoundMessage; readonly blobs?: readonly Uint8Array[] }
  /** Fetch the aggregate's ciphertexts by digest and decrypt them (`performDecrypt`). */
  | {
      readonly type: "decrypt";
      readonly roundId: Digest;
      readonly epoch: number;
      readonly chunks: readonly Digest[];
      readonly slots: number;
    };

/** One attempt, and what was answered to which instruction: the same again for the same, a refusal for another. */
export interface Attempt {
  readonly roundId: Digest;
  readonly header: RoundHeader;
  readonly packing: Packing;
  readonly answers: readonly Answer[];
}
export interface Answer {
  readonly instruction: Exclude<CoordinatorRoundMessage, Closed>;
  /** Undefined while it is being worked out. */
  readonly reply: PartyRoundMessage | undefined;
}

/** Keys of one attempt: in memory only, each gone with the state that last needs it. */
export interface AttemptSecrets {
  readonly maskSecret: Uint8Array;
  readonly shareSecret: Uint8Array;
  readonly selfMaskSeed: Uint8Array;
}
export interface PeerKeys {
  readonly maskKey: Uint8Array;
  readonly shareKey: Uint8Array;
}
/** The shares a peer entrusted to this party. At most one of the two is ever revealed. */
export interface HeldShares {
  readonly maskKeyShare: Uint8Array;
  readonly selfMaskShare: Uint8Array;
}
/** This party's place among those that advertised. */
export interface Neighbourhood {
  readonly advertised: readonly PartyId[];
  /** Sorted by party. */
  readonly neighbours: ReadonlyMap<PartyId, PeerKeys>;
  readonly threshold: number;
}

export type PartyState =
  /** Waits for a round. */
  | { readonly phase: "idle" }
  /** Has sent fresh keys; waits for everyone's. */
  | { readonly phase: "advertised"; readonly attempt: Attempt; readonly secrets: AttemptSecrets }
  /** Waits for its secrets to be split. */
  | {
      readonly phase: "splitting";
      readonly attempt: Attempt;
      readonly secrets: AttemptSecrets;
      readonly around: Neighbourhood;
    }
  /** Has sent its sealed shares; waits for those of its neighbours. */
  | {
      readonly phase: "shared";
      readonly attempt: Attempt;
      readonly secrets: AttemptSecrets;
      readonly around: Neighbourhood;
    }
  /** Waits for the local statistic. */
  | {
      readonly phase: "contributing";
      readonly attempt: Attempt;
      readonly around: Neighbourhood;
      readonly selfMaskSeed: Uint8Array;
      readonly sharers: readonly PartyId[];
      readonly held: ReadonlyMap<PartyId, HeldShares>;
      readonly masks: readonly MaskTerm[];
    }
  /** Waits for the ciphertexts. */
  | {
      readonly phase: "sealing";
      readonly attempt: Attempt;
      readonly around: Neighbourhood;
      readonly selfMaskSeed: Uint8Array;
      readonly sharers: readonly PartyId[];
      readonly held: ReadonlyMap<PartyId, HeldShares>;
    }
  /** Has submitted; waits for the survivor list. */
  | {
      readonly phase: "submitted";
      readonly attempt: Attempt;
      readonly around: Neighbourhood;
      readonly selfMaskSeed: Uint8Array;
      readonly sharers: readonly PartyId[];
      readonly held: ReadonlyMap<PartyId, HeldShares>;
      readonly digest: Digest;
    }
  /** Has signed one survivor list; waits for the others' signatures over the same. */
  | {
      readonly phase: "agreed";
      readonly attempt: Attempt;
      readonly around: Neighbourhood;
      readonly selfMaskSeed: Uint8Array;
      readonly sharers: readonly PartyId[];
      readonly held: ReadonlyMap<PartyId, HeldShares>;
      readonly survivors: readonly Survivor[];
    }
  /** Has revealed one kind of share a peer and holds none any more; waits for the aggregate. */
  | { readonly phase: "unmasked"; readonly attempt: Attempt; readonly survivors: readonly PartyId[] }
  /** Waits for the decrypted sum. */
  | {
      readonly phase: "decrypting";
      readonly attempt: Attempt;
      readonly survivors: readonly PartyId[];
      readonly chunks: readonly Digest[];
      /** Whether the sum itself was asked for. */
      readonly first: boolean;
    }
  /** Has released this one sum; repeats it when asked. */
  | {
      readonly phase: "released";
      readonly attempt: Attempt;
      readonly chunks: readonly Digest[];
      readonly sum: Uint8Array;
      readonly digest: Digest;
      readonly signature: Uint8Array;
    }
  /** The coordinator ended the attempt. */
  | { readonly phase: "closed"; readonly roundId: Digest; readonly closed: Closed }
  /** This party ended its part in the attempt. */
  | {
      readonly phase: "refused";
      readonly roundId: Digest;
      readonly reason: Reason;
      readonly detail: string;
      /** What was said of it. */
      readonly refusal: Refuse;
    };

export interface PartyStep {
  readonly state: PartyState;
  readonly effects: readonly PartyEffect[];
}
