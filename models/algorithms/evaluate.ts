import { z } from "zod";
import { Refusal } from "../../core/reasons.ts";
import type { FederatedAlgorithm } from "../algorithm.ts";
import { binOf, type Evaluation, metricsFrom, scoreBins } from "../numerics/metrics.ts";
import { parseParameters } from "../parameters.ts";
import { checkRows } from "../rows.ts";
import { type ModelResult, modelsOf, scoreRows } from "../score.ts";
import type { StudySchema } from "../table.ts";

const parameters = z.strictObject({});

export type EvaluateResult = { readonly models: { readonly [algorithm: string]: Evaluation } };

type EvaluateState = {
  readonly features: StudySchema["features"];
  readonly maxRowsPerParty: number;
  readonly models: { readonly [algorithm: string]: ModelResult };
  readonly result: EvaluateResult | null;
};

/** Per model: bins of good, bins of bad, good and bad called bad at 0.5. */
const countsPerModel = 2 * scoreBins + 2;

/** How well every model of the study scores held-out rows, from sums of histograms. */
export const evaluate: FederatedAlgorithm<EvaluateState, EvaluateResult> = {
  name: "evaluate",
  parameters,
  needs: [["logistic", "neural"]],
  rows: "heldOut",

  start(schema, params, prior) {
    parseParameters("evaluate", parameters, params);
    const models = modelsOf(prior);
    if (Object.keys(models).length === 0)
      throw new Refusal("parameters_invalid", "evaluate needs a model", {
        hint: "list logistic or neural before evaluate under algorithms",
      });
    return { features: schema.features, maxRowsPerParty: schema.maxRowsPerParty, models, result: null };
  },

  layout(state) {
    const models = modelNames(state).length;
    const rows = state.maxRowsPerParty;
    return {
      blocks: [
        { name: "counts", length: models * countsPerModel, bound: rows, step: 1 },
        // Σ squared error ≤ rows; a grid of 2⁻⁴⁰ keeps the Brier score to 12 digits.
        { name: "squaredError", length: models, bound: rows, step: 2 ** -40 },
      ],
    };
  },

  contribute(state, table) {
    checkRows(state, table);
    const names = modelNames(state);
    const out = new Float64Array(names.length * (countsPerModel + 1));
    for (const [m, name] of names.entries()) {
      const scores = scoreRows(state.models[name]!, table);
      const counts = out.subarray(m * countsPerModel);
      for (let row = 0; row < table.rows; row++) {
        const score = scores[row]!;
        const bad = table.label[row]!;
        counts[bad * scoreBins + binOf(score)]! += 1;
        if (score >= 0.5) counts[2 * scoreBins + bad]! += 1;
        out[names.length * countsPerModel + m]! += (score - bad) ** 2;
      }
    }
    return out;
  },

  advance(state, sum) {
    const names = modelNames(state);
    const models = names.map((name, m) => {
      const counts = sum.values.subarray(m * countsPerModel, (m + 1) * countsPerModel);
      return [
        name,
        metricsFrom({
          good: counts.subarray(0, scoreBins),
          bad: counts.subarray(scoreBins, 2 * scoreBins),
          goodCalledBad: counts[2 * scoreBins]!,
          badCalledBad: counts[2 * scoreBins + 1]!,
          squaredError: sum.values[names.length * countsPerModel + m]!,
        }),
      ] as const;
    });
    return { ...state, result: { models: Object.fromEntries(models) } };
  },

  result: (state) => state.result ?? undefined,
};

/** Sorted: the order survives canonical JSON. */
const modelNames = (state: EvaluateState): string[] => Object.keys(state.models).sort();
