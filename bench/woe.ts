import { type BinsResult, bins } from "../models/algorithms/bins.ts";
import { type WoeResult, woe } from "../models/algorithms/woe.ts";
import { optimalBins, shapes } from "../models/numerics/optimal-bins.ts";
import { runPlain } from "../models/plain.ts";
import { withNeeds } from "../models/plan.ts";
import {
  atLeast,
  atMost,
  type Bench,
  type BenchOptions,
  type Figure,
  median,
  noted,
  option,
} from "./bench.ts";
import { cellsOf, inPython } from "./credit/python.ts";
import { type CreditSet, creditSetNames, readCreditSet } from "./credit/sets.ts";
import { dealt } from "./credit/split.ts";

interface Peer {
  readonly iv: number;
  /** Without that of missing values. */
  readonly ofValues: number;
  /** Rows of its prebins. */
  readonly good: readonly number[];
  readonly bad: readonly number[];
  readonly milliseconds: number;
}

export const options: BenchOptions = {
  "--draw <seed>": "seven tenths of the rows instead of all",
};

/**
 * Optimal binning of every numeric column of the sets beside optbinning, where Python has it: our optimum on its
 * prebins against its solver's, and both from the rows on. Its prebins are cut at exact values, ours on a public grid that
 * two further sums refine.
 */
export const bench: Bench = async (args, progress) => {
  const dir = option(args, "--data", "../shared/data");
  const draw = option(args, "--draw", "");
  const figures: Figure[] = [];
  const milliseconds = { own: [] as number[], same: [] as number[], optbinning: [] as number[] };
  const shortOf: number[] = [];
  for (const name of creditSetNames) {
    progress(`${name}: bins, woe and optbinning`);
    const set = drawn(await readCreditSet(dir, name), draw);
    const seen = await binned(set);
    const columns = Array.from(seen.keys(), (column) => [column, cellsOf(set.table, column)] as const);
    const peers = await inPython<Record<string, Peer>>("woe", {
      label: Array.from(set.table.label),
      columns: Object.fromEntries(columns),
    });
    for (const [column, own] of seen) {
      milliseconds.own.push(own.milliseconds);
      figures.push(noted(`${name} ${column}`, rounded(own.iv), "IV"));
      const peer = peers?.[column];
      if (peer === undefined) continue;
      const begun = performance.now();
      const iv = largest(peer, set.table.label);
      milliseconds.same.push(performance.now() - begun);
      milliseconds.optbinning.push(peer.milliseconds);
      figures.push(noted(`${name} ${column}, optbinning`, rounded(peer.iv), "IV"));
      figures.push(atLeast(`${name} ${column}, its prebins`, rounded(iv), "IV", rounded(peer.ofValues)));
      if (rounded(own.iv) < rounded(peer.iv)) shortOf.push(1 - own.iv / peer.iv);
    }
  }
  const compared =
    milliseconds.optbinning.length === 0
      ? [noted("optbinning", "not installed", "")]
      : [
          atMost("below its solver", figures.filter(({ holds }) => holds === false).length, "columns", 0),
          atMost("below it from the rows on", shortOf.length, "columns", 0),
          noted("the farthest of them", rounded(Math.max(0, ...shortOf)), "of its IV"),
          noted("one column on its prebins, median", rounded(median(milliseconds.same)), "ms"),
          noted("one column by optbinning, median", rounded(median(milliseconds.optbinning)), "ms"),
        ];
  return {
    bench: "woe",
    runs: 1,
    figures: [...figures, ...compared, noted("one column, median", rounded(median(milliseconds.own)), "ms")],
  };
};

/** @returns seven tenths of the rows, others for every seed; all where there is none. */
function drawn(set: CreditSet, seed: string): CreditSet {
  return seed === "" ? set : { ...set, table: dealt(set, 1, seed).training };
}

/** @returns the information value of the best trend's optimum on given prebins. */
function largest({ good, bad }: Peer, label: Uint8Array): number {
  const badRows = label.reduce((sum, one) => sum + one, 0);
  const limits = {
    good: label.length - badRows,
    bad: badRows,
    minRows: 0,
    minOfClass: 1,
    maxBins: good.length,
  };
  return Math.max(...shapes.map((trend) => optimalBins({ good, bad }, trend, limits)?.iv ?? 0));
}

/** @returns information value and time of each numeric column, by name. */
async function binned({ manifest, table }: CreditSet) {
  const algorithms = withNeeds({ name: "bins", refined: 2 });
  const { results } = await runPlain({ ...manifest, algorithms }, [table]);
  const counted = results.bins as unknown as BinsResult;
  const numeric = manifest.features.filter(({ kind }) => kind === "numeric");
  return new Map(
    numeric.map((feature) => {
      const schema = { features: [feature], outcomes: [], maxRowsPerParty: table.rows };
      const running = woe
        .configure({})
        .within(schema, new Map([["bins", { algorithm: bins, result: counted }]]));
      const begun = performance.now();
      const outcome = running.start() as { done: WoeResult };
      const milliseconds = performance.now() - begun;
      return [feature.name, { iv: outcome.done.columns[feature.name]!.iv, milliseconds }] as const;
    }),
  );
}

const rounded = (value: number): number => Math.round(1e6 * value) / 1e6;
