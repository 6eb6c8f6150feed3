import { z } from "zod";
import { Refusal } from "../../core/reasons.ts";
import { type AdditiveModel, additiveFields, additiveScoring, isWhole } from "../additive-model.ts";
import type { Study } from "../algorithm.ts";
import { type Sum, sum } from "../blocks.ts";
import { type CoarseColumn, type CoarseLayout, coarseBins, coarseLayout, coarseOf } from "../coarse-bins.ts";
import { defineAlgorithm } from "../define.ts";
import type { MemoKey } from "../memory.ts";
import { resultOf } from "../needs.ts";
import { cholesky, solveCholesky } from "../numerics/linear-algebra.ts";
import { mostOfResidualAndWeight, probabilityOf } from "../numerics/logistic-sums.ts";
import { powerOfTwo } from "../numerics/powers-of-two.ts";
import { agreed } from "../numerics/rounding.ts";
import { resultName } from "../parameters.ts";
import { checkRows } from "../rows.ts";
import { type BinsResult, bins } from "./bins.ts";

const parameters = z.strictObject({
  bins: resultName("bins"),
  binsPerColumn: z.int().min(2).max(64).default(12).describe("of values, at most"),
  columns: z
    .int()
    .min(1)
    .max(1000)
    .default(24)
    .describe(
      "whose effects each sum moves: those that the bins say most of. Noise grows with the root of their number; the others keep the effects that the bins give them",
    ),
  smoothness: z
    .number()
    .min(0)
    .default(30)
    .describe("penalty on the square of what neighbouring bins of a numeric column differ by"),
  ridge: z.number().positive().default(4).describe("penalty on the square of what a bin adds"),
  rate: z
    .number()
    .positive()
    .max(1)
    .default(0.15)
    .describe("share of each column's own Newton step: columns that are moved together say much the same"),
  sums: z.int().min(1).max(40).default(4).describe("each moves every one of its columns once"),
});

type Params = z.output<typeof parameters>;

const result = z.strictObject(additiveFields).refine(isWhole, "a bin has no effect");

type State = {
  readonly intercept: number;
  /** Of all columns' coarse bins, column after column. */
  readonly effects: readonly number[];
  readonly sums: number;
};

type Types = {
  params: Params;
  prior: { readonly bins: BinsResult };
  state: State;
  result: AdditiveModel;
  /** Of the moved columns' bins: Σ (y − p), and 4 Σ p (1 − p). */
  blocks: { readonly gradient: Sum; readonly curvature: Sum };
};

const step = powerOfTwo(-20);

/**
 * An additive model from few sums that bear noise: each column is a tree on its own bins, and all of them grow from one
 * sum of residuals and curvatures. A row is in one leaf of each with (y − p, 4 p (1 − p)), so that it changes a sum of k
 * columns by √(1.2863 k) at most, whatever it holds; and no matrix of curvatures is summed, of which noise would leave
 * little. How far a leaf is believed follows from the noise that is known to be in it.
 */
export const additivePrivate = defineAlgorithm<Types>({
  name: "additive-private",
  parameters,
  result,
  needs: (params) => ({ bins: resultOf(bins, params.bins) }),
  maxSteps: ({ sums }) => sums,

  start(study) {
    const { good, bad } = study.prior.bins;
    if (good === 0 || bad === 0) throw new Refusal("single_class", `all ${good + bad} labels are equal`);
    const { ordered, params } = { ...settingOf(study), ...study };
    const share = bad / (good + bad);
    // What the bins have counted is the first step's sum, where every row's probability is the share of bad ones.
    const effects = ordered.flatMap((column, f) => {
      const [gradient, weights] = [0, 1].map(() => new Float64Array(coarseBins(column)));
      const counted = study.prior.bins.columns[study.schema.features[f]!.name]!;
      for (const [bin, to] of column.coarse.entries()) {
        const rows = counted.good[bin]! + counted.bad[bin]!;
        gradient![to]! += counted.bad[bin]! - share * rows;
        weights![to]! += share * (1 - share) * rows;
      }
      const { deviation = 0 } = study.prior.bins;
      const none = new Float64Array(gradient!.length);
      const change = columnStep(column, none, gradient!, weights!, deviation * deviation, params);
      return Array.from(change, (by) => params.rate * by);
    });
    return { next: { intercept: agreed(Math.log(bad / good)), effects, sums: 0 } };
  },

  state: (study) =>
    z.strictObject({
      intercept: z.number(),
      effects: z.array(z.number()).length(settingOf(study).width),
      sums: z
        .int()
        .min(0)
        .max(study.params.sums - 1),
    }),

  blocks(_, study) {
    const { moved, ordered } = settingOf(study);
    const entries = moved.reduce((all, f) => all + coarseBins(ordered[f]!), 0);
    const rows = study.schema.maxRowsPerParty;
    return { gradient: sum(entries, rows, step), curvature: sum(entries, rows, step) };
  },

  contribute({ intercept, effects }, { training, memo }, study) {
    const { columns, ordered, first, moved } = settingOf(study);
    const bins = memo.keep(binsKey, () => {
      checkRows(study.schema, training);
      return coarseOf(study.schema.features, columns, training);
    });
    const margins = new Float64Array(training.rows).fill(intercept);
    for (const [f, column] of bins.entries())
      for (let row = 0; row < margins.length; row++) margins[row]! += effects[first[f]! + column[row]!]!;
    const p = margins.map(probabilityOf);
    const residual = p.map((own, row) => (training.label[row] === 1 ? 1 : 0) - own);
    const weight = p.map((own) => 4 * own * (1 - own));
    const entries = moved.reduce((all, f) => all + coarseBins(ordered[f]!), 0);
    const [gradient, curvature] = [new Float64Array(entries), new Float64Array(entries)];
    let from = 0;
    for (const f of moved) {
      const column = bins[f]!;
      for (let row = 0; row < column.length; row++) {
        gradient[from + column[row]!]! += residual[row]!;
        curvature[from + column[row]!]! += weight[row]!;
      }
      from += coarseBins(ordered[f]!);
    }
    return { gradient, curvature };
  },

  advance(state, { gradient, curvature }, study) {
    const { ordered, first, moved } = settingOf(study);
    const { params } = study;
    const deviation = (study.noise ?? 0) * Math.sqrt(mostOfResidualAndWeight * moved.length);
    const total = (values: Float64Array): number => values.reduce((all, x) => all + x, 0);
    // Every row is in one bin of every column: what all of them are short of is the intercept's, once.
    const weight = Math.max(1, total(curvature) / 4);
    const shift = total(gradient) / weight;
    const effects = [...state.effects];
    let from = 0;
    for (const f of moved) {
      const column = ordered[f]!;
      const to = from + coarseBins(column);
      const weights = curvature.slice(from, to).map((x) => Math.max(0, x / 4));
      const own = gradient.slice(from, to).map((g, bin) => g - shift * weights[bin]!);
      const before = state.effects.slice(first[f]!, first[f]! + coarseBins(column));
      const change = columnStep(column, before, own, weights, deviation * deviation, params);
      for (const [bin, by] of change.entries()) effects[first[f]! + bin]! += params.rate * by;
      from = to;
    }
    const next = { intercept: state.intercept + shift, effects, sums: state.sums + 1 };
    return next.sums < params.sums ? { next } : { done: resultFrom(next, study) };
  },

  takesNoise: true,
  // A residual is at most 1, and so is 4 p (1 − p).
  sensitivity(_, study) {
    const leaves = Math.sqrt(settingOf(study).moved.length);
    return { gradient: leaves, curvature: leaves };
  },
  // Where one of the two is large, the other is not.
  joint: () => Math.sqrt(mostOfResidualAndWeight),

  ...additiveScoring,
});

const binsKey: MemoKey<Uint16Array[]> = { name: "coarse bins" };

interface Setting extends CoarseLayout {
  /** Places of the columns that sums are of, in their order. */
  readonly moved: readonly number[];
}

const settings = new WeakMap<BinsResult, { readonly params: Params; readonly setting: Setting }>();

function settingOf({ schema, params, prior }: Study<Types>): Setting {
  const known = settings.get(prior.bins);
  if (known?.params === params) return known.setting;
  const layout = coarseLayout(schema.features, prior.bins, params.binsPerColumn);
  const worth = schema.features.map(({ name }) => separationOf(layout.columns[name]!, name, prior.bins));
  const moved = [...worth.keys()]
    .sort((a, b) => worth[b]! - worth[a]! || a - b)
    .slice(0, params.columns)
    .sort((a, b) => a - b);
  const setting = { ...layout, moved };
  settings.set(prior.bins, { params, setting });
  return setting;
}

/** @returns χ² of a column's coarse bins against the share of bad rows: how much they tell, noise allowing. */
function separationOf({ coarse }: CoarseColumn, name: string, { good, bad, columns }: BinsResult): number {
  const share = bad / (good + bad);
  const counted = columns[name]!;
  const rows = new Float64Array(Math.max(...coarse) + 1);
  const surplus = new Float64Array(rows.length);
  for (const [bin, to] of coarse.entries()) {
    rows[to]! += counted.good[bin]! + counted.bad[bin]!;
    surplus[to]! += counted.bad[bin]! - share * (counted.good[bin]! + counted.bad[bin]!);
  }
  return rows.reduce((sum, n, bin) => (n > 0 ? sum + surplus[bin]! ** 2 / n : sum), 0);
}

/**
 * Newton's step of one column's bins alone. Of a sum of residuals g with curvature h, in which noise of a known variance
 * is, g ÷ h is right up to a variance of (variance + h) ÷ h²: that much is it believed, beside the penalties.
 */
function columnStep(
  { binned, coarse }: CoarseColumn,
  effects: ArrayLike<number>,
  gradient: Float64Array,
  weights: Float64Array,
  variance: number,
  { smoothness, ridge }: Params,
): Float64Array {
  const n = gradient.length;
  const matrix = new Float64Array(n * n);
  const slope = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const h = weights[i]!;
    const belief = h > 0 ? h / (variance + h) : 0;
    matrix[i * n + i] = belief * h + ridge;
    slope[i] = belief * gradient[i]! - ridge * effects[i]!;
  }
  if (binned.kind === "numeric")
    // The last bin is of special and missing values: next to none.
    for (let i = 0; i + 1 < Math.max(...coarse); i++) {
      const apart = effects[i + 1]! - effects[i]!;
      slope[i]! += smoothness * apart;
      slope[i + 1]! -= smoothness * apart;
      matrix[i * n + i]! += smoothness;
      matrix[(i + 1) * n + i + 1]! += smoothness;
      matrix[(i + 1) * n + i]! -= smoothness;
    }
  const factored = cholesky(matrix, n, 1e-13);
  if (factored.kind === "dependent")
    throw new Refusal("not_converged", "the bins determine no effects", { hint: "raise ridge" });
  return solveCholesky(factored, slope);
}

function resultFrom({ intercept, effects }: State, study: Study<Types>): AdditiveModel {
  const { columns, first } = settingOf(study);
  const features = study.schema.features.map((feature) =>
    feature.kind === "numeric" ? feature : { ...feature, levels: [...feature.levels] },
  );
  const own = study.schema.features.map(({ name }, f) => [
    name,
    effects.slice(first[f]!, first[f]! + coarseBins(columns[name]!)),
  ]);
  return { intercept, features, columns, effects: Object.fromEntries(own) };
}
