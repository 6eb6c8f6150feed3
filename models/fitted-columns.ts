/** What a study's transforms make of one column, and how: public, and the same at enterprises and in scoring. */
import { z } from "zod";
import { type Binned, binCount, binName, binnedSchema, binsOf } from "./binning.ts";
import { categoricalColumn, numericColumn } from "./rows.ts";
import type { Column, FeatureSchema, Table } from "./table.ts";

const end = z.number().nullable();
const low = end.describe("null where there is none");
const high = low;

/** Amounts stay amounts, in this order: special codes are missing, then clip, limits, logarithm, imputation. */
const amounts = z.strictObject({
  kind: z.literal("amounts"),
  special: z.array(z.number()).max(20),
  clip: z.strictObject({ low, high }),
  /** Found in the data; what is outside becomes the nearest one, or missing. */
  limits: z.strictObject({ low, high, outside: z.enum(["cap", "missing"]) }),
  /** x becomes sign(x) · ln(1 + |x|). */
  log: z.boolean(),
  /** What a missing value becomes. */
  impute: z.number().nullable(),
  /** What has a column of its own that is 1 where it holds: a value that is missing, each special code. */
  indicators: z.array(z.union([z.literal("missing"), z.number()])).max(21),
});

/** Bins of equal numbers of rows become levels. */
const quantileBins = z.strictObject({
  kind: z.literal("bins"),
  clip: z.strictObject({ low, high }),
  binned: binnedSchema,
});

/** Bins become their weight of evidence. */
const evidence = z
  .strictObject({
    kind: z.literal("woe"),
    clip: z.strictObject({ low, high }),
    /** The level that each of the study's becomes first; none of a numeric column. */
    groups: z.array(z.int().min(0).max(4096)),
    binned: binnedSchema,
    /** Of each bin. */
    woe: z.array(z.number()),
  })
  .refine(({ binned, woe }) => woe.length === binCount(binned), "a bin has no weight of evidence");

const levels = z
  .strictObject({
    kind: z.literal("levels"),
    levels: z.array(z.string()).min(1),
    /** The level that each of the study's becomes. */
    groups: z.array(z.int().min(0).max(4096)),
    /** The level that a missing value becomes. */
    impute: z.int().min(0).nullable(),
    indicator: z.boolean(),
    /** Levels with a column of their own that is 1 where a row has them; null where the column stays one of levels. */
    oneHot: z.array(z.int().min(0).max(4096)).nullable(),
  })
  .refine(
    ({ levels, groups, impute, oneHot }) =>
      [...groups, ...(impute === null ? [] : [impute]), ...(oneHot ?? [])].every(
        (code) => code < levels.length,
      ),
    "a level does not exist",
  );

export const fittedColumnSchema = z.union([amounts, quantileBins, evidence, levels]);

export type FittedColumn = Readonly<z.output<typeof fittedColumnSchema>>;
type Amounts = Readonly<z.output<typeof amounts>>;
type Levels = Readonly<z.output<typeof levels>>;

/** @returns whether the feature is one that this can be made of. */
export const isMadeOf = (feature: FeatureSchema, fitted: FittedColumn): boolean => {
  switch (fitted.kind) {
    case "amounts":
      return feature.kind === "numeric";
    case "bins":
      return feature.kind === "numeric" && fitted.binned.kind === "numeric";
    case "levels":
      return feature.kind === "categorical" && fitted.groups.length === feature.levels.length;
    case "woe":
      return feature.kind === "numeric"
        ? fitted.binned.kind === "numeric" && fitted.groups.length === 0
        : fitted.groups.length === feature.levels.length && groupsExist(fitted.groups, fitted.binned);
  }
};

const groupsExist = (groups: readonly number[], binned: Binned): boolean =>
  binned.kind === "categorical" && groups.every((group) => group < binned.groups.length);

/** @returns the columns that one becomes. */
export function featuresMadeOf({ name }: FeatureSchema, fitted: FittedColumn): FeatureSchema[] {
  const numeric = (column: string): FeatureSchema => ({ name: column, kind: "numeric" });
  switch (fitted.kind) {
    case "amounts":
      return [numeric(name), ...fitted.indicators.map((what) => numeric(`${name}=${what}`))];
    case "bins":
      return [{ name, kind: "categorical", levels: binLevels(fitted.binned) }];
    case "woe":
      return [numeric(name)];
    case "levels": {
      const { levels, oneHot, indicator } = fitted;
      const made: FeatureSchema[] =
        oneHot === null
          ? [{ name, kind: "categorical", levels }]
          : oneHot.map((code) => numeric(`${name}=${levels[code]}`));
      return indicator ? [...made, numeric(`${name}=missing`)] : made;
    }
  }
}

const binLevels = (binned: Binned): string[] =>
  Array.from({ length: binCount(binned) - 1 }, (_, bin) => binName(binned, [], bin));

/** @returns the columns of {@link featuresMadeOf}, in their order. @throws Refusal column_unknown */
export function columnsMadeOf(feature: FeatureSchema, fitted: FittedColumn, rows: Table): Column[] {
  switch (fitted.kind) {
    case "amounts":
      return amountColumns(fitted, numericColumn(rows, feature.name).values);
    case "bins": {
      const { binned } = fitted;
      const clipped = clippedRows(feature.name, fitted.clip, rows, codesOf(binned));
      const bins = binsOf(binned, feature, clipped);
      const missing = binCount(binned) - 1;
      const codes = Int32Array.from(bins, (bin) => (bin === missing ? -1 : bin));
      return [{ kind: "categorical", codes, levels: binLevels(binned) }];
    }
    case "woe": {
      const { binned, woe } = fitted;
      const seen =
        feature.kind === "numeric"
          ? binsOf(binned, feature, clippedRows(feature.name, fitted.clip, rows, codesOf(binned)))
          : groupBins(fitted.groups, binned, categoricalColumn(rows, feature).codes);
      return [{ kind: "numeric", values: Float64Array.from(seen, (bin) => woe[bin]!) }];
    }
    case "levels":
      return levelColumns(
        fitted,
        categoricalColumn(rows, feature as Extract<FeatureSchema, { kind: "categorical" }>).codes,
      );
  }
}

const codesOf = (binned: Binned): readonly number[] => (binned.kind === "numeric" ? binned.special : []);

/** @returns the rows with one numeric column within its ends; special codes and missing values stay as they are. */
export function clippedRows(
  name: string,
  { low, high }: { readonly low: number | null; readonly high: number | null },
  rows: Table,
  special: readonly number[],
): Table {
  if (low === null && high === null) return rows;
  const within = pulledInto(low, high);
  const values = numericColumn(rows, name).values.map((x) => (special.includes(x) ? x : within(x)));
  return { ...rows, columns: new Map(rows.columns).set(name, { kind: "numeric", values }) };
}

/** NaN stays NaN. */
const pulledInto =
  (low: number | null, high: number | null) =>
  (x: number): number =>
    high !== null && x > high ? high : low !== null && x < low ? low : x;

const groupBins = (groups: readonly number[], binned: Binned, codes: Int32Array): number[] => {
  const missing = binCount(binned) - 1;
  const bins = binned.kind === "categorical" ? binned.groups : [];
  return Array.from(codes, (code) => (code < 0 ? missing : bins[groups[code]!]!));
};

function amountColumns(fitted: Amounts, raw: Float64Array): Column[] {
  const { special, clip, limits, impute, indicators } = fitted;
  const clipped = pulledInto(clip.low, clip.high);
  const limited = pulledInto(limits.low, limits.high);
  const values = raw.map((x) => {
    if (special.includes(x)) return Number.NaN;
    const y = clipped(x);
    const z = limited(y);
    return limits.outside === "missing" && z !== y ? Number.NaN : loggedIf(fitted.log, z);
  });
  const made = indicators.map(
    (what): Column => ({
      kind: "numeric",
      values: raw.map((x, row) =>
        Number(what === "missing" ? Number.isNaN(values[row]!) && !special.includes(x) : x === what),
      ),
    }),
  );
  if (impute !== null)
    for (let row = 0; row < values.length; row++) if (Number.isNaN(values[row]!)) values[row] = impute;
  return [{ kind: "numeric", values }, ...made];
}

/** @returns the value, or its logarithm where there is to be one. */
export const loggedIf = (log: boolean, x: number): number =>
  log ? Math.sign(x) * Math.log1p(Math.abs(x)) : x;

function levelColumns({ levels, groups, impute, indicator, oneHot }: Levels, raw: Int32Array): Column[] {
  const codes = raw.map((code) => (code < 0 ? (impute ?? -1) : groups[code]!));
  const ones = (has: (row: number) => boolean): Column => ({
    kind: "numeric",
    values: Float64Array.from({ length: raw.length }, (_, row) => Number(has(row))),
  });
  const made: Column[] =
    oneHot === null
      ? [{ kind: "categorical", codes, levels }]
      : oneHot.map((level) => ones((row) => codes[row] === level));
  return indicator ? [...made, ones((row) => raw[row]! < 0)] : made;
}
