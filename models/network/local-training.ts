import type { Random } from "../../core/random.ts";
import { backPropagate, flatten, type Network, workspaceFor } from "./mlp.ts";

export interface TrainingOptions {
  readonly epochs: number;
  /** Steps per epoch: a party cuts its rows into this many batches, whatever their number. */
  readonly batches: number;
  readonly learningRate: number;
  /** μ of FedProx: pulls the local weights back to where they started; 0 does not. */
  readonly proximal: number;
}

/**
 * Stochastic gradient descent on the log-loss. Every party takes the same number of steps, so that n · Δw
 * weighs rows alike; one step of one batch is the exact gradient of the party's rows.
 * @param weights - where to start, shape [network.length]; not modified.
 * @param matrix - row-major, shape [rows, inputs].
 * @param random - orders the rows, and draws the units left out.
 * @returns the trained weights, shape [network.length].
 * @see Wang et al. 2020, arXiv:2007.07481 (unequal steps); Li et al. 2020, arXiv:1812.06127 (proximal term)
 */
export function trainLocally(
  network: Network,
  weights: Float64Array,
  matrix: Float64Array,
  label: Uint8Array,
  { epochs, batches, learningRate, proximal }: TrainingOptions,
  random: Random,
): Float64Array {
  const rows = label.length;
  if (rows === 0) return weights.slice();
  const order = Uint32Array.from({ length: rows }, (_, row) => row);
  const work = workspaceFor(network, weights);
  const { weights: trained, gradient } = work;
  const start = trained.slice();
  for (let epoch = 0; epoch < epochs; epoch++) {
    if (batches > 1) shuffleInPlace(order, random);
    for (let b = 0; b < batches; b++) {
      const batch = order.subarray(Math.floor((b * rows) / batches), Math.floor(((b + 1) * rows) / batches));
      if (batch.length === 0) continue;
      backPropagate(work, matrix, label, batch, random);
      for (let i = 0; i < trained.length; i++)
        trained[i]! -= learningRate * (gradient[i]! + proximal * (trained[i]! - start[i]!));
    }
  }
  return flatten(work, trained);
}

/** Fisher–Yates on 32-bit words: the order of batches needs no more than that. */
function shuffleInPlace(order: Uint32Array, random: Random): void {
  const bytes = random.bytes(4 * order.length);
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor((words.getUint32(4 * i, true) / 2 ** 32) * (i + 1));
    const kept = order[i]!;
    order[i] = order[j]!;
    order[j] = kept;
  }
}
