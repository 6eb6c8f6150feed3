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
 * c = a·b, on strided views; c is row-major, shape [m, n].
 * Blocks of 2 × 4 keep the running sums in registers.
 */
function multiply(
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
  aStart = 0,
  bStart = 0,
  cStart = 0,
): void {
  let i = 0;
  for (; i + 1 < m; i += 2) {
    const a0 = aStart + i * aRow;
    const a1 = a0 + aRow;
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
      let p = a0;
      let q = a1;
      let r = bStart + j * bColumn;
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
      const at = cStart + i * n + j;
      c[at] = s00;
      c[at + 1] = s01;
      c[at + 2] = s02;
      c[at + 3] = s03;
      c[at + n] = s10;
      c[at + n + 1] = s11;
      c[at + n + 2] = s12;
      c[at + n + 3] = s13;
    }
    for (; j < n; j++)
      for (let e = 0; e < 2; e++)
        c[cStart + (i + e) * n + j] = inner(a, b, k, a0 + e * aRow, aColumn, bStart + j * bColumn, bRow);
  }
  for (; i < m; i++)
    for (let j = 0; j < n; j++)
      c[cStart + i * n + j] = inner(a, b, k, aStart + i * aRow, aColumn, bStart + j * bColumn, bRow);
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
    multiply(out, layers[l - 1]!, weights, rows, outputs, inputs, inputs, 1, outputs, 1, 0, at);
    const bias = at + inputs * outputs;
    const last = l === sizes.length - 1;
    for (let r = 0, o = 0; r < rows; r++)
      for (let j = 0; j < outputs; j++, o++) {
        const x = out[o]! + weights[bias + j]!;
        out[o] = last ? 1 / (1 + Math.exp(-x)) : x > 0 ? x : 0;
      }
    at = bias + outputs;
  }
}

/** @returns the network's output for every row of `matrix`, row-major, shape [rows, inputs]. */
export function forward(network: Network, weights: Float64Array, matrix: Float64Array): Float64Array {
  const inputs = network.sizes[0]!;
  const rows = matrix.length / inputs;
  const layers = network.sizes.map((size, l) => (l === 0 ? matrix : new Float64Array(rows * size)));
  activate(network, weights, layers, rows);
  return layers.at(-1)!;
}

/** Buffers of one training run: made once, used for every batch. */
export interface Workspace {
  readonly network: Network;
  readonly layers: readonly Float64Array[];
  readonly deltas: readonly Float64Array[];
  readonly labels: Float64Array;
  /** ∂ mean log-loss / ∂ weights of the last batch, shape [network.length]. */
  readonly gradient: Float64Array;
}

export function workspaceFor(network: Network, batchSize: number): Workspace {
  const buffers = () => network.sizes.map((size) => new Float64Array(batchSize * size));
  return {
    network,
    layers: buffers(),
    deltas: buffers(),
    labels: new Float64Array(batchSize),
    gradient: new Float64Array(network.length),
  };
}

/** Back-propagation of the mean log-loss over the batch in `layers[0]` and `labels`; fills `gradient`. */
export function backPropagate(
  { network, layers, deltas, labels, gradient }: Workspace,
  weights: Float64Array,
  rows: number,
): void {
  const { sizes } = network;
  activate(network, weights, layers, rows);
  const top = sizes.length - 1;
  for (let r = 0; r < rows; r++) deltas[top]![r] = (layers[top]![r]! - labels[r]!) / rows;
  let end = network.length;
  for (let l = top; l >= 1; l--) {
    const inputs = sizes[l - 1]!;
    const outputs = sizes[l]!;
    const delta = deltas[l]!;
    const start = end - (inputs + 1) * outputs;
    multiply(gradient, layers[l - 1]!, delta, inputs, outputs, rows, 1, inputs, outputs, 1, 0, 0, start);
    for (let j = 0; j < outputs; j++) {
      let sum = 0;
      for (let r = 0; r < rows; r++) sum += delta[r * outputs + j]!;
      gradient[start + inputs * outputs + j] = sum;
    }
    if (l > 1) {
      const below = deltas[l - 1]!;
      multiply(below, delta, weights, rows, inputs, outputs, outputs, 1, 1, outputs, 0, start);
      const active = layers[l - 1]!;
      for (let o = 0; o < rows * inputs; o++) if (active[o] === 0) below[o] = 0;
    }
    end = start;
  }
}
