import { entryOf } from "./results.ts";
import type { StudyManifest } from "./study.ts";

type ManifestEntry = StudyManifest["algorithms"][number];

/**
 * @returns the entry after those that make the results it needs by name, each once.
 * @throws Refusal algorithm_unknown | parameters_invalid
 */
export function withNeeds(entry: ManifestEntry): ManifestEntry[] {
  const plan = new Map<string, ManifestEntry>();
  const add = (wanted: ManifestEntry): void => {
    const { as, algorithm, params } = entryOf(wanted);
    if (plan.has(as)) return;
    for (const need of algorithm.configure(params).needs) if (need.entry !== undefined) add(need.entry);
    plan.set(as, wanted);
  };
  add(entry);
  return [...plan.values()];
}
