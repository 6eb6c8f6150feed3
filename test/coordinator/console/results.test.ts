import test from "ava";
import type { Request } from "express";
import type { Bank } from "../../../coordinator/bank.ts";
import { binTexts } from "../../../coordinator/console/bins.ts";
import { localeFor } from "../../../coordinator/console/locale.ts";
import { bestOfEach, resultsView } from "../../../coordinator/console/results.ts";
import { shifted } from "../../../coordinator/studies/stability.ts";
import type { DriftResult } from "../../../models/algorithms/drift.ts";
import type { EvaluateResult } from "../../../models/algorithms/evaluate.ts";
import type { ScorecardResult } from "../../../models/algorithms/scorecard.ts";
import type { Evaluation } from "../../../models/numerics/metrics.ts";
import { runPlain } from "../../../models/plain.ts";
import { borrowerFeatures, borrowers, studyOf } from "../../support/rows.ts";

const algorithms = [{ name: "range" }, { name: "bins" }, { name: "drift" }];
const manifest = { ...studyOf(borrowerFeatures, algorithms), holdout: { fraction: 0.3 } };
const localeOf = (language: string) =>
  localeFor({ headers: {}, acceptsLanguages: () => language } as unknown as Request);

const scored = {
  ...studyOf(borrowerFeatures, [
    ...["range", "summary", "bins", "woe", "scorecard", "logistic"].map((name) => ({ name })),
    {
      name: "evaluate",
      segments: ["sector"],
      segmentRows: 2,
      swap: { champion: "logistic", challenger: "scorecard" },
    },
  ]),
};

test("weights of evidence, segments and swap sets are those of the result, in the reader's words and numbers", async (t) => {
  const { results } = await runPlain(scored, [borrowers()]);
  const document = { algorithms: scored.algorithms, results };
  const found = results.evaluate as EvaluateResult;
  const card = results.scorecard as ScorecardResult;
  for (const language of ["en", "zh"]) {
    const { text } = resultsView(document, { watch: 0.1, alarm: 0.25 }, localeOf(language));
    t.false(/undefined|NaN|-?inf\b|\[object/.test(text), language);
    t.is(text.includes("<td>missing</td>"), language === "en");
    // A chart of each column's weights, and each bin's points once.
    for (const { name } of borrowerFeatures)
      t.true(text.includes(`${name}${language === "en" ? ": information value" : "：信息价值"}`), name);
    for (const [name, points] of Object.entries(card.points))
      t.true(text.includes(`<th scope="rowgroup" rowspan="${points.length}">${name}</th>`), name);
    for (const [level, { n }] of Object.entries(found.segments!.sector!))
      t.regex(text, new RegExp(`rowspan="2">${level}</th><td>logistic</td><td class="n">${n}</td>`));
    t.true(text.includes(language === "en" ? "scorecard instead of logistic" : "以 scorecard 代替 logistic"));
    const [first] = found.swap!.cutOffs;
    const both = first!.approvedByBoth;
    t.true(text.includes(`${both.n}${language === "en" ? ", " : " 行，坏 "}`), `${both.n}`);
  }
});

test("a bin's name has as many digits as tell it from the next, and a chance that is tiny is not written out", async (t) => {
  const en = localeOf("en");
  const binned = { kind: "numeric" as const, cuts: [0, 1234.5, 1234.5625], special: [-999] };
  t.deepEqual(binTexts({ name: "income", kind: "numeric" }, binned, en), [
    "below 0",
    "0 to below 1,234.5",
    "1,234.5 to below 1,234.56",
    "1,234.56 and above",
    "code -999",
    "missing",
  ]);
  t.deepEqual(
    binTexts(
      { name: "sector", kind: "categorical", levels: ["a", "b", "c"] },
      { kind: "categorical", groups: [0, 1, 0] },
      en,
    ),
    ["a or c", "b", "missing"],
  );
  const { results } = await runPlain(scored, [borrowers()]);
  const logistic = results.logistic as { p: Record<string, number> };
  const p = Object.fromEntries(Object.keys(logistic.p).map((column) => [column, 3e-85]));
  const document = { algorithms: scored.algorithms, results: { ...results, logistic: { ...logistic, p } } };
  const { text } = resultsView(document, { watch: 0.1, alarm: 0.25 }, en);
  t.true(text.includes('<td class="n">&lt; 0.0001</td>') && !text.includes("0.00000000"));
});

test("of two models' curves none is missing, however many the other has, and what bears noise says so", async (t) => {
  const of = (digest: string, auc: number) => ({ digest, one: { auc } as Evaluation });
  const many = [of("a", 0.6), of("a", 0.9), of("a", 0.8), of("a", 0.7), of("b", 0.5)];
  t.deepEqual(
    bestOfEach(many).map(({ one }) => one.auc),
    [0.9, 0.8, 0.7, 0.5],
  );
  t.is(bestOfEach(many.slice(0, 2)).length, 2);
  const { results } = await runPlain(scored, [borrowers()]);
  const shown = (unprotected: string[]): string =>
    resultsView(
      { algorithms: scored.algorithms, results, protection: { smallestCohort: 3, unprotected } },
      { watch: 0.1, alarm: 0.25 },
      localeOf("en"),
    ).text;
  t.true(shown([]).includes("bear noise") && !shown(["noise"]).includes("bear noise"));
});

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
