import { z } from "zod";
import { Refusal } from "../../core/reasons.ts";
import type { Study } from "../algorithm.ts";
import { type Binned, binCount, binnedSchema, binsOf, fits, valueBins } from "../binning.ts";
import { type Count, count } from "../blocks.ts";
import { defineAlgorithm } from "../define.ts";
import { resultOf } from "../needs.ts";
import { plausibleCounts } from "../numerics/noisy-counts.ts";
import { bestTrend, shapes } from "../numerics/optimal-bins.ts";
import { powerOfTwo } from "../numerics/powers-of-two.ts";
import { quantileCuts } from "../numerics/quantile-cuts.ts";
import { settledCuts } from "../numerics/settled-cuts.ts";
import { treeCuts } from "../numerics/tree-cuts.ts";
import { finerCuts, finestPieces, gridCuts, joinedToLast } from "../numerics/value-grid.ts";
import { resultName } from "../parameters.ts";
import { checkRows } from "../rows.ts";
import { featureSchema } from "../study.ts";
import type { FeatureSchema } from "../table.ts";
import { type RangeResult, range } from "./range.ts";

export const binsParameters = z.strictObject({
  range: resultName("range"),
  most: z
    .int()
    .min(2)
    .max(512)
    .default(64)
    .describe(
      "bins of a numeric column of equal numbers of rows, at most; up to 19 more cuts are where good and bad rows differ",
    ),
  cells: z
    .int()
    .min(16)
    .max(4096)
    .default(4096)
    .describe("cells of the public grid on which a numeric column is counted, from which its bins are cut"),
  refined: z
    .int()
    .min(0)
    .max(2)
    .default(0)
    .describe(
      "further sums, each on cells that are finer where rows are and, unless noise hides it, finest around where the best binning cuts: bins are then cut at values themselves, also where those are close together and far from zero, like years",
    ),
  special: z
    .record(z.string(), z.array(z.number()).max(20))
    .default({})
    .describe("by numeric column: values that are codes, like -9; each has a bin of its own"),
});

const rowCounts = z.array(z.int().min(0));

const binnedColumn = z
  .strictObject({
    binned: binnedSchema,
    /** Rows of each bin: of values in order, of special values, of missing ones. */
    good: rowCounts,
    bad: rowCounts,
  })
  .refine(({ binned, good, bad }) => good.length === binCount(binned) && bad.length === binCount(binned), {
    error: "the counts are not those of the bins",
  });

const result = z
  .strictObject({
    good: z.int().min(0),
    bad: z.int().min(0),
    features: z.array(featureSchema),
    columns: z.record(z.string(), binnedColumn),
    /** Standard deviation of the noise in what one cell counts of a class, as honest enterprises reach it. */
    deviation: z.number().min(0).exactOptional(),
  })
  .refine(
    ({ features, columns }) => features.every((feature) => fits(feature, columns[feature.name]?.binned)),
    { error: "a feature has no bins of its kind" },
  );

export type BinsResult = Readonly<z.output<typeof result>>;

type Params = z.output<typeof binsParameters>;

/** Rows of each cell, feature after feature. */
type Cells = { readonly good: Count; readonly bad: Count };

/** Of each numeric feature, into which power of two pieces each of its cells is cut for a further sum. */
type Finer = Readonly<Record<string, readonly number[]>>;

interface State {
  /** Each cuts the cells of the one before. */
  readonly finer: readonly Finer[];
}

type Types = {
  params: Params;
  prior: { readonly range: RangeResult };
  state: State;
  result: BinsResult;
  blocks: Cells;
};

/**
 * Bins that everyone has alike: quantiles of the pooled rows on a public grid, with good and bad rows in each.
 * A categorical column has a bin for each level.
 */
export const bins = defineAlgorithm<Types>({
  name: "bins",
  parameters: binsParameters,
  result,
  needs: (params) => ({ range: resultOf(range, params.range) }),
  maxSteps: ({ refined }) => 1 + refined,

  start({ schema, params }) {
    for (const name of Object.keys(params.special))
      if (!schema.features.some((feature) => feature.kind === "numeric" && feature.name === name))
        throw new Refusal("parameters_invalid", `bins.special: ${name} is no numeric feature of the study`);
    return { next: { finer: [] } };
  },

  state: (study) =>
    z.strictObject({
      finer: z
        .array(z.record(z.string(), z.array(z.int().min(joinedToLast).max(finestPieces))))
        .max(study.params.refined)
        .refine((finer) => finer.every((own, i) => cutsCells(own, study, { finer: finer.slice(0, i) })), {
          error: "the cells are cut otherwise, or into too many pieces",
        }),
    }),

  blocks(state, study) {
    const cells = gridsOf(study, state).reduce((all, { grid }) => all + binCount(grid), 0);
    return { good: count(cells), bad: count(cells) };
  },

  contribute(state, { training }, study) {
    checkRows(study.schema, training);
    const grids = gridsOf(study, state);
    const cells = grids.reduce((all, { grid }) => all + binCount(grid), 0);
    const rows = [new Float64Array(cells), new Float64Array(cells)] as const;
    let first = 0;
    for (const { feature, grid } of grids) {
      const cellsOf = binsOf(grid, feature, training);
      for (let row = 0; row < cellsOf.length; row++)
        rows[training.label[row] === 1 ? 1 : 0][first + cellsOf[row]!]! += 1;
      first += binCount(grid);
    }
    return { good: rows[0], bad: rows[1] };
  },

  advance(state, sums, study) {
    let first = 0;
    const plausible = (own: Float64Array) => (study.noise === undefined ? own : plausibleCounts(own));
    const counted = gridsOf(study, state).map(({ feature, grid }) => {
      const cells = binCount(grid);
      const good = plausible(sums.good.subarray(first, first + cells));
      const bad = plausible(sums.bad.subarray(first, first + cells));
      first += cells;
      return { name: feature.name, grid, good, bad };
    });
    const { most, refined } = study.params;
    // What noise makes of single cells is no reason to cut there.
    const settled = refined > 0 && study.noise === undefined;
    if (state.finer.length < refined) {
      // Those of a sum before have become as fine as their rows make them.
      const byRows = state.finer.length === 0 ? cellsOf(study) : 0;
      const finer = counted.flatMap(({ name, grid, good, bad }) =>
        grid.kind === "numeric"
          ? [[name, finerCells(valuesOf(grid.cuts, good, bad), byRows, study, settled)] as const]
          : [],
      );
      return { next: { finer: [...state.finer, Object.fromEntries(finer)] } };
    }
    const columns = counted.map(
      ({ name, grid, good, bad }) => [name, joinCells(grid, good, bad, most, settled)] as const,
    );
    const [, any] = columns[0]!;
    const [good, bad] = [total(any.good), total(any.bad)];
    if (good + bad === 0) throw new Refusal("rows_missing", "no party has rows for training");
    const features = study.schema.features.map((feature) =>
      feature.kind === "numeric" ? feature : { ...feature, levels: [...feature.levels] },
    );
    const done = { good, bad, features, columns: Object.fromEntries(columns) };
    if (study.noise === undefined) return { done };
    return { done: { ...done, deviation: study.noise * Math.sqrt(study.schema.features.length) } };
  },

  takesNoise: true,
  // A row is good or bad.
  joint: () => 1,
  // A row is in one cell of each feature.
  sensitivity(_, { schema }) {
    const cells = Math.sqrt(schema.features.length);
    return { good: cells, bad: cells };
  },
});

/** Cells of a numeric column where noise is added to each: of finer ones it would show nothing else. */
const noisyCells = 32;

const cellsOf = ({ params, noise }: Pick<Study<Types>, "params" | "noise">): number =>
  noise === undefined ? params.cells : Math.min(params.cells, noisyCells);

interface Grid {
  readonly feature: FeatureSchema;
  readonly grid: Binned;
}

/** @returns the cells that each feature is counted in. */
const gridsOf = (study: Study<Types>, { finer }: State): Grid[] =>
  study.schema.features.map((feature) => {
    if (feature.kind === "categorical")
      return { feature, grid: { kind: "categorical", groups: feature.levels.map((_, code) => code) } };
    const { low, high } = study.prior.range.columns[feature.name]!;
    const cuts = Array.from(
      finer.reduce(
        (coarse, own) => finerCuts(low, high, coarse, own[feature.name]!),
        gridCuts(low, high, cellsOf(study)),
      ),
    );
    return { feature, grid: { kind: "numeric", cuts, special: study.params.special[feature.name] ?? [] } };
  });

/** Of a numeric column's cells together in a further sum. */
const mostPieces = (cells: number): number => 3 * cells + 2;

/** @returns whether it says of every cell before it into how many pieces it is cut, and no more of them than may be. */
function cutsCells(finer: Finer, study: Study<Types>, before: State): boolean {
  const numeric = gridsOf(study, before).filter(({ grid }) => grid.kind === "numeric");
  return (
    Object.keys(finer).length === numeric.length &&
    numeric.every(({ feature, grid }) => {
      const own = finer[feature.name];
      return own?.length === valueBins(grid) && pieces(own) <= mostPieces(study.params.cells);
    })
  );
}

const pieces = (finer: readonly number[]): number =>
  finer.reduce((sum, exponent) => sum + (exponent === joinedToLast ? 0 : powerOfTwo(exponent)), 0);

/** Rows of a numeric column's cells of values, and all rows, of which some may have no value. */
interface Values {
  readonly good: Float64Array;
  readonly bad: Float64Array;
  readonly all: { readonly good: number; readonly bad: number };
}

const total = (rows: ArrayLike<number>): number => Array.from(rows).reduce((sum, n) => sum + n, 0);

const valuesOf = (cuts: readonly number[], good: Float64Array, bad: Float64Array): Values => ({
  good: good.subarray(0, cuts.length + 1),
  bad: bad.subarray(0, cuts.length + 1),
  all: { good: total(good), bad: total(bad) },
});

const rowsOf = ({ good, bad }: Values): number[] => Array.from(good, (rows, cell) => rows + bad[cell]!);

/** Cells with rows, on each side of a cut, that a further sum has finest. */
const reach = 32;

/**
 * @param byRows - pieces that the rows have together: a cell has as many as its share of them, and one at least.
 * @param settled - whether cells around where the best binning cuts have all the pieces that are left: one row that
 *   falls on the other side of a cut can change what a bin is worth by much more than its share.
 * @returns for each cell of values, into which power of two pieces it is cut.
 */
function finerCells(values: Values, byRows: number, { params }: Study<Types>, settled: boolean): number[] {
  const rows = rowsOf(values);
  const all = total(rows);
  const even = rows.map((here, cell) => {
    if (here === 0) return cell === 0 ? 0 : joinedToLast;
    return exponentWithin((byRows * here) / all);
  });
  if (!settled) return even;
  const occupied = [...rows.keys()].filter((cell) => rows[cell]! > 0);
  const near = new Set(
    bestFirsts(values, prebinsOf(values, params.most)).flatMap((cut) => {
      const at = occupied.findIndex((cell) => cell >= cut);
      return occupied.slice(Math.max(0, at - reach), at + reach);
    }),
  );
  const left = exponentWithin((mostPieces(params.cells) - pieces(even)) / near.size);
  return even.map((exponent, cell) => (near.has(cell) ? Math.max(exponent, left) : exponent));
}

/** @returns the largest power of two that is at most so many pieces, and what a cell is cut into at most. */
function exponentWithin(most: number): number {
  let exponent = 0;
  while (exponent < finestPieces && powerOfTwo(exponent + 1) <= most) exponent++;
  return exponent;
}

/** As binning has them by default: bins of a column, at most, and the share of rows each holds. */
const usualBins = 20;
const usualShare = 0.05;

/** @returns the first cells of bins of about equally many rows, and of the leaves of a tree on the column. */
function prebinsOf(values: Values, most: number): number[] {
  const rows = rowsOf(values);
  const byClass = treeCuts(values.good, values.bad, usualBins, Math.ceil(usualShare * total(rows)));
  return [...new Set([0, ...quantileCuts(rows, most), ...byClass])].sort((a, b) => a - b);
}

const joined = (rows: Float64Array, firsts: readonly number[]): number[] =>
  firsts.map((from, bin) => total(rows.subarray(from, firsts[bin + 1])));

/** @returns the first cells of the bins, but the first, that woe would make, were it to see every cell. */
function bestFirsts({ good, bad, all }: Values, prebins: readonly number[]): number[] {
  const counts = { good: joined(good, prebins), bad: joined(bad, prebins) };
  const minRows = Math.ceil(usualShare * (total(good) + total(bad)));
  const limits = { ...all, minRows, minOfClass: 1, maxBins: usualBins };
  const found = bestTrend(counts, shapes, limits);
  if (found === undefined) return [];
  const firsts = found.binning.firsts.map((bin) => prebins[bin]!);
  return settledCuts({ good, bad }, firsts, found.trend, limits);
}

/**
 * Cells of a numeric column are joined to bins; what is special or missing stays as it was counted.
 * @param settled - whether bins are also cut where the best binning of all cells is.
 */
export function joinCells(
  grid: Binned,
  good: Float64Array,
  bad: Float64Array,
  most: number,
  settled = false,
) {
  if (grid.kind === "categorical") return { binned: grid, good: Array.from(good), bad: Array.from(bad) };
  const values = valuesOf(grid.cuts, good, bad);
  const prebins = prebinsOf(values, most);
  const best = settled ? bestFirsts(values, prebins) : [];
  const firsts = [...new Set([...prebins, ...best])].sort((a, b) => a - b);
  const rest = grid.cuts.length + 1;
  return {
    binned: { ...grid, cuts: firsts.slice(1).map((cell) => grid.cuts[cell - 1]!) },
    good: [...joined(values.good, firsts), ...good.subarray(rest)],
    bad: [...joined(values.bad, firsts), ...bad.subarray(rest)],
  };
}
