/** Keys that follow others, as far as the auditor has not signed the roster yet that says so. */
import { Refusal } from "../../core/reasons.ts";
import { parseSuccession, type Succession, successionLine } from "../../privacy/succession.ts";
import type { Bank } from "../bank.ts";
import type { Transaction } from "../store/sql.ts";

/** @returns those that the next roster tells besides the known ones. What follows a key that is in force no more is dropped. */
export async function awaitedSuccessions(
  bank: Pick<Bank, "config">,
  sql: Transaction,
  known: readonly Succession[],
): Promise<Succession[]> {
  const rows = await sql`SELECT line FROM awaited_succession ORDER BY holder`;
  const followed = new Set(known.map(({ from }) => from));
  return rows
    .map(({ line }) => parseSuccession(line as string, bank.config.consortium))
    .filter(({ from }) => !followed.has(from));
}

/** Makes a succession wait for the auditor, in place of another of the same holder. */
export async function awaitSuccession(sql: Transaction, succession: Succession): Promise<void> {
  const { holder } = succession;
  await sql`
    INSERT INTO awaited_succession (holder, line) VALUES (${holder}, ${successionLine(succession)})
    ON CONFLICT (holder) DO UPDATE SET line = excluded.line`;
}

/** What follows from successions, once the auditor has signed them: with the roster, in one transaction. */
export async function applySuccessions(sql: Transaction, fresh: readonly Succession[]): Promise<void> {
  for (const { holder, from, to, hpkeKey } of fresh) {
    await sql`DELETE FROM awaited_succession WHERE holder = ${holder}`;
    if (hpkeKey !== undefined)
      await sql`
        UPDATE enterprise SET identity_key = ${to}, hpke_key = ${Buffer.from(hpkeKey)}
        WHERE id = ${holder} AND identity_key = ${from}`;
  }
}

/** @throws Refusal parameters_invalid, where somebody speaks of another's key, or of one that is not in force */
export function requireOwn(succession: Succession, holder: string, inForce: string): void {
  if (succession.holder !== holder)
    throw new Refusal("parameters_invalid", `${holder} proposes a key of ${succession.holder}`);
  if (succession.from !== inForce)
    throw new Refusal(
      "parameters_invalid",
      `the key that shall be followed is not the one of ${holder} in force`,
      {
        hint: "look at the roster in force: fedcredit coordinator roster",
      },
    );
}
