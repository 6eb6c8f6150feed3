import { algorithmNamed } from "../models/registry.ts";
import { atLeast, atMost, type Bench, type BenchOptions, noted, option } from "./bench.ts";
import { trainOver } from "./consortium.ts";
import { cellsOf, inPython } from "./credit/python.ts";
import { readCreditSet } from "./credit/sets.ts";
import { dealt, exactAuc } from "./credit/split.ts";

const parties = 10;

export const options: BenchOptions = {
  "--set <name>": "credit set (taiwan)",
  "--transport <kind>": "plain, sealed or grpc (grpc)",
};

/** A boosted forest over ten parties beside XGBoost and HistGradientBoosting on the pooled rows of the same split. */
export const bench: Bench = async (args, progress) => {
  const name = option(args, "--set", "taiwan");
  const transport = option(args, "--transport", "grpc");
  const set = await readCreditSet(option(args, "--data", "../shared/data"), name);
  const { training, tables, test } = dealt(set, parties, "0");
  const algorithms = [{ name: "range" }, { name: "bins", cells: 1024 }, { name: "boosting" }];
  const maxRowsPerParty = Math.max(...tables.map(({ rows }) => rows));
  progress(`${name}: ${parties} parties of ${maxRowsPerParty} rows`);
  const problem = { manifest: { ...set.manifest, maxRowsPerParty, algorithms }, tables };
  const { results, rounds, bytesUp, seconds } = await trainOver(transport, problem);
  const auc = exactAuc(algorithmNamed("boosting").model(results.boosting)!.score(test), test.label);
  const part = (table: typeof test) => ({
    columns: set.manifest.features.map((feature) => cellsOf(table, feature.name)),
    label: Array.from(table.label),
  });
  progress("the same in Python");
  const peers = await inPython<Record<string, { auc: number; seconds: number }>>("boosting", {
    train: part(training),
    test: part(test),
  });
  return {
    bench: "boosting",
    runs: 1,
    figures: [
      atMost("sums, those of range and bins among them", rounds, "", 30),
      noted("AUC", rounded(auc), ""),
      ...Object.entries(peers ?? {}).flatMap(([peer, other]) => [
        atLeast(`AUC beside ${peer}`, rounded(auc), "", rounded(other.auc - 0.005)),
        noted(`AUC of ${peer}`, rounded(other.auc), ""),
        noted(`seconds of ${peer}`, rounded(other.seconds), "s"),
      ]),
      ...(peers === undefined ? [noted("peers", "not installed", "")] : []),
      atMost("bytes up, one party", rounded(bytesUp / parties / 1e6), "MB", 5),
      atMost("first sum to model", rounded(seconds), "s", 6),
    ],
  };
};

const rounded = (value: number): number => Math.round(1e4 * value) / 1e4;
