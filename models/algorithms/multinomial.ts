import { z } from "zod";
import { Refusal } from "../../core/reasons.ts";
import type { Study } from "../algorithm.ts";
import { type Count, count } from "../blocks.ts";
import { defineAlgorithm } from "../define.ts";
import {
  type Design,
  type DesignBasis,
  designFrom,
  designMatrix,
  designNeeds,
  designParameters,
  designSchema,
  trainingMatrix,
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
  newtonEntries,
  newtonParameters,
  newtonSensitivity,
  newtonStart,
  newtonState,
  waldResult,
  waldTests,
} from "../newton.ts";
import { invertCholesky } from "../numerics/linear-algebra.ts";
import { multinomialSums, sharesOf } from "../numerics/multinomial-sums.ts";
import type { Outcome } from "../table.ts";

const parameters = z.strictObject({
  ...designParameters,
  penalty: newtonParameters.penalty.describe(
    "weight of a ridge on the mean log-loss: on how far each outcome's standardized coefficients are from the mean of all outcomes'; 0 is maximum likelihood",
  ),
  maxIterations: newtonParameters.maxIterations,
});

const level = z.strictObject({
  /** What adds to the logarithm of this outcome's probability over the base's, in the data's own units. */
  intercept: z.number(),
  coefficients: byColumn,
  ...waldResult,
});

const outcomes = z
  .array(z.strictObject({ value: z.string(), bad: z.boolean() }))
  .min(2)
  .max(256);

const result = z
  .strictObject({
    /** The label's values, good ones first; the first is the base that all others stand against. */
    outcomes,
    /** By outcome but the base. */
    levels: z.record(z.string(), level),
    logLikelihood: z.number(),
    iterations: z.int().min(1),
    converged: z.boolean(),
    /** As `outcome: column`; as logistic regression has it. */
    aliased: z.array(z.string()).exactOptional(),
    rows: z.int().min(0),
    design: designSchema,
  })
  .refine(
    ({ outcomes, levels, design }) =>
      outcomes
        .slice(1)
        .every(
          ({ value }) =>
            Object.hasOwn(levels, value) &&
            design.columns.every(({ name }) => Object.hasOwn(levels[value]!.coefficients, name)),
        ),
    { error: "an outcome has no coefficient of a column" },
  );

type MultinomialResult = Readonly<z.output<typeof result>>;

type Types = {
  params: z.output<typeof parameters>;
  prior: DesignBasis;
  state: NewtonState;
  result: MultinomialResult;
  blocks: NewtonBlocks & { readonly outcomes: Count };
};

interface Setting extends NewtonSetting {
  readonly design: Design;
  readonly outcomes: readonly Outcome[];
}

const interceptOf = (value: string) => ({
  name: `${value}: intercept`,
  feature: value,
  kind: "level" as const,
  mean: 0,
  scale: 1,
  bound: 1,
});

/** Newton's columns are those of every outcome but the base, one outcome after the other. */
function settingOf({ schema, params, prior }: Study<Types>): Setting {
  const design = designFrom(schema, prior);
  const { outcomes } = schema;
  const columns = outcomes
    .slice(1)
    .flatMap(({ value }, k) => [
      ...(k === 0 ? [] : [interceptOf(value)]),
      ...design.columns.map((column) => ({ ...column, name: `${value}: ${column.name}` })),
    ]);
  const newton = { ...params, l1Ratio: 0 };
  return { design, outcomes, columns, outcomeCount: outcomes.length, params: newton };
}

/**
 * Multinomial logistic regression over the label's values, such as five levels of repayment: maximum likelihood, or
 * under a ridge, by Newton's method on the pooled rows. As a model it gives the probability that the outcome is one of the bad ones.
 * @see Agresti 2013, Categorical Data Analysis, 8.1
 */
export const multinomial = defineAlgorithm<Types>({
  name: "multinomial",
  parameters,
  result,
  needs: designNeeds,
  maxSteps: ({ maxIterations }) => maxIterations,

  start: (study) => ({ next: newtonStart(settingOf(study)) }),

  state: (study) => newtonState(settingOf(study)),

  blocks(state, study) {
    const newton = newtonBlocks(state, settingOf(study), study.schema.maxRowsPerParty);
    return { outcomes: count(study.schema.outcomes.length), ...newton };
  },

  contribute(state, party, study) {
    const { design, outcomes } = settingOf(study);
    const matrix = trainingMatrix(design, study.schema, party);
    const { outcome } = party.training;
    const at = multinomialSums(Float64Array.from(state.weights), matrix, design.columns.length, outcome);
    const rows = new Float64Array(outcomes.length);
    for (const code of outcome) rows[code]! += 1;
    return { outcomes: rows, ...newtonEntries(at, outcome.length) };
  },

  advance(state, sums, study) {
    const setting = settingOf(study);
    const none = setting.outcomes.find((_, i) => sums.outcomes[i] === 0);
    if (none !== undefined)
      throw new Refusal("single_class", `no training row's label is "${none.value}"`, {
        hint: "leave the value out of label.good and label.bad",
      });
    const outcome = newtonAdvance(state, sums, setting);
    return "done" in outcome ? { done: resultOf(outcome.done, setting) } : outcome;
  },

  sensitivity: (state, study) => ({ outcomes: 1, ...newtonSensitivity(state, settingOf(study)) }),

  features: ({ design }) => design.features,

  score(model, rows) {
    const { columns } = model.design;
    const matrix = designMatrix(model.design, rows);
    const weights = model.outcomes.slice(1).flatMap(({ value }) => {
      const { intercept, coefficients } = model.levels[value]!;
      const start = columns.reduce((sum, { name, mean }) => sum + coefficients[name]! * mean, intercept);
      return [start, ...columns.map(({ name, scale }) => coefficients[name]! * scale)];
    });
    const row = new Float64Array(columns.length + 1).fill(1);
    return Float64Array.from({ length: rows.rows }, (_, r) => {
      for (let j = 0; j < columns.length; j++) row[j + 1] = matrix[r * columns.length + j]!;
      const { shares } = sharesOf(weights, row, model.outcomes.length - 1);
      return Math.min(
        1,
        model.outcomes.reduce((sum, { bad }, k) => (bad ? sum + shares[k]! : sum), 0),
      );
    });
  },
});

function resultOf({ state, at, converged }: NewtonFit, setting: Setting): MultinomialResult {
  const { design, outcomes, columns } = setting;
  const { penalty } = setting.params;
  const each = design.columns.length + 1;
  const n = state.weights.length;
  const covariance = penalty > 0 ? undefined : invertCholesky(factorOf(state, at, columns));
  const shifts = [1, ...design.columns.map(({ mean, scale }) => -mean / scale)];
  const levels = outcomes.slice(1).map(({ value }, k) => {
    const [start, ...slopes] = state.weights.slice(k * each, (k + 1) * each) as [number, ...number[]];
    // In own units b = T·w: b_j = w_j / scale_j, b_0 = w_0 − Σ w_j · mean_j / scale_j.
    const intercept = slopes.reduce((sum, w, j) => sum + w * shifts[j + 1]!, start);
    const coefficients = slopes.map((w, j) => w / design.columns[j]!.scale);
    const own = {
      intercept,
      coefficients: Object.fromEntries(design.columns.map(({ name }, j) => [name, coefficients[j]!])),
    };
    if (covariance === undefined) return [value, own] as const;
    const entry = (i: number, j: number): number => covariance[(k * each + i) * n + k * each + j]!;
    // What is aliased stands in the matrix with a variance of its own, which is nobody's.
    const first = shifts.map((x, i) => (state.aliased.includes(k * each + i) ? 0 : x));
    let variance = 0;
    for (let i = 0; i < each; i++)
      for (let j = 0; j < each; j++) variance += first[i]! * first[j]! * entry(i, j);
    const errors = [
      Math.sqrt(variance),
      ...design.columns.map(({ scale }, j) => Math.sqrt(entry(j + 1, j + 1)) / scale),
    ];
    const named = (values: readonly number[]) => ({
      intercept: values[0]!,
      ...Object.fromEntries(
        design.columns.flatMap(({ name }, j) =>
          state.aliased.includes(k * each + j + 1) ? [] : [[name, values[j + 1]!]],
        ),
      ),
    });
    return [value, { ...own, ...waldTests([intercept, ...coefficients], errors, named) }] as const;
  });
  return {
    outcomes: outcomes.map((outcome) => ({ ...outcome })),
    levels: Object.fromEntries(levels),
    logLikelihood: at.logLikelihood,
    iterations: state.iterations,
    converged,
    rows: at.rows,
    design,
    ...(state.aliased.length === 0
      ? {}
      : { aliased: state.aliased.map((place) => columns[place - 1]!.name).sort() }),
  };
}
