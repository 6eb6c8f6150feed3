/** The state chain: where each study stands by this node's own computation. */
import type { DatabaseSync } from "node:sqlite";
import { canonicalJson, type Digest, digestOf } from "../../core/canonical.ts";
import { prepared, transact } from "./store.ts";

/** A study's state after some sums. */
export interface ChainHead<State> {
  /** Sums so far: the next round is this plus one. */
  readonly sums: number;
  readonly digest: Digest;
  readonly state: State;
  /** The state's canonical JSON, of which the digest is. */
  readonly text: string;
}

export function headOf<State>(sums: number, state: State): ChainHead<State> {
  const text = canonicalJson(state);
  return { sums, digest: digestOf(text), state, text };
}

/** @returns the last state this node computed; the caller parses it by its schema. */
export function storedHead(db: DatabaseSync, study: Digest): ChainHead<unknown> | undefined {
  const row = prepared(db, "SELECT sums, digest, state FROM chain WHERE study = ?").get(study);
  if (row === undefined) return undefined;
  const text = String(row.state);
  return { sums: Number(row.sums), digest: String(row.digest), state: JSON.parse(text), text };
}

export function storeHead(db: DatabaseSync, study: Digest, head: ChainHead<unknown>): void {
  transact(db, () =>
    prepared(
      db,
      `INSERT INTO chain VALUES (?, ?, ?, ?) ON CONFLICT (study) DO UPDATE SET
         sums = excluded.sums, digest = excluded.digest, state = excluded.state`,
    ).run(study, head.sums, head.digest, head.text),
  );
}

/** @returns the newest roster this node ever accepted. */
export function newestRoster(
  db: DatabaseSync,
): { readonly version: number; readonly digest: Digest } | undefined {
  const row = prepared(db, "SELECT version, digest FROM roster").get();
  return row === undefined ? undefined : { version: Number(row.version), digest: String(row.digest) };
}

export function rememberRoster(db: DatabaseSync, version: number, digest: Digest): void {
  transact(db, () =>
    prepared(
      db,
      "INSERT INTO roster VALUES (1, ?, ?) ON CONFLICT (one) DO UPDATE SET version = excluded.version, digest = excluded.digest",
    ).run(version, digest),
  );
}

/**
 * @param fresh - 32 random bytes, used where the table has no salt yet.
 * @returns what deals a table's rows to training and hold-out: drawn once, stored before its first use.
 */
export function splitSalt(db: DatabaseSync, table: string, fresh: Uint8Array): Uint8Array {
  return transact(db, () => {
    prepared(db, "INSERT OR IGNORE INTO split_salt VALUES (?, ?)").run(table, fresh);
    return prepared(db, "SELECT salt FROM split_salt WHERE rows_table = ?").get(table)!.salt as Uint8Array;
  });
}
