import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { seededRandom, uniform } from "../core/random.ts";
import { chooseBackend } from "../models/network/backend.ts";
import { trainLocally } from "../models/network/local-training.ts";
import { networkOf, rectified } from "../models/network/mlp.ts";
import { atMost, type Bench, type Figure, median, noted } from "./bench.ts";

const rows = 16_000;
const batchRows = 256;
const runs = 21;
const warmUp = 5;

/** One epoch of a small network on one thread, beside PyTorch (or numpy) where Python has it. */
export const bench: Bench = async (_args, progress) => {
  progress(`${runs} epochs of MLP 30-64-32-1, ${rows} rows in batches of ${batchRows}`);
  const own = median(ownEpochs());
  progress("the same in Python");
  const peer = await peerEpochs();
  const figures: Figure[] = [
    noted("one epoch", rounded(own), "ms"),
    noted("backend of exported models", await chooseBackend(), ""),
  ];
  if (peer === undefined)
    figures.push({ name: "peer", value: "not installed", unit: "", target: "<= 2 x PyTorch", holds: null });
  else {
    const theirs = median(peer.milliseconds);
    figures.push(noted(`one epoch of ${peer.peer}`, rounded(theirs), "ms"));
    const ratio = atMost(`ratio to ${peer.peer}`, rounded(own / theirs), "x", 2);
    figures.push(
      peer.peer.startsWith("PyTorch") ? ratio : { ...ratio, target: "<= 2 x PyTorch", holds: null },
    );
  }
  return { bench: "neural", runs, figures };
};

/** @returns milliseconds per epoch, after warming up. */
function ownEpochs(): number[] {
  const random = seededRandom("bench neural");
  const network = networkOf(30, rectified([64, 32]));
  const matrix = Float64Array.from({ length: rows * 30 }, () => 2 * uniform(random) - 1);
  const label = Uint8Array.from({ length: rows }, () => (uniform(random) < 0.5 ? 1 : 0));
  let weights: Float64Array = Float64Array.from(
    { length: network.length },
    () => 0.4 * uniform(random) - 0.2,
  );
  const options = { epochs: 1, batches: Math.ceil(rows / batchRows), learningRate: 0.1, proximal: 0 };
  return Array.from({ length: warmUp + runs }, () => {
    const start = performance.now();
    weights = trainLocally(network, weights, matrix, label, options, random);
    return performance.now() - start;
  }).slice(warmUp);
}

interface Peer {
  readonly peer: string;
  readonly milliseconds: readonly number[];
}

/** @returns undefined where Python or its libraries are not installed. */
async function peerEpochs(): Promise<Peer | undefined> {
  const script = fileURLToPath(new URL("neural.py", import.meta.url));
  try {
    const { stdout } = await promisify(execFile)("python3", [script, String(warmUp + runs)]);
    const { peer, milliseconds } = JSON.parse(stdout) as Peer;
    return { peer, milliseconds: milliseconds.slice(warmUp) };
  } catch {
    return undefined;
  }
}

const rounded = (value: number): number => Math.round(100 * value) / 100;
