import { z } from "zod";
import { Refusal, refuseAll } from "../../core/reasons.ts";
import { type Count, count, type Exact, exact } from "../blocks.ts";
import { defineAlgorithm } from "../define.ts";
import { resultOf } from "../needs.ts";
import { type Accumulator, accumulate, accumulateSquare } from "../numerics/exact-sum.ts";
import { probabilityOf } from "../numerics/logistic-sums.ts";
import { momentsOf } from "../numerics/moments.ts";
import { exponentAbove, powerOfTwo } from "../numerics/powers-of-two.ts";
import { resultName } from "../parameters.ts";
import type { Term } from "../portable.ts";
import { categoricalColumn, checkRows, numericColumn } from "../rows.ts";
import { featureSchema } from "../study.ts";
import type { FeatureSchema, StudySchema, Table } from "../table.ts";
import { type ColumnRange, type RangeResult, range } from "./range.ts";
import { outOfBounds } from "./summary.ts";

const parameters = z.strictObject({
  range: resultName("range"),
  varianceSmoothing: z
    .number()
    .min(0)
    .default(1e-9)
    .describe(
      "share of a numeric feature's variance over all rows that is added to its variance in each class: scikit-learn's on standardized columns",
    ),
  alpha: z
    .number()
    .positive()
    .default(1)
    .describe("rows of each level that are counted beside those there are (Laplace's smoothing)"),
});

/** good, bad. */
const classes = [0, 1] as const;

const perClass = <T extends z.ZodType>(of: T) => z.tuple([of, of]);

/** Of rows without this value, good and bad; smoothed. Absent where training knew the value of every row. */
const missing = perClass(z.number().positive().max(1)).exactOptional();

const numericResult = z.strictObject({
  kind: z.literal("numeric"),
  missing,
  /** Of the values that are present, good and bad. */
  mean: perClass(z.number()),
  /** Divided by the number of values, and smoothed. */
  variance: perClass(z.number().positive()),
});

const categoricalResult = z.strictObject({
  kind: z.literal("categorical"),
  missing,
  /** Of each level among the rows that have one, good and bad; smoothed. In the order of the feature's levels. */
  shares: z.array(perClass(z.number().positive())),
});

type ColumnResult = z.output<typeof numericResult> | z.output<typeof categoricalResult>;

const isOf = (feature: FeatureSchema, column: ColumnResult | undefined): boolean =>
  feature.kind === "numeric"
    ? column?.kind === "numeric"
    : column?.kind === "categorical" && column.shares.length === feature.levels.length;

const result = z
  .strictObject({
    /** Good and bad. */
    rows: perClass(z.int().min(1)),
    features: z.array(featureSchema),
    columns: z.record(z.string(), z.discriminatedUnion("kind", [numericResult, categoricalResult])),
  })
  .refine(({ features, columns }) => features.every((feature) => isOf(feature, columns[feature.name])), {
    error: "a feature has no distribution of its kind",
  });

type NaiveBayesResult = Readonly<z.output<typeof result>>;

/** In the class 0 (good) or 1 (bad); levels of the feature at a position. */
type Counts<T> = {
  readonly [rows: `rows.${number}` | `levels.${number}.${number}` | `present.${number}`]: T;
};
type Moments<T> = { readonly [sum: `sum.${number}` | `squares.${number}`]: T };

const constant = (what: string): Refusal => new Refusal("column_constant", `column ${what}`);

/**
 * Gaussian and categorical naive Bayes: features independent within a class. That a value is missing is a fact of its own
 * where it happened in training, and says nothing where it did not.
 * @see Hastie, Tibshirani and Friedman 2009, The Elements of Statistical Learning, 6.6.3
 */
export const naiveBayes = defineAlgorithm<{
  params: z.output<typeof parameters>;
  prior: { readonly range: RangeResult };
  state: object;
  result: NaiveBayesResult;
  blocks: Counts<Count> & Moments<Exact>;
}>({
  name: "naive-bayes",
  parameters,
  result,
  needs: (params) => ({ range: resultOf(range, params.range) }),
  maxSteps: () => 1,
  start: () => ({ next: {} }),
  state: () => z.strictObject({}),

  blocks(_, { schema }) {
    const numeric = numericNames(schema).length;
    // A value is at most 1 in its unit, so that neither sum exceeds the number of rows.
    const moments = exact(numeric, powerOfTwo(exponentAbove(schema.maxRowsPerParty)));
    const counts: Counts<Count> = byClass((c) => ({
      [`rows.${c}`]: count(1),
      [`present.${c}`]: count(schema.features.length),
      ...byLevels(schema, c, (levels) => count(levels.length)),
    }));
    const sums: Moments<Exact> = byClass((c) => ({ [`sum.${c}`]: moments, [`squares.${c}`]: moments }));
    return { ...counts, ...sums };
  },

  contribute(_, { training }, { schema, prior }) {
    checkRows(schema, training);
    const numeric = numericNames(schema).map((name) =>
      sumsOf(name, prior.range.columns[name]!, numericColumn(training, name).values, training.label),
    );
    const counts: Counts<readonly number[]> = byClass((c) => ({
      [`rows.${c}`]: [training.label.filter((label) => label === c).length],
      [`present.${c}`]: schema.features.map((feature) => presentRows(training, feature, c)),
      ...byLevels(schema, c, (levels, name) => levelCounts(training, { name, levels }, c)),
    }));
    const sums: Moments<readonly Accumulator[]> = byClass((c) => ({
      [`sum.${c}`]: numeric.map((column) => column[c].sum),
      [`squares.${c}`]: numeric.map((column) => column[c].squares),
    }));
    return { ...counts, ...sums };
  },

  advance(_, sums, { schema, params, prior }) {
    const rows: [number, number] = [sums["rows.0"]![0]!, sums["rows.1"]![0]!];
    if (rows[0] + rows[1] === 0) throw new Refusal("rows_missing", "no party has rows for training");
    if (rows[0] === 0 || rows[1] === 0)
      throw new Refusal("single_class", `all ${rows[0] + rows[1]} labels are equal`);
    const faults: Refusal[] = [];
    const fits = numericNames(schema).map((name, i) => {
      const f = schema.features.findIndex((feature) => feature.name === name);
      const unit = unitOf(prior.range.columns[name]!);
      const of = (c: 0 | 1): Moment => {
        const present = sums[`present.${c}`]![f]!;
        if (present === 0)
          faults.push(constant(`${name} is missing in every ${c === 1 ? "bad" : "good"} row`));
        const moments = momentsOf(present, sums[`sum.${c}`]![i]!, sums[`squares.${c}`]![i]!, unit);
        const variance = present === 0 ? 0 : (moments.variance * (present - 1)) / present;
        return { present, mean: moments.mean, variance };
      };
      return [name, [of(0), of(1)] as const] as const;
    });
    refuseAll(faults);
    const numeric = new Map(fits);
    const columns = schema.features.map((feature, f): [string, ColumnResult] => {
      const missing = missingShares(
        rows,
        classes.map((c) => sums[`present.${c}`]![f]!),
        params.alpha,
      );
      if (feature.kind === "categorical") {
        const shares = feature.levels.map((_, code) => {
          const share = (c: 0 | 1) => smoothedShare(sums[`levels.${f}.${c}`]!, code, params.alpha);
          return [share(0), share(1)] as [number, number];
        });
        return [feature.name, { kind: "categorical", ...missing, shares }];
      }
      const fit = numeric.get(feature.name)!;
      const [good, bad] = fit;
      // Of its own: beside money, what a column of small numbers says would drown in the other's.
      const smoothing = params.varianceSmoothing * pooledVariance(fit);
      const variance: [number, number] = [good.variance + smoothing, bad.variance + smoothing];
      if (!(variance[0] > 0 && variance[1] > 0))
        faults.push(constant(`${feature.name} holds one value in every row of a class`));
      return [feature.name, { kind: "numeric", ...missing, mean: [good.mean, bad.mean], variance }];
    });
    refuseAll(faults);
    const features = schema.features.map((feature) =>
      feature.kind === "numeric" ? feature : { ...feature, levels: [...feature.levels] },
    );
    return { done: { rows, features, columns: Object.fromEntries(columns) } };
  },

  sensitivity(_, { schema }) {
    const columns = Math.sqrt(schema.features.length);
    return byClass((c) => ({
      [`rows.${c}`]: 1,
      [`present.${c}`]: columns,
      [`sum.${c}`]: columns,
      [`squares.${c}`]: columns,
      ...byLevels(schema, c, () => 1),
    }));
  },

  features: ({ features }) => features,

  score(model, rows) {
    const effects = effectsOf(model, rows);
    const start = Math.log(model.rows[1] / model.rows[0]);
    return Float64Array.from({ length: rows.rows }, (_, row) =>
      probabilityOf(effects.reduce((sum, effect) => sum + effect[row]!, start)),
    );
  },

  portable: (model) => ({
    kind: "terms",
    features: model.features,
    base: Math.log(model.rows[1] / model.rows[0]),
    terms: model.features.map((feature) => termOf(feature, model.columns[feature.name]!)),
  }),

  explain(model, rows) {
    const effects = effectsOf(model, rows);
    return Array.from({ length: rows.rows }, (_, row) =>
      model.features.map(({ name: feature }, f) => ({ feature, effect: effects[f]![row]! })),
    );
  },
});

interface Moment {
  readonly present: number;
  readonly mean: number;
  /** Divided by `present`. */
  readonly variance: number;
}

/** @returns the variance of both classes' values together, divided by their number. */
function pooledVariance([good, bad]: readonly [Moment, Moment]): number {
  const n = good.present + bad.present;
  const apart = good.mean - bad.mean;
  const within = (good.present * good.variance + bad.present * bad.variance) / n;
  return within + (good.present / n) * (bad.present / n) * apart * apart;
}

/** @returns one level's share of a class, with `alpha` rows more of each. */
const smoothedShare = (counts: Float64Array, level: number, alpha: number): number =>
  (counts[level]! + alpha) / (counts.reduce((n, x) => n + x, 0) + alpha * counts.length);

/** @param present - rows with a value, good and bad. */
function missingShares(
  rows: readonly [number, number],
  present: readonly number[],
  alpha: number,
): { missing?: [number, number] } {
  const absent = classes.map((c) => rows[c] - present[c]!);
  if (absent.every((n) => n === 0)) return {};
  const share = (c: 0 | 1) => (absent[c]! + alpha) / (rows[c] + 2 * alpha);
  return { missing: [share(0), share(1)] };
}

const numericNames = ({ features }: StudySchema): string[] =>
  features.filter((feature) => feature.kind === "numeric").map((feature) => feature.name);

/** @returns what `make` gives for good and for bad, put together. */
const byClass = <T>(make: (c: 0 | 1) => Readonly<Record<string, T>>): Record<string, T> => ({
  ...make(0),
  ...make(1),
});

/** @returns what `make` gives for each categorical feature, by its block's name. */
const byLevels = <T>(
  { features }: StudySchema,
  c: 0 | 1,
  make: (levels: readonly string[], name: string) => T,
): Record<string, T> =>
  Object.fromEntries(
    features.flatMap((feature, f) =>
      feature.kind === "categorical"
        ? [[`levels.${f}.${c}`, make(feature.levels, feature.name)] as const]
        : [],
    ),
  );

/** @returns the power of two that scales a column into −1…1. */
const unitOf = ({ low, high }: ColumnRange): number => Math.max(Math.abs(low), Math.abs(high)) || 1;

/** @returns Σx and Σx² of good and bad rows. @throws Refusal value_out_of_bounds */
function sumsOf(name: string, range: ColumnRange, values: Float64Array, label: Uint8Array) {
  const { low, high } = range;
  const unit = unitOf(range);
  const empty = () => ({ sum: { high: 0, low: 0 }, squares: { high: 0, low: 0 } });
  const sums = [empty(), empty()] as const;
  for (const [row, x] of values.entries()) {
    if (Number.isNaN(x)) continue;
    if (!(x >= low && x <= high)) throw outOfBounds(name, low, high);
    const own = sums[label[row] === 1 ? 1 : 0];
    accumulate(own.sum, x / unit);
    accumulateSquare(own.squares, x / unit);
  }
  return sums;
}

function presentRows(table: Table, feature: FeatureSchema, c: 0 | 1): number {
  const isPresent =
    feature.kind === "numeric"
      ? Array.from(numericColumn(table, feature.name).values, (x) => !Number.isNaN(x))
      : Array.from(categoricalColumn(table, feature).codes, (code) => code >= 0);
  return isPresent.filter((present, row) => present && table.label[row] === c).length;
}

function levelCounts(table: Table, feature: { name: string; levels: readonly string[] }, c: 0 | 1): number[] {
  const counts = new Array<number>(feature.levels.length).fill(0);
  for (const [row, code] of categoricalColumn(table, feature).codes.entries())
    if (code >= 0 && table.label[row] === c) counts[code]! += 1;
  return counts;
}

/** Log-odds that one value can add at most: what lies far from both classes is no proof beyond all others. */
const strongest = 1e6;

/**
 * @returns by how much each feature moves the log-odds of bad, per feature in the schema's order, shape [rows].
 * @throws Refusal value_not_finite | column_unknown, naming the column
 */
function effectsOf({ features, columns }: NaiveBayesResult, rows: Table): Float64Array[] {
  checkRows({ features, maxRowsPerParty: Infinity }, rows);
  return features.map((feature) => {
    const column = columns[feature.name]!;
    const { missing } = column;
    const absent = missing === undefined ? 0 : Math.log(missing[1] / missing[0]);
    const present = missing === undefined ? 0 : Math.log((1 - missing[1]) / (1 - missing[0]));
    if (feature.kind === "numeric") {
      const density = densityRatio(column);
      return numericColumn(rows, feature.name).values.map((x) =>
        Number.isNaN(x) ? absent : present + density(x),
      );
    }
    const levels =
      column.kind === "categorical" ? column.shares.map(([good, bad]) => Math.log(bad / good)) : [];
    return Float64Array.from(categoricalColumn(rows, feature).codes, (code) =>
      code < 0 ? absent : present + levels[code]!,
    );
  });
}

function termOf({ name: feature }: FeatureSchema, column: ColumnResult): Term {
  const { missing: shares } = column;
  const missing = shares === undefined ? 0 : Math.log(shares[1] / shares[0]);
  const present = shares === undefined ? 0 : Math.log((1 - shares[1]) / (1 - shares[0]));
  if (column.kind === "categorical")
    return {
      kind: "levels",
      feature,
      effects: column.shares.map(([good, bad]) => present + Math.log(bad / good)),
      missing,
    };
  const { mean, variance } = column;
  const within = 0.5 * Math.log(variance[0] / variance[1]);
  return { kind: "normal", feature, mean, variance, within, most: strongest, constant: present, missing };
}

/** @returns the logarithm of a value's density among bad rows over that among good rows. */
function densityRatio(column: ColumnResult): (x: number) => number {
  if (column.kind !== "numeric") throw new RangeError("the column is not numeric");
  const { mean, variance } = column;
  const widths = Math.log(variance[0] / variance[1]);
  const squared = (x: number, c: 0 | 1) => (x - mean[c]) * ((x - mean[c]) / variance[c]);
  return (x) => {
    const apart = 0.5 * (squared(x, 0) - squared(x, 1) + widths);
    // Where both squares overflow, the wider class has the value.
    const ratio = Number.isNaN(apart) ? Math.sign(variance[1] - variance[0]) * strongest : apart;
    return Math.max(-strongest, Math.min(strongest, ratio));
  };
}
