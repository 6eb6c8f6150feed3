import test from "ava";
import fc from "fast-check";
import { normalTail } from "../../../core/normal.ts";
import { binOf, metricsFrom, scoreAt, scoreBins } from "../../../models/numerics/metrics.ts";
import { readVectors } from "../../support/vectors.ts";

interface Vectors {
  readonly metrics: {
    readonly scores: number[];
    readonly label: number[];
    readonly auc: number;
    readonly ks: number;
    readonly brier: number;
    readonly accuracy: number;
  };
  readonly normalTail: [number, number][];
}
const vectors = readVectors("models.json") as Vectors;

function countsOf(scores: readonly number[], label: readonly number[]) {
  const bins = [new Float64Array(scoreBins), new Float64Array(scoreBins)] as const;
  const calledBad = [0, 0];
  let squaredError = 0;
  for (const [i, score] of scores.entries()) {
    const y = label[i] as 0 | 1;
    bins[y][binOf(score)]! += 1;
    if (score >= 0.5) calledBad[y]! += 1;
    squaredError += (score - y) ** 2;
  }
  const [goodCalledBad, badCalledBad] = calledBad as [number, number];
  return { good: bins[0], bad: bins[1], goodCalledBad, badCalledBad, squaredError };
}

test("AUC and KS equal the ones without bins to the bins' resolution, Brier and accuracy exactly", (t) => {
  const { scores, label, auc, ks, brier, accuracy } = vectors.metrics;
  const seen = metricsFrom(countsOf(scores, label));
  t.true(Math.abs(seen.auc - auc) <= seen.aucWithin);
  t.true(seen.aucWithin < 0.002);
  t.true(Math.abs(seen.ks - ks) < 0.02);
  t.true(Math.abs(seen.brier - brier) < 1e-12);
  t.is(seen.accuracy, accuracy);
  t.is(seen.gini, 2 * seen.auc - 1);
});

test("AUC is the share of ordered pairs, ties counted half; the calibration table holds every row", (t) => {
  const row = fc.record({ bin: fc.integer({ min: 0, max: scoreBins - 1 }), bad: fc.boolean() });
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 60 }), (drawn) => {
      const rows = [...drawn, { bin: 3, bad: true }, { bin: 900, bad: false }];
      const seen = metricsFrom(
        countsOf(
          rows.map(({ bin }) => scoreAt(bin + 0.5)),
          rows.map(({ bad }) => Number(bad)),
        ),
      );
      const bads = rows.filter(({ bad }) => bad);
      const goods = rows.filter(({ bad }) => !bad);
      let pairs = 0;
      for (const b of bads) for (const g of goods) pairs += b.bin > g.bin ? 1 : b.bin === g.bin ? 0.5 : 0;
      t.true(Math.abs(seen.auc - pairs / (bads.length * goods.length)) < 1e-12);
      const { trueBad, falseBad, trueGood, falseGood } = seen.confusion;
      t.is(trueBad + falseBad + trueGood + falseGood, rows.length);
      t.is(
        seen.calibration.reduce((n, group) => n + group.n, 0),
        rows.length,
      );
      t.is(
        seen.calibration.reduce((n, group) => n + group.bad, 0),
        bads.length,
      );
      t.true(seen.calibration.every((g) => g.predicted >= g.from && g.predicted <= g.to));
    }),
  );
});

test("every score has the bin that its edges say", (t) => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (score) => {
      const bin = binOf(score);
      t.true(scoreAt(bin) <= score + 1e-15 && score <= scoreAt(bin + 1) + 1e-15);
    }),
  );
  t.deepEqual([binOf(0), binOf(0.5), binOf(1)], [0, scoreBins / 2, scoreBins - 1]);
});

test("no rows, or one class, are refused", (t) => {
  t.like(
    t.throws(() => metricsFrom(countsOf([], []))),
    { reason: "rows_missing" },
  );
  t.like(
    t.throws(() => metricsFrom(countsOf([0.2, 0.9], [1, 1]))),
    { reason: "single_class" },
  );
});

test("the normal tail equals the tabulated one", (t) => {
  for (const [x, tail] of vectors.normalTail) t.true(Math.abs(normalTail(x) / tail - 1) < 1e-12, `${x}`);
  t.throws(() => normalTail(Number.NaN), { instanceOf: RangeError });
});

test("cut-offs say what refusing from a score on would have done, about every twentieth of the rows", (t) => {
  const { scores, label } = vectors.metrics;
  const { cutOffs, ks } = metricsFrom(countsOf(scores, label));
  t.true(cutOffs.length > 10 && cutOffs.length < 20);
  const share = (rows: readonly number[], of: readonly number[]) => rows.length / of.length;
  const badRows = label.flatMap((y, i) => (y === 1 ? [i] : []));
  for (const { score, approvalRate, badRate, badRefused, goodRefused } of cutOffs) {
    // A score is in the bin that a cut-off ends, or above it.
    const approved = [...scores.keys()].filter((i) => scoreAt(binOf(scores[i]!)) < score);
    t.is(approvalRate, share(approved, scores));
    t.is(
      badRate,
      share(
        approved.filter((i) => label[i] === 1),
        approved,
      ),
    );
    const refused = badRows.filter((i) => !approved.includes(i));
    t.true(Math.abs(badRefused - share(refused, badRows)) < 1e-12);
    t.true(badRefused - goodRefused <= ks + 1e-12);
  }
  t.deepEqual(
    cutOffs.map(({ approvalRate }) => approvalRate),
    cutOffs.map(({ approvalRate }) => approvalRate).toSorted((a, b) => a - b),
  );
});
