/** What noise a manifest asks for under a sum: the grid it is drawn on, and the terms that every header repeats. */
import { Refusal } from "../core/reasons.ts";
import { maxVariance } from "../privacy/noise/discrete-gaussian.ts";
import { type NoiseTerms, roundingVariance } from "../privacy/sum/noise-terms.ts";
import type { BlockOf, Blocks } from "./blocks.ts";

/** What one record does to a sum. */
export interface Reach {
  /** L2 norm, by block, of the most that one record changes by being there or not. */
  readonly sensitivity: Readonly<Record<string, number>>;
  /** L2 norm of what one record changes in all blocks, each in units of its sensitivity. */
  readonly joint: number;
  /** Probability with which each record is in the sum. */
  readonly samplingRate: number;
}

/** What the manifest says of one algorithm's sums. */
export interface NoiseDemand {
  /** Standard deviation that honest enterprises reach, over the most that one unit changes. */
  readonly multiplier: number;
  /** Rows that one unit has at most. */
  readonly rowsPerUnit: number;
  readonly colluding: number;
  readonly dropOuts: number;
}

/** Steps of the grid in one standard deviation, at least: what rounding noise to it costs is then below 0.02 %. */
const leastSteps = 2 ** 8;
/** Steps in Δ/√d, at least: that each party rounds its own sum adds one step in each of d entries. */
const leastRounding = 2 ** 10;

/** A block with noise: how it is rounded and what is added. */
interface Noisy {
  readonly step: number;
  /** Of one unit, rounding included, in steps. */
  readonly sensitivity: number;
  readonly variance: number;
}

/**
 * @param blocks - with entries.
 * @returns by block the step of its grid, and the terms in the blocks' order.
 * @throws Refusal layout_overflow where no grid is fine enough.
 */
export function noiseFor(
  blocks: Blocks,
  { sensitivity, joint, samplingRate }: Reach,
  { multiplier, rowsPerUnit, colluding, dropOuts }: NoiseDemand,
): { readonly steps: Readonly<Record<string, number>>; readonly terms: NoiseTerms } {
  const noisy = Object.entries(blocks)
    .filter(([, block]) => block.length > 0)
    .map(([name, block]) => {
      const reach = sensitivity[name]! * rowsPerUnit;
      return [name, noisyBlock(name, block, reach, multiplier * joint)] as const;
    });
  // Each block's own ratio is at most 1 / (multiplier · joint).
  const ratio = Math.max(
    ...noisy.map(([, { sensitivity: of, variance }]) => of / Math.sqrt(variance - roundingVariance)),
  );
  return {
    steps: Object.fromEntries(noisy.map(([name, { step }]) => [name, step])),
    terms: {
      colluding,
      dropOuts,
      samplingRate: unitRate(samplingRate, rowsPerUnit),
      sensitivity: joint * ratio,
      variances: noisy.map(([, { variance }]) => variance),
    },
  };
}

/**
 * Of a unit's rows, each of which is drawn on its own, any is with this probability at most: all of them are then counted.
 */
export const unitRate = (samplingRate: number, rowsPerUnit: number): number =>
  Math.min(1, samplingRate * rowsPerUnit);

/** The coarsest grid that is fine enough; whole numbers stay whole on it. */
function noisyBlock(name: string, block: BlockOf, reach: number, deviations: number): Noisy {
  if (!(reach > 0)) throw new RangeError(`${name}: a block with noise has a sensitivity`);
  const isWhole = block.kind === "count";
  const roots = Math.sqrt(block.length);
  const isFine = (step: number): boolean =>
    reach * deviations >= leastSteps * step && (isWhole || reach >= leastRounding * roots * step);
  let step = 1;
  while (!isWhole && isFine(2 * step)) step *= 2;
  while (!isFine(step)) step /= 2;
  const sensitivity = reach / step + (isWhole ? 0 : roots);
  const deviation = sensitivity * deviations;
  const variance = Math.ceil(deviation * deviation) + roundingVariance;
  if (!(variance <= maxVariance))
    throw new Refusal(
      "layout_overflow",
      `${name}: noise of ${deviation.toPrecision(3)} steps is more than can be drawn`,
      {
        hint: "take less noise, or fewer columns",
      },
    );
  return { step, sensitivity, variance };
}
