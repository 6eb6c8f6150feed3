/** Models that add up trees on coarse bins. */
import { z } from "zod";
import type { Scoring } from "./algorithm.ts";
import { allFit, type CoarseColumn, coarseBins, coarseColumnSchema, coarseOf } from "./coarse-bins.ts";
import { probabilityOf } from "./numerics/logistic-sums.ts";
import { featureSchema } from "./study.ts";
import type { FeatureSchema } from "./table.ts";
import { childOf, nodeOf, type Tree, treeSchema } from "./tree.ts";

const deepest = 12;

export const treeModelSchema = z
  .strictObject({
    /** Log-odds of bad before the first tree. */
    base: z.number(),
    depth: z.int().min(1).max(deepest),
    features: z.array(featureSchema),
    columns: z.record(z.string(), coarseColumnSchema),
    trees: z.array(z.unknown()),
  })
  .refine(({ features, columns }) => allFit(features, columns), "a feature has no bins of its kind")
  .refine(
    ({ features, depth, trees }) => z.array(treeSchema(features.length, depth)).safeParse(trees).success,
    "a tree is not of the depth and the features",
  )
  .transform((value) => value as typeof value & { trees: Tree[] });

export type TreeModel = Readonly<z.output<typeof treeModelSchema>>;

/** @returns of each feature, the coarse bin of special and missing values: the last. */
export const othersOf = (
  features: readonly FeatureSchema[],
  columns: Readonly<Record<string, CoarseColumn>>,
): number[] => features.map(({ name }) => coarseBins(columns[name]!) - 1);

/** Adds to each row's log-odds what the trees say of it. */
export function addTrees(
  margins: Float64Array,
  {
    trees,
    depth,
    others,
  }: { readonly trees: readonly Tree[]; readonly depth: number; readonly others: readonly number[] },
  bins: readonly Uint16Array[],
): void {
  for (const tree of trees)
    for (let row = 0; row < margins.length; row++)
      margins[row]! += tree.values[nodeOf(tree, depth, bins, others, row)]!;
}

/** Scores, reasons and exports of every such model. */
export const treeScoring: Required<Pick<Scoring<TreeModel>, "score" | "features" | "explain" | "portable">> =
  {
    features: ({ features }) => features,

    score(model, rows) {
      const bins = coarseOf(model.features, model.columns, rows);
      const margins = new Float64Array(rows.rows).fill(model.base);
      addTrees(margins, { ...model, others: othersOf(model.features, model.columns) }, bins);
      return margins.map(probabilityOf);
    },

    /** What each split on a row's way changes, added up by the feature it asks for. */
    explain({ features, columns, trees, depth }, rows) {
      const bins = coarseOf(features, columns, rows);
      const others = othersOf(features, columns);
      return Array.from({ length: rows.rows }, (_, row) => {
        const effects = new Float64Array(features.length);
        for (const tree of trees)
          for (let node = 0, level = 0; level < depth; level++) {
            const next = childOf(tree, node, bins, others, row);
            if (next === node) break;
            effects[tree.features[node]!]! += tree.values[next]! - tree.values[node]!;
            node = next;
          }
        return features.map(({ name: feature }, f) => ({ feature, effect: effects[f]! }));
      });
    },

    portable: (model) => ({ kind: "trees", gives: "log-odds", ...model }),
  };
