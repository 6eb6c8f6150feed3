import { z } from "zod";
import type { Study } from "../algorithm.ts";
import { defineAlgorithm } from "../define.ts";
import {
  type Design,
  type DesignBasis,
  designFrom,
  designMatrix,
  designNeeds,
  designParameters,
  designSchema,
  trainingParts,
} from "../design.ts";
import {
  byColumn,
  factorOf,
  type NewtonBlocks,
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
import type { Term } from "../portable.ts";
import type { FeatureSchema } from "../table.ts";

const parameters = z.strictObject({
  ...designParameters,
  ...newtonParameters,
});

const result = z
  .strictObject({
    /** Coefficients in the data's own units: what one more of a column's unit adds to the log-odds of bad. */
    intercept: z.number(),
    coefficients: byColumn,
    ...waldResult,
    logLikelihood: z.number(),
    /** Newton steps taken. */
    iterations: z.int().min(1),
    /**
     * False where parties kept coming and going, so that every sum was of other rows and no step was the last:
     * the estimate is then as far from maximum likelihood as the cohorts are from each other.
     */
    converged: z.boolean(),
    /**
     * Left out, without a coefficient: features of one value, and columns that follow from columns before them, as R's
     * `glm` aliases them. Under a penalty only the former.
     */
    aliased: z.array(z.string()).exactOptional(),
    /** What a missing value stands at, where any is missing. */
    imputed: byColumn,
    rows: z.int().min(0),
    design: designSchema,
  })
  .refine(
    ({ coefficients, design, aliased }) =>
      design.columns.every(({ name }) => Object.hasOwn(coefficients, name) || aliased?.includes(name)),
    {
      error: "a column of the design has no coefficient",
    },
  );

export type LogisticResult = Readonly<z.output<typeof result>>;

type Types = {
  params: z.output<typeof parameters>;
  prior: DesignBasis;
  state: NewtonState;
  result: LogisticResult;
  blocks: NewtonBlocks;
};

/** A study's design with what the bank's steps need beside it. */
interface Setting extends NewtonSetting {
  readonly design: Design;
}

function settingOf({ schema, params, prior }: Study<Types>): Setting {
  const design = designFrom(schema, prior);
  return { design, columns: design.columns, otherwise: (feature) => firstLevel(design, feature), params };
}

/** @returns the name of the level that has no column of its own. */
function firstLevel({ features, known }: Design, name: string): string {
  const feature = features.find((one) => one.name === name);
  const first = known[name]?.find((code) => code >= 0);
  return feature?.kind === "categorical" && first !== undefined
    ? `${name}=${feature.levels[first]}`
    : `${name} where it is not missing`;
}

/**
 * Maximum likelihood by Newton's method (iteratively reweighted least squares) on the pooled rows: gradient,
 * Hessian and log-likelihood are sums over rows, so that federated and pooled take the same steps.
 * @see McCullagh and Nelder 1989, Generalized Linear Models, 2.5
 * @see Friedman, Hastie and Tibshirani 2010, doi:10.18637/jss.v033.i01, for the penalized objective
 */
export const logistic = defineAlgorithm<Types>({
  name: "logistic",
  parameters,
  result,
  needs: designNeeds,
  maxSteps: ({ maxIterations }) => maxIterations,

  start: (study) => ({ next: newtonStart(settingOf(study)) }),

  state: (study) => newtonState(settingOf(study)),

  blocks: (state, study) => newtonBlocks(state, settingOf(study), study.schema.maxRowsPerParty),

  contribute(state, party, study) {
    const parts = trainingParts(settingOf(study).design, study.schema, party);
    return newtonContribution(state, parts, party.training.rows);
  },

  advance(state, sums, study) {
    const setting = settingOf(study);
    const outcome = newtonAdvance(state, sums, setting);
    return "done" in outcome ? { done: resultOf(outcome.done, setting) } : outcome;
  },

  sensitivity: (state, study) => newtonSensitivity(state, settingOf(study)),

  features: ({ design }) => design.features,

  score(model, rows) {
    const { columns } = model.design;
    const matrix = designMatrix(model.design, rows);
    const slopes = slopesOf(model);
    const start = columns.reduce(
      (sum, { name, mean }) => sum + (model.coefficients[name] ?? 0) * mean,
      model.intercept,
    );
    return Float64Array.from({ length: rows.rows }, (_, row) => {
      let logOdds = start;
      for (let j = 0; j < columns.length; j++) logOdds += slopes[j]! * matrix[row * columns.length + j]!;
      return probabilityOf(logOdds);
    });
  },

  portable: ({ intercept, coefficients, design }) => {
    const { columns, features } = design;
    const start = columns.reduce((sum, { name, mean }) => sum + (coefficients[name] ?? 0) * mean, intercept);
    return {
      kind: "terms",
      features,
      base: start,
      terms: features.map((feature) => termOf(feature, { coefficients, design })),
    };
  },

  explain(model, rows) {
    const { columns, features } = model.design;
    const matrix = designMatrix(model.design, rows);
    const slopes = slopesOf(model);
    return Array.from({ length: rows.rows }, (_, row) =>
      features.map(({ name: feature }) => ({
        feature,
        effect: columns.reduce(
          (sum, column, j) =>
            column.feature === feature ? sum + slopes[j]! * matrix[row * columns.length + j]! : sum,
          0,
        ),
      })),
    );
  },
});

/** @returns what a feature adds where each of its columns that is unknown adds nothing. */
function termOf(
  feature: FeatureSchema,
  { coefficients, design: { columns, known } }: Pick<LogisticResult, "coefficients" | "design">,
): Term {
  const own = columns.filter((column) => column.feature === feature.name);
  const indicators = own.filter(({ kind }) => kind !== "value");
  const entry = (code: number) =>
    indicators.reduce(
      (sum, column) =>
        sum + (coefficients[column.name] ?? 0) * ((code === column.code ? 1 : 0) - column.mean),
      0,
    );
  if (feature.kind === "categorical") {
    const effect = (code: number) => (known[feature.name]!.includes(code) ? entry(code) : 0);
    return {
      kind: "levels",
      feature: feature.name,
      effects: feature.levels.map((_, code) => effect(code)),
      missing: effect(-1),
    };
  }
  // A feature of one value has no column of it.
  const value = own.find(({ kind }) => kind === "value");
  const absent = indicators.find(({ kind }) => kind === "missing");
  const weight = absent === undefined ? 0 : (coefficients[absent.name] ?? 0);
  const share = absent?.mean ?? 0;
  return {
    kind: "linear",
    feature: feature.name,
    slope: value === undefined ? 0 : (coefficients[value.name] ?? 0),
    mean: value?.mean ?? 0,
    constant: -weight * share,
    missing: weight * (1 - share),
  };
}

/** @returns what one standard deviation of each column adds: where a value is unknown its column adds nothing. */
const slopesOf = ({ coefficients, design }: LogisticResult): number[] =>
  design.columns.map(({ name, scale }) => (coefficients[name] ?? 0) * scale);

function resultOf({ state, at, converged }: NewtonFit, setting: Setting): LogisticResult {
  const { design, params } = setting;
  const { columns } = design;
  const [intercept, ...slopes] = state.weights as [number, ...number[]];
  // In own units b = T·w: b_j = w_j / scale_j, b_0 = w_0 − Σ w_j · mean_j / scale_j.
  const shifts = columns.map(({ mean, scale }) => -mean / scale);
  const named = (values: readonly number[]) =>
    Object.fromEntries(
      columns.flatMap(({ name }, j) => (state.aliased.includes(j + 1) ? [] : [[name, values[j]!]])),
    );
  const aliased = [
    ...(design.constant ?? []),
    ...state.aliased.map((place) => columns[place - 1]!.name),
  ].sort();
  const coefficients = slopes.map((w, j) => w / columns[j]!.scale);
  const own = intercept + slopes.reduce((sum, w, j) => sum + w * shifts[j]!, 0);
  const imputed = columns
    .filter(({ kind, feature }) => kind === "missing" && columns.some(({ name }) => name === feature))
    .map(({ feature }) => [feature, columns.find(({ name }) => name === feature)!.mean] as const);
  const result = {
    intercept: own,
    coefficients: named(coefficients),
    logLikelihood: at.logLikelihood,
    iterations: state.iterations,
    converged,
    imputed: Object.fromEntries(imputed),
    rows: at.rows,
    design,
    ...(aliased.length === 0 ? {} : { aliased }),
  };
  if (params.penalty > 0) return result;
  const errors = standardErrors(state, at, setting, shifts);
  const withIntercept = ([first, ...rest]: readonly number[]) => ({ intercept: first!, ...named(rest) });
  return { ...result, ...waldTests([own, ...coefficients], errors, withIntercept) };
}

/** @returns √diag(T · H⁻¹ · Tᵀ), intercept first. */
function standardErrors(
  state: NewtonState,
  at: NewtonFit["at"],
  { columns }: Setting,
  shifts: readonly number[],
): number[] {
  const n = state.weights.length;
  const covariance = invertCholesky(factorOf(state, at, columns));
  // What is aliased stands in the matrix with a variance of its own, which is nobody's.
  const first = [1, ...shifts].map((x, place) => (state.aliased.includes(place) ? 0 : x));
  let variance = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) variance += first[i]! * first[j]! * covariance[i * n + j]!;
  const slopes = columns.map(({ scale }, j) => Math.sqrt(covariance[(j + 1) * n + j + 1]!) / scale);
  return [Math.sqrt(variance), ...slopes];
}
