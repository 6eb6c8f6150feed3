import { z } from "zod";
import { type AdditiveModel, additiveFields, additiveScoring, isWhole } from "../additive-model.ts";
import type { Study } from "../algorithm.ts";
import { binCount } from "../binning.ts";
import { type Sum, sum } from "../blocks.ts";
import { coarseOf } from "../coarse-bins.ts";
import { defineAlgorithm } from "../define.ts";
import type { MemoKey } from "../memory.ts";
import { resultOf } from "../needs.ts";
import { clipTo } from "../numerics/clip.ts";
import { solveFloored } from "../numerics/eigen.ts";
import { mostOfResidualAndWeight, probabilityOf } from "../numerics/logistic-sums.ts";
import { powerOfTwo } from "../numerics/powers-of-two.ts";
import { agreed } from "../numerics/rounding.ts";
import { resultName } from "../parameters.ts";
import { checkRows } from "../rows.ts";
import type { Table } from "../table.ts";
import { type WoeResult, woe } from "./woe.ts";

const parameters = z.strictObject({
  woe: resultName("woe"),
  norm: z
    .number()
    .min(1)
    .max(100)
    .default(3)
    .describe(
      "R: a row's weights of evidence, with the 1 of the intercept, are shortened to this length. Noise grows with R in the gradient and with R² in the curvature",
    ),
  ridge: z.number().positive().default(10).describe("penalty on the square of a coefficient"),
  sums: z.int().min(1).max(20).default(2).describe("Newton's steps"),
});

type Params = z.output<typeof parameters>;

const result = z
  .strictObject({
    ...additiveFields,
    /** Of each feature's weight of evidence. */
    coefficients: z.record(z.string(), z.number()),
  })
  .refine(isWhole, "a bin has no effect");

type State = {
  /** Intercept first. */
  readonly weights: readonly number[];
  readonly sums: number;
};

type Types = {
  params: Params;
  prior: { readonly woe: WoeResult };
  state: State;
  result: AdditiveModel & { readonly coefficients: Readonly<Record<string, number>> };
  blocks: {
    /** Σ (y − p) x ÷ R. */
    readonly gradient: Sum;
    /** The lower triangle of Σ 4 p (1 − p) x xᵀ ÷ R², row by row; what is off the diagonal × √2, so that lengths are kept. */
    readonly curvature: Sum;
  };
};

const root2 = Math.SQRT2;
const step = powerOfTwo(-20);

/**
 * Logistic regression on the weights of evidence of bins that bear noise, by few of Newton's steps of which gradient and
 * curvature bear noise, too. Rows are shortened to a length R, so that one changes them by R and R² ÷ 4 at most, whatever
 * it holds. Noise leaves the curvature's small eigenvalues meaningless: they are raised to what noise alone would reach.
 */
export const logisticPrivate = defineAlgorithm<Types>({
  name: "logistic-private",
  parameters,
  result,
  needs: (params) => ({ woe: resultOf(woe, params.woe) }),
  maxSteps: ({ sums }) => sums,

  start({ schema, prior }) {
    const { good, bad } = prior.woe;
    const weights = [agreed(Math.log(bad / good)), ...schema.features.map(() => 0)];
    return { next: { weights, sums: 0 } };
  },

  state: ({ schema, params }) =>
    z.strictObject({
      weights: z.array(z.number()).length(schema.features.length + 1),
      sums: z
        .int()
        .min(0)
        .max(params.sums - 1),
    }),

  blocks(_, { schema }) {
    const n = schema.features.length + 1;
    const rows = schema.maxRowsPerParty;
    return { gradient: sum(n, rows, step), curvature: sum((n * (n + 1)) / 2, rows, step) };
  },

  contribute({ weights }, { training, memo }, study) {
    const n = weights.length;
    const { norm } = study.params;
    const evidence = memo.keep(evidenceKey, () => {
      checkRows(study.schema, training);
      return evidenceOf(study, training);
    });
    const gradient = new Float64Array(n);
    const curvature = new Float64Array((n * (n + 1)) / 2);
    for (let row = 0; row < training.rows; row++) {
      const x = evidence.subarray(row * n, (row + 1) * n);
      let logOdds = 0;
      for (let j = 0; j < n; j++) logOdds += weights[j]! * x[j]!;
      const p = probabilityOf(logOdds);
      const residual = ((training.label[row] === 1 ? 1 : 0) - p) / norm;
      const weight = (4 * p * (1 - p)) / (norm * norm);
      for (let i = 0, at = 0; i < n; i++) {
        gradient[i]! += residual * x[i]!;
        for (let j = 0; j < i; j++, at++) curvature[at]! += root2 * weight * x[i]! * x[j]!;
        curvature[at++]! += weight * x[i]! * x[i]!;
      }
    }
    return { gradient, curvature };
  },

  advance({ weights, sums }, { gradient, curvature }, study) {
    const { params, schema } = study;
    const n = weights.length;
    const matrix = new Float64Array(n * n);
    const slope = gradient.map((x) => x * params.norm);
    const unit = (params.norm * params.norm) / 4;
    for (let i = 0, at = 0; i < n; i++) {
      for (let j = 0; j < i; j++, at++)
        matrix[i * n + j] = matrix[j * n + i] = (unit * curvature[at]!) / root2;
      matrix[i * n + i] = unit * curvature[at++]!;
      if (i === 0) continue;
      slope[i]! -= params.ridge * weights[i]!;
      matrix[i * n + i]! += params.ridge;
    }
    const change = solveFloored(matrix, slope, params.ridge + noiseNorm(study, n));
    const moved = weights.map((w, i) => w + change[i]!);
    if (sums + 1 < params.sums) return { next: { weights: moved, sums: sums + 1 } };
    const [intercept, ...slopes] = moved as [number, ...number[]];
    const features = schema.features.map((feature) =>
      feature.kind === "numeric" ? feature : { ...feature, levels: [...feature.levels] },
    );
    const columns = columnsOf(study);
    const effects = schema.features.map(
      ({ name }, f) => [name, believedOf(study, name).map((woe) => slopes[f]! * woe)] as const,
    );
    return {
      done: {
        intercept,
        features,
        columns,
        effects: Object.fromEntries(effects),
        coefficients: Object.fromEntries(schema.features.map(({ name }, f) => [name, slopes[f]!])),
      },
    };
  },

  takesNoise: true,
  // |y − p| is at most 1, 4 p (1 − p) as well, and a row's length at most R.
  sensitivity: () => ({ gradient: 1, curvature: 1 }),
  // Where one of the two is large, the other is not.
  joint: () => Math.sqrt(mostOfResidualAndWeight),

  ...additiveScoring,
});

const evidenceKey: MemoKey<Float64Array> = { name: "weights of evidence" };

/** The bins as they are. */
const columnsOf = ({ schema, prior }: Study<Types>) =>
  Object.fromEntries(
    schema.features.map(({ name }) => {
      const { binned } = prior.woe.columns[name]!;
      return [name, { binned, coarse: Array.from({ length: binCount(binned) }, (_, bin) => bin) }];
    }),
  );

/** Variance of a bin's log-odds that is expected before anything is counted. */
const usualVariance = 0.25;

/**
 * @returns a column's weights of evidence by bin, drawn towards 0 where noise is large beside the rows counted: what noise
 *   alone counts would be the strongest evidence of all.
 */
function believedOf({ prior: { woe } }: Study<Types>, name: string): number[] {
  const { good: allGood, bad: allBad, deviation = 0 } = woe;
  const share = allBad / (allGood + allBad);
  return woe.columns[name]!.bins.map(({ good, bad, woe }) => {
    const weight = share * (1 - share) * (good + bad);
    const doubt = (deviation * deviation) / (weight * weight);
    return weight > 0 ? (woe * usualVariance) / (usualVariance + doubt) : 0;
  });
}

/** @returns each row as 1 and its weights of evidence, shortened to R, shape [rows, features + 1]. */
function evidenceOf(study: Study<Types>, training: Table): Float64Array {
  const { schema, params } = study;
  const n = schema.features.length + 1;
  const bins = coarseOf(schema.features, columnsOf(study), training);
  const evidence = new Float64Array(training.rows * n);
  const believed = schema.features.map(({ name }) => believedOf(study, name));
  for (let row = 0; row < training.rows; row++) {
    const x = evidence.subarray(row * n, (row + 1) * n);
    x[0] = 1;
    for (const [f, woes] of believed.entries()) x[f + 1] = woes[bins[f]![row]!]!;
    clipTo(x, params.norm);
  }
  return evidence;
}

/**
 * @returns the largest eigenvalue that noise alone gives a curvature of n columns: of a symmetric matrix with entries of
 *   deviation τ off its diagonal it is near 2 τ √n.
 * @see Wigner 1958, doi:10.2307/1970008
 */
function noiseNorm({ noise = 0, params: { norm } }: Study<Types>, n: number): number {
  const deviation = noise * Math.sqrt(mostOfResidualAndWeight) * ((norm * norm) / 4);
  return root2 * deviation * Math.sqrt(n);
}
