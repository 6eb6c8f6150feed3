/**
 * Which exact sums over other members than an earlier one can be subtracted from it.
 *
 * Sums over {v, a, b}, {v, c, d} and {a, b, c, d} give v twice, though no two of them differ by little, and no party need
 * know of all three. So each holds on to one list, and beside it, where a study deals its members to groups, to those that
 * take in its own group whole: lists that are nested by whole groups give no more than a group's sum, which is shown anyway.
 */
import type { PartyId } from "./graph.ts";

/** Of the study whose sum is asked for. */
export interface GroupLimits {
  /** Undefined where its members are in none. */
  readonly groups: readonly (readonly PartyId[])[] | undefined;
  /** Fewest members of a group that a sum has any of. */
  readonly minCohort: number;
}

/** @returns whether one of two lists, each with the same member, is the other without some groups. */
export function differsByGroups(
  now: readonly PartyId[],
  earlier: readonly PartyId[],
  { groups, minCohort }: GroupLimits,
): boolean {
  if (groups === undefined) return false;
  const [small, large] = now.length < earlier.length ? [now, earlier] : [earlier, now];
  const inSmall = new Set(small);
  const inLarge = new Set(large);
  const parts = groups.map((group) => group.filter((member) => inLarge.has(member)));
  return (
    small.every((member) => inLarge.has(member)) &&
    parts.reduce((all, { length }) => all + length, 0) === large.length &&
    parts.every((part) => {
      const kept = part.filter((member) => inSmall.has(member)).length;
      return part.length === 0 || (part.length >= minCohort && (kept === 0 || kept === part.length));
    })
  );
}
