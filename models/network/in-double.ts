/** The network in double precision, for scores and reasons: what is added up exactly is not training's float32. */
import { activationFunctions } from "./activation.ts";
import type { Network } from "./mlp.ts";

/**
 * @param weights - flat, shape [network.length].
 * @param matrix - row-major, shape [rows, inputs].
 * @returns log-odds of bad of every row, shape [rows].
 */
export function logOddsOf(network: Network, weights: ArrayLike<number>, matrix: Float64Array): Float64Array {
  const inputs = network.sizes[0]!;
  const units = unitsOf(network);
  return Float64Array.from({ length: matrix.length / inputs }, (_, row) => {
    units[0]!.set(matrix.subarray(row * inputs, (row + 1) * inputs));
    return activate(network, weights, units);
  });
}

const unitsOf = ({ sizes }: Network): Float64Array[] => sizes.map((size) => new Float64Array(size));

/** Takes the inputs in `units[0]` up through the layers. @returns the log-odds. */
function activate(
  { sizes, activations }: Network,
  weights: ArrayLike<number>,
  units: Float64Array[],
): number {
  let at = 0;
  for (let l = 1; l < sizes.length; l++) {
    const [from, into] = [units[l - 1]!, units[l]!];
    const bias = at + from.length * into.length;
    for (let j = 0; j < into.length; j++) into[j] = weights[bias + j]!;
    for (let i = 0; i < from.length; i++) {
      const x = from[i]!;
      if (x === 0) continue;
      for (let j = 0, k = at + i * into.length; j < into.length; j++, k++) into[j]! += x * weights[k]!;
    }
    const activation = activations[l - 1];
    if (activation !== undefined) {
      const { value } = activationFunctions[activation];
      for (let j = 0; j < into.length; j++) into[j] = value(into[j]!);
    }
    at = bias + into.length;
  }
  return units.at(-1)![0]!;
}

/** Fills `slopes[0]` with the derivatives of the log-odds by the inputs, after `activate`. */
function differentiate(
  { sizes, activations, length }: Network,
  weights: ArrayLike<number>,
  units: readonly Float64Array[],
  slopes: readonly Float64Array[],
): void {
  slopes.at(-1)![0] = 1;
  let at = length;
  for (let l = sizes.length - 1; l >= 1; l--) {
    const [below, above] = [slopes[l - 1]!, slopes[l]!];
    at -= (below.length + 1) * above.length;
    const activation = activations[l - 2];
    const slope = activation === undefined ? undefined : activationFunctions[activation].slope;
    for (let i = 0; i < below.length; i++) {
      const own = slope === undefined ? 1 : slope(units[l - 1]![i]!);
      let sum = 0;
      if (own !== 0)
        for (let j = 0, k = at + i * above.length; j < above.length; j++, k++) sum += above[j]! * weights[k]!;
      below[i] = own * sum;
    }
  }
}

/** Points on the way from the baseline at first, and at most. */
const [fewest, most] = [32, 1024];
/** Share of the difference to the baseline that the points may leave unexplained before there are more of them. */
const unexplained = 1e-3;

/**
 * What each input adds to the log-odds, against the baseline of all inputs 0: the mean of its derivative on the straight
 * way from there, times how far it went. What the points on the way leave over is shared out like the rest, so that the
 * effects add up.
 *
 * @param matrix - row-major, shape [rows, inputs].
 * @returns by row and input, shape [rows, inputs].
 * @see Sundararajan, Taly and Yan 2017, arXiv:1703.01365
 */
export function integratedGradients(
  network: Network,
  weights: ArrayLike<number>,
  matrix: Float64Array,
): Float64Array {
  const inputs = network.sizes[0]!;
  const [units, slopes] = [unitsOf(network), unitsOf(network)];
  const effects = new Float64Array(matrix.length);
  const start = logOddsOf(network, weights, new Float64Array(inputs))[0]!;
  for (let from = 0; from < matrix.length; from += inputs) {
    const row = matrix.subarray(from, from + inputs);
    const own = effects.subarray(from, from + inputs);
    units[0]!.set(row);
    const apart = activate(network, weights, units) - start;
    for (let points = fewest; ; points *= 2) {
      own.fill(0);
      for (let point = 0; point < points; point++) {
        const share = (point + 0.5) / points;
        for (let i = 0; i < inputs; i++) units[0]![i] = share * row[i]!;
        activate(network, weights, units);
        differentiate(network, weights, units, slopes);
        for (let i = 0; i < inputs; i++) own[i]! += (slopes[0]![i]! * row[i]!) / points;
      }
      const left = apart - own.reduce((sum, x) => sum + x, 0);
      if (Math.abs(left) > unexplained * Math.abs(apart) && points < most) continue;
      const size = own.reduce((sum, x) => sum + Math.abs(x), 0);
      for (let i = 0; i < inputs; i++) own[i]! += left * (size > 0 ? Math.abs(own[i]!) / size : 1 / inputs);
      break;
    }
  }
  return effects;
}
