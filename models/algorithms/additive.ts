import { z } from "zod";
import { Refusal } from "../../core/reasons.ts";
import { additiveFields, additiveScoring, isWhole } from "../additive-model.ts";
import type { Outcome, Study } from "../algorithm.ts";
import { type Sum, sum } from "../blocks.ts";
import { binsOfPart, type CoarseLayout, coarseBins, coarseLayout } from "../coarse-bins.ts";
import { defineAlgorithm } from "../define.ts";
import { resultOf } from "../needs.ts";
import { cholesky, dot, invertedBand, solveCholesky } from "../numerics/linear-algebra.ts";
import { probabilityOf } from "../numerics/logistic-sums.ts";
import { medianOf } from "../numerics/median.ts";
import { powerOfTwo } from "../numerics/powers-of-two.ts";
import { agreed } from "../numerics/rounding.ts";
import { resultName } from "../parameters.ts";
import { checkRowCount, partsOf } from "../rows.ts";
import { type BinsResult, bins } from "./bins.ts";

const parameters = z.strictObject({
  bins: resultName("bins"),
  binsPerColumn: z.int().min(2).max(64).default(20).describe("of values, at most"),
  smoothness: z
    .number()
    .min(0)
    .exactOptional()
    .describe(
      "penalty on the square of what neighbouring bins of a numeric column differ by; where absent, each column's own, and that on its levels, is chosen from the first sums by restricted maximum likelihood",
    ),
  ridge: z.number().positive().default(1).describe("penalty on the square of what a bin adds"),
  maxSteps: z.int().min(1).max(40).default(5).describe("sums, at most: each allows a Newton step"),
});

type Params = z.output<typeof parameters>;

const result = z
  .strictObject({
    ...additiveFields,
    /** Newton steps taken, and the largest change of an effect in the last of them. */
    steps: z.int().min(1),
    lastChange: z.number().min(0),
  })
  .refine(isWhole, "a bin has no effect");

type AdditiveResult = Readonly<z.output<typeof result>>;

type State = {
  readonly intercept: number;
  /** Of all columns' coarse bins, column after column. */
  readonly effects: readonly number[];
  /** Of each column: weight of its {@link roughness} beside the ridge. */
  readonly smoothing: readonly number[];
  readonly steps: number;
  /** The curvature that steps go on with: its sum in whole steps, int32, base64. Empty where it is summed with the gradient. */
  readonly curvature: string;
};

type Types = {
  params: Params;
  prior: { readonly bins: BinsResult };
  state: State;
  result: AdditiveResult;
  blocks: { readonly gradient: Sum; readonly curvature: Sum };
};

/** Below this change of an effect a step is the last: what is left is a fraction of it. */
const settledBelow = 1e-4;
/** The first steps choose the smoothing as well; what further ones would change in it moves scores by little. */
const smoothingSteps = 3;
/** Where columns' smoothing begins, and what it stays within. */
const startSmoothing = { numeric: 30, categorical: 1 } as const;
const [leastSmoothing, mostSmoothing] = [0.01, 1e5];
/** No effect changes by more in one step: under separation Newton's steps would be far too long. */
const longestStep = 3;
/** After a step that changes no effect by more, the curvature changes little: those that follow go on with the same. */
const steadyBelow = 0.25;
const gradientStep = powerOfTwo(-28);
const curvatureStep = powerOfTwo(-16);

/**
 * Logistic regression on the bins of every column, with neighbouring bins held together: a generalized additive model.
 * What a column adds to a score is read off its bin, so that reasons are exact.
 * How firmly is chosen for each column by its restricted likelihood: what says nothing is flat, what bends may bend.
 * @see Hastie and Tibshirani 1990, Generalized Additive Models; Eilers and Marx 1996, doi:10.1214/ss/1038425655; Wood and
 *   Fasiolo 2017, doi:10.1111/biom.12666, for the smoothing
 */
export const additive = defineAlgorithm<Types>({
  name: "additive",
  parameters,
  result,
  needs: (params) => ({ bins: resultOf(bins, params.bins) }),
  maxSteps: ({ maxSteps }) => maxSteps,

  start(study) {
    const { good, bad } = study.prior.bins;
    if (good === 0 || bad === 0) throw new Refusal("single_class", `all ${good + bad} labels are equal`);
    const effects = new Array<number>(settingOf(study).width).fill(0);
    const { smoothness } = study.params;
    const smoothing = study.schema.features.map(({ kind }) =>
      smoothness === undefined ? startSmoothing[kind] : kind === "numeric" ? smoothness : 0,
    );
    return { next: { intercept: agreed(Math.log(bad / good)), effects, smoothing, steps: 0, curvature: "" } };
  },

  state: (study) =>
    z.strictObject({
      intercept: z.number(),
      effects: z.array(z.number()).length(settingOf(study).width),
      smoothing: z.array(z.number().min(0)).length(study.schema.features.length),
      steps: z.int().min(0).max(study.params.maxSteps),
      curvature: z
        .base64()
        .refine(
          (text) =>
            text === "" || Buffer.from(text, "base64").length === 4 * crossesOf(settingOf(study)).entries,
          "not a curvature of the bins",
        ),
    }),

  blocks({ curvature, steps }, study) {
    const setting = settingOf(study);
    const rows = study.schema.maxRowsPerParty;
    const entries = curvature === "" ? crossesOf(setting).entries : 0;
    return {
      gradient: sum(setting.width, rows, gradientStep),
      // At first every row weighs the same: they are counted.
      curvature: steps === 0 ? sum(entries, rows, 1) : sum(entries, rows / 4, curvatureStep),
    };
  },

  contribute({ intercept, effects, steps, curvature: kept }, { training, memo }, study) {
    const setting = settingOf(study);
    const { columns, first, width } = setting;
    checkRowCount(study.schema, training);
    const { features } = study.schema;
    const gradient = new Float64Array(width);
    const { lasts, at: crossAt, entries } = crossesOf(setting);
    const curvature = new Float64Array(kept === "" ? entries : 0);
    const places = new Int32Array(features.length);
    for (const { part } of partsOf(training)) {
      const bins = binsOfPart(features, columns, part, part === training ? memo : undefined);
      for (let row = 0; row < part.rows; row++) {
        let logOdds = intercept;
        for (const [f, column] of bins.entries()) {
          places[f] = first[f]! + column[row]!;
          logOdds += effects[places[f]!]!;
        }
        const p = probabilityOf(logOdds);
        const residual = (part.label[row] === 1 ? 1 : 0) - p;
        for (let f = 0; f < places.length; f++) gradient[places[f]!]! += residual;
        if (kept !== "") continue;
        // On the grid: what follows from sums is then exact.
        const weight = steps === 0 ? 1 : Math.round((p * (1 - p)) / curvatureStep) * curvatureStep;
        for (let f = 0; f < places.length; f++) {
          curvature[places[f]!]! += weight;
          const bin = bins[f]![row]!;
          if (bin === lasts[f]) continue;
          for (let other = 0; other < f; other++) {
            const otherBin = bins[other]![row]!;
            if (otherBin === lasts[other]) continue;
            curvature[crossAt(f, other) + bin * lasts[other]! + otherBin]! += weight;
          }
        }
      }
    }
    return { gradient, curvature };
  },

  advance(state, { gradient, curvature: summed }, study) {
    const curvature = state.curvature === "" ? summed : keptIn(state.curvature);
    const step = newtonStep(state, { gradient, curvature }, settingOf(study), study.params);
    return moveBy(step, state, study, curvature);
  },

  // A matrix of medians need not be that of any rows: each group takes a step of its own.
  medians(state, groups, study) {
    const setting = settingOf(study);
    const steps = groups.flatMap((sums) => {
      try {
        return [newtonStep(state, sums, setting, study.params)];
      } catch (error) {
        // No rows have such a sum.
        if (error instanceof Refusal) return [];
        throw error;
      }
    });
    if (2 * steps.length <= groups.length)
      throw new Refusal("not_converged", "the bins determine no effects", { hint: "raise ridge" });
    return moveBy(medianOf(steps), state, study);
  },

  // A row is in one bin of each column; its residual is below 1, its curvature at most 1/4.
  sensitivity({ steps, curvature }, { schema }) {
    const n = schema.features.length;
    const weight = curvature !== "" ? 0 : steps === 0 ? 1 : 0.25;
    return { gradient: Math.sqrt(n), curvature: weight * Math.sqrt((n * (n + 1)) / 2) };
  },

  ...additiveScoring,
});

/**
 * @param step - the change of the intercept, then of every effect; then every column's smoothing.
 * @param curvature - that steps may go on with; absent where it is of no one sum.
 */
function moveBy(
  step: Float64Array,
  state: State,
  study: Study<Types>,
  curvature?: Float64Array,
): Outcome<State, AdditiveResult> {
  const change = step.subarray(0, 1 + state.effects.length);
  const largest = change.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const share = Math.min(1, longestStep / largest);
  const moved: State = {
    intercept: state.intercept + share * change[0]!,
    effects: state.effects.map((effect, i) => effect + share * change[i + 1]!),
    smoothing: [...step.subarray(change.length)],
    steps: state.steps + 1,
    curvature:
      curvature !== undefined && state.steps + 1 >= smoothingSteps && largest <= steadyBelow
        ? textOf(curvature)
        : "",
  };
  return largest <= settledBelow || moved.steps >= study.params.maxSteps
    ? { done: centred(moved, largest, settingOf(study), study) }
    : { next: moved };
}

const settings = new WeakMap<BinsResult, { readonly params: Params; readonly setting: CoarseLayout }>();

function settingOf({ schema, params, prior }: Study<Types>): CoarseLayout {
  const known = settings.get(prior.bins);
  if (known?.params === params) return known.setting;
  const setting = coarseLayout(schema.features, prior.bins, params.binsPerColumn);
  settings.set(prior.bins, { params, setting });
  return setting;
}

/**
 * How the curvature is summed: its diagonal, then for every two columns what rows are in bins of both, but for each
 * column's last bin. A row is in one bin of every column, so that the rest follows.
 */
interface Crosses {
  /** Of each column, its last bin. */
  readonly lasts: readonly number[];
  /** @returns where the bins of two columns begin, the later one's line by line. */
  at(later: number, earlier: number): number;
  readonly entries: number;
}

const crossesBySetting = new WeakMap<CoarseLayout, Crosses>();

function crossesOf(setting: CoarseLayout): Crosses {
  const known = crossesBySetting.get(setting);
  if (known !== undefined) return known;
  const lasts = setting.ordered.map((column) => coarseBins(column) - 1);
  const firsts = new Int32Array(lasts.length ** 2);
  let entries = setting.width;
  for (const [later, last] of lasts.entries())
    for (let earlier = 0; earlier < later; earlier++) {
      firsts[later * lasts.length + earlier] = entries;
      entries += last * lasts[earlier]!;
    }
  const crosses = {
    lasts,
    at: (later: number, earlier: number) => firsts[later * lasts.length + earlier]!,
    entries,
  };
  crossesBySetting.set(setting, crosses);
  return crosses;
}

/** @returns the curvature's lower triangle, row-major, shape [width + 1, width + 1]; that of the intercept comes first. */
function triangleOf(sums: Float64Array, setting: CoarseLayout): Float64Array {
  const { first, width } = setting;
  const { lasts, at } = crossesOf(setting);
  const n = width + 1;
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < width; i++) {
    matrix[(i + 1) * n + i + 1] = sums[i]!;
    // A row is in one bin of every column: the intercept's row is the diagonal.
    matrix[(i + 1) * n] = sums[i]!;
    if (i <= lasts[0]!) matrix[0]! += sums[i]!;
  }
  for (const [later, last] of lasts.entries())
    for (let earlier = 0; earlier < later; earlier++) {
      const [top, left, side] = [first[later]! + 1, first[earlier]! + 1, lasts[earlier]!];
      // What is left of each bin of the earlier column is in the later one's last.
      for (let j = 0; j <= side; j++) matrix[(top + last) * n + left + j] = sums[left + j - 1]!;
      let cross = at(later, earlier);
      for (let i = 0; i < last; i++) {
        const line = (top + i) * n + left;
        let rest = sums[top + i - 1]!;
        for (let j = 0; j < side; j++, cross++) {
          matrix[line + j] = sums[cross]!;
          matrix[(top + last) * n + left + j]! -= sums[cross]!;
          rest -= sums[cross]!;
        }
        matrix[line + side] = rest;
        matrix[(top + last) * n + left + side]! -= rest;
      }
    }
  return matrix;
}

/** @returns a curvature as a state keeps it, on its grid. */
function textOf(curvature: Float64Array): string {
  const steps = Int32Array.from(curvature, (x) => Math.round(x / curvatureStep));
  return Buffer.from(steps.buffer).toString("base64");
}

function keptIn(text: string): Float64Array {
  const bytes = Buffer.from(text, "base64");
  return Float64Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readInt32LE(4 * i) * curvatureStep);
}

/** @returns the change of the intercept, then of every effect; then every column's smoothing from there on. */
function newtonStep(
  { intercept, effects, smoothing, steps }: State,
  sums: { readonly gradient: Float64Array; readonly curvature: Float64Array },
  setting: CoarseLayout,
  { smoothness, ridge }: Params,
): Float64Array {
  const { ordered, first, width } = setting;
  const n = width + 1;
  const p = probabilityOf(intercept);
  const weight = steps === 0 ? agreed(p * (1 - p)) : 1;
  const matrix = triangleOf(sums.curvature, setting);
  if (weight !== 1) for (let i = 0; i < matrix.length; i++) matrix[i]! *= weight;
  const slope = new Float64Array(n);
  const ofFirst = coarseBins(ordered[0]!);
  for (let i = 0; i < width; i++) {
    slope[i + 1] = sums.gradient[i]! - ridge * effects[i]!;
    matrix[(i + 1) * n + i + 1]! += ridge;
    if (i < ofFirst) slope[0]! += sums.gradient[i]!;
  }
  const columns = ordered.map((column, f) => ({
    ...roughness(column),
    at: first[f]!,
    weight: smoothing[f]!,
  }));
  for (const { at, diagonal, beside, weight } of columns) {
    const slopes = times({ diagonal, beside }, effects.slice(at, at + diagonal.length));
    for (const [bin, own] of diagonal.entries()) {
      const place = at + bin + 1;
      slope[place]! -= weight * slopes[bin]!;
      matrix[place * n + place]! += weight * own;
      if (bin > 0) matrix[place * n + place - 1]! += weight * beside;
    }
  }
  const factored = cholesky(matrix, n, 1e-13);
  if (factored.kind === "dependent")
    throw new Refusal("not_converged", "the bins determine no effects", { hint: "raise ridge" });
  const change = solveCholesky(factored, slope);
  if (smoothness !== undefined || steps >= smoothingSteps)
    return Float64Array.from([...change, ...smoothing]);
  const inverse = invertedBand(factored);
  const chosen = columns.map(({ at, diagonal, beside, eigenvalues, weight }) => {
    const moved = diagonal.map((_, bin) => effects[at + bin]! + change[at + bin + 1]!);
    const rough = dot(moved, times({ diagonal, beside }, moved));
    // Fellner and Schall's step: the likelihood's derivative by the weight is 0 where both sides are alike.
    const before = eigenvalues.reduce((sum, e) => sum + e / (weight * e + ridge), 0);
    const left = diagonal.reduce(
      (sum, own, bin) =>
        sum +
        own * inverse.diagonal[at + bin + 1]! +
        (bin === 0 ? 0 : 2 * beside * inverse.beside[at + bin]!),
      0,
    );
    const next = (weight * Math.max(0, before - left)) / rough;
    return Number.isNaN(next) ? weight : Math.min(mostSmoothing, Math.max(leastSmoothing, next));
  });
  return Float64Array.from([...change, ...chosen]);
}

/** A symmetric matrix over a column's bins of values: its diagonal, and what stands everywhere next to it. */
interface Roughness {
  readonly diagonal: readonly number[];
  readonly beside: number;
  readonly eigenvalues: readonly number[];
}

/**
 * @returns the matrix of Σ (difference of neighbouring bins)² for a numeric column, of Σ effect² for one of levels. The
 *   column's last bin, of special and missing values, is not in it: it is next to none.
 */
function roughness({ binned, coarse }: CoarseLayout["ordered"][number]): Roughness {
  const bins = Math.max(...coarse);
  const places = [...Array(bins).keys()];
  if (binned.kind === "categorical")
    return { diagonal: places.map(() => 1), beside: 0, eigenvalues: places.map(() => 1) };
  return {
    diagonal: places.map((bin) => Number(bin > 0) + Number(bin + 1 < bins)),
    beside: -1,
    eigenvalues: places.map((i) => agreed(2 - 2 * Math.cos((Math.PI * i) / bins))),
  };
}

const times = (
  { diagonal, beside }: Pick<Roughness, "diagonal" | "beside">,
  x: readonly number[],
): number[] => diagonal.map((own, bin) => own * x[bin]! + beside * ((x[bin - 1] ?? 0) + (x[bin + 1] ?? 0)));

/** @returns the effects from their average over the rows that the bins were counted on. */
function centred(
  { intercept, effects, steps }: State,
  lastChange: number,
  { columns, first }: CoarseLayout,
  { schema, prior }: Study<Types>,
): AdditiveResult {
  let start = intercept;
  const own = schema.features.map(({ name }, f) => {
    const { good, bad } = prior.bins.columns[name]!;
    const column = columns[name]!;
    const values = effects.slice(first[f]!, first[f]! + coarseBins(column));
    const rows = prior.bins.good + prior.bins.bad;
    const mean = good.reduce(
      (sum, n, bin) => sum + ((n + bad[bin]!) / rows) * values[column.coarse[bin]!]!,
      0,
    );
    start += mean;
    return [name, values.map((x) => x - mean)] as const;
  });
  const features = schema.features.map((feature) =>
    feature.kind === "numeric" ? feature : { ...feature, levels: [...feature.levels] },
  );
  return { intercept: start, features, columns, effects: Object.fromEntries(own), steps, lastChange };
}
