/** Newton's steps of one column's bins alone, of sums in which noise of a known variance is. */
import { Refusal } from "../core/reasons.ts";
import { type CoarseColumn, coarseBins } from "./coarse-bins.ts";
import { cholesky, dot, solveCholesky } from "./numerics/linear-algebra.ts";
import { powerOfTwo } from "./numerics/powers-of-two.ts";
import { agreed } from "./numerics/rounding.ts";

/** What was summed of a column's bins, each of shape [bins]. */
export interface ColumnSum {
  /** Σ (y − p), and noise. */
  readonly gradient: Float64Array;
  /** Σ p (1 − p). */
  readonly curvature: Float64Array;
  /** Of the gradient's noise. */
  readonly variance: number;
}

/** Penalties on the square of what neighbouring bins of a numeric column differ by, and of what a bin adds. */
export interface Penalties {
  readonly smoothness: number;
  readonly ridge: number;
}

/** @returns the symmetric matrix of the penalties, shape [bins, bins]. */
function penaltyOf({ binned, coarse }: CoarseColumn, { smoothness, ridge }: Penalties): Float64Array {
  const last = Math.max(...coarse);
  const n = last + 1;
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++) matrix[i * n + i] = ridge;
  if (binned.kind === "categorical") return matrix;
  // The last bin is of special and missing values: next to none.
  for (let i = 0; i + 1 < last; i++) {
    matrix[i * n + i]! += smoothness;
    matrix[(i + 1) * n + i + 1]! += smoothness;
    matrix[i * n + i + 1]! -= smoothness;
    matrix[(i + 1) * n + i]! -= smoothness;
  }
  return matrix;
}

function factored(matrix: Float64Array, n: number) {
  const result = cholesky(matrix, n, 1e-13);
  if (result.kind === "dependent")
    throw new Refusal("not_converged", "the bins determine no effects", { hint: "raise ridge" });
  return result;
}

/**
 * Of a sum of residuals g with curvature h and noise of a variance v, g ÷ h is right up to a variance of (v + h) ÷ h²: that
 * much is it believed, beside the penalties.
 */
function believed(column: CoarseColumn, effects: ArrayLike<number>, sum: ColumnSum, penalties: Penalties) {
  const { gradient, curvature, variance } = sum;
  const n = gradient.length;
  const penalty = penaltyOf(column, penalties);
  const matrix = penalty.slice();
  const slope = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const h = curvature[i]!;
    const belief = h > 0 ? h / (variance + h) : 0;
    matrix[i * n + i]! += belief * h;
    slope[i] = belief * gradient[i]! - dot(penalty.subarray(i * n, (i + 1) * n), effects);
  }
  return { penalty, factor: factored(matrix, n), slope };
}

/** @returns the change of each bin's effect. @throws Refusal not_converged */
export function columnStep(
  column: CoarseColumn,
  effects: ArrayLike<number>,
  sum: ColumnSum,
  penalties: Penalties,
): Float64Array {
  const { factor, slope } = believed(column, effects, sum, penalties);
  return solveCholesky(factor, slope);
}

/** Powers of two that a column's smoothness is chosen from, and what it is near unless the bins say otherwise. */
const [leastExponent, usualExponent, mostExponent] = [0, 5, 13];
/** Powers of two that it usually is away from there, as a normal distribution has it. */
const usualSpread = 2;

/**
 * @param sum - at effects of 0.
 * @returns the smoothness under which what was summed is likeliest: its marginal likelihood times the prior's.
 * @see MacKay 1992, doi:10.1162/neco.1992.4.3.415
 */
export function smoothnessOf(column: CoarseColumn, sum: ColumnSum, ridge: number): number {
  const n = coarseBins(column);
  const none = new Float64Array(n);
  /** Half the logarithm of the determinant. */
  const halfLog = ({ factor }: { readonly factor: Float64Array }): number => {
    let log = 0;
    for (let i = 0; i < n; i++) log += agreed(Math.log(factor[i * n + i]!));
    return log;
  };
  let [best, most] = [usualExponent, Number.NEGATIVE_INFINITY];
  for (let exponent = leastExponent; exponent <= mostExponent; exponent++) {
    const penalties = { smoothness: powerOfTwo(exponent), ridge };
    const { penalty, factor, slope } = believed(column, none, sum, penalties);
    const likelihood =
      halfLog(factored(penalty, n)) - halfLog(factor) + dot(slope, solveCholesky(factor, slope)) / 2;
    const away = (exponent - usualExponent) / usualSpread;
    const posterior = likelihood - (away * away) / 2;
    if (posterior > most) [best, most] = [exponent, posterior];
  }
  return powerOfTwo(best);
}
