import type { Json, PriorResults } from "./algorithm.ts";
import type { LogisticResult } from "./algorithms/logistic.ts";
import type { NeuralResult } from "./algorithms/neural.ts";
import { designMatrix } from "./algorithms/standardize.ts";
import { forward, networkOf } from "./network/mlp.ts";
import { decodeWeights } from "./network/weights.ts";
import type { Table } from "./table.ts";

/** A result that scores rows. */
export type ModelResult = LogisticResult | NeuralResult;

/** @returns the results that score rows, by algorithm name. */
export const modelsOf = (results: PriorResults): Record<string, ModelResult> =>
  Object.fromEntries(
    Object.entries(results).filter((entry): entry is [string, ModelResult] => isModel(entry[1])),
  );

const isModel = (result: Json): result is ModelResult =>
  typeof result === "object" && result !== null && "model" in result;

/**
 * Scores rows with a finished model; needs no label.
 * @returns the probability of bad, shape [table.rows].
 * @throws Refusal value_not_finite | column_unknown, naming the column
 */
export function scoreRows(model: ModelResult, table: Table): Float64Array {
  const matrix = designMatrix(model.design, table);
  const width = model.design.columns.length;
  if (model.model === "neural")
    return forward(networkOf(width, model.hidden), Float64Array.from(decodeWeights(model.weights)), matrix);
  // In standardized units: where a value is unknown its column stands at the mean and adds nothing.
  const slopes = model.design.columns.map(({ name, scale }) => model.coefficients[name]! * scale);
  const start = model.design.columns.reduce(
    (sum, { name, mean }) => sum + model.coefficients[name]! * mean,
    model.intercept,
  );
  return Float64Array.from({ length: table.rows }, (_, row) => {
    let logOdds = start;
    for (let j = 0; j < width; j++) logOdds += slopes[j]! * matrix[row * width + j]!;
    return logistic(logOdds);
  });
}

/** @returns 1 / (1 + e⁻ˣ). */
const logistic = (x: number): number => {
  const decay = Math.exp(-Math.abs(x));
  return (x >= 0 ? 1 : decay) / (1 + decay);
};
