import test from "ava";
import type { Reason, Refusal } from "../../../core/reasons.ts";
import type { Json } from "../../../models/algorithm.ts";
import type { CorrelationResult } from "../../../models/algorithms/correlation.ts";
import type { DriftResult } from "../../../models/algorithms/drift.ts";
import { runPlain } from "../../../models/plain.ts";
import { modelsOf } from "../../../models/results.ts";
import { takeRows } from "../../../models/rows.ts";
import type { Table } from "../../../models/table.ts";
import { borrowerFeatures, borrowers, scatter, studyOf, tableOf } from "../../support/rows.ts";

const features = [
  { name: "level", kind: "numeric" },
  { name: "twin", kind: "numeric" },
  { name: "trade", kind: "categorical", levels: ["mill", "yard"] },
] as const;

/** Forty rows, half of them held out: of these, levels are higher by `shift`. */
function shifted(shift: number): Table {
  const at = Array.from({ length: 40 }, (_, i) => i);
  const level = at.map((i) => (i % 20) + 1 + (i < 20 ? 0 : shift));
  const table = tableOf(
    {
      level,
      twin: level.map((x) => 2 * x),
      trade: { codes: at.map((i) => (i * 7) % 2), levels: ["mill", "yard"] },
    },
    at.map((i) => Number((i * 7) % 20 < i % 20)),
  );
  return { ...table, holdout: Uint8Array.from(at, (i) => Number(i >= 20)) };
}

const parted = (table: Table): Table[] =>
  scatter(table.rows, 3, "drift").map((rows) => takeRows(table, rows));

interface Found {
  readonly drift: DriftResult;
  readonly correlation: CorrelationResult;
  readonly select: { readonly columns: Record<string, { because: string; like?: string }> };
}

async function run(algorithms: Json[], table: Table, schema: typeof features = features) {
  const study = { ...studyOf(schema, algorithms as never, 300), holdout: { fraction: 0.5 } };
  const { results } = await runPlain(study, parted(table));
  return results as unknown as Found & Record<string, Json>;
}

const binned = [{ name: "range" }, { name: "bins" }];

test("held-out rows like the others do not drift, others do by Σ (actual − expected) · ln(actual / expected)", async (t) => {
  const still = (await run([...binned, { name: "drift", bands: 4 }], shifted(0))).drift;
  t.deepEqual(
    Object.values(still.columns).map(({ csi }) => csi),
    [0, 0, 0],
  );
  const moved = (await run([...binned, { name: "drift", bands: 4 }], shifted(5))).drift;
  // Levels 1…20 by quarters; raised by five, none is in the first, and ten are in the last.
  const { expected, actual, csi } = moved.columns.level!;
  t.deepEqual(expected, [5, 5, 5, 5, 0]);
  t.deepEqual(actual, [0, 5, 5, 10, 0]);
  const by = (was: number, is: number): number => (is - was) * Math.log(is / was);
  t.true(Math.abs(csi - by(5 / 20, 0.5 / 20) - by(5 / 20, 10 / 20)) < 1e-6);
  t.is(moved.columns.trade!.csi, 0);
});

test("a later study compares its rows with what an earlier one expected", async (t) => {
  const earlier = (await run([...binned, { name: "drift", bands: 4 }], shifted(0))).drift;
  const reference = earlier.columns as never;
  const later = (await run([...binned, { name: "drift", reference }], shifted(5))).drift;
  const own = (await run([...binned, { name: "drift", bands: 4 }], shifted(5))).drift;
  t.deepEqual(later.columns.level, own.columns.level);
  for (const broken of [
    { level: { csi: 1 } },
    { trade: (reference as Record<string, Json>).trade! },
  ] as Json[]) {
    const refused = await t.throwsAsync(() =>
      run([...binned, { name: "drift", reference: broken }], shifted(5)),
    );
    t.is((refused as Refusal).reason, "parameters_invalid" satisfies Reason);
  }
});

test("scores of a model are compared by bands", async (t) => {
  const learned = [{ name: "range" }, { name: "bins" }, { name: "naive-bayes" }];
  const table = shifted(5);
  const results = await run([...learned, { name: "drift", models: ["naive-bayes"], bands: 5 }], table);
  const { psi, expected, actual } = results.drift.scores["naive-bayes"]!;
  const total = (rows: number[]) => rows.reduce((sum, n) => sum + n, 0);
  t.deepEqual([total(expected), total(actual)], [20, 20]);
  t.true(psi > 0.25);
});

test("what tells little, drifts, or follows another is left out, and models after it see the rest", async (t) => {
  const chosen = [
    ...binned,
    { name: "woe" },
    { name: "correlation" },
    { name: "drift" },
    { name: "select", correlation: "correlation", drift: "drift", maxDrift: 5 },
    { name: "range", as: "range-2" },
    { name: "naive-bayes", range: "range-2" },
    { name: "evaluate" },
  ];
  const results = await run(chosen, shifted(0));
  const said = results.select;
  t.is(said.columns.level!.because, "kept");
  t.deepEqual(
    { because: said.columns.twin!.because, like: said.columns.twin!.like },
    { because: "correlation", like: "level" },
  );
  t.is(results.correlation.correlations[1]![0], 1);
  t.is(results.correlation.vif.twin, null);
  const model = modelsOf({ algorithms: chosen, results }).get("naive-bayes")!;
  t.deepEqual(
    model.features.map(({ name }) => name),
    Object.entries(said.columns).flatMap(([name, { because }]) => (because === "kept" ? [name] : [])),
  );
  // A row is scored without the columns that were left out.
  const { columns, ...table } = shifted(0);
  const fewer = new Map([...columns].filter(([name]) => name !== "twin"));
  t.is(model.score({ ...table, columns: fewer }).length, 40);
  const drifted = await run(
    [...binned, { name: "woe" }, { name: "drift" }, { name: "select", drift: "drift", keep: ["trade"] }],
    shifted(9),
  );
  const { columns: why } = drifted.select;
  t.deepEqual([why.level!.because, why.twin!.because, why.trade!.because], ["drift", "drift", "kept"]);
});

test("a selection after a model is refused: what the model reads must stay", async (t) => {
  const study = studyOf(borrowerFeatures, [
    ...binned,
    { name: "woe" },
    { name: "naive-bayes" },
    { name: "select" },
  ]);
  const refused = (await t.throwsAsync(() => runPlain(study, [borrowers()]))) as Refusal;
  t.is(refused.reason, "parameters_invalid" satisfies Reason);
  t.regex(refused.message, /select stands after naive-bayes/);
});

test("a constant column correlates with nothing and does not stop the others", async (t) => {
  const at = Array.from({ length: 12 }, (_, i) => i);
  const table = tableOf(
    { a: at, b: at.map((i) => (i * 5) % 12), c: at.map(() => 7) },
    at.map((i) => i % 2),
  );
  const schema = ["a", "b", "c"].map((name) => ({ name, kind: "numeric" }) as const);
  const study = studyOf(schema, [{ name: "range" }, { name: "correlation" }]);
  const { correlation } = (await runPlain(study, [table])).results as { correlation: never };
  const { columns, constant } = correlation as CorrelationResult;
  t.deepEqual([columns, constant], [["a", "b"], ["c"]]);
});
