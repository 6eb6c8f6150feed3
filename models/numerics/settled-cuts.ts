import { type BinLimits, type ClassCounts, cumulated, ivOf, type Trend } from "./optimal-bins.ts";

/**
 * Moves each cut of a binning to the cell between its neighbours where the information value is largest and the limits
 * and the trend are kept, again and again until none moves. What was found on few prebins settles on many cells, of
 * which the exact optimum would cost their square.
 * @param counts - rows of each cell.
 * @param firsts - the first cells of all bins but the first, of a binning that keeps limits and trend.
 * @returns the same number of cuts.
 */
export function settledCuts(
  counts: ClassCounts,
  firsts: readonly number[],
  trend: Trend,
  limits: BinLimits,
): number[] {
  const cells = counts.good.length;
  const [good, bad] = [cumulated(counts.good), cumulated(counts.bad)];
  const ends = [0, ...firsts, cells];
  const binOf = (from: number, to: number) => ({ g: good[to]! - good[from]!, b: bad[to]! - bad[from]! });
  const rateOf = ({ g, b }: { g: number; b: number }): number => b / (g + b);
  const isLarge = ({ g, b }: { g: number; b: number }): boolean =>
    g + b > 0 && g + b >= limits.minRows && g >= limits.minOfClass && b >= limits.minOfClass;
  const settle = (cut: number): boolean => {
    const [low, now, high] = [ends[cut - 1]!, ends[cut]!, ends[cut + 1]!];
    const rates = ends.slice(1).map((end, bin) => rateOf(binOf(ends[bin]!, end)));
    const worth = (at: number): number => {
      const [left, right] = [binOf(low, at), binOf(at, high)];
      return ivOf(left.g, left.b, limits) + ivOf(right.g, right.b, limits);
    };
    let largest = worth(now);
    for (let at = low + 1; at < high; at++) {
      const [left, right] = [binOf(low, at), binOf(at, high)];
      if (!isLarge(left) || !isLarge(right)) continue;
      const iv = worth(at);
      if (iv <= largest) continue;
      if (!follows(rates.with(cut - 1, rateOf(left)).with(cut, rateOf(right)), trend)) continue;
      largest = iv;
      ends[cut] = at;
    }
    return ends[cut] !== now;
  };
  for (let moved = true; moved; ) {
    moved = false;
    for (let cut = 1; cut + 1 < ends.length; cut++) moved = settle(cut) || moved;
  }
  return ends.slice(1, -1);
}

/** @returns whether bins of these shares of bad rows, in order, have the trend. */
function follows(rates: readonly number[], trend: Trend): boolean {
  if (trend === "none") return true;
  const first = trend === "ascending" || trend === "peak" ? 1 : -1;
  let turned = false;
  for (const [bin, rate] of rates.slice(1).entries()) {
    const step = Math.sign(rate - rates[bin]!);
    if (step === -first) turned = true;
    if (step === first && turned) return false;
  }
  return !turned || trend === "peak" || trend === "valley";
}
