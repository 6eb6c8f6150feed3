/**
 * Counts that noise was added to, as ones that rows could have: none negative, and as many rows in all as the noisy
 * counts say. Cutting off what is negative alone would invent rows, the more the more cells there are.
 *
 * @param counts - of disjoint cells, shape [cells]; not modified.
 * @returns whole numbers >= 0, shape [cells].
 */
export function plausibleCounts(counts: Float64Array): Float64Array {
  let total = 0;
  let positive = 0;
  for (const count of counts) {
    total += count;
    positive += Math.max(0, count);
  }
  if (!(total > 0)) return new Float64Array(counts.length);
  return counts.map((count) => Math.round((Math.max(0, count) * total) / positive));
}
