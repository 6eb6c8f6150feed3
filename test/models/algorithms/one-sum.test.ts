/** Models of one or two sums of counts: any number of parties comes to what all rows together come to. */
import test from "ava";
import { exactAuc } from "../../../bench/credit/split.ts";
import { seededRandom, uniform } from "../../../core/random.ts";
import { runPlain, runPooled } from "../../../models/plain.ts";
import { withNeeds } from "../../../models/plan.ts";
import { modelsOf } from "../../../models/results.ts";
import { takeRows } from "../../../models/rows.ts";
import type { NumericColumn, Table } from "../../../models/table.ts";
import { borrowerFeatures, borrowers, scatter, studyOf, tableOf } from "../../support/rows.ts";

const all = borrowers();
const study = (entry: { name: string } & Record<string, number | string>) =>
  studyOf(borrowerFeatures, withNeeds(entry) as never);
const parted = (parties: number) => scatter(all.rows, parties, "one sum").map((rows) => takeRows(all, rows));

for (const entry of [
  { name: "forest", trees: 20, depth: 5 },
  { name: "extra-trees", trees: 20, depth: 5 },
  { name: "neighbours", tables: 10 },
])
  test(`${entry.name}: the model of any parties is that of all rows, and another seed gives another`, async (t) => {
    const { results } = await runPlain(study(entry), parted(5));
    t.deepEqual((await runPooled(study(entry), parted(5))).results[entry.name], results[entry.name]);
    const other = await runPlain(study({ ...entry, seed: "other" }), parted(5));
    t.notDeepEqual(other.results[entry.name], results[entry.name]);
  });

/** Rows whose class is a matter of neighbourhood: bad where two numbers are both low or both high, or a third is far off. */
function quartered(rows: number, seed: string): Table {
  const random = seededRandom(seed);
  const normal = () =>
    Math.sqrt(-2 * Math.log(1 - uniform(random))) * Math.cos(2 * Math.PI * uniform(random));
  const points = Array.from({ length: rows }, () => [normal(), normal(), Math.exp(normal())] as const);
  const label = points.map(([x, y, z]) => {
    return Number(uniform(random) < (x * y > 0 ? 0.6 : z > 3 ? 0.5 : 0.1));
  });
  const column = (at: 0 | 1 | 2) => points.map((point) => point[at]);
  return tableOf({ x: column(0), y: column(1), z: column(2) }, label);
}

/** @returns the share of bad rows among the nearest, by Euclid's distance of standardized columns: every row is looked at. */
function nearest(training: Table, rows: Table, k: number): Float64Array {
  const columns = ["x", "y", "z"].map((name) => {
    const values = (table: Table) => (table.columns.get(name) as NumericColumn).values;
    const own = values(training);
    const mean = own.reduce((sum, v) => sum + v, 0) / own.length;
    const scale = Math.sqrt(own.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (own.length - 1));
    return { own, other: values(rows), scale };
  });
  return Float64Array.from({ length: rows.rows }, (_, row) => {
    const apart = Array.from({ length: training.rows }, (_, i) =>
      columns.reduce((sum, { own, other, scale }) => sum + ((own[i]! - other[row]!) / scale) ** 2, 0),
    );
    const order = [...apart.keys()].sort((a, b) => apart[a]! - apart[b]!).slice(0, k);
    return order.reduce((bad, i) => bad + training.label[i]!, 0) / k;
  });
}

test("neighbours rank rows as the nearest of all rows do, and say as well how likely they are bad", async (t) => {
  const features = ["x", "y", "z"].map((name) => ({ name, kind: "numeric" }) as const);
  const mean = (values: ArrayLike<number>) =>
    Array.from(values).reduce((sum, x) => sum + x, 0) / values.length;
  const figuresOf = (scores: Float64Array, { label }: Table) => ({
    auc: exactAuc(scores, label),
    right: mean(scores.map((p, row) => Number(p >= 0.5 === (label[row] === 1)))),
    brier: mean(scores.map((p, row) => (p - label[row]!) ** 2)),
  });
  const figures = async (seed: string, tables: number) => {
    const [training, rows] = [quartered(1500, `training ${seed}`), quartered(2000, `rows ${seed}`)];
    const about = {
      ...studyOf(features, withNeeds({ name: "neighbours", tables }) as never),
      maxRowsPerParty: 1500,
    };
    const { results } = await runPlain(about, [training]);
    const scores = modelsOf({ ...about, results })
      .get("neighbours")!
      .score(rows);
    return { own: figuresOf(scores, rows), exact: figuresOf(nearest(training, rows, 20), rows) };
  };
  const all = [];
  for (const seed of ["a", "b", "c", "d", "e"]) {
    const { own, exact } = await figures(seed, 40);
    t.true(own.auc >= exact.auc - 0.01, `AUC ${own.auc}, of ${exact.auc}`);
    all.push({ right: own.right - exact.right, brier: own.brier - exact.brier });
  }
  const right = mean(all.map((one) => one.right));
  t.true(right >= -0.01, `accuracy at 0.5: ${right}`);
  const brier = mean(all.map((one) => one.brier));
  t.true(brier <= 0.001, `Brier: ${brier}`);
  // Its control: one way of dealing the rows to buckets does not find them.
  const one = await figures("a", 1);
  t.true(one.own.auc < one.exact.auc - 0.02, `AUC ${one.own.auc}, of ${one.exact.auc}`);
});

test("neighbours deal few rows to buckets in more ways than many, and rank them better by it", async (t) => {
  const features = ["x", "y", "z"].map((name) => ({ name, kind: "numeric" }) as const);
  const [training, rows] = [quartered(300, "few training"), quartered(2000, "few rows")];
  const aucOf = async (entry: Record<string, number>, tables: number) => {
    const about = studyOf(features, withNeeds({ ...entry, name: "neighbours" }) as never);
    const { results } = await runPlain(about, [training]);
    const { good, bits } = results.neighbours as { good: number[]; bits: number };
    t.is(good.length, tables * 2 ** bits);
    return exactAuc(
      modelsOf({ ...about, results })
        .get("neighbours")!
        .score(rows),
      rows.label,
    );
  };
  t.true((await aucOf({}, 200)) > (await aucOf({ tables: 40 }, 40)));
});

test("the fewer neighbours, the more a row is scored by those beside it, itself among them", async (t) => {
  const apart = async (neighbours: number) => {
    const about = study({ name: "neighbours", neighbours, tables: 60 });
    const { results } = await runPlain(about, [all]);
    const scores = modelsOf({ ...about, results })
      .get("neighbours")!
      .score(all);
    const mean = (label: number) => {
      const own = scores.filter((_, row) => all.label[row] === label);
      return own.reduce((sum, p) => sum + p, 0) / own.length;
    };
    return mean(1) - mean(0);
  };
  const [few, many] = [await apart(2), await apart(100)];
  t.true(many > 0 && few > 1.5 * many, `${few} ${many}`);
});

test("experts' weights are taken as they are, and a column that is no number is refused", async (t) => {
  const weighed = studyOf(borrowerFeatures, [
    { name: "range" },
    { name: "summary" },
    { name: "traditional", weights: { share: 1 } },
  ]);
  const { results } = await runPlain(weighed, [all]);
  const model = modelsOf({ ...weighed, results }).get("traditional")!;
  for (const factors of model.explain!(all))
    for (const { feature, effect } of factors)
      t.true(feature === "share" ? Math.abs(effect) <= 3 : effect === 0);
  const wrong = studyOf(borrowerFeatures, [
    { name: "range" },
    { name: "summary" },
    { name: "traditional", weights: { sector: 1 } },
  ]);
  t.like(await t.throwsAsync(runPlain(wrong, [all])), { reason: "column_unknown" });
});
