import { z } from "zod";
import { cellOf } from "./numerics/value-grid.ts";
import { categoricalColumn, numericColumn } from "./rows.ts";
import type { FeatureSchema, Table } from "./table.ts";

const cuts = z
  .array(z.number())
  .max(4096)
  .refine((at) => at.every((cut, i) => i === 0 || cut > at[i - 1]!), "cuts must rise");

/** How one column's values fall into bins: public, and the same at every party. */
export const binnedSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("numeric"),
    /** Lower ends of all bins but the first. */
    cuts,
    /** Values that are codes, not amounts: each has a bin of its own. */
    special: z.array(z.number()).max(100),
  }),
  z.strictObject({
    kind: z.literal("categorical"),
    /** The bin of each level. */
    groups: z.array(z.int().min(0).max(4096)),
  }),
]);

export type Binned = Readonly<z.output<typeof binnedSchema>>;

/** @returns bins of values proper. Those of special values follow, and the last of all is that of a missing value. */
export const valueBins = (binned: Binned): number =>
  binned.kind === "numeric" ? binned.cuts.length + 1 : Math.max(-1, ...binned.groups) + 1;

/** @returns bins in all, those of special and missing values included. */
export const binCount = (binned: Binned): number =>
  valueBins(binned) + (binned.kind === "numeric" ? binned.special.length : 0) + 1;

/**
 * @returns each row's bin, shape [rows].
 * @throws Refusal column_unknown
 */
export function binsOf(binned: Binned, feature: FeatureSchema, table: Table): Uint16Array {
  const values = valueBins(binned);
  const missing = binCount(binned) - 1;
  const bins = new Uint16Array(table.rows).fill(missing);
  if (binned.kind === "categorical") {
    const levels = feature.kind === "categorical" ? feature.levels : [];
    const { codes } = categoricalColumn(table, { name: feature.name, levels });
    for (let row = 0; row < bins.length; row++) if (codes[row]! >= 0) bins[row] = binned.groups[codes[row]!]!;
    return bins;
  }
  const { special } = binned;
  const column = numericColumn(table, feature.name).values;
  for (let row = 0; row < bins.length; row++) {
    const x = column[row]!;
    if (Number.isNaN(x)) continue;
    const code = special.indexOf(x);
    bins[row] = code < 0 ? cellOf(binned.cuts, x) : values + code;
  }
  return bins;
}

/** @returns whether the feature's values can fall into these bins. */
export const fits = (feature: FeatureSchema, binned: Binned | undefined): boolean =>
  feature.kind === "numeric"
    ? binned?.kind === "numeric"
    : binned?.kind === "categorical" && binned.groups.length === feature.levels.length;

/** What falls into a bin. */
export type BinContent =
  | { readonly is: "missing" }
  | { readonly is: "levels"; readonly levels: readonly string[] }
  | { readonly is: "special"; readonly value: number }
  /** Values from `from` on that are below `to`; without an end where it has none. */
  | { readonly is: "range"; readonly from: number | undefined; readonly to: number | undefined };

/** @param levels - of a categorical column. */
export function binContent(binned: Binned, levels: readonly string[], bin: number): BinContent {
  const values = valueBins(binned);
  if (bin === binCount(binned) - 1) return { is: "missing" };
  if (binned.kind === "categorical")
    return { is: "levels", levels: levels.filter((_, code) => binned.groups[code] === bin) };
  if (bin >= values) return { is: "special", value: binned.special[bin - values]! };
  return { is: "range", from: binned.cuts[bin - 1], to: binned.cuts[bin] };
}

/** @param levels - of a categorical column. @returns a bin's name, for programs and people. */
export const binName = (binned: Binned, levels: readonly string[], bin: number): string =>
  nameOf(binContent(binned, levels, bin), String);

function nameOf(of: BinContent, written: (cut: number) => string): string {
  switch (of.is) {
    case "missing":
      return "missing";
    case "levels":
      return of.levels.join("|");
    case "special":
      return `special ${of.value}`;
    case "range":
      return `[${of.from === undefined ? "-inf" : written(of.from)}, ${of.to === undefined ? "inf" : written(of.to)})`;
  }
}

/** Digits of a cut in a short name, where that moves it by little of how far its neighbours are. */
const usualDigits = 6;

/** @returns the fewest digits, no fewer than `least`, that show where each cut is between its neighbours. */
export function cutDigits(binned: Binned, least: number): number {
  const cuts = binned.kind === "numeric" ? binned.cuts : [];
  let digits = least;
  const isClear = (cut: number, i: number): boolean => {
    const apart = Math.min(cut - (cuts[i - 1] ?? -Infinity), (cuts[i + 1] ?? Infinity) - cut);
    return Math.abs(Number(cut.toPrecision(digits)) - cut) <= apart / 10;
  };
  while (digits < 17 && !cuts.every(isClear)) digits++;
  return digits;
}

/** @returns the bins' names, with cuts to as few digits as show where they are between their neighbours. */
export function shortBinNames(binned: Binned, levels: readonly string[]): string[] {
  const digits = cutDigits(binned, usualDigits);
  const rounded = (cut: number): number => Number(cut.toPrecision(digits));
  const written = (cut: number): string =>
    Math.abs(cut) < 1e7 ? String(rounded(cut)) : rounded(cut).toExponential();
  return Array.from({ length: binCount(binned) }, (_, bin) =>
    nameOf(binContent(binned, levels, bin), written),
  );
}
