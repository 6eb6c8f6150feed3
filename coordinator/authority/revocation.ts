/** Certificates that count no more. */
import { X509Certificate } from "node:crypto";
import type { Bank } from "../bank.ts";
import type { Transaction } from "../store/sql.ts";
import type { Identity } from "./ca.ts";

/** @returns a serial number in its one form: lowercase hexadecimal without leading zeros. */
export const serialText = (serial: string): string => serial.toLowerCase().replace(/^0+(?=.)/, "");

/** @param certificate - PEM, or DER. */
export const serialOf = (certificate: string | Uint8Array): string =>
  serialText(new X509Certificate(certificate).serialNumber);

/** Reads which certificates are revoked: from then on they are refused. */
export async function loadRevoked(bank: Pick<Bank, "database" | "revoked">): Promise<void> {
  const rows = await bank.database.sql`SELECT serial FROM client_certificate WHERE revoked_at IS NOT NULL`;
  for (const { serial } of rows) bank.revoked.add(serial);
}

/** Revokes every certificate of somebody. @param kept - but for this serial number. @returns the others' */
export async function revokeAll(
  bank: Pick<Bank, "clock">,
  sql: Transaction,
  { role, id }: Identity,
  kept = "",
): Promise<string[]> {
  const rows = await sql`
    UPDATE client_certificate SET revoked_at = ${new Date(bank.clock.now())}
    WHERE role = ${role} AND holder = ${id} AND revoked_at IS NULL AND serial <> ${kept} RETURNING serial`;
  return rows.map(({ serial }) => serial as string);
}

/** Revokes every certificate of an enterprise. @returns the log's entries. */
export async function revokeCertificates(
  bank: Pick<Bank, "clock">,
  sql: Transaction,
  enterprise: string,
): Promise<{ type: "certificate.revoked"; enterprise: string; serial: string }[]> {
  const serials = await revokeAll(bank, sql, { role: "enterprise", id: enterprise });
  return serials.map((serial) => ({ type: "certificate.revoked", enterprise, serial }));
}
