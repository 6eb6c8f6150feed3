/**
 * @param holds - monotone: false below some x >= 0, true above it.
 * @returns x, rounded up to a value for which it holds; Infinity where none below 10¹² does.
 */
export function leastRoot(holds: (x: number) => boolean): number {
  if (holds(0)) return 0;
  let high = 2 ** -20;
  while (!holds(high)) {
    high *= 2;
    if (high > 1e12) return Number.POSITIVE_INFINITY;
  }
  let low = high === 2 ** -20 ? 0 : high / 2;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}
