/**
 * The messages of the sealed sum, one to one with the oneofs of federation.proto.
 *
 * Digests (`roundId`, `digest`, `chunks`, `commitment`, `aggregate`, `certificate`) are lowercase hexadecimal text;
 * keys, signatures, seeds and shares are bytes. As in proto3, an absent text is "" and absent bytes are empty.
 * `fromOneof` and `toOneof` of proto/wire.ts convert.
 */
import type { Digest } from "../../core/canonical.ts";
import type { CoordinatorEpochMessage, PartyEpochMessage } from "./epoch/messages.ts";
import type { PartyId } from "./graph.ts";

export interface Hello {
  readonly type: "hello";
  readonly protocolVersion: number;
  readonly softwareVersion: string;
}

export interface PartySignature {
  readonly party: PartyId;
  readonly signature: Uint8Array;
}

/** Signed statements "I have not unmasked this and never will": enough of them lift a lock. */
export interface Lift {
  readonly roundId: Digest;
  readonly signatures: readonly PartySignature[];
}

/** That the header's checkpoint extends what the last header showed: who saw that need not ask. */
export interface Growth {
  /** Entries of the log then. */
  readonly since: number;
  /** Proof of consistency (RFC 6962, section 2.1.4). */
  readonly hashes: readonly Uint8Array[];
}

/** Step 0, to every member of the epoch: those outside the cohort agree and unmask, too. */
export interface Open {
  readonly type: "open";
  /** Canonical JSON of the RoundHeader, UTF-8. */
  readonly header: Uint8Array;
  /** Of earlier attempts of this step that were agreed on and given up. */
  readonly lifts: readonly Lift[];
  /** Why vectors are summed again, canonical JSON (`evidence.ts`); empty where the header follows nothing. */
  readonly evidence: Uint8Array;
  /** proto3 may leave it out. */
  readonly growth?: Growth | null;
}

/** Step 1. */
export interface Submit {
  readonly type: "submit";
  readonly roundId: Digest;
  /** SHA-256 of each ciphertext, in slot order. */
  readonly chunks: readonly Digest[];
  /** SHA-256 of the concatenated raw chunk digests. */
  readonly digest: Digest;
  /** Binds the self-mask seed: with ciphertext and mask keys it determines the contribution. */
  readonly commitment: Digest;
  /** Binds the seeds of noise that may be revealed; "" where none is. */
  readonly noiseCommitment: Digest;
  readonly signature: Uint8Array;
}

/** Step 2. */
export interface Survivor {
  readonly party: PartyId;
  readonly digest: Digest;
  readonly commitment: Digest;
  /** As it was submitted. */
  readonly noiseCommitment: Digest;
}
export interface Survivors {
  readonly type: "survivors";
  readonly roundId: Digest;
  /** Sorted by party. */
  readonly survivors: readonly Survivor[];
}
export interface Agree {
  readonly type: "agree";
  readonly roundId: Digest;
  readonly signature: Uint8Array;
}

/** Step 3. */
export interface Agreed {
  readonly type: "agreed";
  readonly roundId: Digest;
  /** Of the recipient and its neighbours. */
  readonly signatures: readonly PartySignature[];
}
export interface RevealedShare {
  /** Whose secret it is a share of. */
  readonly party: PartyId;
  /** Coordinate ‖ value. */
  readonly share: Uint8Array;
}
export interface Unmask {
  readonly type: "unmask";
  readonly roundId: Digest;
  /** The party's own, 32 bytes; empty where it did not survive. */
  readonly selfMaskSeed: Uint8Array;
  /** Of survivors. */
  readonly selfMask: readonly RevealedShare[];
  /** Of the missing. */
  readonly maskSecret: readonly RevealedShare[];
  /** Gives the party's own noise that so many survivors do not need, 32 bytes; empty where all is needed. */
  readonly noise: Uint8Array;
  readonly signature: Uint8Array;
}

/** Step 4, to survivors: the sum, and all that it follows from. */
export interface Aggregate {
  readonly type: "aggregate";
  readonly roundId: Digest;
  /** Of the aggregate's ciphertexts, in slot order. */
  readonly chunks: readonly Digest[];
  /** Of every survivor, sorted by party; the signature is that of its Submit. */
  readonly submissions: readonly {
    readonly party: PartyId;
    readonly chunks: readonly Digest[];
    readonly signature: Uint8Array;
  }[];
  /** Self-mask seeds of every survivor, sorted by party. */
  readonly seeds: readonly { readonly party: PartyId; readonly seed: Uint8Array }[];
  /** Of every missing party that a survivor masked with, sorted by party. */
  readonly secrets: readonly { readonly party: PartyId; readonly maskSecret: Uint8Array }[];
  /** Seeds of the noise that was taken away, of those survivors that revealed theirs, sorted by party. */
  readonly noise: readonly { readonly party: PartyId; readonly seed: Uint8Array }[];
  /** Whether this party is asked for the sum itself, not only its digest. */
  readonly first: boolean;
}
export interface Released {
  readonly type: "released";
  readonly roundId: Digest;
  /** The slots of the sum (`encodeSum`), from the first releaser; else empty. */
  readonly sum: Uint8Array;
  /** Of the aggregate's chunk digests. */
  readonly aggregate: Digest;
  /** Of the sum, salted (`sumDigest`). */
  readonly digest: Digest;
  readonly signature: Uint8Array;
}
/** The aggregate is the sum of what was submitted, and no sum of valid vectors: its count or a digit is out of range. */
export interface Invalid {
  readonly type: "invalid";
  readonly roundId: Digest;
  readonly aggregate: Digest;
  readonly signature: Uint8Array;
}

/** After a lock, where the attempt cannot be finished. */
export interface Renounce {
  readonly type: "renounce";
  readonly roundId: Digest;
}
export interface Renounced {
  readonly type: "renounced";
  readonly roundId: Digest;
  readonly signature: Uint8Array;
}

export interface Closed {
  readonly type: "closed";
  readonly roundId: Digest;
  /** "released", "aborted", "rerun", "split" or "lost". */
  readonly outcome: string;
  readonly reason: string;
  readonly party: PartyId;
  /** Digest of the sum certificate, where released. */
  readonly certificate: Digest;
}
export interface Refuse {
  readonly type: "refuse";
  readonly roundId: Digest;
  readonly reason: string;
  /** Who caused it, or "". */
  readonly party: PartyId;
  readonly detail: string;
  readonly signature: Uint8Array;
}

/** What a party says within one attempt of a round. */
export type PartyRoundMessage = Submit | Agree | Unmask | Released | Invalid | Renounced | Refuse;

/** What the coordinator says within one attempt of a round. */
export type CoordinatorRoundMessage = Open | Survivors | Agreed | Aggregate | Renounce | Closed;

export type PartyMessage = Hello | PartyEpochMessage | PartyRoundMessage;
export type CoordinatorMessage = CoordinatorEpochMessage | CoordinatorRoundMessage;
