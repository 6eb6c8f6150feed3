import type { DatabaseSync } from "node:sqlite";
import type { Digest } from "../../core/canonical.ts";
import { prepared, transact } from "./store.ts";

/**
 * When a consent to tell warnings was first met: what was known before is not told.
 *
 * @param consent - digest of what is consented to and asked for.
 * @param nowMillis - milliseconds since the epoch.
 */
export function consentedSince(db: DatabaseSync, consent: Digest, nowMillis: number): number {
  return transact(db, () => {
    prepared(db, "INSERT INTO warning_consent VALUES (?, ?) ON CONFLICT DO NOTHING").run(consent, nowMillis);
    return Number(prepared(db, "SELECT since FROM warning_consent WHERE digest = ?").get(consent)!.since);
  });
}

export const wasTold = (db: DatabaseSync, what: string): boolean =>
  prepared(db, "SELECT 1 FROM warning_told WHERE what = ?").get(what) !== undefined;

export function rememberTold(db: DatabaseSync, told: readonly string[]): void {
  transact(db, () => {
    for (const what of told)
      prepared(db, "INSERT INTO warning_told VALUES (?) ON CONFLICT DO NOTHING").run(what);
  });
}
