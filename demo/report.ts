import type { RaisedWarning } from "./happenings.ts";
import type { Decided, Score } from "./scores.ts";
import type { Stored } from "./stored-once.ts";

/** A model for which each customer counts by no more than ε. */
export interface UnderNoise {
  readonly algorithm: string;
  /** On held-out customers, measured under noise, too. */
  readonly auc: number;
  /** Of the same study where no sum bears noise. */
  readonly aucWithout: number;
  /** How far bins of scores can hide either. */
  readonly aucWithin: number;
  /** At most, as each node said before its enterprise consented. */
  readonly forecast: number;
  /** What the sums cost. */
  readonly epsilon: number;
  readonly delta: number;
  /** What each enterprise's policy allows of the table, for ever. */
  readonly lifetime: number;
}

export interface DemoSummary {
  /** Whether every check of the exported log held, and every ledger agrees with it. */
  readonly verified: boolean;
  readonly enterprises: readonly string[];
  /** Sums released. */
  readonly rounds: number;
  readonly models: readonly {
    readonly algorithm: string;
    readonly auc: number;
    readonly pooledAuc: number;
    /** Mean over the enterprises. */
    readonly aloneAuc: number;
  }[];
  /** How far bins of scores can hide any of these. */
  readonly aucWithin: number;
  /** Of the true probability: no model ranks better. */
  readonly bestAuc: number;
  /** The model whose sums all bear noise. */
  readonly underNoise: UnderNoise;
  /** Of all enterprises together. */
  readonly bytesUp: number;
  /** What the nodes warned about at their own sites, in the order in which they knew. */
  readonly warnings: readonly RaisedWarning[];
  /** What happened and was not warned about. */
  readonly missingWarnings: readonly string[];
  /** What each enterprise said of its own rows, signed and under its consent. */
  readonly scores: readonly Score[];
  /** The case that the bank decided. */
  readonly decided: Decided | undefined;
  /** Of a numbered source of the enterprise that was killed. */
  readonly stored: Stored;
  /** Enterprises' pages that answered while everything ran. */
  readonly pages: number;
  readonly seconds: number;
  /** Who was killed on the way and came back. */
  readonly restarted: readonly string[];
  readonly protection: unknown;
}

/** @returns ε as people read it: rounded up. */
export const epsilonText = (epsilon: number): string => (Math.ceil(100 * epsilon) / 100).toFixed(2);

/** @returns the results as a person reads them. */
export function tableOf(summary: DemoSummary): string {
  const row = (...cells: string[]) =>
    `  ${cells.map((cell, i) => (i ? cell.padStart(12) : cell.padEnd(12))).join("")}`;
  const auc = (value: number) => value.toFixed(4);
  const { underNoise } = summary;
  return [
    `under noise, of customers: ${underNoise.algorithm}, AUC ${auc(underNoise.auc)}, without noise ${auc(underNoise.aucWithout)}, ± ${auc(underNoise.aucWithin)} for bins of scores`,
    `  cost ε = ${epsilonText(underNoise.epsilon)} of each table's ${underNoise.lifetime} at δ = ${underNoise.delta}, forecast ${epsilonText(underNoise.forecast)} before consent`,
    "exact sums, of borrowers, as every policy accepts:",
    `AUC on held-out rows of all enterprises, ± ${auc(summary.aucWithin)} for bins of scores`,
    row("model", "federated", "pooled", "each alone", "best"),
    ...summary.models.map(({ algorithm, auc: federated, pooledAuc, aloneAuc }) =>
      row(algorithm, auc(federated), auc(pooledAuc), auc(aloneAuc), auc(summary.bestAuc)),
    ),
    "warnings raised by the enterprises' own nodes",
    ...summary.warnings.map((one) =>
      row(one.case, one.enterprise.padStart(14), `${one.secondsAfterOnset} s after onset`.padStart(26)),
    ),
    "what the enterprises said of their own scores",
    ...summary.scores.map((one) =>
      row(
        one.enterprise,
        one.grade,
        `${(100 * one.probability).toFixed(1)} % bad`,
        `  ${one.reasons.join(", ")}`,
      ),
    ),
    `${summary.rounds} rounds, ${summary.enterprises.length} enterprises, ${(summary.bytesUp / 1e6).toFixed(1)} MB up, ${summary.seconds.toFixed(0)} s`,
    `privacy log ${summary.verified ? "verified" : "NOT VERIFIED"}; killed and came back: ${summary.restarted.join(", ") || "nobody"}`,
  ].join("\n");
}
