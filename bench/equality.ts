import { seededRandom, shuffle } from "../core/random.ts";
import { Refusal } from "../core/reasons.ts";
import { runPlain } from "../models/plain.ts";
import { withNeeds } from "../models/plan.ts";
import { modelsOf } from "../models/results.ts";
import { takeRows } from "../models/rows.ts";
import { atMost, type Bench, type BenchOptions, type Figure, noted, option } from "./bench.ts";
import { type CreditSet, creditSetNames, readCreditSet } from "./credit/sets.ts";
import { exactAuc } from "./credit/split.ts";

const parties = 5;

interface Entry {
  readonly name: string;
  readonly as?: string;
  readonly [parameter: string]: unknown;
}

interface Compared {
  readonly entry: Entry;
  /** Most that the two may differ by; of a network, that their AUC may. */
  readonly most: number;
}

const compared: readonly Compared[] = [
  ...[
    "summary",
    "correlation",
    "bins",
    "woe",
    "logistic",
    "scorecard",
    "multinomial",
    "naive-bayes",
    "boosting",
    "forest",
    "extra-trees",
    "neighbours",
  ].map((name) => ({ entry: { name }, most: 1e-8 })),
  { entry: { name: "logistic", as: "ridge", penalty: 0.001 }, most: 1e-8 },
  { entry: { name: "multinomial", as: "multinomial-ridge", penalty: 0.001 }, most: 1e-8 },
  // Its sums are on a coarser grid.
  { entry: { name: "additive" }, most: 1e-6 },
  { entry: { name: "neural", hidden: [8], rounds: 10 }, most: 0.005 },
];

export const options: BenchOptions = {
  "--set <name>": "one credit set; all by default",
};

/**
 * What five enterprises come to together beside what one with all rows comes to: of every number of the result, and of
 * every row's score, the largest difference, relative to the number where it is above one; of a network that of its AUC.
 */
export const bench: Bench = async (args, progress) => {
  const dir = option(args, "--data", "../shared/data");
  const only = option(args, "--set", "");
  const figures: Figure[] = [];
  for (const name of creditSetNames.filter((one) => only === "" || one === only)) {
    const set = await readCreditSet(dir, name);
    for (const { entry, most } of compared) {
      const as = entry.as ?? entry.name;
      progress(`${name}: ${as}`);
      const apart = await differenceOf(set, entry);
      figures.push(
        typeof apart === "string"
          ? noted(`${name} ${as}`, apart, "")
          : atMost(`${name} ${as}`, Number(apart.toPrecision(2)), "", most),
      );
    }
  }
  return { bench: "equality", runs: 1, figures };
};

/** @returns why there is no result, for both alike. */
async function differenceOf({ manifest, table }: CreditSet, entry: Entry): Promise<number | string> {
  const algorithms = withNeeds(entry);
  const study = { ...manifest, algorithms, maxRowsPerParty: table.rows };
  const rows = shuffle([...Array(table.rows).keys()], seededRandom("equality"));
  const tables = Array.from({ length: parties }, (_, p) =>
    takeRows(
      table,
      rows.filter((_, i) => i % parties === p),
    ),
  );
  const as = entry.as ?? entry.name;
  const runs = await Promise.all(
    [[table], tables].map((own) =>
      runPlain(study, own).catch((error: unknown) => {
        if (error instanceof Refusal) return `${error.reason}: ${error.message}`;
        throw error;
      }),
    ),
  );
  const [pooled, federated] = runs as [(typeof runs)[0], (typeof runs)[0]];
  if (typeof pooled === "string" || typeof federated === "string")
    return pooled === federated ? String(pooled) : `differ: ${JSON.stringify([pooled, federated])}`;
  const [one, many] = [pooled, federated].map(({ results }) =>
    modelsOf({ algorithms, results }).get(as)?.score(table),
  );
  if (entry.name === "neural") return Math.abs(exactAuc(one!, table.label) - exactAuc(many!, table.label));
  const scores =
    one === undefined ? 0 : one.reduce((most, p, row) => Math.max(most, Math.abs(p - many![row]!)), 0);
  return Math.max(scores, apart(pooled.results[as], federated.results[as]));
}

function apart(a: unknown, b: unknown): number {
  if (typeof a === "number" && typeof b === "number") return Math.abs(a - b) / Math.max(1, Math.abs(a));
  if (typeof a !== "object" || a === null || typeof b !== "object" || b === null)
    return a === b ? 0 : Infinity;
  const keys = Object.keys(a);
  if (keys.join("\0") !== Object.keys(b).join("\0")) return Infinity;
  return keys.reduce(
    (most, key) =>
      Math.max(most, apart((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key])),
    0,
  );
}
