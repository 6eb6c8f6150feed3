/** The authority's certificate, renewed well before its end for the key that it is: the database says which is in force. */
import { endOf, followsAuthority, isRenewalDue } from "../../privacy/certificate-life.ts";
import type { Bank } from "../bank.ts";
import { issuedEntry } from "./certificates.ts";
import { replaceAuthorityCertificate } from "./keys.ts";
import { serialOf } from "./revocation.ts";

/**
 * Signs the authority's next certificate. Those that it signed before stay valid; enterprises, operators and auditor
 * take it over with the next certificate of their own.
 * @returns when it ends, Unix milliseconds. @throws Refusal disk_full, file_missing
 */
export async function renewAuthority(bank: Bank): Promise<number> {
  const { authority, clock, config, database, privacyLog } = bank;
  const next = await authority.next(clock.now());
  await database.transaction(async (sql) => {
    await sql`INSERT INTO authority_certificate (pem) VALUES (${next})`;
    const replaced = serialOf(authority.certificatePem);
    await privacyLog.append(sql, [issuedEntry("authority", config.consortium, next, replaced)]);
  });
  await follow(bank, next);
  bank.log.info({ expires: new Date(endOf(next)) }, "the authority's certificate was renewed");
  return endOf(next);
}

/** In the last third of its life. */
export async function renewAuthorityIfDue(bank: Bank): Promise<void> {
  if (isRenewalDue(bank.authority.certificatePem, bank.clock.now())) await renewAuthority(bank);
}

/** Puts the newest certificate of the database in force, where the coordinator was stopped before it could. */
export async function adoptAuthority(bank: Bank): Promise<void> {
  const [row] = await bank.database.sql`
    SELECT pem FROM authority_certificate ORDER BY number DESC LIMIT 1`;
  if (row === undefined) return;
  const pem = row.pem as string;
  // A database that was restored may know an older one than the folder.
  if (followsAuthority(bank.authority.certificatePem, pem)) await follow(bank, pem);
}

async function follow(bank: Bank, certificatePem: string): Promise<void> {
  bank.authority.follow(certificatePem);
  bank.events.emit("authority");
  await replaceAuthorityCertificate(bank.config, certificatePem);
}
