/** Which published model is used: champion and challenger of a purpose, retired ones. Each decision is in the log. */
import type { Digest } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
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
  /** A user of the console. */
  readonly by: string;
  readonly atMillis: number;
}

interface Order extends ModelName {
  readonly reason: string;
  readonly by: string;
}

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

const place = (bank: Bank, order: Order, standing: Standing): Promise<void> =>
  decide(bank, order, async (sql, purpose) => {
    const now = (await standings(sql, purpose)).find((one) => isSame(one, order));
    if (now?.standing === standing)
      throw new Refusal("already_exists", `${order.result} is ${standing} already`);
    await write(bank, sql, { ...order, standing });
  });

async function decide(
  bank: Bank,
  { model, reason }: Order,
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
      SELECT manifest FROM model JOIN study ON study.digest = model.study
      WHERE model.digest = ${model}`;
    if (row === undefined) throw new Refusal("not_found", `no published model ${model}`);
    await work(sql, readManifest(row.manifest).purpose);
  });
}

const isSame = (a: ModelName, b: ModelName): boolean => a.model === b.model && a.result === b.result;
const named = ({ model, result }: ModelName): ModelName => ({ model, result });

async function write(
  bank: Bank,
  sql: Transaction,
  order: Order & { readonly standing: Standing },
): Promise<void> {
  const { model, result, standing, reason, by } = order;
  await sql`
    INSERT INTO model_standing (model, result, standing, reason, decided_by, decided_at)
    VALUES (${model}, ${result}, ${standing}, ${reason}, ${by}, ${new Date(bank.clock.now())})`;
  await bank.privacyLog.append(sql, [{ type: "model.standing", model, result, standing, reason, by }]);
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
