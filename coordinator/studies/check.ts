/** What is wrong with a study, before anybody is asked, and what it would cost. */
import { type Digest, digestOf } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import { type AlgorithmForecast, forecastStudy } from "../../models/forecast.ts";
import { poisonersWithstood } from "../../models/groups.ts";
import { holdsOut, type StudyManifest } from "../../models/study.ts";
import { manifestFaults, startStudy, studyEvents } from "../../models/study-loop.ts";
import { epsilonOf } from "../../privacy/noise/accountant.ts";
import { countOrganisations, type Roster } from "../../privacy/roster.ts";
import { chunkCount, seededBytes } from "../../privacy/sum/encryption/bfv-format.ts";
import { checkFeasible, thresholdOf } from "../../privacy/sum/graph.ts";
import { packingOf } from "../../privacy/sum/noise-terms.ts";
import type { StudyCheck } from "../../proto/generated/fedcredit/v1/StudyCheck.ts";
import { currentRoster } from "../authority/membership.ts";
import type { Bank } from "../bank.ts";
import { proposedBy } from "./gate.ts";

export interface ProposalCheck {
  readonly problems: readonly Refusal[];
  /** Why the roster of now cannot run it; members may still be admitted. */
  readonly unready: Refusal | undefined;
  readonly notes: readonly string[];
  /** In the current roster; 0 before there is one. */
  readonly organisations: number;
  readonly threshold: number;
  /** Members that may fall silent in a sum without stopping it. */
  readonly dropOuts: number;
  readonly costs: readonly AlgorithmCost[];
}

export interface AlgorithmCost {
  readonly name: string;
  readonly mostSums: number;
  /** Of one enterprise's ciphertexts in one sum; 0 where it depends on what the rows hold. */
  readonly bytesUp: number;
  /** Of one sum, as {@link secondsOf} has it; 0 where it depends on what the rows hold. */
  readonly seconds: number;
}

/** Checks everything that can be known now; nothing is stored. */
export async function checkProposal(
  bank: Bank,
  study: Digest,
  manifest: StudyManifest,
): Promise<ProposalCheck> {
  const problems: Refusal[] = [];
  const collect = async <T>(work: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      problems.push(error);
      return undefined;
    }
  };
  const { consortium } = bank.config;
  if (manifest.consortium !== consortium)
    problems.push(
      new Refusal(
        "parameters_invalid",
        `consortium: the study is of ${manifest.consortium}, this is ${consortium}`,
      ),
    );
  const taken = await bank.database
    .sql`SELECT digest FROM study WHERE name = ${manifest.name} AND digest <> ${study}`;
  if (taken.length > 0) problems.push(nameTaken(manifest.name));
  const faults = manifestFaults(manifest);
  problems.push(...faults);

  const { minCohort, maxColluding } = manifest.privacy;
  const colluding = Math.max(1, maxColluding);
  const roster = (await currentRoster(bank))?.roster;
  const organisations = roster === undefined ? 0 : countOrganisations(roster, roster.byId.keys());
  // Whoever is still to come: at least the smallest cohort must be able to work.
  const members = Math.max(organisations, minCohort);
  const feasible = await collect(() => checkFeasible({ members, minCohort, maxColluding: colluding }));
  const unready =
    organisations < minCohort
      ? new Refusal(
          "cohort_too_small",
          `${organisations} organisations in the roster, and minCohort is ${minCohort}`,
          {
            hint: "admit more enterprises first, or propose a study with a smaller minCohort",
          },
        )
      : undefined;
  if (roster !== undefined) problems.push(...groupsOf(manifest, roster));
  const forecast =
    faults.length > 0 ? undefined : await collect(() => forecastStudy(manifest, () => performance.now()));
  const costs: AlgorithmCost[] = [];
  for (const of of forecast ?? []) {
    const bytesUp = await collect(() => bytesOf(of, members, minCohort));
    const seconds = bytesUp === undefined ? 0 : secondsOf(of, bytesUp, members, manifest.maxRowsPerParty);
    costs.push({ name: of.name, mostSums: of.mostSums, bytesUp: bytesUp ?? 0, seconds });
  }
  // A list that may take sums takes none where the columns give it nothing to sum.
  const isIdle =
    forecast !== undefined &&
    (costs.every(({ mostSums }) => mostSums === 0) || startStudy(manifest).algorithm === null);
  if (isIdle)
    problems.push(
      new Refusal("parameters_invalid", "algorithms: none of them takes a sum", {
        hint: "list one that learns from the enterprises' rows",
      }),
    );
  return {
    problems: distinct(problems),
    unready,
    notes: notesOn(manifest, feasible?.dropOuts),
    organisations,
    threshold: feasible?.threshold ?? thresholdOf(members, colluding),
    dropOuts: feasible?.dropOuts ?? 0,
    costs,
  };
}

/** A column that is named three times is one mistake, and so is what several algorithms stumble over alike. */
const distinct = (problems: readonly Refusal[]): Refusal[] => [
  ...new Map(problems.map((problem) => [`${problem.message}\n${problem.hint}`, problem])).values(),
];

/** @returns what is wrong with a study's groups, by who is in the roster. */
function groupsOf({ groups = [], privacy }: StudyManifest, roster: Roster): Refusal[] {
  const wrong = (message: string, hint: string): Refusal =>
    new Refusal("parameters_invalid", `groups: ${message}`, { hint });
  const stranger = groups.flat().find((id) => !roster.byId.has(id));
  if (stranger !== undefined)
    return [wrong(`${stranger} is not in the roster`, "draw them anew: coordinator study groups")];
  const seen = new Map<string, number>();
  for (const [i, group] of groups.entries()) {
    if (countOrganisations(roster, group) < privacy.minCohort)
      return [
        wrong(`fewer than ${privacy.minCohort} organisations in that of ${group[0]}`, "take fewer groups"),
      ];
    for (const id of group) {
      const { organisation } = roster.byId.get(id)!;
      if ((seen.get(organisation) ?? i) !== i)
        return [
          wrong(`${organisation} is in two of them`, "deal an organisation's enterprises to one group"),
        ];
      seen.set(organisation, i);
    }
  }
  return [];
}

export const nameTaken = (name: string): Refusal =>
  new Refusal("already_exists", `another study is called ${name}`, {
    hint: "a changed manifest is a new study: give it a new name",
  });

/** @throws Refusal layout_overflow */
function bytesOf({ layout, noise }: AlgorithmForecast, parties: number, minCohort: number): number {
  if (layout === undefined) return 0;
  const cohort = Array.from({ length: parties }, (_, i) => String(i));
  return chunkCount(packingOf({ layout, noise, cohort, minCohort, follows: null }).slots) * seededBytes;
}

/** @returns in words, what a study's sums cost at most. */
function costOf(manifest: StudyManifest): string {
  const { delta } = manifest.privacy.noise!;
  const epsilon = epsilonOf(studyEvents(manifest), delta, manifest.privacy.unit);
  return `ε = ${(Math.ceil(epsilon * 1000) / 1000).toFixed(3)} at δ = ${delta}`;
}

/** Of `bench -- logistic`: one sum of ten members on a near network, apart from its rows and ciphertexts. */
const sumSeconds = 0.5;
/** Of `bench -- seal` and `bench -- sum`: a ciphertext at the member that seals it, and at the bank for each member. */
const sealSeconds = 0.002;
const addSeconds = 0.0011;

/** @returns how long one sum takes, as far as it can be known: its statistic was timed here, on made-up rows. */
const secondsOf = (
  { layout, rowSeconds }: AlgorithmForecast,
  bytesUp: number,
  members: number,
  rows: number,
): number =>
  layout === undefined
    ? 0
    : sumSeconds + (bytesUp / seededBytes) * (sealSeconds + members * addSeconds) + rows * rowSeconds;

function notesOn(manifest: StudyManifest, dropOuts: number | undefined): string[] {
  const notes: string[] = [];
  if (dropOuts === 0)
    notes.push("no enterprise may be away: one that falls silent stops the study until it is back");
  if (manifest.privacy.maxColluding === 0)
    notes.push("maxColluding 0 is counted as 1: the smallest epoch protects against one");
  const { noise } = manifest.privacy;
  if (noise !== undefined)
    notes.push(`all sums together cost at most ${costOf(manifest)} for a ${manifest.privacy.unit}`);
  if (noise !== undefined && dropOuts !== undefined && noise.dropOuts < dropOuts)
    notes.push(
      `${noise.dropOuts} enterprises may fall silent in a sum, where ${dropOuts} could: privacy.noise.dropOuts`,
    );
  const { groups } = manifest;
  if (groups !== undefined)
    notes.push(
      `groups: a step takes ${groups.length} sums, of ${Math.min(...groups.map(({ length }) => length))} enterprises or more; ${poisonersWithstood(groups)} that poison sums decide no step`,
    );
  if (!holdsOut(manifest.holdout)) notes.push("nothing is held out: evaluation is on the training rows");
  return notes;
}

/** What proposing these bytes would say. @throws Refusal message_malformed */
export async function check(bank: Bank, bytes: Uint8Array): Promise<StudyCheck> {
  const wire = ({ reason, message, hint }: Refusal) => ({ reason, message, hint });
  let proposed: Awaited<ReturnType<typeof proposedBy>>;
  try {
    proposed = await proposedBy(bank, bytes);
  } catch (error) {
    if (!(error instanceof Refusal) || error.reason !== "parameters_invalid") throw error;
    return { study: Buffer.from(digestOf(bytes), "hex"), problems: [wire(error)] };
  }
  const { manifest, note, study } = proposed;
  const { problems, unready, notes, costs, ...found } = await checkProposal(bank, study, manifest);
  return {
    study: Buffer.from(study, "hex"),
    problems: [...problems, ...(unready === undefined ? [] : [unready])].map(wire),
    notes: [...notes, ...(note === undefined ? [] : [note])],
    costs: [...costs],
    ...found,
  };
}
