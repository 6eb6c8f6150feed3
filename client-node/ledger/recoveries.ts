/** Recoveries that this node has accepted: none is taken back, and none excuses a second fork. */
import type { DatabaseSync } from "node:sqlite";
import type { Digest } from "../../core/canonical.ts";
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
