/** @returns Pearson's χ² of the values' buckets against equal frequencies. */
export function chiSquared(
  values: Float64Array,
  bucketOf: (value: number) => number,
  buckets: number,
): number {
  const counts = new Float64Array(buckets);
  for (const value of values) counts[bucketOf(value)]! += 1;
  const expected = values.length / buckets;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

/** @returns Pearson's χ² of counts against what is expected of each. */
export const chiSquaredOf = (counts: readonly number[], expected: readonly number[]): number =>
  counts.reduce((sum, count, i) => sum + (count - expected[i]!) ** 2 / expected[i]!, 0);

/** @returns what χ² exceeds with probability 10⁻⁶. @see Wilson and Hilferty 1931 */
export function chiSquaredLimit(degreesOfFreedom: number): number {
  const z = 4.7534;
  const a = 2 / (9 * degreesOfFreedom);
  return degreesOfFreedom * (1 - a + z * Math.sqrt(a)) ** 3;
}
