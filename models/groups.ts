/**
 * A sum hides what a member adds to it, a poisoned update as well as an honest one. Where a study deals its members to
 * groups, each group's updates are summed by themselves, and a step is taken from the median of what a member of a group
 * adds on average: of 2f + 1 groups, f may say what they like.
 *
 * @see Blanchard et al. 2017 and Yin et al. 2018, arXiv:1803.01498, for medians; Minsker 2015 for medians of groups' means.
 */
import { type Random, shuffle } from "../core/random.ts";
import { Refusal } from "../core/reasons.ts";
import type { StudyManifest } from "./study.ts";

export type Groups = readonly (readonly string[])[];

/** @returns how many members, at most, may poison sums and move no step: each spoils one group. */
export const poisonersWithstood = (groups: Groups): number => Math.floor((groups.length - 1) / 2);

/**
 * Deals members to groups, at random and evenly; enterprises of one organisation to the same.
 * @param count - of groups.
 * @throws Refusal cohort_too_small where there are fewer organisations
 */
export function drawGroups(
  members: readonly { readonly id: string; readonly organisation: string }[],
  count: number,
  random: Random,
): string[][] {
  const organisations = shuffle([...new Set(members.map(({ organisation }) => organisation))], random);
  if (organisations.length < 2 * count)
    throw new Refusal("cohort_too_small", `${organisations.length} organisations cannot be ${count} groups`, {
      hint: "take fewer groups",
    });
  const groups = Array.from({ length: count }, (_, g) => {
    const own = new Set(organisations.filter((_, i) => i % count === g));
    return members.filter(({ organisation }) => own.has(organisation)).map(({ id }) => id);
  });
  return groups.map((group) => group.sort());
}

/** @returns the same study, taking one sum of everybody a step. */
export const withoutGroups = ({ groups: _, ...manifest }: StudyManifest): StudyManifest => manifest;

/** @returns what is wrong with a study's groups, whoever its members are. */
export function groupFaults({ groups, privacy }: Pick<StudyManifest, "groups" | "privacy">): Refusal[] {
  if (groups === undefined) return [];
  const faults: Refusal[] = [];
  const wrong = (message: string, hint: string): unknown =>
    faults.push(new Refusal("parameters_invalid", message, { hint }));
  const all = groups.flat();
  const twice = all.find((member, i) => all.indexOf(member) !== i);
  if (twice !== undefined) wrong(`groups: ${twice} is in them twice`, "deal each member to one group");
  const small = groups.findIndex(({ length }) => length < privacy.minCohort);
  if (small >= 0)
    wrong(
      `groups: ${groups[small]!.length} members in the group of ${groups[small]![0]}, and minCohort is ${privacy.minCohort}`,
      "take fewer groups: each is summed by itself",
    );
  return faults;
}

/** One group's sum, as it waits for the others': JSON. */
export type GroupSum = {
  /** Entries in layout order. */
  readonly values: readonly number[];
  /** How many members are in it. */
  readonly parties: number;
};

/** @returns of each group's sum what it would be, were all members like those of the group. */
export function scaledToAll(sums: readonly GroupSum[]): Float64Array[] {
  const members = sums.reduce((all, { parties }) => all + parties, 0);
  return sums.map(({ values, parties }) => Float64Array.from(values, (x) => x * (members / parties)));
}
