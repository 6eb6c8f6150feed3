import type { Block, VectorLayout } from "../privacy/sum/layout.ts";
import {
  type Accumulator,
  type FixedPoint,
  joinLimbs,
  limbBlocks,
  limbsOfSum,
  splitIntoLimbs,
} from "./numerics/exact-sum.ts";

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

/** @returns what the sealed sum is told: blocks without entries leave no trace. */
export const layoutOf = (blocks: Blocks, maxRowsPerParty: number): VectorLayout => ({
  blocks: Object.entries(blocks).flatMap(([name, block]) =>
    block.length === 0 ? [] : wireBlocks(name, block, maxRowsPerParty),
  ),
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

const wireLength = (block: BlockOf): number => block.length * (block.kind === "exact" ? limbsOfSum : 1);

/** @returns the contribution as one vector, in the layout's order. */
export function encodeContribution<B extends Blocks>(blocks: B, contribution: Contribution<B>): Float64Array {
  const entries = Object.entries(blocks);
  const vector = new Float64Array(entries.reduce((length, [, block]) => length + wireLength(block), 0));
  let at = 0;
  for (const [name, block] of entries) {
    const given: readonly Accumulator[] | ArrayLike<number> = contribution[name]!;
    if (given?.length !== block.length)
      throw new RangeError(`the contribution has no ${name} of the block's length`);
    vector.set(
      block.kind === "exact"
        ? splitIntoLimbs(given as readonly Accumulator[], block.bound)
        : (given as ArrayLike<number>),
      at,
    );
    at += wireLength(block);
  }
  return vector;
}

/** @param vector - summed, in the layout's order. */
export function decodeSums<B extends Blocks>(blocks: B, vector: Float64Array): Sums<B> {
  let at = 0;
  const sums = Object.entries(blocks).map(([name, block]) => {
    const values = vector.subarray(at, at + wireLength(block));
    at += wireLength(block);
    const joined =
      block.kind === "exact"
        ? Array.from({ length: block.length }, (_, i) => joinLimbs(values, block.length, i, block.bound))
        : values;
    return [name, joined];
  });
  if (at !== vector.length) throw new RangeError("the sum does not have the blocks' length");
  return Object.fromEntries(sums) as Sums<B>;
}
