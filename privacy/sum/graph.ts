import { seededRandom, shuffle } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";

/** The identity of an enterprise in a consortium: `[a-z0-9-]+`. */
export type PartyId = string;

/** Up to here every party exchanges masks and shares with every other. */
const completeUpTo = 64;

/** Shamir's scheme over GF(2⁸) has as many coordinates: a party's closed neighbourhood is not larger. */
const mostHolders = 255;

/** Who shares with how many, and how many shares (or signatures of a neighbourhood) it takes. */
export interface GraphPlan {
  /** Neighbours of every party: n − 1 where the graph is complete. */
  readonly degree: number;
  /** T: what rebuilds a secret, and signs a survivor list, within a closed neighbourhood of degree + 1. */
  readonly threshold: number;
}

/**
 * T = max(⌈2m/3⌉, ⌊(m + c)/2⌋ + 1): two lists that T of m sign each have an honest signer in common.
 * @param neighbourhood - m: a party and all its neighbours, where c of these m may collude.
 */
export const thresholdOf = (neighbourhood: number, colluding: number): number =>
  Math.max(2, Math.ceil((2 * neighbourhood) / 3), Math.floor((neighbourhood + colluding) / 2) + 1);

/**
 * Bounds on what goes wrong in a k-regular graph of n parties, `colluding` of them with the coordinator.
 * With split views the coordinator shows one survivor list to some of a neighbourhood and another to the rest.
 *
 * - `privacy`: two lists get T signatures each of some m = k + 1 because 2T − m of these sign both; or T is met
 *   from k/2 honest neighbours, the owner and colluding ones of the other side; or the honest that stay (a
 *   tenth dropping out at random) fall apart into parts that no mask connects.
 * - `completeness`: with a tenth gone, fewer than T of some party's k neighbours are left.
 *
 * @see Bell et al. 2020, eprint 2020/704, definitions 3.2–3.4, by exact hypergeometric tails and a union bound
 */
export function graphFailures(
  n: number,
  colluding: number,
  { degree, threshold }: GraphPlan,
): { readonly privacy: number; readonly completeness: number } {
  const side = degree / 2;
  const dropped = Math.floor(n / 10);
  const twice = tail(n - 1, colluding, degree, 2 * threshold - (degree + 1));
  const oneSide = tail(n - 1, colluding, side, threshold - 1 - side);
  const lost = colluding + dropped;
  const apart = Math.exp(logChoose(n - side, lost - side) - logChoose(n, lost));
  return {
    privacy: n * (twice + oneSide + apart),
    completeness: n * tail(n - 1, dropped, degree, degree - threshold + 1),
  };
}

/**
 * Complete up to 64 members; above, the least even degree, with the least T ≥ ⌈2m/3⌉, that fails in privacy
 * with probability at most 2⁻⁴⁰ and in completeness with at most 2⁻²⁰; complete where no degree will do.
 *
 * Whoever opens its nonce last may choose between the graph it would give and none: it leaves the epoch by
 * that. So c colluding parties try c graphs at most, which multiplies the first by c.
 *
 * @param n - members of the epoch. @param colluding - c = maxColluding.
 * @returns the plan, or why there is none.
 */
export function sumGraphPlan(n: number, colluding: number): GraphPlan | Refusal {
  for (let degree = 2; n > completeUpTo && degree < Math.min(n - 1, mostHolders); degree += 2) {
    const plan = regularPlan(n, colluding, degree);
    if (plan !== undefined) return plan;
  }
  const plan = { degree: n - 1, threshold: thresholdOf(n, colluding) };
  if (n > mostHolders)
    return new Refusal(
      "cohort_too_large",
      `${n} members of which ${colluding} may collude need more than ${mostHolders} holders of each secret`,
    );
  if (n < 2 || plan.threshold > n)
    return new Refusal(
      "cohort_too_small",
      `${n} members cannot reach T = ${plan.threshold} where ${colluding} may collude`,
    );
  return plan;
}

function regularPlan(n: number, colluding: number, degree: number): GraphPlan | undefined {
  for (let threshold = Math.max(2, Math.ceil((2 * (degree + 1)) / 3)); threshold <= degree; threshold++) {
    const { privacy, completeness } = graphFailures(n, colluding, { degree, threshold });
    // a higher T is less complete yet
    if (completeness > 2 ** -20) return undefined;
    if (privacy <= 2 ** -40) return { degree, threshold };
  }
  return undefined;
}

/** Members that may fall silent without stopping a sum: min(m − T, n − minCohort). */
export const dropOutsSurvived = (n: number, { degree, threshold }: GraphPlan, minCohort: number): number =>
  Math.min(degree + 1 - threshold, n - minCohort);

/**
 * Whether a sum over these can work at all; asked when a study is proposed.
 * @param members - n: organisations of which each may take part.
 * @returns the plan, and the drop-outs that it survives: c silent friends cannot stop a sum where that is ≥ c.
 * @throws Refusal cohort_too_small, cohort_too_large
 */
export function checkFeasible(subject: {
  readonly members: number;
  readonly minCohort: number;
  readonly maxColluding: number;
}): GraphPlan & { readonly dropOuts: number } {
  const { members: n, minCohort, maxColluding: c } = subject;
  const refuse = (why: string) => new Refusal("cohort_too_small", `n = ${n}, c = ${c}: ${why}`);
  if (minCohort < c + 2) throw refuse(`minCohort is ${minCohort}, at least c + 2 = ${c + 2} is needed`);
  if (n < minCohort) throw refuse(`${n} members cannot be a cohort of minCohort = ${minCohort}`);
  const plan = sumGraphPlan(n, c);
  if (plan instanceof Refusal) throw plan;
  return { ...plan, dropOuts: dropOutsSurvived(n, plan, minCohort) };
}

/**
 * Who exchanges masks and shares with whom: everyone with everyone, or a random k-regular graph, which is each party and the k/2 next to it on either side of a circle shuffled by the seed.
 *
 * @param cohort - distinct ids, in any order.
 * @param seed - bytes that all parties derive alike, and none chose.
 * @param degree - k: even, or n − 1.
 * @returns every party's neighbours, sorted, itself left out; symmetric.
 * @throws {RangeError} if an id appears twice.
 * @see Bell et al. 2020, eprint 2020/704, section 3 (Harary graph under a random permutation)
 */
export function neighbours(
  cohort: readonly PartyId[],
  seed: Uint8Array,
  degree: number,
): ReadonlyMap<PartyId, readonly PartyId[]> {
  const sorted = [...cohort].sort();
  if (new Set(sorted).size !== sorted.length) throw new RangeError("a party is in the cohort twice");
  const n = sorted.length;
  if (degree === n - 1)
    return new Map(sorted.map((party) => [party, sorted.filter((other) => other !== party)]));
  const circle = shuffle(sorted, seededRandom(`fedcredit/graph ${Buffer.from(seed).toString("hex")}`));
  return new Map(
    circle.map((party, at) => {
      const around: PartyId[] = [];
      for (let d = 1; d <= degree / 2; d++) around.push(circle[(at + d) % n]!, circle[(at + n - d) % n]!);
      return [party, around.sort()];
    }),
  );
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
