import { z } from "zod";
import { Refusal } from "../../core/reasons.ts";
import type { Outcome, Study } from "../algorithm.ts";
import { type Count, count, type Sum, sum } from "../blocks.ts";
import { defineAlgorithm } from "../define.ts";
import {
  type Design,
  type DesignBasis,
  designFrom,
  designMatrix,
  designNeeds,
  designParameters,
  designSchema,
  trainingMatrix,
} from "../design.ts";
import { type Cholesky, cholesky, dot, invertCholesky, solveCholesky } from "../numerics/linear-algebra.ts";
import { type LogisticSums, probabilityOf, sumsAt } from "../numerics/logistic-sums.ts";
import { normalTail } from "../numerics/normal.ts";
import { exponentAbove, powerOfTwo } from "../numerics/powers-of-two.ts";
import { agreed } from "../numerics/rounding.ts";

const parameters = z.strictObject({
  ...designParameters,
  penalty: z
    .number()
    .min(0)
    .default(0)
    .describe("weight of the penalty on the mean log-loss; 0 is maximum likelihood"),
  l1Ratio: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe("share of the penalty on |coefficient| (lasso); the rest is on its square (ridge)"),
  maxIterations: z
    .int()
    .min(1)
    .max(200)
    .default(40)
    .describe("sums before giving up: each allows a Newton step, or takes half of one back"),
});

/** Largest change of a standardized coefficient in the last Newton step. The error left is its square. */
const convergedBelow = 1e-9;
/** A column explained by others to this share of its variance is collinear. */
const collinearBelow = 1e-10;
const maxHalvings = 20;
/** By this share of itself the likelihood may seem to fall: what a state's grid rounds away. */
const likelihoodGrid = 1e-11;

const byColumn = z.record(z.string(), z.number());

const result = z
  .strictObject({
    /** Coefficients in the data's own units: what one more of a column's unit adds to the log-odds of bad. */
    intercept: z.number(),
    coefficients: byColumn,
    /** Absent under a penalty, where the estimate is biased on purpose; `intercept` is under that name. */
    standardErrors: byColumn.exactOptional(),
    z: byColumn.exactOptional(),
    /** Two-sided. */
    p: byColumn.exactOptional(),
    logLikelihood: z.number(),
    /** Newton steps taken. */
    iterations: z.int().min(1),
    /**
     * False where parties kept coming and going, so that every sum was of other rows and no step was the last:
     * the estimate is then as far from maximum likelihood as the cohorts are from each other.
     */
    converged: z.boolean(),
    /**
     * Missing-indicators left out because they follow from other columns: their coefficient is 0 and has no error.
     * R's `glm` calls such a coefficient aliased.
     */
    aliased: z.array(z.string()).exactOptional(),
    /** What a missing value stands at, where any is missing. */
    imputed: byColumn,
    rows: z.int().min(0),
    design: designSchema,
  })
  .refine(
    ({ coefficients, design }) => design.columns.every(({ name }) => Object.hasOwn(coefficients, name)),
    {
      error: "a column of the design has no coefficient",
    },
  );

export type LogisticResult = Readonly<z.output<typeof result>>;

type LogisticState = {
  /** Standardized, intercept first: where the next sums are taken. */
  readonly weights: readonly number[];
  /** The last accepted point, its objective, and the step that led from it to `weights`. */
  readonly from: {
    readonly weights: readonly number[];
    readonly objective: number;
    readonly rows: number;
  } | null;
  /** Columns left out of every step, by their place among the weights. */
  readonly aliased: readonly number[];
  /** Newton steps since the cohort last changed. */
  readonly steady: number;
  readonly halvings: number;
  readonly iterations: number;
  /** Taken so far. */
  readonly sums: number;
};

/** ∂ log-likelihood / ∂ one weight, intercept first. */
type Gradient<T> = { readonly [entry: `gradient.${number}`]: T };
/** −∂² log-likelihood: one row of the lower triangle. */
type Hessian<T> = { readonly [row: `hessian.${number}`]: T };

type Types = {
  params: z.output<typeof parameters>;
  prior: DesignBasis;
  state: LogisticState;
  result: LogisticResult;
  blocks: { readonly rows: Count; readonly logLikelihood: Sum } & Gradient<Sum> & Hessian<Sum>;
};

/** A study's design with what the bank's steps need beside it. */
interface Setting {
  readonly design: Design;
  readonly params: Types["params"];
}

const settingOf = ({ schema, params, prior }: Study<Types>): Setting => ({
  design: designFrom(schema, prior),
  params,
});

/**
 * Maximum likelihood by Newton's method (iteratively reweighted least squares) on the pooled rows: gradient,
 * Hessian and log-likelihood are sums over rows, so that federated and pooled take the same steps.
 * @see McCullagh and Nelder 1989, Generalized Linear Models, 2.5
 * @see Friedman, Hastie and Tibshirani 2010, doi:10.18637/jss.v033.i01, for the penalized objective
 */
export const logistic = defineAlgorithm<Types>({
  name: "logistic",
  parameters,
  result,
  needs: designNeeds,
  maxSteps: ({ maxIterations }) => maxIterations,

  start(study) {
    const weights = new Array<number>(settingOf(study).design.columns.length + 1).fill(0);
    return { next: { weights, from: null, aliased: [], steady: 0, halvings: 0, iterations: 0, sums: 0 } };
  },

  state(study) {
    const weights = z.array(z.number()).length(settingOf(study).design.columns.length + 1);
    const steps = z.int().min(0).max(study.params.maxIterations);
    return z.strictObject({
      weights,
      from: z.strictObject({ weights, objective: z.number(), rows: z.int().min(0) }).nullable(),
      aliased: z.array(z.int().min(1)).max(settingOf(study).design.columns.length),
      steady: steps,
      halvings: z.int().min(0).max(maxHalvings),
      iterations: steps,
      sums: steps,
    });
  },

  blocks(state, study) {
    const rows = study.schema.maxRowsPerParty;
    const reach = reachOf(settingOf(study).design);
    const gradient: Gradient<Sum> = numbered("gradient", reach, (b) => fine(1, rows * b));
    // One block per row of the triangle keeps the header small; its largest product bounds them all.
    const hessian: Hessian<Sum> = numbered("hessian", reach, (b, i) =>
      fine(i + 1, rows * 0.25 * b * Math.max(...reach.slice(0, i + 1))),
    );
    const logLikelihood = fine(1, rows * mostLogLikelihood(state, reach));
    return { rows: count(1), logLikelihood, ...gradient, ...hessian };
  },

  contribute(state, party, study) {
    const { training } = party;
    const matrix = trainingMatrix(settingOf(study).design, study.schema, party);
    const at = sumsAt(Float64Array.from(state.weights), matrix, training.label);
    const gradient: Gradient<number[]> = numbered("gradient", at.gradient, (x) => [x]);
    const hessian: Hessian<Float64Array> = numbered("hessian", at.gradient, (_, i) =>
      at.triangle.subarray((i * (i + 1)) / 2, ((i + 1) * (i + 2)) / 2),
    );
    return { rows: [training.rows], logLikelihood: [at.logLikelihood], ...gradient, ...hessian };
  },

  advance(state, sums, study) {
    const n = state.weights.length;
    const hessian = new Float64Array(n * n);
    for (let i = 0; i < n; i++) hessian.set(sums[`hessian.${i}`]!, i * n);
    const gradient = Float64Array.from(state.weights, (_, i) => sums[`gradient.${i}`]![0]!);
    const at = { rows: sums.rows[0]!, logLikelihood: sums.logLikelihood[0]!, gradient, hessian };
    const setting = settingOf(study);
    const aliased = aliasedBy(state, at, setting);
    return step({ ...state, aliased, sums: state.sums + 1 }, without(aliased, at), setting);
  },

  sensitivity(state, study) {
    const reach = reachOf(settingOf(study).design);
    // A residual is below 1, a curvature at most 1/4.
    const gradient: Gradient<number> = numbered("gradient", reach, (b) => b);
    const hessian: Hessian<number> = numbered(
      "hessian",
      reach,
      (b, i) => 0.25 * b * Math.hypot(...reach.slice(0, i + 1)),
    );
    return { rows: 1, logLikelihood: mostLogLikelihood(state, reach), ...gradient, ...hessian };
  },

  score(model, rows) {
    const { columns } = model.design;
    const matrix = designMatrix(model.design, rows);
    const slopes = slopesOf(model);
    const start = columns.reduce(
      (sum, { name, mean }) => sum + model.coefficients[name]! * mean,
      model.intercept,
    );
    return Float64Array.from({ length: rows.rows }, (_, row) => {
      let logOdds = start;
      for (let j = 0; j < columns.length; j++) logOdds += slopes[j]! * matrix[row * columns.length + j]!;
      return probabilityOf(logOdds);
    });
  },

  explain(model, rows) {
    const { columns, features } = model.design;
    const matrix = designMatrix(model.design, rows);
    const slopes = slopesOf(model);
    return Array.from({ length: rows.rows }, (_, row) =>
      features.map(({ name: feature }) => ({
        feature,
        effect: columns.reduce(
          (sum, column, j) =>
            column.feature === feature ? sum + slopes[j]! * matrix[row * columns.length + j]! : sum,
          0,
        ),
      })),
    );
  },
});

/** @returns what one standard deviation of each column adds: where a value is unknown its column adds nothing. */
const slopesOf = ({ coefficients, design }: LogisticResult): number[] =>
  design.columns.map(({ name, scale }) => coefficients[name]! * scale);

const numbered = <From, To>(
  name: string,
  values: Iterable<From>,
  make: (value: From, i: number) => To,
): { [key: string]: To } =>
  Object.fromEntries(Array.from(values, (value, i) => [`${name}.${i}`, make(value, i)] as const));

/** @returns the largest magnitude of each entry of a row, intercept first. */
const reachOf = ({ columns }: Design): number[] => [1, ...columns.map((column) => column.bound)];

/** @returns the largest magnitude of one row's log-likelihood: that of its log-odds and ln 2. */
const mostLogLikelihood = ({ weights }: LogisticState, reach: readonly number[]): number =>
  weights.reduce((sum, w, j) => sum + Math.abs(w) * reach[j]!, 1);

/** A block on a grid of 2⁻⁶⁰ of its bound. */
function fine(length: number, bound: number): Sum {
  const exponent = exponentAbove(bound * (1 + 1e-9));
  return sum(length, powerOfTwo(exponent), powerOfTwo(exponent - 60));
}

/**
 * @returns the places of missing-indicators that follow from columns before them in these rows: values are often
 *   missing together. Any other dependence is refused: the study's author has to decide what it means.
 */
function aliasedBy(
  { weights, from, aliased }: LogisticState,
  at: LogisticSums,
  { design }: Setting,
): readonly number[] {
  // Of the same rows the dependences are known; near separation they could no longer be told from vanishing weights.
  if (from !== null && from.rows === at.rows) return aliased;
  const found = [...aliased];
  for (;;) {
    const factored = cholesky(without(found, at).hessian, weights.length, collinearBelow);
    if (factored.kind === "factor" || design.columns[factored.column - 1]?.kind !== "missing") return found;
    found.push(factored.column);
  }
}

/** @returns sums in which the columns at these places have no part: every step leaves them where they are. */
function without(places: readonly number[], at: LogisticSums): LogisticSums {
  if (places.length === 0) return at;
  const n = at.gradient.length;
  const hessian = at.hessian.slice();
  const gradient = at.gradient.slice();
  for (const place of places) {
    gradient[place] = 0;
    for (let i = 0; i < n; i++) {
      hessian[place * n + i] = 0;
      hessian[i * n + place] = 0;
    }
    hessian[place * n + place] = 1;
  }
  return { ...at, hessian, gradient };
}

/** @throws Refusal column_collinear | separation | not_converged */
function step(
  state: LogisticState,
  at: LogisticSums,
  setting: Setting,
): Outcome<LogisticState, LogisticResult> {
  const { maxIterations } = setting.params;
  const objective = objectiveAt(state, at, setting);
  // Of other rows than the last sum's, only the likelihood at zero is known: every row's odds are even there.
  const sameCohort = state.from === null || state.from.rows === at.rows;
  const floor = sameCohort ? (state.from?.objective ?? -Infinity) : -at.rows * Math.LN2;
  if (state.from !== null && objective < floor - likelihoodGrid * Math.abs(floor))
    return { next: halve(state, state.from, maxIterations) };
  const weights = Float64Array.from(state.weights);
  const step = newtonStep(state, at, weights, setting);
  const largest = step.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
  const moved = {
    ...state,
    weights: Array.from(weights, (w, j) => w + step[j]!),
    from: { weights: state.weights, objective, rows: at.rows },
    steady: sameCohort ? state.steady + 1 : 1,
    halvings: 0,
    iterations: state.iterations + 1,
  };
  if (largest <= convergedBelow) return { done: resultOf(moved, at, setting, true) };
  if (moved.steady < moved.iterations && moved.sums >= maxIterations)
    return { done: resultOf(moved, at, setting, false) };
  refuseDivergence(moved, step, at, setting);
  return { next: moved };
}

/** @returns log-likelihood − rows · penalty · ((1 − l1Ratio)/2 · ‖w‖² + l1Ratio · ‖w‖₁), intercept left out. */
function objectiveAt(
  state: LogisticState,
  { rows, logLikelihood }: LogisticSums,
  { params: { penalty, l1Ratio } }: Setting,
): number {
  let cost = 0;
  for (const w of state.weights.slice(1)) cost += ((1 - l1Ratio) / 2) * w * w + l1Ratio * Math.abs(w);
  return logLikelihood - rows * penalty * cost;
}

function halve(
  state: LogisticState,
  from: NonNullable<LogisticState["from"]>,
  maxIterations: number,
): LogisticState {
  if (state.halvings >= maxHalvings)
    throw new Refusal("not_converged", "the log-likelihood rises in no direction that Newton's method finds");
  if (state.sums >= maxIterations) throw notConverged(state.sums);
  const weights = state.weights.map((w, j) => (w + from.weights[j]!) / 2);
  return { ...state, weights, halvings: state.halvings + 1 };
}

/** @throws Refusal column_collinear | separation */
function newtonStep(
  state: LogisticState,
  at: LogisticSums,
  weights: Float64Array,
  { design, params: { penalty, l1Ratio } }: Setting,
): Float64Array {
  const n = weights.length;
  if (penalty === 0) return solveCholesky(factorOf(state, at, design), at.gradient);
  const ridge = at.rows * penalty * (1 - l1Ratio);
  const lasso = at.rows * penalty * l1Ratio;
  const hessian = at.hessian.slice();
  const gradient = at.gradient.slice();
  for (let j = 1; j < n; j++) {
    hessian[j * n + j]! += ridge;
    gradient[j]! -= ridge * weights[j]!;
  }
  return lasso === 0
    ? solveCholesky(factorOf(state, { ...at, hessian }, design), gradient)
    : lassoStep(hessian, gradient, weights, lasso);
}

/** Coordinate descent on the quadratic model of the likelihood plus the lasso's |w|. */
function lassoStep(
  hessian: Float64Array,
  gradient: Float64Array,
  weights: Float64Array,
  lasso: number,
): Float64Array {
  const n = weights.length;
  const entry = (i: number, j: number) => hessian[i >= j ? i * n + j : j * n + i]!;
  const step = new Float64Array(n);
  for (let sweep = 0; sweep < 10_000; sweep++) {
    let largest = 0;
    for (let j = 0; j < n; j++) {
      let slope = gradient[j]!;
      for (let i = 0; i < n; i++) if (i !== j) slope -= entry(i, j) * step[i]!;
      const target = slope + entry(j, j) * weights[j]!;
      const shrunk = j === 0 ? target : Math.sign(target) * Math.max(0, Math.abs(target) - lasso);
      const change = shrunk / entry(j, j) - weights[j]! - step[j]!;
      step[j]! += change;
      largest = Math.max(largest, Math.abs(change));
    }
    if (largest <= 1e-13) break;
  }
  return step;
}

function factorOf(
  state: LogisticState,
  { hessian }: LogisticSums,
  { columns }: Design,
): Extract<Cholesky, { kind: "factor" }> {
  const factored = cholesky(hessian, state.weights.length, collinearBelow);
  if (factored.kind === "factor") return factored;
  // At the start every row weighs the same: only the data can make the columns dependent.
  if (state.from !== null) throw separated(columns[Math.max(0, factored.column - 1)]!.name);
  const column = columns[factored.column - 1]!.name;
  const others = columns
    .slice(0, factored.column - 1)
    .filter((_, j) => Math.abs(factored.weights[j + 1]!) > 1e-6)
    .map(({ name }) => name);
  throw new Refusal("column_collinear", `column ${column} follows from ${others.join(", ")}`);
}

/**
 * Under separation the likelihood levels off while a coefficient still moves by about one log-odds a step.
 * @throws Refusal separation | not_converged
 * @see Albert and Anderson 1984, doi:10.1093/biomet/71.1.1
 */
function refuseDivergence(
  state: LogisticState,
  step: Float64Array,
  at: LogisticSums,
  { design, params }: Setting,
): void {
  // By how much a column moves a row's log-odds: of a value, one standard deviation; of an indicator, from 0 to 1.
  const reach = design.columns.map(
    ({ kind, scale }, j) => Math.abs(step[j + 1]!) / (kind === "value" ? 1 : scale),
  );
  const widest = reach.reduce((best, x, j) => (x > reach[best]! ? j : best), 0);
  const gain = dot(step, at.gradient);
  const largest = step.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
  if (params.penalty === 0 && gain < 1e-3 && largest > 0.05 && state.steady >= 8)
    throw separated(design.columns[widest]!.name);
  if (state.sums >= params.maxIterations) throw notConverged(state.sums);
}

const notConverged = (sums: number) => new Refusal("not_converged", `no convergence in ${sums} sums`);

const separated = (column: string) =>
  new Refusal("separation", `column ${column} separates the classes: its coefficient grows without bound`);

function resultOf(
  state: LogisticState,
  at: LogisticSums,
  { design, params }: Setting,
  converged: boolean,
): LogisticResult {
  const { columns } = design;
  const [intercept, ...slopes] = state.weights as [number, ...number[]];
  // In own units b = T·w: b_j = w_j / scale_j, b_0 = w_0 − Σ w_j · mean_j / scale_j.
  const shifts = columns.map(({ mean, scale }) => -mean / scale);
  const named = (values: readonly number[]) =>
    Object.fromEntries(columns.map(({ name }, j) => [name, values[j]!]));
  const coefficients = slopes.map((w, j) => w / columns[j]!.scale);
  const own = intercept + slopes.reduce((sum, w, j) => sum + w * shifts[j]!, 0);
  const imputed = columns
    .filter(({ kind, feature }) => kind === "missing" && columns.some(({ name }) => name === feature))
    .map(({ feature }) => [feature, columns.find(({ name }) => name === feature)!.mean] as const);
  const result = {
    intercept: own,
    coefficients: named(coefficients),
    logLikelihood: at.logLikelihood,
    iterations: state.iterations,
    converged,
    imputed: Object.fromEntries(imputed),
    rows: at.rows,
    design,
    ...(state.aliased.length === 0
      ? {}
      : { aliased: state.aliased.map((place) => columns[place - 1]!.name).sort() }),
  };
  if (params.penalty > 0) return result;
  const errors = standardErrors(state, at, design, shifts);
  const zs = [own, ...coefficients].map((b, j) => b / errors[j]!);
  const withIntercept = (values: readonly number[]) => ({
    intercept: values[0]!,
    ...Object.fromEntries(
      columns.flatMap(({ name }, j) => (state.aliased.includes(j + 1) ? [] : [[name, values[j + 1]!]])),
    ),
  });
  return {
    ...result,
    standardErrors: withIntercept(errors),
    z: withIntercept(zs),
    p: withIntercept(zs.map((x) => agreed(2 * normalTail(Math.abs(x))))),
  };
}

/** @returns √diag(T · H⁻¹ · Tᵀ), intercept first. */
function standardErrors(
  state: LogisticState,
  at: LogisticSums,
  design: Design,
  shifts: readonly number[],
): number[] {
  const n = state.weights.length;
  const covariance = invertCholesky(factorOf(state, at, design));
  const first = [1, ...shifts];
  let variance = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) variance += first[i]! * first[j]! * covariance[i * n + j]!;
  const slopes = design.columns.map(({ scale }, j) => Math.sqrt(covariance[(j + 1) * n + j + 1]!) / scale);
  return [Math.sqrt(variance), ...slopes];
}
