/** Models of one sum of counts: any number of parties comes to what all rows together come to. */
import test from "ava";
import { runPlain, runPooled } from "../../../models/plain.ts";
import { withNeeds } from "../../../models/plan.ts";
import { modelsOf } from "../../../models/results.ts";
import { takeRows } from "../../../models/rows.ts";
import { borrowerFeatures, borrowers, scatter, studyOf } from "../../support/rows.ts";

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
