import type { DatabaseSync } from "node:sqlite";
import type { Digest } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import type { RoundHeader } from "../../privacy/sum/header.ts";
import type { KeyEpoch } from "../../privacy/sum/key-epoch.ts";
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

/** @returns the consent. @throws Refusal consent_missing, consent_expired */
export function requireConsent(db: DatabaseSync, study: Digest, nowMillis: number): StoredConsent {
  const consent = storedConsent(db, study);
  if (consent === undefined)
    throw new Refusal("consent_missing", `no consent to study ${study.slice(0, 12)}`);
  if (consent.withdrawn)
    throw new Refusal("consent_missing", `the consent to study ${study.slice(0, 12)} was withdrawn`);
  if (consent.expiresMillis <= nowMillis)
    throw new Refusal("consent_expired", `the consent to study ${study.slice(0, 12)} has expired`);
  return consent;
}

export interface JoinedAttempt {
  readonly round: number;
  readonly attempt: number;
  /** Whether this node released the attempt's sum, or was about to. */
  readonly released: boolean;
}

/** @returns the latest attempt of a study that this node joined, also by a process since gone. */
export function lastAttempt(db: DatabaseSync, study: Digest): JoinedAttempt | undefined {
  const row = prepared(
    db,
    "SELECT round, attempt, released FROM attempt WHERE study = ? ORDER BY round DESC, attempt DESC LIMIT 1",
  ).get(study);
  if (row === undefined) return undefined;
  return { round: Number(row.round), attempt: Number(row.attempt), released: row.released === 1 };
}

/**
 * Marks an attempt as joined, before anything of it is sent. Attempts of a study only ever go forward.
 * @throws Refusal round_replayed, if this attempt or a later one was joined before.
 */
export function joinAttempt(
  db: DatabaseSync,
  { study, round, attempt, keyEpoch }: Pick<RoundHeader, "study" | "round" | "attempt" | "keyEpoch">,
): void {
  transact(db, () => {
    const later = prepared(
      db,
      "SELECT 1 FROM attempt WHERE study = ? AND (round, attempt) >= (?, ?) LIMIT 1",
    ).get(study, round, attempt);
    if (later !== undefined)
      throw new Refusal("round_replayed", `round ${round}, attempt ${attempt} was joined before`);
    prepared(db, "INSERT INTO attempt VALUES (?, ?, ?, ?, 0, 0)").run(study, round, attempt, keyEpoch.epoch);
  });
}

/** @returns how many rounds other than this one the node joined under an epoch's key. */
export function roundsUnderEpoch(db: DatabaseSync, epoch: number, study: Digest, round: number): number {
  const row = prepared(
    db,
    `SELECT count(*) AS rounds FROM (
         SELECT DISTINCT study, round FROM attempt WHERE epoch = ? AND NOT (study = ? AND round = ?)
       )`,
  ).get(epoch, study, round);
  return Number(row?.rounds);
}

/** Marks what this node did in an attempt; within the transaction that records it in the ledger. */
export function markAttempt(
  db: DatabaseSync,
  { study, round, attempt }: Pick<RoundHeader, "study" | "round" | "attempt">,
  deed: "submitted" | "released",
): void {
  prepared(db, `UPDATE attempt SET ${deed} = 1 WHERE study = ? AND round = ? AND attempt = ?`).run(
    study,
    round,
    attempt,
  );
}

/** @returns how many sums of a study this node submitted to. */
export const submittedSums = (db: DatabaseSync, study: Digest): number =>
  Number(
    prepared(db, "SELECT count(*) AS sums FROM attempt WHERE study = ? AND submitted = 1").get(study)?.sums,
  );

/** @returns the latest key epoch this node accepted. */
export function lastEpoch(db: DatabaseSync): KeyEpoch | undefined {
  const row = prepared(db, "SELECT epoch, commitment FROM epoch ORDER BY epoch DESC LIMIT 1").get();
  return row === undefined ? undefined : { epoch: Number(row.epoch), commitment: String(row.commitment) };
}

export function rememberEpoch(db: DatabaseSync, { epoch, commitment }: KeyEpoch): void {
  transact(db, () => prepared(db, "INSERT OR IGNORE INTO epoch VALUES (?, ?)").run(epoch, commitment));
}

export interface SeenCheckpoint {
  readonly size: number;
  readonly root: Uint8Array;
}

export function seenCheckpoint(db: DatabaseSync, origin: string): SeenCheckpoint | undefined {
  const row = prepared(db, "SELECT size, root FROM checkpoint WHERE origin = ?").get(origin);
  return row === undefined ? undefined : { size: Number(row.size), root: row.root as Uint8Array };
}

export function rememberCheckpoint(db: DatabaseSync, origin: string, seen: SeenCheckpoint): void {
  transact(db, () =>
    prepared(
      db,
      "INSERT INTO checkpoint VALUES (?, ?, ?) ON CONFLICT (origin) DO UPDATE SET size = excluded.size, root = excluded.root",
    ).run(origin, seen.size, seen.root),
  );
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

/** @param manifest - canonical JSON, of which `study` is the digest. */
export function rememberManifest(db: DatabaseSync, study: Digest, manifest: string): void {
  transact(db, () => prepared(db, "INSERT OR IGNORE INTO manifest VALUES (?, ?)").run(study, manifest));
}

/** @returns every manifest the bank has shown this node. */
export const seenManifests = (db: DatabaseSync): { study: Digest; manifest: string }[] =>
  prepared(db, "SELECT study, manifest FROM manifest ORDER BY rowid")
    .all()
    .map((row) => ({ study: String(row.study), manifest: String(row.manifest) }));
