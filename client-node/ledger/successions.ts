/** Successions of keys that this node has accepted: none is taken back, and no key has a second successor. */
import type { DatabaseSync } from "node:sqlite";
import { type NoteVerifier, parseVerifierKey } from "../../privacy/log/note.ts";
import { keyInForce, parseSuccession, type Succession, successionLine } from "../../privacy/succession.ts";
import { prepared, transact } from "./store.ts";

export const storedSuccessions = (db: DatabaseSync, consortium: string): Succession[] =>
  prepared(db, "SELECT line FROM succession ORDER BY position")
    .all()
    .map((row) => parseSuccession(String(row.line), consortium));

/** @param successions - all of them, in their order; those known before are the first. */
export function rememberSuccessions(db: DatabaseSync, successions: readonly Succession[]): void {
  transact(db, () => {
    const insert = prepared(db, "INSERT OR IGNORE INTO succession VALUES (?, ?)");
    for (const [position, succession] of successions.entries())
      insert.run(position, successionLine(succession));
  });
}

/** @param pinned - the bank's key at enrolment. @returns the one that signs the log now, as far as this node was told. */
export function bankKeyOf(db: DatabaseSync, pinned: string): NoteVerifier {
  const key = parseVerifierKey(pinned);
  const [consortium = ""] = key.name.split("/");
  return keyInForce(storedSuccessions(db, consortium), "bank", key);
}
