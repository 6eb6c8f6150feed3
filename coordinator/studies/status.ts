/** What everybody may know of a study: where it stands, its sums, and its model. */
import { once } from "node:events";
import type { Digest } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import { isEnded } from "../../core/study-phase.ts";
import type { StudyStatus } from "../../proto/generated/fedcredit/v1/StudyStatus.ts";
import { confirmationsOf } from "../authority/epoch-store.ts";
import { noteOf } from "../authority/membership.ts";
import type { Bank } from "../bank.ts";
import { paged } from "../store/sql.ts";
import { consented, type StudyRow, studyRow } from "./study-row.ts";

/** @throws Refusal not_found */
export async function status(bank: Bank, study: Digest): Promise<StudyStatus> {
  return statusOf(bank, await studyRow(bank.database.sql, study));
}

async function statusOf(bank: Bank, row: StudyRow): Promise<StudyStatus> {
  const waiting = row.phase === "running" ? bank.waiting.get(row.digest) : undefined;
  return {
    study: Buffer.from(row.digest, "hex"),
    name: row.name,
    phase: row.phase,
    consented: await consented(bank, row.digest),
    round: row.round,
    attempt: row.attempt,
    algorithm: row.algorithm ?? "",
    reason: row.reason ?? (waiting === undefined ? "" : "cohort_too_small"),
    detail: row.detail ?? waiting ?? "",
    manifest: { canonicalJson: Buffer.from(row.manifest) },
    entry: row.entry ?? 0,
  };
}

export async function list(bank: Bank): Promise<StudyStatus[]> {
  const rows = await bank.database.sql`SELECT digest FROM study ORDER BY number`;
  return Promise.all(rows.map(({ digest }) => status(bank, digest as Digest)));
}

/** A status whenever the study changes, until it has ended. */
export async function* follow(bank: Bank, study: Digest, signal: AbortSignal): AsyncGenerator<StudyStatus> {
  let changed = false;
  let wake = (): void => {};
  const note = (which: Digest): void => {
    if (which !== study) return;
    changed = true;
    wake();
  };
  bank.events.on("study", note);
  const aborted = signal.aborted ? Promise.resolve() : once(signal, "abort");
  try {
    for (;;) {
      changed = false;
      const row = await studyRow(bank.database.sql, study);
      yield await statusOf(bank, row);
      if (isEnded(row.phase) || signal.aborted) return;
      if (changed) continue;
      const change = new Promise<void>((resolve) => {
        wake = resolve;
      });
      await Promise.race([change, aborted]);
    }
  } finally {
    bank.events.off("study", note);
  }
}

/** @throws Refusal not_found */
export async function model(bank: Bank, study: Digest): Promise<{ document: string; digest: Digest }> {
  const [row] = await bank.database.sql`SELECT document, digest FROM model WHERE study = ${study}`;
  if (row === undefined) {
    const [pruned] = await bank.database
      .sql`SELECT FROM study WHERE digest = ${study} AND pruned IS NOT NULL`;
    throw new Refusal(
      "not_found",
      pruned ? "the study's retention is over: its model was removed" : "the study has published no model",
    );
  }
  return { document: row.document, digest: row.digest };
}

/** A sum certificate as it travels, with what it is verified by. */
export interface ShownCertificate {
  readonly round: number;
  /** Canonical JSON. */
  readonly document: string;
  /** Index of the log entry that names it. */
  readonly entry: number;
  /** By the members of its key epoch; none where it is the epoch of the one before. */
  readonly confirmations: readonly { readonly party: string; readonly signature: Uint8Array }[];
  /** Note; empty where it is the roster of the one before. */
  readonly roster: string;
}

interface StoredCertificate extends Pick<ShownCertificate, "round" | "document" | "entry"> {
  readonly epoch: Digest;
  readonly roster: Digest;
}

/** The certificates of a study's sums, in order. @param after - sums the caller has. @throws Refusal not_found */
export async function* certificates(
  bank: Bank,
  study: Digest,
  after: number,
): AsyncGenerator<ShownCertificate> {
  const { sql } = bank.database;
  await studyRow(sql, study);
  const rows = paged<StoredCertificate>(
    (last) => sql`
    SELECT c.round, c.document, c.entry, a.header::jsonb ->> 'epoch' AS epoch, a.header::jsonb ->> 'roster' AS roster
    FROM sum_certificate c JOIN attempt a ON a.study = c.study AND a.round = c.round AND a.phase = 'released'
    WHERE c.study = ${study} AND c.round > ${last?.round ?? after} ORDER BY c.round LIMIT 16`,
  );
  let [epoch, roster] = ["", ""];
  for await (const { round, document, entry, ...under } of rows) {
    yield {
      round,
      document,
      entry,
      confirmations: under.epoch === epoch ? [] : await confirmationsOf(bank, under.epoch),
      roster: under.roster === roster ? "" : await noteOf(bank, under.roster),
    };
    [epoch, roster] = [under.epoch, under.roster];
  }
}
