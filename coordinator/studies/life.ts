/** A study's life after it was proposed: started, paused, retried, stopped. Each order is one conditional update. */
import type { Digest } from "../../core/canonical.ts";
import { type Reason, Refusal, reasons, refuseAll } from "../../core/reasons.ts";
import { readManifest } from "../../models/study.ts";
import { startStudy } from "../../models/study-loop.ts";
import type { StudyStatus } from "../../proto/generated/fedcredit/v1/StudyStatus.ts";
import type { Bank } from "../bank.ts";
import { attemptsOf } from "../rounds/attempts.ts";
import { nextAttempt } from "../rounds/next-attempt.ts";
import { checkProposal } from "./check.ts";
import { stateDigest } from "./state-chain.ts";
import { status } from "./status.ts";
import { type StudyRow, studyRow } from "./study-row.ts";

/**
 * A study that the roster of now cannot run is refused, not started to wait for ever.
 * @throws Refusal not_found, message_unexpected, cohort_too_small, cohort_too_large
 */
export async function start(bank: Bank, study: Digest): Promise<StudyStatus> {
  const row = await studyRow(bank.database.sql, study);
  if (row.phase === "running") return status(bank, study);
  if (row.phase !== "proposed") throw unexpected(row, hints[row.phase]);
  const manifest = readManifest(row.manifest);
  await requireFeasible(bank, study, row);
  const state = startStudy(manifest);
  const digest = stateDigest(state);
  return order(
    bank,
    study,
    "started",
    (sql) => sql`
      UPDATE study SET phase = 'running', state = ${digest}, algorithm = ${state.algorithm}, round = 1, attempt = 0
      WHERE digest = ${study} AND phase = 'proposed'`,
  );
}

const hints: Readonly<Record<Exclude<StudyRow["phase"], "proposed" | "running">, string>> = {
  paused: "retry goes on with it",
  failed:
    "retry goes on with it where its last step can be summed again; otherwise propose it under a new name",
  finished: "propose it under a new name to run it again",
  stopped: "propose it under a new name to run it again",
};

/** The attempt under way is finished, so that nothing that was agreed on is left open; no other is opened. */
export async function pause(bank: Bank, study: Digest): Promise<StudyStatus> {
  const row = await studyRow(bank.database.sql, study);
  if (row.phase === "paused") return status(bank, study);
  if (row.phase !== "running") throw unexpected(row, "only a running study can be paused");
  return order(
    bank,
    study,
    "paused",
    (sql) => sql`UPDATE study SET phase = 'paused' WHERE digest = ${study} AND phase = 'running'`,
  );
}

/**
 * Goes on from the last state, under the same manifest and consents. A step that has its sum, or is spent without
 * one, is never summed again: such a study stays failed.
 * @throws Refusal not_found, message_unexpected, cohort_too_small, and why it failed where it would fail again
 */
export async function retry(bank: Bank, study: Digest): Promise<StudyStatus> {
  const row = await studyRow(bank.database.sql, study);
  switch (row.phase) {
    case "running":
      return status(bank, study);
    case "proposed":
      throw unexpected(row, "start it");
    case "finished":
    case "stopped":
      throw unexpected(row, hints[row.phase]);
    case "failed":
      await requireKept(bank, study);
      await requireOpen(bank, study, row);
      break;
    case "paused":
      break;
  }
  await requireFeasible(bank, study, row);
  return order(
    bank,
    study,
    "retried",
    (sql) => sql`
      UPDATE study SET phase = 'running', reason = NULL, detail = NULL
      WHERE digest = ${study} AND phase = ${row.phase} AND pruned IS NULL`,
  );
}

/** Nothing more is summed or published. @throws Refusal not_found, message_unexpected */
export async function stop(bank: Bank, study: Digest): Promise<StudyStatus> {
  const row = await studyRow(bank.database.sql, study);
  if (row.phase === "stopped") return status(bank, study);
  if (row.phase === "finished") throw unexpected(row, "what it came to stays");
  return order(
    bank,
    study,
    "stopped",
    (sql) => sql`
      UPDATE study SET phase = 'stopped' WHERE digest = ${study} AND phase NOT IN ('finished', 'stopped')`,
  );
}

/** @throws Refusal not_found */
async function requireKept(bank: Bank, study: Digest): Promise<void> {
  const { count } = await bank.database.sql`SELECT FROM study WHERE digest = ${study} AND pruned IS NOT NULL`;
  if (count > 0) throw new Refusal("not_found", "the study's retention is over: its sums were removed");
}

/** @throws Refusal why it failed: its step has had its sum, or is spent. */
async function requireOpen(bank: Bank, study: Digest, row: StudyRow): Promise<void> {
  if (row.algorithm === null) return;
  const attempts = await attemptsOf(bank, study, row.round);
  const over = attempts.at(-1)?.phase === "released" || nextAttempt(attempts).kind === "over";
  if (!over) return;
  const reason: Reason = row.reason ?? "step_spent";
  throw new Refusal(reason, `the study ${row.name} would fail again: ${row.detail ?? "its step is spent"}`, {
    hint: `${reasons[reason].hint}; then propose it under a new name: a step is summed once`,
  });
}

/** @throws Refusal cohort_too_small, cohort_too_large: then the study would wait for ever. */
async function requireFeasible(bank: Bank, study: Digest, { manifest }: StudyRow): Promise<void> {
  const { problems, unready } = await checkProposal(bank, study, readManifest(manifest));
  const found = problems.find(({ reason }) => reason === "cohort_too_small" || reason === "cohort_too_large");
  refuseAll([...(unready === undefined ? [] : [unready]), ...(found === undefined ? [] : [found])]);
}

const unexpected = ({ name, phase }: StudyRow, hint: string): Refusal =>
  new Refusal("message_unexpected", `the study ${name} is ${phase}`, { hint });

/** Two operators at once: the second's update finds another phase, and the study is as the first left it. */
async function order(
  bank: Bank,
  study: Digest,
  became: "started" | "paused" | "retried" | "stopped",
  update: (
    sql: Parameters<Parameters<Bank["database"]["transaction"]>[0]>[0],
  ) => PromiseLike<{ count: number }>,
): Promise<StudyStatus> {
  const { count } = await bank.database.transaction(async (sql) => {
    const updated = await update(sql);
    // That a study was started its first round says.
    if (updated.count > 0 && became !== "started")
      await bank.privacyLog.append(sql, [{ type: "study.ordered", study, order: became }]);
    return updated;
  });
  if (count === 0) {
    await requireKept(bank, study);
    const row = await studyRow(bank.database.sql, study);
    throw unexpected(row, "somebody else gave it another order at this moment");
  }
  const after = await status(bank, study);
  bank.log.info({ study: after.name }, `study ${became}`);
  bank.events.emit("study", study);
  bank.events.emit("ordered", study);
  return after;
}
