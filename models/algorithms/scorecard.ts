import { z } from "zod";
import { csvCell } from "../../core/csv-cell.ts";
import { Refusal } from "../../core/reasons.ts";
import type { Study } from "../algorithm.ts";
import { binName, binsOf, fits } from "../binning.ts";
import { defineAlgorithm } from "../define.ts";
import type { MemoKey } from "../memory.ts";
import { resultOf } from "../needs.ts";
import {
  byColumn,
  factorOf,
  type NewtonBlocks,
  type NewtonColumn,
  type NewtonFit,
  type NewtonSetting,
  type NewtonState,
  newtonAdvance,
  newtonBlocks,
  newtonContribution,
  newtonParameters,
  newtonSensitivity,
  newtonStart,
  newtonState,
  waldResult,
  waldTests,
} from "../newton.ts";
import { invertCholesky } from "../numerics/linear-algebra.ts";
import { probabilityOf } from "../numerics/logistic-sums.ts";
import { agreed } from "../numerics/rounding.ts";
import { resultName } from "../parameters.ts";
import { checkRows } from "../rows.ts";
import { featureSchema } from "../study.ts";
import type { Table } from "../table.ts";
import { type WoeColumn, type WoeResult, woe, woeColumnSchema } from "./woe.ts";

const parameters = z.strictObject({
  woe: resultName("woe"),
  minIv: z
    .number()
    .min(0)
    .default(0.02)
    .describe("information value that a column has at least; others are left out"),
  pointsToDouble: z.number().positive().default(50).describe("points that double the odds of good"),
  basePoints: z.number().default(600).describe("points at the base odds"),
  baseOdds: z.number().positive().default(19).describe("good to bad rows at the base points"),
  ...newtonParameters,
});

const result = z
  .strictObject({
    /** Log-odds of bad at WOE 0. */
    intercept: z.number(),
    /** What one more of a column's WOE adds to the log-odds of bad: below zero where the column says what its bins do. */
    coefficients: byColumn,
    ...waldResult,
    /** Columns without a coefficient because they follow from columns before them, as R's `glm` aliases them. */
    aliased: z.array(z.string()).exactOptional(),
    /** Columns whose coefficient contradicts their bins: usually another column says the same. */
    againstExpectation: z.array(z.string()),
    logLikelihood: z.number(),
    converged: z.boolean(),
    rows: z.int().min(0),
    good: z.int().min(1),
    bad: z.int().min(1),
    features: z.array(featureSchema),
    /** Of all features; those without a coefficient are not scored. */
    columns: z.record(z.string(), woeColumnSchema),
    /** By column: of each bin, whole. A row's points are the sum over its bins. */
    points: z.record(z.string(), z.array(z.int())),
  })
  .refine(
    ({ features, columns }) => features.every((feature) => fits(feature, columns[feature.name]?.binned)),
    { error: "a feature has no bins of its kind" },
  )
  .refine(
    ({ coefficients, columns, points }) =>
      Object.keys(coefficients).every(
        (name) => columns[name] !== undefined && points[name]?.length === columns[name].bins.length,
      ),
    { error: "a column has no points of its bins" },
  );

export type ScorecardResult = Readonly<z.output<typeof result>>;

type Types = {
  params: z.output<typeof parameters>;
  prior: { readonly woe: WoeResult };
  state: NewtonState;
  result: ScorecardResult;
  blocks: NewtonBlocks;
};

/**
 * Logistic regression on WOE, and points for every bin. Points are linear in the log-odds: `basePoints` at `baseOdds`,
 * `pointsToDouble` more for twice the odds; what belongs to no column is spread evenly over them.
 * @see Siddiqi 2017, Intelligent Credit Scoring, 10
 */
export const scorecard = defineAlgorithm<Types>({
  name: "scorecard",
  parameters,
  result,
  needs: (params) => ({ woe: resultOf(woe, params.woe) }),
  maxSteps: ({ maxIterations }) => maxIterations,

  start: (study) => ({ next: newtonStart(settingOf(study)) }),

  state: (study) => newtonState(settingOf(study)),

  blocks: (state, study) => newtonBlocks(state, settingOf(study), study.schema.maxRowsPerParty),

  contribute(state, { training, memo }, study) {
    const setting = settingOf(study);
    const matrix = memo.keep(matrixKey, () => {
      checkRows(study.schema, training);
      return matrixOf(setting.columns, study.prior.woe, training);
    });
    return newtonContribution(state, [{ matrix, label: training.label }], training.rows);
  },

  advance(state, sums, study) {
    const setting = settingOf(study);
    const outcome = newtonAdvance(state, sums, setting);
    return "done" in outcome ? { done: fittedCard(outcome.done, setting.columns, study) } : outcome;
  },

  sensitivity: (state, study) => newtonSensitivity(state, settingOf(study)),

  features: ({ features }) => features,

  score(model, rows) {
    const effects = effectsOf(model, rows, () => 0);
    return Float64Array.from({ length: rows.rows }, (_, row) =>
      probabilityOf(effects.reduce((sum, { effect }) => sum + effect[row]!, model.intercept)),
    );
  },

  portable({ features, columns, coefficients, points, intercept }) {
    const scored = features.flatMap(({ name }) =>
      coefficients[name] === undefined ? [] : [{ name, ...columns[name]! }],
    );
    return {
      kind: "terms",
      features,
      base: intercept,
      terms: scored.map(({ name, binned, bins }) => ({
        kind: "bins",
        feature: name,
        binned,
        effects: bins.map(({ woe }) => coefficients[name]! * woe),
      })),
      points: scored.map(({ name, binned, bins }) => ({
        feature: name,
        binned,
        points: points[name]!,
        average: averageOf(bins, points[name]!),
      })),
    };
  },

  points({ features, columns, points }, rows) {
    const all = new Int32Array(rows.rows);
    for (const feature of features) {
      const own = points[feature.name];
      if (own === undefined) continue;
      for (const [row, bin] of binsOf(columns[feature.name]!.binned, feature, rows).entries())
        all[row]! += own[bin]!;
    }
    return all;
  },

  explain(model, rows) {
    const effects = effectsOf(model, rows, meanWoe);
    return Array.from({ length: rows.rows }, (_, row) =>
      effects.map(({ feature, effect }) => ({ feature, effect: effect[row]! })),
    );
  },

  exports: {
    /** The table that analysts read: a line for each bin. */
    csv: async (model) => [{ name: "scorecard.csv", bytes: Buffer.from(tableText(model)) }],
  },
});

const matrixKey: MemoKey<Float64Array> = { name: "WOE matrix" };

/** Columns in units of their largest WOE, so that no entry exceeds 1. @throws Refusal column_constant */
function settingOf({ params, prior }: Study<Types>): NewtonSetting {
  const columns = prior.woe.features.flatMap(({ name }): NewtonColumn[] => {
    const { iv, bins } = prior.woe.columns[name]!;
    const scale = Math.max(...bins.map((bin) => Math.abs(bin.woe)));
    return scale > 0 && iv >= params.minIv
      ? [{ name, feature: name, kind: "value", mean: 0, scale, bound: 1 }]
      : [];
  });
  if (columns.length === 0)
    throw new Refusal("column_constant", `no column has an information value of ${params.minIv} or more`, {
      hint: "lower minIv, or choose other columns",
    });
  return { columns, params };
}

/** @returns WOE in units of its column's largest, row-major. */
function matrixOf(columns: readonly NewtonColumn[], { features, columns: woes }: WoeResult, rows: Table) {
  const matrix = new Float64Array(rows.rows * columns.length);
  for (const [j, { name, scale }] of columns.entries()) {
    const { binned, bins } = woes[name]!;
    const own = binsOf(binned, features.find((feature) => feature.name === name)!, rows);
    for (let row = 0; row < own.length; row++)
      matrix[row * columns.length + j] = bins[own[row]!]!.woe / scale;
  }
  return matrix;
}

function fittedCard(
  { state, at, converged }: NewtonFit,
  columns: readonly NewtonColumn[],
  { params, prior }: Study<Types>,
): ScorecardResult {
  const { good, bad, features, columns: woes } = prior.woe;
  const [intercept, ...weights] = state.weights as [number, ...number[]];
  const named = <T>(values: readonly T[]): Record<string, T> =>
    Object.fromEntries(
      columns.flatMap(({ name }, j) => (state.aliased.includes(j + 1) ? [] : [[name, values[j]!]])),
    );
  const carried = columns.length - state.aliased.length;
  const coefficients = weights.map((w, j) => w / columns[j]!.scale);
  const perLogOdds = params.pointsToDouble / Math.LN2;
  const base = params.basePoints - perLogOdds * (agreed(Math.log(params.baseOdds)) + intercept);
  const points = columns.map(({ name }, j) =>
    woes[name]!.bins.map(({ woe }) => Math.round(base / carried - perLogOdds * coefficients[j]! * woe)),
  );
  const fitted = {
    intercept,
    coefficients: named(coefficients),
    againstExpectation: columns.flatMap(({ name }, j) => (coefficients[j]! > 0 ? [name] : [])),
    logLikelihood: at.logLikelihood,
    converged,
    rows: at.rows,
    good,
    bad,
    features,
    columns: woes,
    points: named(points),
    ...(state.aliased.length === 0
      ? {}
      : { aliased: state.aliased.map((place) => columns[place - 1]!.name).sort() }),
  };
  if (params.penalty > 0) return fitted;
  const n = state.weights.length;
  const covariance = invertCholesky(factorOf(state, at, columns));
  const errors = state.weights.map(
    (_, j) => Math.sqrt(covariance[j * n + j]!) / (columns[j - 1]?.scale ?? 1),
  );
  const withIntercept = ([first, ...rest]: readonly number[]) => ({ intercept: first!, ...named(rest) });
  return { ...fitted, ...waldTests([intercept, ...coefficients], errors, withIntercept) };
}

const meanWoe = ({ bins }: WoeColumn): number =>
  averageOf(
    bins,
    bins.map(({ woe }) => woe),
  );

/** @returns the mean of what bins have, over the rows that they were counted on. */
function averageOf(bins: WoeColumn["bins"], values: readonly number[]): number {
  const rows = bins.reduce((sum, { good, bad }) => sum + good + bad, 0);
  return bins.reduce((sum, { good, bad }, bin) => sum + ((good + bad) / rows) * values[bin]!, 0);
}

/**
 * @returns by how much each feature moves the log-odds of bad from where the WOE is `baseline`, in the features' order.
 * @throws Refusal value_not_finite | column_unknown, naming the column
 */
function effectsOf(
  { features, columns, coefficients }: ScorecardResult,
  rows: Table,
  baseline: (column: WoeColumn) => number,
) {
  checkRows({ features, maxRowsPerParty: Infinity }, rows);
  return features.map((feature) => {
    const column = columns[feature.name]!;
    const coefficient = coefficients[feature.name] ?? 0;
    const effects = column.bins.map(({ woe }) => coefficient * (woe - baseline(column)));
    const bins = binsOf(column.binned, feature, rows);
    return { feature: feature.name, effect: Float64Array.from(bins, (bin) => effects[bin]!) };
  });
}

function tableText({ features, columns, points, good, bad }: ScorecardResult): string {
  const lines = features.flatMap((feature) => {
    const { binned, bins } = columns[feature.name]!;
    const levels = feature.kind === "categorical" ? feature.levels : [];
    return bins.map((bin, i) => {
      const rows = bin.good + bin.bad;
      const cells = [
        feature.name,
        binName(binned, levels, i),
        rows,
        rows / (good + bad),
        bin.good,
        bin.bad,
        rows === 0 ? "" : bin.bad / rows,
        bin.woe,
        bin.iv,
        points[feature.name]?.[i] ?? "",
      ];
      return cells.map(csvCell).join(",");
    });
  });
  const head = "variable,bin,count,count_distr,good,bad,badprob,woe,bin_iv,points";
  return `${[head, ...lines].join("\n")}\n`;
}
