import test from "ava";
import type { Request } from "express";
import { localeFor } from "../../../coordinator/console/locale.ts";
import { resultsView } from "../../../coordinator/console/results.ts";
import type { DriftResult } from "../../../models/algorithms/drift.ts";
import { runPlain } from "../../../models/plain.ts";
import { borrowerFeatures, borrowers, studyOf } from "../../support/rows.ts";

const algorithms = [{ name: "range" }, { name: "bins" }, { name: "drift" }];
const manifest = { ...studyOf(borrowerFeatures, algorithms), holdout: { fraction: 0.3 } };
const localeOf = (language: string) =>
  localeFor({ headers: {}, acceptsLanguages: () => language } as unknown as Request);

test("what shifted stands first, with the usual thresholds, in both languages", async (t) => {
  const table = borrowers();
  const holdout = table.holdout.map((_, row) => (row % 3 === 0 ? 1 : 0));
  const { results } = await runPlain(manifest, [{ ...table, holdout }]);
  const found = results.drift as DriftResult;
  const [first, second, third] = Object.keys(found.columns) as [string, string, string];
  const columns = {
    ...found.columns,
    [first]: { ...found.columns[first]!, csi: 0.02 },
    [second]: { ...found.columns[second]!, csi: 0.25 },
    [third]: { ...found.columns[third]!, csi: 0.1 },
  };
  const document = { algorithms: manifest.algorithms, results: { ...results, drift: { ...found, columns } } };
  const text = resultsView(document, localeOf("en")).text;
  const place = (column: string): number => text.indexOf(`<th scope="row">${column}</th>`);
  t.true(place(second) < place(third) && place(third) < place(first), text);
  for (const [column, badge] of [
    [second, "shifted, from 0.25"],
    [third, "to be watched, from 0.1"],
    [first, "stable, below 0.1"],
  ] as const)
    t.true(text.slice(place(column)).slice(0, 400).includes(badge), column);
  t.regex(resultsView(document, localeOf("zh")).text, /已偏移/);
});
