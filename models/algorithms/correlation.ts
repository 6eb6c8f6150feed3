import { z } from "zod";
import { Refusal, refuseAll } from "../../core/reasons.ts";
import { type Count, count, type Exact, exact } from "../blocks.ts";
import { defineAlgorithm } from "../define.ts";
import { resultOf } from "../needs.ts";
import {
  type Accumulator,
  accumulate,
  accumulateProduct,
  type FixedPoint,
  ratio,
} from "../numerics/exact-sum.ts";
import { cholesky, invertCholesky } from "../numerics/linear-algebra.ts";
import { exponentAbove, powerOfTwo } from "../numerics/powers-of-two.ts";
import { resultName } from "../parameters.ts";
import { checkRows, numericColumn } from "../rows.ts";
import type { StudySchema } from "../table.ts";
import { type ColumnRange, type RangeResult, range } from "./range.ts";
import { outOfBounds } from "./summary.ts";

const parameters = z.strictObject({
  range: resultName("range"),
  groups: z
    .record(z.string(), z.array(z.string()).min(2))
    .default({})
    .describe(
      "by a name of its own: numeric features that are to measure one thing, of which Cronbach's alpha is said",
    ),
});

const rowCount = z.int().min(0);
const coefficient = z.number().min(-1).max(1);

const result = z
  .strictObject({
    rows: rowCount,
    /** Rows with a value of every numeric feature, which all figures are of. */
    complete: rowCount,
    /** Numeric features that differ from row to row, in the study's order. */
    columns: z.array(z.string()),
    /** Numeric features that hold one value: nothing correlates with them. */
    constant: z.array(z.string()),
    /** Pearson's: of each column with those before it and itself. */
    correlations: z.array(z.array(coefficient)),
    /** Variance inflation factor: 1 / (1 − R²) of a column by all others; null where others give it exactly. */
    vif: z.record(z.string(), z.number().nullable()),
    /** Cronbach's, of each group: of the values as they are, and of standardized ones; null where its items sum to a constant. */
    alpha: z.record(
      z.string(),
      z.strictObject({
        items: z.int().min(2),
        raw: z.number().nullable(),
        standardized: z.number().nullable(),
      }),
    ),
  })
  .refine(
    ({ columns, correlations }) =>
      correlations.length === columns.length && correlations.every((row, i) => row.length === i + 1),
    { error: "the correlations are not those of the columns" },
  );

export type CorrelationResult = Readonly<z.output<typeof result>>;

type Rows = { readonly rows: Count; readonly complete: Count };
/** Σx of each numeric feature, and of one with those before it and itself Σxy; in units of their largest magnitudes. */
type Moments<T> = { readonly sum: T } & { readonly [row: `products.${number}`]: T };

/**
 * Pearson's correlations of numeric features over the rows that have all of them, how far each follows from the others,
 * and how well groups of them measure one thing.
 * @see Cronbach 1951, doi:10.1007/BF02310555
 */
export const correlation = defineAlgorithm<{
  params: z.output<typeof parameters>;
  prior: { readonly range: RangeResult };
  state: object;
  result: CorrelationResult;
  blocks: Rows & Moments<Exact>;
}>({
  name: "correlation",
  parameters,
  result,
  needs: (params) => ({ range: resultOf(range, params.range) }),
  maxSteps: () => 1,

  start({ schema, params }) {
    const names = numericNames(schema);
    refuseAll(
      Object.entries(params.groups).flatMap(([group, items]) =>
        items
          .filter((item, i) => !names.includes(item) || items.indexOf(item) !== i)
          .map(
            (item) =>
              new Refusal(
                "parameters_invalid",
                `correlation.groups.${group}: ${item} is no numeric feature of the study, or stands there twice`,
              ),
          ),
      ),
    );
    if (names.length < 2)
      throw new Refusal("column_unknown", "the study has fewer than two numeric features", {
        hint: "list two numeric features, or leave correlation out",
      });
    return { next: {} };
  },

  state: () => z.strictObject({}),

  blocks(_, { schema }) {
    // A value is at most 1 in its unit, so that no sum exceeds the number of rows.
    const bound = powerOfTwo(exponentAbove(schema.maxRowsPerParty));
    const names = numericNames(schema);
    const products = names.map((_, i) => [`products.${i}`, exact(i + 1, bound)] as const);
    return {
      rows: count(1),
      complete: count(1),
      sum: exact(names.length, bound),
      ...Object.fromEntries(products),
    };
  },

  contribute(_, { training }, { schema, prior }) {
    checkRows(schema, training);
    const names = numericNames(schema);
    const columns = names.map((name) => {
      const { low, high } = prior.range.columns[name]!;
      const unit = unitOf({ low, high });
      return numericColumn(training, name).values.map((x) => {
        if (x < low || x > high) throw outOfBounds(name, low, high);
        return x / unit;
      });
    });
    const empty = (): Accumulator => ({ high: 0, low: 0 });
    const sum = columns.map(empty);
    const products = columns.map((_, i) => Array.from({ length: i + 1 }, empty));
    let complete = 0;
    for (let row = 0; row < training.rows; row++) {
      if (columns.some((values) => Number.isNaN(values[row]!))) continue;
      complete++;
      for (const [i, values] of columns.entries()) {
        accumulate(sum[i]!, values[row]!);
        for (let j = 0; j <= i; j++) accumulateProduct(products[i]![j]!, values[row]!, columns[j]![row]!);
      }
    }
    const named = products.map((of, i) => [`products.${i}`, of] as const);
    return { rows: [training.rows], complete: [complete], sum, ...Object.fromEntries(named) };
  },

  advance(_, sums, { schema, params, prior }) {
    const names = numericNames(schema);
    const [rows, complete] = [sums.rows[0]!, sums.complete[0]!];
    if (complete < 2)
      throw new Refusal("rows_missing", `${complete} of ${rows} rows have a value of every numeric feature`, {
        hint: "impute missing values with transform, or leave out the features that hold few",
      });
    const products = names.map((_, i) => sums[`products.${i}`]!);
    const covariance = (i: number, j: number) =>
      covarianceOf(complete, products[Math.max(i, j)]![Math.min(i, j)]!, sums.sum[i]!, sums.sum[j]!);
    const variances = names.map((_, i) => covariance(i, i));
    // Below this the rounding of the squares shows, not the data.
    const varies = (i: number): boolean => variances[i]! > 1e-26;
    const kept = names.flatMap((_, i) => (varies(i) ? [i] : []));
    const correlations = kept.map((i, at) =>
      kept.slice(0, at + 1).map((j) => {
        if (i === j) return 1;
        const r = covariance(i, j) / Math.sqrt(variances[i]! * variances[j]!);
        return Math.max(-1, Math.min(1, r));
      }),
    );
    const columns = kept.map((i) => names[i]!);
    const alpha = Object.entries(params.groups).map(([group, items]) => {
      const places = items.map((item) => names.indexOf(item));
      const unitAt = (i: number) => unitOf(prior.range.columns[names[i]!]!);
      const raw = places.map((i) => places.map((j) => covariance(i, j) * unitAt(i) * unitAt(j)));
      const standardized = places.every(varies)
        ? places.map((i) => places.map((j) => covariance(i, j) / Math.sqrt(variances[i]! * variances[j]!)))
        : undefined;
      const own = {
        items: items.length,
        raw: alphaOf(raw),
        standardized: standardized === undefined ? null : alphaOf(standardized),
      };
      return [group, own] as const;
    });
    return {
      done: {
        rows,
        complete,
        columns,
        constant: names.filter((_, i) => !varies(i)),
        correlations,
        vif: vifOf(columns, correlations),
        alpha: Object.fromEntries(alpha),
      },
    };
  },

  // A value is at most 1 in its unit.
  sensitivity(_, { schema }) {
    const names = numericNames(schema);
    const products = names.map((_, i) => [`products.${i}`, Math.sqrt(i + 1)] as const);
    return { rows: 1, complete: 1, sum: Math.sqrt(names.length), ...Object.fromEntries(products) };
  },
});

const numericNames = ({ features }: StudySchema): string[] =>
  features.filter((feature) => feature.kind === "numeric").map((feature) => feature.name);

/** @returns the power of two that scales a column into −1…1. */
const unitOf = ({ low, high }: Pick<ColumnRange, "low" | "high">): number =>
  Math.max(Math.abs(low), Math.abs(high)) || 1;

/** @returns (n Σxy − Σx Σy) / (n (n − 1)), right to the last digits. */
function covarianceOf(rows: number, product: FixedPoint, x: FixedPoint, y: FixedPoint): number {
  const n = BigInt(rows);
  const fraction = BigInt(-x.exponent);
  const spread = n * (product.units << fraction) - x.units * y.units;
  const size = ratio(spread < 0n ? -spread : spread, (n * (n - 1n)) << (2n * fraction));
  return spread < 0n ? -size : size;
}

/** @param covariances - of k items, shape [k, k]. @returns k/(k − 1) · (1 − Σ variances / variance of the sum). */
function alphaOf(covariances: readonly (readonly number[])[]): number | null {
  const k = covariances.length;
  const own = covariances.reduce((sum, row, i) => sum + row[i]!, 0);
  const total = covariances.reduce((sum, row) => row.reduce((within, x) => within + x, sum), 0);
  return total > 1e-12 * own ? (k / (k - 1)) * (1 - own / total) : null;
}

/** Of a column's variance, so much at least that others do not give. */
const collinearBelow = 1e-10;

function vifOf(
  columns: readonly string[],
  correlations: readonly (readonly number[])[],
): Record<string, number | null> {
  const places = new Set(columns.keys());
  const dependent = new Set<number>();
  for (;;) {
    const kept = [...places];
    const n = kept.length;
    const matrix = new Float64Array(n * n);
    for (const [a, i] of kept.entries())
      for (const [b, j] of kept.entries()) matrix[a * n + b] = correlations[Math.max(i, j)]![Math.min(i, j)]!;
    const factored = cholesky(matrix, n, collinearBelow);
    if (factored.kind === "factor") {
      const inverse = invertCholesky(factored);
      const known = new Map(kept.map((place, at) => [place, inverse[at * n + at]!]));
      return Object.fromEntries(
        columns.map((name, place) => [name, dependent.has(place) ? null : (known.get(place) ?? null)]),
      );
    }
    // A column that follows from others, and each that it follows from, have no finite factor.
    dependent.add(kept[factored.column]!);
    for (const [at, weight] of factored.weights.entries())
      if (Math.abs(weight) > 1e-6) dependent.add(kept[at]!);
    places.delete(kept[factored.column]!);
  }
}
