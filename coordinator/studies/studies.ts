/** Studies: proposed by the bank, consented to by enterprises, led by the study driver, ended with a model. */
import { once } from "node:events";
import { canonicalBytes, canonicalJson, type Digest, digestOf } from "../../core/canonical.ts";
import { shortDigest } from "../../core/ids.ts";
import { type Reason, Refusal } from "../../core/reasons.ts";
import type { Json } from "../../models/algorithm.ts";
import { parseManifest, type StudyManifest } from "../../models/study.ts";
import { type StudyState, startStudy, studyLayout } from "../../models/study-loop.ts";
import { openConsent } from "../../privacy/log/consent.ts";
import { parseVerifierKey } from "../../privacy/log/note.ts";
import { planPacking } from "../../privacy/sum/layout.ts";
import type { StudyStatus } from "../../proto/generated/fedcredit/v1/StudyStatus.ts";
import { currentRoster } from "../authority/membership.ts";
import type { Bank } from "../bank.ts";
import type { Sql, Transaction } from "../store/database.ts";

export type StudyPhase = "proposed" | "running" | "finished" | "failed" | "stopped";

/** A row of the table `study`. */
export interface StudyRow {
  readonly digest: Digest;
  readonly name: string;
  /** Canonical JSON. */
  readonly manifest: string;
  readonly phase: StudyPhase;
  /** Digest of the model state that the next round broadcasts. */
  readonly state: Digest | null;
  readonly algorithm: string | null;
  readonly round: number;
  readonly attempt: number;
  readonly reason: Reason | null;
  readonly detail: string | null;
}

const ended: ReadonlySet<StudyPhase> = new Set(["finished", "failed", "stopped"]);

/**
 * Takes a study in, to be consented to. Whatever its parameters would later refuse is refused now.
 * @throws Refusal parameters_invalid, algorithm_unknown, layout_overflow, unprotected, already_exists,
 *   message_malformed
 */
export async function propose(bank: Bank, bytes: Uint8Array): Promise<StudyStatus> {
  const { manifest } = parseManifest(bytes);
  const study = digestOf(bytes);
  const { consortium } = bank.config;
  if (manifest.consortium !== consortium)
    throw new Refusal(
      "parameters_invalid",
      `consortium: the study is of ${manifest.consortium}, this is ${consortium}`,
    );
  if (!manifest.unprotected.includes("noise"))
    throw new Refusal("unprotected", "this version adds no noise, and the manifest does not say so", {
      hint: 'write unprotected: ["noise"] in the manifest',
    });
  const first = startStudy(manifest);
  const members = (await currentRoster(bank))?.roster.members.length ?? 0;
  if (first.algorithm !== null)
    planPacking(studyLayout(manifest, first), Math.max(members, manifest.privacy.minCohort));
  await bank.database.transaction(async (sql) => {
    const [known] = await sql`SELECT digest FROM study WHERE digest = ${study} OR name = ${manifest.name}`;
    if (known?.digest === study) return;
    if (known !== undefined)
      throw new Refusal("already_exists", `another study is called ${manifest.name}`, {
        hint: "a changed manifest is a new study: give it a new name",
      });
    const { name, purpose, legalBasis, impactAssessment, retentionDays, unprotected, privacy } = manifest;
    await sql`
      INSERT INTO study (digest, name, manifest, phase, proposed_at)
      VALUES (${study}, ${name}, ${canonicalJson(manifest)}, 'proposed', ${new Date(bank.clock.now())})`;
    await bank.privacyLog.append(sql, [
      {
        ...{ type: "study.proposed", study, name, purpose, legalBasis, impactAssessment, retentionDays },
        ...{ minCohort: privacy.minCohort, unprotected },
      } as const,
    ]);
  });
  bank.events.emit("study", study);
  return status(bank, study);
}

/** @throws Refusal not_found, message_unexpected */
export async function start(bank: Bank, study: Digest): Promise<StudyStatus> {
  const row = await studyRow(bank.database.sql, study);
  if (row.phase === "running") return status(bank, study);
  if (row.phase !== "proposed")
    throw new Refusal("message_unexpected", `the study ${row.name} is ${row.phase}`, {
      hint: "propose it under a new name to run it again",
    });
  const state = startStudy(JSON.parse(row.manifest) as StudyManifest);
  const digest = await putState(bank, state);
  await bank.database.transaction(
    (sql) => sql`
      UPDATE study SET phase = 'running', state = ${digest}, algorithm = ${state.algorithm}, round = 1, attempt = 0
      WHERE digest = ${study} AND phase = 'proposed'`,
  );
  bank.events.emit("study", study);
  return status(bank, study);
}

/** @throws Refusal not_found, message_unexpected */
export async function stop(bank: Bank, study: Digest): Promise<StudyStatus> {
  const stopped = await bank.database.transaction(
    (sql) => sql`
      UPDATE study SET phase = 'stopped' WHERE digest = ${study} AND phase IN ('proposed', 'running', 'stopped')`,
  );
  if (stopped.count === 0) {
    const { name, phase } = await studyRow(bank.database.sql, study);
    throw new Refusal("message_unexpected", `the study ${name} is ${phase}`);
  }
  bank.events.emit("study", study);
  return status(bank, study);
}

/**
 * Keeps an enterprise's consent.
 * @throws Refusal not_found, manifest_changed, consent_expired, roster_mismatch, signature_invalid, note_malformed
 */
export async function consent(
  bank: Bank,
  enterprise: string,
  request: { readonly study: Digest; readonly expiresMillis: number; readonly note: string },
): Promise<StudyStatus> {
  const { study, expiresMillis, note } = request;
  const member = (await currentRoster(bank))?.roster.byId.get(enterprise);
  if (member === undefined)
    throw new Refusal("roster_mismatch", `${enterprise} is not in the current roster`, {
      hint: "wait until bank and auditor have admitted it",
    });
  const signed = openConsent(note, parseVerifierKey(member.verifierKey));
  if (signed.study !== study) throw new Refusal("manifest_changed", "the consent is to another manifest");
  if (signed.enterprise !== enterprise || signed.consortium !== bank.config.consortium)
    throw new Refusal("signature_invalid", "the consent is another enterprise's");
  if (signed.expires !== expiresMillis)
    throw new Refusal("message_malformed", "the expiry is not the one that was signed");
  if (expiresMillis <= bank.clock.now())
    throw new Refusal("consent_expired", "the consent has expired already");
  await bank.database.transaction(async (sql) => {
    const row = await studyRow(sql, study);
    if (ended.has(row.phase))
      throw new Refusal("message_unexpected", `the study ${row.name} is ${row.phase}`);
    await sql`
      INSERT INTO consent VALUES (${study}, ${enterprise}, ${note}, ${new Date(expiresMillis)})
      ON CONFLICT (study, enterprise) DO UPDATE SET note = excluded.note, expires_at = excluded.expires_at`;
    await bank.privacyLog.append(sql, [
      { type: "study.consented", study, enterprise, expires: expiresMillis, consent: note },
    ]);
  });
  bank.events.emit("study", study);
  return status(bank, study);
}

/** @throws Refusal not_found */
export async function withdraw(bank: Bank, enterprise: string, study: Digest): Promise<StudyStatus> {
  await bank.database.transaction(async (sql) => {
    const gone = await sql`DELETE FROM consent WHERE study = ${study} AND enterprise = ${enterprise}`;
    if (gone.count > 0) await bank.privacyLog.append(sql, [{ type: "study.withdrawn", study, enterprise }]);
  });
  bank.events.emit("study", study);
  return status(bank, study);
}

/** @throws Refusal not_found */
export async function studyRow(sql: Sql | Transaction, study: Digest): Promise<StudyRow> {
  const [row] = await sql<StudyRow[]>`
    SELECT digest, name, manifest, phase, state, algorithm, round, attempt, reason, detail
    FROM study WHERE digest = ${study}`;
  if (row === undefined) throw new Refusal("not_found", `no study ${shortDigest(study)}`);
  return row;
}

/** @returns who has consented and whose consent has not run out, sorted. */
export async function consented(bank: Bank, study: Digest): Promise<string[]> {
  const rows = await bank.database.sql`
    SELECT enterprise FROM consent WHERE study = ${study} AND expires_at > ${new Date(bank.clock.now())}
    ORDER BY enterprise`;
  return rows.map(({ enterprise }) => enterprise as string);
}

/** @throws Refusal not_found */
export async function status(bank: Bank, study: Digest): Promise<StudyStatus> {
  const row = await studyRow(bank.database.sql, study);
  return {
    study: Buffer.from(study, "hex"),
    name: row.name,
    phase: row.phase,
    consented: await consented(bank, study),
    round: row.round,
    attempt: row.attempt,
    algorithm: row.algorithm ?? "",
    reason: row.reason ?? "",
    detail: row.detail ?? "",
    manifest: { canonicalJson: Buffer.from(row.manifest) },
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
      const now = await status(bank, study);
      yield now;
      if (ended.has(now.phase as StudyPhase) || signal.aborted) return;
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
  if (row === undefined) throw new Refusal("not_found", "the study has published no model");
  return { document: row.document, digest: row.digest };
}

/** Stores a model state where members can fetch it. @returns its digest, durable. */
export const putState = (bank: Bank, state: StudyState): Promise<Digest> =>
  bank.blobs.published.put(canonicalBytes(state));

/** @throws Refusal not_found, digest_mismatch */
export async function getState(bank: Bank, digest: Digest): Promise<StudyState> {
  const bytes = await bank.blobs.published.get(digest);
  return JSON.parse(Buffer.from(bytes).toString("utf8")) as Json as StudyState;
}
