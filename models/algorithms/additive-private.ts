import { z } from "zod";
import { Refusal } from "../../core/reasons.ts";
import { type AdditiveModel, additiveFields, additiveScoring, isWhole } from "../additive-model.ts";
import type { Study } from "../algorithm.ts";
import { type Sum, sum } from "../blocks.ts";
import { type CoarseColumn, type CoarseLayout, coarseBins, coarseLayout, coarseOf } from "../coarse-bins.ts";
import { type ColumnSum, columnStep, type Penalties, smoothnessOf } from "../column-steps.ts";
import { defineAlgorithm } from "../define.ts";
import type { MemoKey } from "../memory.ts";
import { resultOf } from "../needs.ts";
import { probabilityOf } from "../numerics/logistic-sums.ts";
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
    .exactOptional()
    .describe(
      "penalty on the square of what neighbouring bins of a numeric column differ by; where absent, each column's own, under which what `bins` counted is likeliest",
    ),
  ridge: z.number().positive().default(4).describe("penalty on the square of what a bin adds"),
  rate: z
    .number()
    .positive()
    .max(1)
    .default(0.15)
    .describe("share of each column's own Newton step: columns that are moved together say much the same"),
  sums: z.int().min(1).max(40).default(5).describe("each moves every one of its columns once"),
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
  /** Of the moved columns' bins: Σ (y − p). */
  blocks: { readonly gradient: Sum };
};

const step = powerOfTwo(-20);

/**
 * An additive model from few sums that bear noise: each column is a tree on its own bins, and all of them grow from one
 * sum of residuals. A row is in one leaf of each with y − p, so that it changes a sum of k columns by √k at most, whatever
 * it holds. Curvatures are those of the rows that `bins` counted: to sum them anew would cost 13 % more noise, and a step
 * is shortened anyway. How far a leaf is believed follows from the noise that is known to be in it.
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
    const { ordered, counted, penalties } = settingOf(study);
    // What the bins have counted is the first step's sum, where every row's probability is the share of bad ones.
    const effects = ordered.flatMap((column, f) => {
      const none = new Float64Array(coarseBins(column));
      const change = columnStep(column, none, counted[f]!, penalties[f]!);
      return Array.from(change, (by) => study.params.rate * by);
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
    return { gradient: sum(entries, rows, step) };
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
    const residual = margins.map((own, row) => (training.label[row] === 1 ? 1 : 0) - probabilityOf(own));
    const entries = moved.reduce((all, f) => all + coarseBins(ordered[f]!), 0);
    const gradient = new Float64Array(entries);
    let from = 0;
    for (const f of moved) {
      const column = bins[f]!;
      for (let row = 0; row < column.length; row++) gradient[from + column[row]!]! += residual[row]!;
      from += coarseBins(ordered[f]!);
    }
    return { gradient };
  },

  advance(state, { gradient }, study) {
    const { ordered, first, moved, counted, penalties } = settingOf(study);
    const { params } = study;
    // n steps add up to n times what they move, and their noises, each on its own, to n times their variance, not n².
    const variance = ((study.noise ?? 0) ** 2 * moved.length) / params.sums;
    const total = (values: Float64Array): number => values.reduce((all, x) => all + x, 0);
    // Every row is in one bin of every column: what all of them are short of is the intercept's, once.
    const weight = moved.reduce((all, f) => all + total(counted[f]!.curvature), 0);
    const shift = total(gradient) / Math.max(1, weight);
    const effects = [...state.effects];
    let from = 0;
    for (const f of moved) {
      const column = ordered[f]!;
      const to = from + coarseBins(column);
      const { curvature } = counted[f]!;
      const left = gradient.slice(from, to).map((g, bin) => g - shift * curvature[bin]!);
      const before = state.effects.slice(first[f]!, first[f]! + coarseBins(column));
      const change = columnStep(column, before, { gradient: left, curvature, variance }, penalties[f]!);
      for (const [bin, by] of change.entries()) effects[first[f]! + bin]! += params.rate * by;
      from = to;
    }
    const next = { intercept: state.intercept + shift, effects, sums: state.sums + 1 };
    return next.sums < params.sums ? { next } : { done: resultFrom(next, study) };
  },

  takesNoise: true,
  // A residual is at most 1, in one bin of each column.
  sensitivity: (_, study) => ({ gradient: Math.sqrt(settingOf(study).moved.length) }),

  ...additiveScoring,
});

const binsKey: MemoKey<Uint16Array[]> = { name: "coarse bins" };

/** A column's coarse bins as `bins` counted them, where every row's probability is the share of bad ones. */
interface Counted extends ColumnSum {
  /** χ²: how much they tell, noise allowing. */
  readonly worth: number;
}

interface Setting extends CoarseLayout {
  readonly counted: readonly Counted[];
  readonly penalties: readonly Penalties[];
  /** Places of the columns that sums are of, in their order. */
  readonly moved: readonly number[];
}

const settings = new WeakMap<BinsResult, { readonly params: Params; readonly setting: Setting }>();

function settingOf({ schema, params, prior }: Study<Types>): Setting {
  const known = settings.get(prior.bins);
  if (known?.params === params) return known.setting;
  const layout = coarseLayout(schema.features, prior.bins, params.binsPerColumn);
  const counted = schema.features.map(({ name }) => countedIn(layout.columns[name]!, name, prior.bins));
  const moved = [...counted.keys()]
    .sort((a, b) => counted[b]!.worth - counted[a]!.worth || a - b)
    .slice(0, params.columns)
    .sort((a, b) => a - b);
  const { ridge } = params;
  const penalties = layout.ordered.map((column, f) => {
    const { smoothness = smoothnessOf(column, counted[f]!, ridge) } = params;
    return { smoothness, ridge };
  });
  const setting = { ...layout, counted, penalties, moved };
  settings.set(prior.bins, { params, setting });
  return setting;
}

function countedIn(
  column: CoarseColumn,
  name: string,
  { good, bad, columns, deviation = 0 }: BinsResult,
): Counted {
  const share = bad / (good + bad);
  const gradient = new Float64Array(coarseBins(column));
  const curvature = new Float64Array(gradient.length);
  const counted = columns[name]!;
  for (const [bin, to] of column.coarse.entries()) {
    const rows = counted.good[bin]! + counted.bad[bin]!;
    gradient[to]! += counted.bad[bin]! - share * rows;
    curvature[to]! += share * (1 - share) * rows;
  }
  const worth = gradient.reduce(
    (all, x, bin) => (curvature[bin]! > 0 ? all + x ** 2 / curvature[bin]! : all),
    0,
  );
  return { gradient, curvature, variance: deviation * deviation, worth };
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
