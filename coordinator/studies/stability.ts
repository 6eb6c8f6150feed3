/** How far scores and columns of published models moved, beside the bank's own thresholds. */
import { drift } from "../../models/algorithms/drift.ts";
import { parsePublic } from "../../models/parameters.ts";
import { resultsBy, type StudyResults, studyResultsSchema } from "../../models/results.ts";
import type { Bank } from "../bank.ts";
import type { CoordinatorConfig } from "../config.ts";

export type Thresholds = CoordinatorConfig["models"]["stability"];
export type Stability = "stable" | "watch" | "shifted";

/** Of a model's scores (PSI) or of a column (CSI). */
export interface StabilityIndex {
  readonly kind: "scores" | "column";
  readonly name: string;
  readonly index: number;
}

export const stabilityAt = (index: number, { watch, alarm }: Thresholds): Stability =>
  index >= alarm ? "shifted" : index >= watch ? "watch" : "stable";

/** @returns the indices of each drift result by its name, the farthest first. */
export const stabilityOf = (study: StudyResults): Map<string, StabilityIndex[]> =>
  new Map(
    [...resultsBy(drift, study)].map(([as, { columns, scores }]) => [
      as,
      [
        ...Object.entries(scores).map(([name, { psi }]) => ({ kind: "scores" as const, name, index: psi })),
        ...Object.entries(columns).map(([name, { csi }]) => ({ kind: "column" as const, name, index: csi })),
      ].toSorted((a, b) => b.index - a.index),
    ]),
  );

/** What moved beyond a threshold in the last study of a purpose that looked. */
export interface Shifted extends StabilityIndex {
  readonly model: string;
  readonly study: string;
  readonly stability: Exclude<Stability, "stable">;
}

/** @returns of each purpose's last published study with drift what is to be watched or raises an alarm. */
export async function shifted({ config, database }: Bank): Promise<Shifted[]> {
  const rows = await database.sql`
    SELECT model.digest, document, name FROM model JOIN study ON study.digest = model.study
    ORDER BY published_at DESC`;
  const looked = new Set<string>();
  return rows.flatMap(({ digest: model, document, name: study }) => {
    const published = JSON.parse(document) as { readonly purpose?: string };
    const found = [...stabilityOf(parsePublic("model", studyResultsSchema, published)).values()].flat();
    const purpose = published.purpose ?? "";
    if (found.length === 0 || looked.has(purpose)) return [];
    looked.add(purpose);
    return found.flatMap((one) => {
      const stability = stabilityAt(one.index, config.models.stability);
      return stability === "stable" ? [] : [{ ...one, model, study, stability }];
    });
  });
}
