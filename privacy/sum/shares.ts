/** Bytes of one share as it travels (before it is sealed to its holder). */
export const shareBytes = 49;

/**
 * Splits a 32-byte secret.
 * @param holders - number of shares, 2…255.
 * @param threshold - shares needed to combine, 2…holders.
 * @returns `holders` shares of `shareBytes` bytes each; any order, one for each holder.
 */
export async function splitSecret(
  _secret: Uint8Array,
  _holders: number,
  _threshold: number,
): Promise<Uint8Array[]> {
  throw new Error("not written");
}

/**
 * @returns the 32-byte secret.
 * @throws Refusal share_invalid when there are too few shares, or one is malformed, doubled or not of this secret.
 */
export async function combineShares(
  _shares: readonly Uint8Array[],
  _threshold: number,
): Promise<Uint8Array> {
  throw new Error("not written");
}
