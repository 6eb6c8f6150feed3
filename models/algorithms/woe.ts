import { z } from "zod";
import { Refusal } from "../../core/reasons.ts";
import { type Binned, binCount, binnedSchema, fits, valueBins } from "../binning.ts";
import { defineComputation } from "../define.ts";
import { resultOf } from "../needs.ts";
import { bestTrend, ivOf, shapes, trends, woeOf } from "../numerics/optimal-bins.ts";
import { resultName } from "../parameters.ts";
import { featureSchema } from "../study.ts";
import { type BinsResult, bins } from "./bins.ts";

const trend = z.enum(["auto", ...trends]);

/** Which bins may be joined. */
export const joiningParameters = {
  trend: trend
    .default("auto")
    .describe(
      "how the share of bad rows changes over a numeric column's bins; `auto` takes the one of ascending, descending, peak and valley with the largest information value",
    ),
  minShare: z
    .number()
    .min(0)
    .max(0.5)
    .default(0.05)
    .describe("share of the rows with a value that a bin holds at least"),
  minOfClass: z.int().min(0).default(1).describe("good rows, and bad rows, that a bin holds at least"),
  maxBins: z.int().min(1).max(100).default(20).describe("bins of a column, at most"),
};

const parameters = z.strictObject({
  bins: resultName("bins"),
  ...joiningParameters,
  trends: z.record(z.string(), trend).default({}).describe("by numeric column, where it is another"),
});

const woeBin = z.strictObject({
  good: z.int().min(0),
  bad: z.int().min(0),
  woe: z.number(),
  /** What it adds to the column's information value. */
  iv: z.number(),
});

export const woeColumnSchema = z
  .strictObject({
    binned: binnedSchema,
    /** In the order of the values, then of the special values, then missing. */
    bins: z.array(woeBin),
    trend: z.enum(trends),
    /** Information value. */
    iv: z.number(),
  })
  .refine(({ binned, bins }) => bins.length === binCount(binned), "the bins are not those of the cuts");

const result = z
  .strictObject({
    good: z.int().min(1),
    bad: z.int().min(1),
    features: z.array(featureSchema),
    columns: z.record(z.string(), woeColumnSchema),
    /** Of the noise in what one cell of the bins counts of a class. */
    deviation: z.number().min(0).exactOptional(),
  })
  .refine(
    ({ features, columns }) => features.every((feature) => fits(feature, columns[feature.name]?.binned)),
    { error: "a feature has no bins of its kind" },
  );

export type WoeResult = Readonly<z.output<typeof result>>;
export type WoeColumn = Readonly<z.output<typeof woeColumnSchema>>;

type Params = z.output<typeof parameters>;

/**
 * Weight of evidence on the bins that separate good and bad rows best, from what `bins` has counted: no sum of its own.
 * WOE is the logarithm of a bin's share of the good rows over its share of the bad ones; special and missing values have
 * bins of their own.
 */
export const woe = defineComputation<{
  params: Params;
  prior: { readonly bins: BinsResult };
  state: never;
  result: WoeResult;
  blocks: Record<string, never>;
}>({
  name: "woe",
  parameters,
  result,
  needs: (params) => ({ bins: resultOf(bins, params.bins) }),

  start({ schema, params, prior }) {
    const { good, bad, columns, features, deviation } = prior.bins;
    if (good === 0 || bad === 0) throw new Refusal("single_class", `all ${good + bad} labels are equal`);
    for (const name of Object.keys(params.trends))
      if (!schema.features.some((feature) => feature.kind === "numeric" && feature.name === name))
        throw new Refusal("parameters_invalid", `woe.trends: ${name} is no numeric feature of the study`);
    const woes = schema.features.map(({ name }) => {
      const column = columns[name]!;
      const trend = params.trends[name] ?? params.trend;
      return [name, woeColumn(column, trend, { good, bad }, params)] as const;
    });
    const done = { good, bad, features, columns: Object.fromEntries(woes) };
    return { done: deviation === undefined ? done : { ...done, deviation } };
  },
});

type Classes = { readonly good: number; readonly bad: number };

/** @returns the column's bins joined to those with the largest information value. */
export function woeColumn(
  { binned, good, bad }: BinsResult["columns"][string],
  wanted: z.output<typeof trend>,
  all: Classes,
  params: Pick<Params, "minShare" | "minOfClass" | "maxBins">,
): WoeColumn {
  const values = valueBins(binned);
  const order = binned.kind === "numeric" ? [...Array(values).keys()] : byBadRate(values, good, bad, all);
  const counts = { good: order.map((bin) => good[bin]!), bad: order.map((bin) => bad[bin]!) };
  const rows = counts.good.reduce((sum, n, i) => sum + n + counts.bad[i]!, 0);
  const limits = { ...all, ...params, minRows: Math.ceil(params.minShare * rows) };
  const asked = binned.kind === "categorical" ? "ascending" : wanted;
  const tried = asked === "auto" ? shapes : [asked];
  // Where no binning keeps the limits, one bin holds all.
  const found = bestTrend(counts, tried, limits);
  const { trend, firsts } = { trend: found?.trend ?? tried[0]!, firsts: found?.binning.firsts ?? [] };
  const binOf = (place: number) => firsts.findLastIndex((first) => first <= place) + 1;
  const sums = Array.from({ length: firsts.length + 1 }, () => ({ good: 0, bad: 0 }));
  for (const place of order.keys()) {
    sums[binOf(place)]!.good += counts.good[place]!;
    sums[binOf(place)]!.bad += counts.bad[place]!;
  }
  for (let bin = values; bin < good.length; bin++) sums.push({ good: good[bin]!, bad: bad[bin]! });
  const bins = sums.map((own) => ({
    ...own,
    woe: woeOf(own.good, own.bad, all),
    iv: ivOf(own.good, own.bad, all),
  }));
  return {
    binned: joined(binned, firsts, (bin) => binOf(order.indexOf(bin))),
    bins,
    trend,
    iv: bins.reduce((sum, { iv }) => sum + iv, 0),
  };
}

/** @returns the levels by their share of bad rows; one that no row has stands where the average is. */
const byBadRate = (
  levels: number,
  good: readonly number[],
  bad: readonly number[],
  all: Classes,
): number[] => {
  const rate = (code: number): number => {
    const rows = good[code]! + bad[code]!;
    return rows === 0 ? all.bad / (all.good + all.bad) : bad[code]! / rows;
  };
  return [...Array(levels).keys()].sort((a, b) => rate(a) - rate(b) || a - b);
};

const joined = (binned: Binned, firsts: readonly number[], groupOf: (level: number) => number): Binned =>
  binned.kind === "numeric"
    ? { ...binned, cuts: firsts.map((bin) => binned.cuts[bin - 1]!) }
    : { ...binned, groups: binned.groups.map(groupOf) };
