import { randomTrees } from "../random-trees.ts";

/** Splits chosen among several that are drawn. */
export const forest = randomTrees("forest", { candidates: 5, trees: 100, depth: 7 });
