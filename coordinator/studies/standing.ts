/**
 * Which published model is used: champion and challenger of a purpose, retired ones, and who approved that a model is
 * used at all. Each decision is in the log.
 */
import type { Digest } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import { parsePublic } from "../../models/parameters.ts";
import { modelsOf, studyResultsSchema } from "../../models/results.ts";
import { readManifest } from "../../models/study.ts";
import { organisationPattern } from "../../privacy/roster.ts";
import type { Bank } from "../bank.ts";
import type { Transaction } from "../store/sql.ts";

export type Standing = "champion" | "challenger" | "retired";

/** A result of a study's model document that scores rows. */
export interface ModelName {
  readonly model: Digest;
  readonly result: string;
}

export interface StandingDecision extends ModelName {
  readonly standing: Standing;
  readonly reason: string;
  /** A user of the console, or an operator. */
  readonly by: string;
  readonly atMillis: number;
}

export type Approval = Omit<StandingDecision, "standing">;

interface Order extends ModelName {
  readonly reason: string;
  readonly by: string;
}

/** Part of what a coordinator does at its start: the log says how many approvals a model needs from here on. */
export async function logApprovalRule(bank: Bank): Promise<void> {
  const { approvals } = bank.config.models;
  await bank.database.transaction(async (sql) => {
    const [last] = await sql`SELECT approvals FROM model_rule ORDER BY number DESC LIMIT 1`;
    if ((last?.approvals ?? 0) === approvals) return;
    await sql`INSERT INTO model_rule (approvals) VALUES (${approvals})`;
    await bank.privacyLog.append(sql, [{ type: "models.ruled", approvals }]);
  });
}

/** Says that a model may be used; each person once. @throws Refusal already_exists, not_found, parameters_invalid */
export const approve = (bank: Bank, order: Order): Promise<void> =>
  decide(bank, order, async (sql) => {
    const { model, result, reason, by } = order;
    const { count } = await sql`
      INSERT INTO model_approval (model, result, approved_by, reason, approved_at)
      VALUES (${model}, ${result}, ${by}, ${reason}, ${new Date(bank.clock.now())}) ON CONFLICT DO NOTHING`;
    if (count === 0)
      throw new Refusal("already_exists", `${by} approved ${result} before`, {
        hint: "somebody else has to",
      });
    await bank.privacyLog.append(sql, [{ type: "model.approved", model, result, reason, by }]);
  });

/** Makes a model the champion of its study's purpose; the one before becomes its challenger. @throws Refusal */
export const promote = (bank: Bank, order: Order): Promise<void> =>
  decide(bank, order, async (sql, purpose) => {
    const champion = (await standings(sql, purpose)).find(({ standing }) => standing === "champion");
    if (champion !== undefined && isSame(champion, order))
      throw new Refusal("already_exists", `${order.result} is the champion already`);
    if (champion !== undefined)
      await write(bank, sql, { ...order, ...named(champion), standing: "challenger" });
    await write(bank, sql, { ...order, standing: "champion" });
  });

/** Runs beside the champion. @throws Refusal already_exists, not_found, parameters_invalid */
export const challenge = (bank: Bank, order: Order): Promise<void> => place(bank, order, "challenger");

/** Is used no more; it can be promoted again. @throws Refusal already_exists, not_found, parameters_invalid */
export const retire = (bank: Bank, order: Order): Promise<void> => place(bank, order, "retired");

/** Brings back the champion before this one, which is retired. @throws Refusal not_found, parameters_invalid */
export const rollBack = (bank: Bank, order: Order): Promise<void> =>
  decide(bank, order, async (sql, purpose) => {
    const now = await standings(sql, purpose);
    if (!now.some((one) => one.standing === "champion" && isSame(one, order)))
      throw new Refusal("not_found", `${order.result} is not the champion`);
    const usable = now.filter((one) => one.standing !== "retired" && !isSame(one, order));
    const before = (await decisions(sql, purpose)).find(
      (one) => one.standing === "champion" && usable.some((other) => isSame(other, one)),
    );
    if (before === undefined)
      throw new Refusal("not_found", "no champion before this one can be used", {
        hint: "retire this one, or promote another",
      });
    await write(bank, sql, { ...order, standing: "retired" });
    await write(bank, sql, { ...order, ...named(before), standing: "champion" });
  });

/** What may be ordered about a model, by name. */
export const registryOrders: ReadonlyMap<string, (bank: Bank, order: Order) => Promise<void>> = new Map(
  Object.entries({ approve, promote, challenge, retire, "roll-back": rollBack }),
);

const place = (bank: Bank, order: Order, standing: Standing): Promise<void> =>
  decide(bank, order, async (sql, purpose) => {
    const now = (await standings(sql, purpose)).find((one) => isSame(one, order));
    if (now?.standing === standing)
      throw new Refusal("already_exists", `${order.result} is ${standing} already`);
    await write(bank, sql, { ...order, standing });
  });

async function decide(
  bank: Bank,
  { model, result, reason }: Order,
  work: (sql: Transaction, purpose: string) => Promise<void>,
): Promise<void> {
  if (!organisationPattern.test(reason) || reason.length > 500)
    throw new Refusal("parameters_invalid", "the reason is printable text of at most 500 characters", {
      hint: "say in a sentence why",
    });
  await bank.database.transaction(async (sql) => {
    // One decision at a time: two at once would make two champions.
    await sql.script("LOCK TABLE model_standing IN SHARE ROW EXCLUSIVE MODE");
    const [row] = await sql`
      SELECT manifest, document FROM model JOIN study ON study.digest = model.study
      WHERE model.digest = ${model}`;
    if (row === undefined) throw new Refusal("not_found", `no published model ${model}`);
    if (!resultsThatScore(row.document).includes(result))
      throw new Refusal("not_found", `no model is called ${result}`);
    await work(sql, readManifest(row.manifest).purpose);
  });
}

/** @param document - of a published model, JSON. @returns the names of its results that score rows. */
export const resultsThatScore = (document: string): string[] => [
  ...modelsOf(parsePublic("model", studyResultsSchema, JSON.parse(document))).keys(),
];

const isSame = (a: ModelName, b: ModelName): boolean => a.model === b.model && a.result === b.result;
const named = ({ model, result }: ModelName): ModelName => ({ model, result });

async function write(
  bank: Bank,
  sql: Transaction,
  order: Order & { readonly standing: Standing },
): Promise<void> {
  const { model, result, standing, reason, by } = order;
  if (standing !== "retired") await requireApproved(bank, sql, order);
  await sql`
    INSERT INTO model_standing (model, result, standing, reason, decided_by, decided_at)
    VALUES (${model}, ${result}, ${standing}, ${reason}, ${by}, ${new Date(bank.clock.now())})`;
  await bank.privacyLog.append(sql, [{ type: "model.standing", model, result, standing, reason, by }]);
}

/** A champion that makes room for another was in use before. @throws Refusal approval_missing */
async function requireApproved(bank: Bank, sql: Transaction, order: ModelName): Promise<void> {
  const needed = bank.config.models.approvals;
  const given = (await approvals(sql)).filter((one) => isSame(one, order)).length;
  if (given >= needed) return;
  const now = (await standings(sql)).find((one) => isSame(one, order));
  if (now?.standing === "champion") return;
  throw new Refusal("approval_missing", `${order.result} has ${given} of ${needed} approvals`);
}

type Reader = Bank["database"]["sql"] | Transaction;

/** @returns what was decided, the newest first. @param purpose - of the studies; all of them by default */
export async function decisions(sql: Reader, purpose?: string): Promise<StandingDecision[]> {
  const rows = await sql`
    SELECT made.model, made.result, made.standing, made.reason, made.decided_by, made.decided_at, study.manifest
    FROM model_standing made JOIN model ON model.digest = made.model JOIN study ON study.digest = model.study
    ORDER BY made.number DESC`;
  const asked = rows.filter(
    ({ manifest }) => purpose === undefined || readManifest(manifest).purpose === purpose,
  );
  return asked.map((row) => ({
    model: row.model,
    result: row.result,
    standing: row.standing,
    reason: row.reason,
    by: row.decided_by,
    atMillis: (row.decided_at as Date).getTime(),
  }));
}

/** @returns the last decision about each model. */
export async function standings(sql: Reader, purpose?: string): Promise<StandingDecision[]> {
  const all = await decisions(sql, purpose);
  return all.filter((one, i) => all.findIndex((other) => isSame(one, other)) === i);
}

/** @returns who approved which model, in the order in which they did. */
export async function approvals(sql: Reader): Promise<Approval[]> {
  const rows = await sql`SELECT * FROM model_approval ORDER BY approved_at, approved_by`;
  return rows.map((row) => ({
    model: row.model,
    result: row.result,
    reason: row.reason,
    by: row.approved_by,
    atMillis: (row.approved_at as Date).getTime(),
  }));
}

/** A published model that scores, and how it is used. */
export interface RegisteredModel extends ModelName {
  readonly study: Digest;
  readonly name: string;
  readonly purpose: string;
  readonly standing: Standing | undefined;
  readonly approvedBy: readonly string[];
}

/** @returns all of them, those published last first. */
export async function registeredModels(sql: Reader): Promise<RegisteredModel[]> {
  const rows = await sql`
    SELECT model.digest, document, study, name, manifest FROM model
    JOIN study ON study.digest = model.study ORDER BY published_at DESC`;
  const [now, approved] = [await standings(sql), await approvals(sql)];
  return rows.flatMap(({ digest: model, document, study, name, manifest }) =>
    resultsThatScore(document).map((result) => ({
      model,
      result,
      study,
      name,
      purpose: readManifest(manifest).purpose,
      standing: now.find((one) => isSame(one, { model, result }))?.standing,
      approvedBy: approved.filter((one) => isSame(one, { model, result })).map(({ by }) => by),
    })),
  );
}
