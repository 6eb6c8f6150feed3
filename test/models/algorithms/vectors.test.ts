/** An algorithm's vectors, test/vectors/NAME.json, are found by its name: what other software makes of the same rows. */
import { existsSync } from "node:fs";
import test from "ava";
import type { Json } from "../../../models/algorithm.ts";
import { runPlain } from "../../../models/plain.ts";
import { withNeeds } from "../../../models/plan.ts";
import { algorithmNames } from "../../../models/registry.ts";
import { modelsOf } from "../../../models/results.ts";
import { takeRows } from "../../../models/rows.ts";
import type { FeatureSchema } from "../../../models/table.ts";
import { scatter, studyOf, tableOf } from "../../support/rows.ts";
import { readVectors } from "../../support/vectors.ts";

interface Vectors {
  readonly features: readonly FeatureSchema[];
  /** By feature: numbers, null where missing; of a categorical one, positions in its levels, −1 where missing. */
  readonly rows: Record<string, readonly (number | null)[]>;
  readonly label: readonly number[];
  /** Values of the label that `label` counts through, good before bad, where they are not 0 and 1. */
  readonly outcomes?: { readonly good: string[]; readonly bad: string[] };
  /** Largest relative difference. */
  readonly tolerance: number;
  readonly cases: readonly {
    readonly parameters: Record<string, Json>;
    /** What it must hold; it may hold more. */
    readonly result: Json;
    /** Of the same rows, where it is a model. */
    readonly scores?: readonly number[];
  }[];
}

const withVectors = algorithmNames.filter((name) =>
  existsSync(new URL(`../../vectors/${name}.json`, import.meta.url)),
);

for (const name of withVectors) {
  const { features, rows, label, outcomes, tolerance, cases } = readVectors(`${name}.json`) as Vectors;
  const columns = features.map((feature) => {
    const cells = rows[feature.name]!.map((cell) => cell ?? Number.NaN);
    return [
      feature.name,
      feature.kind === "numeric" ? cells : { codes: cells, levels: feature.levels },
    ] as const;
  });
  const read = tableOf(Object.fromEntries(columns), label);
  const good = outcomes?.good.length ?? 1;
  const all = { ...read, label: read.outcome.map((code) => Number(code >= good)) };
  const isClose = (seen: unknown, expected: number): boolean =>
    typeof seen === "number" && Math.abs(seen - expected) <= tolerance * Math.max(Math.abs(expected), 1e-3);

  /** @returns where `seen` differs from `expected`. */
  function differences(seen: unknown, expected: Json, at: string): string[] {
    if (typeof expected === "number")
      return isClose(seen, expected) ? [] : [`${at}: ${seen}, not ${expected}`];
    if (typeof expected !== "object" || expected === null) return seen === expected ? [] : [`${at}: ${seen}`];
    return Object.entries(expected).flatMap(([key, inner]) =>
      differences((seen as Record<string, unknown> | undefined)?.[key], inner as Json, `${at}.${key}`),
    );
  }

  for (const [i, { parameters, result, scores }] of cases.entries())
    test(`${name}, case ${i + 1}: any number of parties comes to what other software makes of all rows`, async (t) => {
      for (const parties of [1, 5]) {
        const about = studyOf(features, withNeeds({ ...parameters, name }) as never, all.rows);
        const study = { ...about, label: { ...about.label, ...outcomes } };
        const tables = scatter(all.rows, parties, name).map((own) => takeRows(all, own));
        const { results } = await runPlain(study, tables);
        t.deepEqual(differences(results[name], result, name), []);
        if (scores === undefined) continue;
        const seen = modelsOf({ ...study, results })
          .get(name)!
          .score(all);
        t.deepEqual(
          scores.flatMap((p, row) => (isClose(seen[row], p) ? [] : [`row ${row}: ${seen[row]}, not ${p}`])),
          [],
        );
      }
    });
}
