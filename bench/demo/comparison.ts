import { isHeldOut, tableFromCsv } from "../../client-node/rows.ts";
import type { Evaluation } from "../../models/metrics.ts";
import { runPlain, runPooled } from "../../models/plain.ts";
import { concatRows, selectRows } from "../../models/rows.ts";
import { manifestSchema } from "../../models/study.ts";
import type { Table } from "../../models/table.ts";
import { manifest } from "./study.ts";
import type { GeneratedRows } from "./world.ts";

export interface Comparison {
  /** AUC by algorithm. */
  readonly pooled: ReadonlyMap<string, number>;
  /** Of each enterprise alone, on everyone's held-out rows. */
  readonly alone: ReadonlyMap<string, readonly number[]>;
  /** Of the true probability: no model ranks better. */
  readonly best: number;
}

const scored = ["logistic", "neural"] as const;

/** What the federation is measured against; only the demo can know it, because it wrote everyone's rows. */
export async function compare(generated: readonly GeneratedRows[]): Promise<Comparison> {
  const study = manifestSchema.parse(manifest);
  const tables = generated.map(({ csv }, i) => tableFromCsv(csv, `enterprise ${i + 1}`, study));
  const heldOut = tables.map((table) => selectRows(table, (row) => table.holdout[row] === 1));
  const aucOf = async (rows: Promise<{ results: Record<string, unknown> }>) => {
    const { models } = (await rows).results.evaluate as { models: Record<string, Evaluation> };
    return scored.map((name) => models[name]!.auc);
  };
  const pooled = await aucOf(runPooled(study, tables));
  const alone: number[][] = [];
  for (const table of tables) {
    const own = selectRows(table, (row) => table.holdout[row] === 0);
    // An enterprise sees one industry only: alone, it has to leave the column out.
    const features = study.features.filter((feature) => feature.kind === "numeric");
    const everyone = concatRows([own, ...heldOut]);
    alone.push(await aucOf(runPlain({ ...study, features, maxRowsPerParty: everyone.rows }, [everyone])));
  }
  return {
    pooled: new Map(scored.map((name, i) => [name, pooled[i]!])),
    alone: new Map(scored.map((name, i) => [name, alone.map((aucs) => aucs[i]!)])),
    best: bestAuc(generated, tables),
  };
}

/** The rank statistic of the true probabilities over all held-out rows. */
function bestAuc(generated: readonly GeneratedRows[], tables: readonly Table[]): number {
  const scores: { p: number; bad: number }[] = [];
  for (const [i, { csv, badProbability }] of generated.entries()) {
    const status = csv
      .trimEnd()
      .split("\n")
      .slice(1)
      .map((line) => line.slice(line.lastIndexOf(",") + 1));
    let kept = 0;
    for (const [row, p] of badProbability.entries()) {
      if (status[row] === "overdue_16_30") continue;
      if (isHeldOut(manifest.holdout, String(row))) scores.push({ p, bad: tables[i]!.label[kept]! });
      kept++;
    }
  }
  scores.sort((a, b) => a.p - b.p);
  let good = 0;
  let ordered = 0;
  for (const { bad } of scores)
    if (bad) ordered += good;
    else good++;
  return ordered / (good * (scores.length - good));
}
