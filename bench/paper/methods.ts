import { withNeeds } from "../../models/plan.ts";
import type { StudyManifest } from "../../models/study.ts";

type Entry = StudyManifest["algorithms"][number];

/** A row of the paper's tables: an algorithm. */
export interface Method {
  readonly name: string;
  /** Levels that few loans have leave no maximum without a ridge: it is scikit-learn's of C = 1, by the rows trained on. */
  readonly ridge?: true;
}

/** Nothing is tuned: defaults. */
export const methods: readonly Method[] = [
  { name: "traditional" },
  { name: "logistic", ridge: true },
  { name: "naive-bayes" },
  { name: "neighbours" },
  { name: "scorecard", ridge: true },
  { name: "additive" },
  { name: "forest" },
  { name: "extra-trees" },
  { name: "boosting" },
  { name: "neural" },
];

/** @param rows - trained on. @returns one study's list with all methods and what they need, each once. */
export function listOf(used: readonly Method[], rows: number): Entry[] {
  const plan = new Map<string, Entry>();
  for (const { name, ridge } of used)
    for (const entry of withNeeds({ name, ...(ridge && { penalty: 1 / rows }) }))
      plan.set(entry.as ?? entry.name, entry);
  return [...plan.values()].map((entry) => (entry.name === "bins" ? { ...entry, cells: 1024 } : entry));
}
