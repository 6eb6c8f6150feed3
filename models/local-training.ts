import { type Random, uniformInteger } from "../privacy/random.ts";
import { backPropagate, type Network, workspaceFor } from "./mlp.ts";

export interface TrainingOptions {
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  /** μ of FedProx: pulls the local weights back to where they started; 0 does not. */
  readonly proximal: number;
}

/**
 * Mini-batch Adam on the log-loss, with fresh moments.
 * @param weights - where to start, shape [network.length]; not modified.
 * @param matrix - row-major, shape [rows, inputs].
 * @param random - orders the rows.
 * @returns the trained weights, shape [network.length].
 * @see Kingma and Ba 2015, arXiv:1412.6980; Li et al. 2020, arXiv:1812.06127 (proximal term)
 */
export function trainLocally(
  network: Network,
  weights: Float64Array,
  matrix: Float64Array,
  label: Uint8Array,
  options: TrainingOptions,
  random: Random,
): Float64Array {
  const rows = label.length;
  const inputs = network.sizes[0]!;
  const batchSize = Math.min(options.batchSize, rows);
  const trained = weights.slice();
  if (rows === 0) return trained;
  const work = workspaceFor(network, batchSize);
  const step = adam(network.length, options.learningRate);
  const order = Uint32Array.from({ length: rows }, (_, row) => row);
  for (let epoch = 0; epoch < options.epochs; epoch++) {
    shuffleInPlace(order, random);
    for (let first = 0; first < rows; first += batchSize) {
      const batch = Math.min(batchSize, rows - first);
      for (let r = 0; r < batch; r++) {
        const row = order[first + r]!;
        work.layers[0]!.set(matrix.subarray(row * inputs, (row + 1) * inputs), r * inputs);
        work.labels[r] = label[row]!;
      }
      backPropagate(work, trained, batch);
      if (options.proximal > 0)
        for (let i = 0; i < trained.length; i++)
          work.gradient[i]! += options.proximal * (trained[i]! - weights[i]!);
      step(trained, work.gradient);
    }
  }
  return trained;
}

/** @returns an update rule that keeps its moments. */
function adam(length: number, learningRate: number): (weights: Float64Array, gradient: Float64Array) => void {
  const beta1 = 0.9;
  const beta2 = 0.999;
  const mean = new Float64Array(length);
  const square = new Float64Array(length);
  let decay1 = 1;
  let decay2 = 1;
  return (weights, gradient) => {
    decay1 *= beta1;
    decay2 *= beta2;
    const rate = (learningRate * Math.sqrt(1 - decay2)) / (1 - decay1);
    for (let i = 0; i < length; i++) {
      const g = gradient[i]!;
      const m = beta1 * mean[i]! + (1 - beta1) * g;
      const v = beta2 * square[i]! + (1 - beta2) * g * g;
      mean[i] = m;
      square[i] = v;
      weights[i]! -= (rate * m) / (Math.sqrt(v) + 1e-8);
    }
  };
}

function shuffleInPlace(order: Uint32Array, random: Random): void {
  for (let i = order.length - 1; i > 0; i--) {
    const j = uniformInteger(random, i + 1);
    const kept = order[i]!;
    order[i] = order[j]!;
    order[j] = kept;
  }
}
