/** What a node remembers of its score statements: what it agreed to, and which month's it sent or kept. */
import type { DatabaseSync } from "node:sqlite";
import type { Digest } from "../../core/canonical.ts";
import { prepared, transact } from "./store.ts";

export interface ScoreConsent {
  readonly study: Digest;
  /** Milliseconds since the epoch. */
  readonly expiresMillis: number;
  readonly withdrawn: boolean;
}

export function storeScoreConsent(db: DatabaseSync, { study, expiresMillis, withdrawn }: ScoreConsent): void {
  transact(db, () =>
    prepared(
      db,
      `INSERT INTO score_consent VALUES (?, ?, ?) ON CONFLICT (study) DO UPDATE SET
         expires_millis = excluded.expires_millis, withdrawn = excluded.withdrawn`,
    ).run(study, expiresMillis, withdrawn ? 1 : 0),
  );
}

export const scoreConsents = (db: DatabaseSync): ScoreConsent[] =>
  prepared(db, "SELECT * FROM score_consent ORDER BY rowid")
    .all()
    .map((row) => ({
      study: String(row.study),
      expiresMillis: Number(row.expires_millis),
      withdrawn: row.withdrawn === 1,
    }));

/** @returns the consent that holds. */
export const scoreConsent = (db: DatabaseSync, study: Digest, nowMillis: number): ScoreConsent | undefined =>
  scoreConsents(db).find((one) => one.study === study && !one.withdrawn && one.expiresMillis > nowMillis);

export interface KnownStatement {
  readonly study: Digest;
  /** ISO date, the day after the month. */
  readonly until: string;
  /** Whether it left, or people decided that it does not. */
  readonly what: "sent" | "kept";
  /** As it was signed; empty where it was kept. */
  readonly note: string;
  readonly atMillis: number;
}

export function storeStatement(db: DatabaseSync, one: KnownStatement): void {
  transact(db, () =>
    prepared(
      db,
      `INSERT INTO statement VALUES (?, ?, ?, ?, ?) ON CONFLICT (study, until) DO UPDATE SET
         what = excluded.what, note = excluded.note, at_millis = excluded.at_millis`,
    ).run(one.study, one.until, one.what, one.note, one.atMillis),
  );
}

/** @returns the newest first. */
export const knownStatements = (db: DatabaseSync): KnownStatement[] =>
  prepared(db, "SELECT * FROM statement ORDER BY at_millis DESC, until DESC")
    .all()
    .map((row) => ({
      study: String(row.study),
      until: String(row.until),
      what: row.what === "sent" ? "sent" : "kept",
      note: String(row.note),
      atMillis: Number(row.at_millis),
    }));

/** @returns the share of cells that passed the checks, of the last day that was committed to. */
export function lastPassRate(db: DatabaseSync): number | undefined {
  const row = prepared(
    db,
    `SELECT e ->> 'completed' AS completed FROM (SELECT position, CAST(body AS TEXT) AS e FROM entry)
     WHERE e ->> 'type' = 'data.committed' AND e ->> 'completed' IS NOT NULL ORDER BY position DESC LIMIT 1`,
  ).get();
  return row === undefined ? undefined : Number(Number(row.completed).toFixed(2));
}
