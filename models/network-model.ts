/** Models that are a network on the design matrix. */
import { z } from "zod";
import type { Scoring } from "./algorithm.ts";
import { type Design, designMatrix, designSchema } from "./design.ts";
import { activations } from "./network/activation.ts";
import { integratedGradients, logOddsOf } from "./network/in-double.ts";
import { type HiddenLayer, type Network, networkOf, rectified } from "./network/mlp.ts";
import { decodeWeights, weightsSchema } from "./network/weights.ts";
import { probabilityOf } from "./numerics/logistic-sums.ts";
import type { Table } from "./table.ts";

export const hiddenSchema = z.array(z.int().min(1).max(4096)).min(1).max(8);

export const networkModelSchema = z
  .strictObject({
    hidden: hiddenSchema,
    /** Of the hidden layers; rectified units where absent. */
    activations: z.array(z.enum(activations)).exactOptional(),
    /** Flat, base64 of little-endian float32: per layer the kernel [inputs, outputs], then the bias. */
    weights: z.string(),
    rounds: z.int().min(1),
    design: designSchema,
    /** Standard deviations from the mean at which an input is cut off; a million where absent. */
    farthest: z.number().positive().exactOptional(),
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

export type NetworkModel = Readonly<z.output<typeof networkModelSchema>>;

export const networkIn = (design: Design, hidden: readonly HiddenLayer[]): Network =>
  networkOf(design.columns.length, hidden);

/** @returns what training drops is not there any more. */
const networkOfResult = ({ design, hidden, activations }: NetworkModel): Network =>
  networkIn(
    design,
    rectified(hidden).map((layer, l) => ({ ...layer, activation: activations?.[l] ?? layer.activation })),
  );

const usualFarthest = 1e6;

/** Far outside of what was trained on, a score is that of what lies at the edge. */
export const inputsOf = (
  { design, farthest = usualFarthest }: Pick<NetworkModel, "design" | "farthest">,
  rows: Table,
): Float64Array => designMatrix(design, rows).map((x) => Math.max(-farthest, Math.min(farthest, x)));

/** Scores, reasons and exports of every such model. */
export const networkScoring: Required<
  Pick<Scoring<NetworkModel>, "score" | "features" | "explain" | "portable" | "exports">
> = {
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
    farthest: model.farthest ?? usualFarthest,
  }),

  exports: {
    /** `tf.loadLayersModel` reads it; `design.json` says how rows become its inputs. */
    async layers(model) {
      // Loaded where it is asked for: an enterprise's node needs no tensor library.
      const { exportLayersModel } = await import("./network/layers-model.ts");
      return [
        ...(await exportLayersModel(networkOfResult(model), decodeWeights(model.weights))),
        { name: "design.json", bytes: Buffer.from(JSON.stringify(model.design, undefined, 2)) },
      ];
    },
  },
};
