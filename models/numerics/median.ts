/** @returns the median, entry by entry. @param vectors - at least one, of the same length. */
export const medianOf = (vectors: readonly Float64Array[]): Float64Array =>
  vectors[0]!.map((_, i) => median(vectors.map((vector) => vector[i]!)));

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
