import { Refusal } from "../../core/reasons.ts";

/** A band of the probability of bad. */
export interface Grade {
  readonly name: string;
  /** The largest probability in it; above that of the grade before. */
  readonly upTo: number;
}

/** Each grade has twice the probability of the one before. */
export const usualGrades = "A:0.01,B:0.02,C:0.04,D:0.08,E:0.16,F:0.32,G:1";

/**
 * @param text - `NAME:LARGEST,…`, ascending, the last up to 1.
 * @throws Refusal usage
 */
export function parseGrades(text: string): Grade[] {
  const grades = text.split(",").map((part) => {
    const colon = part.lastIndexOf(":");
    return { name: part.slice(0, colon).trim(), upTo: Number(part.slice(colon + 1).trim() || Number.NaN) };
  });
  const rising = grades.every(({ upTo }, i) => upTo > (grades[i - 1]?.upTo ?? 0));
  const named = new Set(grades.map(({ name }) => name)).size === grades.length;
  if (!rising || !named || grades.at(-1)!.upTo !== 1 || grades.some(({ name }) => name === ""))
    throw new Refusal("usage", `--grades ${text} is no scale of grades`, {
      hint: `name each with the largest probability of bad in it, ascending to 1: ${usualGrades}`,
    });
  return grades;
}

/** @param probability - of bad, 0 to 1. */
export const gradeOf = (grades: readonly Grade[], probability: number): string =>
  grades.find(({ upTo }) => probability <= upTo)!.name;
