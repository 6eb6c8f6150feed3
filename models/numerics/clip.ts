/**
 * Brings a vector into a ball, in place: the bound that noise relies on. Whatever the vector holds, NaN and infinity
 * included, what is left of it measures at most `norm`.
 * @param norm - > 0.
 */
export function clipTo(vector: Float64Array, norm: number): void {
  if (!(norm > 0)) throw new RangeError("norm must be > 0");
  let largest = 0;
  for (const x of vector) largest = Math.max(largest, Math.abs(x));
  // What is no number has no direction to keep.
  if (!Number.isFinite(largest)) {
    vector.fill(0);
    return;
  }
  if (largest === 0) return;
  // In units of the largest: squares of huge values would overflow.
  let squares = 0;
  for (const x of vector) squares += (x / largest) ** 2;
  const size = largest * Math.sqrt(squares);
  if (size <= norm) return;
  for (let i = 0; i < vector.length; i++) vector[i] = (vector[i]! / size) * norm;
}
