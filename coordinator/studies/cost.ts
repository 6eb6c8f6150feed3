/** What a study would take: sums, bytes, time. */
import type { Digest } from "../../core/canonical.ts";
import type { StudyManifest } from "../../models/study.ts";
import { currentRoster } from "../authority/membership.ts";
import type { Bank } from "../bank.ts";
import { type AlgorithmCost, checkProposal, type ProposalCheck } from "./check.ts";
import { paceOf } from "./inspection.ts";

export interface StudyCost {
  readonly algorithms: readonly AlgorithmCost[];
  /** Members that may fall silent in a sum without stopping it. */
  readonly dropOuts: number;
  /** Between two sums, seconds, as in the last study that had several; 0 where there was none. */
  readonly secondsEach: number;
  /** Where each of a sum's steps takes its whole deadline, seconds. */
  readonly mostSecondsEach: number;
}

/** Open, agree, unmask, release. */
const stepsOfSum = 4;

const mostKept = 32;
const kept = new WeakMap<Bank, Map<string, ProposalCheck>>();

/** A study's trial takes a while, and says the same as long as the roster does. */
async function forecastOf(bank: Bank, study: Digest, manifest: StudyManifest): Promise<ProposalCheck> {
  const roster = (await currentRoster(bank))?.roster.digest ?? "";
  const key = `${study} ${roster}`;
  const ofBank = kept.get(bank) ?? new Map<string, ProposalCheck>();
  kept.set(bank, ofBank);
  const known = ofBank.get(key);
  if (known !== undefined) return known;
  const found = await checkProposal(bank, study, manifest);
  if (ofBank.size >= mostKept) ofBank.clear();
  ofBank.set(key, found);
  return found;
}

/** @param found - where the manifest was checked already. */
export async function studyCost(
  bank: Bank,
  study: Digest,
  manifest: StudyManifest,
  found?: ProposalCheck,
): Promise<StudyCost> {
  const { costs, dropOuts } = found ?? (await forecastOf(bank, study, manifest));
  const [last] = await bank.database.sql`
    SELECT study FROM sum_certificate GROUP BY study HAVING count(*) > 1 ORDER BY max(entry) DESC LIMIT 1`;
  const { secondsEach } = last === undefined ? { secondsEach: 0 } : await paceOf(bank, last.study);
  return {
    algorithms: costs,
    dropOuts,
    secondsEach,
    mostSecondsEach: stepsOfSum * manifest.deadlines.stepSeconds,
  };
}
