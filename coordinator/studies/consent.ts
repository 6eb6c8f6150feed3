/** An enterprise's side of a study: consents to it, or takes that back. */
import type { Digest } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import { isEnded } from "../../core/study-phase.ts";
import { openConsent } from "../../privacy/log/consent.ts";
import { parseVerifierKey } from "../../privacy/log/note.ts";
import type { StudyStatus } from "../../proto/generated/fedcredit/v1/StudyStatus.ts";
import { memberOf } from "../authority/membership.ts";
import type { Bank } from "../bank.ts";
import { status } from "./status.ts";
import { studyRow } from "./study-row.ts";

/** What an enterprise says it signed, and the note that it did. */
export interface ConsentRequest {
  readonly study: Digest;
  readonly expiresMillis: number;
  readonly note: string;
}

/**
 * Checks that a consent is the enterprise's own, to this study, and of today.
 * @param to - as {@link openConsent} takes it.
 * @throws Refusal manifest_changed, consent_expired, roster_mismatch, signature_invalid, note_malformed, message_malformed
 */
export async function requireConsent(
  bank: Bank,
  enterprise: string,
  { study, expiresMillis, note }: ConsentRequest,
  to?: Parameters<typeof openConsent>[2],
): Promise<void> {
  const member = await memberOf(bank, enterprise);
  const signed = openConsent(note, parseVerifierKey(member.verifierKey), to);
  if (signed.study !== study) throw new Refusal("manifest_changed", "the consent is to another manifest");
  if (signed.enterprise !== enterprise || signed.consortium !== bank.config.consortium)
    throw new Refusal("signature_invalid", "the consent is another enterprise's");
  if (signed.expires !== expiresMillis)
    throw new Refusal("message_malformed", "the expiry is not the one that was signed");
  if (expiresMillis <= bank.clock.now())
    throw new Refusal("consent_expired", "the consent has expired already");
}

/**
 * Keeps an enterprise's consent.
 * @throws Refusal not_found, manifest_changed, consent_expired, roster_mismatch, signature_invalid, note_malformed,
 *   rate_limited
 */
export async function consent(bank: Bank, enterprise: string, request: ConsentRequest): Promise<StudyStatus> {
  const { study, expiresMillis, note } = request;
  await requireConsent(bank, enterprise, request);
  await bank.database.transaction(async (sql) => {
    const row = await studyRow(sql, study);
    if (isEnded(row.phase)) throw new Refusal("message_unexpected", `the study ${row.name} is ${row.phase}`);
    const [held] = await sql`
      SELECT note FROM consent WHERE study = ${study} AND enterprise = ${enterprise} AND withdrawn_at IS NULL`;
    if (held?.note === note) return;
    bank.consents.take(`${study} ${enterprise}`, "consents to one study");
    await sql`
      INSERT INTO consent (study, enterprise, note, expires_at)
      VALUES (${study}, ${enterprise}, ${note}, ${new Date(expiresMillis)})
      ON CONFLICT (study, enterprise) DO UPDATE
        SET note = excluded.note, expires_at = excluded.expires_at, withdrawn_at = NULL`;
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
    const gone = await sql`
      UPDATE consent SET withdrawn_at = ${new Date(bank.clock.now())}
      WHERE study = ${study} AND enterprise = ${enterprise} AND withdrawn_at IS NULL`;
    if (gone.count > 0) await bank.privacyLog.append(sql, [{ type: "study.withdrawn", study, enterprise }]);
  });
  bank.events.emit("study", study);
  return status(bank, study);
}
