import { z } from "zod";
import { Refusal } from "../../core/reasons.ts";
import type { Model, Needs } from "../algorithm.ts";
import { binCount, fits } from "../binning.ts";
import { type Count, count } from "../blocks.ts";
import { coarseBins, coarseColumnSchema, coarseColumns, coarseOf } from "../coarse-bins.ts";
import { defineAlgorithm } from "../define.ts";
import { modelsNamed, resultOf } from "../needs.ts";
import { binOf, scoreAt, scoreBins } from "../numerics/metrics.ts";
import { quantileCuts } from "../numerics/quantile-cuts.ts";
import { agreed } from "../numerics/rounding.ts";
import { nameSchema, resultName } from "../parameters.ts";
import { checkRows } from "../rows.ts";
import type { StudySchema } from "../table.ts";
import { type BinsResult, bins } from "./bins.ts";

const rowCounts = z.array(z.int().min(0)).max(4098);

const distribution = z
  .strictObject({
    column: coarseColumnSchema,
    /** Rows of each coarse bin, before and now. */
    expected: rowCounts,
    actual: rowCounts,
    /** Characteristic stability index; below 0.1 little has changed, above 0.25 much. */
    csi: z.number().min(0),
  })
  .refine(
    ({ column, expected, actual }) =>
      expected.length === coarseBins(column) && actual.length === coarseBins(column),
    "the counts are not those of the bins",
  );

const result = z.strictObject({
  /** By feature. */
  columns: z.record(z.string(), distribution),
  /** By model. */
  scores: z.record(
    z.string(),
    z.strictObject({
      /** Lower ends of all bands of scores but the first. */
      cuts: z.array(z.number().min(0).max(1)),
      expected: rowCounts,
      actual: rowCounts,
      /** Population stability index. */
      psi: z.number().min(0),
    }),
  ),
});

export type DriftResult = Readonly<z.output<typeof result>>;

const parameters = z.strictObject({
  bins: resultName("bins"),
  models: z.array(nameSchema).default([]).describe("names of results whose scores are compared, too"),
  bands: z
    .int()
    .min(2)
    .max(50)
    .default(10)
    .describe("bins of a column, and bands of scores, of equal numbers of rows before"),
  reference: z
    .record(z.string(), z.unknown())
    .describe(
      "the `columns` of an earlier study's drift result: what its `expected` rows are is compared with; the training rows where absent",
    )
    .optional(),
});

type Params = z.output<typeof parameters>;

interface Prior {
  readonly bins: BinsResult;
  readonly models: ReadonlyMap<string, Model>;
}

/** Of the feature at a position. */
type Columns = { readonly [now: `now.${number}`]: Count };
/** Of each model, by name. */
type Scores = { readonly [rows: `${"before" | "after"}.${string}`]: Count };

type Study = { readonly schema: StudySchema; readonly params: Params; readonly prior: Prior };

/**
 * How far held-out rows, such as those of later months, differ from those that were learned from, or from those of an
 * earlier study: Σ (actual − expected) · ln(actual / expected) over bins of equal numbers of expected rows.
 * @see Siddiqi 2017, Intelligent Credit Scoring, 14
 */
export const drift = defineAlgorithm<{
  params: Params;
  prior: Prior;
  state: object;
  result: DriftResult;
  blocks: Columns & Scores;
}>({
  name: "drift",
  parameters,
  result,
  needs: ({ bins: as, models }): Needs<Prior> => ({
    bins: resultOf(bins, as),
    models: models.length === 0 ? noModels : modelsNamed(models),
  }),
  maxSteps: () => 1,

  start(study) {
    const { params, schema } = study;
    if (params.reference === undefined) return { next: {} };
    const known = z.record(z.string(), distribution).safeParse(params.reference);
    if (!known.success)
      throw new Refusal("parameters_invalid", "drift.reference is not the columns of a drift result", {
        hint: "copy results.drift.columns of the earlier study's model",
      });
    for (const feature of schema.features)
      if (!fits(feature, known.data[feature.name]?.column.binned))
        throw new Refusal("parameters_invalid", `drift.reference has no bins of ${feature.name}`, {
          hint: "compare studies of the same features",
        });
    return { next: {} };
  },

  state: () => z.strictObject({}),

  blocks(_, study) {
    const columns = columnsOf(study);
    const now: Columns = Object.fromEntries(
      study.schema.features.map(({ name }, f) => [`now.${f}`, count(coarseBins(columns[name]!.column))]),
    );
    const scores: Scores = ofEach(study.prior.models, (name) => ({
      [`before.${name}`]: count(scoreBins),
      [`after.${name}`]: count(scoreBins),
    }));
    return { ...now, ...scores };
  },

  contribute(_, { training, heldOut }, study) {
    const { schema, prior } = study;
    checkRows(schema, training);
    checkRows(schema, heldOut);
    const columns = columnsOf(study);
    const coarse = Object.fromEntries(schema.features.map(({ name }) => [name, columns[name]!.column]));
    const now = coarseOf(schema.features, coarse, heldOut).map((cells, f) => {
      const rows = new Float64Array(coarseBins(coarse[schema.features[f]!.name]!));
      for (const bin of cells) rows[bin]! += 1;
      return [`now.${f}`, rows] as const;
    });
    const scored = (model: Model, rows: typeof training): Float64Array => {
      const found = new Float64Array(scoreBins);
      for (const score of model.score(rows)) found[binOf(score)]! += 1;
      return found;
    };
    return {
      ...Object.fromEntries(now),
      ...ofEach(prior.models, (name, model) => ({
        [`before.${name}`]: scored(model, training),
        [`after.${name}`]: scored(model, heldOut),
      })),
    };
  },

  advance(_, sums, study) {
    const { schema, params, prior } = study;
    const known = columnsOf(study);
    const columns = schema.features.map(({ name }, f) => {
      const { column, expected } = known[name]!;
      const actual = Array.from(sums[`now.${f}`]!);
      const own = { column, expected: [...expected], actual, csi: indexOf(expected, actual) };
      return [name, own] as const;
    });
    const scores = ofEach(prior.models, (name) => {
      const before = sums[`before.${name}`]!;
      const firsts = quantileCuts(before, params.bands);
      const banded = (rows: Float64Array): number[] =>
        [0, ...firsts].map((from, band) => total(rows.subarray(from, firsts[band] ?? scoreBins)));
      const expected = banded(before);
      const actual = banded(sums[`after.${name}`]!);
      return { [name]: { cuts: firsts.map(scoreAt), expected, actual, psi: indexOf(expected, actual) } };
    });
    return { done: { columns: Object.fromEntries(columns), scores } };
  },

  // A row is in one bin of each feature, and on one side of the split: held out, where it is on both, in both histograms.
  sensitivity: (_, { schema, prior }) => ({
    ...Object.fromEntries(schema.features.map((_, f) => [`now.${f}`, 1])),
    ...ofEach(prior.models, (name) => ({ [`before.${name}`]: 1, [`after.${name}`]: 1 })),
  }),
});

const noModels = {
  entry: { name: "bins" },
  missing: () => undefined,
  read: (): ReadonlyMap<string, Model> => new Map(),
};

type Expected = Pick<DriftResult["columns"][string], "column" | "expected">;

/** @returns each feature's coarse bins with the rows expected in them. */
function columnsOf({ schema, params, prior }: Study): Readonly<Record<string, Expected>> {
  if (params.reference !== undefined) return params.reference as Record<string, Expected>;
  const coarse = coarseColumns(schema.features, prior.bins, params.bands);
  return Object.fromEntries(
    schema.features.map(({ name }) => {
      const { binned, coarse: joined } = coarse[name]!;
      const column = { binned, coarse: [...joined] };
      const { good, bad } = prior.bins.columns[name]!;
      const expected = new Array<number>(coarseBins(column)).fill(0);
      for (let bin = 0; bin < binCount(column.binned); bin++)
        expected[column.coarse[bin]!]! += good[bin]! + bad[bin]!;
      return [name, { column, expected }];
    }),
  );
}

/** A bin without rows counts as one with half a row. @throws Refusal rows_missing */
function indexOf(expected: readonly number[], actual: readonly number[]): number {
  const [before, now] = [total(expected), total(actual)];
  if (before === 0 || now === 0)
    throw new Refusal("rows_missing", `nothing to compare: ${before} rows before, ${now} now`, {
      hint: "hold rows out, by a share or by their month",
    });
  return expected.reduce((sum, e, bin) => {
    const a = actual[bin]!;
    if (e === 0 && a === 0) return sum;
    const [was, is] = [(e || 0.5) / before, (a || 0.5) / now];
    return sum + Math.max(0, (is - was) * agreed(Math.log(is / was)));
  }, 0);
}

const total = (rows: ArrayLike<number>): number => Array.from(rows).reduce((sum, n) => sum + n, 0);

/** @returns what `make` gives for each model, put together. */
const ofEach = <T>(
  models: ReadonlyMap<string, Model>,
  make: (name: string, model: Model) => Readonly<Record<string, T>>,
): Record<string, T> => Object.assign({}, ...[...models].map(([name, model]) => make(name, model)));
