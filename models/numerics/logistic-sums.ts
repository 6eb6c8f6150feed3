import { dot } from "./linear-algebra.ts";

export interface LogisticSums {
  readonly rows: number;
  readonly logLikelihood: number;
  /** ∂ log-likelihood / ∂ weights, shape [n]. */
  readonly gradient: Float64Array;
  /** −∂² log-likelihood, row-major, lower triangle, shape [n, n]. */
  readonly hessian: Float64Array;
}

/** Rows whose products are added to the Hessian together: one pass over it instead of four. */
const rowsAtOnce = 4;

/** Rows in order: all at once, or in parts of which all but the last have a multiple of four. */
export interface LabelledRows {
  /** Row-major, without the intercept's column, shape [rows, n - 1]. */
  readonly matrix: Float64Array;
  readonly label: Uint8Array;
}

/**
 * @param weights - intercept first, shape [n].
 * @returns log-likelihood, gradient [n], and the Hessian by rows of its lower triangle [n (n + 1) / 2]: to the last bit
 *   the same, however the rows are cut into parts.
 */
export function sumsAt(weights: Float64Array, parts: Iterable<LabelledRows>) {
  const n = weights.length;
  const gradient = new Float64Array(n);
  const triangle = new Float64Array((n * (n + 1)) / 2);
  let logLikelihood = 0;
  const rows = Array.from({ length: rowsAtOnce }, () => new Float64Array(n).fill(1));
  const curvatures = new Float64Array(rowsAtOnce);
  for (const { matrix, label } of parts) {
    for (let first = 0; first < label.length; first += rowsAtOnce) {
      curvatures.fill(0);
      for (let i = 0; i < Math.min(rowsAtOnce, label.length - first); i++) {
        const row = rows[i]!;
        for (let j = 1, at = (first + i) * (n - 1); j < n; j++, at++) row[j] = matrix[at]!;
        const logOdds = dot(weights, row);
        const bad = label[first + i] === 1;
        // Written with the exponential of a negative number only: it cannot overflow.
        const decay = Math.exp(-Math.abs(logOdds));
        logLikelihood += Math.min(bad ? logOdds : -logOdds, 0) - Math.log1p(decay);
        const sum = 1 + decay;
        const missed = (logOdds >= 0 === bad ? decay : 1) / sum;
        const residual = bad ? missed : -missed;
        for (let j = 0; j < n; j++) gradient[j]! += residual * row[j]!;
        curvatures[i] = decay / (sum * sum);
      }
      addProducts(triangle, rows, curvatures);
    }
  }
  return { logLikelihood, gradient, triangle };
}

/** Adds Σ curvature · x·xᵀ of four rows to a lower triangle, two lines of it at a time: each row is read half as often. */
function addProducts(hessian: Float64Array, rows: readonly Float64Array[], curvatures: Float64Array): void {
  const [x0, x1, x2, x3] = rows as readonly [Float64Array, Float64Array, Float64Array, Float64Array];
  const [k0, k1, k2, k3] = curvatures as unknown as readonly [number, number, number, number];
  const n = x0.length;
  for (let i = 0, at = 0; i < n; i += 2) {
    const c0 = k0 * x0[i]!;
    const c1 = k1 * x1[i]!;
    const c2 = k2 * x2[i]!;
    const c3 = k3 * x3[i]!;
    const below = at + i + 1;
    if (i + 1 === n) {
      for (let j = 0; j <= i; j++)
        hessian[at + j]! += c0 * x0[j]! + c1 * x1[j]! + (c2 * x2[j]! + c3 * x3[j]!);
      return;
    }
    const d0 = k0 * x0[i + 1]!;
    const d1 = k1 * x1[i + 1]!;
    const d2 = k2 * x2[i + 1]!;
    const d3 = k3 * x3[i + 1]!;
    for (let j = 0; j <= i; j++) {
      const a = x0[j]!;
      const b = x1[j]!;
      const c = x2[j]!;
      const d = x3[j]!;
      hessian[at + j]! += c0 * a + c1 * b + (c2 * c + c3 * d);
      hessian[below + j]! += d0 * a + d1 * b + (d2 * c + d3 * d);
    }
    hessian[below + i + 1]! += d0 * x0[i + 1]! + d1 * x1[i + 1]! + (d2 * x2[i + 1]! + d3 * x3[i + 1]!);
    at = below + i + 2;
  }
}

/** @returns 1 / (1 + e⁻ˣ). */
export function probabilityOf(logOdds: number): number {
  const decay = Math.exp(-Math.abs(logOdds));
  return (logOdds >= 0 ? 1 : decay) / (1 + decay);
}

/** The most that (y − p, 4 p (1 − p)) measures, squared: (1 − p)² + 16 p² (1 − p)² is largest near p = 0.427. */
export const mostOfResidualAndWeight = 1.2863;
