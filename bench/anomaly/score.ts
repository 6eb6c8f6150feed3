/** The scoring of the Numenta Anomaly Benchmark: early in a window is best, a false alarm costs a little. */
export interface NabProfile {
  readonly name: "standard" | "low FP" | "low FN";
  readonly falsePositive: number;
  readonly falseNegative: number;
}

/** @see Lavin & Ahmad 2015, arXiv:1510.03336, and the weights of its repository's config/profiles.json */
export const nabProfiles: readonly NabProfile[] = [
  { name: "standard", falsePositive: 0.11, falseNegative: 1 },
  { name: "low FP", falsePositive: 0.22, falseNegative: 1 },
  { name: "low FN", falsePositive: 0.11, falseNegative: 2 },
];

/** A labelled series by row numbers: inclusive windows, and the rows before which nothing is judged. */
export interface Labelled {
  readonly rows: number;
  readonly probation: number;
  readonly windows: readonly (readonly [from: number, until: number])[];
}

/** NAB's probation: 15 % of the rows, of 5,000 at most. */
export const nabProbation = (rows: number): number => Math.min(Math.floor(0.15 * rows), 750);

const sigmoid = (position: number): number => (position > 3 ? -1 : 2 / (1 + Math.exp(5 * position)) - 1);

/** @param detections - row numbers. @returns raw score, that of silence, and that of perfection. */
export function nabScore(
  { probation, windows }: Labelled,
  detections: readonly number[],
  { falsePositive, falseNegative }: NabProfile,
): { raw: number; none: number; perfect: number } {
  const counted = windows.filter(([, until]) => until >= probation);
  const best = counted.map(() => -falseNegative);
  let raw = 0;
  for (const row of detections) {
    if (row < probation) continue;
    const inside = counted.findIndex(([from, until]) => row >= from && row <= until);
    if (inside >= 0) {
      const [from, until] = counted[inside]!;
      const position = -(until - row + 1) / (until - from + 1);
      best[inside] = Math.max(best[inside]!, sigmoid(position) / sigmoid(-1));
      continue;
    }
    const before = windows.findLast(([, until]) => until < row);
    const position =
      before === undefined ? 4 : Math.abs(before[1] - row) / Math.max(1, before[1] - before[0]);
    raw += falsePositive * sigmoid(position);
  }
  for (const one of best) raw += one;
  return { raw, none: -falseNegative * counted.length, perfect: counted.length };
}

export const normalised = (scores: readonly { raw: number; none: number; perfect: number }[]): number => {
  const sum = (of: (one: (typeof scores)[number]) => number) => scores.reduce((s, one) => s + of(one), 0);
  const none = sum((one) => one.none);
  return (100 * (sum((one) => one.raw) - none)) / (sum((one) => one.perfect) - none);
};
