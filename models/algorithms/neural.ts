import { z } from "zod";
import { seededRandom, uniform } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import type { FederatedAlgorithm } from "../algorithm.ts";
import { trainLocally } from "../network/local-training.ts";
import { type Network, networkOf } from "../network/mlp.ts";
import { moveOn, type ServerStep } from "../network/server-step.ts";
import { decodeWeights, encodeWeights } from "../network/weights.ts";
import { parseParameters } from "../parameters.ts";
import { type Design, designFrom, trainingMatrix } from "./standardize.ts";

const parameters = z.strictObject({
  hidden: z
    .array(z.int().min(1).max(4096))
    .min(1)
    .max(8)
    .default([64, 32])
    .describe("rectified units per hidden layer"),
  rounds: z.int().min(1).max(10_000).default(60).describe("sums taken"),
  localEpochs: z.int().min(1).max(100).default(1).describe("passes over a party's rows per round"),
  localBatches: z
    .int()
    .min(1)
    .max(10_000)
    .default(1)
    .describe("steps per local epoch; 1 is the exact gradient"),
  learningRate: z.number().positive().default(1).describe("of the local gradient steps"),
  optimizer: z
    .enum(["fedavg", "fedprox", "fedadam", "fedavgm"])
    .default("fedadam")
    .describe("how the bank moves the model on from the mean update"),
  mu: z.number().positive().default(0.01).describe("weight of FedProx's pull to the broadcast model"),
  serverLearningRate: z
    .number()
    .positive()
    .optional()
    .describe("of the bank's step; 1, or 0.015 for fedadam"),
  serverMomentum: z.number().min(0).max(0.999).default(0.9).describe("of fedavgm"),
  tau: z.number().positive().default(0.0001).describe("what fedadam adds to the root of its second moment"),
  updateBound: z
    .number()
    .positive()
    .default(1)
    .describe("a weight's change in one round is clipped to this magnitude"),
  seed: z.string().default("neural").describe("draws the initial weights; public"),
});

type Parameters = z.output<typeof parameters>;

export type NeuralResult = {
  readonly model: "neural";
  readonly hidden: readonly number[];
  /** Flat, base64 of little-endian float32: per layer the kernel [inputs, outputs], then the bias. */
  readonly weights: string;
  readonly rounds: number;
  readonly design: Design;
};

type NeuralState = {
  readonly design: Design;
  readonly parameters: Omit<Parameters, "serverLearningRate"> & { readonly serverLearningRate: number };
  readonly weights: string;
  readonly first: string;
  readonly second: string;
  readonly round: number;
};

/** Bits of an entry on its way: values are multiples of the step in ±(2¹⁵ − 1) steps. */
const updateBits = 16;

/**
 * A multilayer perceptron by federated averaging: each party trains from the broadcast weights w and adds
 * n · Δw, in units of `maxRowsPerParty` rows so that the bound is that of Δw, and n.
 * The server sees the mean Δw to `updateBound` · 2⁻¹⁵ · maxRowsPerParty / mean n.
 */
export const neural: FederatedAlgorithm<NeuralState, NeuralResult> = {
  name: "neural",
  parameters,
  needs: [["range"], ["summary"]],
  rows: "training",

  start(schema, params, prior) {
    const parsed = parseParameters("neural", parameters, params);
    const design = designFrom(schema, prior, "neural");
    const { serverLearningRate = parsed.optimizer === "fedadam" ? 0.015 : 1 } = parsed;
    const weights = encodeWeights(
      initialWeights(networkOf(design.columns.length, parsed.hidden), parsed.seed),
    );
    return {
      design,
      parameters: { ...parsed, serverLearningRate },
      weights,
      first: "",
      second: "",
      round: 0,
    };
  },

  layout(state) {
    const { bound, step } = updateGrid(state);
    return {
      blocks: [
        { name: "rows", length: 1, bound: state.design.maxRowsPerParty, step: 1 },
        { name: "update", length: networkFor(state).length, bound, step },
      ],
    };
  },

  contribute(state, table, random) {
    const { localEpochs, localBatches, learningRate, optimizer, mu } = state.parameters;
    const start = Float64Array.from(decodeWeights(state.weights));
    const trained = trainLocally(
      networkFor(state),
      start,
      trainingMatrix(state.design, table),
      table.label,
      {
        epochs: localEpochs,
        batches: localBatches,
        learningRate,
        proximal: optimizer === "fedprox" ? mu : 0,
      },
      random,
    );
    const { bound } = updateGrid(state);
    const share = table.rows / state.design.maxRowsPerParty;
    const out = new Float64Array(1 + trained.length);
    out[0] = table.rows;
    for (let i = 0; i < trained.length; i++) {
      const change = trained[i]! - start[i]!;
      if (!Number.isFinite(change))
        throw new Refusal("not_converged", "local training diverged", { hint: "lower learningRate" });
      out[1 + i] = share * Math.max(-bound, Math.min(bound, change));
    }
    return out;
  },

  advance(state, sum) {
    const rows = sum.values[0]!;
    if (rows === 0) throw new Refusal("rows_missing", "no party has rows for training");
    const scale = state.design.maxRowsPerParty / rows;
    const update = sum.values.subarray(1).map((x) => x * scale);
    const moved = moveOn(
      state.parameters as ServerStep,
      decodeWeights(state.weights),
      { first: decodeWeights(state.first), second: decodeWeights(state.second) },
      update,
    );
    return {
      ...state,
      weights: encodeWeights(moved.weights),
      first: encodeWeights(moved.moments.first),
      second: encodeWeights(moved.moments.second),
      round: state.round + 1,
    };
  },

  result(state) {
    if (state.round < state.parameters.rounds) return undefined;
    const { hidden, rounds } = state.parameters;
    return { model: "neural", hidden, weights: state.weights, rounds, design: state.design };
  },
};

const networkFor = (state: NeuralState): Network =>
  networkOf(state.design.columns.length, state.parameters.hidden);

function updateGrid(state: NeuralState): { bound: number; step: number } {
  const step = 2 ** (Math.ceil(Math.log2(state.parameters.updateBound)) - updateBits + 1);
  return { bound: (2 ** (updateBits - 1) - 1) * step, step };
}

/** Uniform in ±√(6 / (inputs + outputs)), biases 0. @see Glorot and Bengio 2010, AISTATS 9:249 */
function initialWeights({ sizes, length }: Network, seed: string): Float32Array {
  const random = seededRandom(seed);
  const weights = new Float32Array(length);
  let at = 0;
  for (let l = 1; l < sizes.length; l++) {
    const inputs = sizes[l - 1]!;
    const outputs = sizes[l]!;
    const limit = Math.sqrt(6 / (inputs + outputs));
    for (let i = 0; i < inputs * outputs; i++) weights[at++] = limit * (2 * uniform(random) - 1);
    at += outputs;
  }
  return weights;
}
