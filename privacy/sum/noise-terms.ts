/** What a header says of the noise under its sum, and what follows from it: variances, survivors, room in the digits. */
import { z } from "zod";
import { Refusal } from "../../core/reasons.ts";
import { maxVariance } from "../noise/discrete-gaussian.ts";
import type { PrivacyEvent } from "../noise/event.ts";
import { type Packing, planPacking, type VectorLayout } from "./layout.ts";

/**
 * A discrete Gaussian of variance σ² steps² is, but for a factor of 1 ± 2⁻²⁵⁰, a continuous one of variance σ² − 9 that
 * was rounded by a draw of variance 9; so is a sum of discrete ones, each of variance 18 at least. What follows from
 * data and continuous noise tells no more by being rounded, so that the accountant's formulas hold for σ² − 9.
 * @see Micciancio, Regev 2007, SIAM J. Comput. 37(1), lemma 3.3; Peikert 2010, theorem 3.1
 */
export const roundingVariance = 9;
const leastPartVariance = 18;

export const noiseTermsSchema = z.strictObject({
  colluding: z.int().min(0).describe("survivors whose noise does not count"),
  dropOuts: z.int().min(0).describe("members of the cohort that may be missing"),
  samplingRate: z
    .number()
    .positive()
    .max(1)
    .describe("probability with which each unit is in the sum; 1 where all are"),
  sensitivity: z
    .number()
    .positive()
    .describe(
      "L2 norm of the most that one unit changes in all entries, rounding included, each in units of the standard deviation that the accountant counts with",
    ),
  variances: z
    .array(z.int().min(leastPartVariance).max(maxVariance))
    .min(1)
    .describe("of each block of the layout: what honest survivors alone reach, in squared steps of its grid"),
});

export type NoiseTerms = z.infer<typeof noiseTermsSchema>;

/** What of a header says how its noise is shared out. */
export interface NoisyHeader {
  readonly cohort: readonly string[];
  readonly minCohort: number;
  readonly follows: object | null;
  readonly noise?: NoiseTerms | undefined;
}
type WithTerms = NoisyHeader & { readonly noise: NoiseTerms };

export const isNoisy = <Header extends NoisyHeader>(header: Header): header is Header & WithTerms =>
  header.noise !== undefined;

/**
 * What a sum with noise costs. Vectors that are summed again are of the rows that were drawn the first time: who knows the
 * first sum may know that a unit was drawn, so that the second is counted as if every one had been.
 */
export const eventOf = (
  { noise: { samplingRate, sensitivity }, follows }: Pick<WithTerms, "noise" | "follows">,
  unit: PrivacyEvent["unit"],
): PrivacyEvent => ({
  mechanism: "gaussian",
  unit,
  sensitivity,
  sigma: 1,
  samplingRate: follows === null ? samplingRate : 1,
  count: 1,
});

/** @returns how few parties a sum may count: with fewer, honest ones would not reach σ². Vectors summed again need all. */
export function leastSurvivors({ cohort, minCohort, follows, noise }: NoisyHeader): number {
  if (noise === undefined) return 1;
  return follows === null ? Math.max(minCohort, cohort.length - noise.dropOuts) : cohort.length;
}

/** @throws Refusal cohort_too_small where nobody is left whose noise counts */
export function checkNoise(header: NoisyHeader): void {
  if (!isNoisy(header)) return;
  const least = leastSurvivors(header);
  if (least <= header.noise.colluding)
    throw new Refusal("cohort_too_small", `of ${least} survivors ${header.noise.colluding} may collude`);
}

/** @returns the variance that each of so many survivors keeps, by block. */
const keptVariances = ({ variances, colluding }: NoiseTerms, survivors: number): number[] =>
  variances.map((variance) => Math.max(leastPartVariance, Math.ceil(variance / (survivors - colluding))));

/**
 * @returns the variances of a party's parts by block: first what it keeps where the whole cohort survives, then what each
 *   further member that is missing takes.
 */
export function partVariances(header: WithTerms): readonly (readonly number[])[] {
  checkNoise(header);
  const { cohort, noise } = header;
  const parts: number[][] = [];
  let before = noise.variances.map(() => 0);
  for (let survivors = cohort.length; survivors >= leastSurvivors(header); survivors--) {
    const all = keptVariances(noise, survivors).map((kept, b) =>
      Math.max(kept, before[b]! + (parts.length === 0 ? 0 : leastPartVariance)),
    );
    parts.push(all.map((kept, b) => kept - before[b]!));
    before = all;
  }
  return parts;
}

/** @returns how many parts, the last ones, each party reveals where so many survived. */
export const excessParts = (header: NoisyHeader, survivors: number): number =>
  isNoisy(header) ? survivors - leastSurvivors(header) : 0;

/** @returns whether a party commits to parts of its noise that it may have to reveal. */
export const mayReveal = (header: NoisyHeader): boolean => excessParts(header, header.cohort.length) > 0;

/** Standard deviations of a party's whole noise that its digits have room for: beyond lies 2·10⁻²³. */
const roomDeviations = 10;

/** @returns how vectors of this header lie in slots, noise and its tails included. @throws Refusal layout_overflow */
export function packingOf(header: NoisyHeader & { readonly layout: VectorLayout }): Packing {
  const { layout, cohort } = header;
  if (!isNoisy(header)) return planPacking(layout, cohort.length);
  const parts = partVariances(header);
  const room = header.noise.variances.map((_, b) =>
    Math.ceil(roomDeviations * Math.sqrt(parts.reduce((sum, variances) => sum + variances[b]!, 0))),
  );
  return planPacking(layout, cohort.length, room);
}
