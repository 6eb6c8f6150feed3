/** A manifest to start from: every field with its meaning, and nothing decided that the bank has to decide. */
import { parse } from "csv-parse/sync";
import { Document, isMap, isScalar, type YAMLMap } from "yaml";
import { z } from "zod";
import { Refusal } from "../../core/reasons.ts";
import { manifestSchema } from "../../models/study.ts";

export interface TemplateOptions {
  readonly consortium: string;
  /** A table as the enterprises have it; only its header line is read. CSV. */
  readonly table: string;
  /** The column that tells good from bad. */
  readonly label: string;
}

/**
 * @returns study.yaml. Empty fields are the bank's decision: a manifest that still has one is refused.
 * @throws Refusal column_unknown, file_malformed
 */
export function studyTemplate({ consortium, table, label }: TemplateOptions): string {
  const columns = headerOf(table);
  if (!columns.includes(label))
    throw new Refusal("column_unknown", `the table has no column ${label}`, {
      hint: `choose one of ${columns.join(", ")}`,
    });
  const manifest = new Document({
    consortium,
    name: null,
    purpose: null,
    legalBasis: null,
    impactAssessment: null,
    retentionDays: null,
    label: { column: label, bad: [], good: [] },
    features: columns
      .filter((column) => column !== label)
      .map((column) => ({ name: column, kind: "numeric" })),
    maxRowsPerParty: 20_000,
    holdout: { fraction: 0.25 },
    algorithms: [{ name: "range" }, { name: "summary" }, { name: "logistic" }, { name: "evaluate" }],
    privacy: { minCohort: null, maxColluding: null, unit: null },
    unprotected: [],
    deadlines: { stepSeconds: 60 },
  });
  if (isMap(manifest.contents)) describe(manifest.contents, manifestSchema);
  manifest.commentBefore =
    " What is empty is the bank's decision. Enterprises consent to all of it, or to none.";
  return manifest.toString({ lineWidth: 0, nullStr: "" });
}

function headerOf(table: string): string[] {
  const [line = ""] = table.split(/\r?\n/, 1);
  try {
    const [columns = []] = parse(line, { bom: true }) as string[][];
    return columns;
  } catch (cause) {
    throw new Refusal("file_malformed", "the table's first line is no CSV header", { cause });
  }
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
