import { z } from "zod";
import { Refusal } from "../../core/reasons.ts";
import { defineComputation } from "../define.ts";
import { resultOf } from "../needs.ts";
import { probabilityOf } from "../numerics/logistic-sums.ts";
import { agreed } from "../numerics/rounding.ts";
import { resultName } from "../parameters.ts";
import { checkRows, numericColumn } from "../rows.ts";
import { featureSchema } from "../study.ts";
import type { Table } from "../table.ts";
import { type NumericSummary, type SummaryResult, summary } from "./summary.ts";

const parameters = z.strictObject({
  summary: resultName("summary"),
  weights: z
    .record(z.string(), z.number())
    .optional()
    .describe(
      "by numeric column, what one standard deviation above the average adds to the log-odds of bad, as experts see it; by default ±0.3 for columns whose names are known as financial ratios",
    ),
});

const result = z
  .strictObject({
    /** Log-odds of bad of an average row. */
    base: z.number(),
    features: z.array(featureSchema),
    /** Those that count. */
    columns: z.record(
      z.string(),
      z.strictObject({ weight: z.number(), mean: z.number(), scale: z.number().positive() }),
    ),
  })
  .refine(
    ({ features, columns }) =>
      Object.keys(columns).every((name) =>
        features.some((feature) => feature.name === name && feature.kind === "numeric"),
      ),
    "what is weighed is no numeric feature",
  );

type TraditionalResult = Readonly<z.output<typeof result>>;

const usualWeight = 0.3;
/** Beyond so many standard deviations an expert sees no difference. */
const farthest = 3;
/** What credit departments agree on, by the words that columns are called by. */
const safer =
  /(^|_)(income|inc|revenue|turnover|sales|profit|ebitda|margin|equity|coverage|current_ratio|quick_ratio|liquidity|assets|years?_in_business|limit_bal)(_|$)/i;
const riskier =
  /(^|_)(debt\w*|dti|leverage|loan\w*|util\w*|delinq\w*|default\w*|overdue\w*|arrears|derog\w*|inq\w*|bankrupt\w*|pub_rec)(_|$)/i;

/**
 * The control group: a fixed scorecard of experts on financial ratios. Nothing is learned; the average row is as bad as
 * rows are, and each ratio counts by its distance from its average. It takes no sum.
 */
export const traditional = defineComputation<{
  params: z.output<typeof parameters>;
  prior: { readonly summary: SummaryResult };
  state: never;
  result: TraditionalResult;
  blocks: Record<string, never>;
}>({
  name: "traditional",
  parameters,
  result,
  needs: (params) => ({ summary: resultOf(summary, params.summary) }),

  start({ schema, params, prior }) {
    const { bad, good, columns } = prior.summary;
    if (bad === 0 || good === 0) throw new Refusal("single_class", `all ${bad + good} labels are equal`);
    for (const name of Object.keys(params.weights ?? {}))
      if (!schema.features.some((feature) => feature.name === name && feature.kind === "numeric"))
        throw new Refusal("column_unknown", `traditional weighs ${name}, which is no numeric column`);
    const weighed = schema.features.flatMap((feature) => {
      const weight =
        params.weights === undefined ? weightOf(feature.name) : (params.weights[feature.name] ?? 0);
      if (feature.kind !== "numeric" || weight === 0) return [];
      const { mean, standardDeviation: scale } = columns[feature.name] as NumericSummary;
      return scale > 0 ? [{ feature, column: { weight, mean, scale } }] : [];
    });
    if (weighed.length === 0)
      throw new Refusal("column_unknown", "traditional knows none of the columns as a financial ratio", {
        hint: "say what counts with weights: { COLUMN: 0.3 }",
      });
    return {
      done: {
        base: agreed(Math.log(bad / good)),
        features: schema.features.map((feature) =>
          feature.kind === "numeric" ? feature : { ...feature, levels: [...feature.levels] },
        ),
        columns: Object.fromEntries(weighed.map(({ feature, column }) => [feature.name, column])),
      },
    };
  },

  features: ({ features }) => features,

  score(model, rows) {
    const effects = effectsOf(model, rows);
    return Float64Array.from({ length: rows.rows }, (_, row) =>
      probabilityOf(effects.reduce((sum, effect) => sum + effect[row]!, model.base)),
    );
  },

  explain(model, rows) {
    const effects = effectsOf(model, rows);
    return Array.from({ length: rows.rows }, (_, row) =>
      model.features.map(({ name: feature }, f) => ({ feature, effect: effects[f]![row]! })),
    );
  },
});

const weightOf = (name: string): number =>
  riskier.test(name) ? usualWeight : safer.test(name) ? -usualWeight : 0;

/** @returns what each column adds, per feature, shape [rows]; a missing value adds nothing. */
function effectsOf({ features, columns }: TraditionalResult, rows: Table): Float64Array[] {
  checkRows({ features, maxRowsPerParty: Infinity }, rows);
  return features.map(({ name }) => {
    const weighed = columns[name];
    if (weighed === undefined) return new Float64Array(rows.rows);
    const { weight, mean, scale } = weighed;
    return numericColumn(rows, name).values.map((x) =>
      Number.isNaN(x) ? 0 : weight * Math.max(-farthest, Math.min(farthest, (x - mean) / scale)),
    );
  });
}
