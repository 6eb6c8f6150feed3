/**
 * The messages of the sealed sum and of the key epochs, one to one with the oneofs of federation.proto.
 *
 * Digests (`roundId`, `digest`, `chunks`, `roster`, `commitment`, `state`) are lowercase hexadecimal text;
 * keys, signatures, ciphertexts, seeds and shares are bytes. As in proto3, an absent text is "" and absent
 * bytes are empty. `fromOneof` and `toOneof` of proto/wire.ts convert.
 */
import type { Digest } from "../../core/canonical.ts";
import type { PartyId } from "./graph.ts";

export interface Hello {
  readonly type: "hello";
  readonly protocolVersion: number;
  readonly softwareVersion: string;
}

/** An epoch's BFV secret key, HPKE-sealed to one member. */
export interface SealedKey {
  readonly party: PartyId;
  /** HPKE `enc`, 32 bytes. */
  readonly encapsulated: Uint8Array;
  readonly ciphertext: Uint8Array;
}
export interface DealEpoch {
  readonly type: "dealEpoch";
  readonly epoch: number;
  readonly roster: Digest;
}
export interface EpochDealt {
  readonly type: "epochDealt";
  readonly epoch: number;
  readonly roster: Digest;
  /** SHA-256 of the serialized BFV secret key. */
  readonly commitment: Digest;
  /** One for each roster member, the dealer included, in roster order. */
  readonly sealed: readonly SealedKey[];
  readonly signature: Uint8Array;
}
export interface EpochKey {
  readonly type: "epochKey";
  readonly epoch: number;
  readonly roster: Digest;
  readonly commitment: Digest;
  readonly dealer: PartyId;
  /** The one for the receiving party; proto3 may leave it out. */
  readonly sealed: SealedKey | null;
  readonly signature: Uint8Array;
  /** Of every sealed key, in roster order: what the dealer signed. */
  readonly sealedDigests: readonly Digest[];
}
export interface EpochConfirmed {
  readonly type: "epochConfirmed";
  readonly epoch: number;
  readonly commitment: Digest;
  readonly signature: Uint8Array;
}

/** Step 0. */
export interface Open {
  readonly type: "open";
  /** Canonical JSON of the RoundHeader, UTF-8. */
  readonly header: Uint8Array;
}

/** Step 1. */
export interface Advertise {
  readonly type: "advertise";
  readonly roundId: Digest;
  /** X25519, 32 bytes. */
  readonly maskKey: Uint8Array;
  /** X25519, 32 bytes. */
  readonly shareKey: Uint8Array;
  readonly signature: Uint8Array;
}
export interface Advertised {
  readonly party: PartyId;
  readonly maskKey: Uint8Array;
  readonly shareKey: Uint8Array;
  readonly signature: Uint8Array;
}
export interface Keys {
  readonly type: "keys";
  readonly roundId: Digest;
  /** Sorted by party. */
  readonly advertised: readonly Advertised[];
}

/** Step 2: the party is the recipient on the way up, the sender on the way down. */
export interface SealedShare {
  readonly party: PartyId;
  readonly ciphertext: Uint8Array;
}
export interface Share {
  readonly type: "share";
  readonly roundId: Digest;
  readonly sealed: readonly SealedShare[];
}
export interface Shares {
  readonly type: "shares";
  readonly roundId: Digest;
  /** Everyone who shared, sorted: who masks with whom. */
  readonly sharers: readonly PartyId[];
  readonly sealed: readonly SealedShare[];
}

/** Step 3. */
export interface Submit {
  readonly type: "submit";
  readonly roundId: Digest;
  /** SHA-256 of each ciphertext, in slot order. */
  readonly chunks: readonly Digest[];
  /** SHA-256 of the concatenated raw chunk digests. */
  readonly digest: Digest;
  /** Binds the self-mask seed: with ciphertext and signed mask key it determines the contribution. */
  readonly commitment: Digest;
  readonly signature: Uint8Array;
}

/** Step 4. */
export interface Survivor {
  readonly party: PartyId;
  readonly digest: Digest;
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

/** Step 5. */
export interface AgreedSignature {
  readonly party: PartyId;
  readonly signature: Uint8Array;
}
export interface Agreed {
  readonly type: "agreed";
  readonly roundId: Digest;
  readonly signatures: readonly AgreedSignature[];
}
export interface RevealedShare {
  /** Whose secret it is a share of. */
  readonly party: PartyId;
  readonly share: Uint8Array;
}
export interface Unmask {
  readonly type: "unmask";
  readonly roundId: Digest;
  /** The party's own, 32 bytes. */
  readonly selfMaskSeed: Uint8Array;
  /** Of survivors. */
  readonly selfMask: readonly RevealedShare[];
  /** Of the missing. */
  readonly maskKey: readonly RevealedShare[];
}

/** Step 6. */
export interface Aggregate {
  readonly type: "aggregate";
  readonly roundId: Digest;
  readonly chunks: readonly Digest[];
  /** Whether this party is asked for the sum itself, not only its digest. */
  readonly first: boolean;
}
export interface Released {
  readonly type: "released";
  readonly roundId: Digest;
  /** The slots of the sum (`encodeSum`), from the first releaser; else empty. */
  readonly sum: Uint8Array;
  readonly digest: Digest;
  readonly signature: Uint8Array;
}
export interface Closed {
  readonly type: "closed";
  readonly roundId: Digest;
  /** "released" or "aborted". */
  readonly outcome: string;
  readonly reason: string;
  readonly party: PartyId;
  /** Digest of the state after the server step, where released. */
  readonly state: Digest;
}
export interface Refuse {
  readonly type: "refuse";
  readonly roundId: Digest;
  readonly reason: string;
  /** Who caused it, or "". */
  readonly party: PartyId;
  readonly detail: string;
}

export type PartyMessage =
  | Hello
  | EpochDealt
  | EpochConfirmed
  | Advertise
  | Share
  | Submit
  | Agree
  | Unmask
  | Released
  | Refuse;

export type CoordinatorMessage =
  | DealEpoch
  | EpochKey
  | Open
  | Keys
  | Shares
  | Survivors
  | Agreed
  | Aggregate
  | Closed;

/** What a party says within one attempt of a round. */
export type PartyRoundMessage = Exclude<PartyMessage, Hello | EpochDealt | EpochConfirmed>;

/** What the coordinator says within one attempt of a round. */
export type CoordinatorRoundMessage = Exclude<CoordinatorMessage, DealEpoch | EpochKey>;
