import { type Random, seededRandom } from "../core/random.ts";
import { dequantizeSum, planPacking, quantize, T } from "../privacy/sum/layout.ts";
import { addNoiseFrom, drawNoise } from "../privacy/sum/noise.ts";
import { packingOf } from "../privacy/sum/noise-terms.ts";
import type { PriorResults, SealedSum } from "./algorithm.ts";
import { withoutGroups } from "./groups.ts";
import { StudyMemory } from "./memory.ts";
import { concatRows } from "./rows.ts";
import type { StudyManifest } from "./study.ts";
import {
  advanceStudy,
  type PartyMeans,
  type StudyState,
  startStudy,
  studyCohort,
  studyContribute,
  studyNext,
} from "./study-loop.ts";
import type { Table } from "./table.ts";

export interface PlainOptions {
  /** One source of randomness for each party; repeatable by default. */
  readonly randomOf?: (party: number) => Random;
  /** Asked before each sum for each party: whether it takes part. All do by default. */
  readonly isPresent?: (party: number) => boolean;
  /** What a party sends in place of what it should, shape [vectorLength(layout)]: for attacks. */
  readonly onContribution?: (party: number, values: Float64Array, state: StudyState) => Float64Array;
  /** Told before each sum is taken. */
  readonly onRound?: (state: StudyState, round: number) => void;
}

export interface PlainRun {
  readonly results: PriorResults;
  /** Sums taken. */
  readonly rounds: number;
}

/**
 * Runs a study in memory without protection: the reference that the sealed sum must equal. It adds the
 * same slots, so that both agree bit by bit.
 * @throws Refusal
 */
export async function runPlain(
  manifest: StudyManifest,
  tables: readonly Table[],
  options: PlainOptions = {},
): Promise<PlainRun> {
  const means = tables.map((_, i) => ({
    random: options.randomOf?.(i) ?? seededRandom(`party ${i}`),
    memory: new StudyMemory(),
  }));
  let state = startStudy(manifest);
  let rounds = 0;
  while (state.algorithm !== null) {
    options.onRound?.(state, rounds);
    const among = studyCohort(manifest, state);
    const present = [...tables.keys()].filter(
      (party) => (options.isPresent?.(party) ?? true) && among?.includes(partyName(party)) !== false,
    );
    const sum = await plainSum(manifest, state, tables, means, present, options.onContribution);
    state = await advanceStudy(manifest, state, sum);
    rounds++;
  }
  return { results: state.results, rounds };
}

/** @param index - of a simulated party. @returns what a study's groups call it. */
export const partyName = (index: number): string => `party-${String(index + 1).padStart(4, "0")}`;

/** Runs a study on the rows of all parties as one table. */
export const runPooled = (
  manifest: StudyManifest,
  tables: readonly Table[],
  options: PlainOptions = {},
): Promise<PlainRun> =>
  runPlain(
    { ...withoutGroups(manifest), maxRowsPerParty: manifest.maxRowsPerParty * tables.length },
    [concatRows(tables)],
    options,
  );

async function plainSum(
  manifest: StudyManifest,
  state: StudyState,
  tables: readonly Table[],
  means: readonly PartyMeans[],
  present: readonly number[],
  sentBy: PlainOptions["onContribution"] = (_, values) => values,
): Promise<SealedSum> {
  const { layout, noise } = studyNext(manifest, state);
  const cohort = present.map(partyName);
  const header = { layout, noise, cohort, minCohort: cohort.length, follows: null };
  const packing = noise === undefined ? planPacking(layout, tables.length) : packingOf(header);
  const total = new Float64Array(packing.slots);
  for (const party of present) {
    const contribution = await studyContribute(manifest, state, tables[party]!, means[party]!);
    const slots = quantize(sentBy(party, contribution, state), packing);
    const { parts } = drawNoise("", header, [], means[party]!.random);
    addNoiseFrom(0, slots, packing, parts);
    for (let s = 0; s < slots.length; s++) total[s] = (total[s]! + slots[s]!) % T;
  }
  return { values: dequantizeSum(total, packing, present.length), parties: present.length };
}
