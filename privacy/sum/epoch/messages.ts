/**
 * The messages that open a key epoch, one to one with the oneofs of federation.proto.
 * Digests and ids are text, keys, nonces, signatures and ciphertexts are bytes.
 */
import type { Digest } from "../../../core/canonical.ts";
import type { PartyId } from "../graph.ts";

/** A signature and whose it is. */
export interface SignedBy {
  readonly party: PartyId;
  readonly signature: Uint8Array;
}

/** Down: an epoch is to be opened. */
export interface OpenEpochMessage {
  readonly type: "openEpoch";
  /** Canonical JSON of the EpochHeader, UTF-8. */
  readonly header: Uint8Array;
}

/** What a member brings into an epoch. */
export interface Advertisement {
  /** Of `nonceCommitment`: fixed before any nonce is opened. */
  readonly nonceCommitment: Digest;
  /** X25519, 32 bytes a slot, in slot order. */
  readonly maskKeys: Uint8Array;
  /** X25519, 32 bytes: what is sealed to this member in this opening. */
  readonly shareKey: Uint8Array;
}
/** Up. */
export interface JoinEpoch extends Advertisement {
  readonly type: "joinEpoch";
  readonly opening: Digest;
  readonly signature: Uint8Array;
}
/** Down: everyone's, as they signed it. */
export interface EpochJoined {
  readonly type: "epochJoined";
  readonly opening: Digest;
  /** Every member, sorted by party. */
  readonly joined: readonly (Advertisement & SignedBy)[];
}

/** Up: opened only after every advertisement was checked. */
export interface EpochNonce {
  readonly type: "epochNonce";
  readonly opening: Digest;
  /** 32 bytes. */
  readonly nonce: Uint8Array;
}
/** Down. */
export interface EpochNonces {
  readonly type: "epochNonces";
  readonly opening: Digest;
  /** Every member, sorted by party. */
  readonly nonces: readonly { readonly party: PartyId; readonly nonce: Uint8Array }[];
}

/** One message of one member to one other: the ephemeral secret, once opened, opens this message and no other. */
export interface Sealed {
  /** X25519, 32 bytes. */
  readonly ephemeral: Uint8Array;
  readonly ciphertext: Uint8Array;
}
/** A sharer's message to one neighbour. `party` is the recipient on the way up, the sharer on the way down. */
export interface SealedShares extends Sealed, SignedBy {
  /** SHA-256 of each share, of the mask secret and of the self-mask seed of each slot in turn. */
  readonly hashes: Uint8Array;
}
/** The BFV key, sealed to one member. */
export interface SealedKey extends Sealed {
  readonly party: PartyId;
}
/** What a dealer signs: all of it at once. */
export interface Deal {
  /** SHA-256 of the serialized BFV secret key. */
  readonly commitment: Digest;
  /** Of `sealedKeyDigest`, of every member's, in the members' order. */
  readonly sealedDigests: readonly Digest[];
  readonly signature: Uint8Array;
}
/** Up, of the dealer. */
export interface EpochDealt extends Deal {
  /** One a member, the dealer's own included, in the members' order. */
  readonly sealed: readonly SealedKey[];
}
/** Up. */
export interface ShareEpoch {
  readonly type: "shareEpoch";
  readonly opening: Digest;
  /** One a neighbour, sorted by party. */
  readonly sealed: readonly SealedShares[];
  /** Of the dealer alone; proto3 may leave it out. */
  readonly dealt: EpochDealt | null;
}
/** Down: what is for this member. */
export interface EpochShares {
  readonly type: "epochShares";
  readonly opening: Digest;
  /** One a neighbour, sorted by party. */
  readonly shares: readonly SealedShares[];
  readonly dealt: (Deal & { readonly dealer: PartyId; readonly sealed: SealedKey | null }) | null;
}

/** Up: the member holds the key and all shares, and this is the epoch. */
export interface ConfirmEpoch {
  readonly type: "confirmEpoch";
  readonly opening: Digest;
  readonly digest: Digest;
  readonly signature: Uint8Array;
}
/** What a complaint is about: the dealt BFV key, or a neighbour's shares. */
export type ComplaintKind = "key" | "share";
/** Up: what `about` sent cannot be used. */
export interface ComplainEpoch {
  readonly type: "complainEpoch";
  readonly opening: Digest;
  readonly about: PartyId;
  readonly kind: ComplaintKind;
  readonly signature: Uint8Array;
}
/** Down, to the accused: with the complaint as its maker signed it. */
export interface Accuse {
  readonly type: "accuse";
  readonly opening: Digest;
  readonly by: PartyId;
  readonly kind: ComplaintKind;
  readonly signature: Uint8Array;
}
/** Up, of the accused. It voids the opening for whoever says it. */
export interface AnswerComplaint {
  readonly type: "answerComplaint";
  readonly opening: Digest;
  /** The complainer. */
  readonly to: PartyId;
  readonly kind: ComplaintKind;
  /** The ephemeral secret of the message complained about, 32 bytes. */
  readonly secret: Uint8Array;
  readonly signature: Uint8Array;
}
/** Up: the member takes no part in this opening. */
export interface RefuseEpoch {
  readonly type: "refuseEpoch";
  readonly opening: Digest;
  readonly reason: string;
  /** Who caused it, or "". */
  readonly party: PartyId;
  readonly detail: string;
}

/** Down: all members signed the one digest. */
export interface EpochReady {
  readonly type: "epochReady";
  readonly opening: Digest;
  readonly digest: Digest;
  /** Every member, sorted by party. */
  readonly confirmations: readonly SignedBy[];
}
/** Down: this opening is over. */
export interface EpochFailed {
  readonly type: "epochFailed";
  readonly opening: Digest;
  readonly reason: string;
  /** Who is left out of the next, or "". */
  readonly party: PartyId;
  /** Canonical JSON of a settled complaint's evidence; else empty. */
  readonly evidence: Uint8Array;
}

export type PartyEpochMessage =
  | JoinEpoch
  | EpochNonce
  | ShareEpoch
  | ConfirmEpoch
  | ComplainEpoch
  | AnswerComplaint
  | RefuseEpoch;

export type CoordinatorEpochMessage =
  | OpenEpochMessage
  | EpochJoined
  | EpochNonces
  | EpochShares
  | Accuse
  | EpochReady
  | EpochFailed;
