/** A study recomputed by somebody who has its manifest and its sums, and takes nobody's word for its states. */
import type { StudyArithmetic } from "../privacy/log/arithmetic.ts";
import { checkManifest, type StudyManifest } from "./study.ts";
import { advanceStudy, type StudyState, startStudy, studyNext, studyResult } from "./study-loop.ts";

/** States are its own: what `start` and `advance` gave. */
export const studyArithmetic: StudyArithmetic = {
  start: (manifest) => startStudy(checkManifest(manifest)),
  next(manifest, state) {
    const { index, algorithm, step } = state as StudyState;
    if (algorithm === null) return undefined;
    const next = studyNext(manifest as StudyManifest, state as StudyState);
    return { algorithm: { index, name: algorithm, step }, ...next };
  },
  advance: (manifest, state, sum) => advanceStudy(manifest as StudyManifest, state as StudyState, sum),
  results: (state) => studyResult(state as StudyState),
};
