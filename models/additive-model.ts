/** Models that add up what each column's bin says: their reasons are exact. */
import { z } from "zod";
import type { Scoring } from "./algorithm.ts";
import { allFit, coarseBins, coarseColumnSchema, coarseOf } from "./coarse-bins.ts";
import { probabilityOf } from "./numerics/logistic-sums.ts";
import { joinedTerm } from "./portable.ts";
import { featureSchema } from "./study.ts";

/** What stands in every such result. */
export const additiveFields = {
  /** Log-odds of bad of a row to which no column adds anything. */
  intercept: z.number(),
  features: z.array(featureSchema),
  columns: z.record(z.string(), coarseColumnSchema),
  /** By column: what each coarse bin adds to the log-odds of bad. */
  effects: z.record(z.string(), z.array(z.number())),
};

const additiveModel = z.strictObject(additiveFields);

export type AdditiveModel = Readonly<z.output<typeof additiveModel>>;

/** @returns whether every feature has bins of its kind, and every bin an effect. */
export const isWhole = ({ features, columns, effects }: AdditiveModel): boolean =>
  allFit(features, columns) &&
  features.every(({ name }) => effects[name]?.length === coarseBins(columns[name]!));

/** Scores, reasons and exports of every such model. */
export const additiveScoring: Required<
  Pick<Scoring<AdditiveModel>, "score" | "features" | "explain" | "portable">
> = {
  features: ({ features }) => features,

  score({ intercept, features, columns, effects }, rows) {
    const bins = coarseOf(features, columns, rows);
    return Float64Array.from({ length: rows.rows }, (_, row) =>
      probabilityOf(features.reduce((sum, { name }, f) => sum + effects[name]![bins[f]![row]!]!, intercept)),
    );
  },

  explain({ features, columns, effects }, rows) {
    const bins = coarseOf(features, columns, rows);
    return Array.from({ length: rows.rows }, (_, row) =>
      features.map(({ name: feature }, f) => ({ feature, effect: effects[feature]![bins[f]![row]!]! })),
    );
  },

  portable: ({ intercept, features, columns, effects }) => ({
    kind: "terms",
    features,
    base: intercept,
    terms: features.map(({ name }) => {
      const { binned, coarse } = columns[name]!;
      return joinedTerm(
        name,
        binned,
        coarse.map((bin) => effects[name]![bin]!),
      );
    }),
  }),
};
