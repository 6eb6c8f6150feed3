import { seededRandom, shuffle } from "../../core/random.ts";

/** The identity of an enterprise in a consortium: `[a-z0-9-]+`. */
export type PartyId = string;

/** Up to here every party exchanges masks and shares with every other. */
const completeUpTo = 64;

/** @returns T = ⌈2k/3⌉: the shares that open a secret of a party with k neighbours; at least 2. */
export const shareThreshold = (k: number): number => Math.max(2, Math.ceil((2 * k) / 3));

/**
 * Who exchanges masks and shares with whom: everyone up to 64 parties; above, a random k-regular graph, which
 * is each party and the k/2 next to it on either side of a circle shuffled by the seed.
 *
 * @param cohort - distinct ids, in any order.
 * @param seed - bytes that all parties derive alike: of the roundId and the digest of all advertised keys.
 * @returns every party's neighbours, sorted, itself left out; symmetric.
 * @throws {RangeError} if an id appears twice.
 * @see Bell et al. 2020, eprint 2020/704, section 3 (Harary graph under a random permutation)
 */
export function neighbours(
  cohort: readonly PartyId[],
  seed: Uint8Array,
): ReadonlyMap<PartyId, readonly PartyId[]> {
  const sorted = [...cohort].sort();
  if (new Set(sorted).size !== sorted.length) throw new RangeError("a party is in the cohort twice");
  const n = sorted.length;
  const k = neighbourCount(n);
  if (k === n - 1) return new Map(sorted.map((party) => [party, sorted.filter((other) => other !== party)]));
  const circle = shuffle(sorted, seededRandom(`fedcredit/graph ${Buffer.from(seed).toString("hex")}`));
  return new Map(
    circle.map((party, at) => {
      const around: PartyId[] = [];
      for (let d = 1; d <= k / 2; d++) around.push(circle[(at + d) % n]!, circle[(at + n - d) % n]!);
      return [party, around.sort()];
    }),
  );
}

/**
 * The least even k for which, with a quarter of the cohort colluding and a tenth dropping out at random,
 * - the colluding hold T shares of any party's secret, or the honest that stay are not connected by masks,
 *   with probability at most 2⁻⁴⁰ (privacy), and
 * - any party's secret has fewer than T shares left with probability at most 2⁻²⁰ (an attempt to repeat).
 * Who can try many seeds (by choosing a key last) multiplies the first by the number of tries.
 *
 * @returns n − 1 up to 64 parties, and wherever no smaller k will do.
 * @see Bell et al. 2020, eprint 2020/704, definitions 3.2–3.4, by exact hypergeometric tails and a union bound
 */
export function neighbourCount(n: number): number {
  if (n <= completeUpTo) return Math.max(0, n - 1);
  for (let k = 2; k < n - 1; k += 2) {
    const { privacy, completeness } = failureProbabilities(n, k);
    if (privacy <= 2 ** -40 && completeness <= 2 ** -20) return k;
  }
  return n - 1;
}

/** Bounds on the two failures of a graph of n parties with k neighbours each. */
export function failureProbabilities(n: number, k: number): { privacy: number; completeness: number } {
  const colluding = Math.floor(n / 4);
  const dropped = Math.floor(n / 10);
  const threshold = shareThreshold(k);
  // the honest rest falls apart only where k/2 in a row on the circle are colluding or gone
  const gap = Math.exp(logChoose(n - k / 2, colluding + dropped - k / 2) - logChoose(n, colluding + dropped));
  return {
    privacy: n * (tail(n - 1, colluding, k, threshold) + gap),
    completeness: n * tail(n - 1, dropped, k, k - threshold + 1),
  };
}

/** @returns Pr[at least `least` of `draws` draws without replacement are among `marked` of `total`]. */
function tail(total: number, marked: number, draws: number, least: number): number {
  let probability = 0;
  for (let hits = least; hits <= Math.min(draws, marked); hits++)
    probability += Math.exp(
      logChoose(marked, hits) + logChoose(total - marked, draws - hits) - logChoose(total, draws),
    );
  return probability;
}

const logChoose = (n: number, k: number): number =>
  k < 0 || k > n ? -Infinity : logFactorial(n) - logFactorial(k) - logFactorial(n - k);

const logFactorials: number[] = [0];

function logFactorial(n: number): number {
  for (let i = logFactorials.length; i <= n; i++) logFactorials.push(logFactorials[i - 1]! + Math.log(i));
  return logFactorials[n]!;
}
