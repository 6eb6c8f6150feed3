import type { Digest } from "../../core/canonical.ts";
import { findStudy } from "../../core/ids.ts";
import { Refusal } from "../../core/reasons.ts";
import type { Factor, Model } from "../algorithm.ts";
import { modelsOf, type StudyResults } from "../results.ts";
import { takeRows } from "../rows.ts";
import type { Applicants, Place, RefusedRecord } from "./applicants.ts";
import { type Grade, gradeOf } from "./grades.ts";

export interface ScoredRecord extends Place {
  /** Of bad. */
  readonly probability: number;
  readonly grade: string;
  /** Of a scorecard. */
  readonly points?: number;
  /**
   * What moved the score most towards bad, the strongest first: log-odds against the baseline. Absent where the model
   * gives no reasons.
   */
  readonly reasons?: readonly Factor[];
}

export interface Scores {
  /** What reasons are against: the same for all rows. */
  readonly baseline: { readonly is: string; readonly probability: number } | null;
  readonly scored: readonly ScoredRecord[];
  readonly refused: readonly RefusedRecord[];
}

export interface ScoreOptions {
  readonly grades: readonly Grade[];
  /** Reasons of a row, at most. */
  readonly reasons: number;
}

/** Rows explained at a time: their factors are many objects. */
const chunkRows = 4096;

const baselineText = "a row of which only the averages of the rows that the model was trained on are known";

/** Scores rows where they are: nothing of them goes anywhere. @throws Refusal those of the model */
export function scoreApplicants(
  model: Model,
  { table, places, refused }: Applicants,
  { grades, reasons: most }: ScoreOptions,
): Scores {
  const scored: ScoredRecord[] = [];
  let baseline: number | undefined;
  for (let from = 0; from < table.rows; from += chunkRows) {
    const here = Array.from({ length: Math.min(chunkRows, table.rows - from) }, (_, i) => from + i);
    const rows = takeRows(table, here);
    const probabilities = model.score(rows);
    const points = model.points?.(rows);
    const factors = model.explain?.(rows);
    for (const [i, probability] of probabilities.entries()) {
      const moved = factors?.[i];
      if (moved !== undefined) baseline ??= baselineOf(probability, moved);
      scored.push({
        ...places[from + i]!,
        probability,
        grade: gradeOf(grades, probability),
        ...(points === undefined ? {} : { points: points[i]! }),
        ...(moved === undefined ? {} : { reasons: strongest(moved, most) }),
      });
    }
  }
  return {
    baseline: baseline === undefined ? null : { is: baselineText, probability: baseline },
    scored,
    refused,
  };
}

const strongest = (factors: readonly Factor[], most: number): Factor[] =>
  factors
    .filter(({ effect }) => effect > 0)
    .sort((a, b) => b.effect - a.effect)
    .slice(0, most);

/** @returns the score of the baseline: what is left of a score without its factors; undefined of a score of 0 or 1. */
function baselineOf(probability: number, factors: readonly Factor[]): number | undefined {
  const logOdds = Math.log(probability / (1 - probability));
  if (!Number.isFinite(logOdds)) return undefined;
  return 1 / (1 + Math.exp(factors.reduce((sum, { effect }) => sum + effect, 0) - logOdds));
}

/**
 * @param wanted - the result's name; the only model where absent.
 * @throws Refusal not_found, usage where there are several, state_invalid
 */
export function chooseModel(study: StudyResults, wanted?: string): { name: string; model: Model } {
  const models = modelsOf(study);
  const names = [...models.keys()].join(", ");
  if (models.size === 0) throw new Refusal("not_found", "the study has no model", { hint: "choose another" });
  if (wanted === undefined && models.size > 1)
    throw new Refusal("usage", "the study has several models", { hint: `choose with --result: ${names}` });
  const name = wanted ?? [...models.keys()][0]!;
  const model = models.get(name);
  if (model === undefined)
    throw new Refusal("not_found", `the study has no model called ${name}`, {
      hint: `its models are ${names}`,
    });
  return { name, model };
}

/** @returns the study wanted, or the one that finished last. @throws Refusal not_found */
export function lastFinished<
  Study extends { readonly study: Digest; readonly name: string; readonly phase: string },
>(studies: readonly Study[], wanted: string | undefined): Study {
  if (wanted !== undefined) return findStudy(studies, wanted);
  const last = studies.findLast(({ phase }) => phase === "finished");
  if (last !== undefined) return last;
  throw new Refusal("not_found", "no study has finished yet", {
    hint: "wait for one, or give a model's file with --model",
  });
}
