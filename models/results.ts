import { z } from "zod";
import type { Algorithm, Finished, Model } from "./algorithm.ts";
import { modelsAmong } from "./needs.ts";
import { parsePublic } from "./parameters.ts";
import { algorithmNamed } from "./registry.ts";
import { manifestSchema, type StudyManifest } from "./study.ts";

/** What a study has come to: a published model says it of itself, a manifest and a state say it together. */
export const studyResultsSchema = manifestSchema
  .pick({ algorithms: true })
  .extend({ results: z.record(z.string(), z.unknown()) })
  .loose();

export type StudyResults = Pick<z.output<typeof studyResultsSchema>, "algorithms" | "results">;

/** One entry of a manifest's list. */
export interface Entry {
  /** What its result is called. */
  readonly as: string;
  readonly algorithm: Algorithm;
  readonly params: Readonly<Record<string, unknown>>;
}

/** @throws Refusal algorithm_unknown */
export const entryOf = ({ name, as = name, ...params }: StudyManifest["algorithms"][number]): Entry => ({
  as,
  algorithm: algorithmNamed(name),
  params,
});

/** @throws Refusal algorithm_unknown */
export const entriesOf = (algorithms: StudyManifest["algorithms"]): Entry[] => algorithms.map(entryOf);

/** @returns the entries that have a result, by result name. @throws Refusal algorithm_unknown */
export const finishedOf = ({ algorithms, results }: StudyResults): Map<string, Finished> =>
  new Map(
    entriesOf(algorithms).flatMap(({ as, algorithm }) =>
      Object.hasOwn(results, as) ? [[as, { algorithm, result: results[as] }] as const] : [],
    ),
  );

/** @returns the results that score rows, by name. @throws Refusal algorithm_unknown, state_invalid */
export const modelsOf = (study: StudyResults): Map<string, Model> => modelsAmong(finishedOf(study));

/** @returns all results of one algorithm, by name. @throws Refusal algorithm_unknown, state_invalid */
export const resultsBy = <Result>(
  { name, result }: Algorithm<Result>,
  study: StudyResults,
): Map<string, Result> =>
  new Map(
    [...finishedOf(study)]
      .filter(([, finished]) => finished.algorithm.name === name)
      .map(([as, finished]) => [as, parsePublic(as, result, finished.result)]),
  );
