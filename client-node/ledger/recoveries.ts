/** Recoveries that this node has accepted: none is taken back, and none excuses a second fork. */
import type { DatabaseSync } from "node:sqlite";
import type { Digest } from "../../core/canonical.ts";
import { type Reason, Refusal } from "../../core/reasons.ts";
import { parseRecovery, type Recovery, recoveryLine } from "../../privacy/recovery.ts";
import { prepared, transact } from "./store.ts";

export const storedRecoveries = (db: DatabaseSync): Recovery[] =>
  prepared(db, "SELECT line FROM recovery ORDER BY position")
    .all()
    .map((row) => parseRecovery(String(row.line)));

/** @param recoveries - all of them, in their order; those known before are the first. */
export function rememberRecoveries(db: DatabaseSync, recoveries: readonly Recovery[]): void {
  transact(db, () => {
    const insert = prepared(db, "INSERT OR IGNORE INTO recovery VALUES (?, ?)");
    for (const [position, recovery] of recoveries.entries()) insert.run(position, recoveryLine(recovery));
  });
}

/**
 * @returns the entry of the bank's log after which this node remembers everything it signed; undefined where it
 *   never lost its ledger.
 */
export function memorySince(db: DatabaseSync): number | undefined {
  const row = prepared(db, "SELECT since FROM memory").get();
  return row === undefined ? undefined : Number(row.since);
}

export function beginMemory(db: DatabaseSync, since: number): void {
  transact(db, () =>
    prepared(
      db,
      "INSERT INTO memory VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET since = excluded.since",
    ).run(since),
  );
}

/** @returns whether all of a study is known to be after the memory began. */
export const isRemembered = (db: DatabaseSync, study: Digest): boolean =>
  prepared(db, "SELECT 1 FROM remembered WHERE study = ?").get(study) !== undefined;

export function markRemembered(db: DatabaseSync, study: Digest): void {
  transact(db, () => prepared(db, "INSERT OR IGNORE INTO remembered VALUES (?)").run(study));
}

/** Where the memory begins is not known: no roster has named this node's new key yet. */
export const undecided = Number.MAX_SAFE_INTEGER;

/**
 * Makes a restored store one that has lost its ledger: what was signed after the backup is not known, and the new
 * identity has signed nothing. Steps, spends, salts and what was seen of the bank's log stay.
 */
export function beginAnew(db: DatabaseSync): void {
  transact(db, () => {
    for (const table of ["entry", "head", "consent", "score_consent", "policy", "remembered", "backup"])
      db.exec(`DELETE FROM ${table}`);
    beginMemory(db, undecided);
  });
}

/** Table of charges of which nobody knows over which table of rows they were: they count for each. */
export const everyTable = "*";

/**
 * @returns whether all that was spent before the memory began is charged. Where the ledger was lost it is not, until
 *   the bank's log was gone through: what cannot be proved to be left counts as spent.
 */
export function isAccounted(db: DatabaseSync): boolean {
  const since = memorySince(db);
  return (
    since === undefined || prepared(db, "SELECT 1 FROM accounted WHERE since = ?").get(since) !== undefined
  );
}

export function markAccounted(db: DatabaseSync, since: number): void {
  transact(db, () => prepared(db, "INSERT OR IGNORE INTO accounted VALUES (?)").run(since));
}

/** @param reason - of the budget that is asked for. @throws Refusal with it, while {@link isAccounted} does not hold */
export function requireAccounted(db: DatabaseSync, reason: "exact_sums_spent" | "budget_exhausted"): void {
  if (!isAccounted(db)) throw unaccounted(reason);
}

const unaccounted = (reason: Reason): Refusal =>
  new Refusal(
    reason,
    "this node lost its ledger, and what it spent before is not charged yet: nothing counts as left",
    {
      hint: "ask bank or auditor for an export of the log, and run fedcredit node account EXPORT",
    },
  );
