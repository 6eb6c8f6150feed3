import { join } from "node:path";
import { makeDirectory, writeWhole } from "../../core/files.ts";
import { Refusal } from "../../core/reasons.ts";
import { parsePublic } from "../../models/parameters.ts";
import { modelsOf, studyResultsSchema } from "../../models/results.ts";

export interface ExportChoice {
  readonly format: string;
  /** Directory. */
  readonly out: string;
  /** Name of the result; the only one that has the format where absent. */
  readonly result: string;
}

/**
 * Writes a model of a published document in a format of its own.
 * @param document - as published: JSON.
 * @returns the files written.
 * @throws Refusal usage, not_found, state_invalid, and those of writing
 */
export async function exportModel(
  document: unknown,
  { format, out, result }: Partial<ExportChoice>,
): Promise<string[]> {
  if (format === undefined || out === undefined)
    throw new Refusal("usage", "an export needs --format and --out", { hint: "give both, or neither" });
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
  const files = await found[0]![1].exports.get(format)!();
  await makeDirectory(out);
  for (const { name, bytes } of files) await writeWhole(join(out, name), [bytes]);
  return files.map(({ name }) => join(out, name));
}
