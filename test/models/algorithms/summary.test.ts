import test from "ava";
import fc from "fast-check";
import type { RangeResult } from "../../../models/algorithms/range.ts";
import type { NumericSummary, SummaryResult } from "../../../models/algorithms/summary.ts";
import { runPlain } from "../../../models/plain.ts";
import { takeRows } from "../../../models/rows.ts";
import { borrowerFeatures, borrowers, scatter, studyOf, tableOf } from "../../support/rows.ts";
import { readVectors } from "../../support/vectors.ts";

const vectors = readVectors("models.json") as {
  summary: Record<string, { mean: number; variance: number; missing: number }>;
};
const both = [{ name: "range" }, { name: "summary" }];

async function summarize(tables: Parameters<typeof runPlain>[1], features = borrowerFeatures) {
  const { results } = await runPlain(studyOf(features, both), tables);
  return { range: results.range as RangeResult, summary: results.summary as SummaryResult };
}

test("moments and counts are those of all rows together", async (t) => {
  const all = borrowers();
  const { summary } = await summarize(scatter(240, 6, "moments").map((rows) => takeRows(all, rows)));
  t.is(summary.rows, 240);
  t.is(
    summary.bad,
    all.label.reduce((n, y) => n + y, 0),
  );
  for (const [name, { mean, variance, missing }] of Object.entries(vectors.summary)) {
    const seen = summary.columns[name] as NumericSummary;
    t.true(Math.abs(seen.mean / mean - 1) < 1e-12, name);
    t.true(Math.abs(seen.variance / variance - 1) < 1e-12, name);
    t.is(seen.missing, missing);
  }
  const sector = summary.columns.sector;
  t.true(sector?.kind === "categorical" && Object.values(sector.counts).reduce((n, c) => n + c, 0) === 240);
});

const x = [{ name: "x", kind: "numeric" }] as const;

test("the variance of values far from zero does not cancel", async (t) => {
  // Seconds since 1970, a second apart: the naive Σx² − (Σx)²/n has no correct digit here.
  const values = Array.from({ length: 100 }, (_, i) => 1.7e9 + (i % 10));
  const label = values.map((_, i) => i % 2);
  const { summary } = await summarize([tableOf({ x: values }, label)], x);
  const expected = (8.25 * 100) / 99;
  t.true(Math.abs((summary.columns.x as NumericSummary).variance / expected - 1) < 1e-9);
});

test("public bounds hold every value and are powers of two", async (t) => {
  const value = fc.oneof(
    fc.double({ min: -1e9, max: 1e9, noNaN: true }),
    fc.constantFrom(0, -0, 1, -1, 2 ** 50, -(2 ** 50), 1e-300, Number.NaN),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 20 }), async (values) => {
      const { range } = await summarize(
        [
          tableOf(
            { x: values },
            values.map(() => 0),
          ),
        ],
        x,
      );
      const { low, high, present, missing } = range.columns.x!;
      const given = values.filter((v) => !Number.isNaN(v));
      t.is(present, given.length);
      t.is(missing, values.length - given.length);
      for (const v of given) t.true(v >= low && v <= high, `${v} in ${low}…${high}`);
      for (const edge of [low, high]) t.true(edge === 0 || Number.isInteger(Math.log2(Math.abs(edge))));
    }),
    { numRuns: 50 },
  );
});

test("bounds do not move with a value inside its power of two", async (t) => {
  const bounds = async (largest: number) =>
    (await summarize([tableOf({ x: [3, largest] }, [0, 1])], x)).range.columns.x;
  t.deepEqual(await bounds(600), await bounds(1023.99));
  t.notDeepEqual(await bounds(600), await bounds(1024.01));
});

test("a magnitude above the largest bucket is refused with the column's name", async (t) => {
  const error = await t.throwsAsync(summarize([tableOf({ x: [2 ** 51] }, [1])], x));
  t.like(error, { reason: "value_out_of_bounds" });
  t.regex(error!.message, /column x/);
});
