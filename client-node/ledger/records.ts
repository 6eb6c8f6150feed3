import type { DatabaseSync } from "node:sqlite";
import type { Digest } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import type { RoundHeader } from "../../privacy/sum/header.ts";
import { bindSlot } from "./steps.ts";
import { prepared, transact } from "./store.ts";

export interface StoredConsent {
  readonly study: Digest;
  /** Canonical JSON, exactly what was consented to. */
  readonly manifest: string;
  /** Milliseconds since the epoch. */
  readonly expiresMillis: number;
  readonly withdrawn: boolean;
}

export function storeConsent(db: DatabaseSync, consent: StoredConsent): void {
  transact(db, () =>
    prepared(
      db,
      `INSERT INTO consent VALUES (?, ?, ?, ?) ON CONFLICT (study) DO UPDATE SET
         manifest = excluded.manifest, expires_millis = excluded.expires_millis, withdrawn = excluded.withdrawn`,
    ).run(consent.study, consent.manifest, consent.expiresMillis, consent.withdrawn ? 1 : 0),
  );
}

export function storedConsent(db: DatabaseSync, study: Digest): StoredConsent | undefined {
  const row = prepared(db, "SELECT * FROM consent WHERE study = ?").get(study);
  if (row === undefined) return undefined;
  return {
    study,
    manifest: String(row.manifest),
    expiresMillis: Number(row.expires_millis),
    withdrawn: row.withdrawn === 1,
  };
}

/** @returns whether a consent, given or taken back, would not have run out by now. */
export const anyConsent = (db: DatabaseSync, nowMillis: number): boolean =>
  prepared(db, "SELECT 1 FROM consent WHERE expires_millis > ?").get(nowMillis) !== undefined;

/** @returns the manifests of the consents that hold, canonical JSON. */
export const consentedManifests = (db: DatabaseSync, nowMillis: number): string[] =>
  prepared(db, "SELECT manifest FROM consent WHERE withdrawn = 0 AND expires_millis > ?")
    .all(nowMillis)
    .map((row) => String(row.manifest));

/** @returns whether this node joined or renounced a round, also in a process since gone. */
export const knowsRound = (db: DatabaseSync, roundId: Digest): boolean =>
  prepared(
    db,
    "SELECT 1 FROM joined WHERE round_id = ? UNION SELECT 1 FROM renounced WHERE round_id = ?",
  ).get(roundId, roundId) !== undefined;

/**
 * Marks an attempt as joined, before anything of it is sent.
 * @throws Refusal round_replayed, if it was joined before.
 */
export function joinAttempt(
  db: DatabaseSync,
  roundId: Digest,
  { study, round, attempt, epoch, slot }: Pick<RoundHeader, "study" | "round" | "attempt" | "epoch" | "slot">,
): void {
  transact(db, () => {
    if (prepared(db, "SELECT 1 FROM joined WHERE round_id = ?").get(roundId) !== undefined)
      throw new Refusal("round_replayed", `round ${round}, attempt ${attempt} was joined before`);
    bindSlot(db, epoch, slot, roundId);
    prepared(db, "INSERT INTO joined VALUES (?, ?, ?, ?, 0, 0)").run(roundId, study, round, attempt);
  });
}

/** Marks what this node did in an attempt; within the transaction that records it in the ledger. */
export function markAttempt(db: DatabaseSync, roundId: Digest, deed: "submitted" | "released"): void {
  prepared(db, `UPDATE joined SET ${deed} = 1 WHERE round_id = ?`).run(roundId);
}

/** @returns whether this node submitted to a round. */
export const submittedTo = (db: DatabaseSync, roundId: Digest): boolean =>
  prepared(db, "SELECT 1 FROM joined WHERE round_id = ? AND submitted = 1").get(roundId) !== undefined;

/** @returns how many sums of a study this node submitted to. */
export const submittedSums = (db: DatabaseSync, study: Digest): number =>
  Number(
    prepared(db, "SELECT count(*) AS sums FROM joined WHERE study = ? AND submitted = 1").get(study)?.sums,
  );

/** @returns the highest key epoch this node joined the opening of; 0 before the first. */
export const lastEpoch = (db: DatabaseSync): number =>
  Number(prepared(db, "SELECT max(epoch) AS epoch FROM opening").get()?.epoch ?? 0);

export function rememberEpoch(db: DatabaseSync, epoch: number): void {
  transact(db, () => prepared(db, "INSERT OR IGNORE INTO opening VALUES (?)").run(epoch));
}

export interface SeenCheckpoint {
  readonly size: number;
  readonly root: Uint8Array;
}

/** @returns the tree of the bank's log last seen, and the note that showed it, where it was kept. */
export function seenCheckpoint(
  db: DatabaseSync,
  origin: string,
): (SeenCheckpoint & { readonly note?: string }) | undefined {
  const row = prepared(
    db,
    "SELECT size, root, note FROM checkpoint LEFT JOIN checkpoint_note USING (origin) WHERE origin = ?",
  ).get(origin);
  if (row === undefined) return undefined;
  const note = row.note === null ? {} : { note: String(row.note) };
  return { size: Number(row.size), root: row.root as Uint8Array, ...note };
}

/** @param note - as the bank signed it: it can be shown to others. */
export function rememberCheckpoint(
  db: DatabaseSync,
  origin: string,
  seen: SeenCheckpoint,
  note: string,
): void {
  transact(db, () => {
    prepared(
      db,
      "INSERT INTO checkpoint VALUES (?, ?, ?) ON CONFLICT (origin) DO UPDATE SET size = excluded.size, root = excluded.root",
    ).run(origin, seen.size, seen.root);
    prepared(
      db,
      "INSERT INTO checkpoint_note VALUES (?, ?) ON CONFLICT (origin) DO UPDATE SET note = excluded.note",
    ).run(origin, note);
  });
}

/** @returns the version a policy counts as, from 1, and whether it is another than the last one. */
export function policyVersion(db: DatabaseSync, digest: Digest): { version: number; changed: boolean } {
  return transact(db, () => {
    const last = prepared(db, "SELECT version, digest FROM policy ORDER BY version DESC LIMIT 1").get();
    if (last?.digest === digest) return { version: Number(last.version), changed: false };
    const version = Number(last?.version ?? 0) + 1;
    prepared(db, "INSERT INTO policy VALUES (?, ?)").run(version, digest);
    return { version, changed: true };
  });
}

/** Of manifests that nobody here consented to, the newest are kept up to so many bytes. */
const mostManifestBytes = 32 * 2 ** 20;

/** @param manifest - canonical JSON, of which `study` is the digest. */
export function rememberManifest(db: DatabaseSync, study: Digest, manifest: string): void {
  transact(db, () => {
    const { changes } = prepared(db, "INSERT OR IGNORE INTO manifest VALUES (?, ?)").run(study, manifest);
    if (changes === 0) return;
    prepared(
      db,
      `DELETE FROM manifest WHERE rowid IN (
         SELECT rowid FROM (
           SELECT rowid, sum(octet_length(manifest)) OVER (ORDER BY rowid DESC) AS held
           FROM manifest WHERE study NOT IN (SELECT study FROM consent)
         ) WHERE held > ?)`,
    ).run(mostManifestBytes);
  });
}

/** @returns the manifests the bank has shown this node, those it consented to and the newest of the others. */
export const seenManifests = (db: DatabaseSync): { study: Digest; manifest: string }[] =>
  prepared(db, "SELECT study, manifest FROM manifest ORDER BY rowid")
    .all()
    .map((row) => ({ study: String(row.study), manifest: String(row.manifest) }));

/** @param begunMillis - of a backup that was read back. */
export function noteBackup(db: DatabaseSync, begunMillis: number): void {
  transact(db, () => prepared(db, "INSERT OR IGNORE INTO backup VALUES (?)").run(begunMillis));
}

/** @returns when the last backup was begun, Unix milliseconds; undefined where there was none. */
export function lastBackup(db: DatabaseSync): number | undefined {
  const begun = prepared(db, "SELECT max(begun_millis) AS begun FROM backup").get()?.begun;
  return begun === null || begun === undefined ? undefined : Number(begun);
}
