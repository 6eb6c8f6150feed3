/**
 * What the rows of a table have cost: an event for every sum they may be in, durable before its first byte leaves. Never
 * taken back; what they add up to is the accountant's to say.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Digest } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import { epsilonOf } from "../../privacy/noise/accountant.ts";
import type { PrivacyEvent } from "../../privacy/noise/event.ts";
import type { RoundHeader } from "../../privacy/sum/header.ts";
import { eventOf } from "../../privacy/sum/noise-terms.ts";
import { everyTable, isAccounted, requireAccounted } from "./recoveries.ts";
import { prepared, transact } from "./store.ts";

/** Of policy.yaml. */
export interface Budget {
  /** ε over everything that a table's rows ever took part in with noise. */
  readonly lifetime: number;
  /** Without it no ε can be stated, and no sum with noise is taken part in. */
  readonly delta?: number | undefined;
}

/** Whose rows a sum is of, and in what unit its study counts. */
export interface ChargedRows {
  readonly table: string;
  readonly unit: PrivacyEvent["unit"];
}

export interface Charged extends ChargedRows {
  readonly budget: Budget;
}

type Step = Pick<RoundHeader, "study" | "round" | "follows" | "noise">;

/**
 * Attempts of one step are counted once, as one of them is released at most; those that follow an unmasked one are
 * counted again.
 * @returns the attempt in whose charge this one is counted.
 */
export function countedIn(db: DatabaseSync, { study, round, follows }: Step): Digest | undefined {
  if (follows !== null) return undefined;
  const row = prepared(
    db,
    "SELECT round_id FROM spend WHERE study = ? AND round = ? AND follows IS NULL",
  ).get(study, round);
  return row === undefined ? undefined : String(row.round_id);
}

/**
 * What is counted of a table (1, 2): every sum that was charged, and for each step whose end this node has not seen one
 * more. Half of its survivors may have been summed again without this node, and a bank need not say so: the charge of a
 * half ends the doubt, and the state chain, which goes on by proven sums alone. The step (3, 4) that is being asked for is
 * left out of that.
 */
const counted = `
  WITH own AS (SELECT * FROM spend WHERE rows_table IN (?1, ?2)), counted AS (
    SELECT study, time, event FROM own
    UNION ALL
    SELECT own.study, time, json_set(event, '$.samplingRate', 1) FROM own LEFT JOIN chain USING (study)
    WHERE follows IS NULL AND rows_table <> ?2 AND round > coalesce(sums, 0) AND NOT (own.study = ?3 AND round = ?4)
      AND NOT EXISTS (SELECT 1 FROM spend AS half
        WHERE half.study = own.study AND half.round = own.round AND half.follows LIKE 'half %')
  )`;

const eventsIn = (rows: readonly Record<string, unknown>[]): PrivacyEvent[] =>
  rows.map(({ event, sums }) => ({
    ...(JSON.parse(String(event)) as PrivacyEvent),
    count: Number(sums),
  }));

/** @returns the events of a table, equal ones together. @param asked - the step that is about to be charged */
export function spentEvents(
  db: DatabaseSync,
  table: string,
  asked: Pick<Step, "study" | "round"> = { study: "", round: 0 },
): PrivacyEvent[] {
  const rows = prepared(
    db,
    `${counted} SELECT event, count(*) AS sums FROM counted GROUP BY event ORDER BY event`,
  ).all(table, everyTable, asked.study, asked.round);
  return eventsIn(rows);
}

/** @returns ε of what a study has cost by itself; undefined where the policy states no δ. */
export function studySpent(
  db: DatabaseSync,
  study: Digest,
  table: string,
  { delta }: Budget,
): number | undefined {
  if (delta === undefined) return undefined;
  const rows = prepared(
    db,
    `${counted} SELECT event, count(*) AS sums FROM counted WHERE study = ?5 GROUP BY event`,
  ).all(table, everyTable, "", 0, study);
  return epsilonOf(eventsIn(rows), delta);
}

/** @returns steps with noise that this node has submitted to and not seen the end of. */
export const openSteps = (db: DatabaseSync): { readonly study: Digest; readonly round: number }[] =>
  prepared(
    db,
    `SELECT DISTINCT study, round FROM spend LEFT JOIN chain USING (study)
     WHERE follows IS NULL AND rows_table <> ? AND round > coalesce(sums, 0)`,
  )
    .all(everyTable)
    .map(({ study, round }) => ({ study: String(study), round: Number(round) }));

/** What a study has added to a table's spending. */
export interface SpendingOfStudy {
  readonly study: Digest;
  readonly sums: number;
  /** Of its last sum, milliseconds since the epoch. */
  readonly last: number;
  /** Of everything up to its last sum. */
  readonly epsilon: number;
}

/** @returns how a table's ε grew, study after study, in the order of their last sums. */
export function spendingOverTime(db: DatabaseSync, table: string, delta: number): SpendingOfStudy[] {
  const rows = prepared(
    db,
    `${counted} SELECT study, count(*) AS sums, max(time) AS last FROM counted GROUP BY study ORDER BY last`,
  ).all(table, everyTable, "", 0);
  return rows.map((row) => {
    const until = prepared(
      db,
      `${counted} SELECT event, count(*) AS sums FROM counted WHERE time <= ?5 GROUP BY event`,
    ).all(table, everyTable, "", 0, Number(row.last));
    return {
      study: String(row.study),
      sums: Number(row.sums),
      last: Number(row.last),
      epsilon: epsilonOf(eventsIn(until), delta),
    };
  });
}

/** @returns of the sums that a study plans, in their order, those that were not charged yet. */
export function eventsToCome(
  db: DatabaseSync,
  study: Digest,
  planned: readonly PrivacyEvent[],
): PrivacyEvent[] {
  const row = prepared(db, "SELECT count(*) AS sums FROM spend WHERE study = ? AND follows IS NULL").get(
    study,
  );
  let charged = Number(row?.sums);
  return planned.flatMap((event) => {
    const count = event.count - Math.min(event.count, charged);
    charged -= event.count - count;
    return count === 0 ? [] : [{ ...event, count }];
  });
}

/** What something would cost of a budget. */
export interface Forecast {
  readonly delta: number;
  readonly lifetime: number;
  /** ε of what was spent. */
  readonly spent: number;
  /** ε with what is planned. */
  readonly after: number;
}

/** @throws Refusal policy_refuses where the policy states no δ; budget_exhausted, where what was spent is not known */
export function forecastOf(
  db: DatabaseSync,
  table: string,
  { lifetime, delta }: Budget,
  planned: readonly PrivacyEvent[],
  asked?: Pick<Step, "study" | "round">,
): Forecast {
  if (delta === undefined)
    throw new Refusal("policy_refuses", "policy.yaml states no maxEpsilon.delta: no epsilon can be counted", {
      hint: "set maxEpsilon.delta, for example 1e-6",
    });
  requireAccounted(db, "budget_exhausted");
  const before = spentEvents(db, table, asked);
  return {
    delta,
    lifetime,
    spent: epsilonOf(before, delta),
    after: epsilonOf([...before, ...planned], delta),
  };
}

/** @returns whether the next sum stays within the budget; one that is counted already does. */
export function isWithin(db: DatabaseSync, header: Step, { table, unit, budget }: Charged): boolean {
  const { noise, follows } = header;
  if (noise === undefined || countedIn(db, header) !== undefined) return true;
  if (!isAccounted(db)) return false;
  const { after } = forecastOf(db, table, budget, [eventOf({ noise, follows }, unit)], header);
  return after <= budget.lifetime;
}

/**
 * Charges a sum to a table, within the transaction that records its submission.
 * @returns the attempt in whose charge it is counted, where that is another.
 * @throws Refusal budget_exhausted, policy_refuses
 */
export function charge(
  db: DatabaseSync,
  roundId: Digest,
  header: Step,
  charged: Charged,
  time: number,
): Digest | undefined {
  const counted = countedIn(db, header);
  if (header.noise === undefined || counted !== undefined) return counted;
  requireAccounted(db, "budget_exhausted");
  if (!isWithin(db, header, charged))
    throw new Refusal(
      "budget_exhausted",
      `more than ε = ${charged.budget.lifetime} over the table ${charged.table}`,
    );
  write(db, roundId, header, charged, time);
  return undefined;
}

/**
 * Charges what another half's sum says of rows that are not in it: the noise that both halves' sum had is known better
 * once one half's is. Whatever the budget says: the sum is released all the same.
 */
export function chargeBystander(
  db: DatabaseSync,
  roundId: Digest,
  header: Step,
  rows: ChargedRows,
  time: number,
): void {
  transact(db, () => write(db, roundId, header, rows, time));
}

/** Charges a sum of which nothing is known: it may have had no noise, and no ε is enough for it. */
export function chargeUnknown(db: DatabaseSync, roundId: Digest, table: string, time: number): void {
  const event: PrivacyEvent = {
    mechanism: "none",
    unit: "record",
    sensitivity: 1,
    sigma: 0,
    samplingRate: 1,
    count: 1,
  };
  prepared(db, "INSERT OR IGNORE INTO spend VALUES (?, ?, 1, NULL, ?, ?, ?)").run(
    roundId,
    roundId,
    table,
    time,
    JSON.stringify(event),
  );
}

/** @returns whether a round was charged. */
export const isCharged = (db: DatabaseSync, roundId: Digest): boolean =>
  prepared(db, "SELECT 1 FROM spend WHERE round_id = ?").get(roundId) !== undefined;

/** @returns sums of a study that were charged without a submission. */
export const bystanders = (db: DatabaseSync, study: Digest): number =>
  Number(
    prepared(
      db,
      `SELECT count(*) AS sums FROM spend LEFT JOIN joined USING (round_id)
       WHERE spend.study = ? AND coalesce(submitted, 0) = 0`,
    ).get(study)?.sums,
  );

function write(
  db: DatabaseSync,
  roundId: Digest,
  { study, round, follows, noise }: Step,
  { table, unit }: ChargedRows,
  time: number,
): void {
  const { count: _, ...event } = eventOf({ noise: noise!, follows }, unit);
  prepared(db, "INSERT OR IGNORE INTO spend VALUES (?, ?, ?, ?, ?, ?, ?)").run(
    roundId,
    study,
    round,
    follows && `${follows.kind} ${follows.of}`,
    table,
    time,
    JSON.stringify({ ...event, count: 1 }),
  );
}
