import { z } from "zod";
import { seededRandom, uniform } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import type { Study } from "../algorithm.ts";
import { type Count, count, type Sum, sum } from "../blocks.ts";
import { defineAlgorithm } from "../define.ts";
import {
  type Design,
  type DesignBasis,
  designFrom,
  designMatrix,
  designNeeds,
  designParameters,
  designSchema,
  trainingMatrix,
} from "../design.ts";
import { activations } from "../network/activation.ts";
import { architectureSchema, hiddenLayersOf } from "../network/architecture.ts";
import { integratedGradients, logOddsOf } from "../network/in-double.ts";
import { trainLocally } from "../network/local-training.ts";
import { type HiddenLayer, type Network, networkOf, rectified } from "../network/mlp.ts";

import { moveOn } from "../network/server-step.ts";
import { decodeWeights, encodeWeights, weightsSchema } from "../network/weights.ts";
import { probabilityOf } from "../numerics/logistic-sums.ts";
import { exponentAbove, powerOfTwo } from "../numerics/powers-of-two.ts";

import type { Table } from "../table.ts";

const hidden = z.array(z.int().min(1).max(4096)).min(1).max(8);

const parameters = z.strictObject({
  ...designParameters,
  hidden: hidden.default([64, 32]).describe("rectified units per hidden layer"),
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

const result = z
  .strictObject({
    hidden,
    /** Of the hidden layers; rectified units where absent. */
    activations: z.array(z.enum(activations)).exactOptional(),
    /** Flat, base64 of little-endian float32: per layer the kernel [inputs, outputs], then the bias. */
    weights: z.string(),
    rounds: z.int().min(1),
    design: designSchema,
  })
  .refine(
    ({ hidden, activations }) => activations === undefined || activations.length === hidden.length,
    "not an activation for each hidden layer",
  )
  .refine(
    ({ hidden, weights, design }) =>
      weightsSchema(networkIn(design, rectified(hidden)).length).safeParse(weights).success,
    {
      error: "the weights are not those of the network",
    },
  );

export type NeuralResult = Readonly<z.output<typeof result>>;

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
  result: NeuralResult;
  blocks: {
    readonly rows: Count;
    /** n · Δw, in units of `maxRowsPerParty` rows. */
    readonly update: Sum;
  };
};

/** Standard deviations from the mean at which an input is cut off when rows are scored. */
const farthest = 1e6;
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
  result,
  needs: designNeeds,
  maxSteps: ({ rounds }) => rounds,

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

  features: ({ design }) => design.features,

  score: (model, rows) =>
    logOddsOf(networkOfResult(model), decodeWeights(model.weights), inputsOf(model, rows)).map(probabilityOf),

  /** Integrated gradients: what each column's inputs add, against a row that is the average of all. */
  explain(model, rows) {
    const { columns, features } = model.design;
    const effects = integratedGradients(
      networkOfResult(model),
      decodeWeights(model.weights),
      inputsOf(model, rows),
    );
    return Array.from({ length: rows.rows }, (_, row) =>
      features.map(({ name: feature }) => ({
        feature,
        effect: columns.reduce(
          (sum, column, j) => (column.feature === feature ? sum + effects[row * columns.length + j]! : sum),
          0,
        ),
      })),
    );
  },

  portable: (model) => ({
    kind: "network",
    features: model.design.features,
    design: model.design,
    network: networkOfResult(model),
    weights: decodeWeights(model.weights),
    farthest,
  }),

  exports: {
    /** `tf.loadLayersModel` reads it; `design.json` says how rows become its inputs. */
    async layers(model) {
      // Loaded where it is asked for: an enterprise's node needs no tensor library.
      const { exportLayersModel } = await import("../network/layers-model.ts");
      return [
        ...(await exportLayersModel(networkOfResult(model), decodeWeights(model.weights))),
        { name: "design.json", bytes: Buffer.from(JSON.stringify(model.design, undefined, 2)) },
      ];
    },
  },
});

const designOf = ({ schema, prior }: Study<Types>): Design => designFrom(schema, prior);

const networkIn = (design: Design, hidden: readonly HiddenLayer[]): Network =>
  networkOf(design.columns.length, hidden);

const networkFor = (study: Study<Types>): Network => networkIn(designOf(study), layersOf(study.params));

/** @returns what training drops is not there any more. */
const networkOfResult = ({ design, hidden, activations }: NeuralResult): Network =>
  networkIn(
    design,
    rectified(hidden).map((layer, l) => ({ ...layer, activation: activations?.[l] ?? layer.activation })),
  );

const layersOf = ({ hidden, architecture }: Parameters): HiddenLayer[] =>
  architecture === undefined ? rectified(hidden) : hiddenLayersOf(architecture);

/** @returns what of a network's layers stands in a result. */
function shapeOf(params: Parameters): Pick<NeuralResult, "hidden" | "activations"> {
  const layers = layersOf(params);
  const hidden = layers.map(({ units }) => units);
  if (params.architecture === undefined) return { hidden };
  return { hidden, activations: layers.map(({ activation }) => activation) };
}

/** Far outside of what was trained on, a score is that of what lies at the edge. */
const inputsOf = ({ design }: NeuralResult, rows: Table): Float64Array =>
  designMatrix(design, rows).map((x) => Math.max(-farthest, Math.min(farthest, x)));

function updateGrid({ updateBound }: Parameters): { bound: number; step: number } {
  const step = powerOfTwo(exponentAbove(updateBound) - updateBits + 1);
  return { bound: (powerOfTwo(updateBits - 1) - 1) * step, step };
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
