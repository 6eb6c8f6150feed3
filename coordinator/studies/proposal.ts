/** The bank's side of a study: proposes, starts and stops it. */
import { canonicalJson, type Digest, digestOf } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import { parseManifest, readManifest } from "../../models/study.ts";
import { startStudy, studyLayout } from "../../models/study-loop.ts";
import { countOrganisations } from "../../privacy/roster.ts";
import { checkFeasible } from "../../privacy/sum/graph.ts";
import { planPacking } from "../../privacy/sum/layout.ts";
import type { StudyStatus } from "../../proto/generated/fedcredit/v1/StudyStatus.ts";
import { currentRoster } from "../authority/membership.ts";
import type { Bank } from "../bank.ts";
import { stateDigest } from "./state-chain.ts";
import { status } from "./status.ts";
import { studyRow } from "./study-row.ts";

/**
 * Takes a study in, to be consented to. Whatever its parameters would later refuse is refused now.
 * @throws Refusal parameters_invalid, algorithm_unknown, layout_overflow, unprotected, already_exists,
 *   message_malformed, cohort_too_small, cohort_too_large
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
  const { minCohort, maxColluding } = manifest.privacy;
  const roster = (await currentRoster(bank))?.roster;
  // Before there is a roster, at least the smallest cohort must be able to work.
  const organisations = roster === undefined ? minCohort : countOrganisations(roster, roster.byId.keys());
  const members = Math.max(organisations, minCohort);
  checkFeasible({ members, minCohort, maxColluding: Math.max(1, maxColluding) });
  if (first.algorithm !== null) planPacking(studyLayout(manifest, first), members);
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
  const state = startStudy(readManifest(row.manifest));
  const digest = stateDigest(state);
  await bank.database.transaction(
    (sql) => sql`
      UPDATE study SET phase = 'running', state = ${digest}, algorithm = ${state.algorithm}, round = 1, attempt = 0
      WHERE digest = ${study} AND phase = 'proposed'`,
  );
  bank.log.info({ study: row.name }, "study started");
  bank.events.emit("study", study);
  bank.events.emit("ordered", study);
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
  bank.log.info({ study }, "study stopped");
  bank.events.emit("study", study);
  bank.events.emit("ordered", study);
  return status(bank, study);
}
