import { DatabaseSync, type StatementSync } from "node:sqlite";
import { Refusal } from "../../core/reasons.ts";

/** The node cannot write down what it is about to do: it may then send nothing, not even a refusal. */
export class LedgerFailure extends Refusal {}

/**
 * The node's own memory: the egress ledger, policies, manifests seen, consents, score statements, the last log checkpoint seen and the attempts joined.
 * Durable when a call returns. Several processes of one enterprise may open it: writers take turns.
 */
const tables = `
  CREATE TABLE IF NOT EXISTS entry (position INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS head (one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL, hashes BLOB NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS consent (
    study TEXT PRIMARY KEY, manifest TEXT NOT NULL, expires_millis INTEGER NOT NULL, withdrawn INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS checkpoint (origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS checkpoint_note (origin TEXT PRIMARY KEY, note TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS recovery (position INTEGER PRIMARY KEY, line TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS succession (position INTEGER PRIMARY KEY, line TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS memory (one INTEGER PRIMARY KEY CHECK (one = 1), since INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS remembered (study TEXT PRIMARY KEY) STRICT;
  CREATE TABLE IF NOT EXISTS accounted (since INTEGER PRIMARY KEY) STRICT;
  CREATE TABLE IF NOT EXISTS backup (begun_millis INTEGER PRIMARY KEY) STRICT;
  CREATE TABLE IF NOT EXISTS joined (
    round_id TEXT PRIMARY KEY, study TEXT NOT NULL, round INTEGER NOT NULL, attempt INTEGER NOT NULL,
    submitted INTEGER NOT NULL, released INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS policy (version INTEGER PRIMARY KEY, digest TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS approved (position INTEGER PRIMARY KEY, digest TEXT NOT NULL, people INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS manifest (study TEXT PRIMARY KEY, manifest TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS opening (epoch INTEGER PRIMARY KEY) STRICT;
  CREATE TABLE IF NOT EXISTS step (
    round_id TEXT PRIMARY KEY, study TEXT NOT NULL, round INTEGER NOT NULL, state TEXT NOT NULL,
    rows_table TEXT NOT NULL, survivors TEXT NOT NULL, organisations TEXT NOT NULL, exact INTEGER NOT NULL,
    follows TEXT, among TEXT NOT NULL, threshold INTEGER NOT NULL,
    phase TEXT NOT NULL CHECK (phase IN ('locked', 'spent', 'lifted'))
  ) STRICT;
  CREATE INDEX IF NOT EXISTS step_of_study ON step (study, round);
  CREATE INDEX IF NOT EXISTS step_of_table ON step (rows_table, phase);
  CREATE TABLE IF NOT EXISTS renounced (round_id TEXT PRIMARY KEY) STRICT;
  CREATE TABLE IF NOT EXISTS slot (
    epoch TEXT NOT NULL, slot INTEGER NOT NULL, round_id TEXT NOT NULL, PRIMARY KEY (epoch, slot)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS chain (
    study TEXT PRIMARY KEY, sums INTEGER NOT NULL, digest TEXT NOT NULL, state TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS spend (
    round_id TEXT PRIMARY KEY, study TEXT NOT NULL, round INTEGER NOT NULL, follows TEXT, rows_table TEXT NOT NULL,
    time INTEGER NOT NULL, event TEXT NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS spend_of_step ON spend (study, round);
  CREATE TABLE IF NOT EXISTS score_consent (
    study TEXT PRIMARY KEY, expires_millis INTEGER NOT NULL, withdrawn INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS statement (
    study TEXT NOT NULL, until TEXT NOT NULL, what TEXT NOT NULL CHECK (what IN ('sent', 'kept')),
    note TEXT NOT NULL, at_millis INTEGER NOT NULL, PRIMARY KEY (study, until)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS roster (one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL, digest TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS warning_consent (digest TEXT PRIMARY KEY, since INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS warning_told (what TEXT PRIMARY KEY) STRICT;
  CREATE TABLE IF NOT EXISTS summed_rows (
    rows_table TEXT NOT NULL, digest TEXT NOT NULL, training BLOB NOT NULL, held_out BLOB NOT NULL,
    PRIMARY KEY (rows_table, digest)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS split_salt (rows_table TEXT PRIMARY KEY, salt BLOB NOT NULL) STRICT;
`;

/**
 * @param path - of the file; ":memory:" keeps nothing.
 * @param busyMillis - how long a writer waits for its turn.
 * @throws LedgerFailure disk_full, ledger_locked, file_missing, file_malformed
 */
export function openStore(path: string, busyMillis = 5000): DatabaseSync {
  return guarded(path, () => {
    const db = new DatabaseSync(path, { timeout: busyMillis });
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    db.exec(tables);
    return db;
  });
}

const statements = new WeakMap<DatabaseSync, Map<string, StatementSync>>();

/** @returns the statement, compiled once for each database. Not to iterate over: every caller shares it. */
export function prepared(db: DatabaseSync, sql: string): StatementSync {
  const known = statements.get(db) ?? new Map<string, StatementSync>();
  statements.set(db, known);
  const statement = known.get(sql) ?? db.prepare(sql);
  known.set(sql, statement);
  return statement;
}

/** Runs `change` in one transaction (the outermost, where they nest) that no other writer overlaps. @throws LedgerFailure as {@link openStore} */
export function transact<T>(db: DatabaseSync, change: () => T): T {
  if (db.isTransaction) return change();
  return guarded("the egress ledger", () => {
    prepared(db, "BEGIN IMMEDIATE").run();
    try {
      const result = change();
      prepared(db, "COMMIT").run();
      return result;
    } catch (error) {
      if (db.isTransaction) db.exec("ROLLBACK");
      throw error;
    }
  });
}

// Primary result codes: https://www.sqlite.org/rescode.html
const busy = 5;
const locked = 6;
const corrupt = 11;
const full = 13;
const notADatabase = 26;
// A full disk stops the shared index of the write-ahead log from growing before it stops a write.
const sharedIndexSize = 10 | (19 << 8);

/** @throws LedgerFailure for what SQLite says no to. */
function guarded<T>(what: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const code = (error as { errcode?: number }).errcode;
    if (code === undefined) throw error;
    const primary = code & 0xff;
    if (primary === full || code === sharedIndexSize)
      throw new LedgerFailure("disk_full", `${what}: the disk is full`, { cause: error });
    if (primary === busy || primary === locked)
      throw new LedgerFailure("ledger_locked", `${what} is locked`, { cause: error });
    if (primary === corrupt || primary === notADatabase)
      throw new LedgerFailure("file_malformed", `${what} is damaged`, {
        hint: "restore the data directory from its backup: the ledger is evidence",
        cause: error,
      });
    throw new LedgerFailure("file_missing", `${what} cannot be written (SQLite ${code})`, { cause: error });
  }
}
