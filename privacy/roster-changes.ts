/** What a roster changes against the one before it, for whoever signs it: in words, and as data. */
import { equalBytes } from "../core/bytes.ts";
import { describeRecovery, recoveriesSince } from "./recovery.ts";
import type { Member, RosterText } from "./roster.ts";

export interface RosterChanges {
  /** What was lost since, in words. */
  readonly lost: readonly string[];
  readonly joined: readonly string[];
  readonly left: readonly string[];
  /** Members that stay, with what is new of them. */
  readonly changed: readonly { readonly id: string; readonly what: readonly string[] }[];
}

/**
 * @param before - undefined where there was none: then everybody joins.
 * @throws Refusal roster_mismatch, where a recovery of before is not in it any more
 */
export function rosterChanges(before: RosterText | undefined, after: RosterText): RosterChanges {
  const old = new Map(before?.members.map((member) => [member.id, member]));
  const now = new Set(after.members.map(({ id }) => id));
  const changed = after.members.flatMap((member) => {
    const known = old.get(member.id);
    const what = known === undefined ? [] : differences(known, member);
    return what.length === 0 ? [] : [{ id: member.id, what }];
  });
  return {
    lost: recoveriesSince(before?.recoveries ?? [], after.recoveries ?? []).map(describeRecovery),
    joined: after.members.filter(({ id }) => !old.has(id)).map(({ id }) => id),
    left: [...old.keys()].filter((id) => !now.has(id)),
    changed,
  };
}

function differences(before: Member, after: Member): string[] {
  const what: string[] = [];
  if (before.organisation !== after.organisation)
    what.push(`another organisation: ${after.organisation}, before ${before.organisation}`);
  if (before.verifierKey !== after.verifierKey) what.push("another identity key: call and compare");
  if (!equalBytes(before.hpkeKey, after.hpkeKey)) what.push("another key to receive secrets");
  return what;
}

/** @returns one line a change, sorted by what happened; one that says so where nothing did. */
export function describeChanges({ lost, joined, left, changed }: RosterChanges): string[] {
  const lines = [
    ...lost.map((what) => `lost     ${what}`),
    ...joined.map((id) => `joins    ${id}`),
    ...left.map((id) => `leaves   ${id}`),
    ...changed.flatMap(({ id, what }) => what.map((one) => `changes  ${id}: ${one}`)),
  ];
  return lines.length === 0 ? ["nothing changes"] : lines;
}
