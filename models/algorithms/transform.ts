import { z } from "zod";
import { Refusal, refuseAll } from "../../core/reasons.ts";
import type { Transform } from "../algorithm.ts";
import { type Binned, binCount, binsOf } from "../binning.ts";
import { type Count, count, type Exact, exact } from "../blocks.ts";
import { defineAlgorithm } from "../define.ts";
import {
  clippedRows,
  columnsMadeOf,
  type FittedColumn,
  featuresMadeOf,
  fittedColumnSchema,
  isMadeOf,
  loggedIf,
} from "../fitted-columns.ts";
import { type Accumulator, accumulate, ratio } from "../numerics/exact-sum.ts";
import { exponentAbove, powerOfTwo } from "../numerics/powers-of-two.ts";
import { quantileCuts } from "../numerics/quantile-cuts.ts";
import { agreed } from "../numerics/rounding.ts";
import { gridCuts } from "../numerics/value-grid.ts";
import { checkRows, numericColumn } from "../rows.ts";
import { featureSchema } from "../study.ts";
import type { FeatureSchema, StudySchema, Table } from "../table.ts";
import { joinCells } from "./bins.ts";
import { boundsOf, bucketOf, bucketsPerColumn, type ColumnRange, columnRangeSchema } from "./range.ts";
import { outOfBounds } from "./summary.ts";
import { joiningParameters, woeColumn } from "./woe.ts";

const share = z.number().min(0).max(1);

const clip = z
  .strictObject({
    low: z.number().describe("smallest amount").exactOptional(),
    high: z.number().describe("largest amount").exactOptional(),
  })
  .refine(({ low, high }) => (low ?? -Infinity) < (high ?? Infinity), "low must be below high");

/** Of one column. Which go together: everything for amounts; bins or WOE with clip and special; levels. */
const columnParameters = z
  .strictObject({
    special: z
      .array(z.number())
      .min(1)
      .max(20)
      .describe("values that are codes, not amounts, like -9: missing, each with a column of its own")
      .exactOptional(),
    clip: clip.describe("ends beyond which a value is the nearest one").exactOptional(),
    caps: z
      .strictObject({
        lower: share.default(0).describe("share of the rows at or below the smallest amount; 0 leaves it"),
        upper: share.default(1).describe("share of the rows at or below the largest amount; 1 leaves it"),
      })
      .refine(({ lower, upper }) => lower < upper, "lower must be below upper")
      .describe("shares of all rows below and above which a value is the one at that share (winsorizing)")
      .exactOptional(),
    outliers: z
      .strictObject({
        fence: z
          .number()
          .positive()
          .default(1.5)
          .describe("how many distances of the quartiles beyond them a value may lie (Tukey's fences)"),
        become: z.enum(["cap", "missing"]).default("missing").describe("what a value beyond becomes"),
      })
      .describe("limits from all rows' quartiles")
      .exactOptional(),
    log: z.literal(true).describe("x becomes sign(x) · ln(1 + |x|)").exactOptional(),
    impute: z
      .union([
        z.enum(["mean", "median", "mode"]),
        z.strictObject({ value: z.union([z.number(), z.string()]).describe("number or level") }),
      ])
      .describe(
        "what a missing value becomes: mean or median of a numeric column's rows (as transformed so far), the most frequent level of a categorical one, or a value",
      )
      .exactOptional(),
    indicator: z
      .boolean()
      .describe("whether imputed rows have a column of their own that says so; they have by default")
      .exactOptional(),
    bins: z
      .strictObject({ most: z.int().min(2).max(100).default(10).describe("bins at most") })
      .describe("levels by quantiles of all rows; special codes are levels of their own")
      .exactOptional(),
    woe: z
      .strictObject(joiningParameters)
      .describe("the weight of evidence of the value's bin; special and missing values have their own")
      .exactOptional(),
    merge: z
      .strictObject({
        minShare: share
          .default(0.05)
          .describe("share of the rows with a level that a level keeps its own by"),
        into: z.string().default("other").describe("level that the rarer ones become"),
      })
      .describe("rare levels become one")
      .exactOptional(),
    oneHot: z
      .strictObject({
        base: z
          .enum(["first", "none"])
          .default("first")
          .describe("the level without a column: the first that occurs, or none, which suits trees alone"),
      })
      .describe("a column of 0 and 1 for each level that occurs")
      .exactOptional(),
  })
  .refine((own) => Object.keys(own).length > 0, "names nothing to do");

type ColumnParameters = z.output<typeof columnParameters>;

export const transformParameters = z.strictObject({
  columns: z
    .record(z.string(), columnParameters)
    .default({})
    .describe("by feature of the study: what is done to it; every other feature stays as it is"),
  cells: z
    .int()
    .min(16)
    .max(4096)
    .default(4096)
    .describe("cells of the public grid on which a numeric column is counted for its quantiles and bins"),
});

type Params = z.output<typeof transformParameters>;

const result = z
  .strictObject({
    /** What it was made for. */
    features: z.array(featureSchema),
    /** By feature, what becomes of it. */
    columns: z.record(z.string(), fittedColumnSchema),
  })
  .refine(
    ({ features, columns }) =>
      Object.entries(columns).every(([name, fitted]) => {
        const feature = features.find((one) => one.name === name);
        return feature !== undefined && isMadeOf(feature, fitted);
      }),
    { error: "a column is made of none of the features" },
  );

export type TransformResult = Readonly<z.output<typeof result>>;

const ranges = z.record(z.string(), columnRangeSchema);

type State =
  | { readonly phase: "ranges" }
  | { readonly phase: "counts"; readonly ranges: Readonly<Record<string, ColumnRange>> }
  | {
      readonly phase: "means";
      readonly ranges: Readonly<Record<string, ColumnRange>>;
      readonly columns: Readonly<Record<string, FittedColumn>>;
    };

/** Of the columns' positions among those that the phase is about. */
type Counts<T> = {
  readonly [name: `${"buckets" | "rows" | "good" | "bad" | "present"}.${number}`]: T;
};
type Sums<T> = { readonly [name: `sum.${number}`]: T };

type Study = { readonly schema: StudySchema; readonly params: Params };

/**
 * Transforms of the study's columns, from sums: what no enterprise has to prepare by itself, and all that come after see.
 */
export const transform = defineAlgorithm<{
  params: Params;
  prior: object;
  state: State;
  result: TransformResult;
  blocks: Counts<Count> & Sums<Exact>;
}>({
  name: "transform",
  parameters: transformParameters,
  result,
  needs: () => ({}),
  maxSteps: ({ columns }) => (Object.keys(columns).length === 0 ? 0 : 3),

  start(study) {
    refuseAll(
      Object.entries(study.params.columns).flatMap(([name, own]) => faultsOf(study.schema, name, own)),
    );
    const all = columnsOf(study);
    if (all.length === 0) return { done: resultOf(study.schema, {}) };
    return { next: all.some(needsRange) ? { phase: "ranges" } : { phase: "counts", ranges: {} } };
  },

  state(study) {
    const numeric = columnsOf(study).filter(needsRange);
    const known = ranges.refine(
      (own) => numeric.every(({ feature }) => Object.hasOwn(own, feature.name)),
      "a column has no range",
    );
    return z.discriminatedUnion("phase", [
      z.strictObject({ phase: z.literal("ranges") }),
      z.strictObject({ phase: z.literal("counts"), ranges: known }),
      z.strictObject({
        phase: z.literal("means"),
        ranges: known,
        columns: z
          .record(z.string(), fittedColumnSchema)
          .refine((own) => columnsOf(study).every((column) => isFitOf(column, own)), {
            error: "a column is made of none of the features",
          }),
      }),
    ]);
  },

  blocks(state, study) {
    // A value is at most 1 in its unit, so that no sum exceeds the number of rows.
    const bound = powerOfTwo(exponentAbove(study.schema.maxRowsPerParty));
    const sums: Sums<Exact> = ofEach(
      state.phase === "means" ? columnsOf(study).filter(needsMean) : [],
      (_, i) => ({
        [`sum.${i}`]: exact(1, bound),
      }),
    );
    return { ...countBlocks(state, study), ...sums };
  },

  contribute(state, { training }, study) {
    checkRows(study.schema, training);
    const counts: Counts<ArrayLike<number>> = {};
    const sums: Sums<readonly Accumulator[]> = {};
    switch (state.phase) {
      case "ranges":
        return { ...bucketsOf(training, study), ...sums };
      case "counts":
        return { ...cellsOf(state, training, study), ...sums };
      case "means":
        for (const [i, column] of columnsOf(study).filter(needsMean).entries()) {
          const { present, sum } = sumOf(column, state, training);
          Object.assign(counts, { [`present.${i}`]: [present] });
          Object.assign(sums, { [`sum.${i}`]: [sum] });
        }
        return { ...counts, ...sums };
    }
  },

  advance(state, sums, study) {
    const all = columnsOf(study);
    switch (state.phase) {
      case "ranges": {
        const found = all
          .filter(needsRange)
          .map(({ feature }, i) => [feature.name, boundsOf(sums[`buckets.${i}`]!)] as const);
        return { next: { phase: "counts", ranges: Object.fromEntries(found) } };
      }
      case "counts": {
        const fitted = all.map((column, i) => {
          const rows = sums[`rows.${i}`] ?? sums[`good.${i}`]!;
          const bad = sums[`bad.${i}`] ?? new Float64Array(rows.length);
          const low = state.ranges[column.feature.name]?.low ?? 0;
          return [
            column.feature.name,
            fittedOf(column, gridOf(column, state, study), low, rows, bad),
          ] as const;
        });
        const columns = Object.fromEntries(fitted);
        return all.some(needsMean)
          ? { next: { phase: "means", ranges: state.ranges, columns } }
          : { done: resultOf(study.schema, columns) };
      }
      case "means": {
        const columns = { ...state.columns };
        for (const [i, column] of all.filter(needsMean).entries()) {
          const { name } = column.feature;
          const present = sums[`present.${i}`]![0]!;
          const sum = sums[`sum.${i}`]![0]!;
          if (present === 0) throw empty(name);
          const unit = unitOf(column, state.ranges[name]!);
          const mean = ratio(sum.units, BigInt(present) << BigInt(-sum.exponent)) * unit;
          columns[name] = { ...(columns[name] as Extract<FittedColumn, { kind: "amounts" }>), impute: mean };
        }
        return { done: resultOf(study.schema, columns) };
      }
    }
  },

  // A row is in one cell of each column; its value is at most 1 in its unit.
  sensitivity(state, study) {
    switch (state.phase) {
      case "ranges":
        return ofEach(columnsOf(study).filter(needsRange), (_, i) => ({ [`buckets.${i}`]: 1 }));
      case "counts":
        return ofEach(columnsOf(study), ({ own }, i) =>
          own.woe ? { [`good.${i}`]: 1, [`bad.${i}`]: 1 } : { [`rows.${i}`]: 1 },
        );
      case "means":
        return ofEach(columnsOf(study).filter(needsMean), (_, i) => ({
          [`present.${i}`]: 1,
          [`sum.${i}`]: 1,
        }));
    }
  },

  transform: transformOf,
});

function isFitOf(column: TransformedColumn, fits: Readonly<Record<string, FittedColumn>>): boolean {
  const fitted = fits[column.feature.name];
  if (fitted === undefined || !isMadeOf(column.feature, fitted)) return false;
  return fitted.kind === "amounts" || !needsMean(column);
}

function countBlocks(state: State, study: Study): Counts<Count> {
  switch (state.phase) {
    case "ranges":
      return ofEach(columnsOf(study).filter(needsRange), (_, i) => ({
        [`buckets.${i}`]: count(bucketsPerColumn),
      }));
    case "counts":
      return ofEach(columnsOf(study), (column, i) => {
        const cells = count(binCount(gridOf(column, state, study)));
        return column.own.woe ? { [`good.${i}`]: cells, [`bad.${i}`]: cells } : { [`rows.${i}`]: cells };
      });
    case "means":
      return ofEach(columnsOf(study).filter(needsMean), (_, i) => ({ [`present.${i}`]: count(1) }));
  }
}

/** @returns rows by the magnitude of each column's values. */
const bucketsOf = (training: Table, study: Study): Counts<Float64Array> =>
  ofEach(columnsOf(study).filter(needsRange), (column, i) => {
    const buckets = new Float64Array(bucketsPerColumn);
    for (const x of amountsOf(column, training)) buckets[bucketOf(x, column.feature.name)]! += 1;
    return { [`buckets.${i}`]: buckets };
  });

/** @returns rows by the cell of each column's values. */
const cellsOf = (
  state: Extract<State, { phase: "counts" }>,
  training: Table,
  study: Study,
): Counts<Float64Array> =>
  ofEach(columnsOf(study), (column, i) => {
    const grid = gridOf(column, state, study);
    const cells = binsOf(grid, column.feature, clipOf(column, training));
    const [good, bad] = [new Float64Array(binCount(grid)), new Float64Array(binCount(grid))];
    for (let row = 0; row < cells.length; row++)
      (column.own.woe && training.label[row] === 1 ? bad : good)[cells[row]!]! += 1;
    return column.own.woe ? { [`good.${i}`]: good, [`bad.${i}`]: bad } : { [`rows.${i}`]: good };
  });

/** @returns the sum of what a column's amounts become, in its unit. @throws Refusal value_out_of_bounds */
function sumOf(column: TransformedColumn, state: Extract<State, { phase: "means" }>, training: Table) {
  const { name } = column.feature;
  const range = state.ranges[name]!;
  const unit = unitOf(column, range);
  const [made] = columnsMadeOf(column.feature, state.columns[name]!, training);
  const sum: Accumulator = { high: 0, low: 0 };
  let present = 0;
  for (const x of made?.kind === "numeric" ? made.values : []) {
    if (Number.isNaN(x)) continue;
    if (!(Math.abs(x) <= unit)) throw outOfBounds(name, range.low, range.high);
    present++;
    accumulate(sum, x / unit);
  }
  return { present, sum };
}

interface TransformedColumn {
  readonly feature: FeatureSchema;
  readonly own: ColumnParameters;
}

/** @returns the study's features that something is done to, in their order. */
const columnsOf = ({ schema, params }: Study): TransformedColumn[] =>
  schema.features.flatMap((feature) => {
    const own = params.columns[feature.name];
    return own === undefined ? [] : [{ feature, own }];
  });

/** @returns what `make` gives for each column, put together. */
const ofEach = <T>(
  columns: readonly TransformedColumn[],
  make: (column: TransformedColumn, i: number) => Readonly<Record<string, T>>,
): Record<string, T> => Object.assign({}, ...columns.map(make));

const needsMean = ({ feature, own }: TransformedColumn): boolean =>
  feature.kind === "numeric" && own.impute === "mean";

/** Of which values are told apart by size. */
const needsRange = (column: TransformedColumn): boolean => {
  const { caps, outliers, bins, woe, impute } = column.own;
  const sized = caps ?? outliers ?? bins ?? woe;
  return (
    column.feature.kind === "numeric" && (sized !== undefined || impute === "median" || needsMean(column))
  );
};

const ofNumbers = ["special", "clip", "caps", "outliers", "log", "bins"] as const;
const ofLevels = ["merge", "oneHot"] as const;
/** What goes with bins and with weight of evidence, in which special and missing values have bins of their own. */
const besideBins = ["special", "clip", "bins", "woe", "merge"] as const;

function faultsOf({ features }: StudySchema, name: string, own: ColumnParameters): Refusal[] {
  const faults: Refusal[] = [];
  const wrong = (what: string, hint: string): unknown =>
    faults.push(new Refusal("parameters_invalid", `transform.columns.${name}: ${what}`, { hint }));
  const feature = features.find((one) => one.name === name);
  if (feature === undefined) {
    wrong("the study has no such feature", "name a column of `features`");
    return faults;
  }
  const given = Object.keys(own);
  const foreign = feature.kind === "numeric" ? ofLevels : ofNumbers;
  for (const key of given.filter((one) => (foreign as readonly string[]).includes(one)))
    wrong(`${key} is not for a ${feature.kind} column`, `leave ${key} out`);
  if (own.bins !== undefined || own.woe !== undefined)
    for (const key of given.filter((one) => !(besideBins as readonly string[]).includes(one)))
      wrong(`${key} changes nothing about bins`, `leave ${key} out: missing values have a bin of their own`);
  if (own.bins !== undefined && own.woe !== undefined) wrong("bins and woe at once", "choose one");
  if (own.caps !== undefined && own.outliers !== undefined) wrong("caps and outliers at once", "choose one");
  if (own.woe !== undefined && own.oneHot !== undefined) wrong("woe and oneHot at once", "choose one");
  if (own.indicator !== undefined && own.impute === undefined)
    wrong("an indicator without impute", "say with impute what a missing value becomes");
  const inBins = own.bins ?? own.woe;
  if (own.special !== undefined && inBins === undefined && own.impute === undefined)
    wrong("special codes without an amount", "say with impute what stands for them, or take bins or woe");
  const valueKind = typeof own.impute === "object" ? typeof own.impute.value : own.impute;
  if (feature.kind === "numeric" ? valueKind === "mode" || valueKind === "string" : isNumeric(valueKind))
    wrong(`impute is not for a ${feature.kind} column`, numericHint[feature.kind]);
  if (feature.kind === "categorical" && typeof own.impute === "object") {
    const { value } = own.impute;
    if (!feature.levels.includes(String(value)) && value !== own.merge?.into)
      wrong(`impute: "${value}" is none of its levels`, "name a level of the feature");
  }
  return faults;
}

const isNumeric = (kind: string | undefined): boolean =>
  kind === "mean" || kind === "median" || kind === "number";

const numericHint = {
  numeric: "give mean, median or a number",
  categorical: "give mode or a level",
} as const;

const clipOf = ({ feature, own }: TransformedColumn, rows: Table): Table =>
  feature.kind === "numeric" ? clippedRows(feature.name, endsOf(own), rows, own.special ?? []) : rows;

const endsOf = ({ clip }: ColumnParameters) => ({ low: clip?.low ?? null, high: clip?.high ?? null });

/** @returns a numeric column's values within its ends; NaN where they are missing or codes. */
function amountsOf(column: TransformedColumn, rows: Table): Float64Array {
  const { special = [] } = column.own;
  const { values } = numericColumn(clipOf(column, rows), column.feature.name);
  return special.length === 0 ? values : values.map((x) => (special.includes(x) ? Number.NaN : x));
}

/** @returns the cells that a column is counted in. */
function gridOf(
  column: TransformedColumn,
  state: Extract<State, { phase: "counts" }>,
  { params }: Study,
): Binned {
  const { feature, own } = column;
  if (feature.kind === "categorical")
    return { kind: "categorical", groups: feature.levels.map((_, code) => code) };
  const special = own.special ?? [];
  if (!needsRange(column)) return { kind: "numeric", cuts: [], special };
  const { low, high } = state.ranges[feature.name]!;
  return { kind: "numeric", cuts: Array.from(gridCuts(low, high, params.cells)), special };
}

/** @returns the largest magnitude of what a column's amounts become, a power of two where it is no logarithm. */
function unitOf({ own }: TransformedColumn, { low, high }: ColumnRange): number {
  const most = Math.max(Math.abs(low), Math.abs(high)) || 1;
  return own.log ? powerOfTwo(exponentAbove(loggedIf(true, most))) : most;
}

const empty = (name: string): Refusal =>
  new Refusal("column_constant", `column ${name} has a value in no row`, {
    hint: "leave it out of the study's features, or impute a value of your own",
  });

/** @param low - of all values. @param rows - of each cell: good ones where `bad` holds any. */
function fittedOf(
  { feature, own }: TransformedColumn,
  grid: Binned,
  low: number,
  rows: Float64Array,
  bad: Float64Array,
): FittedColumn {
  if (feature.kind === "categorical") return levelsOf(feature, own, rows, bad);
  const ends = endsOf(own);
  if (own.woe !== undefined) {
    const prebins = joinCells(grid, rows, bad, 64);
    const { binned, bins } = woeColumn(prebins, own.woe.trend, classesOf(rows, bad), own.woe);
    return { kind: "woe", clip: ends, groups: [], binned, woe: bins.map(({ woe }) => woe) };
  }
  const cuts = grid.kind === "numeric" ? grid.cuts : [];
  const from = [low, ...cuts];
  const special = own.special ?? [];
  const cells = rows.subarray(0, cuts.length + 1);
  if (own.bins !== undefined) {
    const firsts = quantileCuts(cells, own.bins.most);
    const binned = { kind: "numeric" as const, special, cuts: firsts.map((cell) => cuts[cell - 1]!) };
    return { kind: "bins", clip: ends, binned };
  }
  const at = (share: number): number => quantileAt(cells, from, share);
  const limits = limitsOf(own, at);
  const inside = withinLimits(cells, from, limits);
  const missing = rows.at(-1)! + total(cells) - total(inside);
  const all = total(rows);
  const indicated = (count: number): boolean =>
    own.impute !== undefined && own.indicator !== false && count > 0 && count < all;
  return {
    kind: "amounts",
    special,
    clip: ends,
    limits,
    log: own.log ?? false,
    impute: imputedBy(own, () => {
      if (total(inside) === 0) throw empty(feature.name);
      const median = quantileAt(inside, from, 0.5);
      return own.log ? agreed(loggedIf(true, median)) : median;
    }),
    indicators: [
      ...(indicated(missing) ? (["missing"] as const) : []),
      ...special.filter((_, i) => indicated(rows[cells.length + i]!)),
    ],
  };
}

const total = (rows: ArrayLike<number>): number => Array.from(rows).reduce((sum, n) => sum + n, 0);

/** @throws Refusal single_class */
function classesOf(good: Float64Array, bad: Float64Array) {
  const all = { good: total(good), bad: total(bad) };
  if (all.good === 0 || all.bad === 0)
    throw new Refusal("single_class", `all ${all.good + all.bad} labels are equal`);
  return all;
}

/** @param from - lower ends of the cells. @returns that of the cell with the row at a share of all rows with a value. */
function quantileAt(cells: ArrayLike<number>, from: readonly number[], share: number): number {
  const wanted = share * total(cells);
  let seen = 0;
  for (let cell = 0; cell < cells.length; cell++) {
    seen += cells[cell]!;
    if (cells[cell]! > 0 && seen >= wanted) return from[cell]!;
  }
  return from[0]!;
}

type Limits = Extract<FittedColumn, { kind: "amounts" }>["limits"];

function limitsOf({ caps, outliers }: ColumnParameters, at: (share: number) => number): Limits {
  if (caps !== undefined)
    return {
      low: caps.lower > 0 ? at(caps.lower) : null,
      high: caps.upper < 1 ? at(caps.upper) : null,
      outside: "cap",
    };
  if (outliers === undefined) return { low: null, high: null, outside: "cap" };
  const [lower, upper] = [at(0.25), at(0.75)];
  const reach = outliers.fence * (upper - lower);
  return { low: lower - reach, high: upper + reach, outside: outliers.become };
}

/** @returns the cells' rows, without those that the limits make missing. */
function withinLimits(cells: Float64Array, from: readonly number[], { low, high, outside }: Limits) {
  if (outside === "cap") return cells;
  return cells.map((rows, cell) =>
    (low !== null && from[cell]! < low) || (high !== null && from[cell]! > high) ? 0 : rows,
  );
}

/** @returns what a missing value becomes; a mean is summed later. */
function imputedBy({ impute }: ColumnParameters, median: () => number): number | null {
  if (impute === "median") return median();
  return typeof impute === "object" ? Number(impute.value) : null;
}

function levelsOf(
  feature: Extract<FeatureSchema, { kind: "categorical" }>,
  own: ColumnParameters,
  rows: Float64Array,
  bad: Float64Array,
): FittedColumn {
  const counts = feature.levels.map((_, code) => rows[code]! + bad[code]!);
  const missing = rows.at(-1)! + bad.at(-1)!;
  const { levels, groups } = mergedLevels(feature.levels, counts, own);
  const grouped = (of: ArrayLike<number>): number[] =>
    levels.map((_, level) => groups.reduce((sum, to, code) => (to === level ? sum + of[code]! : sum), 0));
  if (own.woe !== undefined) {
    const identity: Binned = { kind: "categorical", groups: levels.map((_, level) => level) };
    const prebins = {
      binned: { ...identity, groups: [...identity.groups] },
      good: [...grouped(rows), rows.at(-1)!],
      bad: [...grouped(bad), bad.at(-1)!],
    };
    const { binned, bins } = woeColumn(prebins, "ascending", classesOf(rows, bad), own.woe);
    return {
      kind: "woe",
      clip: { low: null, high: null },
      groups,
      binned,
      woe: bins.map(({ woe }) => woe),
    };
  }
  const held = grouped(counts);
  const most = held.reduce((best, n, level) => (n > held[best]! ? level : best), 0);
  const impute =
    own.impute === undefined
      ? null
      : typeof own.impute === "object"
        ? levelNamed(String(own.impute.value), feature.levels, levels, groups)
        : most;
  const isPresent = missing > 0 && missing < total(rows) + total(bad);
  const occurring = held.flatMap((n, level) => (n > 0 ? [level] : []));
  return {
    kind: "levels",
    levels,
    groups,
    impute,
    indicator: isPresent && (impute === null ? own.oneHot !== undefined : own.indicator !== false),
    oneHot: own.oneHot === undefined ? null : occurring.slice(own.oneHot.base === "first" ? 1 : 0),
  };
}

const levelNamed = (
  name: string,
  before: readonly string[],
  after: readonly string[],
  groups: readonly number[],
): number => {
  const code = before.indexOf(name);
  return code < 0 ? after.indexOf(name) : groups[code]!;
};

/** @returns the levels that stay, in their order, and after them what the rarer ones become. */
function mergedLevels(
  levels: readonly string[],
  counts: readonly number[],
  { merge, impute }: ColumnParameters,
) {
  if (merge === undefined) return { levels: [...levels], groups: levels.map((_, code) => code) };
  const least = merge.minShare * total(counts);
  const kept = levels.filter(
    (level, code) => counts[code]! >= least && counts[code]! > 0 && level !== merge.into,
  );
  const wanted = typeof impute === "object" && impute.value === merge.into;
  const after = kept.length < levels.length || wanted ? [...kept, merge.into] : kept;
  return {
    levels: after,
    groups: levels.map((level) => (kept.includes(level) ? kept.indexOf(level) : after.length - 1)),
  };
}

/** @throws Refusal parameters_invalid where two columns would have one name, or none is left */
function resultOf(schema: StudySchema, columns: Readonly<Record<string, FittedColumn>>): TransformResult {
  const features = schema.features.map((feature) =>
    feature.kind === "numeric" ? feature : { ...feature, levels: [...feature.levels] },
  );
  const found = { features, columns };
  const names = transformOf(found).features.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new Refusal("parameters_invalid", `two transformed columns are called ${twice}`, {
      hint: "rename the feature or the level",
    });
  if (names.length === 0)
    throw new Refusal("column_constant", "no column is left after the transforms", {
      hint: "keep a feature that differs from row to row",
    });
  return found;
}

function transformOf(fitted: TransformResult): Transform {
  const made = fitted.features.map((feature) => {
    const own = fitted.columns[feature.name];
    return { feature, own, features: own === undefined ? [feature] : featuresMadeOf(feature, own) };
  });
  return {
    reads: fitted.features,
    features: made.flatMap(({ features }) => features),
    origins: new Map(
      made.flatMap(({ feature, features }) => features.map(({ name }) => [name, feature.name])),
    ),
    described: fitted,
    apply(rows) {
      checkRows({ features: fitted.features, maxRowsPerParty: Infinity }, rows);
      const columns = made.flatMap(({ feature, own, features }) => {
        if (own === undefined) return [[feature.name, rows.columns.get(feature.name)!] as const];
        const values = columnsMadeOf(feature, own, rows);
        return features.map(({ name }, i) => [name, values[i]!] as const);
      });
      return { ...rows, columns: new Map(columns) };
    },
  };
}
