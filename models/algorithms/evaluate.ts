import { z } from "zod";
import type { Model } from "../algorithm.ts";
import { type Count, count, type Sum, sum } from "../blocks.ts";
import { defineAlgorithm } from "../define.ts";
import { modelsNamed } from "../needs.ts";
import { binOf, evaluationSchema, metricsFrom, scoreBins } from "../numerics/metrics.ts";
import { powerOfTwo } from "../numerics/powers-of-two.ts";
import { nameSchema } from "../parameters.ts";
import { checkRows } from "../rows.ts";

const parameters = z.strictObject({
  models: z
    .array(nameSchema)
    .min(1)
    .optional()
    .describe("names of the results to evaluate; all models that ran before by default"),
});

const result = z.strictObject({ models: z.record(z.string(), evaluationSchema) });

export type EvaluateResult = z.output<typeof result>;

/** Of each model, by name. */
type Counts = { readonly [rows: `${"good" | "bad" | "calledBad"}.${string}`]: Count };
type Errors = { readonly [error: `squaredError.${string}`]: Sum };

/** How well every model of the study scores held-out rows, from sums of histograms. */
export const evaluate = defineAlgorithm<{
  params: z.output<typeof parameters>;
  prior: { readonly models: ReadonlyMap<string, Model> };
  state: object;
  result: EvaluateResult;
  blocks: Counts & Errors;
}>({
  name: "evaluate",
  parameters,
  result,
  needs: ({ models }) => ({ models: modelsNamed(models) }),
  maxSteps: () => 1,
  start: () => ({ next: {} }),
  state: () => z.strictObject({}),

  blocks(_, { schema, prior }) {
    const counts: Counts = ofEach(prior.models, (name) => ({
      [`good.${name}`]: count(scoreBins),
      [`bad.${name}`]: count(scoreBins),
      // Good and bad rows that score 0.5 or more.
      [`calledBad.${name}`]: count(2),
    }));
    // Σ squared error ≤ rows; a grid of 2⁻⁴⁰ keeps the Brier score to 12 digits.
    const errors: Errors = ofEach(prior.models, (name) => ({
      [`squaredError.${name}`]: sum(1, schema.maxRowsPerParty, powerOfTwo(-40)),
    }));
    return { ...counts, ...errors };
  },

  contribute(_, { heldOut }, { schema, prior }) {
    checkRows(schema, heldOut);
    return ofEach(prior.models, (name, model) => {
      const scores = model.score(heldOut);
      const bins = [new Float64Array(scoreBins), new Float64Array(scoreBins)] as const;
      const calledBad = new Float64Array(2);
      let squaredError = 0;
      for (let row = 0; row < heldOut.rows; row++) {
        const score = scores[row]!;
        const bad = heldOut.label[row] === 1 ? 1 : 0;
        bins[bad][binOf(score)]! += 1;
        if (score >= 0.5) calledBad[bad]! += 1;
        squaredError += (score - bad) ** 2;
      }
      return {
        [`good.${name}`]: bins[0],
        [`bad.${name}`]: bins[1],
        [`calledBad.${name}`]: calledBad,
        [`squaredError.${name}`]: [squaredError],
      };
    });
  },

  advance: (_, sums, { prior }) => ({
    done: {
      models: ofEach(prior.models, (name) => ({
        [name]: metricsFrom({
          good: sums[`good.${name}`]!,
          bad: sums[`bad.${name}`]!,
          goodCalledBad: sums[`calledBad.${name}`]![0]!,
          badCalledBad: sums[`calledBad.${name}`]![1]!,
          squaredError: sums[`squaredError.${name}`]![0]!,
        }),
      })),
    },
  }),

  // A row is in one bin of its class; its squared error is at most 1.
  sensitivity: (_, { prior }) =>
    ofEach(prior.models, (name) => ({
      [`good.${name}`]: 1,
      [`bad.${name}`]: 1,
      [`calledBad.${name}`]: 1,
      [`squaredError.${name}`]: 1,
    })),
});

/** @returns what `make` gives for each model, put together. */
const ofEach = <T>(
  models: ReadonlyMap<string, Model>,
  make: (name: string, model: Model) => Readonly<Record<string, T>>,
): Record<string, T> => Object.assign({}, ...[...models].map(([name, model]) => make(name, model)));
