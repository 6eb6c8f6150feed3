import { withNeeds } from "../../models/plan.ts";
import type { StudyManifest } from "../../models/study.ts";

type Entry = StudyManifest["algorithms"][number];

/** A row of the paper's tables: an algorithm. */
export interface Method {
  readonly name: string;
  /** Levels that few loans have leave no maximum without a ridge: it is scikit-learn's of C = 1, by the rows trained on. */
  readonly ridge?: true;
  /** Bins of its own, as many as scikit-learn's boosting has: single values of a price can tell the year it was set in. */
  readonly bins?: number;
}

/** Nothing is tuned: defaults, but for what makes them comparable. */
export const methods: readonly Method[] = [
  { name: "traditional" },
  { name: "logistic", ridge: true },
  { name: "naive-bayes" },
  { name: "neighbours" },
  { name: "scorecard", ridge: true },
  { name: "additive" },
  { name: "forest" },
  { name: "extra-trees" },
  { name: "boosting", bins: 255 },
  { name: "neural" },
];

/** @param rows - trained on. @returns one study's list with all methods and what they need, each once. */
export function listOf(used: readonly Method[], rows: number): Entry[] {
  const plan = new Map<string, Entry>();
  const add = (entry: Entry): void => {
    for (const own of withNeeds(entry)) if (!plan.has(own.as ?? own.name)) plan.set(own.as ?? own.name, own);
  };
  for (const { name, ridge, bins } of used) {
    if (bins !== undefined) add({ name: "bins", as: "fine", most: bins });
    add({
      name,
      ...(ridge && { penalty: 1 / rows }),
      ...(bins !== undefined && { bins: "fine", binsPerColumn: bins }),
    });
  }
  return [...plan.values()].map((entry) =>
    entry.name === "bins" && entry.as === undefined ? { ...entry, cells: 1024 } : entry,
  );
}
