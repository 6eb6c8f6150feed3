/** The identity of an enterprise in a consortium: `[a-z0-9-]+`. */
export type PartyId = string;

/**
 * Who exchanges masks and shares with whom.
 * @param seed - 32 bytes all parties agree on and none chose: of roundId and the digest of the advertised keys.
 * @returns every party's neighbours, sorted, itself left out; symmetric.
 */
export function neighbours(
  _cohort: readonly PartyId[],
  _seed: Uint8Array,
): ReadonlyMap<PartyId, readonly PartyId[]> {
  throw new Error("not written");
}

/** @returns T = ⌈2k/3⌉, the shares needed of a party with k neighbours; at least 2. */
export const shareThreshold = (k: number): number => Math.max(2, Math.ceil((2 * k) / 3));
