import * as tf from "@tensorflow/tfjs-core";
import { loadLayersModel, sequential, layers as tfLayers } from "@tensorflow/tfjs-layers";
import test from "ava";
import fc from "fast-check";
import { seededRandom, uniform } from "../../../core/random.ts";
import { neural } from "../../../models/algorithms/neural.ts";
import { designMatrix } from "../../../models/design.ts";
import { type Activation, activations } from "../../../models/network/activation.ts";
import { chooseBackend } from "../../../models/network/backend.ts";
import { logOddsOf } from "../../../models/network/in-double.ts";
import { trainLocally } from "../../../models/network/local-training.ts";
import {
  backPropagate,
  flatten,
  type Network,
  networkOf,
  rectified,
  workspaceFor,
} from "../../../models/network/mlp.ts";
import { moveOn, type ServerStep } from "../../../models/network/server-step.ts";
import { decodeWeights, encodeWeights } from "../../../models/network/weights.ts";
import type { NetworkModel } from "../../../models/network-model.ts";
import { runPlain, runPooled } from "../../../models/plain.ts";
import { takeRows } from "../../../models/rows.ts";
import { borrowerFeatures, borrowers, scatter, studyOf } from "../../support/rows.ts";
import { readVectors } from "../../support/vectors.ts";

const draw = (length: number, seed: string, scale = 1): Float64Array => {
  const random = seededRandom(seed);
  return Float64Array.from({ length }, () => scale * (2 * uniform(random) - 1));
};

async function train(
  tables: Parameters<typeof runPlain>[1],
  params = {},
  run = runPlain,
): Promise<NetworkModel> {
  const study = studyOf(borrowerFeatures, [
    { name: "range" },
    { name: "summary" },
    { name: "neural", hidden: [6, 3], rounds: 4, ...params },
  ]);
  return (await run(study, tables)).results.neural as NetworkModel;
}

const parted = (parties: number, seed: string) =>
  scatter(240, parties, seed).map((rows) => takeRows(borrowers(), rows));

/**
 * The same network in double precision, the obvious way.
 * @returns every row's log-odds, and their derivative as the weights move along `direction`.
 */
function logOdds(
  { sizes, activations }: Network,
  w: Float64Array,
  direction: Float64Array,
  matrix: Float64Array,
) {
  const inputs = sizes[0]!;
  return Array.from({ length: matrix.length / inputs }, (_, r) => {
    let units = Array.from(matrix.subarray(r * inputs, (r + 1) * inputs), (x) => [x, 0] as [number, number]);
    let at = 0;
    for (const [l, size] of sizes.slice(1).entries()) {
      const bias = at + units.length * size;
      const sums = Array.from({ length: size }, (_, j) =>
        units.reduce(
          ([sum, slope], [x, dx], i): [number, number] => {
            const k = at + i * size + j;
            return [sum + x * w[k]!, slope + x * direction[k]! + dx * w[k]!];
          },
          [w[bias + j]!, direction[bias + j]!],
        ),
      );
      units = l === sizes.length - 2 ? sums : sums.map(([x, dx]) => activated(activations[l]!, x, dx));
      at = bias + size;
    }
    return units[0]!;
  });
}

function activated(activation: Activation, x: number, dx: number): [number, number] {
  switch (activation) {
    case "linear":
      return [x, dx];
    case "relu":
      return x > 0 ? [x, dx] : [0, 0];
    case "elu":
      return x > 0 ? [x, dx] : [Math.exp(x) - 1, dx * Math.exp(x)];
    case "softplus":
      return [Math.log(1 + Math.exp(x)), dx * sigmoid(x)];
    case "tanh":
      return [Math.tanh(x), dx / Math.cosh(x) ** 2];
    case "sigmoid":
      return [sigmoid(x), dx * sigmoid(x) * sigmoid(-x)];
  }
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

test("the gradient is that of the mean log-loss, for any shape", (t) => {
  const shape = fc.record({
    inputs: fc.integer({ min: 1, max: 17 }),
    hidden: fc.array(fc.integer({ min: 1, max: 17 }), { minLength: 1, maxLength: 3 }),
    own: fc.array(fc.constantFrom(...activations), { minLength: 3, maxLength: 3 }),
    rows: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 250, max: 530 })),
    seed: fc.string(),
  });
  fc.assert(
    fc.property(shape, ({ inputs, hidden, own, rows, seed }) => {
      const layers = hidden.map((units, l) => ({ units, activation: own[l]!, dropout: 0 }));
      const network = networkOf(inputs, layers);
      const weights = draw(network.length, seed).map(Math.fround);
      const matrix = draw(rows * inputs, `${seed} rows`).map(Math.fround);
      const label = Uint8Array.from(draw(rows, `${seed} label`), (x) => (x > 0 ? 1 : 0));
      const work = workspaceFor(network, weights);
      backPropagate(
        work,
        matrix,
        label,
        Uint32Array.from({ length: rows }, (_, r) => r),
        seededRandom(seed),
      );
      const gradient = flatten(work, work.gradient);
      const direction = draw(network.length, `${seed} direction`);
      const slope = direction.reduce((sum, d, i) => sum + d * gradient[i]!, 0);
      const expected = logOdds(network, weights, direction, matrix);
      const slopes = expected.map(([x, dx], r) => ((sigmoid(x) - label[r]!) * dx) / rows);
      const size = slopes.reduce((sum, d) => sum + Math.abs(d), 0);
      t.true(Math.abs(slopes.reduce((sum, d) => sum + d, 0) - slope) < 1e-5 * (1 + size));
      const scores = logOddsOf(network, weights, matrix);
      for (const [r, [x]] of expected.entries()) t.true(Math.abs(scores[r]! - x) < 1e-9);
    }),
    { numRuns: process.env.SLOW ? 1000 : 60 },
  );
});

test("parties that send exact gradients train what the pooled rows train, up to the 16-bit grid", async (t) => {
  const params = { optimizer: "fedavg", learningRate: 0.5, rounds: 10 };
  const pooled = decodeWeights((await train([borrowers()], params, runPooled)).weights);
  const federated = decodeWeights((await train(parted(5, "skew"), params)).weights);
  // Per round and party half a step of 2⁻¹⁶, scaled up by maxRowsPerParty · parties / rows = 6.25.
  const rounding = 10 * 2 ** -17 * 6.25 * 2;
  t.true(Math.max(...pooled.map((w, i) => Math.abs(w - federated[i]!))) < rounding);
  const start = decodeWeights(
    (await train([borrowers()], { ...params, learningRate: 1e-9, rounds: 1 })).weights,
  );
  t.true(Math.max(...pooled.map((w, i) => Math.abs(w - start[i]!))) > 20 * rounding);
});

test("the bank's steps follow the published rules", (t) => {
  const vectors = (readVectors("models.json") as { serverSteps: Record<string, number[]> }).serverSteps;
  const updates = vectors.updates as unknown as number[][];
  const steps: ServerStep[] = [
    { optimizer: "fedavg", serverLearningRate: 0.7 },
    { optimizer: "fedavgm", serverLearningRate: 0.7, serverMomentum: 0.9 },
    { optimizer: "fedadam", serverLearningRate: 0.7, tau: 0.001 },
  ];
  for (const step of steps) {
    let weights = Float32Array.from(vectors.start!);
    let moments = { first: new Float32Array(), second: new Float32Array() };
    for (const update of updates)
      ({ weights, moments } = moveOn(step, weights, moments, Float64Array.from(update)) as never);
    for (const [i, w] of vectors[step.optimizer]!.entries()) t.true(Math.abs(weights[i]! - w) < 1e-5);
  }
});

test("the proximal term holds local training back, batches and epochs carry it on", (t) => {
  const network = networkOf(4, rectified([5]));
  const start = draw(network.length, "w");
  const matrix = draw(400, "x", 2);
  const label = Uint8Array.from({ length: 100 }, (_, r) => (matrix[4 * r]! > 0 ? 1 : 0));
  const moved = (options: Partial<Parameters<typeof trainLocally>[4]>) => {
    const all = { epochs: 1, batches: 5, learningRate: 0.5, proximal: 0, ...options };
    const trained = trainLocally(network, start, matrix, label, all, seededRandom("order"));
    return Math.hypot(...trained.map((w, i) => w - start[i]!));
  };
  t.true(moved({ proximal: 1 }) < 0.8 * moved({}));
  t.true(moved({ epochs: 3 }) > 1.5 * moved({}));
  t.true(moved({ batches: 1 }) < moved({}));
});

test("steps in one run are the steps one by one: padding never learns", (t) => {
  const network = networkOf(5, rectified([7, 6, 3]));
  const matrix = draw(5 * 300, "x");
  const label = Uint8Array.from(draw(300, "y"), (x) => (x > 0 ? 1 : 0));
  const run = (weights: Float64Array, epochs: number) =>
    trainLocally(
      network,
      weights,
      matrix,
      label,
      { epochs, batches: 1, learningRate: 0.5, proximal: 0 },
      seededRandom(""),
    );
  const start = draw(network.length, "w").map(Math.fround);
  t.deepEqual(run(start, 3), run(run(run(start, 1), 1), 1));
});

for (const optimizer of ["fedavg", "fedprox", "fedavgm", "fedadam"])
  test(`${optimizer} is the same for the same seeds, and another for another`, async (t) => {
    const params = { optimizer, localBatches: 3, learningRate: 0.1 };
    const once = await train(parted(3, "seeds"), params);
    t.is((await train(parted(3, "seeds"), params)).weights, once.weights);
    t.not((await train(parted(3, "seeds"), { ...params, seed: "other" })).weights, once.weights);
  });

test("the exported tf.LayersModel gives our scores", async (t) => {
  t.true(["tfjs-node", "wasm", "cpu"].includes(await chooseBackend()));
  const result = await train([borrowers()]);
  const table = borrowers();
  const rows = tf.tensor2d(Float32Array.from(designMatrix(result.design, table)), [
    table.rows,
    result.design.columns.length,
  ]);
  const published = neural.model(result)!;
  const files = new Map((await published.exports.get("layers")!()).map(({ name, bytes }) => [name, bytes]));
  const { weightsManifest, ...described } = JSON.parse(Buffer.from(files.get("model.json")!).toString());
  const weightData = Uint8Array.from(files.get(weightsManifest[0].paths[0])!).buffer;
  const artifacts = { ...described, weightSpecs: weightsManifest[0].weights, weightData };
  const model = await loadLayersModel(tf.io.fromMemory(artifacts));
  const predicted = await (model.predict(rows) as tf.Tensor).data();
  const scores = published.score(table);
  t.true(Math.max(...scores.map((p, row) => Math.abs(p - predicted[row]!))) < 1e-6);
  t.is(encodeWeights(new Float32Array(weightData)), result.weights);
  t.deepEqual(JSON.parse(Buffer.from(files.get("design.json")!).toString()), result.design);
  model.dispose();
  rows.dispose();
});

test("training that diverges is refused with a hint", async (t) => {
  const error = await t.throwsAsync(train([borrowers()], { learningRate: 1e200, localEpochs: 9, rounds: 9 }));
  t.like(error, { reason: "not_converged", hint: "lower learningRate" });
});

const dense = (units: number, activation: string, more = {}) => ({
  class_name: "Dense",
  config: { units, activation, ...more },
});
const dropout = (rate: number) => ({ class_name: "Dropout", config: { rate } });
const architectureOf = (...layers: object[]) => ({ class_name: "Sequential", config: { layers } });

test("an architecture of the user's own is trained, scored and exported as what it is", async (t) => {
  await chooseBackend();
  const own = sequential({
    layers: [
      tfLayers.dense({ units: 6, activation: "tanh", inputShape: [5] }),
      tfLayers.dropout({ rate: 0.3 }),
      tfLayers.dense({ units: 3 }),
      tfLayers.activation({ activation: "elu" }),
      tfLayers.dense({ units: 1, activation: "sigmoid" }),
    ],
  });
  const architecture = own.toJSON(undefined, false);
  own.dispose();
  const result = await train(parted(3, "own"), { architecture, rounds: 20 });
  t.deepEqual(
    [result.hidden, result.activations],
    [
      [6, 3],
      ["tanh", "elu"],
    ],
  );
  const model = neural.model(result)!;
  const files = new Map((await model.exports.get("layers")!()).map(({ name, bytes }) => [name, bytes]));
  const { modelTopology } = JSON.parse(Buffer.from(files.get("model.json")!).toString());
  t.deepEqual(
    modelTopology.config.layers.map((layer: { config: { activation: string } }) => layer.config.activation),
    ["tanh", "elu", "sigmoid"],
  );
  // What it is trained on is another draw of the units each time; what it scores is not.
  const without = architectureOf(dense(6, "tanh"), dense(3, "elu"), dense(1, "sigmoid"));
  t.not((await train(parted(3, "own"), { architecture: without, rounds: 20 })).weights, result.weights);
  t.deepEqual(model.score(borrowers()), neural.model(result)!.score(borrowers()));
});

test("units that are left out are so with their share, and the others stand in for them", (t) => {
  const network = networkOf(1, [{ units: 400, activation: "linear", dropout: 0.25 }]);
  const work = workspaceFor(network, new Float64Array(network.length).fill(1));
  const matrix = new Float64Array(50).fill(1);
  backPropagate(
    work,
    matrix,
    new Uint8Array(50),
    Uint32Array.from({ length: 50 }, (_, r) => r),
    seededRandom("units"),
  );
  const entries = Array.from(work.layers[1]!)
    .filter((_, i) => i % work.widths[1]! < 400)
    .slice(0, 50 * 400);
  t.deepEqual([...new Set(entries.map((x) => x.toFixed(4)))].sort(), ["0.0000", (2 / 0.75).toFixed(4)]);
  const left = entries.filter((x) => x === 0).length / entries.length;
  t.true(Math.abs(left - 0.25) < 5 * Math.sqrt((0.25 * 0.75) / entries.length), `${left}`);
});

test("an architecture that is none of ours is refused with what it is not", async (t) => {
  const top = dense(1, "sigmoid");
  for (const [layers, why] of [
    [[top], /no hidden layer/],
    [[dense(4, "relu"), dense(2, "softmax")], /activation/],
    [[dense(4, "relu"), dense(1, "tanh")], /one sigmoid unit/],
    [[dropout(0.5), dense(4, "relu"), top], /a Dropout follows/],
    [[dense(4, "relu"), dropout(1), top], /rate/],
    [[dense(4, "relu", { kernel_regularizer: { class_name: "L2" } }), top], /not done here/],
    [[dense(4, "relu", { use_bias: false }), top], /bias/],
    [[dense(4, "relu", { kernel_initializer: { class_name: "HeNormal" } }), top], /GlorotUniform/],
    [[{ class_name: "LSTM", config: {} }, top], /class_name/],
  ] as const) {
    const error = await t.throwsAsync(train([borrowers()], { architecture: architectureOf(...layers) }));
    t.like(error, { reason: "parameters_invalid" });
    t.regex(error!.message, why);
  }
});
