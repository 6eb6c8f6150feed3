/** Whom a key epoch is opened for, and when another is needed. */
import type { Digest } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import { countOrganisations, type Roster } from "../../privacy/roster.ts";
import { epochSlots } from "../../privacy/sum/epoch/header.ts";
import type { OpenEpoch } from "../../privacy/sum/epoch/secrets.ts";
import { type PartyId, sumGraphPlan } from "../../privacy/sum/graph.ts";

/** What a running study asks of the epoch its next sum is under. */
export interface Demand {
  /** Who may contribute: consented, and not left out. */
  readonly eligible: readonly PartyId[];
  /** Fewest organisations. */
  readonly minCohort: number;
  readonly maxColluding: number;
  readonly stepSeconds: number;
}

export interface EpochPlan {
  /** Sorted, one an organisation. */
  readonly members: readonly PartyId[];
  readonly maxColluding: number;
  readonly stepSeconds: number;
}

/** Fewest organisations of a sum of this study under an epoch that counts on `maxColluding`. */
export const leastCohort = ({ minCohort }: Pick<Demand, "minCohort">, maxColluding: number): number =>
  Math.max(minCohort, maxColluding + 2);

/** One member an organisation: first who can contribute to some study, then by id. */
function onePerOrganisation(
  roster: Roster,
  present: readonly PartyId[],
  demands: ReadonlyMap<Digest, Demand>,
): PartyId[] {
  const wanted = new Set([...demands.values()].flatMap(({ eligible }) => eligible));
  const rank = (id: PartyId): string => `${wanted.has(id) ? 0 : 1} ${id}`;
  const byOrganisation = new Map<string, PartyId>();
  for (const id of [...present].sort((a, b) => (rank(a) < rank(b) ? -1 : 1))) {
    const organisation = roster.byId.get(id)?.organisation;
    if (organisation !== undefined && !byOrganisation.has(organisation)) byOrganisation.set(organisation, id);
  }
  return [...byOrganisation.values()].sort();
}

const among = (roster: Roster, { eligible }: Demand, members: readonly PartyId[]): number =>
  countOrganisations(
    roster,
    eligible.filter((id) => members.includes(id)),
  );

/**
 * The epoch for those who are present: it counts on as many colluding members as any study that it can serve.
 * @param demands - by study.
 * @throws Refusal cohort_too_small where it can serve none, cohort_too_large
 */
export function planEpoch(
  roster: Roster,
  present: readonly PartyId[],
  demands: ReadonlyMap<Digest, Demand>,
): EpochPlan {
  const members = onePerOrganisation(roster, present, demands);
  const served = [...demands.values()].filter(
    (demand) => among(roster, demand, members) >= leastCohort(demand, demand.maxColluding),
  );
  if (served.length === 0)
    throw new Refusal(
      "cohort_too_small",
      `too few of ${members.length} present members consented to any study`,
    );
  const maxColluding = Math.max(1, ...served.map((demand) => demand.maxColluding));
  const graph = sumGraphPlan(members.length, maxColluding);
  if (graph instanceof Refusal) throw graph;
  return { members, maxColluding, stepSeconds: Math.max(...served.map(({ stepSeconds }) => stepSeconds)) };
}

/** An open epoch and what became of it. */
export interface EpochInUse {
  readonly epoch: OpenEpoch;
  readonly slotsTaken: number;
  /** Members whose connection is the one they had when it was opened: who came back may have no secrets. */
  readonly connected: ReadonlySet<PartyId>;
}

/** @returns why another epoch is needed, or undefined. */
export function whyStale(
  { epoch, slotsTaken, connected }: EpochInUse,
  roster: Roster,
  plan: EpochPlan,
  demands: ReadonlyMap<Digest, Demand>,
): string | undefined {
  const { header, neighbours } = epoch;
  if (header.roster !== roster.digest) return "the roster changed";
  if (slotsTaken >= epochSlots) return "its slots are used up";
  if (header.maxColluding < plan.maxColluding) return "a study counts on more colluding members";
  const back = plan.members.find((id) => !connected.has(id));
  const servesAll = [...demands.values()].every(
    (demand) =>
      among(roster, demand, plan.members) < leastCohort(demand, header.maxColluding) ||
      among(roster, demand, [...connected]) >= leastCohort(demand, header.maxColluding),
  );
  // Otherwise one that comes and goes all the time would keep everyone from the first sum.
  if (back !== undefined && (slotsTaken > 0 || !servesAll)) return `${back} came, or came back`;
  const unserved = [...demands.values()].some((demand) => {
    const here = among(roster, demand, [...connected]);
    return here >= leastCohort(demand, plan.maxColluding) && here < leastCohort(demand, header.maxColluding);
  });
  if (unserved) return "it counts on more colluding members than any study";
  const short = [...connected].find((id) => {
    const around = [id, ...neighbours.get(id)!].filter((other) => connected.has(other));
    return around.length < header.threshold;
  });
  return short === undefined ? undefined : `fewer than T around ${short} are left`;
}
