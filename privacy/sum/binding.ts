/** How keys, signatures and digests of one attempt are bound to its roundId. Both machines use these alone. */
import { createCipheriv, createDecipheriv } from "node:crypto";
import { canonicalBytes, type Digest, digestOf, sha256 } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import { agreeKey, type Identity, signFor, verifyFor } from "../identity.ts";
import type { Roster } from "../roster.ts";
import { neighbourCount, neighbours, type PartyId, shareThreshold } from "./graph.ts";
import type { RoundHeader } from "./header.ts";
import { T } from "./layout.ts";
import type { MaskTerm } from "./mask.ts";
import type { Advertised, Survivor } from "./messages.ts";
import { shareBytes } from "./shares.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** What each signature of an attempt says. */
export type Statement =
  | { readonly purpose: "advertise"; readonly maskKey: Uint8Array; readonly shareKey: Uint8Array }
  | {
      readonly purpose: "submit";
      readonly chunks: readonly Digest[];
      readonly digest: Digest;
      readonly commitment: Digest;
    }
  | {
      readonly purpose: "agree";
      /** Of `survivorsDigest`. */
      readonly survivors: Digest;
    }
  | { readonly purpose: "release"; readonly digest: Digest };

/** roundId, signer and content, as canonical JSON: no two statements have the same bytes. */
function payload(roundId: Digest, party: PartyId, statement: Statement): Uint8Array {
  switch (statement.purpose) {
    case "advertise":
      return canonicalBytes({
        roundId,
        party,
        maskKey: hex(statement.maskKey),
        shareKey: hex(statement.shareKey),
      });
    case "submit":
      return canonicalBytes({
        roundId,
        party,
        chunks: statement.chunks,
        digest: statement.digest,
        commitment: statement.commitment,
      });
    case "agree":
      return canonicalBytes({ roundId, party, survivors: statement.survivors });
    case "release":
      return canonicalBytes({ roundId, party, digest: statement.digest });
  }
}

export const signStatement = (
  roundId: Digest,
  party: PartyId,
  statement: Statement,
  identity: Identity,
): Uint8Array => signFor(statement.purpose, identity, payload(roundId, party, statement));

/** @returns whether the signature is by the roster's key of this party. */
export function signedBy(
  roster: Roster,
  roundId: Digest,
  party: PartyId,
  statement: Statement,
  signature: Uint8Array,
): boolean {
  const member = roster.byId.get(party);
  return (
    member !== undefined &&
    verifyFor(statement.purpose, member.identityKey, payload(roundId, party, statement), signature)
  );
}

/** @returns SHA-256 of the concatenated raw chunk digests: the digest of a submission. */
export const submissionDigest = (chunks: readonly Digest[]): Digest =>
  digestOf(Buffer.from(chunks.join(""), "hex"));

/** @returns the digest of a survivor list, every ciphertext's digest included. */
export const survivorsDigest = (survivors: readonly Survivor[]): Digest =>
  digestOf(canonicalBytes(survivors.map(({ party, digest }) => [party, digest])));

/** The seed is uniform, so that its hash hides it. */
export const selfMaskCommitment = (roundId: Digest, seed: Uint8Array): Digest =>
  digestOf("fedcredit/v1/self-mask\0", Buffer.from(roundId, "hex"), seed);

/** Who shares with whom in this attempt, and how many shares rebuild a secret. */
export interface ShareGraph {
  readonly neighbours: ReadonlyMap<PartyId, readonly PartyId[]>;
  /** Shares of a secret: its neighbours' and the owner's own, which is never revealed. */
  readonly holders: number;
  readonly threshold: number;
}

/** @returns T = ⌈2k/3⌉ of k neighbours; where all are neighbours, everyone counts, the owner too. */
const leastOf = (parties: number, degree: number): number =>
  shareThreshold(degree === parties - 1 ? parties : degree);

/** @returns the threshold that holds in a cohort of this size where its header names none higher. */
export const leastThreshold = (cohort: number): number => leastOf(cohort, neighbourCount(cohort));

/**
 * @param advertised - sorted by party.
 * @returns the graph, or why there is none: too few are left for the header's threshold.
 * @see Bonawitz et al. 2017, section 6.2 (T > 2n/3 with everyone counted); Bell et al. 2020, section 4
 */
export function shareGraph(
  header: RoundHeader,
  roundId: Digest,
  advertised: readonly Advertised[],
): ShareGraph | Refusal {
  const keys = advertised.map(({ party, maskKey, shareKey }) => [party, hex(maskKey), hex(shareKey)]);
  const ids = advertised.map(({ party }) => party);
  const graph = neighbours(ids, sha256(Buffer.from(roundId, "hex"), canonicalBytes(keys)));
  const degree = neighbourCount(ids.length);
  const threshold = Math.max(header.threshold, leastOf(ids.length, degree));
  return threshold > degree + 1
    ? new Refusal("cohort_too_small", `${degree + 1} holders cannot reach a threshold of ${threshold}`)
    : { neighbours: graph, holders: degree + 1, threshold };
}

/**
 * The mask one party adds for another: equal at both ends but for its sign.
 * @throws Refusal message_malformed when the peer's key gives no secret.
 */
export function pairMask(
  roundId: Digest,
  own: { readonly party: PartyId; readonly maskSecret: Uint8Array },
  peer: { readonly party: PartyId; readonly maskKey: Uint8Array },
): MaskTerm {
  const first = own.party < peer.party;
  const pair = first ? `${own.party} ${peer.party}` : `${peer.party} ${own.party}`;
  const seed = agreeKey(own.maskSecret, peer.maskKey, roundId, `fedcredit/v1/pair-mask ${pair}`);
  return { seed, info: `pair ${roundId}`, sign: first ? 1 : -1 };
}

export const selfMask = (roundId: Digest, seed: Uint8Array): MaskTerm => ({
  seed,
  info: `self ${roundId}`,
  sign: 1,
});

/** Both shares a party entrusts to one neighbour. */
export interface SharePair {
  readonly maskKeyShare: Uint8Array;
  readonly selfMaskShare: Uint8Array;
}

/** One direction of one pair in one attempt: its key seals one message ever, so that the nonce is fixed. */
interface Channel {
  readonly roundId: Digest;
  readonly from: PartyId;
  readonly to: PartyId;
  readonly shareSecret: Uint8Array;
  readonly peerKey: Uint8Array;
}

const nonce = Buffer.alloc(12);
const tagBytes = 16;

const channelKey = ({ roundId, from, to, shareSecret, peerKey }: Channel): Uint8Array =>
  agreeKey(shareSecret, peerKey, roundId, `fedcredit/v1/share ${from} ${to}`);

const channelName = ({ roundId, from, to }: Channel): Buffer => Buffer.from(`${roundId} ${from} ${to}`);

/** AES-256-GCM(share of mask secret ‖ share of self-mask seed). */
export function sealShares(channel: Channel, { maskKeyShare, selfMaskShare }: SharePair): Uint8Array {
  const cipher = createCipheriv("aes-256-gcm", channelKey(channel), nonce).setAAD(channelName(channel));
  return new Uint8Array(
    Buffer.concat([
      cipher.update(maskKeyShare),
      cipher.update(selfMaskShare),
      cipher.final(),
      cipher.getAuthTag(),
    ]),
  );
}

/** @returns undefined when the ciphertext is not of this channel or of another length. */
export function openShares(channel: Channel, ciphertext: Uint8Array): SharePair | undefined {
  if (ciphertext.length !== 2 * shareBytes + tagBytes) return undefined;
  try {
    const decipher = createDecipheriv("aes-256-gcm", channelKey(channel), nonce)
      .setAAD(channelName(channel))
      .setAuthTag(ciphertext.subarray(-tagBytes));
    const text = Buffer.concat([decipher.update(ciphertext.subarray(0, -tagBytes)), decipher.final()]);
    return {
      maskKeyShare: new Uint8Array(text.subarray(0, shareBytes)),
      selfMaskShare: new Uint8Array(text.subarray(shareBytes)),
    };
  } catch {
    return undefined;
  }
}

const slotBytes = 6;

/** @returns each slot as 6 bytes, little-endian. @param slots - integers in [0, T). */
export function encodeSum(slots: Float64Array): Uint8Array {
  const bytes = Buffer.alloc(slots.length * slotBytes);
  for (const [i, slot] of slots.entries()) bytes.writeUIntLE(slot, i * slotBytes, slotBytes);
  return bytes;
}

/** @throws Refusal release_invalid unless the bytes are `count` slots in [0, T). */
export function decodeSum(bytes: Uint8Array, count: number): Float64Array {
  if (bytes.length !== count * slotBytes) throw new Refusal("release_invalid", "the sum has another length");
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const slots = Float64Array.from({ length: count }, (_, i) => view.readUIntLE(i * slotBytes, slotBytes));
  if (slots.some((slot) => slot >= T))
    throw new Refusal("release_invalid", "a slot of the sum is out of range");
  return slots;
}
