/** A run of cells [first, end) and the cut that purifies it most. */
interface Leaf {
  readonly first: number;
  readonly end: number;
  readonly gain: number;
  readonly cut: number;
}

/**
 * Cuts a histogram where its classes differ most: the leaves of a classification tree on one column, grown best first
 * by the decrease of Gini impurity.
 * @param good,bad - rows per cell, shape [cells].
 * @param leaves - at most so many.
 * @param minRows - that a leaf holds at least.
 * @returns the first cell of each leaf but the first, ascending.
 * @see Breiman, Friedman, Olshen and Stone 1984, Classification and Regression Trees, 4.1
 */
export function treeCuts(
  good: ArrayLike<number>,
  bad: ArrayLike<number>,
  leaves: number,
  minRows: number,
): number[] {
  const goodUpTo = new Float64Array(good.length + 1);
  const badUpTo = new Float64Array(good.length + 1);
  for (let i = 0; i < good.length; i++) {
    goodUpTo[i + 1] = goodUpTo[i]! + good[i]!;
    badUpTo[i + 1] = badUpTo[i]! + bad[i]!;
  }
  /** Rows times Gini impurity, halved. */
  const impurity = (first: number, end: number): number => {
    const g = goodUpTo[end]! - goodUpTo[first]!;
    const b = badUpTo[end]! - badUpTo[first]!;
    return g + b === 0 ? 0 : (g * b) / (g + b);
  };
  const rows = (first: number, end: number): number =>
    goodUpTo[end]! - goodUpTo[first]! + badUpTo[end]! - badUpTo[first]!;
  const leafOf = (first: number, end: number): Leaf => {
    const whole = impurity(first, end);
    let [gain, cut] = [0, -1];
    for (let at = first + 1; at < end; at++) {
      if (good[at]! + bad[at]! === 0) continue;
      if (rows(first, at) < minRows || rows(at, end) < minRows) continue;
      const less = whole - impurity(first, at) - impurity(at, end);
      if (less > gain) [gain, cut] = [less, at];
    }
    return { first, end, gain, cut };
  };
  const grown = [leafOf(0, good.length)];
  while (grown.length < leaves) {
    let best = 0;
    for (let i = 1; i < grown.length; i++) if (grown[i]!.gain > grown[best]!.gain) best = i;
    const { first, end, cut } = grown[best]!;
    if (cut < 0) break;
    grown.splice(best, 1, leafOf(first, cut), leafOf(cut, end));
  }
  return grown.slice(1).map(({ first }) => first);
}
