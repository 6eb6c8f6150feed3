import { agreed } from "./rounding.ts";

/** How the share of bad rows may change from bin to bin. */
export const trends = ["ascending", "descending", "peak", "valley", "none"] as const;
export type Trend = (typeof trends)[number];
/** Those that say something of a column; the best of them is its own. */
export const shapes: readonly Trend[] = ["ascending", "descending", "peak", "valley"];

/** Good and bad rows of bins in order, shape [bins] each. */
export interface ClassCounts {
  readonly good: ArrayLike<number>;
  readonly bad: ArrayLike<number>;
}

export interface BinLimits {
  /** Rows of all bins together that WOE is against, good and bad. */
  readonly good: number;
  readonly bad: number;
  /** Rows that a bin holds at least. */
  readonly minRows: number;
  /** Of each class. */
  readonly minOfClass: number;
  readonly maxBins: number;
}

/** The first prebins of all bins but the first, and the information value of all bins. */
export interface Binning {
  readonly firsts: readonly number[];
  readonly iv: number;
}

/**
 * Weight of evidence: the logarithm of a bin's share of the good rows over its share of the bad ones. Where a class has
 * no row, both have half a row more.
 * @see Siddiqi 2017, Intelligent Credit Scoring, 10
 */
export function woeOf(good: number, bad: number, all: { good: number; bad: number }): number {
  if (good + bad === 0) return 0;
  const more = good === 0 || bad === 0 ? 0.5 : 0;
  return agreed(Math.log(((good + more) * all.bad) / ((bad + more) * all.good)));
}

/** @returns what a bin adds to the information value. */
export const ivOf = (good: number, bad: number, all: { good: number; bad: number }): number =>
  (good / all.good - bad / all.bad) * woeOf(good, bad, all);

/** The best binning that ends with one bin: what it is worth, and where it came from. */
interface Best {
  readonly iv: number;
  readonly start: number;
  readonly rate: number;
  readonly before: Best | undefined;
}

/**
 * Exact optimum: of all ways to join neighbouring prebins into bins whose share of bad rows follows the trend and that
 * hold enough rows, the one with the largest information value. Dynamic programming over the last bin (its start and
 * end); of the bins that may stand before it, the best up to each rate is kept, so that n prebins cost n² log n.
 * @returns undefined where no binning keeps the limits.
 * @see Navas-Palencia 2020, arXiv:2001.08025, for the problem
 */
export function optimalBins(counts: ClassCounts, trend: Trend, limits: BinLimits): Binning | undefined {
  const free = solve(counts, trend, limits, undefined);
  if (free === undefined || free.firsts.length < limits.maxBins) return free;
  return solve(counts, trend, limits, limits.maxBins);
}

/** Of these trends the one whose optimum has the largest information value; undefined where none keeps the limits. */
export function bestTrend(
  counts: ClassCounts,
  tried: readonly Trend[],
  limits: BinLimits,
): { readonly trend: Trend; readonly binning: Binning } | undefined {
  let found: { readonly trend: Trend; readonly binning: Binning } | undefined;
  for (const trend of tried) {
    const binning = optimalBins(counts, trend, limits);
    if (binning !== undefined && (found === undefined || binning.iv > found.binning.iv))
      found = { trend, binning };
  }
  return found;
}

/** @param most - bins; any number where undefined, which needs one layer instead of one for each number. */
function solve(
  { good, bad }: ClassCounts,
  trend: Trend,
  limits: BinLimits,
  most: number | undefined,
): Binning | undefined {
  const n = good.length;
  const [goodUpTo, badUpTo] = [cumulated(good), cumulated(bad)];
  const layers = most ?? 1;
  const turns = trend === "peak" || trend === "valley";
  const rises = trend === "ascending" || trend === "peak";
  // By layer, before or after the turn, and the prebin that a next bin would start with.
  const ended = Array.from({ length: layers }, () =>
    Array.from({ length: turns ? 2 : 1 }, () => new Array<Frontier | undefined>(n + 1)),
  );
  const bins: Best[][][] = ended.map((phases) => phases.map(() => []));
  for (let end = 1; end <= n; end++) {
    for (const layer of bins) for (const phase of layer) phase.length = 0;
    for (let start = end - 1; start >= 0; start--) {
      const g = goodUpTo[end]! - goodUpTo[start]!;
      const b = badUpTo[end]! - badUpTo[start]!;
      if (g + b < limits.minRows || g < limits.minOfClass || b < limits.minOfClass || g + b === 0) continue;
      const rate = b / (g + b);
      const iv = ivOf(g, b, limits);
      for (let layer = 0; layer < layers; layer++)
        for (let phase = 0; phase < (turns ? 2 : 1); phase++) {
          const before = bestBefore(layer, phase, start, rate);
          if (start > 0 && before === undefined) continue;
          if (start === 0 && (phase > 0 || (most !== undefined && layer > 0))) continue;
          bins[layer]![phase]!.push({ iv: iv + (before?.iv ?? 0), start, rate, before });
        }
    }
    for (let layer = 0; layer < layers; layer++)
      for (const [phase, found] of bins[layer]!.entries())
        if (found.length > 0) ended[layer]![phase]![end] = new Frontier(found);
  }
  let best: Best | undefined;
  for (const phases of ended) for (const at of phases) best = better(best, at[n]?.best);
  if (best === undefined) return undefined;
  const firsts: number[] = [];
  for (let bin: Best | undefined = best; bin !== undefined; bin = bin.before) firsts.unshift(bin.start);
  return { firsts: firsts.slice(1), iv: best.iv };

  function bestBefore(layer: number, phase: number, start: number, rate: number): Best | undefined {
    const from = most === undefined ? layer : layer - 1;
    if (from < 0) return undefined;
    const [first, second] = ended[from]!.map((at) => at[start]) as [Frontier | undefined, Frontier?];
    if (trend === "none") return first?.best;
    if (phase === 0) return rises ? first?.upTo(rate) : first?.from(rate);
    const after = [first, second].map((f) => (rises ? f?.from(rate) : f?.upTo(rate)));
    return better(after[0], after[1]);
  }
}

/** Of equal binnings the first, which has the shorter way to it. */
const better = (a: Best | undefined, b: Best | undefined): Best | undefined =>
  a === undefined || (b !== undefined && b.iv > a.iv) ? b : a;

/** Binnings that end before the same prebin: the best whose last bin's rate is at most, or at least, a given one. */
class Frontier {
  readonly best: Best;
  readonly #rates: readonly number[];
  readonly #upTo: readonly Best[];
  readonly #from: readonly Best[];

  constructor(found: readonly Best[]) {
    const sorted = found.toSorted((a, b) => a.rate - b.rate);
    this.#rates = sorted.map(({ rate }) => rate);
    const running = (bests: readonly Best[]): Best[] => {
      let best: Best | undefined;
      return bests.map((one) => {
        best = better(best, one);
        return best!;
      });
    };
    this.#upTo = running(sorted);
    this.#from = running(sorted.toReversed()).reverse();
    this.best = this.#upTo.at(-1)!;
  }

  upTo(rate: number): Best | undefined {
    return this.#upTo[this.#firstFrom((r) => r > rate) - 1];
  }

  from(rate: number): Best | undefined {
    return this.#from[this.#firstFrom((r) => r >= rate)];
  }

  /** @returns the first place where `reached` holds; it holds from there on. */
  #firstFrom(reached: (rate: number) => boolean): number {
    let [low, high] = [0, this.#rates.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (reached(this.#rates[middle]!)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** @returns sums of the first cells: of none, of one, … of all. */
export function cumulated(counts: ArrayLike<number>): Float64Array {
  const upTo = new Float64Array(counts.length + 1);
  for (let i = 0; i < counts.length; i++) upTo[i + 1] = upTo[i]! + counts[i]!;
  return upTo;
}
