/** What privacy costs: AUC by ε on public credit data, over ten parties and beside a central mechanism of the same σ. */
import { seededRandom } from "../../core/random.ts";
import type { PriorResults } from "../../models/algorithm.ts";
import { runPlain, runPooled } from "../../models/plain.ts";
import { modelsOf } from "../../models/results.ts";
import type { StudyManifest } from "../../models/study.ts";
import { studyEvents } from "../../models/study-loop.ts";
import type { Table } from "../../models/table.ts";
import { epsilonOf } from "../../privacy/noise/accountant.ts";
import { drawing } from "../../simulate/plots.ts";
import { readCreditSet } from "../credit/sets.ts";
import { dealt, exactAuc } from "../credit/split.ts";
import { type Share, sharedOut } from "./plan.ts";

const parties = 10;
const colluding = 1;
export const delta = 1e-6;
const epsilons = [0.5, 1, 2, 4, 8] as const;

/** Share of μ² for everything before the last entry, and how often it is run: with another draw and split of the rows, and other noise. */
interface Recipe {
  readonly shares: readonly Share[];
  readonly runs: number;
}

const histogram = (range: number, bins: number): Share[] => [
  { entry: { name: "range" }, share: range },
  { entry: { name: "bins" }, share: bins },
];

const recipes: Readonly<Record<string, Recipe>> = {
  "additive-private": {
    shares: [...histogram(0.04, 0.2), { entry: { name: "additive-private" }, share: 0.76 }],
    // From split to split its AUC on LendingClub's loans moves by 0.007: twelve leave 0.002 of that.
    runs: 24,
  },
  "logistic-private": {
    shares: [
      ...histogram(0.04, 0.4),
      // What noise counts of few rows is drawn towards 0 anyway, and evidence may lie in values that few rows have.
      { entry: { name: "woe", minShare: 0.01 }, share: 0 },
      { entry: { name: "logistic-private" }, share: 0.56 },
    ],
    runs: 12,
  },
  "neural-private": {
    shares: [
      { entry: { name: "range" }, share: 0.05 },
      { entry: { name: "summary" }, share: 0.15 },
      { entry: { name: "neural-private" }, share: 0.8 },
    ],
    runs: 8,
  },
};

/** Mean AUC over the runs; `epsilon` is what the accountant says of all sums. */
export interface Point {
  readonly set: string;
  readonly algorithm: string;
  readonly asked: number;
  readonly epsilon: number;
  readonly federated: number;
  readonly central: number;
  /** Standard error of what federated is above central; 0 of one run. */
  readonly error: number;
  /** Of `additive` without noise, on the same splits. */
  readonly exact: number;
}

/** One split of one draw. */
interface Trial {
  readonly manifest: StudyManifest;
  readonly tables: readonly Table[];
  readonly test: Table;
  readonly exact: number;
}

const aucOf = ({ test }: Pick<Trial, "test">, study: StudyManifest, results: PriorResults, name: string) =>
  exactAuc(modelsOf({ algorithms: study.algorithms, results }).get(name)!.score(test), test.label);

/** @returns so many splits: which rows a model learned from moves its AUC by more than noise does. */
async function trialsOf(dir: string, name: string, runs: number): Promise<Trial[]> {
  const trials: Trial[] = [];
  for (let run = 0; run < runs; run++) {
    const set = await readCreditSet(dir, name, Infinity, String(42 + run));
    const { tables, test } = dealt(set, parties, String(run));
    const maxRowsPerParty = Math.max(...tables.map(({ rows }) => rows));
    const privacy = { ...set.manifest.privacy, maxColluding: colluding };
    const manifest = { ...set.manifest, maxRowsPerParty, privacy };
    const additive = {
      ...manifest,
      algorithms: [{ name: "range" }, { name: "bins" }, { name: "additive" }],
    };
    const { results } = await runPlain(additive, tables);
    trials.push({ manifest, tables, test, exact: aucOf({ test }, additive, results, "additive") });
  }
  return trials;
}

async function pointOf(
  set: string,
  trials: readonly Trial[],
  algorithm: string,
  asked: number,
): Promise<Point> {
  const { shares } = recipes[algorithm]!;
  const [federated, central]: [number[], number[]] = [[], []];
  let epsilon = 0;
  for (const [run, trial] of trials.entries()) {
    const manifest = sharedOut(trial.manifest, shares, { epsilon: asked, delta, dropOuts: 0 });
    epsilon = epsilonOf(studyEvents(manifest), delta);
    const auc = async (study: StudyManifest, runStudy: typeof runPlain): Promise<number> => {
      const { results } = await runStudy(study, trial.tables, {
        randomOf: (party) => seededRandom(`noise ${run} ${party}`),
      });
      return aucOf(trial, study, results, algorithm);
    };
    federated.push(await auc(manifest, runPlain));
    // One party with all rows adds the whole noise itself, and no more than σ².
    const alone = { ...manifest, privacy: { ...manifest.privacy, maxColluding: 0 } };
    central.push(await auc(alone, runPooled));
  }
  const apart = federated.map((own, run) => own - central[run]!);
  const spread = apart.reduce((sum, x) => sum + (x - mean(apart)) ** 2, 0);
  return {
    set,
    algorithm,
    asked,
    epsilon,
    federated: mean(federated),
    central: mean(central),
    error: trials.length === 1 ? 0 : Math.sqrt(spread / (trials.length - 1) / trials.length),
    exact: mean(trials.map(({ exact }) => exact)),
  };
}

const mean = (numbers: readonly number[]): number => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;

export async function curve(
  dir: string,
  names: readonly string[],
  algorithms: readonly string[],
  progress: (line: string) => void,
): Promise<Point[]> {
  const points: Point[] = [];
  for (const name of names)
    for (const algorithm of algorithms) {
      const trials = await trialsOf(dir, name, recipes[algorithm]!.runs);
      for (const epsilon of epsilons) {
        const point = await pointOf(name, trials, algorithm, epsilon);
        points.push(point);
        progress(
          `${name}, ${algorithm}, ε = ${epsilon}: AUC ${point.federated.toFixed(4)}, central ${point.central.toFixed(4)} (± ${point.error.toFixed(4)}), additive without noise ${point.exact.toFixed(4)}`,
        );
      }
    }
  return points;
}

/** @returns one chart of a set: a line for each algorithm, dashed for its central mechanism. */
export function svgOf(points: readonly Point[], set: string): string {
  const own = points.filter((point) => point.set === set);
  const algorithms = [...new Set(own.map(({ algorithm }) => algorithm))];
  const colours = ["#1f6fb2", "#c2571a", "#2c7a4b"];
  const lines = algorithms.flatMap((algorithm, i) =>
    (["federated", "central"] as const).map((kind) => ({
      name: kind === "federated" ? algorithm : `${algorithm}, central`,
      type: "line",
      color: colours[i % colours.length],
      lineStyle: { type: kind === "federated" ? "solid" : "dashed" },
      data: own.filter((point) => point.algorithm === algorithm).map((point) => [point.asked, point[kind]]),
    })),
  );
  const option = {
    of: `${set}: AUC by ε at δ = ${delta.toExponential()}, ${parties} parties`,
    xAxis: { type: "log", logBase: 2, name: "ε", nameLocation: "middle", nameGap: 28, min: 0.5, max: 8 },
    yAxis: { type: "value", name: "AUC", scale: true },
    series: lines,
  };
  return drawing(option, 820, 480);
}
