import { z } from "zod";
import { Refusal } from "../../core/reasons.ts";
import { type Count, count, type Exact, exact } from "../blocks.ts";
import { defineAlgorithm } from "../define.ts";
import { resultOf } from "../needs.ts";
import { type Accumulator, accumulate, accumulateSquare } from "../numerics/exact-sum.ts";
import { momentsOf } from "../numerics/moments.ts";
import { exponentAbove, powerOfTwo } from "../numerics/powers-of-two.ts";
import { resultName } from "../parameters.ts";
import { categoricalColumn, checkRows, numericColumn } from "../rows.ts";
import type { StudySchema } from "../table.ts";
import { type ColumnRange, type RangeResult, range } from "./range.ts";

const parameters = z.strictObject({ range: resultName("range") });

const rowCount = z.int().min(0);

const numericSummary = z.strictObject({
  kind: z.literal("numeric"),
  present: rowCount,
  missing: rowCount,
  mean: z.number(),
  /** Of a sample: divided by present − 1. */
  variance: z.number().min(0),
  standardDeviation: z.number().min(0),
});

const categoricalSummary = z.strictObject({
  kind: z.literal("categorical"),
  missing: rowCount,
  counts: z.record(z.string(), rowCount),
});

const result = z.strictObject({
  rows: rowCount,
  bad: rowCount,
  good: rowCount,
  columns: z.record(z.string(), z.discriminatedUnion("kind", [numericSummary, categoricalSummary])),
});

export type NumericSummary = Readonly<z.output<typeof numericSummary>>;
export type CategoricalSummary = Readonly<z.output<typeof categoricalSummary>>;
export type SummaryResult = Readonly<z.output<typeof result>>;

type SummaryBlocks = {
  readonly rows: Count;
  readonly bad: Count;
  /** Of each feature. */
  readonly missing: Count;
  /** Of each numeric feature, in units of its largest magnitude. */
  readonly sum: Exact;
  readonly squares: Exact;
  /** Rows of each level of the categorical feature at this position. */
  readonly [levels: `levels.${number}`]: Count;
};

/** Counts and pooled moments; the moments are those of all rows together to 1e-9 and better. */
export const summary = defineAlgorithm<{
  params: z.output<typeof parameters>;
  prior: { readonly range: RangeResult };
  state: object;
  result: SummaryResult;
  blocks: SummaryBlocks;
}>({
  name: "summary",
  parameters,
  result,
  needs: (params) => ({ range: resultOf(range, params.range) }),
  maxSteps: () => 1,
  start: () => ({ next: {} }),
  state: () => z.strictObject({}),

  blocks(_, { schema }) {
    const numeric = schema.features.filter((feature) => feature.kind === "numeric").length;
    // A value is at most 1 in its unit, so that neither sum exceeds the number of rows.
    const bound = powerOfTwo(exponentAbove(schema.maxRowsPerParty));
    const blocks = {
      rows: count(1),
      bad: count(1),
      missing: count(schema.features.length),
      sum: exact(numeric, bound),
      squares: exact(numeric, bound),
    };
    return { ...blocks, ...byLevel(schema, (levels) => count(levels.length)) };
  },

  contribute(_, { training }, { schema, prior, noise }) {
    checkRows(schema, training);
    const missing: number[] = [];
    const sum: Accumulator[] = [];
    const squares: Accumulator[] = [];
    for (const feature of schema.features)
      if (feature.kind === "numeric") {
        const { values } = numericColumn(training, feature.name);
        const moments = sumColumn(
          feature.name,
          prior.range.columns[feature.name]!,
          values,
          noise !== undefined,
        );
        missing.push(moments.missing);
        sum.push(moments.sum);
        squares.push(moments.squares);
      } else {
        missing.push(categoricalColumn(training, feature).codes.filter((code) => code < 0).length);
      }
    const bad = training.label.reduce((n, label) => n + label, 0);
    const levels = byLevel(schema, (levels, name) => {
      const rows = new Float64Array(levels.length);
      for (const code of categoricalColumn(training, { name, levels }).codes) if (code >= 0) rows[code]! += 1;
      return rows;
    });
    return { rows: [training.rows], bad: [bad], missing, sum, squares, ...levels };
  },

  advance(_, sums, { schema, prior }) {
    // With noise, counts may be a little off, and off each other.
    const rows = Math.max(0, sums.rows[0]!);
    const bad = Math.min(rows, Math.max(0, sums.bad[0]!));
    let numeric = 0;
    const columns = schema.features.map((feature, f) => {
      const missing = Math.min(rows, Math.max(0, sums.missing[f]!));
      if (feature.kind === "categorical") {
        const counts = feature.levels.map(
          (level, code) => [level, Math.max(0, sums[`levels.${f}`]![code]!)] as const,
        );
        return [
          feature.name,
          { kind: "categorical" as const, missing, counts: Object.fromEntries(counts) },
        ] as const;
      }
      const present = rows - missing;
      const unit = unitOf(prior.range.columns[feature.name]!);
      const moments = momentsOf(present, sums.sum[numeric]!, sums.squares[numeric]!, unit);
      numeric++;
      return [feature.name, { kind: "numeric" as const, present, missing, ...moments }] as const;
    });
    return { done: { rows, bad, good: rows - bad, columns: Object.fromEntries(columns) } };
  },

  takesNoise: true,
  sensitivity(_, { schema }) {
    const columns = Math.sqrt(schema.features.length);
    const one = { rows: 1, bad: 1, missing: columns, sum: columns, squares: columns };
    return { ...one, ...byLevel(schema, () => 1) };
  },
});

/** @returns what `make` gives for each categorical feature, by its block's name. */
const byLevel = <T>(
  { features }: StudySchema,
  make: (levels: readonly string[], name: string) => T,
): { [levels: `levels.${number}`]: T } =>
  Object.fromEntries(
    features.flatMap((feature, f) =>
      feature.kind === "categorical" ? [[`levels.${f}`, make(feature.levels, feature.name)] as const] : [],
    ),
  );

/** @returns the power of two that scales a column into −1…1. */
const unitOf = ({ low, high }: ColumnRange): number => Math.max(Math.abs(low), Math.abs(high)) || 1;

/**
 * @param clips - whether values beyond the bounds are brought to them: who refused them would tell of them.
 * @throws Refusal value_out_of_bounds
 */
function sumColumn(name: string, range: ColumnRange, values: Float64Array, clips: boolean) {
  const { low, high } = range;
  const unit = unitOf(range);
  const sum = { high: 0, low: 0 };
  const squares = { high: 0, low: 0 };
  let missing = 0;
  for (const value of values) {
    if (Number.isNaN(value)) {
      missing += 1;
      continue;
    }
    const x = clips ? Math.min(high, Math.max(low, value)) : value;
    if (!(x >= low && x <= high)) throw outOfBounds(name, low, high);
    accumulate(sum, x / unit);
    accumulateSquare(squares, x / unit);
  }
  return { missing, sum, squares };
}

/** A value that arrived after the bounds were found, or that a returning party holds. */
export const outOfBounds = (column: string, low: number, high: number): Refusal =>
  new Refusal("value_out_of_bounds", `column ${column} holds a value outside ${low}…${high}`, {
    hint: "the study's bounds were summed without this value: take part from the range step on",
  });
