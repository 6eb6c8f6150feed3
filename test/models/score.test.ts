import test from "ava";
import type { LogisticResult } from "../../models/algorithms/logistic.ts";
import { runPlain } from "../../models/plain.ts";
import { modelsOf } from "../../models/results.ts";
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
