import { withNeeds } from "../../models/plan.ts";
import type { StudyManifest } from "../../models/study.ts";

type Entry = StudyManifest["algorithms"][number];

/** A row of the paper's tables: an algorithm with what it takes. */
export interface Method {
  readonly name: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** Nothing is tuned: defaults, but for what many rare levels need. */
export const methods: readonly Method[] = [
  { name: "traditional", params: {} },
  // Levels that few loans have leave no maximum without it; about scikit-learn's C = 1.
  { name: "logistic", params: { penalty: 1e-4 } },
  { name: "naive-bayes", params: {} },
  { name: "neighbours", params: {} },
  { name: "scorecard", params: { penalty: 1e-4 } },
  { name: "additive", params: {} },
  { name: "forest", params: {} },
  { name: "extra-trees", params: {} },
  { name: "boosting", params: {} },
  { name: "neural", params: {} },
];

/** @returns one study's list with all methods and what they need, each once. */
export function listOf(used: readonly Method[]): Entry[] {
  const plan = new Map<string, Entry>();
  for (const { name, params } of used)
    for (const entry of withNeeds({ ...params, name })) plan.set(entry.as ?? entry.name, entry);
  return [...plan.values()].map((entry) => (entry.name === "bins" ? { ...entry, cells: 1024 } : entry));
}
