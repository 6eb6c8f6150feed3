/** Gradients of single rows, each shortened before they are added up: what DP-SGD sums. */
import { probabilityOf } from "../numerics/logistic-sums.ts";
import { activationFunctions } from "./activation.ts";
import type { Network } from "./mlp.ts";

/**
 * Σ over rows of ∂ log-loss / ∂ weights, each row's shortened to the length `norm`. In double precision, so that a row's
 * share does not move the others' by more than what rounding to the sum's grid covers.
 *
 * A row's gradient is never written out: in a dense layer it is the product of what goes in, a, and what comes back, δ, so
 * that its squared length is Σ (1 + |a|²) |δ|² over the layers.
 *
 * @param weights - flat, shape [network.length].
 * @param matrix - row-major, finite, shape [rows, inputs]; @param label - shape [rows].
 * @param chosen - rows that count.
 * @param norm - > 0.
 * @returns shape [network.length].
 * @see Goodfellow 2015, arXiv:1510.01799, for the identity; Abadi et al. 2016, arXiv:1607.00133, Algorithm 1
 */
export function clippedGradient(
  network: Network,
  weights: ArrayLike<number>,
  matrix: Float64Array,
  label: Uint8Array,
  chosen: Iterable<number>,
  norm: number,
): Float64Array {
  if (!(norm > 0)) throw new RangeError("norm must be > 0");
  const { sizes, activations, length } = network;
  const units = sizes.map((size) => new Float64Array(size));
  const deltas = sizes.map((size) => new Float64Array(size));
  const gradient = new Float64Array(length);
  const inputs = sizes[0]!;
  const starts = sizes.map(() => 0);
  for (let l = 1; l < sizes.length; l++) starts[l] = starts[l - 1]! + (l === 1 ? 0 : kernelOf(sizes, l - 1));
  for (const row of chosen) {
    units[0]!.set(matrix.subarray(row * inputs, (row + 1) * inputs));
    forward(network, weights, units, starts);
    const top = units.at(-1)!;
    deltas.at(-1)![0] = probabilityOf(top[0]!) - label[row]!;
    for (let l = sizes.length - 1; l >= 2; l--) {
      const [below, above] = [deltas[l - 1]!, deltas[l]!];
      const { slope } = activationFunctions[activations[l - 2]!];
      for (let i = 0, at = starts[l]!; i < below.length; i++) {
        let sum = 0;
        for (let j = 0; j < above.length; j++, at++) sum += above[j]! * weights[at]!;
        below[i] = sum * slope(units[l - 1]![i]!);
      }
    }
    let squared = 0;
    for (let l = 1; l < sizes.length; l++)
      squared += (1 + squaredLength(units[l - 1]!)) * squaredLength(deltas[l]!);
    const size = Math.sqrt(squared);
    // What overflowed has no direction to keep.
    if (!Number.isFinite(size)) continue;
    const share = size > norm ? norm / size : 1;
    for (let l = 1; l < sizes.length; l++) {
      const [from, back] = [units[l - 1]!, deltas[l]!];
      for (let j = 0; j < back.length; j++) back[j]! *= share;
      let at = starts[l]!;
      for (let i = 0; i < from.length; i++) {
        const x = from[i]!;
        if (x === 0) at += back.length;
        else for (let j = 0; j < back.length; j++, at++) gradient[at]! += x * back[j]!;
      }
      for (let j = 0; j < back.length; j++, at++) gradient[at]! += back[j]!;
    }
  }
  return gradient;
}

/** Weights of layer l, its biases included. */
const kernelOf = (sizes: readonly number[], l: number): number => (sizes[l - 1]! + 1) * sizes[l]!;

function forward(
  { sizes, activations }: Network,
  weights: ArrayLike<number>,
  units: readonly Float64Array[],
  starts: readonly number[],
): void {
  for (let l = 1; l < sizes.length; l++) {
    const [from, into] = [units[l - 1]!, units[l]!];
    const bias = starts[l]! + from.length * into.length;
    for (let j = 0; j < into.length; j++) into[j] = weights[bias + j]!;
    for (let i = 0, at = starts[l]!; i < from.length; i++) {
      const x = from[i]!;
      if (x === 0) at += into.length;
      else for (let j = 0; j < into.length; j++, at++) into[j]! += x * weights[at]!;
    }
    const activation = activations[l - 1];
    if (activation === undefined) continue;
    const { value } = activationFunctions[activation];
    for (let j = 0; j < into.length; j++) into[j] = value(into[j]!);
  }
}

const squaredLength = (vector: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < vector.length; i++) sum += vector[i]! * vector[i]!;
  return sum;
};
