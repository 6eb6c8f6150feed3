import test from "ava";
import fc from "fast-check";
import { seededRandom, uniform } from "../../../core/random.ts";
import { cholesky, invertCholesky, invertedBand } from "../../../models/numerics/linear-algebra.ts";

/** @returns Σ xxᵀ over more rows than columns. */
function products(n: number, seed: string): Float64Array {
  const random = seededRandom(seed);
  const matrix = new Float64Array(n * n);
  for (let row = 0; row < 2 * n + 1; row++) {
    const x = Array.from({ length: n }, () => uniform(random) - 0.5);
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) matrix[i * n + j]! += x[i]! * x[j]!;
  }
  return matrix;
}

/** One entry after the other, each as its formula says. */
function plainFactor(matrix: Float64Array, n: number): Float64Array {
  const factor = new Float64Array(n * n);
  for (let j = 0; j < n; j++)
    for (let k = 0; k <= j; k++) {
      let x = matrix[j * n + k]!;
      for (let i = 0; i < k; i++) x -= factor[j * n + i]! * factor[k * n + i]!;
      factor[j * n + k] = k === j ? Math.sqrt(x) : x / factor[k * n + k]!;
    }
  return factor;
}

const sizes = fc.tuple(fc.integer({ min: 1, max: 23 }), fc.string());

test("a factor is that of its formula, to the last bit, however many entries are worked on at once", (t) => {
  fc.assert(
    fc.property(sizes, ([n, seed]) => {
      const matrix = products(n, seed);
      const factored = cholesky(matrix, n, 1e-13);
      t.deepEqual(factored, { kind: "factor", factor: plainFactor(matrix, n), n });
    }),
  );
});

test("the inverse's band is the inverse's", (t) => {
  fc.assert(
    fc.property(sizes, ([n, seed]) => {
      const factored = { factor: plainFactor(products(n, seed), n), n };
      const inverse = invertCholesky(factored);
      const { diagonal, beside } = invertedBand(factored);
      for (let i = 0; i < n; i++) {
        const near = (x: number, expected: number) =>
          t.true(Math.abs(x - expected) <= 1e-6 * Math.abs(inverse[i * n + i]!), `${x}, not ${expected}`);
        near(diagonal[i]!, inverse[i * n + i]!);
        if (i > 0) near(beside[i - 1]!, inverse[i * n + i - 1]!);
      }
    }),
  );
});
