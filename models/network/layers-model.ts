import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import type { ExportedFile } from "../algorithm.ts";
import { chooseBackend } from "./backend.ts";
import type { Network } from "./mlp.ts";

/**
 * A network as a model that TensorFlow.js loads, saves and runs.
 * Input: rows of the design matrix, shape [rows, inputs]; output: probability of bad, shape [rows, 1].
 * @param flat - weights, shape [network.length].
 */
async function layersModelOf(
  { sizes, activations }: Network,
  flat: Float32Array,
): Promise<layers.LayersModel> {
  await chooseBackend();
  const model = layers.sequential({
    name: "fedcredit",
    layers: sizes.slice(1).map((units, l) =>
      layers.layers.dense({
        units,
        name: `dense_${l + 1}`,
        activation: activations[l] ?? "sigmoid",
        ...(l === 0 ? { inputShape: [sizes[0]!] } : {}),
      }),
    ),
  });
  const tensors: tf.Tensor[] = [];
  let at = 0;
  for (let l = 1; l < sizes.length; l++)
    for (const shape of [[sizes[l - 1]!, sizes[l]!], [sizes[l]!]]) {
      const length = shape.reduce((product, n) => product * n, 1);
      tensors.push(tf.tensor(flat.slice(at, at + length), shape));
      at += length;
    }
  model.setWeights(tensors);
  tf.dispose(tensors);
  return model;
}

/**
 * @returns the files that `tf.loadLayersModel` reads: topology, weight specification and weights.
 * @see https://www.tensorflow.org/js/guide/save_load
 */
export async function exportLayersModel(
  network: Network,
  weights: Float32Array,
): Promise<readonly ExportedFile[]> {
  const model = await layersModelOf(network, weights);
  try {
    const { modelTopology, weightSpecs, weightData } = await artifactsOf(model);
    const file = "weights.bin";
    const description = {
      format: "layers-model",
      modelTopology,
      weightsManifest: [{ paths: [file], weights: weightSpecs }],
    };
    return [
      { name: "model.json", bytes: Buffer.from(JSON.stringify(description)) },
      { name: file, bytes: new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData)) },
    ];
  } finally {
    model.dispose();
  }
}

const artifactsOf = (model: layers.LayersModel): Promise<tf.io.ModelArtifacts> =>
  new Promise((resolve, reject) => {
    model
      .save(
        tf.io.withSaveHandler(async (artifacts) => {
          resolve(artifacts);
          return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
        }),
      )
      .catch(reject);
  });
