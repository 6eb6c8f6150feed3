import test from "ava";
import { csvRecords } from "../../core/csv.ts";
import type { LogisticResult } from "../../models/algorithms/logistic.ts";
import { unchanged } from "../../models/cells.ts";
import { runPlain } from "../../models/plain.ts";
import { modelsOf } from "../../models/results.ts";
import { readApplicants } from "../../models/scoring/applicants.ts";
import { gradeOf, parseGrades, usualGrades } from "../../models/scoring/grades.ts";
import { scoreApplicants } from "../../models/scoring/score.ts";
import type { CategoricalColumn, NumericColumn, Table } from "../../models/table.ts";
import { borrowerFeatures, borrowers, studyOf, tableOf } from "../support/rows.ts";

const study = studyOf(borrowerFeatures, [
  { name: "range" },
  { name: "summary" },
  { name: "logistic" },
  { name: "neural", hidden: [3], rounds: 1 },
]);
const { results } = await runPlain(study, [borrowers()]);
const model = results.logistic as LogisticResult;
const models = modelsOf({ ...study, results });
const scoreRows = (table: Table) => models.get("logistic")!.score(table);
const levels = ["textile", "trade", "transport"];

const applicants = (columns: Record<"income" | "age" | "share", number[]>, codes: number[]): Table =>
  tableOf(
    { ...columns, sector: { codes, levels } },
    codes.map(() => 0),
  );

test("the coefficients in the data's own units are all that a score needs", (t) => {
  const all = borrowers();
  const scores = scoreRows(all);
  const numeric = (name: string) => (all.columns.get(name) as NumericColumn).values;
  const { codes } = all.columns.get("sector") as CategoricalColumn;
  const b = model.coefficients;
  for (let row = 0; row < all.rows; row++) {
    const share = numeric("share")[row]!;
    const logOdds =
      model.intercept +
      b.income! * numeric("income")[row]! +
      b.age! * numeric("age")[row]! +
      b.share! * (Number.isNaN(share) ? model.imputed.share! : share) +
      (Number.isNaN(share) ? b["share=missing"]! : 0) +
      (codes[row] === 0 ? 0 : b[`sector=${levels[codes[row]!]}`]!);
    t.true(Math.abs(scores[row]! - 1 / (1 + Math.exp(-logOdds))) < 1e-12);
  }
  // At the maximum the mean score is the bad rate.
  const bad = all.label.reduce((n, y) => n + y, 0);
  t.true(Math.abs(scores.reduce((sum, p) => sum + p, 0) - bad) < 1e-6);
});

test("what training never saw stands at the mean, and any finite value has a score", (t) => {
  const columns = { income: [1e6, 1e300, 1e4], age: [30, 30, Number.NaN], share: [0, 0, 0] };
  const [rich, absurd, ageless] = scoreRows(applicants(columns, [-1, 0, 0]));
  t.true(rich! > 0 && rich! < 1);
  t.true(absurd! === 0 || absurd! === 1);
  t.true(ageless! > 0 && ageless! < 1);
});

test("an infinite value is refused with its column", (t) => {
  const columns = { income: [1], age: [Infinity], share: [0] };
  const error = t.throws(() => scoreRows(applicants(columns, [0])));
  t.like(error, { reason: "value_not_finite" });
  t.regex(error!.message, /age/);
});

test("only results that score rows are models", (t) => {
  t.deepEqual([...models.keys()], ["logistic", "neural"]);
});

const file = (lines: string) => csvRecords(`income,age,share,sector,who\n${lines}`, "applicants.csv");
const ownModel = models.get("logistic")!;
const read = (lines: string) => readApplicants([file(lines)], ownModel.features, unchanged, "who");

test("every record is scored, or refused with what is wrong in it", (t) => {
  const { table, places, refused } = read(
    [
      "50000,40,0.2,trade,anna",
      "much,40,0.2,trade,ben",
      "50000,40,,textile,clara",
      "50000,1e999,0.2,mining,dora",
      "-9,40,0.2,,emil",
    ].join("\n"),
  );
  t.deepEqual(
    places.map(({ line, id }) => [line, id]),
    [
      [2, "anna"],
      [4, "clara"],
      [6, "emil"],
    ],
  );
  t.deepEqual(
    refused.map(({ line, id, problems }) => [line, id, problems.map(({ column }) => column)]),
    [
      [3, "ben", ["income"]],
      [5, "dora", ["age", "sector"]],
    ],
  );
  // What is refused leaves nothing behind in the rows after it.
  t.deepEqual([...(table.columns.get("income") as NumericColumn).values], [50000, 50000, -9]);
  t.deepEqual([...(table.columns.get("sector") as CategoricalColumn).codes], [1, 0, -1]);
  const scores = scoreApplicants(
    ownModel,
    { table, places, refused },
    { grades: parseGrades(usualGrades), reasons: 9 },
  );
  t.is(scores.scored.length + scores.refused.length, 5);
});

test("columns that are missing are named, all of them", (t) => {
  const records = csvRecords("income,sector\n1,trade\n", "applicants.csv");
  const error = t.throws(() => readApplicants([records], ownModel.features, unchanged));
  t.like(error, { reason: "column_unknown" });
  t.regex(error!.message, /"age".*"share"/s);
  t.like(
    t.throws(() => read("")),
    { reason: "rows_missing" },
  );
});

test("a score is the baseline and its reasons; only what speaks for bad is named, the strongest first", (t) => {
  const all = read("20000,25,0.9,transport,a\n90000,60,0.1,textile,b\n");
  const { scored, baseline } = scoreApplicants(ownModel, all, {
    grades: parseGrades("low:0.5,high:1"),
    reasons: 2,
  });
  const logit = (p: number) => Math.log(p / (1 - p));
  const factors = ownModel.explain!(all.table);
  for (const [row, { probability, grade, reasons }] of scored.entries()) {
    const sum = factors[row]!.reduce((total, { effect }) => total + effect, 0);
    t.true(Math.abs(logit(baseline!.probability) + sum - logit(probability)) < 1e-9);
    t.is(grade, probability <= 0.5 ? "low" : "high");
    const effects = reasons!.map(({ effect }) => effect);
    t.true(
      effects.length <= 2 && effects.every((effect, i) => effect > 0 && effect <= (effects[i - 1] ?? 99)),
    );
  }
  const worst = factors[0]!.toSorted((a, b) => b.effect - a.effect)[0]!;
  t.deepEqual(scored[0]!.reasons![0], worst);
});

test("grades cover every probability, and a scale that does not is refused", (t) => {
  const grades = parseGrades(usualGrades);
  t.deepEqual(
    [0, 0.01, 0.010001, 0.5, 1].map((p) => gradeOf(grades, p)),
    ["A", "A", "B", "G", "G"],
  );
  for (const text of ["", "A", "A:0.5", "A:0.5,B:0.4,C:1", "A:0,B:1", "A:0.5,A:1", ":1", "A:x,B:1"])
    t.like(
      t.throws(() => parseGrades(text)),
      { reason: "usage" },
    );
});
