/** A manifest to start from: every field with its meaning, and nothing decided that the bank has to decide. */
import { Document, isMap, isScalar, type YAMLMap } from "yaml";
import { z } from "zod";
import { columnAt, type Records } from "../../core/csv.ts";
import { inferFeatures } from "../../models/infer.ts";
import { manifestSchema } from "../../models/study.ts";

export interface TemplateOptions {
  readonly consortium: string;
  /** A table as the enterprises have it: its header line is enough; with rows of the bank's own, kinds are guessed. */
  readonly table: Records;
  /** The column that tells good from bad. */
  readonly label: string;
}

/**
 * @returns study.yaml. Empty fields are the bank's decision: a manifest that still has one is refused.
 * @throws Refusal column_unknown, file_malformed, cell_malformed
 */
export function studyTemplate({ consortium, table, label }: TemplateOptions): string {
  columnAt(table, label);
  const { features, leftOut } = inferFeatures(table, [label]);
  const manifest = new Document({
    consortium,
    name: null,
    purpose: null,
    legalBasis: null,
    impactAssessment: null,
    retentionDays: null,
    label: { column: label, bad: [], good: [] },
    features,
    maxRowsPerParty: 20_000,
    holdout: { fraction: 0.25 },
    algorithms: [{ name: "range" }, { name: "summary" }, { name: "logistic" }, { name: "evaluate" }],
    privacy: { minCohort: null, maxColluding: null, unit: null },
    unprotected: [],
    deadlines: { stepSeconds: 60 },
  });
  if (isMap(manifest.contents)) describe(manifest.contents, manifestSchema);
  manifest.commentBefore = [
    " What is empty is the bank's decision. Enterprises consent to all of it, or to none.",
    ...leftOut.map(({ name, kind, advice }) => ` Left out: ${name} is ${kind}: ${advice}.`),
  ].join("\n");
  return manifest.toString({ lineWidth: 0, nullStr: "" });
}

/** Puts a field's description on the line above it. */
function describe(map: YAMLMap, schema: z.ZodObject): void {
  for (const { key, value } of map.items) {
    if (!isScalar(key)) continue;
    const field = schema.shape[String(key.value)] as z.ZodType | undefined;
    if (field?.description !== undefined) key.commentBefore = ` ${field.description}`;
    if (isMap(value) && field instanceof z.ZodObject) describe(value, field);
  }
}
