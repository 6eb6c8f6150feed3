import { algorithmNamed } from "../models/registry.ts";
import { grpc } from "../simulate/grpc.ts";
import { plain } from "../simulate/plain.ts";
import { sealed } from "../simulate/sealed.ts";
import { atLeast, atMost, type Bench, noted, option } from "./bench.ts";
import { cellsOf, inPython } from "./credit/python.ts";
import { readCreditSet } from "./credit/sets.ts";
import { dealt, exactAuc } from "./credit/split.ts";

const parties = 10;

/** A boosted forest over ten parties beside XGBoost and HistGradientBoosting on the pooled rows of the same split. */
export const bench: Bench = async (args, progress) => {
  const name = option(args, "--set", "taiwan");
  const transport = { grpc, plain, sealed }[option(args, "--transport", "grpc")] ?? grpc;
  const set = await readCreditSet(option(args, "--data", "../shared/data"), name);
  const { training, tables, test } = dealt(set, parties, "0");
  const algorithms = [{ name: "range" }, { name: "bins", cells: 1024 }, { name: "boosting" }];
  const maxRowsPerParty = Math.max(...tables.map(({ rows }) => rows));
  progress(`${name}: ${parties} parties of ${maxRowsPerParty} rows`);
  const begun = performance.now();
  let first = begun;
  const { results, rounds, bytes } = await transport(
    { manifest: { ...set.manifest, maxRowsPerParty, algorithms }, tables },
    {
      drop: { kind: "chance", probability: 0 },
      seed: "0",
      onRound: (_, round) => {
        if (round <= 1) first = performance.now();
      },
    },
  );
  const seconds = (performance.now() - first) / 1000;
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
      atMost("sums, those of range and bins among them", rounds, "", 32),
      noted("AUC", rounded(auc), ""),
      ...Object.entries(peers ?? {}).flatMap(([peer, other]) => [
        atLeast(`AUC beside ${peer}`, rounded(auc), "", rounded(other.auc - 0.005)),
        noted(`AUC of ${peer}`, rounded(other.auc), ""),
        noted(`seconds of ${peer}`, rounded(other.seconds), "s"),
      ]),
      ...(peers === undefined ? [noted("peers", "not installed", "")] : []),
      atMost("bytes up, one party", rounded(bytes.up / parties / 1e6), "MB", 5),
      atMost("first sum to model", rounded(seconds), "s", 6),
    ],
  };
};

const rounded = (value: number): number => Math.round(1e4 * value) / 1e4;
