import { randomTrees } from "../random-trees.ts";

/** Splits as they are drawn. */
export const extraTrees = randomTrees("extra-trees", { candidates: 1, trees: 100, depth: 7 });
