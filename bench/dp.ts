import { readFileSync } from "node:fs";
import { secureRandom } from "../core/random.ts";
import { epsilonOf } from "../privacy/noise/accountant.ts";
import { sampleDiscreteGaussian } from "../privacy/noise/discrete-gaussian.ts";
import type { Step } from "../privacy/noise/loss-distribution.ts";
import { renyiEpsilon } from "../privacy/noise/rdp.ts";
import { atMost, type Bench, cpuTimer, type Figure, median, noted } from "./bench.ts";

const runs = 5;

/** Noise and what it costs: the sampler's time, and the accountant beside dp-accounting, mechanism by mechanism. */
export const bench: Bench = async (_args, progress) => {
  progress("sampling");
  const figures = samplingTimes();
  progress("accounting");
  figures.push(...accountantTable());
  return { bench: "dp", runs, figures };
};

function samplingTimes(): Figure[] {
  return [9, 2 ** 20, 2 ** 40].map((variance) => {
    const times = Array.from({ length: runs }, () => {
      const elapsed = cpuTimer();
      sampleDiscreteGaussian(variance, 100_000, secureRandom);
      return elapsed();
    });
    return atMost(
      `100,000 values, sigma ${Math.sqrt(variance)} steps`,
      Math.round(median(times)),
      "ms CPU",
      1000,
    );
  });
}

/** As `test/vectors/accountant.py` wrote it. */
interface Reference {
  readonly delta: number;
  readonly cases: readonly {
    readonly name: string;
    readonly steps: readonly Step[];
    readonly epsilon: number;
    /** Where the sums are of all rows: the exact value. */
    readonly analytic?: number;
  }[];
}

function accountantTable(): Figure[] {
  const file = new URL("../test/vectors/accountant.json", import.meta.url);
  const { delta, cases } = JSON.parse(readFileSync(file, "utf8")) as Reference;
  const rows = cases.map(({ name, steps, epsilon, analytic = epsilon }) => {
    const own = epsilonOf(
      steps.map(({ noiseMultiplier: sigma, samplingRate, count }) => ({
        mechanism: "gaussian",
        unit: "record",
        sensitivity: 1,
        sigma,
        samplingRate,
        count,
      })),
      delta,
    );
    return { name, own, theirs: analytic, renyi: renyiEpsilon(steps, delta) };
  });
  const apart = rows.map(({ own, theirs }) => 100 * (own / theirs - 1));
  return [
    ...rows.map(({ name, own, theirs, renyi }) =>
      noted(
        name,
        `${own.toPrecision(7)}, dp-accounting ${theirs.toPrecision(7)}, Rényi ${renyi.toPrecision(5)}`,
        "ε",
      ),
    ),
    atMost("largest difference from dp-accounting", Number(Math.max(...apart).toFixed(4)), "%", 1),
    // float64 keeps nine digits of the analytic formula
    atMost(
      "furthest below dp-accounting",
      Number(Math.max(0, ...apart.map((x) => -x)).toFixed(7)),
      "%",
      1e-7,
    ),
  ];
}
