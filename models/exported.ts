import { Refusal } from "../core/reasons.ts";
import type { ExportedFile } from "./algorithm.ts";
import { parsePublic } from "./parameters.ts";
import { modelsOf, studyResultsSchema } from "./results.ts";

/** Formats of models, for the help of commands. */
export const formatsText =
  "onnx; pmml; csv: a scorecard's table; layers: what tf.loadLayersModel of TensorFlow.js reads";

export interface ExportChoice {
  readonly format: string;
  /** Name of the result; the only one that has the format where absent. */
  readonly result?: string;
}

/**
 * @param document - a study's model as published: JSON.
 * @returns files of a model in a format of its own.
 * @throws Refusal usage, not_found, state_invalid
 */
export async function exportedFiles(
  document: unknown,
  { format, result }: ExportChoice,
): Promise<readonly ExportedFile[]> {
  const models = [...modelsOf(parsePublic("model", studyResultsSchema, document))];
  if (result !== undefined && !models.some(([name]) => name === result))
    throw new Refusal("not_found", `the study has no model called ${result}`, {
      hint: `its models are ${models.map(([name]) => name).join(", ")}`,
    });
  const found = models.filter(
    ([name, { exports }]) => exports.has(format) && (result === undefined || name === result),
  );
  if (found.length !== 1)
    throw new Refusal(
      "usage",
      found.length === 0
        ? `no model here has the format ${format}`
        : `several models have the format ${format}`,
      {
        hint:
          found.length === 0
            ? `formats: ${[...new Set(models.flatMap(([, { exports }]) => [...exports.keys()]))].join(", ") || "none"}`
            : `choose with --result: ${found.map(([name]) => name).join(", ")}`,
      },
    );
  return found[0]![1].exports.get(format)!();
}
