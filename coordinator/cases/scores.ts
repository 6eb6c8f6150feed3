/** What enterprises say of themselves by a published model, each under its own consent. */
import type { Digest } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import { parsePublic } from "../../models/parameters.ts";
import { modelsOf, studyResultsSchema } from "../../models/results.ts";
import { gradeOf } from "../../models/scoring/grades.ts";
import { readManifest } from "../../models/study.ts";
import { parseVerifierKey } from "../../privacy/log/note.ts";
import { openScoreStatement, type ScoreStatement } from "../../privacy/log/score-statement.ts";
import { clockToleranceMillis } from "../../proto/wire.ts";
import { memberOf } from "../authority/membership.ts";
import type { Bank } from "../bank.ts";
import type { Transaction } from "../store/sql.ts";
import { type ConsentRequest, requireConsent } from "../studies/consent.ts";
import { standings } from "../studies/standing.ts";
import { studyRow } from "../studies/study-row.ts";
import { lockCases, raiseCase } from "./cases.ts";
import { gradesOf } from "./policy.ts";

/**
 * Keeps an enterprise's consent to send scores by a study's model.
 * @throws Refusal not_found, manifest_changed, consent_expired, roster_mismatch, signature_invalid, note_malformed,
 *   message_malformed, rate_limited
 */
export async function agreeToScores(bank: Bank, enterprise: string, request: ConsentRequest): Promise<void> {
  const { study, expiresMillis, note } = request;
  await requireConsent(bank, enterprise, request, "scores");
  await bank.database.transaction(async (sql) => {
    await studyRow(sql, study);
    const [held] = await sql`
      SELECT note FROM score_consent
      WHERE study = ${study} AND enterprise = ${enterprise} AND withdrawn_at IS NULL`;
    if (held?.note === note) return;
    bank.consents.take(`scores ${study} ${enterprise}`, "consents to one study's scores");
    await sql`
      INSERT INTO score_consent (study, enterprise, note, expires_at)
      VALUES (${study}, ${enterprise}, ${note}, ${new Date(expiresMillis)})
      ON CONFLICT (study, enterprise) DO UPDATE
        SET note = excluded.note, expires_at = excluded.expires_at, withdrawn_at = NULL`;
    await bank.privacyLog.append(sql, [
      { type: "score.consented", study, enterprise, expires: expiresMillis, consent: note },
    ]);
  });
}

/** No statement is taken from now on. */
export async function withdrawScores(bank: Bank, enterprise: string, study: Digest): Promise<void> {
  await bank.database.transaction(async (sql) => {
    const gone = await sql`
      UPDATE score_consent SET withdrawn_at = ${new Date(bank.clock.now())}
      WHERE study = ${study} AND enterprise = ${enterprise} AND withdrawn_at IS NULL`;
    if (gone.count > 0) await bank.privacyLog.append(sql, [{ type: "score.withdrawn", study, enterprise }]);
  });
}

/** @returns the result of a study's model that the bank uses; empty where it decided about none. */
export async function resultInUse(bank: Bank, model: Digest): Promise<string> {
  const champion = (await standings(bank.database.sql)).find(
    (one) => one.model === model && one.standing === "champion",
  );
  return champion?.result ?? "";
}

/**
 * Takes a statement: signed by who sends it, fresh, of a window after the last one, by a model in use, under consent.
 * A change of grade raises a case in the same transaction.
 * @returns the index of its log entry.
 * @throws Refusal roster_mismatch, signature_invalid, note_malformed, rate_limited, clock_skew, score_mismatch,
 *   already_exists, consent_missing, consent_expired, not_found
 */
export async function takeStatement(bank: Bank, enterprise: string, note: string): Promise<number> {
  // Before anything costs: each try counts.
  bank.statements.take(enterprise, "score statements");
  const member = await memberOf(bank, enterprise);
  const said = openScoreStatement(note, parseVerifierKey(member.verifierKey));
  if (said.enterprise !== enterprise || said.consortium !== bank.config.consortium)
    throw new Refusal("signature_invalid", "the statement is another enterprise's");
  checkTimes(bank, said);
  return bank.database.transaction(async (sql) => {
    // One at a time: of two of the same window, the second finds the first.
    await lockCases(sql);
    const purpose = await checkModel(bank, sql, said);
    await checkConsent(bank, sql, said);
    await checkOrder(sql, said);
    const [last] = await sql`
      SELECT grade FROM score_statement WHERE enterprise = ${enterprise} AND purpose = ${purpose}
      ORDER BY entry DESC LIMIT 1`;
    const { study, model, result, grade, until, issued, passed } = said;
    const entry = await bank.privacyLog.append(sql, [
      { type: "score.issued", enterprise, study, model, result, grade, statement: note },
    ]);
    await sql`
      INSERT INTO score_statement (entry, enterprise, study, purpose, note, grade, window_until, issued_at)
      VALUES (${entry}, ${enterprise}, ${study}, ${purpose}, ${note}, ${grade}, ${until}, ${new Date(issued)})`;
    const before = last?.grade as string | undefined;
    const cause = { cause: "grade", grade, before, passed } as const;
    await raiseCase(bank, sql, { enterprise }, { entry, cause });
    return entry;
  });
}

const dayMillis = 86_400_000;

function checkTimes({ clock, casePolicy }: Bank, { issued, until }: ScoreStatement): void {
  const now = clock.now();
  if (Math.abs(now - issued) > clockToleranceMillis)
    throw new Refusal(
      "clock_skew",
      `the statement was made at ${new Date(issued).toISOString()}, now is ${new Date(now).toISOString()}`,
      { hint: "make it again, and send it at once; synchronise this machine's clock" },
    );
  const ended = Date.parse(until);
  // A window ends at midnight somewhere: up to 14 hours before it does in UTC.
  if (ended > now + 14 * 3_600_000)
    throw new Refusal("score_mismatch", `the window ends ${until}: it is not over`);
  if (ended < now - casePolicy.maxWindowAgeDays * dayMillis)
    throw new Refusal("score_mismatch", `the window ended ${until}, too long ago`, {
      hint: `send a statement within ${casePolicy.maxWindowAgeDays} days of its window`,
    });
}

/** @returns the model's purpose. */
async function checkModel(bank: Bank, sql: Transaction, said: ScoreStatement): Promise<string> {
  const [row] = await sql`
    SELECT document, manifest FROM model JOIN study ON study.digest = model.study
    WHERE model.digest = ${said.model} AND model.study = ${said.study}`;
  if (row === undefined)
    throw new Refusal("not_found", "the bank published no such model of this study", {
      hint: "fetch the study's model again",
    });
  const model = modelsOf(parsePublic("model", studyResultsSchema, JSON.parse(row.document))).get(said.result);
  if (model === undefined) throw new Refusal("not_found", `no model is called ${said.result}`);
  const { purpose } = readManifest(row.manifest);
  const decided = await standings(sql, purpose);
  const own = decided.find((one) => one.model === said.model && one.result === said.result);
  // Where people have to approve a model, one that nobody decided about is none that the bank uses.
  const isInUse =
    own === undefined
      ? bank.config.models.approvals === 0 && !decided.some(({ standing }) => standing === "champion")
      : own.standing !== "retired";
  if (!isInUse)
    throw new Refusal("score_mismatch", `the bank does not use ${said.result} of this model`, {
      hint: "score with the model that the bank made champion",
    });
  const columns = new Set(model.features.map(({ name }) => name));
  const unknown = said.reasons.find((reason) => !columns.has(reason));
  if (unknown !== undefined)
    throw new Refusal("score_mismatch", "a reason is no column that the model reads");
  const grade = gradeOf(gradesOf(bank.casePolicy), said.probability);
  if (grade !== said.grade)
    throw new Refusal("score_mismatch", `a probability of ${said.probability} is grade ${grade} here`, {
      hint: "make the statement again: the bank's scale of grades is another one now",
    });
  return purpose;
}

async function checkConsent(bank: Bank, sql: Transaction, { study, enterprise }: ScoreStatement) {
  const [row] = await sql`
    SELECT expires_at FROM score_consent
    WHERE study = ${study} AND enterprise = ${enterprise} AND withdrawn_at IS NULL`;
  if (row === undefined)
    throw new Refusal("consent_missing", `${enterprise} has not agreed to score statements`, {
      hint: "fedcredit node statement agree",
    });
  if ((row.expires_at as Date).getTime() <= bank.clock.now())
    throw new Refusal("consent_expired", "the consent to score statements has expired", {
      hint: "fedcredit node statement agree, once more",
    });
}

async function checkOrder(sql: Transaction, { study, enterprise, until, issued }: ScoreStatement) {
  const [last] = await sql`
    SELECT window_until, issued_at FROM score_statement
    WHERE enterprise = ${enterprise} AND study = ${study} ORDER BY entry DESC LIMIT 1`;
  if (last === undefined) return;
  if (until <= last.window_until || issued <= (last.issued_at as Date).getTime())
    throw new Refusal("already_exists", `a statement of a window that ended ${last.window_until} is there`, {
      hint: "each window has one statement: wait for the next",
    });
}

/** A statement as it was taken. */
export interface TakenStatement {
  /** Index of its log entry. */
  readonly entry: number;
  /** As the enterprise signed it. */
  readonly note: string;
}

/** @returns the newest first. @param enterprise - whose; everybody's without it */
export async function statementsOf(bank: Bank, enterprise?: string, most = 500): Promise<TakenStatement[]> {
  const rows =
    enterprise === undefined
      ? await bank.database.sql`SELECT entry, note FROM score_statement ORDER BY entry DESC LIMIT ${most}`
      : await bank.database.sql`
          SELECT entry, note FROM score_statement WHERE enterprise = ${enterprise}
          ORDER BY entry DESC LIMIT ${most}`;
  return rows.map(({ entry, note }) => ({ entry, note }));
}
