/** Forests of trees that are drawn, not grown: from public bins and a public seed, before anybody's rows are seen. */
import { z } from "zod";
import { seededRandom, uniformInteger } from "../core/random.ts";
import { Refusal } from "../core/reasons.ts";
import type { AlgorithmTypes, Study } from "./algorithm.ts";
import { type BinsResult, bins } from "./algorithms/bins.ts";
import { type Count, count } from "./blocks.ts";
import { type CoarseColumn, coarseBins, coarseColumns, coarseOf } from "./coarse-bins.ts";
import { defineAlgorithm } from "./define.ts";
import type { MemoKey } from "./memory.ts";
import { resultOf } from "./needs.ts";
import { agreed } from "./numerics/rounding.ts";
import { resultName } from "./parameters.ts";
import { checkRows } from "./rows.ts";
import type { FeatureSchema } from "./table.ts";
import { emptyTree, nodeOf, type Tree } from "./tree.ts";
import { othersOf, type TreeModel, treeModelSchema, treeScoring } from "./tree-model.ts";

const parametersWith = (candidates: number, trees: number, depth: number) =>
  z
    .strictObject({
      bins: resultName("bins"),
      trees: z.int().min(1).max(2000).default(trees).describe("drawn; their leaves are counted in one sum"),
      depth: z.int().min(1).max(12).default(depth).describe("levels of a tree"),
      binsPerColumn: z.int().min(2).max(256).default(32).describe("of values, at most"),
      candidates: z
        .int()
        .min(1)
        .max(1000)
        .default(candidates)
        .describe(
          "splits drawn for a node, of which the one is taken that parts good and bad best by the column's own bins; 1 takes what is drawn",
        ),
      smoothing: z
        .number()
        .positive()
        .default(10)
        .describe("rows of its parent's mixture that a leaf is counted with beside its own"),
      seed: z.string().default("0").describe("draws the trees: public"),
    })
    .refine(({ trees, depth }) => trees * 2 ** depth <= 2 ** 18, {
      error: "trees × 2^depth exceeds 2^18 leaves",
      path: ["trees"],
    });

type Params = z.output<ReturnType<typeof parametersWith>>;

interface Types extends AlgorithmTypes {
  params: Params;
  prior: { readonly bins: BinsResult };
  state: object;
  result: TreeModel;
  /** Of each tree's leaves, tree after tree. */
  blocks: { readonly good: Count; readonly bad: Count };
}

/**
 * Trees whose splits follow from the public bins and a seed: every enterprise draws the same, and the class counts of all
 * leaves are one sum. A score is the sigmoid of the mean of the leaves' log-odds, each drawn towards its parent's.
 * @see Geurts, Ernst and Wehenkel 2006, doi:10.1007/s10994-006-6226-1, for trees that are drawn
 */
export const randomTrees = (name: string, usual: { candidates: number; trees: number; depth: number }) => {
  const parameters = parametersWith(usual.candidates, usual.trees, usual.depth);
  return defineAlgorithm<Types>({
    name,
    parameters,
    result: treeModelSchema,
    needs: (params) => ({ bins: resultOf(bins, params.bins) }),
    maxSteps: () => 1,

    start({ prior }) {
      const { good, bad } = prior.bins;
      if (good === 0 || bad === 0) throw new Refusal("single_class", `all ${good + bad} labels are equal`);
      return { next: {} };
    },

    state: () => z.strictObject({}),

    blocks(_, { params }) {
      const leaves = count(params.trees * 2 ** params.depth);
      return { good: leaves, bad: leaves };
    },

    contribute(_, { training, memo }, study) {
      const { columns, others, trees } = settingOf(study);
      const { depth } = study.params;
      const own = memo.keep(binsKey, () => {
        checkRows(study.schema, training);
        return coarseOf(study.schema.features, columns, training);
      });
      const [good, bad] = [0, 1].map(() => new Float64Array(trees.length * 2 ** depth));
      for (const [t, tree] of trees.entries())
        for (let row = 0; row < training.rows; row++) {
          const counts = training.label[row] === 1 ? bad! : good!;
          counts[t * 2 ** depth + leafOf(nodeOf(tree, depth, own, others, row), depth)]! += 1;
        }
      return { good: good!, bad: bad! };
    },

    advance(_, sums, study) {
      const { columns, trees } = settingOf(study);
      const { schema, params, prior } = study;
      const leaves = 2 ** params.depth;
      const grown = trees.map((tree, t) =>
        valued(
          tree,
          sums.good.subarray(t * leaves, (t + 1) * leaves),
          sums.bad.subarray(t * leaves, (t + 1) * leaves),
          params,
        ),
      );
      const features = schema.features.map((feature) =>
        feature.kind === "numeric" ? feature : { ...feature, levels: [...feature.levels] },
      );
      // Each tree adds what its leaf differs from all rows, so that all rows' log-odds are the base.
      const base = agreed(Math.log(prior.bins.bad / prior.bins.good));
      return { done: { base, depth: params.depth, features, columns, trees: grown } };
    },

    // A row is in one leaf of each tree.
    sensitivity: (_, { params }) => ({ good: Math.sqrt(params.trees), bad: Math.sqrt(params.trees) }),

    ...treeScoring,
  });
};

const binsKey: MemoKey<Uint16Array[]> = { name: "coarse bins" };

interface Setting {
  readonly params: Params;
  readonly columns: Readonly<Record<string, CoarseColumn>>;
  readonly others: readonly number[];
  readonly trees: readonly Tree[];
}

const settings = new WeakMap<BinsResult, Setting>();

function settingOf({ schema, params, prior }: Study<Types>): Setting {
  const known = settings.get(prior.bins);
  if (known?.params === params) return known;
  const { features } = schema;
  const columns = coarseColumns(features, prior.bins, params.binsPerColumn);
  const others = othersOf(features, columns);
  const marginals = features.map((feature) => marginalOf(feature, columns, prior.bins));
  const trees = Array.from({ length: params.trees }, (_, t) => drawTree(t, params, marginals));
  const setting = { params, columns, others, trees };
  settings.set(prior.bins, setting);
  return setting;
}

/** Good and bad rows of a column's coarse bins; the last is of special and missing values. */
interface Marginal {
  readonly good: Float64Array;
  readonly bad: Float64Array;
}

function marginalOf(
  { name }: FeatureSchema,
  columns: Readonly<Record<string, CoarseColumn>>,
  { columns: counted }: BinsResult,
): Marginal {
  const column = columns[name]!;
  const [good, bad] = [0, 1].map(() => new Float64Array(coarseBins(column)));
  for (const [bin, to] of column.coarse.entries()) {
    good![to]! += counted[name]!.good[bin]!;
    bad![to]! += counted[name]!.bad[bin]!;
  }
  return { good: good!, bad: bad! };
}

interface Split {
  readonly feature: number;
  readonly cut: number;
  readonly othersLeft: number;
}

/** @param marginals - of each feature. */
function drawTree(t: number, { seed, depth, candidates }: Params, marginals: readonly Marginal[]): Tree {
  const random = seededRandom(`trees ${seed} ${t}`);
  const tree = emptyTree(depth);
  /** The coarse bins of values that a row at the node can be in: [from, to]. */
  const split = (node: number, level: number, within: readonly (readonly [number, number])[]): void => {
    if (level === depth) return;
    const open = [...within.keys()].filter((feature) => within[feature]![1] > within[feature]![0]);
    if (open.length === 0) return;
    let best: (Split & { readonly worth: number }) | undefined;
    for (let i = 0; i < candidates; i++) {
      const feature = open[uniformInteger(random, open.length)]!;
      const [from, to] = within[feature]!;
      const cut = from + uniformInteger(random, to - from);
      const othersLeft = uniformInteger(random, 2);
      const worth = candidates === 1 ? 0 : worthOf(marginals[feature]!, from, cut, to);
      if (best === undefined || worth > best.worth) best = { feature, cut, othersLeft, worth };
    }
    const { feature, cut, othersLeft } = best!;
    tree.features[node] = feature;
    tree.cuts[node] = cut;
    tree.othersLeft[node] = othersLeft;
    const [from, to] = within[feature]!;
    split(2 * node + 1, level + 1, within.with(feature, [from, cut]));
    split(2 * node + 2, level + 1, within.with(feature, [cut + 1, to]));
  };
  split(
    0,
    0,
    marginals.map(({ good }) => [0, good.length - 2]),
  );
  return tree;
}

/** @returns by how much the Gini impurity falls, in rows: of the column's own bins alone. */
function worthOf({ good, bad }: Marginal, from: number, cut: number, to: number): number {
  const impurity = (first: number, last: number): number => {
    let g = 0;
    let b = 0;
    for (let bin = first; bin <= last; bin++) {
      g += good[bin]!;
      b += bad[bin]!;
    }
    return g + b === 0 ? 0 : (g * b) / (g + b);
  };
  return impurity(from, to) - impurity(from, cut) - impurity(cut + 1, to);
}

/** @returns the place of a leaf among 2^depth: a node that does not split is the leftmost below it. */
function leafOf(node: number, depth: number): number {
  let at = node;
  while (at < 2 ** depth - 1) at = 2 * at + 1;
  return at - (2 ** depth - 1);
}

/** @returns the tree with each node's log-odds, less those of all rows, and divided by the number of trees. */
function valued(
  tree: Tree,
  good: Float64Array,
  bad: Float64Array,
  { depth, smoothing, trees }: Params,
): Tree {
  const inner = 2 ** depth - 1;
  const counts = [good, bad].map((leaves) => {
    const nodes = new Float64Array(2 * inner + 1);
    nodes.set(leaves, inner);
    for (let node = inner - 1; node >= 0; node--) nodes[node] = nodes[2 * node + 1]! + nodes[2 * node + 2]!;
    return nodes;
  });
  const shares = new Float64Array(2 * inner + 1);
  const logOdds = (share: number) => agreed(Math.log(share / (1 - share)));
  const values = Array.from({ length: 2 * inner + 1 }, (_, node) => {
    const [g, b] = [counts[0]![node]!, counts[1]![node]!];
    const parent = node === 0 ? b / (g + b) : shares[(node - 1) >> 1]!;
    shares[node] = (b + smoothing * parent) / (g + b + smoothing);
    return (logOdds(shares[node]!) - logOdds(shares[0]!)) / trees;
  });
  return { ...tree, values };
}
