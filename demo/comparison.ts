import { readNodeConfig } from "../client-node/config.ts";
import { configFile } from "../client-node/init.ts";
import { splitSalt } from "../client-node/ledger/chain.ts";
import { openStore } from "../client-node/ledger/store.ts";
import { ledgerFile } from "../client-node/node.ts";
import { ownRecords } from "../client-node/rows/own-records.ts";
import { isHeldOut, splitKeyOf, tableFromRecords } from "../client-node/rows/rows.ts";
import type { Records } from "../core/csv.ts";
import type { Evaluation } from "../models/numerics/metrics.ts";
import { runPlain, runPooled } from "../models/plain.ts";
import { concatRows, selectRows } from "../models/rows.ts";
import { manifestSchema, usualTable } from "../models/study.ts";
import type { NodeFolder } from "./node-folder.ts";
import { manifest, privateManifest } from "./study.ts";

export interface Comparison {
  /** AUC by algorithm. */
  readonly pooled: ReadonlyMap<string, number>;
  /** Of each enterprise alone, on everyone's held-out rows. */
  readonly alone: ReadonlyMap<string, readonly number[]>;
  /** How far bins of scores can hide any of these. */
  readonly within: number;
  /** Of the true probability: no model ranks better. */
  readonly best: number;
}

const scored = ["logistic", "scorecard", "boosting", "neural"] as const;

/** What the federation is measured against, from the rows its nodes made; only the demo may read everyone's. */
export async function compare(folders: readonly NodeFolder[]): Promise<Comparison> {
  const study = manifestSchema.parse(manifest);
  const records = await Promise.all(folders.map(({ dir }) => ownRecords(readNodeConfig(configFile(dir)))()));
  const salts = folders.map((folder) => saltOf(folder));
  const tables = records.map((sources, i) => tableFromRecords(sources, study, salts[i]!));
  const heldOut = tables.map((table) => selectRows(table, (row) => table.holdout[row] === 1));
  let within = 0;
  const aucsOf = async (rows: Promise<{ results: Record<string, unknown> }>) => {
    const { models } = (await rows).results.evaluate as { models: Record<string, Evaluation> };
    within = Math.max(within, ...Object.values(models).map(({ aucWithin }) => aucWithin));
    return scored.map((name) => models[name]!.auc);
  };
  const pooled = await aucsOf(runPooled(study, tables));
  const alone: number[][] = [];
  for (const table of tables) {
    const own = selectRows(table, (row) => table.holdout[row] === 0);
    // An enterprise sees one industry only: alone, it has to leave the column out.
    const features = study.features.filter((feature) => feature.kind === "numeric");
    const everyone = concatRows([own, ...heldOut]);
    alone.push(await aucsOf(runPlain({ ...study, features, maxRowsPerParty: everyone.rows }, [everyone])));
  }
  return {
    pooled: new Map(scored.map((name, i) => [name, pooled[i]!])),
    alone: new Map(scored.map((name, i) => [name, alone.map((aucs) => aucs[i]!)])),
    within,
    best: bestAuc(folders.flatMap((folder, i) => heldOutLoans(folder, records[i]!, salts[i]!))),
  };
}

/** @returns the AUC that the study of customers comes to where no sum bears noise. */
export async function withoutNoise(folders: readonly NodeFolder[]): Promise<Evaluation> {
  const { table, algorithms, privacy } = privateManifest;
  const study = manifestSchema.parse({
    ...privateManifest,
    algorithms: algorithms.map(({ name }) => ({ name })),
    privacy: { ...privacy, noise: undefined, unit: "record" },
    unprotected: ["noise"],
  });
  const tables = folders.map(async (folder) => {
    const records = await ownRecords(readNodeConfig(configFile(folder.dir)), table)();
    return tableFromRecords(records, study, saltOf(folder, table));
  });
  const { results } = await runPlain(study, await Promise.all(tables));
  return evaluationOf(results, "logistic-private");
}

/** @param results - of a study that ends in an evaluation. */
export const evaluationOf = (results: Record<string, unknown>, name: string): Evaluation =>
  (results.evaluate as { models: Record<string, Evaluation> }).models[name]!;

/** What the node dealt its rows to training and hold-out with. */
function saltOf({ dataDir }: NodeFolder, table = usualTable): Uint8Array {
  const db = openStore(ledgerFile(dataDir));
  try {
    return splitSalt(db, table, new Uint8Array(32));
  } finally {
    db.close();
  }
}

interface Loan {
  readonly probability: number;
  readonly bad: boolean;
}

/** A study leaves the indeterminate ones out. */
function heldOutLoans({ borrowers }: NodeFolder, sources: readonly Records[], salt: Uint8Array): Loan[] {
  const months = borrowers.reduce((sum, one) => sum + one.months.length, 0);
  const joined = sources.reduce((rows, { atMost }) => rows + atMost, 0);
  if (joined !== months) throw new RangeError("a loan has no features");
  const { label, holdout } = manifest;
  const bad: readonly string[] = label.bad;
  const key = splitKeyOf(holdout, salt);
  return borrowers
    .filter(({ site }) => isHeldOut(holdout, key, site))
    .flatMap((borrower) => borrower.months)
    .filter(({ creditStatus }) => creditStatus !== "overdue_16_30")
    .map(({ badProbability, creditStatus }) => ({
      probability: badProbability,
      bad: bad.includes(creditStatus),
    }));
}

/** The rank statistic of the true probabilities. */
function bestAuc(loans: readonly Loan[]): number {
  let good = 0;
  let ordered = 0;
  for (const { bad } of loans.toSorted((a, b) => a.probability - b.probability))
    if (bad) ordered += good;
    else good++;
  return ordered / (good * (loans.length - good));
}
