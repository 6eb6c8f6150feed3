import type { Block, VectorLayout } from "../privacy/sum/layout.ts";
import {
  type Accumulator,
  type FixedPoint,
  joinLimbs,
  limbBlocks,
  limbsOfSum,
  splitIntoLimbs,
} from "./numerics/exact-sum.ts";
import { exponentAbove } from "./numerics/powers-of-two.ts";

/** How many rows are of a kind: each party's share is a whole number up to the study's `maxRowsPerParty`. */
export interface Count {
  readonly kind: "count";
  readonly length: number;
}

/** Numbers up to `bound` in magnitude, on a grid of `step`, a power of two. */
export interface Sum {
  readonly kind: "sum";
  readonly length: number;
  readonly bound: number;
  readonly step: number;
}

/** Numbers up to `bound`, a power of two, that keep about 100 bits on their way. */
export interface Exact {
  readonly kind: "exact";
  readonly length: number;
  readonly bound: number;
}

export type BlockOf = Count | Sum | Exact;

/** What an algorithm sums, by name. A name begins with a letter, so that the order of writing stays. */
export type Blocks = Readonly<Record<string, BlockOf>>;

export const count = (length: number): Count => ({ kind: "count", length });
export const sum = (length: number, bound: number, step: number): Sum => ({
  kind: "sum",
  length,
  bound,
  step,
});
export const exact = (length: number, bound: number): Exact => ({ kind: "exact", length, bound });

/** What one party gives to the sum, by the blocks' names. */
export type Contribution<B extends Blocks> = {
  readonly [Name in keyof B]: B[Name] extends Exact ? readonly Accumulator[] : ArrayLike<number>;
};

/** The sums over all parties, by the blocks' names. */
export type Sums<B extends Blocks> = {
  readonly [Name in keyof B]: B[Name] extends Exact ? readonly FixedPoint[] : Float64Array;
};

/** By block, the spacing of the grid that noise is added on; undefined where none is. */
export type NoiseSteps = Readonly<Record<string, number>> | undefined;

/** @returns what the sealed sum is told: blocks without entries leave no trace. */
export const layoutOf = (blocks: Blocks, maxRowsPerParty: number, steps?: NoiseSteps): VectorLayout => ({
  blocks: Object.entries(blocks).flatMap(([name, block]) => {
    if (block.length === 0) return [];
    if (steps === undefined) return wireBlocks(name, block, maxRowsPerParty);
    const step = steps[name]!;
    const bound = Math.max(block.kind === "count" ? maxRowsPerParty : block.bound, step);
    return [{ name, length: block.length, bound, step }];
  }),
});

function wireBlocks(name: string, block: BlockOf, maxRowsPerParty: number): Block[] {
  switch (block.kind) {
    case "count":
      return [{ name, length: block.length, bound: maxRowsPerParty, step: 1 }];
    case "sum":
      return [{ name, length: block.length, bound: block.bound, step: block.step }];
    case "exact":
      return limbBlocks(name, block.length, block.bound);
  }
}

/** Noise leaves nothing of an exact sum's last bits: it travels as an ordinary one then. */
const wireLength = (block: BlockOf, steps: NoiseSteps): number =>
  block.length * (block.kind === "exact" && steps === undefined ? limbsOfSum : 1);

/** @returns the contribution as one vector, in the layout's order. */
export function encodeContribution<B extends Blocks>(
  blocks: B,
  contribution: Contribution<B>,
  steps?: NoiseSteps,
): Float64Array {
  const entries = Object.entries(blocks);
  const lengths = entries.map(([, block]) => wireLength(block, steps));
  const vector = new Float64Array(lengths.reduce((length, own) => length + own, 0));
  let at = 0;
  for (const [name, block] of entries) {
    const given: readonly Accumulator[] | ArrayLike<number> = contribution[name]!;
    if (given?.length !== block.length)
      throw new RangeError(`the contribution has no ${name} of the block's length`);
    vector.set(wireValues(block, given, steps), at);
    at += wireLength(block, steps);
  }
  return vector;
}

function wireValues(
  block: BlockOf,
  given: readonly Accumulator[] | ArrayLike<number>,
  steps: NoiseSteps,
): ArrayLike<number> {
  if (block.kind !== "exact") return given as ArrayLike<number>;
  const sums = given as readonly Accumulator[];
  return steps === undefined ? splitIntoLimbs(sums, block.bound) : sums.map(({ high, low }) => high + low);
}

/**
 * Counts that noise was added to are whole numbers again, of which some may be negative.
 * @param vector - summed, in the layout's order.
 */
export function decodeSums<B extends Blocks>(blocks: B, vector: Float64Array, steps?: NoiseSteps): Sums<B> {
  let at = 0;
  const sums = Object.entries(blocks).map(([name, block]) => {
    const length = wireLength(block, steps);
    const values = vector.subarray(at, at + length);
    at += length;
    return [name, sumOf(name, block, values, steps)];
  });
  if (at !== vector.length) throw new RangeError("the sum does not have the blocks' length");
  return Object.fromEntries(sums) as Sums<B>;
}

function sumOf(
  name: string,
  block: BlockOf,
  values: Float64Array,
  steps: NoiseSteps,
): readonly FixedPoint[] | Float64Array {
  switch (block.kind) {
    case "exact": {
      if (steps === undefined)
        return Array.from({ length: block.length }, (_, i) =>
          joinLimbs(values, block.length, i, block.bound),
        );
      const step = steps[name] ?? 1;
      return Array.from(values, (x) => ({
        units: BigInt(Math.round(x / step)),
        exponent: exponentAbove(step),
      }));
    }
    case "count":
      return steps === undefined ? values : values.map((x) => Math.round(x) + 0);
    case "sum":
      return values;
  }
}
