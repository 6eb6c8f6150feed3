import { combine, split } from "shamir-secret-sharing";
import { sha256 } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";

const secretBytes = 32;
const checkBytes = 16;

/** Bytes of one share: a point's values for secret ‖ check, then its coordinate, 1…255. */
export const shareBytes = secretBytes + checkBytes + 1;

/**
 * Splits a 32-byte secret by Shamir's scheme over GF(2⁸). A check of the secret is shared with it, so that
 * combining tells a wrong share from a right one; fewer than `threshold` shares still tell nothing of either.
 *
 * @param holders - number of shares, 2…255.
 * @param threshold - shares needed to combine, 2…holders.
 * @returns `holders` shares of `shareBytes` bytes; each carries its own coordinate, so their order is free.
 * @throws {RangeError} if a length or number is outside these.
 */
export async function splitSecret(
  secret: Uint8Array,
  holders: number,
  threshold: number,
): Promise<Uint8Array[]> {
  if (secret.length !== secretBytes) throw new RangeError("a secret has 32 bytes");
  if (!(threshold >= 2 && threshold <= holders && holders <= 255))
    throw new RangeError("2 <= threshold <= holders <= 255");
  // the library takes a plain Uint8Array only, not a Buffer
  const checked = new Uint8Array(secretBytes + checkBytes);
  checked.set(secret);
  checked.set(checkOf(secret), secretBytes);
  const shares = await split(checked, holders, threshold);
  checked.fill(0);
  return shares;
}

/**
 * @param threshold - as it was split; where more shares are given, the first `threshold` are combined.
 * @returns the 32-byte secret.
 * @throws Refusal share_invalid when there are too few shares, or one is malformed, doubled or not of this secret.
 */
export async function combineShares(shares: readonly Uint8Array[], threshold: number): Promise<Uint8Array> {
  if (!(threshold >= 2 && threshold <= 255)) throw new RangeError("threshold must be 2…255");
  if (shares.length < threshold)
    throw new Refusal("share_invalid", `${shares.length} of ${threshold} shares needed`);
  const used = shares.slice(0, threshold);
  const coordinates = new Set(used.map((share) => share[shareBytes - 1]));
  if (used.some((share) => share.length !== shareBytes) || coordinates.has(0))
    throw new Refusal("share_invalid", "a share is malformed");
  if (coordinates.size < used.length) throw new Refusal("share_invalid", "a share was given twice");
  const checked = await combine(used.map((share) => Uint8Array.from(share)));
  const secret = checked.slice(0, secretBytes);
  if (Buffer.compare(checked.subarray(secretBytes), checkOf(secret)) !== 0)
    throw new Refusal("share_invalid", "the shares are not of one secret");
  return secret;
}

const checkOf = (secret: Uint8Array): Uint8Array =>
  sha256("fedcredit/share-check\0", secret).subarray(0, checkBytes);
