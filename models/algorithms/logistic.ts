import { z } from "zod";
import { Refusal } from "../../core/reasons.ts";
import type { FederatedAlgorithm } from "../algorithm.ts";
import { type Cholesky, cholesky, dot, invertCholesky, solveCholesky } from "../numerics/linear-algebra.ts";
import { type Sums, sumsAt, unpack } from "../numerics/logistic-sums.ts";
import { normalTail } from "../numerics/normal.ts";
import { parseParameters } from "../parameters.ts";
import { type Design, designFrom, trainingMatrix } from "./standardize.ts";

const parameters = z.strictObject({
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
  maxIterations: z.int().min(1).max(200).default(40).describe("Newton steps before giving up"),
});

/** Largest change of a standardized coefficient in the last Newton step. The error left is its square. */
const convergedBelow = 1e-9;
/** A column explained by others to this share of its variance is collinear. */
const collinearBelow = 1e-10;
const maxHalvings = 20;

/** Coefficients in the data's own units: what one more of a column's unit adds to the log-odds of bad. */
export type LogisticResult = {
  readonly model: "logistic";
  readonly intercept: number;
  readonly coefficients: { readonly [column: string]: number };
  /** Absent under a penalty, where the estimate is biased on purpose; `intercept` is under that name. */
  readonly standardErrors?: { readonly [column: string]: number };
  readonly z?: { readonly [column: string]: number };
  /** Two-sided. */
  readonly p?: { readonly [column: string]: number };
  readonly logLikelihood: number;
  /** Newton steps taken. */
  readonly iterations: number;
  /**
   * False where parties kept coming and going, so that every sum was of other rows and no step was the last:
   * the estimate is then as far from maximum likelihood as the cohorts are from each other.
   */
  readonly converged: boolean;
  /** What a missing value stands at, where any is missing. */
  readonly imputed: { readonly [feature: string]: number };
  readonly rows: number;
  readonly design: Design;
};

type LogisticState = {
  readonly design: Design;
  readonly penalty: number;
  readonly l1Ratio: number;
  readonly maxIterations: number;
  /** Standardized, intercept first: where the next sums are taken. */
  readonly weights: readonly number[];
  /** The last accepted point, its objective, and the step that led from it to `weights`. */
  readonly from: {
    readonly weights: readonly number[];
    readonly objective: number;
    readonly rows: number;
  } | null;
  /** Newton steps since the cohort last changed. */
  readonly steady: number;
  readonly halvings: number;
  readonly iterations: number;
  readonly result: LogisticResult | null;
};

/**
 * Maximum likelihood by Newton's method (iteratively reweighted least squares) on the pooled rows: gradient,
 * Hessian and log-likelihood are sums over rows, so that federated and pooled take the same steps.
 * @see McCullagh and Nelder 1989, Generalized Linear Models, 2.5
 * @see Friedman, Hastie and Tibshirani 2010, doi:10.18637/jss.v033.i01, for the penalized objective
 */
export const logistic: FederatedAlgorithm<LogisticState, LogisticResult> = {
  name: "logistic",
  parameters,
  needs: [["range"], ["summary"]],
  rows: "training",

  start(schema, params, prior) {
    const parsed = parseParameters("logistic", parameters, params);
    const design = designFrom(schema, prior, "logistic");
    const weights = new Array<number>(design.columns.length + 1).fill(0);
    return {
      design,
      ...parsed,
      weights,
      from: null,
      steady: 0,
      halvings: 0,
      iterations: 0,
      result: null,
    };
  },

  layout(state) {
    const rows = state.design.maxRowsPerParty;
    const reach = [1, ...state.design.columns.map((column) => column.bound)];
    const logOdds = state.weights.reduce((sum, w, j) => sum + Math.abs(w) * reach[j]!, 0);
    const blocks = [fine("rows", rows, 1), fine("logLikelihood", rows * (logOdds + 1), 1)];
    for (const [i, b] of reach.entries()) blocks.push(fine(`gradient.${i}`, rows * b, 1));
    // One block per row of the triangle keeps the header small; its largest product bounds them all.
    for (const [i, b] of reach.entries()) {
      const widest = Math.max(...reach.slice(0, i + 1));
      blocks.push(fine(`hessian.${i}`, rows * 0.25 * b * widest, i + 1));
    }
    return { blocks };
  },

  contribute(state, table) {
    const matrix = trainingMatrix(state.design, table);
    return sumsAt(Float64Array.from(state.weights), matrix, table.label);
  },

  advance(state, sum) {
    const at = unpack(sum, state.weights.length);
    const objective = objectiveAt(state, at);
    // Of other rows than the last sum's, only the likelihood at zero is known: every row's odds are even there.
    const sameCohort = state.from === null || state.from.rows === at.rows;
    const floor = sameCohort ? (state.from?.objective ?? -Infinity) : -at.rows * Math.LN2;
    if (state.from !== null && objective < floor - 1e-12 * Math.abs(floor)) return halve(state, state.from);
    const weights = Float64Array.from(state.weights);
    const step = newtonStep(state, at, weights);
    const largest = step.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
    const next = Array.from(weights, (w, j) => w + step[j]!);
    const iterations = state.iterations + 1;
    const moved = {
      ...state,
      weights: next,
      from: { weights: state.weights, objective, rows: at.rows },
      steady: sameCohort ? state.steady + 1 : 1,
      halvings: 0,
      iterations,
    };
    if (largest <= convergedBelow) return { ...moved, result: resultOf(moved, at, true) };
    if (moved.steady < iterations && iterations >= state.maxIterations)
      return { ...moved, result: resultOf(moved, at, false) };
    refuseDivergence(moved, step, at);
    return moved;
  },

  result: (state) => state.result ?? undefined,
};

/** A block on a grid of 2⁻⁶⁰ of its bound. */
function fine(name: string, bound: number, length: number) {
  const exponent = Math.ceil(Math.log2(bound * (1 + 1e-9)));
  return { name, length, bound: 2 ** exponent, step: 2 ** (exponent - 60) };
}

/** @returns log-likelihood − rows · penalty · ((1 − l1Ratio)/2 · ‖w‖² + l1Ratio · ‖w‖₁), intercept left out. */
function objectiveAt(state: LogisticState, { rows, logLikelihood }: Sums): number {
  const { penalty, l1Ratio } = state;
  let cost = 0;
  for (const w of state.weights.slice(1)) cost += ((1 - l1Ratio) / 2) * w * w + l1Ratio * Math.abs(w);
  return logLikelihood - rows * penalty * cost;
}

function halve(state: LogisticState, from: NonNullable<LogisticState["from"]>): LogisticState {
  if (state.halvings >= maxHalvings)
    throw new Refusal("not_converged", "the log-likelihood rises in no direction that Newton's method finds");
  const weights = state.weights.map((w, j) => (w + from.weights[j]!) / 2);
  return { ...state, weights, halvings: state.halvings + 1 };
}

/** @throws Refusal column_collinear | separation */
function newtonStep(state: LogisticState, at: Sums, weights: Float64Array): Float64Array {
  const n = weights.length;
  if (state.penalty === 0) return solveCholesky(factorOf(state, at), at.gradient);
  const ridge = at.rows * state.penalty * (1 - state.l1Ratio);
  const lasso = at.rows * state.penalty * state.l1Ratio;
  const hessian = at.hessian.slice();
  const gradient = at.gradient.slice();
  for (let j = 1; j < n; j++) {
    hessian[j * n + j]! += ridge;
    gradient[j]! -= ridge * weights[j]!;
  }
  return lasso === 0
    ? solveCholesky(factorOf(state, { ...at, hessian }), gradient)
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

function factorOf(state: LogisticState, { hessian }: Sums): Extract<Cholesky, { kind: "factor" }> {
  const factored = cholesky(hessian, state.weights.length, collinearBelow);
  if (factored.kind === "factor") return factored;
  const { columns } = state.design;
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
function refuseDivergence(state: LogisticState, step: Float64Array, at: Sums): void {
  // By how much a column moves a row's log-odds: of a value, one standard deviation; of an indicator, from 0 to 1.
  const reach = state.design.columns.map(
    ({ kind, scale }, j) => Math.abs(step[j + 1]!) / (kind === "value" ? 1 : scale),
  );
  const widest = reach.reduce((best, x, j) => (x > reach[best]! ? j : best), 0);
  const gain = dot(step, at.gradient);
  const largest = step.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
  if (state.penalty === 0 && gain < 1e-3 && largest > 0.05 && state.steady >= 8)
    throw separated(state.design.columns[widest]!.name);
  if (state.iterations >= state.maxIterations)
    throw new Refusal("not_converged", `no convergence in ${state.iterations} Newton steps`);
}

const separated = (column: string) =>
  new Refusal("separation", `column ${column} separates the classes: its coefficient grows without bound`);

function resultOf(state: LogisticState, at: Sums, converged: boolean): LogisticResult {
  const { columns } = state.design;
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
    model: "logistic" as const,
    intercept: own,
    coefficients: named(coefficients),
    logLikelihood: at.logLikelihood,
    iterations: state.iterations,
    converged,
    imputed: Object.fromEntries(imputed),
    rows: at.rows,
    design: state.design,
  };
  if (state.penalty > 0) return result;
  const errors = standardErrors(state, at, shifts);
  const zs = [own, ...coefficients].map((b, j) => b / errors[j]!);
  const withIntercept = (values: readonly number[]) => ({ intercept: values[0]!, ...named(values.slice(1)) });
  return {
    ...result,
    standardErrors: withIntercept(errors),
    z: withIntercept(zs),
    p: withIntercept(zs.map((x) => 2 * normalTail(Math.abs(x)))),
  };
}

/** @returns √diag(T · H⁻¹ · Tᵀ), intercept first. */
function standardErrors(state: LogisticState, at: Sums, shifts: readonly number[]): number[] {
  const n = state.weights.length;
  const covariance = invertCholesky(factorOf(state, at));
  const first = [1, ...shifts];
  let variance = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) variance += first[i]! * first[j]! * covariance[i * n + j]!;
  const slopes = state.design.columns.map(
    ({ scale }, j) => Math.sqrt(covariance[(j + 1) * n + j + 1]!) / scale,
  );
  return [Math.sqrt(variance), ...slopes];
}
