/** What is stored of an attempt, each step in one transaction with its log entries. */

import { toBase64 } from "../../core/bytes.ts";
import { canonicalJson, type Digest, digestOf } from "../../core/canonical.ts";
import { isMilestone } from "../../core/log.ts";
import { Refusal } from "../../core/reasons.ts";
import type { StudyManifest } from "../../models/study.ts";
import { advanceStudy, type StudyState } from "../../models/study-loop.ts";
import { spendOf } from "../../privacy/log/spend.ts";
import { readStored, storedText } from "../../privacy/sum/coordinator/point.ts";
import type { CoordinatorEffect, RoundPoint } from "../../privacy/sum/coordinator/state.ts";
import type { PartyId } from "../../privacy/sum/graph.ts";
import { type RoundHeader, roundIdOf } from "../../privacy/sum/header.ts";
import type { Closed, PartySignature, Unmask } from "../../privacy/sum/messages.ts";
import { sumDigest } from "../../privacy/sum/statements.ts";
import { leaveOut, takeSlot } from "../authority/epoch-store.ts";
import type { Bank } from "../bank.ts";
import { attach } from "../store/attachments.ts";
import type { NewEntry } from "../store/log.ts";
import { type Transaction, valuesOf } from "../store/sql.ts";
import { type StateChain, stateDigest } from "../studies/state-chain.ts";
import { type AttemptPhase, type Outcome, otherHalf, type StoredAttempt } from "./next-attempt.ts";
import type { RoundLedger } from "./round.ts";

/** @returns the attempts of one step, in their order. */
export async function attemptsOf(bank: Bank, study: Digest, round: number): Promise<StoredAttempt[]> {
  const rows = await bank.database.sql`
    SELECT round_id, header, phase, outcome FROM attempt
    WHERE study = ${study} AND round = ${round} ORDER BY attempt`;
  return rows.map((row) => ({
    roundId: row.round_id as Digest,
    header: JSON.parse(row.header) as RoundHeader,
    phase: row.phase as AttemptPhase,
    outcome: row.outcome === null ? undefined : readStored<Outcome>(row.outcome),
  }));
}

/** @returns attempts of studies that go on, which an earlier process left, each to be finished from its point. */
export async function unfinishedAttempts(bank: Bank): Promise<{ roundId: Digest; study: Digest }[]> {
  const rows = await bank.database.sql`
    SELECT round_id, study FROM attempt JOIN study ON study.digest = attempt.study
    WHERE study.phase IN ('running', 'paused') AND attempt.phase IN ('agreeing', 'unmasking', 'releasing')`;
  return rows.map((row) => ({ roundId: row.round_id, study: row.study }));
}

/** @returns what an attempt goes on from. */
export async function storedPoint(
  bank: Bank,
  roundId: Digest,
): Promise<{ point: RoundPoint; unmask: { from: PartyId; message: Unmask }[] }> {
  const { sql } = bank.database;
  const [row] = await sql`SELECT point FROM attempt WHERE round_id = ${roundId}`;
  const rows = await sql`
    SELECT enterprise, message FROM unmask_message WHERE round_id = ${roundId} ORDER BY enterprise`;
  return {
    point: readStored<RoundPoint>(row!.point),
    unmask: rows.map(({ enterprise, message }) => ({
      from: enterprise,
      message: readStored<Unmask>(message),
    })),
  };
}

/** Opens an attempt. Durable, and in the log, before anyone hears of it. */
export async function openAttempt(bank: Bank, header: RoundHeader, epoch: number): Promise<Digest> {
  const roundId = roundIdOf(header);
  const { study, round, attempt } = header;
  await bank.database.transaction(async (sql) => {
    await sql`
      INSERT INTO attempt (round_id, study, round, attempt, header, phase)
      VALUES (${roundId}, ${study}, ${round}, ${attempt}, ${canonicalJson(header)}, 'open')`;
    await sql`UPDATE study SET attempt = ${attempt} WHERE digest = ${study}`;
    await takeSlot(sql, epoch, header.slot);
    await bank.privacyLog.append(sql, [
      {
        type: "round.opened",
        roundId,
        study,
        round,
        attempt,
        algorithm: header.algorithm.name,
        cohort: header.cohort.length,
        unprotected: header.unprotected,
      },
    ]);
  });
  bank.events.emit("study", study);
  await bank.crashPoint("attempt-opened");
  return roundId;
}

const inLog = (signatures: readonly PartySignature[]) =>
  signatures.map(({ party, signature }) => ({ enterprise: party, signature: toBase64(signature) }));

/** The ledger of one attempt, new or taken up again. */
export function attemptLedger(
  bank: Bank,
  chain: StateChain,
  manifest: StudyManifest,
  roundId: Digest,
): RoundLedger {
  return {
    write: ({ entries, point, unmask }) =>
      bank.database.transaction(async (sql) => {
        if (point !== undefined)
          await sql`UPDATE attempt SET phase = ${point.at}, point = ${storedText(point)} WHERE round_id = ${roundId}`;
        const rows = unmask.map(({ from, message }) => ({
          round_id: roundId,
          enterprise: from,
          message: storedText(message),
        }));
        if (rows.length > 0) await sql`INSERT INTO unmask_message ${valuesOf(rows)} ON CONFLICT DO NOTHING`;
        await bank.privacyLog.append(sql, entries);
      }),
    advance: (effect, entries) => advance(bank, chain, manifest, effect, entries),
    ended: (outcome, signatures, entries) => storeOutcome(bank, roundId, outcome, signatures, entries),
  };
}

/** The one sum of a step: certificate, state and log in one commit. @returns the certificate's digest. */
async function advance(
  bank: Bank,
  chain: StateChain,
  manifest: StudyManifest,
  { roundId, header, sum, survivors, certificate }: Extract<CoordinatorEffect, { readonly type: "advance" }>,
  entries: readonly NewEntry[],
): Promise<Digest> {
  const { study, round } = header;
  const before = await chain.state(study, manifest, round - 1);
  const outcome = await serverStep(manifest, before, sum);
  const after = outcome instanceof Refusal ? header.state : stateDigest(outcome);
  const document = canonicalJson(certificate);
  const digest = digestOf(document);
  await bank.database.transaction(async (sql) => {
    const released = await sql`
      UPDATE attempt SET phase = 'released', point = NULL, state = ${after}, survivors = ${survivors.length}
      WHERE round_id = ${roundId} AND phase = 'releasing'`;
    if (released.count !== 1) throw new Error(`attempt ${roundId} has been ended by another process`);
    await sql`DELETE FROM unmask_message WHERE round_id = ${roundId}`;
    if (header.follows?.kind === "half") await sitOut(sql, header);
    const { unit } = manifest.privacy;
    const all: NewEntry[] = [
      ...entries,
      {
        type: "privacy.spent",
        roundId,
        study,
        ...spendOf(header, unit),
        steps: 1,
        cumulativeSteps: round,
      },
      {
        type: "round.released",
        roundId,
        certificate: digest,
        sum: sumDigest(Buffer.from(certificate.salt, "hex"), Buffer.from(certificate.sum, "base64")),
        signers: certificate.released.map(({ party }) => party).sort(),
        state: after,
      },
    ];
    const first = await bank.privacyLog.append(sql, all as [NewEntry, ...NewEntry[]]);
    await sql`
      INSERT INTO sum_certificate VALUES (${study}, ${round}, ${digest}, ${document}, ${first + all.length - 1})`;
    if (outcome instanceof Refusal) await failStudy(bank, sql, study, outcome);
    else await goOn(sql, study, outcome, after);
  });
  bank.log[isMilestone(round) ? "info" : "debug"](
    { study: manifest.name, algorithm: header.algorithm.name, round, parties: survivors.length },
    "round released",
  );
  if (!(outcome instanceof Refusal)) chain.advanced(study, round, outcome);
  bank.events.emit("study", study);
  await bank.crashPoint("released");
  return digest;
}

/** One half has a sum, so that it is the other in which somebody's vector is out of range. */
async function sitOut(sql: Transaction, { study, follows, cohort }: RoundHeader): Promise<void> {
  const [row] = await sql`SELECT outcome FROM attempt WHERE round_id = ${follows!.of}`;
  await leaveOut(sql, study, otherHalf(readStored<Outcome>(row!.outcome), cohort), "sum_invalid");
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

/** What the lead does next: another sum, or with the last one made the model's publication. */
async function goOn(
  sql: Transaction,
  study: Digest,
  { algorithm }: StudyState,
  digest: Digest,
): Promise<void> {
  if (algorithm === null)
    await sql`UPDATE study SET state = ${digest}, algorithm = NULL WHERE digest = ${study}`;
  else
    await sql`
      UPDATE study SET state = ${digest}, algorithm = ${algorithm}, round = round + 1, attempt = 0
      WHERE digest = ${study}`;
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
    WHERE digest = ${study} AND phase IN ('running', 'paused')`;
  bank.log.warn({ study, reason, detail: message }, "study failed");
}

async function storeOutcome(
  bank: Bank,
  roundId: Digest,
  outcome: Outcome,
  signatures: readonly PartySignature[],
  entries: readonly NewEntry[],
): Promise<void> {
  const reason = "reason" in outcome ? outcome.reason : null;
  await bank.database.transaction(async (sql) => {
    await sql`
      UPDATE attempt SET phase = ${outcome.phase}, point = NULL, outcome = ${storedText(outcome)},
        reason = ${reason}, party = ${outcome.faults[0]?.party ?? null}
      WHERE round_id = ${roundId}`;
    await sql`DELETE FROM unmask_message WHERE round_id = ${roundId}`;
    if (outcome.phase === "rerun" || outcome.phase === "split")
      await attach(sql, Buffer.from(outcome.evidence).toString("utf8"));
    await bank.privacyLog.append(sql, [...entries, endEntry(roundId, outcome, signatures)]);
  });
  bank.log.warn({ roundId, outcome: outcome.phase, reason }, "attempt ended without a sum");
  await bank.crashPoint("ended");
}

function endEntry(roundId: Digest, outcome: Outcome, signatures: readonly PartySignature[]): NewEntry {
  switch (outcome.phase) {
    case "aborted": {
      const culprit = outcome.faults[0]?.party;
      return {
        type: "round.aborted",
        roundId,
        reason: outcome.reason,
        ...(culprit === undefined ? {} : { enterprise: culprit }),
        ...(signatures.length === 0 ? {} : { renounced: inLog(signatures) }),
      };
    }
    case "rerun":
      return {
        type: "round.rerun",
        roundId,
        without: [...outcome.without].sort(),
        evidence: digestOf(outcome.evidence),
      };
    case "split": {
      const [first, second] = outcome.halves;
      return {
        type: "round.split",
        roundId,
        halves: [[...first], [...second]],
        evidence: digestOf(outcome.evidence),
        invalid: inLog(signatures),
      };
    }
    case "lost":
      return { type: "round.lost", roundId, reason: outcome.reason };
  }
}

/** Ends what a process left before anybody was asked to agree: nothing of it is kept. */
export function giveUp(bank: Bank, roundId: Digest): Promise<void> {
  const outcome: Outcome = {
    phase: "aborted",
    roundId,
    reason: "coordinator_restarted",
    detail: "the coordinator's process ended",
    faults: [],
    excluded: [],
    lift: undefined,
  };
  return storeOutcome(bank, roundId, outcome, [], []);
}

/** @returns how each study's last attempt ended, the newest studies first. */
export async function lastEnds(bank: Bank, most: number): Promise<Closed[]> {
  const rows = await bank.database.sql`
    SELECT DISTINCT ON (study.number) round_id, attempt.phase, attempt.reason, party, digest.digest AS certificate
    FROM attempt JOIN study ON study.digest = attempt.study
      LEFT JOIN sum_certificate digest ON digest.study = attempt.study AND digest.round = attempt.round
        AND attempt.phase = 'released'
    WHERE study.pruned IS NULL
    ORDER BY study.number DESC, attempt.round DESC, attempt.attempt DESC LIMIT ${most}`;
  return rows
    .filter(({ phase }) => ["released", "aborted", "rerun", "split", "lost"].includes(phase))
    .map((row) => ({
      type: "closed",
      roundId: row.round_id,
      outcome: row.phase,
      reason: row.reason ?? "",
      party: row.party ?? "",
      certificate: row.certificate ?? "",
    }));
}
