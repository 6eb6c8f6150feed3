/** The 64 mask secrets and 64 self-mask seeds of a member, in shares: split at once, shown one at a time. */
import { hash } from "node:crypto";
import { combine, split } from "shamir-secret-sharing";
import type { Digest } from "../../../core/canonical.ts";
import { Refusal } from "../../../core/reasons.ts";
import type { PartyId } from "../graph.ts";
import { epochSlots } from "./header.ts";

/** Which of a slot's two secrets a share is of. At most one of the two is ever shown. */
export type SecretKind = "maskSecret" | "selfMask";

const kinds: readonly SecretKind[] = ["maskSecret", "selfMask"];
const secretBytes = 32;
const hashBytes = 32;
const bundleValues = epochSlots * kinds.length * secretBytes;

/** Bytes of one share: 32 values, then the coordinate, 1…255. */
export const slotShareBytes = secretBytes + 1;
/** Bytes of all a sharer's shares for one holder: the values slot by slot, then their one coordinate. */
export const bundleBytes = bundleValues + 1;
/** Bytes of the hashes of a bundle's shares. */
export const bundleHashBytes = epochSlots * kinds.length * hashBytes;

const placeOf = (slot: number, kind: SecretKind): number => slot * kinds.length + kinds.indexOf(kind);

/** A member's own secrets, each by slot. */
export interface SlotSecretsBySlot {
  readonly maskSecrets: readonly Uint8Array[];
  readonly selfMaskSeeds: readonly Uint8Array[];
}

/**
 * Splits all secrets of an epoch in one call: byte by byte, so that shares of one say nothing of another.
 * @returns `holders` bundles of `bundleBytes`, each of another coordinate.
 * @see Shamir 1979, over GF(2⁸)
 */
export async function splitSlots(
  { maskSecrets, selfMaskSeeds }: SlotSecretsBySlot,
  holders: number,
  threshold: number,
): Promise<Uint8Array[]> {
  const values = new Uint8Array(bundleValues);
  for (let slot = 0; slot < epochSlots; slot++) {
    values.set(maskSecrets[slot]!, placeOf(slot, "maskSecret") * secretBytes);
    values.set(selfMaskSeeds[slot]!, placeOf(slot, "selfMask") * secretBytes);
  }
  const bundles = await split(values, holders, threshold);
  values.fill(0);
  return bundles;
}

/** @returns a copy of one share of a bundle, shape [slotShareBytes]. */
export function shareOf(bundle: Uint8Array, slot: number, kind: SecretKind): Uint8Array {
  const share = new Uint8Array(slotShareBytes);
  const first = placeOf(slot, kind) * secretBytes;
  share.set(bundle.subarray(first, first + secretBytes));
  share[secretBytes] = bundle[bundleValues]!;
  return share;
}

/** Forgets the shares of one slot. */
export const eraseSlotOf = (bundle: Uint8Array, slot: number): void => {
  const first = placeOf(slot, "maskSecret") * secretBytes;
  bundle.fill(0, first, first + kinds.length * secretBytes);
};

/** What a share is of, so that its hash is that of no other. */
export interface SharePlace {
  readonly view: Digest;
  readonly sharer: PartyId;
  readonly holder: PartyId;
}

/** What the sharer signs of a share. The share is as good as uniform, so that its hash hides it. */
export const shareHash = (
  { view, sharer, holder }: SharePlace,
  slot: number,
  kind: SecretKind,
  share: Uint8Array,
): Uint8Array => {
  const label = Buffer.from(`fedcredit/v2/share ${view} ${sharer} ${holder} ${slot} ${kind}\0`);
  // one call each: there are 128 for every neighbour
  return hash("sha256", Buffer.concat([label, share]), "buffer");
};

/** @returns the hashes of all shares of a bundle, slot by slot, shape [bundleHashBytes]. */
export function bundleHashes(place: SharePlace, bundle: Uint8Array): Uint8Array {
  const hashes = new Uint8Array(bundleHashBytes);
  for (let slot = 0; slot < epochSlots; slot++)
    for (const kind of kinds)
      hashes.set(shareHash(place, slot, kind, shareOf(bundle, slot, kind)), placeOf(slot, kind) * hashBytes);
  return hashes;
}

/** @returns the signed hash of one share. */
export const hashIn = (hashes: Uint8Array, slot: number, kind: SecretKind): Uint8Array =>
  hashes.subarray(placeOf(slot, kind) * hashBytes, (placeOf(slot, kind) + 1) * hashBytes);

/** @returns whether a bundle has the length, a coordinate and the hashes that its sharer signed. */
export const isBundleOf = (place: SharePlace, bundle: Uint8Array, hashes: Uint8Array): boolean =>
  bundle.length === bundleBytes &&
  bundle[bundleValues] !== 0 &&
  Buffer.compare(bundleHashes(place, bundle), hashes) === 0;

/**
 * @param threshold - as it was split; where more shares are given, the first `threshold` are combined.
 * @returns the 32 bytes they give, which the caller compares with a commitment or a public key: any shares
 * give some.
 * @throws Refusal share_invalid when there are too few, or one is malformed or doubled.
 */
export async function combineSlot(shares: readonly Uint8Array[], threshold: number): Promise<Uint8Array> {
  if (!(threshold >= 2 && threshold <= 255)) throw new RangeError("threshold must be 2…255");
  if (shares.length < threshold)
    throw new Refusal("share_invalid", `${shares.length} of ${threshold} shares needed`);
  const used = shares.slice(0, threshold);
  const coordinates = new Set(used.map((share) => share[secretBytes]));
  if (used.some((share) => share.length !== slotShareBytes) || coordinates.has(0))
    throw new Refusal("share_invalid", "a share is malformed");
  if (coordinates.size < used.length) throw new Refusal("share_invalid", "a share was given twice");
  return combine(used.map((share) => Uint8Array.from(share)));
}
