/** Takes a study in, to be consented to. */
import { canonicalJson } from "../../core/canonical.ts";
import { refuseAll } from "../../core/reasons.ts";
import type { StudyStatus } from "../../proto/generated/fedcredit/v1/StudyStatus.ts";
import type { Bank } from "../bank.ts";
import { checkProposal, nameTaken } from "./check.ts";
import { proposedBy } from "./gate.ts";
import { status } from "./status.ts";

/**
 * Whatever the study's parameters would later refuse is refused now, all of it at once. What the manifest leaves open of
 * its gate is filled in: the study's digest is of the whole.
 * @throws Refusal parameters_invalid, algorithm_unknown, layout_overflow, unprotected, already_exists,
 *   message_malformed, cohort_too_small, cohort_too_large
 */
export async function propose(bank: Bank, bytes: Uint8Array): Promise<StudyStatus> {
  const { manifest, study } = await proposedBy(bank, bytes);
  refuseAll((await checkProposal(bank, study, manifest)).problems);
  await bank.database.transaction(async (sql) => {
    const [known] = await sql`SELECT digest FROM study WHERE digest = ${study} OR name = ${manifest.name}`;
    if (known?.digest === study) return;
    if (known !== undefined) throw nameTaken(manifest.name);
    const { name, purpose, legalBasis, impactAssessment, retentionDays, unprotected, privacy } = manifest;
    await sql`
      INSERT INTO study (digest, name, manifest, phase, proposed_at)
      VALUES (${study}, ${name}, ${canonicalJson(manifest)}, 'proposed', ${new Date(bank.clock.now())})`;
    const entry = await bank.privacyLog.append(sql, [
      {
        type: "study.proposed",
        study,
        name,
        purpose,
        legalBasis,
        impactAssessment,
        retentionDays,
        minCohort: privacy.minCohort,
        unprotected,
      },
    ]);
    await sql`UPDATE study SET entry = ${entry} WHERE digest = ${study}`;
  });
  bank.events.emit("study", study);
  return status(bank, study);
}
