/** Cases: a change of grade or a warning, what the bank's policy suggests, and what its people decide. Each step is in the log. */
import { toHex } from "../../core/bytes.ts";
import { type Digest, digestOf } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import { type LimitStep, limitSteps } from "../../privacy/log/entry.ts";
import { organisationPattern } from "../../privacy/roster.ts";
import type { Bank } from "../bank.ts";
import type { NewEntry } from "../store/log.ts";
import type { Transaction } from "../store/sql.ts";
import { type Cause, casePolicyDigest, suggestionFor } from "./policy.ts";

/** Named in what is said of a case. */
const mostShifted = 10;

export interface CaseView {
  readonly number: number;
  /** Whose grade or warning it is. */
  readonly enterprise?: string;
  /** Digest of the model that has shifted, and the name of its study while the bank has it. */
  readonly model?: string;
  readonly study?: string;
  readonly cause: Cause["cause"];
  readonly suggestion: LimitStep;
  readonly assignedTo?: string;
  readonly decision?: LimitStep;
  readonly raisedMillis: number;
  readonly decidedMillis?: number;
}

/** What happened in a case. */
export interface CaseEvent {
  /** Index of its log entry. */
  readonly entry: number;
  readonly what: "raised" | "assigned" | "commented" | "decided";
  /** A user of the console or an operator; empty where the policy raised it. */
  readonly by: string;
  /** Why it was raised, who it was assigned to, the comment, or the reason. */
  readonly said: string;
  /** What was suggested or decided; empty in others. */
  readonly step: LimitStep | "";
  /** Entry that it was raised by. */
  readonly causeEntry?: number;
  readonly atMillis: number;
}

/** Before the log's lock in every transaction that takes both, or two of them would wait for each other. */
export const lockCases = (sql: Transaction): Promise<void> =>
  sql.script("LOCK TABLE credit_case IN SHARE ROW EXCLUSIVE MODE");

/**
 * Raises a case where the policy suggests something; one about the same and of the same cause that is open is raised anew.
 * Part of the transaction that logs the cause, after {@link lockCases}.
 * @param about - an enterprise, or a model that has shifted.
 * @param of.entry - index of the log entry of the cause.
 */
export async function raiseCase(
  bank: Bank,
  sql: Transaction,
  about: { readonly enterprise: string } | { readonly model: Digest },
  { entry, cause }: { entry: number; cause: Cause },
): Promise<void> {
  const suggestion = suggestionFor(bank.casePolicy, cause);
  if (suggestion === undefined) return;
  const [open] = await sql`
    SELECT number FROM credit_case
    WHERE coalesce(enterprise, model) = ${"model" in about ? about.model : about.enterprise}
      AND cause = ${cause.cause} AND decision IS NULL`;
  const [last] = await sql`SELECT coalesce(max(number), 0) AS number FROM credit_case`;
  const number: number = open?.number ?? last!.number + 1;
  await sql`
    INSERT INTO credit_case (number, enterprise, model, cause, suggestion)
    VALUES (${number}, ${"model" in about ? null : about.enterprise}, ${"model" in about ? about.model : null},
      ${cause.cause}, ${suggestion})
    ON CONFLICT (number) DO UPDATE SET suggestion = excluded.suggestion`;
  await record(bank, sql, number, {
    entry: {
      type: "case.raised",
      case: number,
      ...about,
      cause: cause.cause,
      entry,
      suggestion,
      policy: casePolicyDigest(bank.casePolicy),
    },
    what: "raised",
    by: "",
    said: saidOf(cause),
    step: suggestion,
    causeEntry: entry,
  });
}

const saidOf = (cause: Cause): string => {
  if (cause.cause === "grade") return `${cause.before ?? "–"} → ${cause.grade}`;
  if (cause.cause === "warning") return cause.severity;
  const said = cause.shifted.map(
    ({ kind, name, index }) => `${kind === "scores" ? "PSI" : "CSI"} ${name} ${index.toFixed(2)}`,
  );
  return [...said.slice(0, mostShifted), ...(said.length > mostShifted ? ["…"] : [])].join(", ");
};

/** @param to - a user of the console who may decide. @throws Refusal not_found, message_unexpected, parameters_invalid */
export const assign = (bank: Bank, number: number, by: string, to: string): Promise<void> =>
  inOpenCase(bank, number, async (sql) => {
    const [user] = await sql`
      SELECT name FROM console_user WHERE name = ${to} AND role IN ('operator', 'officer')`;
    if (user === undefined)
      throw new Refusal("parameters_invalid", "there is no such user who may decide cases", {
        hint: "name an operator or a credit officer of the console: fedcredit coordinator user list",
      });
    await sql`UPDATE credit_case SET assigned_to = ${to} WHERE number = ${number}`;
    await record(bank, sql, number, {
      entry: { type: "case.assigned", case: number, to, by },
      ...{ what: "assigned", by, said: to },
    });
  });

/** @throws Refusal not_found, message_unexpected, parameters_invalid */
export const comment = (bank: Bank, number: number, by: string, text: string): Promise<void> =>
  inOpenCase(bank, number, async (sql) => {
    const said = spoken(text, "a comment", 2000);
    const salt = toHex(bank.random.bytes(16));
    const digest = digestOf(Buffer.from(salt, "hex"), said);
    await record(bank, sql, number, {
      entry: { type: "case.commented", case: number, comment: digest, by },
      ...{ what: "commented", by, said, salt },
    });
  });

/**
 * @param reason - needed where the decision is not what was suggested; may be empty otherwise.
 * @throws Refusal not_found, message_unexpected, parameters_invalid
 */
export const decide = (
  bank: Bank,
  number: number,
  by: string,
  { decision: wanted, reason }: { readonly decision: string; readonly reason: string },
): Promise<void> =>
  inOpenCase(bank, number, async (sql, suggestion) => {
    const decision = limitSteps.find((one) => one === wanted);
    if (decision === undefined)
      throw new Refusal("parameters_invalid", "no such decision about a limit", {
        hint: limitSteps.join(", "),
      });
    if (decision !== suggestion && reason.trim() === "")
      throw new Refusal("parameters_invalid", `${suggestion} was suggested: ${decision} needs a reason`, {
        hint: "say in a sentence why the suggestion is not followed",
      });
    const said = reason.trim() === "" ? "" : spoken(reason, "a reason", 500);
    await sql`
      UPDATE credit_case SET decision = ${decision}, decided_at = ${new Date(bank.clock.now())}
      WHERE number = ${number}`;
    await record(bank, sql, number, {
      entry: { type: "case.decided", case: number, decision, by, ...(said === "" ? {} : { reason: said }) },
      ...{ what: "decided", by, said, step: decision },
    });
  });

/** @returns the text without spaces around it. @throws Refusal parameters_invalid */
function spoken(text: string, what: string, most: number): string {
  const said = text.trim().replace(/\s+/gu, " ");
  if (organisationPattern.test(said) && said.length <= most) return said;
  throw new Refusal("parameters_invalid", `${what} is printable text of at most ${most} characters`, {
    hint: "say it in a sentence or two",
  });
}

const inOpenCase = (
  bank: Bank,
  number: number,
  work: (sql: Transaction, suggestion: LimitStep) => Promise<void>,
): Promise<void> =>
  bank.database.transaction(async (sql) => {
    await lockCases(sql);
    const [row] = await sql`SELECT suggestion, decision FROM credit_case WHERE number = ${number}`;
    if (row === undefined) throw new Refusal("not_found", `there is no case ${number}`);
    if (row.decision !== null)
      throw new Refusal("message_unexpected", `case ${number} is decided`, {
        hint: "what happens next is a new case",
      });
    await work(sql, row.suggestion);
  });

interface Happened {
  readonly entry: NewEntry;
  readonly what: CaseEvent["what"];
  readonly by: string;
  readonly said: string;
  readonly step?: LimitStep | "";
  readonly salt?: string;
  readonly causeEntry?: number;
}

async function record(
  bank: Bank,
  sql: Transaction,
  number: number,
  { entry, what, by, said, step = "", salt = "", causeEntry }: Happened,
): Promise<void> {
  const index = await bank.privacyLog.append(sql, [entry]);
  const at = new Date(bank.clock.now());
  await sql`
    INSERT INTO case_event (entry, number, what, by_whom, said, salt, step, cause_entry, at)
    VALUES (${index}, ${number}, ${what}, ${by}, ${said}, ${salt}, ${step}, ${causeEntry ?? null}, ${at})`;
}

type Reader = Bank["database"]["sql"];

const viewOf = (row: Record<string, unknown>): CaseView => ({
  number: row.number as number,
  ...(row.enterprise === null ? {} : { enterprise: row.enterprise as string }),
  ...(row.model === null ? {} : { model: row.model as string }),
  ...(row.study === null ? {} : { study: row.study as string }),
  cause: row.cause as CaseView["cause"],
  suggestion: row.suggestion as LimitStep,
  ...(row.assigned_to === null ? {} : { assignedTo: row.assigned_to as string }),
  ...(row.decision === null ? {} : { decision: row.decision as LimitStep }),
  raisedMillis: (row.raised as Date).getTime(),
  ...(row.decided_at === null ? {} : { decidedMillis: (row.decided_at as Date).getTime() }),
});

/** @returns cases, open ones first, the newest first. */
export async function cases(sql: Reader, most = 1000): Promise<CaseView[]> {
  const rows = await sql`
    SELECT credit_case.*, (SELECT min(at) FROM case_event WHERE number = credit_case.number) AS raised,
      (SELECT name FROM model JOIN study ON study.digest = model.study WHERE model.digest = credit_case.model) AS study
    FROM credit_case ORDER BY (decision IS NOT NULL), number DESC LIMIT ${most}`;
  return rows.map(viewOf);
}

/** @returns a case and what happened in it, in order. @throws Refusal not_found */
export async function caseOf(sql: Reader, number: number): Promise<{ view: CaseView; events: CaseEvent[] }> {
  const [row] = await sql`
    SELECT credit_case.*, (SELECT min(at) FROM case_event WHERE number = credit_case.number) AS raised,
      (SELECT name FROM model JOIN study ON study.digest = model.study WHERE model.digest = credit_case.model) AS study
    FROM credit_case WHERE number = ${number}`;
  if (row === undefined) throw new Refusal("not_found", `there is no case ${number}`);
  const events = await sql`SELECT * FROM case_event WHERE number = ${number} ORDER BY entry`;
  return {
    view: viewOf(row),
    events: events.map((one) => ({
      entry: one.entry,
      what: one.what,
      by: one.by_whom,
      said: one.said,
      step: one.step,
      ...(one.cause_entry === null ? {} : { causeEntry: one.cause_entry }),
      atMillis: (one.at as Date).getTime(),
    })),
  };
}
