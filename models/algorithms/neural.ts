import { z } from "zod";
import { Refusal } from "../../core/reasons.ts";
import type { Study } from "../algorithm.ts";
import { type Count, count, type Sum, sum } from "../blocks.ts";
import { defineAlgorithm } from "../define.ts";
import {
  type Design,
  type DesignBasis,
  designFrom,
  designNeeds,
  designParameters,
  trainingMatrix,
} from "../design.ts";
import { architectureSchema, hiddenLayersOf } from "../network/architecture.ts";
import { trainLocally } from "../network/local-training.ts";
import { type HiddenLayer, initialWeights, type Network, rectified } from "../network/mlp.ts";
import { moveOn } from "../network/server-step.ts";
import { decodeWeights, encodeWeights, weightsSchema } from "../network/weights.ts";
import {
  hiddenSchema,
  type NetworkModel,
  networkIn,
  networkModelSchema,
  networkScoring,
} from "../network-model.ts";
import { exponentAbove, powerOfTwo } from "../numerics/powers-of-two.ts";

const parameters = z.strictObject({
  ...designParameters,
  hidden: hiddenSchema.default([64, 32]).describe("rectified units per hidden layer"),
  architecture: architectureSchema
    .optional()
    .describe(
      "instead of `hidden`, a network as `tf.sequential(…).toJSON()` of TensorFlow.js or Keras' `Sequential` writes it: Dense (linear, relu, elu, softplus, tanh or sigmoid), Activation and Dropout layers, the last a Dense of one sigmoid unit",
    ),
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

/** Flat, as in the result; a moment is empty where the optimizer keeps none. */
type NeuralState = {
  readonly weights: string;
  readonly first: string;
  readonly second: string;
  readonly round: number;
};

type Types = {
  params: Parameters;
  prior: DesignBasis;
  state: NeuralState;
  result: NetworkModel;
  blocks: {
    readonly rows: Count;
    /** n · Δw, in units of `maxRowsPerParty` rows. */
    readonly update: Sum;
  };
};

/** Bits of an entry on its way: values are multiples of the step in ±(2¹⁵ − 1) steps. */
const updateBits = 16;

/**
 * A multilayer perceptron by federated averaging: each party trains from the broadcast weights w and adds
 * n · Δw, in units of `maxRowsPerParty` rows so that the bound is that of Δw, and n.
 * The server sees the mean Δw to `updateBound` · 2⁻¹⁵ · maxRowsPerParty / mean n.
 */
export const neural = defineAlgorithm<Types>({
  name: "neural",
  parameters,
  result: networkModelSchema,
  needs: designNeeds,
  maxSteps: ({ rounds }) => rounds,
  medians: "of sums",

  start(study) {
    const weights = encodeWeights(initialWeights(networkFor(study), study.params.seed));
    return { next: { weights, first: "", second: "", round: 0 } };
  },

  state(study) {
    const weights = weightsSchema(networkFor(study).length);
    const moment = z.union([z.literal(""), weights]);
    const round = z.int().min(0).max(study.params.rounds);
    return z.strictObject({ weights, first: moment, second: moment, round });
  },

  blocks(_, study) {
    const { bound, step } = updateGrid(study.params);
    return { rows: count(1), update: sum(networkFor(study).length, bound, step) };
  },

  contribute(state, party, study) {
    const { localEpochs, localBatches, learningRate, optimizer, mu } = study.params;
    const { maxRowsPerParty } = study.schema;
    const { training, random } = party;
    const design = designOf(study);
    const start = Float64Array.from(decodeWeights(state.weights));
    const trained = trainLocally(
      networkFor(study),
      start,
      trainingMatrix(design, study.schema, party),
      training.label,
      {
        epochs: localEpochs,
        batches: localBatches,
        learningRate,
        proximal: optimizer === "fedprox" ? mu : 0,
      },
      random,
    );
    const { bound } = updateGrid(study.params);
    const share = training.rows / maxRowsPerParty;
    const update = trained.map((w, i) => {
      const change = w - start[i]!;
      if (!Number.isFinite(change))
        throw new Refusal("not_converged", "local training diverged", { hint: "lower learningRate" });
      return share * Math.max(-bound, Math.min(bound, change));
    });
    return { rows: [training.rows], update };
  },

  advance(state, sums, study) {
    const { schema, params } = study;
    const rows = sums.rows[0]!;
    if (rows === 0) throw new Refusal("rows_missing", "no party has rows for training");
    const scale = schema.maxRowsPerParty / rows;
    const { serverLearningRate = params.optimizer === "fedadam" ? 0.015 : 1 } = params;
    const moved = moveOn(
      { ...params, serverLearningRate },
      decodeWeights(state.weights),
      { first: decodeWeights(state.first), second: decodeWeights(state.second) },
      sums.update.map((x) => x * scale),
    );
    const next = {
      weights: encodeWeights(moved.weights),
      first: encodeWeights(moved.moments.first),
      second: encodeWeights(moved.moments.second),
      round: state.round + 1,
    };
    return next.round < params.rounds
      ? { next }
      : {
          done: {
            ...shapeOf(params),
            weights: next.weights,
            rounds: params.rounds,
            design: designOf(study),
          },
        };
  },

  ...networkScoring,
});

const designOf = ({ schema, prior }: Study<Types>): Design => designFrom(schema, prior);

const networkFor = (study: Study<Types>): Network => networkIn(designOf(study), layersOf(study.params));

const layersOf = ({ hidden, architecture }: Parameters): HiddenLayer[] =>
  architecture === undefined ? rectified(hidden) : hiddenLayersOf(architecture);

/** @returns what of a network's layers stands in a result. */
function shapeOf(params: Parameters): Pick<NetworkModel, "hidden" | "activations"> {
  const layers = layersOf(params);
  const hidden = layers.map(({ units }) => units);
  if (params.architecture === undefined) return { hidden };
  return { hidden, activations: layers.map(({ activation }) => activation) };
}

function updateGrid({ updateBound }: Parameters): { bound: number; step: number } {
  const step = powerOfTwo(exponentAbove(updateBound) - updateBits + 1);
  return { bound: (powerOfTwo(updateBits - 1) - 1) * step, step };
}
