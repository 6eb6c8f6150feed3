import { z } from "zod";
import { Refusal } from "../../core/reasons.ts";
import { type Count, count } from "../blocks.ts";
import { defineAlgorithm } from "../define.ts";
import { exponentAbove, powerOfTwo } from "../numerics/powers-of-two.ts";
import { checkRows, numericColumn } from "../rows.ts";
import type { StudySchema } from "../table.ts";

/** Values up to 2^largest in magnitude are told apart by the power of two above them. */
const smallest = -20;
const largest = 50;
const magnitudes = largest - smallest + 1;
/** Negative magnitudes, zero, positive magnitudes, missing. */
export const bucketsPerColumn = 2 * magnitudes + 2;
const zeroBucket = magnitudes;
const missingBucket = 2 * magnitudes + 1;

const parameters = z.strictObject({});

/**
 * Standard deviations of noise up to which a bucket counts as empty: of the thousands that are, one in thirty thousand
 * seems not to be. Values beyond the bounds are brought to them by whatever reads these.
 */
const certainDeviations = 4;

export const columnRangeSchema = z.strictObject({
  low: z.number(),
  high: z.number(),
  present: z.int().min(0),
  missing: z.int().min(0),
});

/** Public bounds of one numeric column: every value lies in low…high. */
export type ColumnRange = Readonly<z.output<typeof columnRangeSchema>>;

const result = z.strictObject({ columns: z.record(z.string(), columnRangeSchema) });

export type RangeResult = { readonly columns: { readonly [name: string]: ColumnRange } };

/**
 * Public bounds from counts per power of two and sign: they hold every value and give away nobody's extremes.
 */
export const range = defineAlgorithm<{
  params: z.output<typeof parameters>;
  prior: object;
  state: object;
  result: RangeResult;
  blocks: { readonly buckets: Count };
}>({
  name: "range",
  parameters,
  result,
  needs: () => ({}),
  maxSteps: () => 1,

  start: ({ schema }) => (numericNames(schema).length === 0 ? { done: { columns: {} } } : { next: {} }),

  state: () => z.strictObject({}),

  blocks: (_, { schema }) => ({ buckets: count(numericNames(schema).length * bucketsPerColumn) }),

  contribute(_, { training }, { schema }) {
    checkRows(schema, training);
    const names = numericNames(schema);
    const buckets = new Float64Array(names.length * bucketsPerColumn);
    for (const [i, name] of names.entries()) {
      const { values } = numericColumn(training, name);
      for (let row = 0; row < values.length; row++)
        buckets[i * bucketsPerColumn + bucketOf(values[row]!, name)]! += 1;
    }
    return { buckets };
  },

  advance(_, { buckets }, { schema, noise = 0 }) {
    const names = numericNames(schema);
    const least = certainDeviations * noise * Math.sqrt(names.length);
    const columns = names.map((name, i) => {
      const own = buckets.subarray(i * bucketsPerColumn, (i + 1) * bucketsPerColumn);
      return [name, boundsOf(own.map((rows) => (rows <= least ? 0 : rows)))] as const;
    });
    return { done: { columns: Object.fromEntries(columns) } };
  },

  takesNoise: true,
  // A row is in one bucket of each column.
  sensitivity: (_, { schema }) => ({ buckets: Math.sqrt(numericNames(schema).length) }),
});

const numericNames = ({ features }: StudySchema): string[] =>
  features.filter((feature) => feature.kind === "numeric").map((feature) => feature.name);

/** @returns the bucket of a value, by sign and power of two. @throws Refusal value_out_of_bounds */
export function bucketOf(x: number, column: string): number {
  if (Number.isNaN(x)) return missingBucket;
  if (x === 0) return zeroBucket;
  const magnitude = Math.max(smallest, exponentAbove(Math.abs(x)));
  if (magnitude > largest)
    throw new Refusal("value_out_of_bounds", `column ${column} holds a magnitude above 2^${largest}`, {
      hint: "use a larger unit for this column",
    });
  return zeroBucket + Math.sign(x) * (magnitude - smallest + 1);
}

/** @param counts - by bucket, of one column. */
export function boundsOf(counts: Float64Array): ColumnRange {
  let low = Infinity;
  let high = -Infinity;
  let present = 0;
  for (let bucket = 0; bucket < missingBucket; bucket++) {
    const count = counts[bucket]!;
    if (count === 0) continue;
    present += count;
    const [from, to] = edges(bucket - zeroBucket);
    low = Math.min(low, from);
    high = Math.max(high, to);
  }
  const missing = counts[missingBucket]!;
  return present === 0 ? { low: 0, high: 0, present, missing } : { low, high, present, missing };
}

function edges(signed: number): readonly [low: number, high: number] {
  if (signed === 0) return [0, 0];
  const magnitude = Math.abs(signed) - 1 + smallest;
  const inner = magnitude === smallest ? 0 : powerOfTwo(magnitude - 1);
  return signed > 0 ? [inner, powerOfTwo(magnitude)] : [-powerOfTwo(magnitude), -inner];
}
