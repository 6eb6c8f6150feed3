import test from "ava";
import fc from "fast-check";
import { canonicalJson } from "../../../core/canonical.ts";
import type { Json } from "../../../models/algorithm.ts";
import { boosting } from "../../../models/algorithms/boosting.ts";
import { coarseOf } from "../../../models/coarse-bins.ts";
import { runPlain } from "../../../models/plain.ts";
import { withNeeds } from "../../../models/plan.ts";
import { takeRows } from "../../../models/rows.ts";
import { type StudyState, studyLayout } from "../../../models/study-loop.ts";
import type { FeatureSchema, Table } from "../../../models/table.ts";
import { nodeOf, type Tree } from "../../../models/tree.ts";
import { addTrees, othersOf, type TreeModel } from "../../../models/tree-model.ts";
import { borrowerFeatures, borrowers, scatter, studyOf, tableOf } from "../../support/rows.ts";
import { readVectors } from "../../support/vectors.ts";

async function train(
  features: readonly FeatureSchema[],
  tables: readonly Table[],
  parameters: Record<string, Json> = {},
) {
  const study = studyOf(features, withNeeds({ ...parameters, name: "boosting" }) as never, 1000);
  return (await runPlain(study, tables)).results.boosting!;
}

test("any partition grows the trees of all rows together, to the last bit", async (t) => {
  const small = { rounds: 2, trees: 4, depth: 3 };
  const pooled = canonicalJson(await train(borrowerFeatures, [borrowers()], small));
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 2, max: 9 }), fc.string(), async (parties, seed) => {
      const tables = scatter(240, parties, seed).map((rows) => takeRows(borrowers(), rows));
      t.is(canonicalJson(await train(borrowerFeatures, tables, small)), pooled);
    }),
    { numRuns: process.env.SLOW ? 50 : 4 },
  );
  t.not(canonicalJson(await train(borrowerFeatures, [borrowers()], { ...small, seed: "1" })), pooled);
});

test("one tree a forest is classic boosting: the log-odds of xgboost's exact trees", async (t) => {
  const { rows, label, parameters, logOdds } = readVectors("boosting-trees.json") as {
    readonly rows: Record<string, readonly (number | null)[]>;
    readonly label: readonly number[];
    readonly parameters: Record<string, Json>;
    readonly logOdds: readonly number[];
  };
  const columns = Object.entries(rows).map(
    ([name, cells]) => [name, cells.map((x) => x ?? Number.NaN)] as const,
  );
  const features = Object.keys(rows).map((name) => ({ name, kind: "numeric" as const }));
  const table = tableOf(Object.fromEntries(columns), label);
  const scores = boosting.model(await train(features, [table], parameters))!.score(table);
  const apart = Array.from(scores, (p, row) => Math.abs(Math.log(p / (1 - p)) - logOdds[row]!));
  // Gradients are drawn to a grid: leaves move by hundredths, and no row falls into another leaf.
  t.true(Math.max(...apart) < 0.05, `${Math.max(...apart)}`);
});

test("rows that are all alike but for their label get the share of bad among them", async (t) => {
  const count = 1000;
  const counts = Array.from({ length: count }, (_, row) => (row % 20 === 0 ? 1 : 0));
  const label = Array.from({ length: count }, (_, row) => (row % 9 === 0 ? 1 : 0));
  const share = label.filter((bad) => bad === 1).length / count;
  const features = [{ name: "records", kind: "numeric" as const }];
  const table = tableOf({ records: counts }, label);
  for (const seed of ["", "1", "2", "3"]) {
    const scores = boosting.model(await train(features, [table], { seed }))!.score(table);
    const mean = scores.reduce((sum, p) => sum + p, 0) / count;
    t.true(Math.abs(mean - share) < share / 3, `${mean}, of ${share}`);
  }
});

test("a left child's sum has no bin that the split, or its parent's rows, leave none for", async (t) => {
  const rows = 400;
  const x = Array.from({ length: rows }, (_, row) => (row < 25 ? Number.NaN : row % 16));
  // Where y is 0, x is never 3, and never missing.
  const y = x.map((value, row) => (value === 3 || Number.isNaN(value) ? 1 : Math.floor(row / 16) % 2));
  const label = x.map((value, row) => Number(row % 9 > 0 && (y[row] === 1 || value > 13)));
  const features = ["x", "y"].map((name) => ({ name, kind: "numeric" as const }));
  const parameters = { trees: 1, rounds: 1, depth: 3, columnShare: 1, rowShare: 1, minWeight: 0.5 };
  const study = studyOf(features, withNeeds({ ...parameters, name: "boosting" }) as never, rows);
  const summed: number[][] = [];
  let tree: Tree | undefined;
  const onRound = (state: StudyState) => {
    if (state.algorithm !== "boosting") return;
    [tree] = (state.algorithmState as { readonly growing: Tree[] }).growing;
    summed.push(studyLayout(study, state).blocks.map(({ length }) => length));
  };
  await runPlain(study, [tableOf({ x, y }, label)], { onRound });
  t.like(tree, { features: { 0: 1, 1: 0, 2: -1 }, cuts: { 0: 0, 1: 13 } });
  t.deepEqual(summed, [
    // 16 values and none of x; two and none of y.
    [20, 20],
    // Of x the same, since the root has them; of y only 0.
    [18, 18],
    // Of x what is up to 13, and not 3; nothing of the other node, which does not split.
    [14, 14],
  ]);
});

test("a forest's roots take no sum of their own, and its leaves are of the gradients that the forest before leaves", async (t) => {
  const x = Array.from({ length: 900 }, (_, row) => (row * 7) % 30);
  const y = x.map((_, row) => (row * 11) % 17);
  const label = x.map((value, row) => Number((row * 13) % 10 < (value > 20 ? 7 : y[row]! > 8 ? 4 : 1)));
  const table = tableOf({ x, y }, label);
  const features = ["x", "y"].map((name) => ({ name, kind: "numeric" as const }));
  const parameters = { trees: 2, rounds: 2, depth: 3, columnShare: 1, rowShare: 1, ridge: 2 };
  const study = studyOf(features, withNeeds({ ...parameters, name: "boosting" }) as never, 900);
  const levels: number[] = [];
  const onRound = ({ algorithm, algorithmState }: StudyState) => {
    if (algorithm === "boosting") levels.push((algorithmState as { readonly level: number }).level);
  };
  const result = (await runPlain(study, [table], { onRound })).results.boosting as unknown as TreeModel;
  t.deepEqual(levels, [1, 2, 1, 2]);
  const others = othersOf(features, result.columns);
  const bins = coarseOf(features, result.columns, table);
  const margins = new Float64Array(900).fill(result.base);
  addTrees(margins, { ...result, trees: result.trees.slice(0, 2) as Tree[], others }, bins);
  for (const tree of result.trees.slice(2) as Tree[]) {
    const sums = tree.values.map(() => ({ g: 0, h: 0 }));
    for (const [row, margin] of margins.entries()) {
      const p = 1 / (1 + Math.exp(-margin));
      for (let level = 0; level <= 3; level++) {
        const node = nodeOf(tree, level, bins, others, row);
        if (level > 0 && node === nodeOf(tree, level - 1, bins, others, row)) break;
        sums[node]!.g += label[row]! - p;
        sums[node]!.h += p * (1 - p);
      }
    }
    for (const [node, { g, h }] of sums.entries())
      if (h > 0) {
        const apart = Math.abs(tree.values[node]! - g / (h + 2) / 2);
        // Gradients are drawn to a grid, of few rows by more.
        t.true(apart < (node < 3 ? 0.01 : 0.05), `${apart} at node ${node}`);
      }
  }
});

test("a forest that nothing splits takes no sum below its root", async (t) => {
  const study = studyOf(
    borrowerFeatures,
    withNeeds({ name: "boosting", rounds: 3, minWeight: 1000 }) as never,
    300,
  );
  const needed = withNeeds({ name: "boosting" }).length - 1;
  t.is((await runPlain(study, [borrowers()])).rounds, needed + 3);
});

test("of few bad rows trees learn, too, unless a leaf's least weight is said", async (t) => {
  const x = Array.from({ length: 900 }, (_, row) => row);
  // One in ninety, of which a tree's rows have less than twice the usual weight.
  const label = x.map((row) => Number(row > 800 && row % 10 === 0));
  const table = tableOf({ x }, label);
  const features: FeatureSchema[] = [{ name: "x", kind: "numeric" }];
  const spread = async (parameters: Record<string, Json>) => {
    const model = boosting.model((await train(features, [table], parameters)) as never)!;
    const scores = model.score(table);
    return Math.max(...scores) - Math.min(...scores);
  };
  const small = { rounds: 2, trees: 4, depth: 2, columnShare: 1 };
  t.true((await spread(small)) > 0.02);
  t.is(await spread({ ...small, minWeight: 5 }), 0);
});

test("labels of one class are refused", async (t) => {
  const table = { ...borrowers(), label: new Uint8Array(240) };
  t.like(await t.throwsAsync(train(borrowerFeatures, [table])), { reason: "single_class" });
});
