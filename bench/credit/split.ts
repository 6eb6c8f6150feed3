import { seededRandom, shuffle } from "../../core/random.ts";
import { takeRows } from "../../models/rows.ts";
import type { Table } from "../../models/table.ts";

/** @returns seven tenths of the rows dealt to so many parties, and the others to be scored. */
export function dealt({ table }: { readonly table: Table }, parties: number, seed: string) {
  const rows = shuffle([...Array(table.rows).keys()], seededRandom(`bench split ${seed}`));
  const training = rows.slice(0, Math.floor(0.7 * table.rows));
  return {
    training: takeRows(table, training),
    tables: Array.from({ length: parties }, (_, p) =>
      takeRows(
        table,
        training.filter((_, i) => i % parties === p),
      ),
    ),
    test: takeRows(table, rows.slice(training.length)),
  };
}

/** @returns the area under the ROC curve, without bins; a tie counts half. */
export function exactAuc(scores: Float64Array, label: Uint8Array): number {
  const order = [...scores.keys()].sort((a, b) => scores[a]! - scores[b]!);
  let ranks = 0;
  let bad = 0;
  for (let from = 0, to = 0; from < order.length; from = to) {
    while (to < order.length && scores[order[to]!] === scores[order[from]!]) to++;
    for (const row of order.slice(from, to))
      if (label[row] === 1) {
        ranks += (from + to + 1) / 2;
        bad++;
      }
  }
  return (ranks - (bad * (bad + 1)) / 2) / (bad * (order.length - bad));
}
