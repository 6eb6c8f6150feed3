/** New keys in place of others: proposed here, and in force once the auditor has signed the roster that says so. */
import { Refusal } from "../../core/reasons.ts";
import { parseSuccession, signSuccession } from "../../privacy/succession.ts";
import type { Bank } from "../bank.ts";
import type { Identity } from "./ca.ts";
import { makeBankKey, signerOf } from "./keys.ts";
import { currentRoster, keysInForce, proposeAgain } from "./membership.ts";
import { awaitSuccession, requireOwn } from "./successions.ts";

/**
 * Makes a new key of the bank and proposes it. Until the auditor has signed, the old one is in force.
 * @returns the roster's note, signed by the new key. @throws Refusal not_found, disk_full, file_missing
 */
export async function rotateBankKey(bank: Bank): Promise<string> {
  const { bankKeys, config, random } = bank;
  const old = signerOf(bankKeys, keysInForce(bank).bank);
  // Durable before anything is signed with it: what the log names must not be lost with the process.
  const next = makeBankKey(config, random);
  bankKeys.push(next);
  const keys = { holder: "bank", from: old.verifier.key, to: next.verifier.key };
  const succession = signSuccession(config.consortium, keys, old, next);
  return bank.database.transaction(async (sql) => {
    await awaitSuccession(sql, succession);
    return proposeAgain(bank, sql);
  });
}

/**
 * Proposes the next key of the auditor or of an enterprise, which it signed with the old and the new one.
 * @returns the roster's note, signed by the bank.
 * @throws Refusal note_malformed, signature_invalid, key_low_order, parameters_invalid, not_found, rate_limited
 */
export async function proposeSuccession(bank: Bank, { role, id }: Identity, line: string): Promise<string> {
  const succession = parseSuccession(line, bank.config.consortium);
  const holder = role === "auditor" ? "auditor" : id;
  const inForce =
    role === "auditor"
      ? keysInForce(bank).auditor.key
      : (await currentRoster(bank))?.roster.byId.get(id)?.verifierKey;
  if (inForce === undefined) throw new Refusal("not_found", `${id} is not in the roster in force`);
  requireOwn(succession, holder, inForce);
  bank.successions.take(holder, "proposals of a next key");
  return bank.database.transaction(async (sql) => {
    await awaitSuccession(sql, succession);
    return proposeAgain(bank, sql);
  });
}
