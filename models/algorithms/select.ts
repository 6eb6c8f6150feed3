import { z } from "zod";
import { Refusal, refuseAll } from "../../core/reasons.ts";
import type { Needs } from "../algorithm.ts";
import { defineComputation } from "../define.ts";
import { resultOf } from "../needs.ts";
import { nameSchema, resultName } from "../parameters.ts";
import { checkRows } from "../rows.ts";
import { featureSchema } from "../study.ts";
import { type CorrelationResult, correlation } from "./correlation.ts";
import { type DriftResult, drift } from "./drift.ts";
import { type WoeResult, woe } from "./woe.ts";

const parameters = z.strictObject({
  woe: resultName("woe"),
  minIv: z.number().min(0).default(0.02).describe("information value that a feature has at least"),
  maxIv: z
    .number()
    .positive()
    .describe("information value beyond which a feature is left out: it may know the outcome")
    .optional(),
  correlation: nameSchema
    .describe("the correlation result it reads, by its `as`; without one, features may follow each other")
    .optional(),
  maxCorrelation: z
    .number()
    .min(0)
    .max(1)
    .default(0.8)
    .describe("correlation, of either sign, beyond which the one with less information value is left out"),
  drift: nameSchema
    .describe("the drift result it reads, by its `as`; without one, features may be unstable")
    .optional(),
  maxDrift: z
    .number()
    .positive()
    .default(0.25)
    .describe("characteristic stability index beyond which a feature is left out"),
  keep: z.array(z.string()).default([]).describe("features that stay whatever is said of them"),
});

const reason = z.enum(["kept", "information value", "suspicious", "drift", "correlation"]);

const result = z
  .strictObject({
    /** What it chose from. */
    features: z.array(featureSchema),
    columns: z.record(
      z.string(),
      z.strictObject({
        iv: z.number(),
        /** Why it stays or not. */
        because: reason,
        /** The feature that it follows, where that is why. */
        like: z.string().exactOptional(),
      }),
    ),
  })
  .refine(({ features, columns }) => features.every(({ name }) => Object.hasOwn(columns, name)), {
    error: "nothing is said of a feature",
  });

type SelectResult = Readonly<z.output<typeof result>>;

interface Prior {
  readonly woe: WoeResult;
  readonly correlation: CorrelationResult | undefined;
  readonly drift: DriftResult | undefined;
}

/** Features that tell enough, that do not repeat others, and that are stable: all that come after see these alone. */
export const select = defineComputation<{
  params: z.output<typeof parameters>;
  prior: Prior;
  state: never;
  result: SelectResult;
  blocks: Record<string, never>;
}>({
  name: "select",
  parameters,
  result,
  needs: (params): Needs<Prior> => ({
    woe: resultOf(woe, params.woe),
    correlation: params.correlation === undefined ? nothing : resultOf(correlation, params.correlation),
    drift: params.drift === undefined ? nothing : resultOf(drift, params.drift),
  }),

  start({ params, prior }) {
    const features = prior.woe.features.map((feature) =>
      feature.kind === "numeric" ? feature : { ...feature, levels: [...feature.levels] },
    );
    refuseAll(
      params.keep
        .filter((name) => !features.some((feature) => feature.name === name))
        .map((name) => new Refusal("parameters_invalid", `select.keep: the study has no feature ${name}`)),
    );
    const ivOf = (name: string): number => prior.woe.columns[name]!.iv;
    const columns: Record<string, SelectResult["columns"][string]> = {};
    const kept: string[] = [];
    // The more it tells, the earlier it is chosen; what must stay comes first of all.
    const rank = (name: string): number => (params.keep.includes(name) ? Infinity : ivOf(name));
    const ordered = features
      .map(({ name }) => name)
      .sort((a, b) => (rank(a) === rank(b) ? 0 : rank(b) - rank(a)));
    for (const name of ordered) {
      const iv = ivOf(name);
      const like = kept.find(
        (other) => Math.abs(correlated(prior.correlation, name, other)) > params.maxCorrelation,
      );
      const because = params.keep.includes(name)
        ? "kept"
        : iv < params.minIv
          ? "information value"
          : iv > (params.maxIv ?? Infinity)
            ? "suspicious"
            : (prior.drift?.columns[name]?.csi ?? 0) > params.maxDrift
              ? "drift"
              : like !== undefined
                ? "correlation"
                : "kept";
      if (because === "kept") kept.push(name);
      columns[name] = { iv, because, ...(because === "correlation" ? { like: like! } : {}) };
    }
    if (kept.length === 0)
      throw new Refusal("column_constant", "no feature is left after the selection", {
        hint: "lower minIv, or name features under keep",
      });
    return { done: { features, columns } };
  },

  transform(selected) {
    const features = selected.features.filter(({ name }) => selected.columns[name]!.because === "kept");
    return {
      reads: features,
      features,
      origins: new Map(features.map(({ name }) => [name, name])),
      described: selected,
      apply(rows) {
        checkRows({ features, maxRowsPerParty: Infinity }, rows);
        return {
          ...rows,
          columns: new Map(features.map(({ name }) => [name, rows.columns.get(name)!])),
        };
      },
    };
  },
});

const nothing = { entry: { name: "woe" }, missing: () => undefined, read: () => undefined };

/** @returns Pearson's coefficient; 0 of columns that are not numeric, or of which nothing is known. */
function correlated(known: CorrelationResult | undefined, a: string, b: string): number {
  if (known === undefined) return 0;
  const [i, j] = [known.columns.indexOf(a), known.columns.indexOf(b)];
  return i < 0 || j < 0 ? 0 : known.correlations[Math.max(i, j)]![Math.min(i, j)]!;
}
