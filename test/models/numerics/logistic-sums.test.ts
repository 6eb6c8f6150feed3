import test from "ava";
import { seededRandom, uniform } from "../../../core/random.ts";
import { sumsAt } from "../../../models/numerics/logistic-sums.ts";

const random = seededRandom("logistic sums");
const draw = (): number => 4 * uniform(random) - 2;

for (const n of [1, 2, 3, 4, 7])
  test(`gradient and Hessian of ${n} weights are the sums over rows, to the last bit the same in parts`, (t) => {
    const rows = 19;
    const weights = Float64Array.from({ length: n }, draw);
    const matrix = Float64Array.from({ length: rows * (n - 1) }, draw);
    const label = Uint8Array.from({ length: rows }, () => Number(uniform(random) < 0.5));
    const near = (got: number, wanted: number): void => {
      t.true(Math.abs(got - wanted) < 1e-12 * rows);
    };
    const { logLikelihood, gradient, triangle } = sumsAt(weights, [{ matrix, label }]);
    const x = Array.from(label, (_, r) => [1, ...matrix.subarray(r * (n - 1), (r + 1) * (n - 1))]);
    const p = x.map((row) => 1 / (1 + Math.exp(-row.reduce((sum, v, j) => sum + v * weights[j]!, 0))));
    const sumOf = (term: (row: readonly number[], r: number) => number): number =>
      x.reduce((sum, row, r) => sum + term(row, r), 0);
    near(
      logLikelihood,
      sumOf((_, r) => Math.log(label[r] === 1 ? p[r]! : 1 - p[r]!)),
    );
    for (let i = 0, at = 0; i < n; i++) {
      near(
        gradient[i]!,
        sumOf((row, r) => (label[r]! - p[r]!) * row[i]!),
      );
      for (let j = 0; j <= i; j++, at++)
        near(
          triangle[at]!,
          sumOf((row, r) => p[r]! * (1 - p[r]!) * row[i]! * row[j]!),
        );
    }
    const part = (from: number, to: number) => ({
      matrix: matrix.subarray(from * (n - 1), to * (n - 1)),
      label: label.subarray(from, to),
    });
    t.deepEqual(sumsAt(weights, [part(0, 8), part(8, 12), part(12, rows)]), {
      logLikelihood,
      gradient,
      triangle,
    });
  });
