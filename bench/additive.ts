import { algorithmNamed } from "../models/registry.ts";
import { atLeast, atMost, type Bench, type BenchOptions, type Figure, noted, option } from "./bench.ts";
import { trainOver } from "./consortium.ts";
import { cellsOf, inPython } from "./credit/python.ts";
import { readCreditSet } from "./credit/sets.ts";
import { dealt, exactAuc } from "./credit/split.ts";

const parties = 10;

export const options: BenchOptions = {
  "--set <names>": "credit sets, with commas between (taiwan,lc-16k)",
  "--transport <kind>": "plain, sealed or grpc (grpc)",
};

/** A generalized additive model over ten parties beside gradient boosting on the pooled rows of the same split. */
export const bench: Bench = async (args, progress) => {
  const transport = option(args, "--transport", "grpc");
  const figures: Figure[] = [];
  for (const name of option(args, "--set", "taiwan,lc-16k").split(",")) {
    const set = await readCreditSet(option(args, "--data", "../shared/data"), name);
    const { training, tables, test } = dealt(set, parties, "0");
    const algorithms = [{ name: "range" }, { name: "bins", cells: 1024 }, { name: "additive" }];
    const maxRowsPerParty = Math.max(...tables.map(({ rows }) => rows));
    progress(`${name}: ${parties} parties of ${maxRowsPerParty} rows`);
    let sums = 0;
    const problem = { manifest: { ...set.manifest, maxRowsPerParty, algorithms }, tables };
    const { results, bytesUp, seconds } = await trainOver(transport, problem, (algorithm) => {
      if (algorithm === "additive") sums++;
    });
    const auc = exactAuc(algorithmNamed("additive").model(results.additive)!.score(test), test.label);
    const part = (table: typeof test) => ({
      columns: set.manifest.features.map((feature) => cellsOf(table, feature.name)),
      label: Array.from(table.label),
    });
    progress(`${name}: gradient boosting in Python`);
    const peers = await inPython<Record<string, { auc: number; seconds: number }>>("boosting", {
      train: part(training),
      test: part(test),
    });
    figures.push(
      noted(`${name} AUC`, rounded(auc), ""),
      ...Object.entries(peers ?? {}).flatMap(([peer, other]) => [
        noted(`${name} AUC of ${peer}`, rounded(other.auc), ""),
        atLeast(`${name} AUC beside ${peer}`, rounded(auc), "", rounded(other.auc - 0.005)),
      ]),
      ...(peers === undefined ? [noted("peers", "not installed", "")] : []),
      atMost(`${name} sums`, sums, "", 6),
      atMost(`${name} first sum to model`, rounded(seconds), "s", 3),
      noted(`${name} bytes up, one party`, rounded(bytesUp / parties / 1e6), "MB"),
    );
  }
  return { bench: "additive", runs: 1, figures };
};

const rounded = (value: number): number => Math.round(1e4 * value) / 1e4;
