import test from "ava";
import type { Json } from "../../../models/algorithm.ts";
import { type ScorecardResult, scorecard } from "../../../models/algorithms/scorecard.ts";
import { binsOf } from "../../../models/binning.ts";
import { runPlain } from "../../../models/plain.ts";
import { withNeeds } from "../../../models/plan.ts";
import { takeRows } from "../../../models/rows.ts";
import type { FeatureSchema } from "../../../models/table.ts";
import { borrowerFeatures, borrowers, scatter, studyOf, tableOf } from "../../support/rows.ts";
import { readVectors } from "../../support/vectors.ts";

async function train(parameters: Record<string, Json> = {}, parties = 3): Promise<ScorecardResult> {
  const study = studyOf(borrowerFeatures, withNeeds({ ...parameters, name: "scorecard" }) as never);
  const tables = scatter(240, parties, "scorecard").map((rows) => takeRows(borrowers(), rows));
  return (await runPlain(study, tables)).results.scorecard as unknown as ScorecardResult;
}

interface Vectors {
  readonly features: readonly FeatureSchema[];
  readonly rows: Record<string, readonly (number | null)[]>;
  readonly label: readonly number[];
  readonly points: readonly {
    readonly parameters: Record<string, Json>;
    readonly points: Record<string, readonly number[]>;
  }[];
}

test("points are those of the statsmodels fit, for any base and doubling", async (t) => {
  const { features, rows, label, points } = readVectors("scorecard.json") as Vectors;
  const columns = features.map((feature) => {
    const cells = rows[feature.name]!.map((cell) => cell ?? Number.NaN);
    return [
      feature.name,
      feature.kind === "numeric" ? cells : { codes: cells, levels: feature.levels },
    ] as const;
  });
  const table = tableOf(Object.fromEntries(columns), label);
  for (const { parameters, points: expected } of points) {
    const study = studyOf(features, withNeeds({ ...parameters, name: "scorecard" }) as never, table.rows);
    const seen = (await runPlain(study, [table])).results.scorecard as unknown as ScorecardResult;
    const held = Object.entries(seen.columns)
      .filter(([name]) => seen.points[name] !== undefined)
      .map(([name, { bins }]) => {
        const own = seen.points[name]!.filter((_, bin) => bins[bin]!.good + bins[bin]!.bad > 0);
        return [name, [...new Set(own)].sort((a, b) => a - b)] as const;
      });
    t.deepEqual(Object.fromEntries(held), expected);
  }
});

test("a row's points follow its score: so many more double its odds", async (t) => {
  const model = await train({ pointsToDouble: 20, basePoints: 500, baseOdds: 50 });
  const all = borrowers();
  const columns = Object.keys(model.points);
  const points = new Float64Array(all.rows);
  for (const name of columns) {
    const feature = model.features.find((one) => one.name === name)!;
    const bins = binsOf(model.columns[name]!.binned, feature, all);
    for (const [row, bin] of bins.entries()) points[row]! += model.points[name]![bin]!;
  }
  const scores = scorecard.model(model)!.score(all);
  for (const [row, p] of scores.entries()) {
    const exact = 500 + (20 / Math.LN2) * Math.log((1 - p) / p / 50);
    t.true(Math.abs(points[row]! - exact) <= columns.length / 2);
  }
});

test("a column that says what another says is aliased: it carries no points, and the card is that without it", async (t) => {
  const twin = takeRows(
    borrowers(),
    Array.from({ length: 240 }, (_, row) => row),
  );
  const table = { ...twin, columns: new Map([...twin.columns, ["again", twin.columns.get("income")!]]) };
  const cardOf = async (features: readonly FeatureSchema[]) => {
    const study = studyOf(features, withNeeds({ name: "scorecard" }) as never);
    return (await runPlain(study, [table])).results.scorecard as unknown as ScorecardResult;
  };
  const both = await cardOf([...borrowerFeatures, { name: "again", kind: "numeric" }]);
  const one = await cardOf(borrowerFeatures);
  t.deepEqual(both.aliased, ["again"]);
  t.deepEqual(both.points, one.points);
  t.false(Object.hasOwn(both.standardErrors!, "again"));
  for (const [name, x] of Object.entries(one.standardErrors!))
    t.true(Math.abs(both.standardErrors![name]! / x - 1) < 1e-9);
});

test("a column without information is left out, and moves no score", async (t) => {
  const ivs = Object.values((await train()).columns).map(({ iv }) => iv);
  const minIv = Math.min(...ivs) + 1e-6;
  const model = await train({ minIv });
  const out = model.features.filter(({ name }) => model.coefficients[name] === undefined);
  t.true(out.length > 0 && out.length < model.features.length);
  for (const { name } of out) t.true(model.columns[name]!.iv < minIv);
  for (const factors of scorecard.model(model)!.explain!(borrowers()))
    for (const { feature, effect } of factors)
      if (out.some(({ name }) => name === feature)) t.true(effect === 0);
  t.like(await t.throwsAsync(train({ minIv: 99 })), { reason: "column_constant" });
});

test("the table has a line for each bin, and its rows and classes add up", async (t) => {
  const model = await train();
  const [file] = await scorecard.model(model)!.exports.get("csv")!();
  const lines = Buffer.from(file!.bytes)
    .toString()
    .trim()
    .split("\n")
    .map((line) => line.split(/,(?![^[]*\))/));
  t.deepEqual(lines[0], [
    "variable",
    "bin",
    "count",
    "count_distr",
    "good",
    "bad",
    "badprob",
    "woe",
    "bin_iv",
    "points",
  ]);
  for (const { name } of model.features) {
    const own = lines.filter(([variable]) => variable === name);
    t.is(own.length, model.columns[name]!.bins.length);
    t.is(
      own.reduce((sum, [, , count]) => sum + Number(count), 0),
      240,
    );
    t.is(own.at(-1)![1], "missing");
  }
});
