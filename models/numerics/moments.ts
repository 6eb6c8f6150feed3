import { type FixedPoint, ratio } from "./exact-sum.ts";

/**
 * @param sum - Σx of the `present` values, in units of `unit`; `squares` Σx² likewise.
 * @returns mean, variance (divided by present − 1) and its root, right to the last digits.
 */
export function momentsOf(present: number, sum: FixedPoint, squares: FixedPoint, unit: number) {
  if (present === 0) return { mean: 0, variance: 0, standardDeviation: 0 };
  const n = BigInt(present);
  const fraction = BigInt(-sum.exponent);
  const mean = ratio(sum.units, n << fraction) * unit;
  if (present === 1) return { mean, variance: 0, standardDeviation: 0 };
  const spread = n * (squares.units << fraction) - sum.units * sum.units;
  const scaled = ratio(spread, (n * (n - 1n)) << (2n * fraction));
  const standardDeviation = Math.sqrt(Math.max(0, scaled)) * unit;
  // Below this the rounding of the squares shows, not the data: the column holds one value.
  if (standardDeviation <= 1e-13 * Math.abs(mean)) return { mean, variance: 0, standardDeviation: 0 };
  return { mean, variance: standardDeviation * standardDeviation, standardDeviation };
}
