import { z } from "zod";
import { normalTail } from "../core/normal.ts";
import { Refusal } from "../core/reasons.ts";
import type { Outcome } from "./algorithm.ts";
import { type Contribution, type Count, count, type Sum, type Sums, sum } from "./blocks.ts";
import { type Cholesky, cholesky, dependences, dot, solveCholesky } from "./numerics/linear-algebra.ts";
import { type LabelledRows, type LogisticSums, sumsAt } from "./numerics/logistic-sums.ts";
import { exponentAbove, powerOfTwo } from "./numerics/powers-of-two.ts";
import { agreed } from "./numerics/rounding.ts";

/** Parameters of every algorithm that fits log-odds by Newton's method. */
export const newtonParameters = {
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
};

/** Largest change of a standardized coefficient in the last Newton step. The error left is its square. */
const convergedBelow = 1e-9;
/** A column explained by others to this share of its variance is collinear. */
const collinearBelow = 1e-10;
const maxHalvings = 20;
/** By this share of itself the likelihood may seem to fall: what a state's grid rounds away. */
const likelihoodGrid = 1e-11;

export type NewtonState = {
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

export type NewtonBlocks = { readonly rows: Count; readonly logLikelihood: Sum } & Gradient<Sum> &
  Hessian<Sum>;

/** One column of the matrix that log-odds are linear in. */
export interface NewtonColumn {
  readonly name: string;
  /** Of the table: an indicator's feature has one or more. */
  readonly feature: string;
  readonly kind: "value" | "missing" | "level";
  /** Where an entry of 0 stands in the column's own units, and how much of them 1 is. */
  readonly mean: number;
  readonly scale: number;
  /** Public bound on the magnitude of an entry. */
  readonly bound: number;
}

/** What is fitted, and how. */
export interface NewtonSetting {
  readonly columns: readonly NewtonColumn[];
  /** Of two classes: what rows of a feature are called that none of its indicators names. */
  readonly otherwise?: (feature: string) => string;
  readonly params: {
    readonly penalty: number;
    readonly l1Ratio: number;
    readonly maxIterations: number;
  };
  /** Of the label; two where absent. The weights are then of one outcome after the other, each with its intercept first. */
  readonly outcomeCount?: number;
}

/** The end of the way: the last sums, and where they were taken. */
export interface NewtonFit {
  readonly state: NewtonState;
  readonly at: LogisticSums;
  readonly converged: boolean;
}

export const newtonStart = ({ columns }: NewtonSetting): NewtonState => ({
  weights: new Array<number>(columns.length + 1).fill(0),
  from: null,
  aliased: [],
  steady: 0,
  halvings: 0,
  iterations: 0,
  sums: 0,
});

export function newtonState({ columns, params }: NewtonSetting): z.ZodType<NewtonState> {
  const weights = z.array(z.number()).length(columns.length + 1);
  const steps = z.int().min(0).max(params.maxIterations);
  return z.strictObject({
    weights,
    from: z.strictObject({ weights, objective: z.number(), rows: z.int().min(0) }).nullable(),
    aliased: z.array(z.int().min(1)).max(columns.length),
    steady: steps,
    halvings: z.int().min(0).max(maxHalvings),
    iterations: steps,
    sums: steps,
  });
}

/** @param rows - of one party, at most. */
export function newtonBlocks(state: NewtonState, setting: NewtonSetting, rows: number): NewtonBlocks {
  const { columns } = setting;
  const reach = reachOf(columns);
  const gradient: Gradient<Sum> = numbered("gradient", reach, (b) => fine(1, rows * b));
  // One block per row of the triangle keeps the header small; its largest product bounds them all.
  let most = 0;
  const hessian: Hessian<Sum> = numbered("hessian", reach, (b, i) => {
    most = Math.max(most, b);
    return fine(i + 1, rows * 0.25 * b * most);
  });
  const logLikelihood = fine(1, rows * mostLogLikelihood(state, reach, setting));
  return { rows: count(1), logLikelihood, ...gradient, ...hessian };
}

/** @param rows - in all parts together. */
export function newtonContribution(
  state: NewtonState,
  parts: Iterable<LabelledRows>,
  rows: number,
): Contribution<NewtonBlocks> {
  return newtonEntries(sumsAt(Float64Array.from(state.weights), parts), rows);
}

/** @param at - gradient, and the Hessian by rows of its lower triangle. */
export function newtonEntries(
  at: Pick<LogisticSums, "logLikelihood" | "gradient"> & { readonly triangle: Float64Array },
  rows: number,
): Contribution<NewtonBlocks> {
  const gradient: Gradient<number[]> = numbered("gradient", at.gradient, (x) => [x]);
  const hessian: Hessian<Float64Array> = numbered("hessian", at.gradient, (_, i) =>
    at.triangle.subarray((i * (i + 1)) / 2, ((i + 1) * (i + 2)) / 2),
  );
  return { rows: [rows], logLikelihood: [at.logLikelihood], ...gradient, ...hessian };
}

/** One step of Newton's method on the log-likelihood. @throws Refusal column_collinear | separation | not_converged */
export function newtonAdvance(
  state: NewtonState,
  sums: Sums<NewtonBlocks>,
  setting: NewtonSetting,
): Outcome<NewtonState, NewtonFit> {
  const n = state.weights.length;
  const hessian = new Float64Array(n * n);
  for (let i = 0; i < n; i++) hessian.set(sums[`hessian.${i}`]!, i * n);
  const gradient = Float64Array.from(state.weights, (_, i) => sums[`gradient.${i}`]![0]!);
  const at = { rows: sums.rows[0]!, logLikelihood: sums.logLikelihood[0]!, gradient, hessian };
  const known = withAliased(state, at, setting);
  if (state.from === null && setting.params.penalty === 0) refuseOneClass(at, setting);
  return step({ ...known, sums: state.sums + 1 }, without(known.aliased, at), setting);
}

export function newtonSensitivity(state: NewtonState, setting: NewtonSetting) {
  const { columns } = setting;
  const reach = reachOf(columns);
  // A residual is below 1, a curvature at most 1/4.
  const gradient: Gradient<number> = numbered("gradient", reach, (b) => b);
  const hessian: Hessian<number> = numbered(
    "hessian",
    reach,
    (b, i) => 0.25 * b * Math.hypot(...reach.slice(0, i + 1)),
  );
  return { rows: 1, logLikelihood: mostLogLikelihood(state, reach, setting), ...gradient, ...hessian };
}

const numbered = <From, To>(
  name: string,
  values: Iterable<From>,
  make: (value: From, i: number) => To,
): { [key: string]: To } =>
  Object.fromEntries(Array.from(values, (value, i) => [`${name}.${i}`, make(value, i)] as const));

/** @returns the largest magnitude of each entry of a row, intercept first. */
const reachOf = (columns: readonly NewtonColumn[]): number[] => [1, ...columns.map((column) => column.bound)];

/** @returns the largest magnitude of one row's log-likelihood: that of its log-odds and ln(outcomes). */
const mostLogLikelihood = (
  { weights }: NewtonState,
  reach: readonly number[],
  { outcomeCount = 2 }: NewtonSetting,
): number => weights.reduce((sum, w, j) => sum + Math.abs(w) * reach[j]!, outcomeCount - 1);

/** A block on a grid of 2⁻⁶⁰ of its bound. */
function fine(length: number, bound: number): Sum {
  const exponent = exponentAbove(bound * (1 + 1e-9));
  return sum(length, powerOfTwo(exponent), powerOfTwo(exponent - 60));
}

/**
 * Columns that follow from columns before them are left out, as R's `glm` does. What one of them had added already is
 * given to those that it follows from, so that no row's odds change. Under a penalty every column has its coefficient.
 */
function withAliased(state: NewtonState, at: LogisticSums, { params }: NewtonSetting): NewtonState {
  const { from, weights } = state;
  // Of the same rows the dependences are known; near separation they could no longer be told from vanishing weights.
  if (params.penalty > 0 || (from !== null && from.rows === at.rows)) return state;
  const moved = [...weights];
  const found = dependences(without(state.aliased, at).hessian, weights.length, collinearBelow);
  for (const { column, weights: parts } of found) {
    for (let k = 0; k < column; k++) moved[k]! += parts[k]! * moved[column]!;
    moved[column] = 0;
  }
  return { ...state, weights: moved, aliased: [...state.aliased, ...found.map(({ column }) => column)] };
}

/**
 * Rows that an indicator names, or that none of its feature names, and that are all good or all bad: the likelihood
 * rises without end. All of them are named, since whoever merges levels or leaves columns out has to know.
 * @param at - where all weights are 0, so that a residual is the label less a half.
 * @throws Refusal separation
 */
function refuseOneClass(at: LogisticSums, { columns, otherwise }: NewtonSetting): void {
  if (otherwise === undefined) return;
  const n = columns.length + 1;
  const allBad = at.gradient[0]! + at.rows / 2;
  const rest = new Map<string, { rows: number; bad: number }>();
  const oneClass: string[] = [];
  for (const [j, { name, feature, kind, mean, scale }] of columns.entries()) {
    if (kind === "value") continue;
    const rows = Math.round(4 * scale * at.hessian[(j + 1) * n]! + mean * at.rows);
    const bad = Math.round(scale * at.gradient[j + 1]! + mean * at.gradient[0]! + rows / 2);
    const left = rest.get(feature) ?? { rows: at.rows, bad: Math.round(allBad) };
    rest.set(feature, { rows: left.rows - rows, bad: left.bad - bad });
    if (rows > 0 && (bad <= 0 || bad >= rows)) oneClass.push(name);
  }
  for (const [feature, { rows, bad }] of rest)
    if (rows > 0 && (bad <= 0 || bad >= rows)) oneClass.push(otherwise(feature));
  if (oneClass.length > 0) throw separated(oneClass);
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
function step(state: NewtonState, at: LogisticSums, setting: NewtonSetting): Outcome<NewtonState, NewtonFit> {
  const { maxIterations } = setting.params;
  const objective = objectiveAt(state, at, setting);
  // Of other rows than the last sum's, only the likelihood at zero is known: every row's odds are even there.
  const sameCohort = state.from === null || state.from.rows === at.rows;
  const floor = sameCohort
    ? (state.from?.objective ?? -Infinity)
    : -at.rows * Math.log(setting.outcomeCount ?? 2);
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
  if (largest <= convergedBelow) return { done: { state: moved, at, converged: true } };
  if (moved.steady < moved.iterations && moved.sums >= maxIterations)
    return { done: { state: moved, at, converged: false } };
  refuseDivergence(moved, step, at, setting);
  return { next: moved };
}

/** @returns log-likelihood − rows · penalty · ((1 − l1Ratio)/2 · wᵀPw + l1Ratio · ‖w‖₁), intercept left out. */
function objectiveAt(
  { weights }: NewtonState,
  { rows, logLikelihood }: LogisticSums,
  setting: NewtonSetting,
): number {
  const { penalty, l1Ratio } = setting.params;
  if (penalty === 0) return logLikelihood;
  const slope = ridgeSlope(weights, setting);
  const cost = weights.reduce(
    (sum, w, j) => sum + ((1 - l1Ratio) / 2) * w * slope[j]! + (j === 0 ? 0 : l1Ratio * Math.abs(w)),
    0,
  );
  return logLikelihood - rows * penalty * cost;
}

/**
 * The ridge's matrix P: of two outcomes 1 for every weight but the intercept. Of several, weights stand for how far an
 * outcome is from the base, and the penalty is on how far each, the base among them, is from the mean of all: so that it
 * is the same whichever outcome is the base.
 */
function ridgeEntry(i: number, j: number, n: number, { outcomeCount }: NewtonSetting): number {
  if (outcomeCount === undefined) return i === j && i > 0 ? 1 : 0;
  const each = n / (outcomeCount - 1);
  if (i % each === 0 || i % each !== j % each) return 0;
  return (i === j ? 1 : 0) - 1 / outcomeCount;
}

/** @returns P · w. */
function ridgeSlope(weights: ArrayLike<number>, setting: NewtonSetting): Float64Array {
  const all = Array.from(weights);
  return Float64Array.from(all, (_, i) =>
    all.reduce((sum, w, j) => sum + ridgeEntry(i, j, all.length, setting) * w, 0),
  );
}

function halve(
  state: NewtonState,
  from: NonNullable<NewtonState["from"]>,
  maxIterations: number,
): NewtonState {
  if (state.halvings >= maxHalvings)
    throw new Refusal("not_converged", "the log-likelihood rises in no direction that Newton's method finds");
  if (state.sums >= maxIterations) throw notConverged(state.sums);
  const weights = state.weights.map((w, j) => (w + from.weights[j]!) / 2);
  return { ...state, weights, halvings: state.halvings + 1 };
}

/** @throws Refusal column_collinear | separation */
function newtonStep(
  state: NewtonState,
  at: LogisticSums,
  weights: Float64Array,
  setting: NewtonSetting,
): Float64Array {
  const n = weights.length;
  const { columns } = setting;
  const { penalty, l1Ratio } = setting.params;
  if (penalty === 0) return solveCholesky(factorOf(state, at, columns), at.gradient);
  const ridge = at.rows * penalty * (1 - l1Ratio);
  const lasso = at.rows * penalty * l1Ratio;
  const hessian = at.hessian.slice();
  const gradient = at.gradient.slice();
  const slope = ridgeSlope(weights, setting);
  for (let i = 0; i < n; i++) {
    gradient[i]! -= ridge * slope[i]!;
    for (let j = 0; j <= i; j++) hessian[i * n + j]! += ridge * ridgeEntry(i, j, n, setting);
  }
  return lasso === 0
    ? solveCholesky(factorOf(state, { ...at, hessian }, columns), gradient)
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

export function factorOf(
  state: NewtonState,
  { hessian }: LogisticSums,
  columns: readonly NewtonColumn[],
): Extract<Cholesky, { kind: "factor" }> {
  const factored = cholesky(hessian, state.weights.length, collinearBelow);
  if (factored.kind === "factor") return factored;
  // At the start every row weighs the same: only the data can make the columns dependent.
  if (state.from !== null) throw separated([columns[Math.max(0, factored.column - 1)]!.name]);
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
  state: NewtonState,
  step: Float64Array,
  at: LogisticSums,
  { columns, params }: NewtonSetting,
): void {
  // By how much a column moves a row's log-odds: of a value, one standard deviation; of an indicator, from 0 to 1.
  const reach = columns.map(({ kind, scale }, j) => Math.abs(step[j + 1]!) / (kind === "value" ? 1 : scale));
  const widest = reach.reduce((most, x) => Math.max(most, x), 0);
  const gain = dot(step, at.gradient);
  const largest = step.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
  if (params.penalty === 0 && gain < 1e-3 && largest > 0.05 && state.steady >= 8)
    throw separated(columns.filter((_, j) => reach[j]! > widest / 2).map(({ name }) => name));
  if (state.sums >= params.maxIterations) throw notConverged(state.sums);
}

const notConverged = (sums: number) => new Refusal("not_converged", `no convergence in ${sums} sums`);

/** Columns that a refusal names one by one. */
const mostNamed = 40;

function separated(columns: readonly string[]): Refusal {
  const others = columns.length > mostNamed ? ` and ${columns.length - mostNamed} more` : "";
  const named = columns.slice(0, mostNamed).join(", ") + others;
  return new Refusal(
    "separation",
    columns.length === 1
      ? `column ${named} separates the classes: its coefficient grows without bound`
      : `columns ${named} separate the classes: their coefficients grow without bound`,
    {
      hint: "merge a rare level with others, leave the named columns out, or give the algorithm a penalty",
    },
  );
}

export const byColumn = z.record(z.string(), z.number());

/** What `waldTests` gives. Absent under a penalty, where the estimate is biased on purpose; `intercept` is under that name. */
export const waldResult = {
  standardErrors: byColumn.exactOptional(),
  z: byColumn.exactOptional(),
  /** Two-sided. */
  p: byColumn.exactOptional(),
};

/**
 * Wald tests of maximum-likelihood estimates against zero.
 * @param errors - standard errors, shape of `estimates`. @param named - gives values of that shape their names.
 */
export function waldTests(
  estimates: readonly number[],
  errors: readonly number[],
  named: (values: readonly number[]) => Record<string, number>,
) {
  const zs = estimates.map((b, j) => b / errors[j]!);
  return {
    standardErrors: named(errors),
    z: named(zs),
    p: named(zs.map((x) => agreed(2 * normalTail(Math.abs(x))))),
  };
}
