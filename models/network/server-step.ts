/** How the bank moves the model on from the mean update. */
export type ServerStep =
  | { readonly optimizer: "fedavg" | "fedprox"; readonly serverLearningRate: number }
  | { readonly optimizer: "fedavgm"; readonly serverLearningRate: number; readonly serverMomentum: number }
  | { readonly optimizer: "fedadam"; readonly serverLearningRate: number; readonly tau: number };

/** The server's moments, shape [d] each; empty where the rule keeps none. */
export interface ServerMoments {
  readonly first: Float32Array;
  readonly second: Float32Array;
}

/**
 * @param weights - shape [d]; not modified.
 * @param update - the mean of the parties' updates weighted by their rows, shape [d].
 * @see McMahan et al. 2017, arXiv:1602.05629 (FedAvg); Hsu et al. 2019, arXiv:1909.06335 (FedAvgM);
 *   Reddi et al. 2021, arXiv:2003.00295, Algorithm 2 (FedAdam)
 */
export function moveOn(
  step: ServerStep,
  weights: Float32Array,
  moments: ServerMoments,
  update: Float64Array,
): { weights: Float32Array; moments: ServerMoments } {
  const rate = step.serverLearningRate;
  switch (step.optimizer) {
    case "fedavg":
    case "fedprox":
      return { weights: weights.map((w, i) => w + rate * update[i]!), moments };
    case "fedavgm": {
      const first = momentOf(moments.first, update).map((m, i) => step.serverMomentum * m + update[i]!);
      return { weights: weights.map((w, i) => w + rate * first[i]!), moments: { ...moments, first } };
    }
    case "fedadam": {
      const first = momentOf(moments.first, update).map((m, i) => 0.9 * m + 0.1 * update[i]!);
      const second = momentOf(moments.second, update).map(
        (v, i) => 0.99 * v + 0.01 * (update[i]! * update[i]!),
      );
      return {
        weights: weights.map((w, i) => w + (rate * first[i]!) / (Math.sqrt(second[i]!) + step.tau)),
        moments: { first, second },
      };
    }
  }
}

const momentOf = (moment: Float32Array, update: Float64Array): Float32Array =>
  moment.length === 0 ? new Float32Array(update.length) : moment;
