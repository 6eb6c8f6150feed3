/**
 * @param x - >= 0.
 * @returns the upper tail of the standard normal distribution, P(X > x), to about 1e-14 relative.
 * @see Abramowitz and Stegun 1964, 26.2.10 (series) and 26.2.14 (continued fraction)
 */
export function normalTail(x: number): number {
  if (!(x >= 0)) throw new RangeError("x must be >= 0");
  const density = Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
  if (x < 3) {
    let term = x;
    let sum = x;
    for (let k = 1; Math.abs(term) > 1e-17 * Math.abs(sum); k++) {
      term *= (x * x) / (2 * k + 1);
      sum += term;
    }
    return 0.5 - density * sum;
  }
  let fraction = x;
  for (let k = 200; k >= 1; k--) fraction = x + k / fraction;
  return density / fraction;
}

/** @param x - >= 0. @returns the logarithm of {@link normalTail}, also where that is below the smallest float64. */
export function logNormalTail(x: number): number {
  if (x < 30) return Math.log(normalTail(x));
  let fraction = x;
  for (let k = 200; k >= 1; k--) fraction = x + k / fraction;
  return -0.5 * x * x - Math.log(fraction * Math.sqrt(2 * Math.PI));
}
