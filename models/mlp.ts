/**
 * A multilayer perceptron with rectified hidden units and one sigmoid output, on plain arrays.
 * Weights are one flat vector: per layer the kernel, shape [inputs, outputs] row-major, then the bias:
 * the order of a `tf.LayersModel` of dense layers.
 */
export interface Network {
  /** Units per layer, inputs first, 1 last. */
  readonly sizes: readonly number[];
  /** Length of the flat weight vector. */
  readonly length: number;
}

export function networkOf(inputs: number, hidden: readonly number[]): Network {
  const sizes = [inputs, ...hidden, 1];
  let length = 0;
  for (let l = 1; l < sizes.length; l++) length += (sizes[l - 1]! + 1) * sizes[l]!;
  return { sizes, length };
}

/**
 * c += a·b. `c` is row-major, shape [m, n]; a [m, k] and b [k, n] are read through their strides.
 * Blocks of 2 × 4 keep the running sums in registers.
 */
function multiplyAdd(
  c: Float64Array,
  a: Float64Array,
  b: Float64Array,
  m: number,
  n: number,
  k: number,
  aRow: number,
  aColumn: number,
  bRow: number,
  bColumn: number,
): void {
  let i = 0;
  for (; i + 1 < m; i += 2) {
    let j = 0;
    for (; j + 3 < n; j += 4) {
      let s00 = 0;
      let s01 = 0;
      let s02 = 0;
      let s03 = 0;
      let s10 = 0;
      let s11 = 0;
      let s12 = 0;
      let s13 = 0;
      let p = i * aRow;
      let q = p + aRow;
      let r = j * bColumn;
      for (let t = 0; t < k; t++) {
        const x = a[p]!;
        const y = a[q]!;
        const b0 = b[r]!;
        const b1 = b[r + bColumn]!;
        const b2 = b[r + 2 * bColumn]!;
        const b3 = b[r + 3 * bColumn]!;
        s00 += x * b0;
        s01 += x * b1;
        s02 += x * b2;
        s03 += x * b3;
        s10 += y * b0;
        s11 += y * b1;
        s12 += y * b2;
        s13 += y * b3;
        p += aColumn;
        q += aColumn;
        r += bRow;
      }
      const at = i * n + j;
      c[at]! += s00;
      c[at + 1]! += s01;
      c[at + 2]! += s02;
      c[at + 3]! += s03;
      c[at + n]! += s10;
      c[at + n + 1]! += s11;
      c[at + n + 2]! += s12;
      c[at + n + 3]! += s13;
    }
    for (; j < n; j++) {
      c[i * n + j]! += inner(a, b, k, i * aRow, aColumn, j * bColumn, bRow);
      c[(i + 1) * n + j]! += inner(a, b, k, (i + 1) * aRow, aColumn, j * bColumn, bRow);
    }
  }
  for (; i < m; i++)
    for (let j = 0; j < n; j++) c[i * n + j]! += inner(a, b, k, i * aRow, aColumn, j * bColumn, bRow);
}

function inner(
  a: Float64Array,
  b: Float64Array,
  k: number,
  aStart: number,
  aStep: number,
  bStart: number,
  bStep: number,
): number {
  let sum = 0;
  for (let t = 0, p = aStart, r = bStart; t < k; t++, p += aStep, r += bStep) sum += a[p]! * b[r]!;
  return sum;
}

/** Activations of one batch, layer by layer; layer 0 is the input. */
function activate(
  { sizes }: Network,
  weights: Float64Array,
  layers: readonly Float64Array[],
  rows: number,
): void {
  let at = 0;
  for (let l = 1; l < sizes.length; l++) {
    const inputs = sizes[l - 1]!;
    const outputs = sizes[l]!;
    const out = layers[l]!;
    const bias = at + inputs * outputs;
    for (let r = 0; r < rows; r++)
      for (let j = 0; j < outputs; j++) out[r * outputs + j] = weights[bias + j]!;
    multiplyAdd(
      out,
      layers[l - 1]!,
      weights.subarray(at, bias),
      rows,
      outputs,
      inputs,
      inputs,
      1,
      outputs,
      1,
    );
    const last = l === sizes.length - 1;
    for (let o = 0; o < rows * outputs; o++) {
      const x = out[o]!;
      out[o] = last ? 1 / (1 + Math.exp(-x)) : Math.max(0, x);
    }
    at = bias + outputs;
  }
}

/** Rows taken through the network at a time: what is in flight fits a processor's cache. */
const chunkRows = 256;

/** @returns the network's output for every row of `matrix`, row-major, shape [rows, inputs]. */
export function forward(network: Network, weights: Float64Array, matrix: Float64Array): Float64Array {
  const inputs = network.sizes[0]!;
  const rows = matrix.length / inputs;
  const out = new Float64Array(rows);
  const layers = network.sizes.map((size) => new Float64Array(chunkRows * size));
  for (let first = 0; first < rows; first += chunkRows) {
    const chunk = Math.min(chunkRows, rows - first);
    layers[0]!.set(matrix.subarray(first * inputs, (first + chunk) * inputs));
    activate(network, weights, layers, chunk);
    out.set(layers.at(-1)!.subarray(0, chunk), first);
  }
  return out;
}

/** Buffers of one training run: made once, used for every step. */
export interface Workspace {
  readonly network: Network;
  readonly layers: readonly Float64Array[];
  readonly deltas: readonly Float64Array[];
  /** ∂ mean log-loss / ∂ weights of the last batch, shape [network.length]. */
  readonly gradient: Float64Array;
}

export const workspaceFor = (network: Network): Workspace => ({
  network,
  layers: network.sizes.map((size) => new Float64Array(chunkRows * size)),
  deltas: network.sizes.map((size) => new Float64Array(chunkRows * size)),
  gradient: new Float64Array(network.length),
});

/**
 * Back-propagation of the mean log-loss over a batch; fills `work.gradient`.
 * @param matrix - row-major, shape [rows, inputs].
 * @param batch - which rows, in which order.
 */
export function backPropagate(
  work: Workspace,
  weights: Float64Array,
  matrix: Float64Array,
  label: Uint8Array,
  batch: Uint32Array,
): void {
  const { network, layers, deltas, gradient } = work;
  const inputs = network.sizes[0]!;
  const top = network.sizes.length - 1;
  gradient.fill(0);
  for (let first = 0; first < batch.length; first += chunkRows) {
    const rows = Math.min(chunkRows, batch.length - first);
    for (let r = 0; r < rows; r++) {
      const from = batch[first + r]! * inputs;
      for (let j = 0; j < inputs; j++) layers[0]![r * inputs + j] = matrix[from + j]!;
    }
    activate(network, weights, layers, rows);
    for (let r = 0; r < rows; r++)
      deltas[top]![r] = (layers[top]![r]! - label[batch[first + r]!]!) / batch.length;
    addGradient(work, weights, rows);
  }
}

/** Takes the chunk's top delta down through the layers. */
function addGradient(
  { network, layers, deltas, gradient }: Workspace,
  weights: Float64Array,
  rows: number,
): void {
  const { sizes } = network;
  let end = network.length;
  for (let l = sizes.length - 1; l >= 1; l--) {
    const inputs = sizes[l - 1]!;
    const outputs = sizes[l]!;
    const delta = deltas[l]!;
    const start = end - (inputs + 1) * outputs;
    const bias = end - outputs;
    multiplyAdd(
      gradient.subarray(start, bias),
      layers[l - 1]!,
      delta,
      inputs,
      outputs,
      rows,
      1,
      inputs,
      outputs,
      1,
    );
    for (let r = 0, o = 0; r < rows; r++)
      for (let j = 0; j < outputs; j++) gradient[bias + j]! += delta[o++]!;
    if (l > 1) {
      const below = deltas[l - 1]!.fill(0, 0, rows * inputs);
      multiplyAdd(below, delta, weights.subarray(start, bias), rows, inputs, outputs, outputs, 1, 1, outputs);
      const active = layers[l - 1]!;
      for (let o = 0; o < rows * inputs; o++) if (active[o] === 0) below[o] = 0;
    }
    end = start;
  }
}
