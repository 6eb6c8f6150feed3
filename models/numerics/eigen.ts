/** Eigenvalues with their vectors, of a symmetric matrix. */
export interface Eigen {
  /** Shape [n]. */
  readonly values: Float64Array;
  /** One a column: row-major, shape [n, n]. */
  readonly vectors: Float64Array;
}

const mostSweeps = 60;

/**
 * Cyclic Jacobi rotations: + − × ÷ √ alone, so that every machine finds the same.
 * @param matrix - symmetric, row-major, shape [n, n]; not modified.
 * @see Golub and Van Loan 2013, Matrix Computations, 8.5
 */
export function eigenOf(matrix: Float64Array, n: number): Eigen {
  const a = matrix.slice();
  const vectors = new Float64Array(n * n);
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1;
  const size = a.reduce((sum, x) => sum + x * x, 0);
  for (let sweep = 0; sweep < mostSweeps; sweep++) {
    let off = 0;
    for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) off += a[i * n + j]! ** 2;
    if (!(off > 1e-28 * size)) break;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(a, vectors, n, p, q);
  }
  return { values: Float64Array.from({ length: n }, (_, i) => a[i * n + i]!), vectors };
}

/** Brings the entry at (p, q) to 0. */
function rotate(a: Float64Array, vectors: Float64Array, n: number, p: number, q: number): void {
  const apart = a[p * n + q]!;
  if (apart === 0) return;
  const theta = (a[q * n + q]! - a[p * n + p]!) / (2 * apart);
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (let k = 0; k < n; k++) {
    const [x, y] = [a[k * n + p]!, a[k * n + q]!];
    a[k * n + p] = c * x - s * y;
    a[k * n + q] = s * x + c * y;
  }
  for (let k = 0; k < n; k++) {
    const [x, y] = [a[p * n + k]!, a[q * n + k]!];
    a[p * n + k] = c * x - s * y;
    a[q * n + k] = s * x + c * y;
    const [v, w] = [vectors[k * n + p]!, vectors[k * n + q]!];
    vectors[k * n + p] = c * v - s * w;
    vectors[k * n + q] = s * v + c * w;
  }
}

/**
 * Solves with a symmetric matrix of which noise may have left directions without curvature, or with less than none.
 * @param floor - least eigenvalue that is believed: smaller ones are raised to it. Above 0.
 * @returns x with M·x = b, where M is the matrix with its eigenvalues raised; shape [n].
 */
export function solveFloored(matrix: Float64Array, b: Float64Array, floor: number): Float64Array {
  if (!(floor > 0)) throw new RangeError("floor must be > 0");
  const n = b.length;
  const { values, vectors } = eigenOf(matrix, n);
  const x = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    let along = 0;
    for (let i = 0; i < n; i++) along += vectors[i * n + k]! * b[i]!;
    along /= Math.max(floor, values[k]!);
    for (let i = 0; i < n; i++) x[i]! += along * vectors[i * n + k]!;
  }
  return x;
}
