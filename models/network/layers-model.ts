import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import type { NeuralResult } from "../algorithms/neural.ts";
import { chooseBackend } from "./backend.ts";
import { networkOf } from "./mlp.ts";
import { decodeWeights } from "./weights.ts";

/**
 * The neural result as a model that TensorFlow.js loads, saves and runs.
 * Input: standardized rows (see standardize.ts), shape [rows, design.columns.length]; output: probability of
 * bad, shape [rows, 1]. The caller disposes of it.
 */
export async function layersModelOf(result: NeuralResult): Promise<layers.LayersModel> {
  await chooseBackend();
  const { sizes } = networkOf(result.design.columns.length, result.hidden);
  const model = layers.sequential({
    name: "fedcredit",
    layers: sizes.slice(1).map((units, l) =>
      layers.layers.dense({
        units,
        name: `dense_${l + 1}`,
        activation: l === sizes.length - 2 ? "sigmoid" : "relu",
        ...(l === 0 ? { inputShape: [sizes[0]!] } : {}),
      }),
    ),
  });
  const flat = decodeWeights(result.weights);
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

/** @returns the model in TensorFlow.js's own format: topology, weight specification and weights. */
export async function exportLayersModel(result: NeuralResult): Promise<tf.io.ModelArtifacts> {
  const model = await layersModelOf(result);
  try {
    return await new Promise<tf.io.ModelArtifacts>((resolve, reject) => {
      model
        .save(
          tf.io.withSaveHandler(async (artifacts) => {
            resolve(artifacts);
            return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
          }),
        )
        .catch(reject);
    });
  } finally {
    model.dispose();
  }
}
