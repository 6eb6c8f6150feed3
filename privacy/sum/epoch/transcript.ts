/** What the members of an epoch agree on: one digest of all that was said, and what each signature says. */
import { canonicalBytes, type Digest, digestOf } from "../../../core/canonical.ts";
import { type Identity, signFor } from "../../identity.ts";
import { isSignedBy, type Roster } from "../../roster.ts";
import type { PartyId } from "../graph.ts";
import type { Advertisement, ComplaintKind, Sealed, SealedKey, SignedBy } from "./messages.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** An epoch in brief: what all members sign the digest of. */
export interface EpochTranscript {
  /** Digest of the header. */
  readonly opening: Digest;
  /** Of `advertisedDigest`. */
  readonly advertised: Digest;
  /** Of `noncesDigest`. */
  readonly nonces: Digest;
  readonly dealer: PartyId;
  /** SHA-256 of the serialized BFV secret key. */
  readonly commitment: Digest;
  /** Of `sealedKeysDigest`. */
  readonly sealed: Digest;
}

/** @returns the digest that round headers name. */
export const epochDigestOf = (transcript: EpochTranscript): Digest =>
  digestOf(canonicalBytes({ use: "fedcredit/v2/epoch", ...transcript }));

/** The nonce is uniform, so that its hash hides it. */
export const nonceCommitment = (opening: Digest, party: PartyId, nonce: Uint8Array): Digest =>
  digestOf(canonicalBytes({ use: "fedcredit/v2/epoch-nonce", opening, party, nonce: hex(nonce) }));

/** An advertisement whose 64 mask keys are one digest. */
export interface BriefAdvertisement {
  readonly nonceCommitment: Digest;
  readonly maskKeys: Digest;
  readonly shareKey: string;
}

export const briefOf = ({ nonceCommitment, maskKeys, shareKey }: Advertisement): BriefAdvertisement => ({
  nonceCommitment,
  maskKeys: digestOf(maskKeys),
  shareKey: hex(shareKey),
});

export const advertisementDigest = (party: PartyId, brief: BriefAdvertisement): Digest =>
  digestOf(canonicalBytes({ party, ...brief }));

/** @param digests - of every member's advertisement, sorted by party. */
export const advertisedDigest = (digests: readonly Digest[]): Digest => digestOf(canonicalBytes(digests));

export const noncesDigest = (nonces: ReadonlyMap<PartyId, Uint8Array>): Digest =>
  digestOf(canonicalBytes([...nonces].sort(([a], [b]) => (a < b ? -1 : 1)).map(([p, n]) => [p, hex(n)])));

/**
 * What is fixed once every nonce is open: the seed of the graph, and what everything said later is bound to.
 * Two members that were shown different advertisements or nonces understand nothing of each other from here.
 */
export const viewOf = ({
  opening,
  advertised,
  nonces,
}: Pick<EpochTranscript, "opening" | "advertised" | "nonces">): Digest =>
  digestOf(canonicalBytes({ use: "fedcredit/v2/epoch-view", opening, advertised, nonces }));

/** @returns the member with the lowest SHA-256(opened nonces ‖ id): nobody chooses who deals. */
export function dealerOf(members: readonly PartyId[], nonces: Digest): PartyId {
  const place = (id: PartyId): Digest => digestOf(Buffer.from(nonces, "hex"), id);
  return members.map((id): [Digest, PartyId] => [place(id), id]).sort(([a], [b]) => (a < b ? -1 : 1))[0]![1];
}

export const sealedKeyDigest = ({ party, ephemeral, ciphertext }: SealedKey): Digest =>
  digestOf(canonicalBytes({ party, ephemeral: hex(ephemeral), ciphertext: digestOf(ciphertext) }));

export const sealedKeysDigest = (digests: readonly Digest[]): Digest => digestOf(canonicalBytes(digests));

/** What each signature of an opening says. */
export type EpochStatement =
  | { readonly purpose: "epoch-join"; readonly opening: Digest; readonly brief: BriefAdvertisement }
  | {
      readonly purpose: "epoch-share";
      readonly view: Digest;
      readonly to: PartyId;
      readonly sealed: Sealed;
      readonly hashes: Uint8Array;
    }
  | {
      readonly purpose: "epoch-dealt";
      readonly view: Digest;
      readonly commitment: Digest;
      readonly sealedDigests: readonly Digest[];
    }
  | { readonly purpose: "epoch-confirmed"; readonly digest: Digest }
  | {
      readonly purpose: "epoch-complaint";
      readonly view: Digest;
      readonly about: PartyId;
      readonly kind: ComplaintKind;
    }
  | {
      readonly purpose: "epoch-answer";
      readonly view: Digest;
      readonly to: PartyId;
      readonly kind: ComplaintKind;
      readonly secret: Uint8Array;
    };

/** Signer and content, as canonical JSON: no two statements have the same bytes. */
function payload(party: PartyId, statement: EpochStatement): Uint8Array {
  switch (statement.purpose) {
    case "epoch-join":
      return canonicalBytes({ party, opening: statement.opening, ...statement.brief });
    case "epoch-share": {
      const { view, to, sealed, hashes } = statement;
      return canonicalBytes({
        party,
        view,
        to,
        ephemeral: hex(sealed.ephemeral),
        ciphertext: digestOf(sealed.ciphertext),
        hashes: digestOf(hashes),
      });
    }
    case "epoch-dealt": {
      const { view, commitment, sealedDigests } = statement;
      return canonicalBytes({ party, view, commitment, sealed: sealedKeysDigest(sealedDigests) });
    }
    case "epoch-confirmed":
      return canonicalBytes({ party, digest: statement.digest });
    case "epoch-complaint":
      return canonicalBytes({ party, view: statement.view, about: statement.about, kind: statement.kind });
    case "epoch-answer": {
      const { view, to, kind, secret } = statement;
      return canonicalBytes({ party, view, to, kind, secret: digestOf(secret) });
    }
  }
}

export const signEpoch = (party: PartyId, statement: EpochStatement, identity: Identity): Uint8Array =>
  signFor(statement.purpose, identity, payload(party, statement));

/** @returns whether the signature is by the roster's key of this party. */
export function epochSignedBy(
  roster: Roster,
  party: PartyId,
  statement: EpochStatement,
  signature: Uint8Array,
): boolean {
  return isSignedBy(roster, party, statement.purpose, payload(party, statement), signature);
}

/** @returns whether these are exactly the members' signatures of the digest, in their order. */
export const isConfirmedByAll = (
  digest: Digest,
  members: readonly PartyId[],
  confirmations: readonly SignedBy[],
  roster: Roster,
): boolean =>
  confirmations.length === members.length &&
  confirmations.every(
    ({ party, signature }, i) =>
      party === members[i] && epochSignedBy(roster, party, { purpose: "epoch-confirmed", digest }, signature),
  );
