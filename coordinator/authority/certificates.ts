/** Certificates of people and nodes, as the running coordinator signs them: written down, in the log, renewed in time. */
import { X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { idPattern } from "../../core/ids.ts";
import { Refusal } from "../../core/reasons.ts";
import { endOf, isRenewable } from "../../privacy/certificate-life.ts";
import type { EntryOf } from "../../privacy/log/entry.ts";
import type { Bank } from "../bank.ts";
import type { Transaction } from "../store/sql.ts";
import { type Identity, identityOf, type Role } from "./ca.ts";
import { openOperator } from "./keys.ts";
import { loadRevoked, revokeAll, serialOf } from "./revocation.ts";

/** A valid certificate. */
export interface CertificateView {
  readonly serial: string;
  /** Unix milliseconds; 0 where an earlier version did not write it down. */
  readonly expiresMillis: number;
}

/** Whoever calls, with the certificate it shows. */
export interface Caller extends Identity {
  /** DER. */
  readonly certificate: Uint8Array;
}

/** Keeps what was issued. @param replaces - serial number of the certificate it was asked for with. @returns the log's entry. */
export async function recordIssued(
  bank: Pick<Bank, "clock">,
  sql: Transaction,
  { role, id }: Identity,
  certificatePem: string,
  replaces?: string,
): Promise<Issued> {
  const issued = issuedEntry(role, id, certificatePem, replaces);
  const { serial, expires } = issued;
  await sql`
    INSERT INTO client_certificate (serial, role, holder, issued_at, expires_at)
    VALUES (${serial}, ${role}, ${id}, ${new Date(bank.clock.now())}, ${new Date(expires)})`;
  return issued;
}

type Issued = Omit<EntryOf<"certificate.issued">, "time">;

export function issuedEntry(
  role: Issued["role"],
  holder: string,
  certificatePem: string,
  replaces?: string,
): Issued {
  const renewed = replaces === undefined ? {} : { replaces };
  const [serial, expires] = [serialOf(certificatePem), endOf(certificatePem)];
  return { type: "certificate.issued", role, holder, serial, expires, ...renewed };
}

/** @returns valid certificates by who holds them, the newest last. */
export async function validCertificates(bank: Bank, role: Role): Promise<Map<string, CertificateView[]>> {
  const rows = await bank.database.sql`
    SELECT serial, holder, expires_at FROM client_certificate
    WHERE role = ${role} AND revoked_at IS NULL
      AND (expires_at IS NULL OR expires_at > ${new Date(bank.clock.now())})
    ORDER BY holder, issued_at, serial`;
  const held = new Map<string, CertificateView[]>();
  for (const { serial, holder, expires_at: expires } of rows) {
    const expiresMillis = expires === null ? 0 : (expires as Date).getTime();
    held.set(holder, [...(held.get(holder) ?? []), { serial, expiresMillis }]);
  }
  return held;
}

/**
 * Signs the next certificate of whoever asks, for the same identity. The one it asks with stays valid to its end, so
 * that connections under way go on.
 * @param csrPem - PKCS#10, of any key: who asks has shown a certificate that is in force.
 * @param rotate - an operator's, for another key: at any time.
 * @throws Refusal certificate_invalid where that was revoked; rate_limited before half of its life is over;
 *   role_denied, message_malformed, signature_invalid
 */
export async function renew(bank: Bank, caller: Caller, csrPem: string, rotate = false): Promise<string> {
  const { role, id, certificate: shown } = caller;
  if (rotate && role !== "operator")
    throw new Refusal("role_denied", "only an operator has another certificate for another key");
  if (!rotate && !isRenewable(shown, bank.clock.now()))
    throw new Refusal("rate_limited", "the certificate is renewed in the second half of its life", {
      hint: "keep the one at hand",
    });
  const next = await bank.authority.signRequest(csrPem, { role, id }, bank.clock.now());
  await bank.database.transaction(async (sql) => {
    const replaces = serialOf(shown);
    // Locked, so that a revocation comes before it, and stops it, or after it, and takes the next one too.
    const [row] = await sql`
      SELECT revoked_at FROM client_certificate WHERE serial = ${replaces} FOR UPDATE`;
    // Operator and auditor may show one that was signed where no coordinator ran. An enterprise never does.
    if (row === undefined ? role === "enterprise" : row.revoked_at !== null)
      throw new Refusal("certificate_invalid", "the certificate was revoked, and is never renewed", {
        hint: "ask the bank for a new enrolment token",
      });
    await requireFew(bank, sql, caller);
    await bank.privacyLog.append(sql, [await recordIssued(bank, sql, caller, next, replaces)]);
  });
  bank.log.info({ role, id, expires: new Date(endOf(next)) }, "certificate renewed");
  return next;
}

// An answer that was lost is asked for again; who asks without end gets no more of the log.
const issuedAnHour = 5;

async function requireFew(bank: Bank, sql: Transaction, { role, id }: Identity): Promise<void> {
  const [row] = await sql`
    SELECT count(*)::int AS issued FROM client_certificate
    WHERE role = ${role} AND holder = ${id} AND issued_at > ${new Date(bank.clock.now() - 3_600_000)}`;
  if (row!.issued >= issuedAnHour)
    throw new Refusal("rate_limited", `${id} was given ${issuedAnHour} certificates within an hour`);
}

/** Certifies one more operator. @throws Refusal parameters_invalid, already_exists, message_malformed, signature_invalid */
export async function addOperator(bank: Bank, operator: string, csrPem: string): Promise<string> {
  if (!idPattern.test(operator))
    throw new Refusal("parameters_invalid", `"${operator}" cannot name an operator`, {
      hint: "1 to 63 lowercase letters, digits and hyphens",
    });
  const identity = { role: "operator", id: operator } as const;
  const certificatePem = await bank.authority.signRequest(csrPem, identity, bank.clock.now());
  await bank.database.transaction(async (sql) => {
    const [row] = await sql`
      SELECT serial FROM client_certificate WHERE role = 'operator' AND holder = ${operator}
        AND revoked_at IS NULL AND expires_at > ${new Date(bank.clock.now())} LIMIT 1`;
    if (row !== undefined) throw new Refusal("already_exists", `there is an operator ${operator} already`);
    await bank.privacyLog.append(sql, [await recordIssued(bank, sql, identity, certificatePem)]);
  });
  return certificatePem;
}

/** @returns serial numbers of the certificates that count no more. @throws Refusal not_found, parameters_invalid */
export async function removeOperator(bank: Bank, operator: string, by: Identity): Promise<string[]> {
  if (operator === by.id)
    throw new Refusal("parameters_invalid", "an operator does not remove itself", {
      hint: "let another operator do it",
    });
  const serials = await bank.database.transaction(async (sql) => {
    const revoked = await revokeAll(bank, sql, { role: "operator", id: operator });
    if (revoked.length === 0) throw new Refusal("not_found", `${operator} has no valid certificate`);
    await bank.privacyLog.append(sql, [{ type: "operator.removed", operator, serials: revoked }]);
    return revoked;
  });
  await loadRevoked(bank);
  bank.events.emit("revoked", { role: "operator", id: operator });
  return serials;
}

/**
 * Revokes every certificate of an operator but the one that it shows: its key is another now.
 * @returns their serial numbers.
 */
export async function retireOthers(bank: Bank, { role, id, certificate }: Caller): Promise<string[]> {
  const serials = await bank.database.transaction(async (sql) => {
    const revoked = await revokeAll(bank, sql, { role, id }, serialOf(certificate));
    await bank.privacyLog.append(
      sql,
      revoked.map((serial) => ({ type: "certificate.revoked" as const, operator: id, serial })),
    );
    return revoked;
  });
  await loadRevoked(bank);
  return serials;
}

/** What the bank's own folder holds was signed where no coordinator ran: it is written down at the start. */
export async function adoptOperator(bank: Bank): Promise<void> {
  // A bank may keep its operators' keys off the coordinator's machine.
  if (!existsSync(join(bank.config.keys, "operator.pem"))) return;
  const { certificatePem } = await openOperator(bank.config);
  const identity = identityOf(new X509Certificate(certificatePem).raw, bank.config.consortium);
  await bank.database.transaction(async (sql) => {
    const [row] = await sql`SELECT 1 FROM client_certificate WHERE serial = ${serialOf(certificatePem)}`;
    if (row !== undefined) return;
    await bank.privacyLog.append(sql, [await recordIssued(bank, sql, identity, certificatePem)]);
  });
}
