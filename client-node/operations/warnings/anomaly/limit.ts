/** Blocks into which a quiet period is cut for its maxima: enough for quartiles, long enough to be independent. */
const blocks = 24;

/** @returns the value below which a share of sorted values lies, between neighbours by proportion. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  if (sorted.length === 0) throw new RangeError("no values");
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  const below = sorted[low]!;
  return low + 1 < sorted.length ? below + (at - low) * (sorted[low + 1]! - below) : below;
}

/** @returns the median, and the standard deviation of a normal distribution with the same median deviation. */
export function robust(values: ArrayLike<number>): { centre: number; spread: number } {
  const sorted = Float64Array.from(values).sort();
  const centre = quantile(sorted, 0.5);
  const away = sorted.map((one) => Math.abs(one - centre)).sort();
  return { centre, spread: 1.4826 * quantile(away, 0.5) };
}

/** The smallest a limit's scale may be, as a share of the middle maximum: few blocks may agree by chance. */
const least = { light: 0.1, heavy: 0.03 };

/**
 * How far a statistic may go before it is not usual: the level that the largest value of a block passes once in
 * `returnBlocks` blocks, if maxima follow Gumbel's law. Maxima of blocks need no independence of neighbours,
 * and their quartiles are not moved by a few blocks that were not quiet.
 *
 * @param values - of the statistic over the quiet period, in order of time.
 * @param tail - heavy: the logarithms of maxima follow the law (Fréchet's), for what comes in rare leaps.
 * @returns +∞ where too little is known.
 * @see Coles 2001, An Introduction to Statistical Modeling of Extreme Values, 3.1
 */
export function extremeLimit(
  values: readonly number[],
  returnBlocks: number,
  tail: "light" | "heavy" = "light",
): number {
  const length = Math.max(1, Math.ceil(values.length / blocks));
  const maxima: number[] = [];
  for (let from = 0; from < values.length; from += length) {
    const most = Math.max(...values.slice(from, from + length));
    maxima.push(tail === "heavy" ? Math.log(Math.max(most, 1e-12)) : most);
  }
  if (maxima.length < blocks / 2) return Number.POSITIVE_INFINITY;
  maxima.sort((a, b) => a - b);
  const middle = quantile(maxima, 0.5);
  // Gumbel's quartiles lie 1.5725 scales apart, and its median 0.3665 scales above its mode.
  const scale = (quantile(maxima, 0.75) - quantile(maxima, 0.25)) / 1.5725;
  const floor = tail === "heavy" ? least.heavy : least.light * Math.abs(middle);
  const limit = middle + Math.max(scale, floor) * (Math.log(returnBlocks) - 0.3665);
  return tail === "heavy" ? Math.exp(limit) : limit;
}

/** @returns how much of its limit a statistic has reached; 0 where there is no limit to reach. */
export const share = (statistic: number, limit: number): number =>
  statistic > 0 && limit > 0 ? statistic / limit : 0;
