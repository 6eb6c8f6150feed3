/**
 * Score statements: the enterprise scores its own rows with the bank's published model, here, and says what comes out,
 * under a consent of its own. Nothing of a row leaves.
 */
import { z } from "zod";
import { canonicalJson, type Digest, digestOf } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import type { Model } from "../../models/algorithm.ts";
import { parsePublic } from "../../models/parameters.ts";
import { studyResultsSchema } from "../../models/results.ts";
import { gradeOf, parseGrades } from "../../models/scoring/grades.ts";
import { chooseModel } from "../../models/scoring/score.ts";
import { type StudyManifest, tableOf } from "../../models/study.ts";
import { advanceStudy, studyResult } from "../../models/study-loop.ts";
import { signConsent } from "../../privacy/log/consent.ts";
import { noteSigner } from "../../privacy/log/note.ts";
import {
  type ScoreStatement,
  scoreStatementSchema,
  signScoreStatement,
} from "../../privacy/log/score-statement.ts";
import { refusalOf, Scores, Studies } from "../../proto/wire.ts";
import { decidedBy, requirePeople } from "../ledger/approvals.ts";
import {
  knownStatements,
  lastPassRate,
  scoreConsent,
  scoreConsents,
  storeScoreConsent,
  storeStatement,
} from "../ledger/statements.ts";
import { transact } from "../ledger/store.ts";
import { checkStudy, type Policy } from "../policy.ts";
import type { OwnScore } from "../rows/own-score.ts";
import { Certificates } from "./certificates.ts";
import type { FederationEvent } from "./events.ts";
import { StateChain } from "./state-chain.ts";
import { openManifest, type StudyDesk } from "./studies.ts";

/** Scores the enterprise's own rows of a month. @param month - months since the year 0 */
export type OwnScorer = (
  model: Model,
  about: {
    readonly purpose: string;
    /** Of the study's rows. */
    readonly table: string;
    readonly policy: Policy;
    readonly month: number;
  },
) => Promise<OwnScore>;

/** What score statements need besides the desk of studies. */
export interface StatementDesk extends StudyDesk {
  /** Absent where the node reads no rows of its own. */
  readonly ownScore?: OwnScorer | undefined;
}

/** What of a statement people may choose. */
export interface StatementChoice {
  /** Which of the study's models; the one that the bank uses by default. */
  readonly result?: string | undefined;
  /** Months since the year 0; the last that is over by default. */
  readonly month?: number | undefined;
}

const bytesOf = (digest: Digest): Buffer => Buffer.from(digest, "hex");

const monthText = (month: number): string =>
  `${String(Math.floor(month / 12)).padStart(4, "0")}-${String((month % 12) + 1).padStart(2, "0")}`;

/** @returns the last month that is over in UTC, months since the year 0. */
export function lastMonth(nowMillis: number): number {
  const now = new Date(nowMillis);
  return 12 * now.getUTCFullYear() + now.getUTCMonth() - 1;
}

/** @returns the day after a month, ISO date: what a statement's window ends before. */
export const untilOf = (month: number): string => `${monthText(month + 1)}-01`;

/** @throws Refusal policy_refuses, unprotected; those of `openManifest` and the bank's */
async function studyAllowed(desk: StatementDesk, study: Digest, policy: Policy): Promise<StudyManifest> {
  if (policy.scores === undefined)
    throw new Refusal("policy_refuses", "policy.yaml lets no score statement leave", {
      hint: "write scores: { send: ask } into policy.yaml, and mean it",
    });
  const status = await desk.transport.call(Studies.service.Get, { study: bytesOf(study) });
  const { manifest } = openManifest(study, status.manifest?.canonicalJson ?? Buffer.alloc(0));
  checkStudy(desk.policy(manifest), manifest);
  return manifest;
}

/** Agrees, for as long as the policy says, that scores by a study's model are said to the bank. @throws Refusal */
export async function agreeToScores(
  desk: StatementDesk,
  study: Digest,
  by: readonly string[] = [],
): Promise<{ expiresMillis: number }> {
  const { credentials, db, ledger, now, transport } = desk;
  const policy = desk.policy();
  await studyAllowed(desk, study, policy);
  requirePeople(by, policy.people ?? 1);
  const expiresMillis = now() + Math.floor(policy.consentDays * 86_400_000);
  const { consortium, enterprise, identity } = credentials;
  const consent = { consortium, enterprise, study, expires: expiresMillis };
  const note = signConsent(consent, noteSigner(identity.name, identity.signingSeed), "scores");
  transact(db, () => {
    storeScoreConsent(db, { study, expiresMillis, withdrawn: false });
    ledger.append([
      {
        ...({ type: "score.consented", time: now(), study, enterprise, expires: expiresMillis } as const),
        ...{ consent: note, ...decidedBy(by) },
      },
    ]);
  });
  await transport.call(Scores.service.Agree, { study: bytesOf(study), expiresMillis, note });
  return { expiresMillis };
}

/** From now on nothing is said, whether or not the bank can be told. @throws Refusal */
export async function withdrawScores(
  { credentials, db, ledger, now, transport }: StatementDesk,
  study: Digest,
): Promise<void> {
  const consent = scoreConsents(db).find((one) => one.study === study);
  if (consent !== undefined && !consent.withdrawn)
    transact(db, () => {
      storeScoreConsent(db, { ...consent, withdrawn: true });
      ledger.append([{ type: "score.withdrawn", time: now(), study, enterprise: credentials.enterprise }]);
    });
  await transport.call(Scores.service.Withdraw, { study: bytesOf(study) });
}

/**
 * @returns what the enterprise would say of itself; nothing leaves but the question for the model.
 * @throws Refusal policy_refuses, rows_missing, not_found, usage, digest_mismatch, and what is wrong with the rows
 */
export async function makeStatement(
  desk: StatementDesk,
  study: Digest,
  { result, month = lastMonth(desk.now()) }: StatementChoice = {},
): Promise<ScoreStatement> {
  const { credentials, db, now, ownScore, transport } = desk;
  const manifest = await studyAllowed(desk, study, desk.policy());
  if (ownScore === undefined) throw new Refusal("rows_missing", "this node has no rows of its own to score");
  const reply = await transport.call(Studies.service.GetModel, { study: bytesOf(study) });
  const model = reply.digest.toString("hex");
  const text = reply.canonicalJson.toString("utf8");
  if (digestOf(text) !== model)
    throw new Refusal("digest_mismatch", "the model does not have the digest the bank states");
  const document = parsePublic("model", documentSchema, JSON.parse(text));
  await requireOwn(desk, study, manifest, document);
  const inUse = reply.inUse === "" ? undefined : reply.inUse;
  const chosen = chooseModel(document, result ?? inUse);
  const { probability, reasons, scored } = await ownScore(chosen.model, {
    purpose: manifest.purpose,
    table: tableOf(manifest),
    policy: desk.policy(manifest),
    month,
  });
  const passed = lastPassRate(db);
  const { consortium, enterprise } = credentials;
  // The scale is the bank's, and its grades have to be names.
  return parsePublic("score statement", scoreStatementSchema, {
    ...{ consortium, enterprise, study, model, result: chosen.name },
    from: `${monthText(month)}-01`,
    until: untilOf(month),
    issued: now(),
    probability,
    grade: gradeOf(parseGrades(reply.grades), probability),
    reasons: [...reasons],
    scored,
    ...(passed === undefined ? {} : { passed }),
  });
}

const documentSchema = studyResultsSchema.extend({
  lineage: z.looseObject({ rounds: z.array(z.unknown()) }),
});

/**
 * A model is believed once this node's own state chain comes to it: one that the bank made up could score by a single
 * column, and the statement would say its value.
 * @throws Refusal state_mismatch, and those of the certificates of sums that this node missed
 */
async function requireOwn(
  desk: StatementDesk,
  study: Digest,
  manifest: StudyManifest,
  { algorithms, results, lineage }: z.output<typeof documentSchema>,
): Promise<void> {
  const certificates = new Certificates(desk);
  const chain = new StateChain({ ...desk, certificates, statistics: { advance: advanceStudy } });
  const isFinished = (): boolean => chain.next(study, manifest) === undefined;
  if (!isFinished()) await chain.catchUp(study, manifest, lineage.rounds.length + 1);
  const own = studyResult(chain.head(study, manifest).state);
  if (own === undefined || canonicalJson([manifest.algorithms, own]) !== canonicalJson([algorithms, results]))
    throw new Refusal("state_mismatch", "the model shown is not what the study's sums come to", {
      hint: "nothing was said; tell the auditor",
    });
}

/**
 * Makes a statement, writes it down, and sends it.
 * @throws Refusal consent_missing, those of {@link makeStatement}, and the bank's
 */
export async function sendStatement(
  desk: StatementDesk,
  study: Digest,
  choice: StatementChoice = {},
): Promise<ScoreStatement> {
  const { credentials, db, ledger, now, transport } = desk;
  if (scoreConsent(db, study, now()) === undefined)
    throw new Refusal("consent_missing", "this enterprise has not agreed to score statements", {
      hint: "fedcredit node statement agree",
    });
  const statement = await makeStatement(desk, study, choice);
  const { identity } = credentials;
  const note = signScoreStatement(statement, noteSigner(identity.name, identity.signingSeed));
  const { enterprise, model, result, grade, until } = statement;
  ledger.append([
    { type: "score.issued", time: now(), enterprise, study, model, result, grade, statement: note },
  ]);
  await transport.call(Scores.service.State, { note });
  storeStatement(db, { study, until, what: "sent", note, atMillis: now() });
  return statement;
}

/** The month's statement stays here; a running node does not make it either. */
export function keepStatement(
  { db, now }: Pick<StatementDesk, "db" | "now">,
  study: Digest,
  month = lastMonth(now()),
): void {
  storeStatement(db, { study, until: untilOf(month), what: "kept", note: "", atMillis: now() });
}

/** @returns the studies whose last month was neither said nor kept, though the enterprise agreed to say it. */
export function dueStatements({ db, now }: Pick<StatementDesk, "db" | "now">): Digest[] {
  const until = untilOf(lastMonth(now()));
  const known = knownStatements(db).filter((one) => one.until >= until);
  return scoreConsents(db)
    .filter(({ withdrawn, expiresMillis }) => !withdrawn && expiresMillis > now())
    .map(({ study }) => study)
    .filter((study) => !known.some((one) => one.study === study));
}

/** Says what is due, where the policy lets the node do so by itself. Never throws. */
export async function sendDue(desk: StatementDesk, emit: (event: FederationEvent) => void): Promise<void> {
  const until = untilOf(lastMonth(desk.now()));
  for (const study of dueStatements(desk))
    try {
      if (desk.policy().scores?.send !== "automatic") return;
      const grade = await sentOnce(desk, study, until);
      if (grade !== undefined) emit({ type: "statement", study, until, grade });
    } catch (error) {
      const { reason, message } = refusalOf(error);
      emit({ type: "statement", study, until, reason, message });
    }
}

/** @returns the grade; undefined where the bank had the month's statement, and only its answer was lost. */
async function sentOnce(desk: StatementDesk, study: Digest, until: string): Promise<string | undefined> {
  try {
    return (await sendStatement(desk, study)).grade;
  } catch (error) {
    if (refusalOf(error).reason !== "already_exists") throw error;
    storeStatement(desk.db, { study, until, what: "sent", note: "", atMillis: desk.now() });
    return undefined;
  }
}

/** A node's score statements, for whoever decides about them. Each throws the Refusal of its function above. */
export interface StatementsOfNode {
  /** @param by - names of who decided. */
  agree(study: Digest, by?: readonly string[]): Promise<{ expiresMillis: number }>;
  withdraw(study: Digest): Promise<void>;
  make(study: Digest, choice?: StatementChoice): Promise<ScoreStatement>;
  send(study: Digest, choice?: StatementChoice): Promise<ScoreStatement>;
}

export const statementsOf = (desk: StatementDesk): StatementsOfNode => ({
  agree: (study, by) => agreeToScores(desk, study, by),
  withdraw: (study) => withdrawScores(desk, study),
  make: (study, choice) => makeStatement(desk, study, choice),
  send: (study, choice) => sendStatement(desk, study, choice),
});
