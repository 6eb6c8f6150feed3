/** What the mills of a consortium under fire have, and what is studied. */
import { type Random, uniform } from "../../core/random.ts";
import { manifestSchema, type StudyManifest } from "../../models/study.ts";
import type { Table } from "../../models/table.ts";

const rows = 120;
const features = ["output", "idle", "delay"];

/** Values as a CSV file has them. */
export function tableOf(random: Random): Table {
  const columns = features.map(() =>
    Float64Array.from({ length: rows }, () => Number((10 * uniform(random)).toFixed(3))),
  );
  const label = Uint8Array.from({ length: rows }, (_, row) =>
    uniform(random) < 1 / (1 + Math.exp(4 - 0.8 * columns[0]![row]!)) ? 1 : 0,
  );
  return {
    rows,
    columns: new Map(features.map((name, i) => [name, { kind: "numeric", values: columns[i]! }])),
    label,
    outcome: label,
    subject: Int32Array.from({ length: rows }, (_, row) => row),
    holdout: new Uint8Array(rows),
  };
}

export function csvOf({ columns, label }: Table): string {
  const cells = [...columns.values()].map((column) => (column.kind === "numeric" ? column.values : []));
  const lines = Array.from(label, (bad, row) => [...cells.map((values) => values[row]), bad].join(","));
  return [[...features, "bad"].join(","), ...lines, ""].join("\n");
}

export const consortiumName = "riverbank";

export const manifestOf = (number: number, models: number, stepSeconds: number): StudyManifest =>
  manifestSchema.parse({
    consortium: consortiumName,
    name: `under-fire-${number}`,
    purpose: "credit risk of existing borrowers",
    legalBasis: "contract",
    impactAssessment: "PIA-1",
    retentionDays: 30,
    label: { column: "bad", bad: ["1"], good: ["0"] },
    features: features.map((name) => ({ name, kind: "numeric" })),
    maxRowsPerParty: 1000,
    holdout: { fraction: 0 },
    algorithms: [
      { name: "range" },
      { name: "summary" },
      ...Array.from({ length: models }, (_, i) => ({ name: "logistic", as: `logistic-${i + 1}` })),
    ],
    privacy: { minCohort: 3, maxColluding: 1, unit: "record" },
    unprotected: ["noise"],
    deadlines: { stepSeconds },
  });
