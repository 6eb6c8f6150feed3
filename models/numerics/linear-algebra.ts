/** Dense symmetric algebra on row-major Float64Arrays of shape [n, n]: what a Newton step needs. */

/** A lower-triangular Cholesky factor, or the first column that depends on those before it. */
export type Cholesky =
  | { readonly kind: "factor"; readonly factor: Float64Array; readonly n: number }
  | {
      readonly kind: "dependent";
      readonly column: number;
      /** Weights of the columns before it that make it up. */
      readonly weights: Float64Array;
    };

/**
 * @param matrix - symmetric, only the lower triangle is read.
 * @param tolerance - a pivot below tolerance × its diagonal entry counts as zero.
 */
export function cholesky(matrix: Float64Array, n: number, tolerance: number): Cholesky {
  const factor = new Float64Array(n * n);
  for (let j = 0; j < n; j++) {
    const line = j * n;
    let k = 0;
    // Four at a time, each in the same order as by itself.
    for (; k + 4 <= j; k += 4) {
      const [k0, k1, k2, k3] = [k * n, (k + 1) * n, (k + 2) * n, (k + 3) * n];
      let x0 = matrix[line + k]!;
      let x1 = matrix[line + k + 1]!;
      let x2 = matrix[line + k + 2]!;
      let x3 = matrix[line + k + 3]!;
      for (let i = 0; i < k; i++) {
        const own = factor[line + i]!;
        x0 -= own * factor[k0 + i]!;
        x1 -= own * factor[k1 + i]!;
        x2 -= own * factor[k2 + i]!;
        x3 -= own * factor[k3 + i]!;
      }
      x0 /= factor[k0 + k]!;
      x1 -= x0 * factor[k1 + k]!;
      x1 /= factor[k1 + k + 1]!;
      x2 -= x0 * factor[k2 + k]!;
      x2 -= x1 * factor[k2 + k + 1]!;
      x2 /= factor[k2 + k + 2]!;
      x3 -= x0 * factor[k3 + k]!;
      x3 -= x1 * factor[k3 + k + 1]!;
      x3 -= x2 * factor[k3 + k + 2]!;
      x3 /= factor[k3 + k + 3]!;
      factor[line + k] = x0;
      factor[line + k + 1] = x1;
      factor[line + k + 2] = x2;
      factor[line + k + 3] = x3;
    }
    for (; k < j; k++) {
      let x = matrix[line + k]!;
      for (let i = 0; i < k; i++) x -= factor[line + i]! * factor[k * n + i]!;
      factor[line + k] = x / factor[k * n + k]!;
    }
    let pivot = matrix[j * n + j]!;
    for (let i = 0; i < j; i++) pivot -= factor[j * n + i]! * factor[j * n + i]!;
    if (!(pivot > tolerance * matrix[j * n + j]!)) {
      const weights = factor.slice(j * n, j * n + j);
      for (let i = j - 1; i >= 0; i--) {
        for (let k = i + 1; k < j; k++) weights[i]! -= factor[k * n + i]! * weights[k]!;
        weights[i]! /= factor[i * n + i]!;
      }
      return { kind: "dependent", column: j, weights };
    }
    factor[j * n + j] = Math.sqrt(pivot);
  }
  return { kind: "factor", factor, n };
}

/** A column that follows from columns before it which do not themselves. */
export interface Dependence {
  readonly column: number;
  /** Of each column before it, 0 where that one follows from others: shape [column]. */
  readonly weights: Float64Array;
}

/**
 * Goes through the columns in their order and keeps each that adds something to those kept before it: R's `lm` and
 * `glm` alias the others ("limited pivoting").
 * @param matrix - symmetric, Σxxᵀ of the columns or any such sum with positive weights; its lower triangle is read.
 * @param tolerance - a column of which less than this share of its diagonal entry is left follows from the others.
 */
export function dependences(matrix: Float64Array, n: number, tolerance: number): Dependence[] {
  const factor = new Float64Array(n * n);
  const found: Dependence[] = [];
  const isFound = new Uint8Array(n);
  for (let j = 0; j < n; j++) {
    let pivot = matrix[j * n + j]!;
    for (let k = 0; k < j; k++) {
      if (isFound[k] === 1) continue;
      let x = matrix[j * n + k]!;
      for (let i = 0; i < k; i++) x -= factor[j * n + i]! * factor[k * n + i]!;
      x /= factor[k * n + k]!;
      factor[j * n + k] = x;
      pivot -= x * x;
    }
    if (pivot > tolerance * matrix[j * n + j]!) {
      factor[j * n + j] = Math.sqrt(pivot);
      continue;
    }
    const weights = factor.slice(j * n, j * n + j);
    for (let i = j - 1; i >= 0; i--) {
      if (isFound[i] === 1) continue;
      for (let k = i + 1; k < j; k++) weights[i]! -= factor[k * n + i]! * weights[k]!;
      weights[i]! /= factor[i * n + i]!;
    }
    factor.fill(0, j * n, j * n + j);
    isFound[j] = 1;
    found.push({ column: j, weights });
  }
  return found;
}

/** @returns x with L·Lᵀ·x = b, shape [n]. */
export function solveCholesky(
  { factor, n }: { readonly factor: Float64Array; readonly n: number },
  b: Float64Array,
): Float64Array {
  const x = b.slice();
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i]! -= factor[i * n + k]! * x[k]!;
    x[i]! /= factor[i * n + i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i]! -= factor[k * n + i]! * x[k]!;
    x[i]! /= factor[i * n + i]!;
  }
  return x;
}

/** @returns (L·Lᵀ)⁻¹, shape [n, n]. */
export function invertCholesky(factored: {
  readonly factor: Float64Array;
  readonly n: number;
}): Float64Array {
  const { n } = factored;
  const inverse = new Float64Array(n * n);
  for (let j = 0; j < n; j++) {
    const unit = new Float64Array(n);
    unit[j] = 1;
    const column = solveCholesky(factored, unit);
    for (let i = 0; i < n; i++) inverse[i * n + j] = column[i]!;
  }
  return inverse;
}

/** @returns of (L·Lᵀ)⁻¹ the diagonal, and the entries next to it, the first of them that of rows 0 and 1. */
export function invertedBand({ factor, n }: { readonly factor: Float64Array; readonly n: number }): {
  readonly diagonal: Float64Array;
  readonly beside: Float64Array;
} {
  const [diagonal, beside] = [new Float64Array(n), new Float64Array(n)];
  // L⁻¹, of which only the lower triangle is not 0.
  const inverse = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    inverse[i * n + i] = 1;
    let k = 0;
    // Four lines at a time, each entry in the same order as by one: where a line has ended, there are zeros.
    for (; k + 4 <= i; k += 4) {
      const [w0, w1] = [factor[i * n + k]!, factor[i * n + k + 1]!];
      const [w2, w3] = [factor[i * n + k + 2]!, factor[i * n + k + 3]!];
      const [k0, k1, k2, k3] = [k * n, (k + 1) * n, (k + 2) * n, (k + 3) * n];
      for (let j = 0; j <= k + 3; j++) {
        let entry = inverse[i * n + j]!;
        entry -= w0 * inverse[k0 + j]!;
        entry -= w1 * inverse[k1 + j]!;
        entry -= w2 * inverse[k2 + j]!;
        entry -= w3 * inverse[k3 + j]!;
        inverse[i * n + j] = entry;
      }
    }
    for (; k < i; k++) {
      const weight = factor[i * n + k]!;
      for (let j = 0; j <= k; j++) inverse[i * n + j]! -= weight * inverse[k * n + j]!;
    }
    for (let j = 0; j <= i; j++) {
      inverse[i * n + j]! /= factor[i * n + i]!;
      const entry = inverse[i * n + j]!;
      diagonal[j]! += entry * entry;
      if (j > 0) beside[j - 1]! += inverse[i * n + j - 1]! * entry;
    }
  }
  return { diagonal, beside };
}

/** @returns Σ a·b. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
