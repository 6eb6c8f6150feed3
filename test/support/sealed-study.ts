import { secureRandom } from "../../core/random.ts";
import type { StudyManifest } from "../../models/study.ts";
import { type StudyState, studyLayout } from "../../models/study-loop.ts";
import type { Table } from "../../models/table.ts";
import { openBfv } from "../../privacy/sum/encryption/bfv.ts";
import { foundConsortium, simulateAttempt, simulatedHeader } from "../../privacy/sum/simulation.ts";
import { contributionOf } from "./algorithms.ts";

const bfv = await openBfv();

/** @returns the parties' sum with masks and encryption, all in this process. */
export async function sealedSumOf(
  study: StudyManifest,
  state: StudyState,
  parties: readonly Table[],
): Promise<Float64Array> {
  const ids = parties.map((_, i) => `party-${i}`);
  const members = new Map(ids.map((id) => [id, id]));
  const consortium = await foundConsortium("compliance", members, bfv, secureRandom);
  const subject = { layout: studyLayout(study, state), minCohort: 3, round: 1 };
  const { sum } = await simulateAttempt(simulatedHeader(consortium, subject, ids), consortium, {
    bfv,
    contribute: (id) => contributionOf(study, state, parties[ids.indexOf(id)]!),
  });
  if (sum === undefined) throw new Error("the round came to no sum");
  return sum.sum.values;
}
