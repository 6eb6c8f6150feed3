import test from "ava";
import type { Request } from "express";
import type { Bank } from "../../../coordinator/bank.ts";
import { localeFor } from "../../../coordinator/console/locale.ts";
import { resultsView } from "../../../coordinator/console/results.ts";
import { shifted } from "../../../coordinator/studies/stability.ts";
import type { DriftResult } from "../../../models/algorithms/drift.ts";
import { runPlain } from "../../../models/plain.ts";
import { borrowerFeatures, borrowers, studyOf } from "../../support/rows.ts";

const algorithms = [{ name: "range" }, { name: "bins" }, { name: "drift" }];
const manifest = { ...studyOf(borrowerFeatures, algorithms), holdout: { fraction: 0.3 } };
const localeOf = (language: string) =>
  localeFor({ headers: {}, acceptsLanguages: () => language } as unknown as Request);

test("what shifted stands first, with the bank's thresholds, in both languages", async (t) => {
  const table = borrowers();
  const holdout = table.holdout.map((_, row) => (row % 3 === 0 ? 1 : 0));
  const { results } = await runPlain(manifest, [{ ...table, holdout }]);
  const found = results.drift as DriftResult;
  const [first, second, third] = Object.keys(found.columns) as [string, string, string];
  const columns = {
    ...Object.fromEntries(Object.entries(found.columns).map(([name, one]) => [name, { ...one, csi: 0.01 }])),
    [first]: { ...found.columns[first]!, csi: 0.02 },
    [second]: { ...found.columns[second]!, csi: 0.25 },
    [third]: { ...found.columns[third]!, csi: 0.1 },
  };
  const document = { algorithms: manifest.algorithms, results: { ...results, drift: { ...found, columns } } };
  const thresholds = { watch: 0.1, alarm: 0.25 };
  const text = resultsView(document, thresholds, localeOf("en")).text;
  const place = (column: string): number => text.indexOf(`<th scope="row">${column}</th>`);
  t.true(place(second) < place(third) && place(third) < place(first), text);
  for (const [column, badge] of [
    [second, "shifted, from 0.25"],
    [third, "to be watched, from 0.1"],
    [first, "stable, below 0.1"],
  ] as const)
    t.true(text.slice(place(column)).slice(0, 400).includes(badge), column);
  t.regex(resultsView(document, thresholds, localeOf("zh")).text, /已偏移/);
  // The bank's own thresholds say otherwise.
  const own = resultsView(document, { watch: 0.02, alarm: 0.1 }, localeOf("en")).text;
  t.is(own.match(/shifted, from 0\.1</g)?.length, 2);
  t.regex(own, /to be watched, from 0\.02</);
  // Of each purpose its last study that looked; the farthest first.
  const rowOf = (digest: string, purpose: string, of: object) => ({
    ...{ digest, name: `study ${digest}` },
    document: JSON.stringify({ ...document, purpose, ...of }),
  });
  const silent = { algorithms: [{ name: "range" }], results: { range: results.range } };
  const rows = [
    rowOf("4", "loans", silent),
    rowOf("3", "loans", {}),
    rowOf("2", "cards", {}),
    rowOf("1", "loans", {}),
  ];
  const bank = { config: { models: { stability: thresholds } }, database: { sql: async () => rows } };
  const beyond = await shifted(bank as unknown as Bank);
  t.deepEqual(
    beyond.map(({ model, name, stability }) => [model, name, stability]),
    [
      ["3", second, "shifted"],
      ["3", third, "watch"],
      ["2", second, "shifted"],
      ["2", third, "watch"],
    ],
  );
});
