import { z } from "zod";

/** A binary tree of one depth in heap order: the children of node n are 2n + 1 and 2n + 2. */
export type Tree = {
  /** The feature that each inner node splits on, by its place; −1 where it does not. */
  readonly features: number[];
  /** Coarse bins up to this one go left. */
  readonly cuts: number[];
  /** 1 where special and missing values go left, too. */
  readonly othersLeft: number[];
  /** What a row that ends at the node adds to the log-odds of bad. */
  readonly values: number[];
};

/** One check for a whole tree: a forest has thousands of numbers, and a state is parsed at every use. */
export const treeSchema = (features: number, depth: number) =>
  z.custom<Tree>((value) => isTree(value, features, 2 ** depth - 1), "no tree of the depth and the features");

function isTree(value: unknown, features: number, inner: number): boolean {
  if (typeof value !== "object" || value === null || Object.keys(value).length !== 4) return false;
  const { features: splits, cuts, othersLeft, values } = value as Partial<Record<keyof Tree, unknown>>;
  return (
    areWhole(splits, inner, -1, features - 1) &&
    areWhole(cuts, inner, 0, 4096) &&
    areWhole(othersLeft, inner, 0, 1) &&
    Array.isArray(values) &&
    values.length === 2 * inner + 1 &&
    values.every(Number.isFinite)
  );
}

const areWhole = (values: unknown, length: number, least: number, most: number): boolean =>
  Array.isArray(values) &&
  values.length === length &&
  values.every((value) => Number.isInteger(value) && value >= least && value <= most);

export const emptyTree = (depth: number): Tree => {
  const zeros = (length: number) => new Array<number>(length).fill(0);
  const inner = 2 ** depth - 1;
  return {
    features: zeros(inner).fill(-1),
    cuts: zeros(inner),
    othersLeft: zeros(inner),
    values: zeros(2 * inner + 1),
  };
};

/** @returns whether rows of a bin go left at a node that splits on their column. @param others - bin of special and missing values. */
export const goesLeft = (tree: Tree, node: number, bin: number, others: number): boolean =>
  bin === others ? tree.othersLeft[node] === 1 : bin <= tree.cuts[node]!;

/**
 * @param bins - coarse bins, shape [features, rows]; `others` the bin of special and missing values of each feature.
 * @returns the child that a row at an inner node goes to; the node itself where it does not split.
 */
export function childOf(
  tree: Tree,
  node: number,
  bins: readonly Uint16Array[],
  others: readonly number[],
  row: number,
): number {
  const feature = tree.features[node]!;
  if (feature < 0) return node;
  return 2 * node + (goesLeft(tree, node, bins[feature]![row]!, others[feature]!) ? 1 : 2);
}

/** @returns the node where a row ends that goes down at most `levels` levels. */
export function nodeOf(
  tree: Tree,
  levels: number,
  bins: readonly Uint16Array[],
  others: readonly number[],
  row: number,
): number {
  let node = 0;
  for (let level = 0; level < levels; level++) {
    const next = childOf(tree, node, bins, others, row);
    if (next === node) break;
    node = next;
  }
  return node;
}
