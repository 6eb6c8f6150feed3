import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeDirectory } from "../core/files.ts";
import { secureRandom } from "../core/random.ts";
import { epsilonOf } from "../privacy/noise/accountant.ts";
import { sampleDiscreteGaussian } from "../privacy/noise/discrete-gaussian.ts";
import type { Step } from "../privacy/noise/loss-distribution.ts";
import { renyiEpsilon } from "../privacy/noise/rdp.ts";
import {
  atLeast,
  atMost,
  type Bench,
  type BenchOptions,
  cpuTimer,
  type Figure,
  median,
  noted,
  option,
} from "./bench.ts";
import { curve, delta, type Point, svgOf } from "./dp/curve.ts";
import { learned, learnedExact } from "./dp/learned.ts";
import { varianceFigures } from "./dp/variance.ts";

const runs = 5;
const usualSets = "taiwan,lc-16k,sba";
const usualAlgorithms = "additive-private,logistic-private,neural-private";

export const options: BenchOptions = {
  "--set <names>": `with --data: credit sets, with commas between (${usualSets})`,
  "--algorithm <names>": `with --data: (${usualAlgorithms})`,
  "--out <dir>": "with --data: where table and curves go",
};

/**
 * Noise and what it costs: the sampler's time, the accountant beside dp-accounting, mechanism by mechanism, the variance that
 * released sums have, and where `--data` is given AUC by ε on public credit data.
 */
export const bench: Bench = async (args, progress) => {
  progress("sampling");
  const figures = samplingTimes();
  progress("accounting");
  figures.push(...accountantTable());
  progress("summing noise");
  figures.push(...(await varianceFigures(10, 10_000)));
  if (!args.includes("--data")) return { bench: "dp", runs, figures };
  const sets = option(args, "--set", usualSets).split(",");
  const algorithms = option(args, "--algorithm", usualAlgorithms).split(",");
  const points = await curve(option(args, "--data", ""), sets, algorithms, progress);
  figures.push(...points.flatMap(figuresOf));
  const text = textOf(points);
  const report = { bench: "dp", runs, figures, text, tables: points };
  const out = option(args, "--out", "");
  if (out !== "") {
    await makeDirectory(out);
    await writeFile(join(out, "dp.json"), JSON.stringify(report, undefined, 1));
    await writeFile(join(out, "dp.txt"), `${text}\n`);
    for (const set of sets) await writeFile(join(out, `dp-${set}.svg`), svgOf(points, set));
  }
  return report;
};

/** How far an AUC may be from what the design came to. */
const within = 0.005;

function figuresOf({ set, algorithm, asked, epsilon, federated, central, error, exact }: Point): Figure[] {
  const name = `${set}, ${algorithm}, ε = ${asked}`;
  const figures = [
    atMost(`${name}: ε by the accountant`, rounded(epsilon), "", asked),
    noted(`${name}: AUC`, rounded(federated), ""),
    atLeast(`${name}: AUC beside central (± ${rounded(error)})`, rounded(federated - central), "", -within),
  ];
  const known = learned[set]?.[algorithm]?.[asked];
  if (known === undefined) return figures;
  figures.push(atLeast(`${name}: AUC against ${known}`, rounded(federated), "", rounded(known - within)));
  const knownExact = learnedExact[set];
  if (algorithm === "additive-private" && knownExact !== undefined)
    figures.push(
      atMost(
        `${name}: AUC lost to noise, against ${rounded(knownExact - known)}`,
        rounded(exact - federated),
        "",
        rounded(knownExact - known + within),
      ),
    );
  return figures;
}

const rounded = (x: number): number => Math.round(1e4 * x) / 1e4;

function textOf(points: readonly Point[]): string {
  const lines = points.map(
    ({ set, algorithm, asked, federated, central, error, exact }) =>
      `${set.padEnd(8)} ${algorithm.padEnd(18)} ${String(asked).padStart(4)}  ${federated.toFixed(4)}  ${central.toFixed(4)}  ${error.toFixed(4)}  ${exact.toFixed(4)}`,
  );
  const heading = `AUC by ε, δ = ${delta}, ten parties; of a central mechanism of the same σ; standard error of what they are apart; additive without noise`;
  return [heading, ...lines].join("\n");
}

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
