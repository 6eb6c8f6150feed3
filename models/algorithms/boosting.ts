import { createHmac } from "node:crypto";
import { z } from "zod";
import { seededRandom, shuffle } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import type { Study } from "../algorithm.ts";
import { type Sum, sum } from "../blocks.ts";
import { binsOfPart, type CoarseColumn, coarseColumns } from "../coarse-bins.ts";
import { defineAlgorithm } from "../define.ts";
import type { MemoKey } from "../memory.ts";
import { resultOf } from "../needs.ts";
import { mostOfResidualAndWeight, probabilityOf } from "../numerics/logistic-sums.ts";
import { powerOfTwo } from "../numerics/powers-of-two.ts";
import { agreed } from "../numerics/rounding.ts";
import { resultName } from "../parameters.ts";
import { checkRowCount, partsOf } from "../rows.ts";
import { emptyTree, goesLeft, nodeOf, type Tree, treeSchema } from "../tree.ts";
import { addTrees, othersOf, type TreeModel, treeModelSchema, treeScoring } from "../tree-model.ts";
import { type BinsResult, bins } from "./bins.ts";

const parameters = z.strictObject({
  bins: resultName("bins"),
  rounds: z.int().min(1).max(500).default(5).describe("forests, each fitted to what those before it leave"),
  trees: z
    .int()
    .min(1)
    .max(100)
    .default(20)
    .describe("of a forest: they share their sums; 1 is classic boosting, with more rounds"),
  depth: z.int().min(1).max(8).default(5).describe("levels of a tree; each takes a sum"),
  binsPerColumn: z.int().min(2).max(256).default(32).describe("of values, at most"),
  learningRate: z.number().positive().max(1).default(1).describe("share of a forest's step that is taken"),
  rowShare: z.number().min(0.1).max(1).default(0.8).describe("of the rows that a tree is grown on"),
  columnShare: z.number().min(0.05).max(1).default(0.4).describe("of the columns that a tree may split on"),
  ridge: z.number().min(0).default(2).describe("penalty on the square of a leaf's value"),
  minWeight: z
    .number()
    .positive()
    .describe(
      "Σ p (1 − p) over the rows of a leaf, at least; by default 5, or a quarter of what all rows of a tree have where that is less and no noise is added",
    )
    .optional(),
  seed: z.string().default("0").describe("of rows and columns drawn for each tree: public"),
});

type Params = z.output<typeof parameters>;

type State = {
  /** Of finished forests. */
  readonly trees: readonly Tree[];
  readonly round: number;
  /** Of the forest that grows. */
  readonly level: number;
  readonly growing: readonly Tree[];
  /** Sums of gradients, then of curvatures, of the nodes one level up: whole numbers of steps, int32, base64; empty where no right child follows from them. */
  readonly above: string;
};

type Types = {
  params: Params;
  prior: { readonly bins: BinsResult };
  state: State;
  result: TreeModel;
  blocks: {
    readonly gradient: Sum;
    readonly curvature: Sum;
    /** Of the next forest's roots: beside a forest's last level. */
    readonly rootGradient: Sum;
    readonly rootCurvature: Sum;
  };
};

/** Grids of one row's gradient and curvature: coarse, as a row is rounded up or down by a draw of its own. */
const gradientStep = powerOfTwo(-4);
const curvatureStep = powerOfTwo(-6);

/**
 * Gradient boosting of forests over public bins. The trees of a forest are grown together on rows and columns of their
 * own, so that one sum a level serves them all: in 20 sums it does what boosting tree after tree does in hundreds. Only
 * left children are summed, right ones are what is left of their parent.
 *
 * The first level takes no sum: where the roots of a forest split is chosen beside the last level of the forest before,
 * by what that one leaves without its last level, and in the first forest by what `bins` counted. All that follows, the
 * values of the roots' children too, is of the right gradients. Under noise, where a row is in as many entries as it can
 * be, with one tree a forest, which is classic boosting, and where a root would not split, roots have a sum of their own.
 *
 * Rows are drawn, and their gradients rounded to a grid, by a digest of their bins: every sum is of whole numbers, and
 * any partition of the rows gives the same trees as all of them together. The label is no part of it: of rows that are
 * alike, good and bad are drawn together, in the proportion that they have.
 * @see Friedman 2001, doi:10.1214/aos/1013203451; Chen and Guestrin 2016, doi:10.1145/2939672.2939785, 2.2 for the gain
 */
export const boosting = defineAlgorithm<Types>({
  name: "boosting",
  parameters,
  result: treeModelSchema,
  needs: (params) => ({ bins: resultOf(bins, params.bins) }),
  maxSteps: ({ rounds, depth }) => rounds * depth,

  start(study) {
    const { good, bad } = study.prior.bins;
    if (good === 0 || bad === 0) throw new Refusal("single_class", `all ${good + bad} labels are equal`);
    return { next: begun([], 0, rootsOfBins(study), study) };
  },

  state(study) {
    const { params, schema } = study;
    const tree = treeSchema(schema.features.length, params.depth);
    return z
      .strictObject({
        trees: z.array(tree).max(params.rounds * params.trees),
        round: z
          .int()
          .min(0)
          .max(params.rounds - 1),
        level: z
          .int()
          .min(0)
          .max(params.depth - 1),
        growing: z.array(tree).length(params.trees),
        above: z.base64(),
      })
      .refine(({ trees, round }) => trees.length === round * params.trees, "not the round's trees")
      .refine(({ above, round, level }) => {
        if (above === "") return level <= 1;
        const entries = 2 * plotsOf(settingOf(study), round).entries(level - 1);
        return level > 0 && Buffer.from(above, "base64").length === 4 * entries && above.length % 4 === 0;
      }, "not the sums of the level above");
  },

  blocks(state, study) {
    const entries = askedOf(state, study).places.length;
    const roots = looksAhead(state, study) ? plotsOf(settingOf(study), state.round + 1).entries(0) : 0;
    const rows = study.schema.maxRowsPerParty;
    const gradients = (length: number) => sum(length, rows, gradientStep);
    const curvatures = (length: number) => sum(length, Math.max(rows / 4, curvatureStep), curvatureStep);
    return {
      gradient: gradients(entries),
      curvature: curvatures(entries),
      rootGradient: gradients(roots),
      rootCurvature: curvatures(roots),
    };
  },

  contribute(state, { training, memo }, study) {
    const { trees, round, level, growing } = state;
    const setting = settingOf(study);
    checkRowCount(study.schema, training);
    const kept = memo.keep(keptKey, () => ({
      last: "",
      trees: 0,
      margins: new Float64Array(training.rows).fill(setting.base),
      digests: undefined,
    }));
    const forests = { ...setting, trees, depth: study.params.depth };
    const since = newTrees(kept, forests);
    const digests = kept.digests ?? new Uint32Array(training.rows);
    const sums = openSums(plotsOf(setting, round), summedPower(state));
    const isAhead = looksAhead(state, study);
    const ofRoots = isAhead ? openSums(plotsOf(setting, round + 1), 0) : undefined;
    for (const { first, part } of partsOf(training)) {
      const bins = binsOfPart(
        study.schema.features,
        setting.columns,
        part,
        part === training ? memo : undefined,
      );
      const end = first + part.rows;
      if (kept.digests === undefined) digests.set(digestsOf(bins, part.rows, study.params.seed), first);
      const margins = kept.margins.subarray(first, end);
      addTrees(margins, { ...forests, trees: since }, bins);
      const ofPart = digests.subarray(first, end);
      const onGrid = study.noise === undefined;
      addRows(sums, state, setting, bins, ofPart, gradientsOf(margins, part.label, ofPart, round, onGrid));
      if (ofRoots === undefined) continue;
      const soFar = margins.slice();
      addTrees(soFar, { ...forests, trees: growing, depth: level }, bins);
      const roots = { round: round + 1, level: 0, growing: saplings(study.params), above: "" };
      addRows(
        ofRoots,
        roots,
        setting,
        bins,
        ofPart,
        gradientsOf(soFar, part.label, ofPart, round + 1, onGrid),
      );
    }
    kept.digests = digests;
    kept.last = lastOf(trees);
    const { places } = askedOf(state, study);
    return {
      gradient: entriesAt(places, sums.gradient),
      curvature: entriesAt(places, sums.curvature),
      rootGradient: ofRoots?.gradient ?? [],
      rootCurvature: ofRoots?.curvature ?? [],
    };
  },

  advance(state, sums, study) {
    const { params } = study;
    const setting = settingOf(study);
    const plots = plotsOf(setting, state.round);
    const sumsOfNodes = nodesOf(state, plots, askedOf(state, study), sums);
    const noise = (study.noise ?? 0) * Math.sqrt(mostOfResidualAndWeight) * Math.sqrt(cellsOf(plots));
    const { level } = state;
    const isWhole = state.above === "";
    const growing = state.growing.map((tree, t) =>
      grown(tree, t, { level, isWhole }, sumsOfNodes, plots, setting, noise * noise),
    );
    if (level + 1 < params.depth) {
      const [gradients, curvatures] = sumsOfNodes;
      const both = new Int32Array(2 * gradients.length);
      both.set(gradients);
      both.set(curvatures, gradients.length);
      const above = Buffer.from(both.buffer).toString("base64");
      const next = { ...state, growing, level: level + 1, above };
      // Where no tree has split, none grows any more.
      if (askedOf(next, study).places.length > 0) return { next };
    }
    const trees = [...state.trees, ...growing];
    if (state.round + 1 < params.rounds) {
      const { rootGradient, rootCurvature } = sums;
      const roots = [inSteps(rootGradient, gradientStep), inSteps(rootCurvature, curvatureStep)] as const;
      return { next: begun(trees, state.round + 1, looksAhead(state, study) ? roots : undefined, study) };
    }
    const features = study.schema.features.map((feature) =>
      feature.kind === "numeric" ? feature : { ...feature, levels: [...feature.levels] },
    );
    return { done: { base: setting.base, depth: params.depth, features, columns: setting.columns, trees } };
  },

  takesNoise: true,
  medians: "of sums",
  // A row is in one bin of each column that each tree has, whichever rows the public seed draws; |y − p| is at most 1, and
  // p (1 − p) at most 1/4.
  sensitivity({ round }, study) {
    const bins = Math.sqrt(cellsOf(plotsOf(settingOf(study), round)));
    return { gradient: bins, curvature: 0.25 * bins, rootGradient: 0, rootCurvature: 0 };
  },
  // Where one of the two is large, the other is not.
  joint: () => Math.sqrt(mostOfResidualAndWeight),

  ...treeScoring,
});

interface Setting {
  readonly params: Params;
  readonly base: number;
  readonly columns: Readonly<Record<string, CoarseColumn>>;
  /** Of each feature, the coarse bin of special and missing values: the last. */
  readonly others: readonly number[];
  /** Of a leaf, at least. */
  readonly minWeight: number;
}

/** Σ p (1 − p) of a leaf where it is not said. */
const usualWeight = 5;

/** Of few bad rows all together have little more than the usual weight: no tree would split. */
const leastWeight = ({ params, prior: { bins }, noise }: Study<Types>): number =>
  params.minWeight ??
  (noise === undefined
    ? Math.min(usualWeight, (params.rowShare * bins.good * bins.bad) / (bins.good + bins.bad) / 4)
    : usualWeight);

const settings = new WeakMap<BinsResult, Setting>();

function settingOf(study: Study<Types>): Setting {
  const { schema, params, prior } = study;
  const known = settings.get(prior.bins);
  if (known?.params === params) return known;
  const columns = coarseColumns(schema.features, prior.bins, params.binsPerColumn);
  const base = agreed(Math.log(prior.bins.bad / prior.bins.good));
  const others = othersOf(schema.features, columns);
  const setting = { params, base, columns, others, minWeight: leastWeight(study) };
  settings.set(prior.bins, setting);
  return setting;
}

/** Whether roots have no sum of their own. */
const splitsAhead = ({ params, noise }: Study<Types>): boolean =>
  noise === undefined && params.trees > 1 && params.depth > 1;

/** Whether the next forest's roots are summed with this level. */
const looksAhead = ({ round, level }: State, study: Study<Types>): boolean =>
  splitsAhead(study) && level + 1 === study.params.depth && round + 1 < study.params.rounds;

/**
 * @param roots - sums of the roots, in steps; undefined where they have yet to be summed.
 * @returns a forest's first state: its roots split, where all of them do.
 */
function begun(
  trees: readonly Tree[],
  round: number,
  roots: SumsOfNodes | undefined,
  study: Study<Types>,
): State {
  const own = saplings(study.params);
  const ofRoots = { trees, round, level: 0, growing: own, above: "" };
  if (roots === undefined) return ofRoots;
  const setting = settingOf(study);
  const plots = plotsOf(setting, round);
  const place = { level: 0, isWhole: true };
  const growing = own.map((tree, t) => grown(tree, t, place, roots, plots, setting, 0));
  return growing.every(({ features }) => features[0]! >= 0) ? { ...ofRoots, level: 1, growing } : ofRoots;
}

/** @returns the first forest's sums of roots, in steps: all rows have one margin, and `bins` counted them. */
function rootsOfBins(study: Study<Types>): SumsOfNodes | undefined {
  if (!splitsAhead(study)) return undefined;
  const { params, prior, schema } = study;
  const setting = settingOf(study);
  const { good, bad } = prior.bins;
  const p = bad / (good + bad);
  const ofColumns = schema.features.map(({ name }, f) => {
    const { coarse } = setting.columns[name]!;
    const counted = prior.bins.columns[name]!;
    const [g, h] = [new Float64Array(setting.others[f]! + 1), new Float64Array(setting.others[f]! + 1)];
    for (const [bin, place] of coarse.entries()) {
      const rows = counted.good[bin]! + counted.bad[bin]!;
      g[place]! += (params.rowShare * (counted.bad[bin]! - p * rows)) / gradientStep;
      h[place]! += (params.rowShare * p * (1 - p) * rows) / curvatureStep;
    }
    return [g, h] as const;
  });
  const { gradient, curvature, plots } = openSums(plotsOf(setting, 0), 0);
  let at = 0;
  for (const feature of plots.columns.flat()) {
    gradient.set(ofColumns[feature]![0], at);
    curvature.set(ofColumns[feature]![1], at);
    at += setting.others[feature]! + 1;
  }
  return [gradient, curvature];
}

const saplings = ({ trees, depth }: Params): Tree[] => Array.from({ length: trees }, () => emptyTree(depth));

/** Where a forest's sums lie: tree after tree, node after node, column after column, bin after bin. */
interface Plots {
  /** Places of the columns that each tree may split on. */
  readonly columns: readonly (readonly number[])[];
  /** Entries of a node of each tree. */
  readonly widths: readonly number[];
  /** @returns the first entry of a tree where it has 2^power nodes. */
  first(tree: number, power: number): number;
  /** @returns entries of all trees, each of 2^power nodes. */
  entries(power: number): number;
}

const plotsBySetting = new WeakMap<Setting, Map<number, Plots>>();

function plotsOf(setting: Setting, round: number): Plots {
  const known = plotsBySetting.get(setting) ?? new Map<number, Plots>();
  plotsBySetting.set(setting, known);
  const plots = known.get(round) ?? drawPlots(setting, round);
  known.set(round, plots);
  return plots;
}

function drawPlots({ params, others }: Setting, round: number): Plots {
  const taken = Math.ceil(params.columnShare * others.length);
  const columns = Array.from({ length: params.trees }, (_, t) => {
    const random = seededRandom(`columns ${params.seed} ${round} ${t}`);
    return shuffle([...others.keys()], random)
      .slice(0, taken)
      .sort((a, b) => a - b);
  });
  const widths = columns.map((own) => own.reduce((width, feature) => width + others[feature]! + 1, 0));
  const before = widths.map((_, t) => widths.slice(0, t).reduce((sum, width) => sum + width, 0));
  const all = widths.reduce((sum, width) => sum + width, 0);
  return {
    columns,
    widths,
    first: (tree, power) => 2 ** power * before[tree]!,
    entries: (power) => 2 ** power * all,
  };
}

/** A forest's sums while rows are added to them. */
interface OpenSums {
  readonly plots: Plots;
  /** Binary logarithm of each tree's nodes. */
  readonly power: number;
  readonly gradient: Float64Array;
  readonly curvature: Float64Array;
}

const openSums = (plots: Plots, power: number): OpenSums => ({
  plots,
  power,
  gradient: new Float64Array(plots.entries(power)),
  curvature: new Float64Array(plots.entries(power)),
});

/** Of the level's nodes left children alone are summed where their parents' sums are known. */
const summedPower = ({ level, above }: Pick<State, "level" | "above">): number =>
  above === "" ? level : level - 1;

function addRows(
  { plots, power, gradient, curvature }: OpenSums,
  { round, level, growing, above }: Omit<State, "trees">,
  { params, others }: Setting,
  bins: readonly Uint16Array[],
  digests: Uint32Array,
  own: { readonly gradients: Float64Array; readonly curvatures: Float64Array },
): void {
  const rows = new Uint32Array(digests.length);
  const firsts = new Uint32Array(digests.length);
  const leftmost = 2 ** level - 1;
  const isWhole = above === "";
  for (const [t, tree] of growing.entries()) {
    const draw = 0x10000 + round * growing.length + t;
    const first = plots.first(t, power);
    const width = plots.widths[t]!;
    let count = 0;
    for (let row = 0; row < digests.length; row++) {
      if (drawn(digests[row]!, draw) >= params.rowShare) continue;
      const node = nodeOf(tree, level, bins, others, row);
      if (node < leftmost) continue;
      const place = node - leftmost;
      if (!isWhole && place % 2 === 1) continue;
      rows[count] = row;
      firsts[count++] = first + (isWhole ? place : place >> 1) * width;
    }
    // Column by column: what lies side by side is read so.
    let before = 0;
    for (const feature of plots.columns[t]!) {
      const ofFeature = bins[feature]!;
      for (let i = 0; i < count; i++) {
        const row = rows[i]!;
        const entry = firsts[i]! + before + ofFeature[row]!;
        gradient[entry]! += own.gradients[row]!;
        curvature[entry]! += own.curvatures[row]!;
      }
      before += others[feature]! + 1;
    }
  }
}

/** What a forest's next sum is of. */
interface Asked {
  /** Sums of the nodes one level up: gradients, then curvatures, in steps. Empty at the root. */
  readonly parents: Int32Array;
  /** Which entries of the level's left children are summed, rising: rows can be in no other. */
  readonly places: Uint32Array;
}

const askedByState = new WeakMap<State, Asked>();

function askedOf(state: State, study: Study<Types>): Asked {
  const known = askedByState.get(state);
  if (known !== undefined) return known;
  const setting = settingOf(study);
  const plots = plotsOf(setting, state.round);
  const bytes = Buffer.from(state.above, "base64");
  const parents = new Int32Array(bytes.length / 4);
  for (let i = 0; i < parents.length; i++) parents[i] = bytes.readInt32LE(4 * i);
  const asked = { parents, places: placesOf(state, parents, setting, plots, study.noise === undefined) };
  askedByState.set(state, asked);
  return asked;
}

/**
 * A child has rows in none but the bins on its side of the split, and in none where its parent has no sum. Under noise
 * every bin has one.
 */
function placesOf(
  { level, growing, above }: State,
  parents: Int32Array,
  { others }: Setting,
  plots: Plots,
  isExact: boolean,
): Uint32Array {
  const power = summedPower({ level, above });
  const all = plots.entries(power);
  if (level === 0 || !isExact) return Uint32Array.from({ length: all }, (_, place) => place);
  const isWhole = above === "";
  const places = new Uint32Array(all);
  let taken = 0;
  for (const [t, tree] of growing.entries())
    for (let summed = 0; summed < 2 ** power; summed++) {
      const node = 2 ** (level - 1) - 1 + (isWhole ? summed >> 1 : summed);
      if (tree.features[node]! < 0) continue;
      const isLeft = !isWhole || summed % 2 === 0;
      let at = plots.first(t, power) + summed * plots.widths[t]!;
      for (const feature of plots.columns[t]!)
        for (let bin = 0; bin <= others[feature]!; bin++, at++) {
          if (!isWhole && parents[at] === 0 && parents[all + at] === 0) continue;
          if (feature === tree.features[node] && goesLeft(tree, node, bin, others[feature]!) !== isLeft)
            continue;
          places[taken++] = at;
        }
    }
  return places.subarray(0, taken);
}

/** @returns in how many cells of a sum one row is at most. */
const cellsOf = ({ columns }: Plots): number => columns.reduce((all, own) => all + own.length, 0);

/**
 * @param onGrid - whether they are rounded. Under noise no sum is whole anyway, and what rounding adds to a row would have
 *   to be paid for.
 * @returns of each row the gradient and the curvature of its log-likelihood at its margin.
 */
function gradientsOf(
  margins: Float64Array,
  label: Uint8Array,
  digests: Uint32Array,
  round: number,
  onGrid: boolean,
): { gradients: Float64Array; curvatures: Float64Array } {
  const gradients = new Float64Array(label.length);
  const curvatures = new Float64Array(label.length);
  for (let row = 0; row < label.length; row++) {
    const p = probabilityOf(margins[row]!);
    const g = (label[row] === 1 ? 1 : 0) - p;
    const h = p * (1 - p);
    // Good and bad of rows that are alike are rounded by draws of their own.
    const digest = label[row] === 1 ? ~digests[row]! : digests[row]!;
    gradients[row] = onGrid ? rounded(g, gradientStep, drawn(digest, 2 * round)) : g;
    curvatures[row] = onGrid ? rounded(h, curvatureStep, drawn(digest, 2 * round + 1)) : h;
  }
  return { gradients, curvatures };
}

/** @returns the sums at some places. */
function entriesAt(places: Uint32Array, sums: Float64Array): Float64Array {
  const at = new Float64Array(places.length);
  for (let i = 0; i < places.length; i++) at[i] = sums[places[i]!]!;
  return at;
}

/** Gradients and curvatures of all nodes of a level, in whole steps: tree after tree. */
type SumsOfNodes = readonly [Float64Array, Float64Array];

/** @returns sums in steps: whole already where no noise is added; with it, a step is far below it. */
const inSteps = (values: Float64Array, step: number): Float64Array => values.map((x) => Math.round(x / step));

function nodesOf(
  state: State,
  plots: Plots,
  { parents, places }: Asked,
  sums: { readonly gradient: Float64Array; readonly curvature: Float64Array },
): SumsOfNodes {
  const { level } = state;
  const summed = (values: Float64Array, step: number): Float64Array => {
    const all = new Float64Array(plots.entries(summedPower(state)));
    for (let i = 0; i < values.length; i++) all[places[i]!] = Math.round(values[i]! / step);
    return all;
  };
  const left = [summed(sums.gradient, gradientStep), summed(sums.curvature, curvatureStep)] as const;
  if (state.above === "") return left;
  const half = parents.length / 2;
  const whole = (part: 0 | 1): Float64Array => {
    const nodes = new Float64Array(plots.entries(level));
    for (const [t, width] of plots.widths.entries())
      for (let parent = 0; parent < 2 ** (level - 1); parent++) {
        const from = plots.first(t, level - 1) + parent * width;
        const to = plots.first(t, level) + 2 * parent * width;
        for (let i = 0; i < width; i++) {
          const own = left[part][from + i]!;
          nodes[to + i] = own;
          nodes[to + width + i] = parents[part * half + from + i]! - own;
        }
      }
    return nodes;
  };
  return [whole(0), whole(1)];
}

/**
 * @param isWhole - whether the sums are of other gradients than those that the level was split by.
 * @param variance - of the noise in one entry of gradients: what many of them add up to is believed the less.
 * @returns the tree with the splits of one level more, and the values of the nodes below them.
 */
function grown(
  tree: Tree,
  t: number,
  { level, isWhole }: { readonly level: number; readonly isWhole: boolean },
  [gradients, curvatures]: SumsOfNodes,
  plots: Plots,
  { params, others, minWeight }: Setting,
  variance: number,
): Tree {
  const next = {
    features: tree.features.slice(),
    cuts: tree.cuts.slice(),
    othersLeft: tree.othersLeft.slice(),
    values: tree.values.slice(),
  };
  /** g ÷ h is right up to a variance of (h + that of the entries' noise) ÷ h². */
  const belief = (h: number, entries: number): number =>
    variance === 0 ? 1 : Math.max(0, h) / (Math.max(0, h) + entries * variance);
  const worth = (g: number, h: number, entries: number) =>
    (belief(h, entries) * g * g) / (Math.max(0, h) + params.ridge);
  const leafValue = (g: number, h: number, entries: number) =>
    (belief(h, entries) * params.learningRate * g) / (Math.max(0, h) + params.ridge) / params.trees;
  // Of one column at a time.
  const [g, h] = [new Float64Array(Math.max(...others) + 1), new Float64Array(Math.max(...others) + 1)];
  const all = { g: 0, h: 0 };
  for (let place = 0; place < 2 ** level; place++) {
    const node = 2 ** level - 1 + place;
    const total = { g: 0, h: 0 };
    let at = plots.first(t, level) + place * plots.widths[t]!;
    let best: Split | undefined;
    let mostGain = 1e-9;
    for (const feature of plots.columns[t]!) {
      const width = others[feature]! + 1;
      total.g = 0;
      total.h = 0;
      for (let bin = 0; bin < width; bin++) {
        g[bin] = gradients[at + bin]! * gradientStep;
        h[bin] = curvatures[at + bin]! * curvatureStep;
        total.g += g[bin]!;
        total.h += h[bin]!;
      }
      at += width;
      if (isWhole) next.values[node] = leafValue(total.g, total.h, width);
      const other = { g: g[width - 1]!, h: h[width - 1]! };
      const whole = worth(total.g, total.h, width);
      for (const othersLeft of other.h > 2 * Math.sqrt(variance) ? [1, 0] : [0]) {
        let leftG = othersLeft === 1 ? other.g : 0;
        let leftH = othersLeft === 1 ? other.h : 0;
        for (let cut = 0; cut < width - 1; cut++) {
          leftG += g[cut]!;
          leftH += h[cut]!;
          const rightG = total.g - leftG;
          const rightH = total.h - leftH;
          if (leftH < minWeight || rightH < minWeight) continue;
          const gain = worth(leftG, leftH, cut + 1) + worth(rightG, rightH, width) - whole;
          if (gain <= mostGain) continue;
          mostGain = gain;
          const left = { g: leftG, h: leftH, entries: cut + 1 };
          best = { feature, cut, othersLeft, left, right: { g: rightG, h: rightH } };
        }
      }
    }
    all.g += total.g;
    all.h += total.h;
    if (best === undefined) continue;
    next.features[node] = best.feature;
    next.cuts[node] = best.cut;
    next.othersLeft[node] = best.othersLeft;
    next.values[2 * node + 1] = leafValue(best.left.g, best.left.h, best.left.entries);
    next.values[2 * node + 2] = leafValue(best.right.g, best.right.h, others[best.feature]! + 1);
  }
  if (isWhole && level === 1) next.values[0] = leafValue(all.g, all.h, 1);
  return next;
}

interface Split {
  readonly feature: number;
  readonly cut: number;
  readonly othersLeft: number;
  readonly left: { readonly g: number; readonly h: number; readonly entries: number };
  readonly right: { readonly g: number; readonly h: number };
}

interface Forests {
  readonly base: number;
  readonly trees: readonly Tree[];
  readonly depth: number;
  readonly others: readonly number[];
}

/** Of each row, what is made once: log-odds of bad by the first trees, the last of them as text; digests. */
interface Kept {
  last: string;
  trees: number;
  readonly margins: Float64Array;
  digests: Uint32Array | undefined;
}

const keptKey: MemoKey<Kept> = { name: "margins and digests" };

const lastOf = (trees: readonly Tree[]): string => (trees.length === 0 ? "" : JSON.stringify(trees.at(-1)));
/** While trees are added: what ends in the middle is begun anew. */
const underWay = "under way";

/** @returns the trees that have come since, all of them where the trees are others. */
function newTrees(kept: Kept, { base, trees }: Forests): Tree[] {
  if (lastOf(trees.slice(0, kept.trees)) !== kept.last) {
    kept.margins.fill(base);
    kept.trees = 0;
  }
  const since = trees.slice(kept.trees);
  kept.trees = trees.length;
  kept.last = underWay;
  return since;
}

/** @returns of each row 32 bits that follow from its bins and the public seed. */
function digestsOf(bins: readonly Uint16Array[], rows: number, seed: string): Uint32Array {
  const cells = new Uint16Array(bins.length);
  return Uint32Array.from({ length: rows }, (_, row) => {
    for (const [feature, column] of bins.entries()) cells[feature] = column[row]!;
    return createHmac("sha256", seed).update(cells).digest().readUInt32LE(0);
  });
}

/** @returns a number in [0, 1) that looks drawn anew for every pair. @see Appleby, MurmurHash3, its finalizer */
function drawn(digest: number, purpose: number): number {
  let x = digest ^ Math.imul(purpose + 1, 0x9e3779b9);
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32;
}

/** @returns x on the grid, up or down by `draw`, so that it is right on average; no farther from zero than 1. */
const rounded = (x: number, step: number, draw: number): number => Math.floor(x / step + draw) * step;
