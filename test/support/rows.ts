import { seededRandom, uniform } from "../../core/random.ts";
import type { Json } from "../../models/algorithm.ts";
import type { StudyManifest } from "../../models/study.ts";
import type { Column, FeatureSchema, Table } from "../../models/table.ts";
import { readVectors } from "./vectors.ts";

/** 240 borrowers: two full numeric columns, one with missing values, one categorical. */
export const borrowerFeatures: readonly FeatureSchema[] = [
  { name: "income", kind: "numeric" },
  { name: "age", kind: "numeric" },
  { name: "share", kind: "numeric" },
  { name: "sector", kind: "categorical", levels: ["textile", "trade", "transport"] },
];

interface BorrowerRows {
  readonly income: number[];
  readonly age: number[];
  readonly share: (number | null)[];
  readonly sector: number[];
  readonly levels: string[];
  readonly label: number[];
}

export function borrowers(): Table {
  const { rows } = readVectors("models.json") as { rows: BorrowerRows };
  return tableOf(
    {
      income: rows.income,
      age: rows.age,
      share: rows.share.map((x) => x ?? Number.NaN),
      sector: { codes: rows.sector, levels: rows.levels },
    },
    rows.label,
  );
}

/** @param columns - numbers (NaN = missing), or codes with their levels (−1 = missing). */
export function tableOf(
  columns: Record<string, readonly number[] | { codes: readonly number[]; levels: readonly string[] }>,
  label: readonly number[],
): Table {
  const named = Object.entries(columns).map(([name, cells]): [string, Column] => [
    name,
    "codes" in cells
      ? { kind: "categorical", codes: Int32Array.from(cells.codes), levels: cells.levels }
      : { kind: "numeric", values: Float64Array.from(cells) },
  ]);
  return {
    rows: label.length,
    columns: new Map(named),
    label: Uint8Array.from(label),
    outcome: Uint8Array.from(label),
    subject: Int32Array.from({ length: label.length }, (_, row) => row),
    holdout: new Uint8Array(label.length),
  };
}

/** A manifest of a study that holds nothing out. */
export const studyOf = (
  features: readonly FeatureSchema[],
  algorithms: readonly ({ name: string } & Record<string, Json>)[],
  maxRowsPerParty = 300,
): StudyManifest => ({
  consortium: "riverbank",
  name: "study",
  purpose: "credit risk",
  legalBasis: "contract",
  impactAssessment: "PIA-1",
  retentionDays: 30,
  label: { column: "status", bad: ["1"], good: ["0"] },
  features: features.map((feature) =>
    feature.kind === "numeric" ? { ...feature } : { ...feature, levels: [...feature.levels] },
  ),
  maxRowsPerParty,
  holdout: { fraction: 0 },
  algorithms: [...algorithms],
  privacy: { minCohort: 3, maxColluding: 1, unit: "record" },
  unprotected: ["noise"],
  deadlines: { stepSeconds: 10 },
});

/** @returns `parties` lists of row numbers, every row in one of them. */
export function scatter(rows: number, parties: number, seed: string): number[][] {
  const random = seededRandom(seed);
  const lists: number[][] = Array.from({ length: parties }, () => []);
  for (let row = 0; row < rows; row++) lists[Math.floor(uniform(random) * parties)]!.push(row);
  return lists;
}
