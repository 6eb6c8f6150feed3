/**
 * Privacy loss distributions: how the loss log P(x)/Q(x) of a subsampled Gaussian sum is distributed, on a grid, and
 * of many sums by convolution. Rounding keeps the mass under P and under Q of every cell, so that δ(ε) is met at grid
 * points and exceeded between them: never below the true one, and closer than rounding losses up.
 * @see Koskela et al. 2020, arXiv:1906.03049; Doroshenko et al. 2022, arXiv:2207.04380 ("connect the dots")
 */
import { normalTail } from "../../core/normal.ts";
import { transform } from "./fourier.ts";
import { leastRoot } from "./least-root.ts";

/** One kind of sum: noise σ over sensitivity, and the probability with which a unit is in it. */
export interface Step {
  readonly noiseMultiplier: number;
  readonly samplingRate: number;
  readonly count: number;
}

/** Whether the unit is in the data that P is of, or in those that Q is of. */
type Direction = "removed" | "added";

/** Probabilities of losses first·h, (first + 1)·h, …, and of an infinite one. */
interface Losses {
  readonly first: number;
  readonly masses: Float64Array;
  readonly infinite: number;
}

/** Standard deviations of noise beyond which a value counts as an infinite loss: probability below 1e-18. */
const farAway = 9;
/** Probability that may be lost at each end of the window of losses that are composed; δ is raised by it. */
const tailMass = 1e-14;
const mostPoints = 2 ** 20;
/** Grid spacing, in standard deviations of one step's loss: adds 0.04 % to the variance. */
const spacing = 0.05;

/** @returns the least ε >= 0 with δ(ε) <= delta for a unit removed or added, rounded up. */
export const subsampledEpsilon = (steps: readonly Step[], delta: number): number =>
  Math.max(
    ...(["removed", "added"] as const).map((direction) => epsilonOf(compose(steps, direction), delta)),
  );

/** Losses of all steps together. */
interface Composed {
  readonly h: number;
  readonly first: number;
  readonly masses: Float64Array;
  /** Of an infinite loss, or one outside the window. */
  readonly infinite: number;
}

function epsilonOf({ h, first, masses, infinite }: Composed, delta: number): number {
  const deltaAt = (epsilon: number): number => {
    let sum = infinite;
    for (let i = masses.length - 1; i >= 0; i--) {
      const loss = (first + i) * h;
      if (loss <= epsilon) break;
      sum -= masses[i]! * Math.expm1(epsilon - loss);
    }
    return sum;
  };
  return leastRoot((epsilon) => deltaAt(epsilon) <= delta);
}

function compose(steps: readonly Step[], direction: Direction): Composed {
  const sums = steps.reduce((n, { count }) => n + count, 0);
  const variance = steps.reduce((v, step) => v + step.count * lossVariance(step), 0);
  for (let h = spacing * Math.sqrt(variance / sums); ; h *= 2) {
    const parts = steps.map((step) => ({ count: step.count, losses: lossesOf(step, direction, h) }));
    const [low, high] = windowOf(parts, h);
    const first = Math.floor(low / h);
    const points = 2 ** Math.ceil(Math.log2(Math.ceil(high / h) - first + 2));
    if (points > mostPoints) continue;
    return { h, first, ...convolve(parts, first, points) };
  }
}

/** An approximate variance, for the grid alone: of χ² where it is small. */
const lossVariance = ({ noiseMultiplier: s, samplingRate: q }: Step): number =>
  Math.min(q * q * Math.expm1(Math.min(1 / (s * s), 700)), 1 / (s * s));

/**
 * @param h - grid spacing.
 * With P = (1 − q)·N(0, σ²) + q·N(1, σ²) and Q = N(0, σ²) the loss at x is log(1 − q + q·e^((2x − 1)/2σ²)), rising.
 */
function lossesOf({ noiseMultiplier: s, samplingRate: q }: Step, direction: Direction, h: number): Losses {
  const lossAt = (x: number): number => {
    const exponent = (2 * x - 1) / (2 * s * s);
    return q === 1
      ? exponent
      : exponent > 600
        ? exponent + Math.log(q)
        : Math.log1p(q * Math.expm1(exponent));
  };
  const inverse = (loss: number): number => {
    if (q === 1) return s * s * loss + 0.5;
    // (e^loss − (1 − q)) / q
    const ratio = loss > 600 ? Number.NaN : 1 + Math.expm1(loss) / q;
    const log = loss > 600 ? loss - Math.log(q) : ratio > 0 ? Math.log(ratio) : Number.NEGATIVE_INFINITY;
    return s * s * log + 0.5;
  };
  const lowest = -farAway * s;
  const highest = 1 + farAway * s;
  const bottom = Math.floor(lossAt(lowest) / h);
  const top = Math.ceil(lossAt(highest) / h);
  const ofUpper = new Float64Array(top - bottom + 1);
  const ofLower = new Float64Array(top - bottom + 1);
  for (let i = bottom; i < top; i++) {
    const from = i === bottom ? Number.NEGATIVE_INFINITY : inverse(i * h);
    const to = i + 1 === top ? highest : inverse((i + 1) * h);
    const without = normalMass(from / s, to / s);
    ofUpper[i - bottom] = (1 - q) * without + q * normalMass((from - 1) / s, (to - 1) / s);
    ofLower[i - bottom] = without;
  }
  const far = normalTail((highest - 1) / s);
  return direction === "removed"
    ? spread(bottom, ofUpper, ofLower, h, far)
    : spread(-top, reversed(ofLower), reversed(ofUpper), h, far);
}

/** Cell i becomes cell −1 − i, as the sign of the loss changes. */
const reversed = (cells: Float64Array): Float64Array => {
  const out = new Float64Array(cells.length);
  for (let i = 0; i + 1 < cells.length; i++) out[cells.length - 2 - i] = cells[i]!;
  return out;
};

/**
 * Moves each cell's mass to its two ends, so that its mass under P and under Q stay what they are.
 * @param p - of the cells [first + i, first + i + 1]·h under P. @param q - under Q.
 */
function spread(first: number, p: Float64Array, q: Float64Array, h: number, infinite: number): Losses {
  const masses = new Float64Array(p.length);
  for (let i = 0; i + 1 < p.length; i++) {
    const upper = (p[i]! - q[i]! * Math.exp((first + i) * h)) / -Math.expm1(-h);
    const up = Math.min(p[i]!, Math.max(0, upper));
    masses[i + 1]! += up;
    masses[i]! += p[i]! - up;
  }
  return { first, masses, infinite };
}

/** @returns the probability of [from, to] under the standard normal distribution, small ones to many digits. */
function normalMass(from: number, to: number): number {
  if (!(from < to)) return 0;
  if (from >= 0) return normalTail(from) - normalTail(to);
  if (to <= 0) return normalMass(-to, -from);
  return 1 - normalTail(-from) - normalTail(to);
}

interface Part {
  readonly count: number;
  readonly losses: Losses;
}

/** @returns between which losses all but 2 · `tailMass` lies, by Chernoff's bound. */
function windowOf(parts: readonly Part[], h: number): readonly [number, number] {
  let [low, high] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const least = parts.reduce((sum, { count, losses }) => sum + count * losses.first * h, 0);
  const most = parts.reduce(
    (sum, { count, losses }) => sum + count * (losses.first + losses.masses.length - 1) * h,
    0,
  );
  for (let order = 2 ** -6; order < 2 ** 14; order *= 2) {
    const bound = (sign: 1 | -1): number =>
      parts.reduce((sum, { count, losses }) => sum + count * logMoment(losses, sign * order, h), 0);
    high = Math.min(high, (bound(1) - Math.log(tailMass)) / order);
    low = Math.max(low, -(bound(-1) - Math.log(tailMass)) / order);
  }
  return [Math.max(low, least), Math.min(high, most)];
}

/** @returns log Σ p e^(order · loss). */
function logMoment({ first, masses }: Losses, order: number, h: number): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (const [i, p] of masses.entries())
    if (p > 0) largest = Math.max(largest, order * (first + i) * h + Math.log(p));
  let sum = 0;
  for (const [i, p] of masses.entries()) if (p > 0) sum += p * Math.exp(order * (first + i) * h - largest);
  return largest + Math.log(sum);
}

function convolve(
  parts: readonly Part[],
  first: number,
  points: number,
): Pick<Composed, "masses" | "infinite"> {
  const product = { re: new Float64Array(points).fill(1), im: new Float64Array(points) };
  let finite = 0;
  for (const { count, losses } of parts) {
    const one = { re: new Float64Array(points), im: new Float64Array(points) };
    // losses outside the window come around, but no more of them than the bound on its ends says
    for (const [i, p] of losses.masses.entries()) one.re[modulo(losses.first + i, points)]! += p;
    transform(one);
    for (let k = 0; k < points; k++) {
      const [re, im] = [one.re[k]!, one.im[k]!];
      const length = Math.hypot(re, im) ** count;
      const angle = Math.atan2(im, re) * count;
      const [x, y] = [length * Math.cos(angle), length * Math.sin(angle)];
      const [a, b] = [product.re[k]!, product.im[k]!];
      product.re[k] = a * x - b * y;
      product.im[k] = a * y + b * x;
    }
    finite += count * Math.log1p(-losses.infinite);
  }
  transform(product, true);
  const masses = Float64Array.from({ length: points }, (_, i) =>
    Math.max(0, product.re[modulo(first + i, points)]! / points),
  );
  return { masses, infinite: 2 * tailMass - Math.expm1(finite) };
}

const modulo = (i: number, n: number): number => ((i % n) + n) % n;
