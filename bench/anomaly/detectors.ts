import { quantile } from "../../client-node/operations/warnings/anomaly/limit.ts";
import { AnomalyWatch } from "../../client-node/operations/warnings/anomaly/watch.ts";
import { seededRandom, uniform, uniformInteger } from "../../core/random.ts";
import type { Recording } from "./recording.ts";

/** What a detector says of a recording. */
export interface Verdict {
  /** Rows at which something was told. */
  readonly told: readonly number[];
  /** By row: it is unusual now. */
  readonly unusual: readonly boolean[];
}

export type Detector = (recording: Recording) => Verdict;

const dayMicros = 86_400_000_000;

/** The node's own rule, one step of its grid a row. @param returnBlocks - as in the profile */
export const ownRule =
  (returnBlocks: number): Detector =>
  ({ channels, quiet, times }) => {
    const pauses = times.slice(1).map((time, i) => time - times[i]!);
    const pace = quantile(
      pauses.sort((a, b) => a - b),
      0.5,
    );
    const watch = new AnomalyWatch({ quietSteps: quiet, stepsPerDay: dayMicros / pace, returnBlocks });
    const told: number[] = [];
    const unusual: boolean[] = [];
    let last = Number.NEGATIVE_INFINITY;
    for (const [row, time] of times.entries()) {
      const step = Math.max(last + 1, Math.floor(time / pace));
      last = step;
      const cells = new Map(
        [...channels]
          .map(([name, values]) => [name, values[row]!] as const)
          .filter(([, value]) => Number.isFinite(value))
          .map(([name, value]) => [name, { step, mean: value, low: value, high: value }]),
      );
      if (watch.observe(step, cells).some((one) => one.change === "opened")) told.push(row);
      unusual.push(watch.unusual);
    }
    return { told, unusual };
  };

/** Rows at which an unusual stretch begins, those that are nearer than a sixteenth of the quiet period joined. */
function fromRows(unusual: readonly boolean[], quiet: number): Verdict {
  const told: number[] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const [row, is] of unusual.entries()) {
    if (!is) continue;
    if (row - last > quiet / 16) told.push(row);
    last = row;
  }
  return { told, unusual };
}

/** What everybody tries first: further from the mean of the quiet period than three of its standard deviations. */
export const threeSigma: Detector = ({ channels, quiet, times }) => {
  const limits = [...channels.values()].map((values) => {
    const known = values.slice(0, quiet).filter(Number.isFinite);
    const mean = known.reduce((sum, one) => sum + one, 0) / known.length;
    const deviation = Math.sqrt(known.reduce((sum, one) => sum + (one - mean) ** 2, 0) / known.length);
    return { values, mean, deviation };
  });
  const unusual = times.map(
    (_, row) =>
      row >= quiet &&
      limits.some(({ deviation, mean, values }) => Math.abs(values[row]! - mean) > 3 * deviation),
  );
  return fromRows(unusual, quiet);
};

/** A leaf knows how many rows ended in it; any other node where it sends them. */
type Tree =
  | { readonly rows: number }
  | { readonly column: number; readonly at: number; readonly below: Tree; readonly above: Tree };

const trees = 100;
const sample = 256;
const harmonic = (n: number): number => Math.log(n) + 0.5772156649;
/** Mean depth of a search in a tree of n rows. */
const meanDepth = (n: number): number => (n <= 1 ? 0 : 2 * harmonic(n - 1) - (2 * (n - 1)) / n || 1);

/**
 * Isolation forest over each channel's value and its change, learned from the quiet period; unusual is what lies
 * above all but a thousandth of the quiet period's own scores.
 *
 * @see Liu, Ting & Zhou 2008, Isolation Forest
 */
export const isolationForest: Detector = ({ channels, name, quiet, times }) => {
  const random = seededRandom(`forest ${name}`);
  const rows = times.map((_, row) =>
    [...channels.values()].flatMap((values) => [
      values[row]!,
      row === 0 ? 0 : values[row]! - values[row - 1]!,
    ]),
  );
  const grow = (some: readonly (readonly number[])[], depth: number): Tree => {
    const column = uniformInteger(random, some[0]!.length);
    const values = some.map((row) => row[column]!);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    if (depth === 0 || some.length <= 1 || !(high > low)) return { rows: some.length };
    const at = low + (high - low) * uniform(random);
    const below = some.filter((row) => row[column]! < at);
    const above = some.filter((row) => !(row[column]! < at));
    if (below.length === 0 || above.length === 0) return { rows: some.length };
    return { column, at, below: grow(below, depth - 1), above: grow(above, depth - 1) };
  };
  const forest = Array.from({ length: trees }, () =>
    grow(
      Array.from({ length: sample }, () => rows[uniformInteger(random, quiet)]!),
      Math.ceil(Math.log2(sample)),
    ),
  );
  const depthOf = (tree: Tree, row: readonly number[]): number => {
    let depth = 0;
    let at = tree;
    while (!("rows" in at)) {
      at = row[at.column]! < at.at ? at.below : at.above;
      depth++;
    }
    return depth + meanDepth(at.rows);
  };
  const scores = rows.map(
    (row) => 2 ** (-forest.reduce((sum, tree) => sum + depthOf(tree, row), 0) / trees / meanDepth(sample)),
  );
  const limit = quantile(Float64Array.from(scores.slice(0, quiet)).sort(), 0.999);
  return fromRows(
    scores.map((score, row) => row >= quiet && score > limit),
    quiet,
  );
};
