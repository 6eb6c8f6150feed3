import type { Block } from "../../privacy/sum/layout.ts";
import { exponentAbove, powerOfTwo } from "./powers-of-two.ts";

/**
 * Sums that keep about 100 bits on their way through the sealed sum, so that Σx² − (Σx)²/n does not
 * cancel. A party accumulates in double-double (Dekker 1971, Knuth TAOCP 4.2.2) and splits the result
 * into three entries of 40 bits; the bank joins the three sums as one integer.
 */
const limbBits = 40;
/** Entries that one exact sum travels as. */
export const limbsOfSum = 3;

/** A running sum high + low, |low| at most half an ulp of high. */
export interface Accumulator {
  high: number;
  low: number;
}

/** Adds x. */
export function accumulate(sum: Accumulator, x: number): void {
  addPair(sum, x, 0);
}

/** Adds x², exact to the last bit before it is added. |x| < 2^480. */
export function accumulateSquare(sum: Accumulator, x: number): void {
  accumulateProduct(sum, x, x);
}

/** Adds x·y, exact to the last bit before it is added. |x| and |y| < 2^480. */
export function accumulateProduct(sum: Accumulator, x: number, y: number): void {
  const product = x * y;
  const [xTop, yTop] = [topOf(x), topOf(y)];
  const [xRest, yRest] = [x - xTop, y - yTop];
  addPair(sum, product, xTop * yTop - product + (xTop * yRest + xRest * yTop) + xRest * yRest);
}

/** @returns the upper half of a number's bits. */
function topOf(x: number): number {
  const scaled = 134217729 * x;
  return scaled - (scaled - x);
}

function addPair(sum: Accumulator, x: number, error: number): void {
  const total = sum.high + x;
  const back = total - sum.high;
  const low = sum.low + (sum.high - (total - back) + (x - back)) + error;
  sum.high = total + low;
  sum.low = low - (sum.high - total);
}

/** @returns the spacing of limb `limb` of sums up to `bound`, a power of two. */
const stepOf = (bound: number, limb: number): number => bound * powerOfTwo(-limbBits * (limb + 1));

/** @returns three blocks of `length` entries each for sums of magnitude up to `bound`, a power of two. */
export const limbBlocks = (name: string, length: number, bound: number): Block[] =>
  Array.from({ length: limbsOfSum }, (_, limb) => ({
    name: `${name}.${limb}`,
    length,
    bound: limb === 0 ? bound : stepOf(bound, limb - 1),
    step: stepOf(bound, limb),
  }));

/** @returns the sums as limbs, block after block, shape [3 · sums.length]. */
export function splitIntoLimbs(sums: readonly Accumulator[], bound: number): Float64Array {
  const out = new Float64Array(limbsOfSum * sums.length);
  for (const [i, sum] of sums.entries()) {
    const rest = { ...sum };
    for (let limb = 0; limb < limbsOfSum; limb++) {
      const step = stepOf(bound, limb);
      const part = Math.round(rest.high / step) * step;
      out[limb * sums.length + i] = part;
      addPair(rest, -part, 0);
    }
  }
  return out;
}

/** An exact number: units · 2^exponent. */
export interface FixedPoint {
  readonly units: bigint;
  readonly exponent: number;
}

/** @returns entry `i` of `length` sums from the summed limbs of {@link splitIntoLimbs}. */
export function joinLimbs(values: Float64Array, length: number, i: number, bound: number): FixedPoint {
  let units = 0n;
  for (let limb = 0; limb < limbsOfSum; limb++)
    units = (units << BigInt(limbBits)) + BigInt(values[limb * length + i]! / stepOf(bound, limb));
  return { units, exponent: exponentAbove(stepOf(bound, limbsOfSum - 1)) };
}

/** @returns numerator / denominator, correct to about one unit in the last place; denominator > 0. */
export function ratio(numerator: bigint, denominator: bigint): number {
  const shift = Math.max(0, bitLength(denominator) - bitLength(numerator) + 64);
  return Number((numerator << BigInt(shift)) / denominator) * powerOfTwo(-shift);
}

const bitLength = (x: bigint): number => (x < 0n ? -x : x).toString(2).length;
