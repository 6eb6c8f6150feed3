/** Where a study stands, as its operator needs it: who is here, who consented and who not and why, and what is left. */
import type { Digest } from "../../core/canonical.ts";
import { isEnded } from "../../core/study-phase.ts";
import { readManifest } from "../../models/study.ts";
import { studySteps } from "../../models/study-loop.ts";
import { countOrganisations } from "../../privacy/roster.ts";
import { readStored } from "../../privacy/sum/coordinator/point.ts";
import type { StudyFault } from "../../proto/generated/fedcredit/v1/StudyFault.ts";
import type { StudyInspection } from "../../proto/generated/fedcredit/v1/StudyInspection.ts";
import type { StudyMember } from "../../proto/generated/fedcredit/v1/StudyMember.ts";
import { leastCohort } from "../authority/epoch-plan.ts";
import { leftOutOf } from "../authority/epoch-store.ts";
import { currentRoster } from "../authority/membership.ts";
import type { Bank } from "../bank.ts";
import type { Outcome } from "../rounds/next-attempt.ts";
import type { Participants } from "../rounds/participants.ts";
import { status } from "./status.ts";
import { studyRow } from "./study-row.ts";

/** @throws Refusal not_found */
export async function inspect(
  bank: Bank,
  participants: Pick<Participants, "isPresent">,
  study: Digest,
): Promise<StudyInspection> {
  const row = await studyRow(bank.database.sql, study);
  const manifest = readManifest(row.manifest);
  const roster = (await currentRoster(bank))?.roster;
  const { byParty, last } = await faultsOf(bank, study);
  const members = await membersOf(bank, participants, study, byParty);
  const here = members.filter(
    ({ connected, consent, leftOut }) => connected && consent === "given" && !leftOut,
  );
  // The sums are counted after it: they never lag behind the round that it names.
  const standing = await status(bank, study);
  const { sums, secondsEach } = await paceOf(bank, study);
  const mostSums = studySteps(manifest);
  const left = isEnded(row.phase) || row.algorithm === null ? 0 : mostSums - sums;
  return {
    status: standing,
    members,
    cohort:
      roster === undefined
        ? 0
        : countOrganisations(
            roster,
            here.map((member) => member.enterprise!),
          ),
    leastCohort: leastCohort(manifest.privacy, manifest.privacy.maxColluding),
    lastFault: last ?? null,
    sums,
    mostSums,
    mostSecondsLeft: left * secondsEach,
  };
}

async function membersOf(
  bank: Bank,
  participants: Pick<Participants, "isPresent">,
  study: Digest,
  faults: ReadonlyMap<string, string>,
): Promise<StudyMember[]> {
  const roster = (await currentRoster(bank))?.roster;
  if (roster === undefined) return [];
  const rows = await bank.database.sql`
    SELECT enterprise, expires_at, withdrawn_at FROM consent WHERE study = ${study}`;
  const consents = new Map(rows.map((row) => [row.enterprise as string, row]));
  const out = new Set([...(await leftOutOf(bank, study)), ...(await leftOutOf(bank, roster.digest))]);
  const now = bank.clock.now();
  return [...roster.byId].map(([enterprise, { organisation }]): StudyMember => {
    const row = consents.get(enterprise);
    const expiresMillis = row === undefined ? 0 : (row.expires_at as Date).getTime();
    const given = expiresMillis > now ? "given" : "expired";
    return {
      enterprise,
      organisation,
      connected: participants.isPresent(enterprise),
      consent: row === undefined ? "none" : row.withdrawn_at === null ? given : "withdrawn",
      expiresMillis,
      reason: faults.get(enterprise) ?? "",
      leftOut: out.has(enterprise),
    };
  });
}

/** Attempts that are looked through for faults, the newest. */
const mostLookedAt = 20;

/** @returns each party's last fault, and how the last attempt without a sum ended. */
async function faultsOf(
  bank: Bank,
  study: Digest,
): Promise<{ byParty: ReadonlyMap<string, string>; last: StudyFault | undefined }> {
  const rows = await bank.database.sql`
    SELECT round, attempt, reason, party, outcome FROM attempt
    WHERE study = ${study} AND outcome IS NOT NULL ORDER BY round DESC, attempt DESC LIMIT ${mostLookedAt}`;
  const byParty = new Map<string, string>();
  for (const { outcome } of rows)
    for (const { party, reason } of readStored<Outcome>(outcome).faults)
      if (!byParty.has(party)) byParty.set(party, reason);
  const [row] = rows;
  const last =
    row === undefined
      ? undefined
      : { round: row.round, attempt: row.attempt, reason: row.reason ?? "", party: row.party ?? "" };
  return { byParty, last };
}

/** @returns the sums so far and the mean time between them, seconds, by the log's own entries. */
export async function paceOf(bank: Bank, study: Digest): Promise<{ sums: number; secondsEach: number }> {
  const [row] = await bank.database.sql`
    SELECT count(*)::int AS sums, min(entry) AS first, max(entry) AS last FROM sum_certificate WHERE study = ${study}`;
  const sums = row!.sums as number;
  if (sums < 2) return { sums, secondsEach: 0 };
  const entries = await bank.database.sql`
    SELECT entry FROM log_entry WHERE index IN (${row!.first}, ${row!.last}) ORDER BY index`;
  const [first, last] = entries.map(({ entry }) => (JSON.parse(entry.toString()) as { time: number }).time);
  return { sums, secondsEach: (last! - first!) / 1000 / (sums - 1) };
}
