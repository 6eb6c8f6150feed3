import { z } from "zod";
import { Refusal } from "../core/reasons.ts";
import type { BinsResult } from "./algorithms/bins.ts";
import { binCount, binnedSchema, binsOf, fits, valueBins } from "./binning.ts";
import type { Memo, MemoKey } from "./memory.ts";
import { quantileCuts } from "./numerics/quantile-cuts.ts";
import { checkRows } from "./rows.ts";
import type { FeatureSchema, Table } from "./table.ts";

/** A column's bins joined to few, in an order that cuts make sense in; special and missing values are the last. */
export const coarseColumnSchema = z
  .strictObject({
    binned: binnedSchema,
    /** The coarse bin of each bin. */
    coarse: z.array(z.int().min(0).max(4096)),
  })
  .refine(({ binned, coarse }) => coarse.length === binCount(binned), "a bin has no coarse one");

export type CoarseColumn = Readonly<z.output<typeof coarseColumnSchema>>;

export const coarseBins = ({ coarse }: CoarseColumn): number => Math.max(...coarse) + 1;

/**
 * @param most - bins of values, at most; one more is for special and missing values.
 * @returns bins in the order of a numeric column's values, and of a categorical one's shares of bad rows.
 */
function coarsened(
  { binned, good, bad }: BinsResult["columns"][string],
  all: { readonly good: number; readonly bad: number },
  most: number,
): CoarseColumn {
  const values = valueBins(binned);
  const order = [...Array(values).keys()];
  // Ten rows more of the average: a level of few rows says little about itself.
  const average = all.bad / (all.good + all.bad);
  const rate = (bin: number) => (bad[bin]! + 10 * average) / (good[bin]! + bad[bin]! + 10);
  if (binned.kind === "categorical") order.sort((a, b) => rate(a) - rate(b) || a - b);
  const firsts = quantileCuts(
    order.map((bin) => good[bin]! + bad[bin]!),
    most,
  );
  const coarse = new Array<number>(good.length).fill(firsts.length + 1);
  for (const [place, bin] of order.entries())
    coarse[bin] = firsts.findLastIndex((first) => first <= place) + 1;
  return { binned, coarse };
}

/** @returns each feature's column `coarsened`, by name. @throws Refusal state_invalid where the bins are of other features */
export const coarseColumns = (
  features: readonly FeatureSchema[],
  bins: BinsResult,
  most: number,
): Record<string, CoarseColumn> =>
  Object.fromEntries(
    features.map(({ name }) => {
      const column = bins.columns[name];
      if (column === undefined) throw new Refusal("state_invalid", `bins: ${name} has none`);
      return [name, coarsened(column, bins, most)];
    }),
  );

/** All columns' coarse bins, column after column. */
export interface CoarseLayout {
  readonly columns: Readonly<Record<string, CoarseColumn>>;
  /** The same, in the order of the study's features. */
  readonly ordered: readonly CoarseColumn[];
  /** Place of each column's first bin among all bins. */
  readonly first: readonly number[];
  readonly width: number;
}

export function coarseLayout(
  features: readonly FeatureSchema[],
  bins: BinsResult,
  most: number,
): CoarseLayout {
  const columns = coarseColumns(features, bins, most);
  const ordered = features.map(({ name }) => columns[name]!);
  const first: number[] = [];
  let width = 0;
  for (const column of ordered) {
    first.push(width);
    width += coarseBins(column);
  }
  return { columns, ordered, first, width };
}

/** @returns whether every feature's values can fall into its bins. */
export const allFit = (
  features: readonly FeatureSchema[],
  columns: Readonly<Record<string, CoarseColumn>>,
): boolean => features.every((feature) => fits(feature, columns[feature.name]?.binned));

/**
 * @returns each row's coarse bin, feature after feature, shape [features, rows].
 * @throws Refusal value_not_finite | column_unknown | value_out_of_bounds
 */
export function coarseOf(
  features: readonly FeatureSchema[],
  columns: Readonly<Record<string, CoarseColumn>>,
  rows: Table,
): Uint16Array[] {
  checkRows({ features, maxRowsPerParty: Infinity }, rows);
  return features.map((feature) => {
    const { binned, coarse } = columns[feature.name]!;
    return binsOf(binned, feature, rows).map((bin) => coarse[bin]!);
  });
}

const binsKey: MemoKey<Uint16Array[]> = { name: "coarse bins" };

/**
 * {@link coarseOf} of a part of the training rows.
 * @param memo - where the part is all there is; of rows that do not lie in memory bins are made anew in each round.
 */
export function binsOfPart(
  features: readonly FeatureSchema[],
  columns: Readonly<Record<string, CoarseColumn>>,
  part: Table,
  memo: Memo | undefined,
): Uint16Array[] {
  const make = () => coarseOf(features, columns, part);
  return memo === undefined ? make() : memo.keep(binsKey, make);
}
