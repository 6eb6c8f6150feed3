/** What is stored of an attempt, each step in one transaction with its log entries. */

import { canonicalJson, type Digest } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import type { StudyManifest } from "../../models/study.ts";
import { advanceStudy, type StudyState, studyLayout, studyResult } from "../../models/study-loop.ts";
import type { Roster } from "../../privacy/roster.ts";
import { leastThreshold } from "../../privacy/sum/binding.ts";
import type { ReleasePoint } from "../../privacy/sum/coordinator/state.ts";
import type { PartyId } from "../../privacy/sum/graph.ts";
import { encryptionName, type RoundHeader, roundIdOf, sumProtocol } from "../../privacy/sum/header.ts";
import type { KeyEpoch } from "../../privacy/sum/key-epoch.ts";
import type { Epochs } from "../authority/epochs.ts";
import type { Bank } from "../bank.ts";
import type { Transaction } from "../store/database.ts";
import { publishModel } from "../studies/model-registry.ts";
import { getState, putState, type StudyRow } from "../studies/studies.ts";
import type { EndedAttempt, RoundLedger } from "./round.ts";

export interface NextAttempt {
  readonly study: StudyRow;
  readonly manifest: StudyManifest;
  readonly state: StudyState;
  readonly roster: Roster;
  /** Sorted. */
  readonly cohort: readonly PartyId[];
  readonly epoch: KeyEpoch;
}

/** Opens the next attempt of a study's round. Durable, and in the log, before anyone hears of it. */
export async function openAttempt(
  bank: Bank,
  epochs: Epochs,
  { study, manifest, state, roster, cohort, epoch }: NextAttempt,
): Promise<{ header: RoundHeader; roundId: Digest }> {
  const attempt = study.attempt + 1;
  const { note: checkpoint } = await bank.privacyLog.checkpoint();
  const header: RoundHeader = {
    protocol: sumProtocol,
    consortium: bank.config.consortium,
    study: study.digest,
    round: study.round,
    attempt,
    algorithm: { index: state.index, name: state.algorithm!, step: state.step },
    state: study.state!,
    roster: roster.digest,
    cohort: [...cohort],
    minCohort: manifest.privacy.minCohort,
    threshold: leastThreshold(cohort.length),
    keyEpoch: { epoch: epoch.epoch, commitment: epoch.commitment },
    layout: { blocks: studyLayout(manifest, state).blocks.map((block) => ({ ...block })) },
    protection: { masks: true, encryption: encryptionName, noise: "none" },
    unprotected: ["noise"],
    checkpoint,
    stepSeconds: manifest.deadlines.stepSeconds,
  };
  const roundId = roundIdOf(header);
  await bank.database.transaction(async (sql) => {
    await sql`
      INSERT INTO attempt (round_id, study, round, attempt, header, phase)
      VALUES (${roundId}, ${study.digest}, ${study.round}, ${attempt}, ${canonicalJson(header)}, 'open')`;
    await sql`UPDATE study SET attempt = ${attempt} WHERE digest = ${study.digest}`;
    await epochs.use(sql, epoch.epoch);
    await bank.privacyLog.append(sql, [
      {
        ...{ type: "round.opened", roundId, study: study.digest, round: study.round, attempt },
        ...{ algorithm: header.algorithm.name, cohort: cohort.length, unprotected: ["noise"] },
      } as const,
    ]);
  });
  epochs.used(epoch.epoch);
  bank.events.emit("study", study.digest);
  await bank.crashPoint("attempt-opened");
  return { header, roundId };
}

/** The ledger of one attempt, new or taken up again after step 5. */
export function attemptLedger(bank: Bank, roundId: Digest, header: RoundHeader): RoundLedger {
  const { study } = header;
  return {
    record: (entries) => bank.database.transaction((sql) => bank.privacyLog.append(sql, entries)),
    persist: (point, entries) =>
      bank.database.transaction(async (sql) => {
        await sql`
          UPDATE attempt SET phase = 'unmasked', aggregate = ${canonicalJson(point)}
          WHERE round_id = ${roundId} AND phase = 'open'`;
        await bank.privacyLog.append(sql, entries);
      }),
    advance: async ({ sum, digest, survivors, signers }, entries) => {
      const [row] = await bank.database.sql`SELECT manifest FROM study WHERE digest = ${study}`;
      const manifest = JSON.parse(row!.manifest as string) as StudyManifest;
      const before = await getState(bank, header.state);
      const outcome = await serverStep(manifest, before, sum);
      const after = outcome instanceof Refusal ? header.state : await putState(bank, outcome);
      await bank.crashPoint("state-stored");
      await bank.database.transaction(async (sql) => {
        const released = await sql`
          UPDATE attempt SET phase = 'released', aggregate = NULL, state = ${after}, sum = ${digest},
            survivors = ${survivors.length}
          WHERE round_id = ${roundId} AND phase = 'unmasked'`;
        if (released.count !== 1) throw new Error(`attempt ${roundId} has been ended by another process`);
        const [{ steps }] = (await sql`
          SELECT count(*)::int AS steps FROM attempt WHERE study = ${study} AND phase = 'released'`) as [
          { steps: number },
        ];
        const { unit } = manifest.privacy;
        await bank.privacyLog.append(sql, [
          ...entries,
          {
            ...{ type: "privacy.spent", roundId, study, mechanism: "none", unit, steps: 1 },
            cumulativeSteps: steps,
          } as const,
          { type: "round.released", roundId, sum: digest, signers: [...signers].sort(), state: after },
        ]);
        if (outcome instanceof Refusal) await failStudy(bank, sql, study, outcome);
        else await goOn(bank, sql, study, manifest, outcome, after);
      });
      bank.events.emit("study", study);
      await bank.crashPoint("released");
      return after;
    },
    aborted: (end, entries) => storeAbort(bank, roundId, end, entries),
  };
}

/** @returns the state after the server step, or why the sum has no result. */
const serverStep = (
  manifest: StudyManifest,
  state: StudyState,
  sum: { readonly values: Float64Array; readonly parties: number },
): Promise<StudyState | Refusal> =>
  advanceStudy(manifest, state, sum).catch((error: unknown) => {
    if (error instanceof Refusal) return error;
    throw error;
  });

async function goOn(
  bank: Bank,
  sql: Transaction,
  study: Digest,
  manifest: StudyManifest,
  state: StudyState,
  digest: Digest,
): Promise<void> {
  if (studyResult(state) === undefined) {
    await sql`
      UPDATE study SET state = ${digest}, algorithm = ${state.algorithm}, round = round + 1, attempt = 0
      WHERE digest = ${study}`;
    return;
  }
  await sql`UPDATE study SET state = ${digest}, algorithm = NULL, phase = 'finished' WHERE digest = ${study}`;
  const model = await publishModel(bank, sql, study, manifest, state);
  bank.log.info({ study: manifest.name, model }, "study finished");
}

/** Ends a study for a reason that another attempt would meet again. */
export async function failStudy(
  bank: Bank,
  sql: Transaction,
  study: Digest,
  { reason, message }: Pick<Refusal, "reason" | "message">,
): Promise<void> {
  await sql`
    UPDATE study SET phase = 'failed', reason = ${reason}, detail = ${message}
    WHERE digest = ${study} AND phase = 'running'`;
  bank.log.warn({ study, reason, detail: message }, "study failed");
}

async function storeAbort(
  bank: Bank,
  roundId: Digest,
  { reason, detail, faults }: Extract<EndedAttempt, { phase: "aborted" }>,
  entries: Parameters<RoundLedger["aborted"]>[1],
): Promise<void> {
  await bank.database.transaction(async (sql) => {
    await sql`
      UPDATE attempt SET phase = 'aborted', aggregate = NULL, reason = ${reason}, party = ${faults[0]?.party ?? null}
      WHERE round_id = ${roundId}`;
    await bank.privacyLog.append(sql, entries);
  });
  bank.log.warn({ roundId, reason, detail }, "attempt aborted");
}

/**
 * Ends what a killed process left before step 5: its secrets were in memory only.
 * @returns the attempts that were ended, for members that still wait in them.
 */
export async function abortInterrupted(bank: Bank): Promise<Digest[]> {
  return bank.database.transaction(async (sql) => {
    const open = await sql`SELECT round_id FROM attempt WHERE phase = 'open'`;
    const ended = open.map((row) => row.round_id as Digest);
    for (const roundId of ended) {
      await sql`
        UPDATE attempt SET phase = 'aborted', reason = 'coordinator_restarted' WHERE round_id = ${roundId}`;
      await bank.privacyLog.append(sql, [
        { type: "round.aborted", roundId, reason: "coordinator_restarted" },
      ]);
    }
    return ended;
  });
}

/** @returns the study's attempt whose unmasked sum waits to be released, if a killed process left one. */
export async function unfinishedRelease(
  bank: Bank,
  study: Digest,
): Promise<{ roundId: Digest; point: ReleasePoint } | undefined> {
  const [row] = await bank.database.sql`
    SELECT round_id, aggregate FROM attempt WHERE study = ${study} AND phase = 'unmasked'`;
  if (row === undefined) return undefined;
  return { roundId: row.round_id as Digest, point: JSON.parse(row.aggregate as string) as ReleasePoint };
}
