import { type Random, seededRandom, uniform } from "../../core/random.ts";
import { type Activation, activationFunctions } from "./activation.ts";
import { columnBlock, type Kernels, kernelsOn, rowBlock } from "./kernels.ts";

export interface HiddenLayer {
  readonly units: number;
  readonly activation: Activation;
  /** Share of the units that a training step leaves out. */
  readonly dropout: number;
}

/** @returns layers of rectified units. */
export const rectified = (hidden: readonly number[]): HiddenLayer[] =>
  hidden.map((units) => ({ units, activation: "relu", dropout: 0 }));

/**
 * A multilayer perceptron with one sigmoid output.
 * Weights are one flat vector: per layer the kernel, shape [inputs, outputs] row-major, then the bias:
 * the order of a `tf.LayersModel` of dense layers.
 */
export interface Network {
  /** Units per layer, inputs first, 1 last. */
  readonly sizes: readonly number[];
  /** Of the hidden layers. */
  readonly activations: readonly Activation[];
  readonly dropouts: readonly number[];
  /** Length of the flat weight vector. */
  readonly length: number;
}

export function networkOf(inputs: number, hidden: readonly HiddenLayer[]): Network {
  const sizes = [inputs, ...hidden.map(({ units }) => units), 1];
  let length = 0;
  for (let l = 1; l < sizes.length; l++) length += (sizes[l - 1]! + 1) * sizes[l]!;
  const activations = hidden.map(({ activation }) => activation);
  return { sizes, activations, dropouts: hidden.map(({ dropout }) => dropout), length };
}

/** Uniform in ±√(6 / (inputs + outputs)), biases 0. @see Glorot and Bengio 2010, AISTATS 9:249 */
export function initialWeights({ sizes, length }: Network, seed: string): Float32Array {
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

/** Rows taken through the network at a time: what is in flight fits a processor's cache. */
const chunkRows = 256;

/**
 * The buffers of one run, in the kernel's memory. Every layer but the last has one more unit that is always 1:
 * its weights are the biases. Layers are padded to whole blocks; what belongs to a padded unit stays 0.
 */
export interface Workspace {
  readonly network: Network;
  /** Padded units per layer. */
  readonly widths: readonly number[];
  readonly kernels: Kernels;
  /** Activations of a chunk, [chunkRows, width] per layer; layer 0 is the input. */
  readonly layers: readonly Float32Array[];
  /** ∂ loss / ∂ (weighted input) of a chunk, likewise. */
  readonly deltas: readonly Float32Array[];
  readonly weights: Float32Array;
  /** ∂ mean log-loss / ∂ weights of the last batch, laid out as `weights`. */
  readonly gradient: Float32Array;
  /** A layer's kernel, transposed. */
  readonly transposed: Float32Array;
  /** What each unit of a chunk is multiplied by in this step: per layer, empty where none is left out. */
  readonly masks: readonly Float32Array[];
}

/** @param weights - flat, shape [network.length]: copied in. */
export function workspaceFor(network: Network, weights: ArrayLike<number>): Workspace {
  const widths = network.sizes.map((size) => Math.ceil((size + 1) / columnBlock) * columnBlock);
  const lengthsOfKernels = widths.slice(1).map((width, l) => widths[l]! * width);
  const padded = lengthsOfKernels.reduce((sum, kernel) => sum + kernel, 0);
  const lengths = [
    ...widths.flatMap((width) => [chunkRows * width, chunkRows * width]),
    padded,
    padded,
    Math.max(...lengthsOfKernels),
  ];
  const bytes = lengths.reduce((sum, length) => sum + 4 * length, 0);
  const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / 65_536) });
  let at = 0;
  const buffers = lengths.map((length) => {
    const buffer = new Float32Array(memory.buffer, at, length);
    at += buffer.byteLength;
    return buffer;
  });
  const [inFlight, [own, gradient, transposed]] = [buffers.slice(0, -3), buffers.slice(-3)];
  const work: Workspace = {
    network,
    widths,
    kernels: kernelsOn(memory),
    layers: inFlight.filter((_, i) => i % 2 === 0),
    deltas: inFlight.filter((_, i) => i % 2 === 1),
    weights: own!,
    gradient: gradient!,
    transposed: transposed!,
    masks: widths.map(
      (width, l) => new Float32Array((network.dropouts[l - 1] ?? 0) > 0 ? chunkRows * width : 0),
    ),
  };
  eachWeight(work, (flat, within) => {
    own![within] = weights[flat]!;
  });
  return work;
}

/** @returns `work.weights` or `work.gradient` as a flat vector, shape [network.length]. */
export function flatten(work: Workspace, padded: Float32Array): Float64Array {
  const flat = new Float64Array(work.network.length);
  eachWeight(work, (i, within) => {
    flat[i] = padded[within]!;
  });
  return flat;
}

function eachWeight({ network, widths }: Workspace, visit: (flat: number, within: number) => void): void {
  let flat = 0;
  let start = 0;
  for (let l = 1; l < widths.length; l++) {
    for (let i = 0; i <= network.sizes[l - 1]!; i++)
      for (let j = 0; j < network.sizes[l]!; j++) visit(flat++, start + i * widths[l]! + j);
    start += widths[l - 1]! * widths[l]!;
  }
}

const wholeBlocks = (rows: number): number => Math.ceil(rows / rowBlock) * rowBlock;

/** Sets one unit of every row. */
function setUnit(layer: Float32Array, rows: number, width: number, unit: number, value: number): void {
  for (let r = 0, at = unit; r < rows; r++, at += width) layer[at] = value;
}

/** Draws which units the chunk leaves out; the others count for more, so that their sum stays as it was. */
function drawMasks({ network, masks }: Workspace, random: Random): void {
  for (const [l, mask] of masks.entries()) {
    if (mask.length === 0) continue;
    const left = network.dropouts[l - 1]!;
    const bytes = random.bytes(2 * mask.length);
    for (let i = 0; i < mask.length; i++)
      mask[i] = bytes[2 * i]! + 256 * bytes[2 * i + 1]! < 65_536 * left ? 0 : 1 / (1 - left);
  }
}

/** Multiplies the units of a layer by what they have in this step. */
function mask(units: Float32Array, by: Float32Array, rows: number, width: number): void {
  if (by.length > 0) for (let i = 0; i < rows * width; i++) units[i]! *= by[i]!;
}

/** Takes the chunk in layer 0 up through the layers. */
function activate({ network, widths, layers, weights, kernels, masks }: Workspace, rows: number): void {
  let kernel = weights.byteOffset;
  for (let l = 1; l < widths.length; l++) {
    const [from, out] = [layers[l - 1]!, layers[l]!];
    const [inputs, outputs] = [widths[l - 1]!, widths[l]!];
    const blocks = wholeBlocks(rows);
    setUnit(from, rows, inputs, network.sizes[l - 1]!, 1);
    out.fill(0, 0, blocks * outputs);
    kernels.multiplyAdd(out.byteOffset, from.byteOffset, kernel, blocks, inputs, 4 * inputs, 4, 4 * outputs);
    if (l === widths.length - 1)
      for (let r = 0; r < rows; r++) out[r * outputs] = 1 / (1 + Math.exp(-out[r * outputs]!));
    else if (network.activations[l - 1] === "relu") kernels.rectify(out.byteOffset, 4 * blocks * outputs);
    else {
      const { value } = activationFunctions[network.activations[l - 1]!];
      // What belongs to a padded unit stays 0.
      for (let r = 0; r < rows; r++)
        for (let j = 0, i = r * outputs; j < network.sizes[l]!; j++, i++) out[i] = value(out[i]!);
    }
    mask(out, masks[l]!, rows, outputs);
    kernel += 4 * inputs * outputs;
  }
}

/** Copies rows of a row-major matrix [rows, inputs] into layer 0. */
function load(work: Workspace, matrix: Float64Array, rows: number, rowAt: (r: number) => number): void {
  const inputs = work.network.sizes[0]!;
  const width = work.widths[0]!;
  const into = work.layers[0]!;
  for (let r = 0; r < rows; r++) {
    const from = rowAt(r) * inputs;
    for (let j = 0; j < inputs; j++) into[r * width + j] = matrix[from + j]!;
  }
}

/**
 * Back-propagation of the mean log-loss over a batch; fills `work.gradient`.
 * @param matrix - row-major, shape [rows, inputs].
 * @param batch - which rows, in which order.
 * @param random - draws which units are left out, where the network leaves any out.
 */
export function backPropagate(
  work: Workspace,
  matrix: Float64Array,
  label: Uint8Array,
  batch: Uint32Array,
  random: Random,
): void {
  const top = work.widths.length - 1;
  const width = work.widths[top]!;
  work.gradient.fill(0);
  for (let first = 0; first < batch.length; first += chunkRows) {
    const rows = Math.min(chunkRows, batch.length - first);
    load(work, matrix, rows, (r) => batch[first + r]!);
    drawMasks(work, random);
    activate(work, rows);
    for (let r = 0; r < rows; r++)
      work.deltas[top]![r * width] =
        (work.layers[top]![r * width]! - label[batch[first + r]!]!) / batch.length;
    addGradient(work, rows);
  }
}

/** Takes the chunk's top delta down through the layers. */
function addGradient(work: Workspace, rows: number): void {
  const { network, widths, layers, deltas, weights, gradient, transposed, kernels, masks } = work;
  let start = weights.length;
  for (let l = widths.length - 1; l >= 1; l--) {
    const [inputs, outputs] = [widths[l - 1]!, widths[l]!];
    const [from, delta] = [layers[l - 1]!, deltas[l]!];
    start -= inputs * outputs;
    const into = gradient.byteOffset + 4 * start;
    kernels.multiplyAdd(into, from.byteOffset, delta.byteOffset, inputs, rows, 4, 4 * inputs, 4 * outputs);
    if (l === 1) continue;
    for (let i = 0; i < inputs; i++)
      for (let j = 0; j < outputs; j++) transposed[j * inputs + i] = weights[start + i * outputs + j]!;
    const blocks = wholeBlocks(rows);
    const below = deltas[l - 1]!.fill(0, 0, blocks * inputs);
    const kernel = transposed.byteOffset;
    kernels.multiplyAdd(
      below.byteOffset,
      delta.byteOffset,
      kernel,
      blocks,
      outputs,
      4 * outputs,
      4,
      4 * inputs,
    );
    if (network.activations[l - 2] === "relu")
      kernels.clearWhereInactive(below.byteOffset, from.byteOffset, 4 * blocks * inputs);
    else {
      const { slope } = activationFunctions[network.activations[l - 2]!];
      for (let r = 0; r < rows; r++)
        for (let i = r * inputs, j = 0; j < network.sizes[l - 1]!; j++, i++) {
          const by = masks[l - 1]!.length === 0 ? 1 : masks[l - 1]![i]!;
          below[i]! *= by === 0 ? 0 : slope(from[i]! / by);
        }
    }
    mask(below, masks[l - 1]!, rows, inputs);
    setUnit(below, rows, inputs, network.sizes[l - 1]!, 0);
  }
}
