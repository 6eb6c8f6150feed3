import type { LogisticSums } from "./logistic-sums.ts";

/**
 * Of the multinomial log-likelihood with outcome 0 as the base.
 * @param weights - outcome after outcome but the base, intercept first, shape [(outcomes − 1) · (width + 1)].
 * @param matrix - row-major, without the intercept's column, shape [rows, width].
 * @param outcome - of each row, shape [rows].
 * @returns log-likelihood, gradient [n], and the Hessian by rows of its lower triangle [n (n + 1) / 2].
 * @see Agresti 2013, Categorical Data Analysis, 8.1.4
 */
export function multinomialSums(
  weights: Float64Array,
  matrix: Float64Array,
  width: number,
  outcome: Uint8Array,
): Pick<LogisticSums, "logLikelihood" | "gradient"> & { readonly triangle: Float64Array } {
  const n = weights.length;
  const each = width + 1;
  const others = n / each;
  const gradient = new Float64Array(n);
  const triangle = new Float64Array((n * (n + 1)) / 2);
  const row = new Float64Array(each).fill(1);
  let logLikelihood = 0;
  for (let r = 0; r < outcome.length; r++) {
    for (let j = 1, at = r * width; j < each; j++, at++) row[j] = matrix[at]!;
    const { shares, logShares } = sharesOf(weights, row, others);
    const own = outcome[r]!;
    logLikelihood += logShares[own]!;
    for (let k = 0; k < others; k++) {
      const missed = Number(own === k + 1) - shares[k + 1]!;
      for (let j = 0; j < each; j++) gradient[k * each + j]! += missed * row[j]!;
      for (let l = 0; l <= k; l++) {
        const curvature = shares[k + 1]! * (Number(k === l) - shares[l + 1]!);
        addProducts(triangle, row, curvature, k * each, l * each);
      }
    }
  }
  return { logLikelihood, gradient, triangle };
}

/** Adds curvature · x·xᵀ to the block of the lower triangle at a row and a column. */
function addProducts(
  triangle: Float64Array,
  row: Float64Array,
  curvature: number,
  top: number,
  left: number,
): void {
  for (let i = 0; i < row.length; i++) {
    const x = curvature * row[i]!;
    const at = ((top + i) * (top + i + 1)) / 2 + left;
    const last = top === left ? i : row.length - 1;
    for (let j = 0; j <= last; j++) triangle[at + j]! += x * row[j]!;
  }
}

/** @param row - with the intercept's 1 first. @returns each outcome's probability, and its logarithm; the base first. */
export function sharesOf(weights: ArrayLike<number>, row: Float64Array, others: number) {
  const logShares = new Float64Array(others + 1);
  for (let k = 0; k < others; k++) {
    let logOdds = 0;
    for (let j = 0; j < row.length; j++) logOdds += weights[k * row.length + j]! * row[j]!;
    // Beyond, a probability is 0 or 1 already.
    logShares[k + 1] = Math.max(-1e6, Math.min(1e6, logOdds));
  }
  // Exponentials of what is at most zero: they cannot overflow.
  const most = logShares.reduce((max, x) => Math.max(max, x), 0);
  const sum = logShares.reduce((total, x) => total + Math.exp(x - most), 0);
  const shares = logShares.map((x) => Math.exp(x - most) / sum);
  const log = most + Math.log(sum);
  return { shares, logShares: logShares.map((x) => x - log) };
}
