import { z } from "zod";
import { sha256 } from "../../core/canonical.ts";
import { keyedUniforms } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import type { Study } from "../algorithm.ts";
import { type Sum, sum } from "../blocks.ts";
import { defineAlgorithm } from "../define.ts";
import { type Design, type DesignBasis, designFrom, designNeeds, designParameters } from "../design.ts";
import type { MemoKey } from "../memory.ts";
import { clippedGradient } from "../network/clipped-gradient.ts";
import { initialWeights, type Network, rectified } from "../network/mlp.ts";
import { decodeWeights, encodeWeights, weightsSchema } from "../network/weights.ts";
import {
  hiddenSchema,
  inputsOf,
  type NetworkModel,
  networkIn,
  networkModelSchema,
  networkScoring,
} from "../network-model.ts";
import { powerOfTwo } from "../numerics/powers-of-two.ts";
import { checkRows } from "../rows.ts";
import type { Table } from "../table.ts";

const parameters = z.strictObject({
  ...designParameters,
  hidden: hiddenSchema
    .default([16])
    .describe("rectified units per hidden layer; noise grows with the root of all weights"),
  rounds: z.int().min(1).max(10_000).default(200).describe("sums taken"),
  rowShare: z
    .number()
    .min(0.001)
    .max(1)
    .default(0.05)
    .describe(
      "probability with which each row is in a sum, drawn anew each time by its enterprise in secret",
    ),
  norm: z
    .number()
    .positive()
    .max(1e3)
    .default(1)
    .describe("length to which each row's gradient is shortened"),
  learningRate: z.number().positive().default(2).describe("of each step"),
  farthest: z
    .number()
    .min(1)
    .max(1e3)
    .default(4)
    .describe("standard deviations from the mean at which an input is cut off"),
  seed: z.string().default("neural").describe("draws the initial weights; public"),
});

type Parameters = z.output<typeof parameters>;

type State = {
  /** Flat, as in the result. */
  readonly weights: string;
  /** Their mean since half of the sums; empty before. */
  readonly mean: string;
  readonly round: number;
};

type Types = {
  params: Parameters;
  prior: DesignBasis;
  state: State;
  result: NetworkModel;
  blocks: { readonly gradient: Sum };
};

/**
 * A multilayer perceptron by distributed DP-SGD: each enterprise draws rows of its own, each on its own with one
 * probability, shortens the gradient of each and adds them up; the noise is the sum's. The result is the mean of the
 * weights over the second half of the steps, of which the noise is less.
 * @see Abadi et al. 2016, arXiv:1607.00133; Kairouz et al. 2021, arXiv:2102.06387
 */
export const neuralPrivate = defineAlgorithm<Types>({
  name: "neural-private",
  parameters,
  result: networkModelSchema,
  needs: designNeeds,
  maxSteps: ({ rounds }) => rounds,

  start(study) {
    const weights = encodeWeights(initialWeights(networkFor(study), study.params.seed));
    return { next: { weights, mean: "", round: 0 } };
  },

  state(study) {
    const weights = weightsSchema(networkFor(study).length);
    const round = z
      .int()
      .min(0)
      .max(study.params.rounds - 1);
    return z.strictObject({ weights, mean: z.union([z.literal(""), weights]), round });
  },

  blocks(_, study) {
    const { norm } = study.params;
    return { gradient: sum(networkFor(study).length, norm * study.schema.maxRowsPerParty, powerOfTwo(-24)) };
  },

  contribute({ weights }, { training, memo, random }, study) {
    const { norm, rowShare, farthest } = study.params;
    const { matrix, names } = memo.keep(rowsKey, () => {
      checkRows(study.schema, training);
      const matrix = inputsOf({ design: designOf(study), farthest }, training);
      return { matrix, names: namesOf(matrix, training) };
    });
    const draws = keyedUniforms(random.bytes(32), names);
    const chosen = [...draws.keys()].filter((row) => draws[row]! < rowShare);
    const gradient = clippedGradient(
      networkFor(study),
      decodeWeights(weights),
      matrix,
      training.label,
      chosen,
      norm,
    );
    return { gradient };
  },

  advance(state, { gradient }, study) {
    const { rowShare, learningRate, rounds } = study.params;
    const rows = study.prior.summary.rows * rowShare;
    const before = decodeWeights(state.weights);
    const weights = before.map((w, i) => w - (learningRate * gradient[i]!) / rows);
    if (!weights.every(Number.isFinite))
      throw new Refusal("not_converged", "training diverged", { hint: "lower learningRate" });
    const round = state.round + 1;
    const averaged = round - Math.floor(rounds / 2);
    const kept = decodeWeights(state.mean);
    const mean = averaged <= 1 ? weights : kept.map((w, i) => w + (weights[i]! - w) / averaged);
    if (round < rounds)
      return {
        next: { weights: encodeWeights(weights), mean: averaged < 1 ? "" : encodeWeights(mean), round },
      };
    const { hidden, farthest } = study.params;
    return { done: { hidden, weights: encodeWeights(mean), rounds, design: designOf(study), farthest } };
  },

  takesNoise: true,
  sensitivity: (_, { params }) => ({ gradient: params.norm }),
  samplingRate: ({ rowShare }) => rowShare,

  ...networkScoring,
});

interface Rows {
  readonly matrix: Float64Array;
  /** 16 bytes of each row. */
  readonly names: Uint8Array;
}

const rowsKey: MemoKey<Rows> = { name: "inputs and names" };

const designOf = ({ schema, prior }: Study<Types>): Design => designFrom(schema, prior);

const networkFor = (study: Study<Types>): Network =>
  networkIn(designOf(study), rectified(study.params.hidden));

/**
 * @returns of each row 16 bytes that follow from what it holds and from how many before it hold the same: rows are then
 *   drawn each on its own, and which of them does not depend on the order of others.
 */
function namesOf(matrix: Float64Array, { rows, label }: Table): Uint8Array {
  const width = rows === 0 ? 0 : matrix.length / rows;
  const seen = new Map<string, number>();
  const names = new Uint8Array(16 * rows);
  for (let row = 0; row < rows; row++) {
    const own = matrix.slice(row * width, (row + 1) * width);
    const content = sha256("fedcredit/row\0", Uint8Array.of(label[row]!), new Uint8Array(own.buffer));
    const text = Buffer.from(content).toString("base64");
    const before = seen.get(text) ?? 0;
    seen.set(text, before + 1);
    const name = sha256("fedcredit/row\0", content, Buffer.from(String(before)));
    names.set(name.subarray(0, 16), 16 * row);
  }
  return names;
}
