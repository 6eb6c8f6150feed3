import { secureRandom, seededRandom } from "../core/random.ts";
import { StudyMemory } from "../models/memory.ts";
import { partyName, runPlain } from "../models/plain.ts";
import type { StudyManifest } from "../models/study.ts";
import { type StudyState, studyContribute, studyLayout } from "../models/study-loop.ts";
import { openBfv } from "../privacy/sum/encryption/bfv.ts";
import { foundConsortium, type RoundSubject, simulateStep } from "../privacy/sum/simulation.ts";
import { atMost, type Bench, cpuTimer, type Figure, median, noted } from "./bench.ts";
import { manifest, syntheticTable } from "./logistic.ts";

const features = 23;
const sizes = [10, 40, 100, 200] as const;
const rounds = 7;
const warmUp = 2;
const colluding = 1;

/**
 * CPU of one member and round as the cohort grows: a Newton step through both state machines with masks and
 * encryption, all threads, without network, disk or rows. What a member does is counted as one figure: all that
 * the members do, over their number, so that the few that look at more than others (spot checks) are in it.
 */
export const bench: Bench = async (_args, progress) => {
  await using cleanup = new AsyncDisposableStack();
  const bfv = await openBfv();
  cleanup.defer(() => bfv.close());
  const { state, manifest: study } = await newtonStep();
  // What each adds is no part of what is measured: the same for all.
  const means = { random: secureRandom, memory: new StudyMemory() };
  const values = await studyContribute(study, state, syntheticTable(seededRandom("bench cohort")), means);
  const figures: Figure[] = [];
  const perRound = new Map<number, number>();
  for (const size of sizes) {
    progress(`${size} members`);
    const members = Array.from({ length: size }, (_, i) => partyName(i));
    const elapsed = cpuTimer();
    const consortium = await foundConsortium(
      "bench",
      new Map(members.map((id) => [id, id])),
      bfv,
      secureRandom,
      colluding,
    );
    const { slots, degree, threshold } = consortium.epoch.open.header;
    const setUp = elapsed() / size / slots;
    const spent: number[] = [];
    for (let round = 1; round <= warmUp + rounds; round++) {
      let milliseconds = 0;
      const subject: RoundSubject = { layout: studyLayout(study, state), minCohort: colluding + 2, round };
      const { attempts } = await simulateStep(consortium, subject, members, () => ({
        bfv,
        contribute: () => values,
        aroundParty: async (work) => {
          const since = cpuTimer();
          await work();
          milliseconds += since();
        },
      }));
      if (attempts.length !== 1 || attempts[0]!.sum === undefined)
        throw new Error(`no sum of ${size} members`);
      if (round > warmUp) spent.push(milliseconds / size);
    }
    const own = median(spent) + setUp;
    perRound.set(size, own);
    const name = `${size} members (${degree} neighbours, T = ${threshold})`;
    figures.push(
      size === 100
        ? atMost(name, rounded(own), "ms CPU a member and round", 10)
        : noted(name, rounded(own), "ms CPU a member and round"),
      noted(`${size} members, of it the key epoch's share`, rounded(setUp), "ms CPU"),
    );
  }
  const growth = perRound.get(200)! / perRound.get(40)!;
  figures.push(atMost("200 members over 40", rounded(growth), "ratio", 1.5));
  return { bench: "cohort", runs: rounds, figures };
};

const rounded = (value: number): number => Math.round(100 * value) / 100;

/** @returns the study, and its state before a Newton step. */
async function newtonStep(): Promise<{ manifest: StudyManifest; state: StudyState }> {
  const study = { ...manifest, features: manifest.features.slice(0, features) };
  let before: StudyState | undefined;
  await runPlain(study, [syntheticTable(seededRandom("bench cohort"))], {
    onRound: (state) => {
      if (state.algorithm === "logistic") before = state;
    },
  });
  return { manifest: study, state: before! };
}
