import { z } from "zod";
import { Refusal } from "../../core/reasons.ts";
import { type Binned, binCount, binnedSchema, binsOf, fits } from "../binning.ts";
import { type Count, count } from "../blocks.ts";
import { defineAlgorithm } from "../define.ts";
import { resultOf } from "../needs.ts";
import { plausibleCounts } from "../numerics/noisy-counts.ts";
import { powerOfTwo } from "../numerics/powers-of-two.ts";
import { quantileCuts } from "../numerics/quantile-cuts.ts";
import { treeCuts } from "../numerics/tree-cuts.ts";
import { finerCuts, finestPieces, gridCuts, joinedToLast } from "../numerics/value-grid.ts";
import { resultName } from "../parameters.ts";
import { checkRows } from "../rows.ts";
import { featureSchema } from "../study.ts";
import type { FeatureSchema, StudySchema } from "../table.ts";
import { type RangeResult, range } from "./range.ts";

const parameters = z.strictObject({
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
    .boolean()
    .default(false)
    .describe(
      "whether a second sum counts on cells that are finer where rows are: bins are then cut at values themselves, also where those are close together and far from zero, like years",
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

type Params = z.output<typeof parameters>;

/** Rows of each cell, feature after feature. */
type Cells = { readonly good: Count; readonly bad: Count };

/** Of each numeric feature, into how many pieces its cells are cut for the second sum; null before the first. */
interface State {
  readonly finer: Readonly<Record<string, readonly number[]>> | null;
}

/**
 * Bins that everyone has alike: quantiles of the pooled rows on a public grid, with good and bad rows in each.
 * A categorical column has a bin for each level.
 */
export const bins = defineAlgorithm<{
  params: Params;
  prior: { readonly range: RangeResult };
  state: State;
  result: BinsResult;
  blocks: Cells;
}>({
  name: "bins",
  parameters,
  result,
  needs: (params) => ({ range: resultOf(range, params.range) }),
  maxSteps: ({ refined }) => (refined ? 2 : 1),

  start({ schema, params }) {
    for (const name of Object.keys(params.special))
      if (!schema.features.some((feature) => feature.kind === "numeric" && feature.name === name))
        throw new Refusal("parameters_invalid", `bins.special: ${name} is no numeric feature of the study`);
    return { next: { finer: null } };
  },

  state(study) {
    const finer = gridsOf(study, { finer: null }).flatMap(({ feature, grid }) =>
      grid.kind === "numeric"
        ? [[feature.name, z.array(z.int().min(joinedToLast).max(finestPieces)).length(grid.cuts.length + 1)]]
        : [],
    );
    const known = z
      .strictObject(Object.fromEntries(finer) as Record<string, z.ZodType<number[]>>)
      .refine((own) => Object.values(own).every((of) => pieces(of) <= 3 * study.params.cells + 2), {
        error: "the cells are cut into too many pieces",
      });
    return z.strictObject({ finer: study.params.refined ? known.nullable() : z.null() });
  },

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
    const rowsOf = (own: Float64Array) => (study.noise === undefined ? own : plausibleCounts(own));
    const counted = gridsOf(study, state).map(({ feature, grid }) => {
      const cells = binCount(grid);
      const good = rowsOf(sums.good.subarray(first, first + cells));
      const bad = rowsOf(sums.bad.subarray(first, first + cells));
      first += cells;
      return { name: feature.name, grid, good, bad };
    });
    if (study.params.refined && state.finer === null) {
      const finer = counted.flatMap(({ name, grid, good, bad }) =>
        grid.kind === "numeric" ? [[name, finerCells(grid.cuts, good, bad, cellsOf(study))] as const] : [],
      );
      return { next: { finer: Object.fromEntries(finer) } };
    }
    const columns = counted.map(
      ({ name, grid, good, bad }) => [name, joinCells(grid, good, bad, study.params.most)] as const,
    );
    const [, any] = columns[0]!;
    const total = (rows: readonly number[]) => rows.reduce((sum, n) => sum + n, 0);
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

const cellsOf = ({
  params,
  noise,
}: {
  readonly params: Params;
  readonly noise?: number | undefined;
}): number => (noise === undefined ? params.cells : Math.min(params.cells, noisyCells));

interface Grid {
  readonly feature: FeatureSchema;
  readonly grid: Binned;
}

/** @returns the cells that each feature is counted in. */
const gridsOf = (
  study: {
    readonly schema: StudySchema;
    readonly params: Params;
    readonly prior: { readonly range: RangeResult };
    readonly noise?: number | undefined;
  },
  { finer }: State,
): Grid[] =>
  study.schema.features.map((feature) => {
    if (feature.kind === "categorical")
      return { feature, grid: { kind: "categorical", groups: feature.levels.map((_, code) => code) } };
    const { low, high } = study.prior.range.columns[feature.name]!;
    const coarse = gridCuts(low, high, cellsOf(study));
    const cuts = Array.from(finer === null ? coarse : finerCuts(low, high, coarse, finer[feature.name]!));
    return { feature, grid: { kind: "numeric", cuts, special: study.params.special[feature.name] ?? [] } };
  });

const pieces = (finer: readonly number[]): number =>
  finer.reduce((sum, exponent) => sum + (exponent === joinedToLast ? 0 : powerOfTwo(exponent)), 0);

/** @returns for each cell of values, into which power of two pieces it is cut: about as many as its share of the rows. */
function finerCells(cuts: readonly number[], good: Float64Array, bad: Float64Array, cells: number): number[] {
  const rows = Array.from({ length: cuts.length + 1 }, (_, cell) => good[cell]! + bad[cell]!);
  const total = rows.reduce((sum, n) => sum + n, 0);
  return rows.map((here, cell) => {
    if (here === 0) return cell === 0 ? 0 : joinedToLast;
    let exponent = 0;
    while (exponent < finestPieces && powerOfTwo(exponent + 1) <= (cells * here) / total) exponent++;
    return exponent;
  });
}

/** Leaves of a tree on one column that its bins are cut at beside the quantiles, and the share of rows each holds. */
const treeLeaves = 20;
const treeShare = 0.05;

/** Cells of a numeric column are joined to bins; what is special or missing stays as it was counted. */
export function joinCells(grid: Binned, good: Float64Array, bad: Float64Array, most: number) {
  if (grid.kind === "categorical") return { binned: grid, good: Array.from(good), bad: Array.from(bad) };
  const values = grid.cuts.length + 1;
  const cells = good.subarray(0, values).map((rows, cell) => rows + bad[cell]!);
  const total = cells.reduce((sum, n) => sum + n, 0);
  const byClass = treeCuts(
    good.subarray(0, values),
    bad.subarray(0, values),
    treeLeaves,
    Math.ceil(treeShare * total),
  );
  const firsts = [...new Set([0, ...quantileCuts(cells, most), ...byClass])].sort((a, b) => a - b);
  const joined = (rows: Float64Array) => [
    ...firsts.map((from, bin) =>
      rows.subarray(from, firsts[bin + 1] ?? values).reduce((sum, n) => sum + n, 0),
    ),
    ...rows.subarray(values),
  ];
  const cuts = firsts.slice(1).map((cell) => grid.cuts[cell - 1]!);
  return { binned: { ...grid, cuts }, good: joined(good), bad: joined(bad) };
}
