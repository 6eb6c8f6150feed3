/** A manifest to start from: every field with its meaning, and nothing decided that the bank has to decide. */
import { Document, isMap, isScalar, isSeq, type YAMLMap } from "yaml";
import { z } from "zod";
import { columnAt, type Records } from "../../core/csv.ts";
import { inferFeatures } from "../../models/infer.ts";
import { manifestSchema } from "../../models/study.ts";
import type { FeatureSchema } from "../../models/table.ts";

/** The columns a study is proposed over. */
export interface StudyColumns {
  /** The column that tells good from bad, and its values as far as they are known. */
  readonly label: string;
  readonly labelValues: readonly string[];
  /** The column that names the data subject. */
  readonly subject?: string;
  readonly features: readonly FeatureSchema[];
  readonly leftOut: readonly { readonly name: string; readonly why: string }[];
  /** By column, in the consortium's words. */
  readonly descriptions: ReadonlyMap<string, string>;
}

/**
 * @param table - as the enterprises have it: its header line is enough; with rows of the bank's own, kinds are guessed.
 * @throws Refusal column_unknown, file_malformed, cell_malformed
 */
export function columnsOfTable(table: Records, label: string): StudyColumns {
  columnAt(table, label);
  const { features, leftOut } = inferFeatures(table, [label]);
  return {
    label,
    labelValues: [],
    features,
    leftOut: leftOut.map(({ name, kind, advice }) => ({ name, why: `${kind}: ${advice}` })),
    descriptions: new Map(),
  };
}

/** @returns study.yaml. Empty fields are the bank's decision: a manifest that still has one is refused. */
export function studyTemplate(consortium: string, columns: StudyColumns): string {
  const { label, subject, features, leftOut, descriptions } = columns;
  const manifest = new Document({
    consortium,
    name: null,
    purpose: null,
    legalBasis: null,
    impactAssessment: null,
    retentionDays: null,
    ...(subject === undefined ? {} : { subject }),
    label: { column: label, bad: [], good: [] },
    features,
    maxRowsPerParty: 20_000,
    holdout: { fraction: 0.25 },
    algorithms: [{ name: "range" }, { name: "summary" }, { name: "logistic" }, { name: "evaluate" }],
    privacy: { minCohort: null, maxColluding: null, unit: null },
    unprotected: [],
    deadlines: { stepSeconds: 60 },
  });
  if (isMap(manifest.contents)) {
    describe(manifest.contents, manifestSchema);
    describeColumns(manifest.contents.get("features"), descriptions);
    const labelled = manifest.contents.get("label");
    if (isMap(labelled)) labelled.commentBefore = labelComment(columns);
  }
  manifest.commentBefore = [
    " What is empty is the bank's decision. Enterprises consent to all of it, or to none.",
    ...leftOut.map(({ name, why }) => ` Left out: ${name}: ${why}.`),
  ].join("\n");
  return manifest.toString({ lineWidth: 0, nullStr: "" });
}

/** @returns what the dictionary says of the label, for whoever deals its values to good and bad. */
function labelComment({ label, labelValues, descriptions }: StudyColumns): string | null {
  const said = descriptions.get(label);
  const lines = [
    ...(said === undefined ? [] : [` ${said}`]),
    ...(labelValues.length === 0 ? [] : [` its values: ${labelValues.join(", ")}`]),
  ];
  return lines.length === 0 ? null : lines.join("\n");
}

/** Puts the dictionary's words above each column. */
function describeColumns(features: unknown, descriptions: ReadonlyMap<string, string>): void {
  if (!isSeq(features)) return;
  for (const feature of features.items) {
    const said = isMap(feature) ? descriptions.get(String(feature.get("name"))) : undefined;
    if (isMap(feature) && said !== undefined) feature.commentBefore = ` ${said.replaceAll("\n", "\n ")}`;
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
