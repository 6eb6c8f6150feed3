/**
 * What each enterprise asks of a model on its own held-out rows before it helps to publish it. A poisoned update hides in
 * a sum, and whoever poisons may lie in the sum that evaluates, too: nobody can lie about what others see at home.
 */
import { Refusal } from "../core/reasons.ts";
import type { Model } from "./algorithm.ts";
import type { PartyRows } from "./memory.ts";

/** One row's part in two areas under the ROC curve, and how far the areas are apart. */
export interface Apart {
  /** AUC of the second less that of the first. */
  readonly difference: number;
  /** Standard error of it: both are of the same rows. */
  readonly standardError: number;
}

/**
 * @param first, second - scores of the same rows, shape [rows].
 * @returns undefined where one class has fewer than two rows.
 * @see DeLong, DeLong and Clarke-Pearson 1988, doi:10.2307/2531595
 */
export function aucsApart(first: Float64Array, second: Float64Array, label: Uint8Array): Apart | undefined {
  const [a, b] = [placements(first, label), placements(second, label)];
  const differences = a.map((own, row) => b[row]! - own);
  const of = (wanted: number) => {
    const own = differences.filter((_, row) => label[row] === wanted);
    const mean = own.reduce((sum, x) => sum + x, 0) / own.length;
    return {
      n: own.length,
      mean,
      variance: own.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (own.length - 1),
    };
  };
  const [good, bad] = [of(0), of(1)];
  if (good.n < 2 || bad.n < 2) return undefined;
  return { difference: bad.mean, standardError: Math.sqrt(good.variance / good.n + bad.variance / bad.n) };
}

/** @returns of each bad row the share of good rows that score less, of each good row that of bad rows that score more. */
function placements(scores: Float64Array, label: Uint8Array): Float64Array {
  const order = [...scores.keys()].sort((a, b) => scores[a]! - scores[b]!);
  const bad = label.reduce((sum, one) => sum + one, 0);
  const good = label.length - bad;
  const placed = new Float64Array(scores.length);
  let [goodBelow, badBelow] = [0, 0];
  for (let from = 0, to = 0; from < order.length; from = to) {
    let [goodHere, badHere] = [0, 0];
    for (; to < order.length && scores[order[to]!] === scores[order[from]!]; to++)
      if (label[order[to]!] === 1) badHere++;
      else goodHere++;
    for (const row of order.slice(from, to))
      placed[row] =
        label[row] === 1 ? (goodBelow + goodHere / 2) / good : (bad - badBelow - badHere / 2) / bad;
    goodBelow += goodHere;
    badBelow += badHere;
  }
  return placed;
}

/**
 * @param within - by how much the model's AUC may be below the champion's, beside what chance does.
 * @throws Refusal model_rejected
 */
export function checkGate(
  name: string,
  model: Model,
  champion: Model,
  within: number,
  { heldOut }: Pick<PartyRows, "heldOut">,
): void {
  const apart = aucsApart(champion.score(heldOut), model.score(heldOut), heldOut.label);
  if (apart === undefined) return;
  const { difference, standardError } = apart;
  if (difference + standardError < -within)
    throw new Refusal(
      "model_rejected",
      `${name} ranks this enterprise's held-out rows worse than the champion does: AUC by ${(-difference).toFixed(3)}`,
    );
}
