import { z } from "zod";
import { scoreAt, scoreBins, separationOf } from "./numerics/metrics.ts";

const share = z.number().min(0).max(1);
const rowCount = z.int().min(0);

const segment = z.strictObject({
  /** Held-out rows, of the enterprises that have enough of them. */
  n: rowCount,
  bad: rowCount,
  /** By model; null where the segment has no row, or where one class has none. */
  models: z.record(
    z.string(),
    z
      .strictObject({
        /** Mean score, to half a bin. */
        predicted: share,
        auc: share,
        aucWithin: share,
        ks: share,
      })
      .nullable(),
  ),
});

/** By feature and level. */
export const segmentsSchema = z.record(z.string(), z.record(z.string(), segment));

interface SegmentCounts {
  /** Of the model. */
  readonly name: string;
  /** Rows by score, level after level, shape [levels, scoreBins]. */
  readonly good: Float64Array;
  readonly bad: Float64Array;
}

/** @returns by level, how well each model scores its rows. */
export function segmentsFrom(levels: readonly string[], counts: readonly SegmentCounts[]) {
  return Object.fromEntries(
    levels.map((level, code) => {
      const own = (rows: Float64Array) => rows.subarray(code * scoreBins, (code + 1) * scoreBins);
      const [first] = counts;
      const bad = first === undefined ? 0 : total(own(first.bad));
      const n = bad + (first === undefined ? 0 : total(own(first.good)));
      const models = counts.map((of) => [of.name, measured(own(of.good), own(of.bad))] as const);
      return [level, { n, bad, models: Object.fromEntries(models) }] as const;
    }),
  );
}

function measured(good: Float64Array, bad: Float64Array) {
  const separation = separationOf(good, bad);
  if (separation === undefined) return null;
  const scores = good.reduce((sum, rows, bin) => sum + (rows + bad[bin]!) * scoreAt(bin + 0.5), 0);
  return { predicted: scores / (total(good) + total(bad)), ...separation };
}

const total = (rows: Float64Array): number => rows.reduce((sum, n) => sum + n, 0);
