import test from "ava";
import { canonicalJson } from "../../../core/canonical.ts";
import { type Reason, Refusal } from "../../../core/reasons.ts";
import type { Json } from "../../../models/algorithm.ts";
import { transform } from "../../../models/algorithms/transform.ts";
import { runPlain } from "../../../models/plain.ts";
import { modelsOf } from "../../../models/results.ts";
import { takeRows } from "../../../models/rows.ts";
import { checkAlgorithms, parseStudyState, type StudyState, startStudy } from "../../../models/study-loop.ts";
import type { CategoricalColumn, NumericColumn, Table } from "../../../models/table.ts";
import { statesOf } from "../../support/algorithms.ts";
import { borrowerFeatures, borrowers, scatter, studyOf, tableOf } from "../../support/rows.ts";

const all = borrowers();

const columns = {
  income: { caps: { lower: 0.02, upper: 0.98 }, log: true, impute: "mean" },
  age: { bins: { most: 4 } },
  share: { impute: "median" },
  sector: { oneHot: {} },
} as const;
const learned = [{ name: "range" }, { name: "summary" }, { name: "logistic" }, { name: "evaluate" }];
const study = studyOf(borrowerFeatures, [{ name: "transform", columns }, ...learned] as never);

const parted = (parties: number): Table[] =>
  scatter(all.rows, parties, "transform").map((rows) => takeRows(all, rows));

const fitted = async (own: Json, table = all, features = borrowerFeatures) => {
  const about = studyOf(features, [{ name: "transform", columns: own }], table.rows);
  const { results } = await runPlain(about, [table]);
  return transform.transform(results.transform)!;
};

const numbers = (table: Table, name: string): number[] => [
  ...(table.columns.get(name) as NumericColumn).values,
];

function refusalOf(run: () => unknown): Refusal {
  try {
    run();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

test("any number of parties comes to the transforms and the models of all rows together", async (t) => {
  const [one, five] = await Promise.all([runPlain(study, [all]), runPlain(study, parted(5))]);
  t.is(canonicalJson(five.results.transform), canonicalJson(one.results.transform));
  const aucs = [one, five].map(
    ({ results }) => (results.evaluate as { models: { logistic: { auc: number } } }).models.logistic.auc,
  );
  t.is(aucs[0], aucs[1]);
});

test("what comes after sees the columns that were made, and scoring takes the study's own", async (t) => {
  const { results } = await runPlain(study, parted(3));
  const made = transform.transform(results.transform)!;
  const seen = made.apply(all);
  t.deepEqual(
    [...seen.columns.keys()],
    made.features.map(({ name }) => name),
  );
  // The same model, trained on rows that were transformed by hand.
  const byHand = studyOf(made.features, learned);
  const other = await runPlain(byHand, [seen]);
  const models = modelsOf({ algorithms: study.algorithms, results });
  const scores = models.get("logistic")!.score(all);
  const expected = modelsOf({ algorithms: byHand.algorithms, results: other.results }).get("logistic")!;
  t.true(scores.every((p, row) => Math.abs(p - expected.score(seen)[row]!) < 1e-9));
  // Reasons are of the study's features and add up.
  const logOdds = Array.from(scores, (p) => Math.log(p / (1 - p)));
  const reasons = models.get("logistic")!.explain!(all);
  for (const [row, factors] of reasons.entries()) {
    t.deepEqual(
      factors.map(({ feature }) => feature),
      borrowerFeatures.map(({ name }) => name),
    );
    const sum = (of: typeof factors) => of.reduce((total, { effect }) => total + effect, 0);
    t.true(Math.abs(sum(factors) - sum(reasons[0]!) - (logOdds[row]! - logOdds[0]!)) < 1e-8);
  }
});

test("amounts are what their steps say, one after the other", async (t) => {
  const x = [1, 2, 3, 4, 5, 6, 7, 8, 9, 200, -9, Number.NaN];
  const table = tableOf({ x }, [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
  const features = [{ name: "x", kind: "numeric" }] as const;
  const own = (steps: Json) => fitted({ x: steps }, table, features).then((made) => made.apply(table));
  const capped = await own({ special: [-9], caps: { upper: 0.9 }, impute: "median" });
  t.deepEqual(numbers(capped, "x"), [1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 5, 5]);
  t.deepEqual(numbers(capped, "x=missing"), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
  t.deepEqual(numbers(capped, "x=-9"), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
  const without = await own({ special: [-9], outliers: {}, impute: { value: 0 }, indicator: false });
  t.deepEqual(numbers(without, "x"), [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 0]);
  t.is(without.columns.size, 1);
  const logged = await own({ clip: { low: 0, high: 7 }, log: true });
  t.deepEqual(numbers(logged, "x").slice(5), [6, 7, 7, 7, 7, 0, Number.NaN].map(Math.log1p));
  const binned = await own({ special: [-9], bins: { most: 2 } });
  const { codes, levels } = binned.columns.get("x") as CategoricalColumn;
  t.deepEqual([...codes], [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, -1]);
  t.deepEqual(levels, ["[-inf, 6)", "[6, inf)", "special -9"]);
});

test("a value that no training row had is what the rows say, at the node and in scoring", async (t) => {
  const made = await fitted(columns);
  const strange = {
    ...all,
    columns: new Map(all.columns)
      .set("income", { kind: "numeric", values: new Float64Array(all.rows).fill(1e300) })
      .set("sector", {
        kind: "categorical",
        codes: new Int32Array(all.rows).fill(-1),
        levels: ["textile", "trade", "transport"],
      }),
  } as const;
  const most = Math.max(...numbers(made.apply(all), "income"));
  t.true(numbers(made.apply(strange), "income").every((x) => x === most));
  t.true(numbers(made.apply(strange), "sector=trade").every((x) => x === 0));
});

test("one that changes columns after others have seen them is refused", (t) => {
  const late = studyOf(borrowerFeatures, [{ name: "range" }, { name: "transform", columns }] as never);
  const { reason, message } = refusalOf(() => checkAlgorithms(late));
  t.is(reason, "parameters_invalid" satisfies Reason);
  t.regex(message, /transform stands after range/);
});

for (const [own, problem] of [
  [{ height: { log: true } }, /height/],
  [{ income: { merge: {} } }, /merge/],
  [{ sector: { log: true } }, /log/],
  [{ sector: { impute: "mean" } }, /impute/],
  [{ sector: { impute: { value: "farm" } } }, /farm/],
  [{ income: { impute: "mode" } }, /impute/],
  [{ income: { special: [-9] } }, /special/],
  [{ income: { bins: {}, log: true } }, /log/],
  [{ income: { bins: {}, woe: {} } }, /bins and woe/],
  [{ income: { caps: {}, outliers: {} } }, /caps and outliers/],
  [{ income: { indicator: true } }, /indicator/],
] as const)
  test(`${JSON.stringify(own)} is refused before anybody is asked`, (t) => {
    const { reason, message } = refusalOf(() =>
      startStudy(studyOf(borrowerFeatures, [{ name: "transform", columns: own }] as never)),
    );
    t.is(reason, "parameters_invalid" satisfies Reason);
    t.regex(message, problem);
  });

for (const own of [{ income: {} }, { income: { clip: { low: 2, high: 1 } } }, { income: { root: true } }])
  test(`${JSON.stringify(own)} is refused by its form`, (t) => {
    const about = studyOf(borrowerFeatures, [{ name: "transform", columns: own }] as never);
    t.is(refusalOf(() => checkAlgorithms(about)).reason, "parameters_invalid" satisfies Reason);
  });

test("two columns of one name are refused", async (t) => {
  const table = tableOf(
    { x: { codes: [0, 1, 0, 1], levels: ["a", "b"] }, "x=b": [1, 2, 3, 4] },
    [0, 1, 0, 1],
  );
  const features = [
    { name: "x", kind: "categorical", levels: ["a", "b"] },
    { name: "x=b", kind: "numeric" },
  ] as const;
  const refused = await t.throwsAsync(() => fitted({ x: { oneHot: {} } }, table, features));
  t.regex(refused!.message, /x=b/);
});

test("states come back from their text; foreign ones are refused", async (t) => {
  const about = studyOf(borrowerFeatures, [{ name: "transform", columns }] as never);
  const states = await statesOf(about, all, 5);
  t.deepEqual(
    states.map(({ algorithmState }) => (algorithmState as { phase: string }).phase),
    ["ranges", "counts", "means"],
  );
  for (const state of states) t.deepEqual(parseStudyState(about, JSON.parse(canonicalJson(state))), state);
  const [, counts, means] = states as [StudyState, StudyState, StudyState];
  const broken: Json[] = [
    { phase: "counts", ranges: {} },
    { phase: "counts" },
    { phase: "others" },
    { ...(means.algorithmState as Record<string, Json>), columns: {} },
    {
      ...(means.algorithmState as Record<string, Json>),
      columns: {
        ...(means.algorithmState as { columns: Record<string, Json> }).columns,
        income: { kind: "woe" },
      },
    },
  ];
  for (const algorithmState of broken)
    t.is(
      refusalOf(() => parseStudyState(about, { ...counts, algorithmState })).reason,
      "state_invalid" satisfies Reason,
    );
});
