/** Who belongs to the consortium: tokens, enrolment, and the roster that bank and auditor both sign. */
import { type Digest, sha256 } from "../../core/canonical.ts";
import { idPattern } from "../../core/ids.ts";
import { Refusal } from "../../core/reasons.ts";
import { checkEd25519Key, checkX25519Key } from "../../privacy/identity.ts";
import { parseNote, parseVerifierKey } from "../../privacy/log/note.ts";
import { recoveriesSince } from "../../privacy/recovery.ts";
import {
  type Member,
  openRoster,
  organisationPattern,
  parseRoster,
  type Roster,
  rosterDigest,
  signRoster,
} from "../../privacy/roster.ts";
import { keyInForce, succeeded, successionsSince } from "../../privacy/succession.ts";
import { formatToken } from "../../proto/token.ts";
import { protocolVersion } from "../../proto/wire.ts";
import type { Bank } from "../bank.ts";
import type { Transaction } from "../store/sql.ts";
import { type CertificateView, recordIssued, validCertificates } from "./certificates.ts";
import { signerOf } from "./keys.ts";
import {
  acceptRestored,
  applyRecoveries,
  ledgerRecoveries,
  logRecovery,
  type RecoverRequest,
  type RosterChange,
} from "./recovery.ts";
import { loadRevoked, revokeCertificates } from "./revocation.ts";
import { applySuccessions, awaitedSuccessions } from "./successions.ts";

// Names of the keys that sign next to the enterprises' own.
const reservedIds = new Set(["bank", "auditor"]);
const longestTokenSeconds = 30 * 86_400;

const tokenHash = (secret: string): Buffer => Buffer.from(sha256(secret));

/**
 * Makes a one-time enrolment token.
 * @returns the token as the bank hands it over, with the authority's fingerprint.
 * @throws Refusal parameters_invalid
 */
export async function createToken(
  bank: Bank,
  request: { readonly enterprise: string; readonly organisation: string; readonly validSeconds: number },
): Promise<{ token: string; caFingerprint: string }> {
  const { enterprise, organisation, validSeconds } = request;
  if (!idPattern.test(enterprise) || reservedIds.has(enterprise))
    throw new Refusal("parameters_invalid", `"${enterprise}" cannot name an enterprise`, {
      hint: "1 to 63 lowercase letters, digits and hyphens; not bank or auditor",
    });
  if (!organisationPattern.test(organisation))
    throw new Refusal("parameters_invalid", "the organisation is printable text");
  if (!(Number.isInteger(validSeconds) && validSeconds >= 1 && validSeconds <= longestTokenSeconds))
    throw new Refusal("parameters_invalid", "a token is valid for at least a second and at most 30 days");
  const secret = Buffer.from(bank.random.bytes(32)).toString("base64url");
  const expires = new Date(bank.clock.now() + validSeconds * 1000);
  await bank.database.transaction(
    (sql) =>
      sql`INSERT INTO enrolment_token VALUES (${tokenHash(secret)}, ${enterprise}, ${organisation}, ${expires}, NULL)`,
  );
  const caFingerprint = bank.authority.fingerprint;
  return { token: formatToken({ secret, caFingerprint }), caFingerprint };
}

export interface Enrolled {
  readonly enterprise: string;
  readonly certificatePem: string;
}

/**
 * Takes a token and a certificate request; an enterprise that enrols again replaces its keys.
 * @throws Refusal token_invalid, protocol_version, message_malformed, signature_invalid, note_malformed,
 * key_low_order
 */
export async function enrol(
  bank: Bank,
  request: {
    readonly token: string;
    readonly csrPem: string;
    readonly identityKey: string;
    readonly hpkeKey: Uint8Array;
    readonly protocolVersion: number;
  },
): Promise<Enrolled> {
  if (request.protocolVersion !== protocolVersion)
    throw new Refusal(
      "protocol_version",
      `this coordinator speaks version ${protocolVersion}, the node ${request.protocolVersion}`,
    );
  const now = new Date(bank.clock.now());
  return bank.database.transaction(async (sql) => {
    const [token] = await sql`
      UPDATE enrolment_token SET used_at = ${now}
      WHERE token_hash = ${tokenHash(request.token)} AND used_at IS NULL AND expires_at > ${now}
      RETURNING enterprise, organisation`;
    if (token === undefined) throw new Refusal("token_invalid", "the token is unknown, used or expired");
    const enterprise = token.enterprise as string;
    const key = parseVerifierKey(request.identityKey);
    if (key.name !== `${bank.config.consortium}/${enterprise}`)
      throw new Refusal(
        "token_invalid",
        `the token is for ${enterprise}, the identity key is of ${key.name}`,
      );
    checkEd25519Key(key.publicKey);
    checkX25519Key(request.hpkeKey);
    const identity = { role: "enterprise", id: enterprise } as const;
    const certificatePem = await bank.authority.signRequest(request.csrPem, identity, bank.clock.now());
    await sql`
      INSERT INTO enterprise (id, organisation, identity_key, hpke_key, enrolled_at) VALUES
        (${enterprise}, ${token.organisation}, ${key.key}, ${Buffer.from(request.hpkeKey)}, ${now})
      ON CONFLICT (id) DO UPDATE SET organisation = excluded.organisation, identity_key = excluded.identity_key,
        hpke_key = excluded.hpke_key, enrolled_at = excluded.enrolled_at, removed_at = NULL`;
    const issued = await recordIssued(bank, sql, identity, certificatePem);
    await bank.privacyLog.append(sql, [issued]);
    return { enterprise, certificatePem };
  });
}

/** The roster last read, so that its signatures are checked once. One coordinator works on a database. */
const opened = new WeakMap<Bank, { note: string; roster: Roster }>();

/** @returns the keys of bank and auditor that sign from now on. */
export const keysInForce = (bank: Bank): Bank["firstKeys"] => opened.get(bank)?.roster ?? bank.firstKeys;

/** Whether an enterprise is in the newest roster: who is not reads nothing and stores nothing. */
export const isMember = (bank: Bank, enterprise: string): boolean =>
  opened.get(bank)?.roster.byId.has(enterprise) ?? false;

/** @returns a roster that was current once. @throws Refusal not_found */
export async function rosterOf(bank: Bank, digest: Digest): Promise<Roster> {
  const known = opened.get(bank)?.roster;
  if (known?.digest === digest) return known;
  const { firstKeys } = bank;
  return openRoster(await noteOf(bank, digest), firstKeys.bank, firstKeys.auditor);
}

/** @returns the note of a roster that is or was current. @throws Refusal not_found */
export async function noteOf(bank: Bank, digest: Digest): Promise<string> {
  const [row] = await bank.database.sql`
    SELECT note FROM roster WHERE digest = ${digest} AND phase <> 'pending' LIMIT 1`;
  if (row === undefined) throw new Refusal("not_found", `no roster ${digest}`);
  return row.note as string;
}

/**
 * @param transaction - where the answer must be of one moment with what else is read in it.
 * @returns the roster both have signed, or undefined before the first.
 */
export async function currentRoster(
  bank: Bank,
  transaction?: Transaction,
): Promise<{ note: string; roster: Roster } | undefined> {
  if (transaction === undefined && opened.has(bank)) return opened.get(bank);
  const sql = transaction ?? bank.database.sql;
  const [row] = await sql`SELECT note FROM roster WHERE phase = 'current'`;
  if (row === undefined) return undefined;
  const note = row.note as string;
  const known = opened.get(bank);
  if (known?.note === note) return known;
  const { firstKeys } = bank;
  const current = { note, roster: openRoster(note, firstKeys.bank, firstKeys.auditor) };
  opened.set(bank, current);
  return current;
}

/** @returns an enterprise as the current roster has it. @throws Refusal roster_mismatch */
export async function memberOf(bank: Bank, enterprise: string): Promise<Member> {
  const member = (await currentRoster(bank))?.roster.byId.get(enterprise);
  if (member !== undefined) return member;
  throw new Refusal("roster_mismatch", `${enterprise} is not in the current roster`, {
    hint: "wait until bank and auditor have admitted it",
  });
}

/** @returns the index of the log entry that names the current roster; 0 for one of an earlier version. */
export async function rosterEntry(bank: Bank): Promise<number> {
  const [row] = await bank.database.sql`SELECT entry FROM roster WHERE phase = 'current'`;
  return (row?.entry as number | null | undefined) ?? 0;
}

/** @throws Refusal not_found */
export async function pendingRosterNote(bank: Bank): Promise<string> {
  const [row] = await bank.database.sql`SELECT note FROM roster WHERE phase = 'pending'`;
  if (row === undefined) throw new Refusal("not_found", "no roster waits for the auditor's signature");
  return row.note as string;
}

/**
 * Proposes the roster of today's members and these enterprises; it counts when the auditor has signed it.
 * @param ids - enrolled enterprises; none admits everyone enrolled.
 * @returns the note with the bank's signature.
 * @throws Refusal not_found when one has not enrolled, already_exists when nothing would change
 */
export async function admit(bank: Bank, ids: readonly string[]): Promise<string> {
  return bank.database.transaction(async (sql) => {
    const byId = await enrolledNow(sql);
    const missing = ids.find((id) => !byId.has(id));
    if (missing !== undefined)
      throw new Refusal("not_found", `${missing} has not enrolled`, {
        hint: "give it a token, let it enrol",
      });
    const current = (await currentRoster(bank, sql))?.roster;
    const kept = [...(current?.byId.keys() ?? [])].filter((id) => byId.has(id));
    const admitted = new Set([...kept, ...(ids.length > 0 ? ids : byId.keys())]);
    if (admitted.size === 0) throw new Refusal("not_found", "no enterprise has enrolled");
    return proposeRoster(
      bank,
      sql,
      [...admitted].sort().map((id) => byId.get(id)!),
    );
  });
}

/** @returns everyone enrolled and not expelled since, by id. */
async function enrolledNow(sql: Transaction): Promise<Map<string, Member>> {
  const rows = await sql`
    SELECT id, organisation, identity_key, hpke_key FROM enterprise WHERE removed_at IS NULL`;
  return new Map(
    rows.map((row): [string, Member] => [
      row.id,
      {
        id: row.id,
        organisation: row.organisation,
        verifierKey: row.identity_key,
        hpkeKey: new Uint8Array(row.hpke_key),
      },
    ]),
  );
}

/**
 * Proposes the roster of today's members that says what the log lost: enterprises follow the log again, and are let
 * in, once the auditor has signed it.
 * @returns the note with the bank's signature. @throws Refusal those of `logRecovery`; not_found before the first roster
 */
export async function recover(bank: Bank, request: RecoverRequest): Promise<string> {
  return bank.database.transaction(async (sql) => {
    const current = (await currentRoster(bank, sql))?.roster;
    if (current === undefined)
      throw new Refusal("not_found", "there was no roster yet: nobody was shown the log");
    const next = await logRecovery(bank, sql, current, request);
    const byId = await enrolledNow(sql);
    return proposeRoster(
      bank,
      sql,
      [...current.byId.keys()].sort().flatMap((id) => byId.get(id) ?? []),
      next,
    );
  });
}

/**
 * Proposes the roster of today's members once more: with the successions of keys that are awaited.
 * @returns the note with the bank's signature. @throws Refusal not_found before the first roster
 */
export async function proposeAgain(bank: Bank, sql: Transaction): Promise<string> {
  const current = (await currentRoster(bank, sql))?.roster;
  if (current === undefined)
    throw new Refusal("not_found", "there is no roster yet, and it is rosters that tell of keys", {
      hint: "admit the first enterprises, let the auditor countersign, then change the key",
    });
  const [pending] = await sql`SELECT note FROM roster WHERE phase = 'pending'`;
  const byId = await enrolledNow(sql);
  // Who was proposed to be admitted stays so.
  const wanted = pending === undefined ? current.members : parseRoster(parseNote(pending.note).text).members;
  return proposeRoster(
    bank,
    sql,
    wanted.flatMap(({ id }) => byId.get(id) ?? []),
  );
}

/** Signs the next version of the roster; it counts when the auditor has signed it. @throws Refusal already_exists */
async function proposeRoster(
  bank: Bank,
  sql: Transaction,
  members: readonly Member[],
  next?: RosterChange & { readonly version: number },
): Promise<string> {
  const current = (await currentRoster(bank, sql))?.roster;
  const { version = (current?.version ?? 0) + 1, recoveries: told = current?.recoveries ?? [] } = next ?? {};
  const known = next?.successions ?? current?.successions ?? [];
  const successions = [...known, ...(await awaitedSuccessions(bank, sql, known))];
  const now = members.map((member) => succeeded(member, successions));
  const recoveries = [...told, ...(await ledgerRecoveries(sql, now, successions))];
  const { consortium } = bank.config;
  const text = {
    consortium,
    version,
    ...(recoveries.length === 0 ? {} : { recoveries }),
    ...(successions.length === 0 ? {} : { successions }),
    members: now,
  };
  const signer = signerOf(bank.bankKeys, keyInForce(successions, "bank", bank.firstKeys.bank));
  const note = signRoster(text, [signer]);
  const unchanged = current && signRoster({ ...text, version: current.version }, [signer]);
  if (unchanged && rosterDigest(unchanged) === current.digest)
    throw new Refusal("already_exists", "the roster holds these enterprises already");
  await sql`DELETE FROM roster WHERE phase = 'pending'`;
  await sql`INSERT INTO roster (digest, note, phase) VALUES (${rosterDigest(note)}, ${note}, 'pending')`;
  return note;
}

/**
 * Takes the auditor's signature of the pending roster, which becomes the current one.
 * @throws Refusal roster_unsigned, signature_invalid, note_malformed, roster_mismatch, not_found
 */
export async function countersign(bank: Bank, note: string): Promise<string> {
  const { firstKeys } = bank;
  const roster = openRoster(note, firstKeys.bank, firstKeys.auditor);
  const current = (await currentRoster(bank))?.roster;
  const before = current?.recoveries ?? [];
  const rotated = successionsSince(current?.successions ?? [], roster.successions ?? []);
  await bank.database.transaction(async (sql) => {
    const [pending] = await sql`SELECT digest FROM roster WHERE phase = 'pending' FOR UPDATE`;
    if (pending === undefined) throw new Refusal("not_found", "no roster waits for the auditor's signature");
    if (pending.digest !== roster.digest)
      throw new Refusal("roster_mismatch", "another roster is pending by now");
    await sql`UPDATE roster SET phase = 'past' WHERE phase = 'current'`;
    await sql`UPDATE roster SET phase = 'current', note = ${note} WHERE phase = 'pending'`;
    const members = roster.members.map(({ id }) => id);
    const entry = await bank.privacyLog.append(
      sql,
      [
        { type: "roster.changed", roster: roster.digest, version: roster.version, members },
        ...rotated.map(({ holder, from, to }) => ({
          type: "key.rotated" as const,
          holder,
          from,
          to,
          roster: roster.digest,
        })),
      ],
      signerOf(bank.bankKeys, roster.bank),
    );
    await applySuccessions(sql, rotated);
    await sql`UPDATE roster SET entry = ${entry} WHERE phase = 'current'`;
    await applyRecoveries(sql, recoveriesSince(before, roster.recoveries ?? []));
  });
  opened.set(bank, { note, roster });
  if ((roster.recoveries?.length ?? 0) > before.length) await acceptRestored(bank);
  bank.log.info({ roster: roster.digest, members: roster.members.length }, "roster changed");
  bank.events.emit("roster");
  return note;
}

/**
 * Expels an enterprise: its certificates are revoked at once and for good, and the next roster is without it.
 * @param reason - in the bank's words, for the log; empty says nothing.
 * @returns the roster note that the auditor has to sign; empty where it was in none.
 * @throws Refusal not_found; parameters_invalid for the last member, or a reason that is no short text
 */
export async function remove(bank: Bank, enterprise: string, reason: string): Promise<string> {
  if (reason !== "" && (!organisationPattern.test(reason) || reason.length > 500))
    throw new Refusal("parameters_invalid", "the reason is printable text of at most 500 characters");
  const note = await bank.database.transaction(async (sql) => {
    const byId = await enrolledNow(sql);
    if (!byId.delete(enterprise))
      throw new Refusal("not_found", `${enterprise} has not enrolled, or was removed`);
    const current = (await currentRoster(bank, sql))?.roster;
    const wasMember = current?.byId.has(enterprise) ?? false;
    const members = [...(current?.byId.keys() ?? [])].sort().flatMap((id) => byId.get(id) ?? []);
    if (wasMember && members.length === 0)
      throw new Refusal("parameters_invalid", `${enterprise} is the last member`, {
        hint: "revoke its certificate instead",
      });
    await sql`UPDATE enterprise SET removed_at = ${new Date(bank.clock.now())} WHERE id = ${enterprise}`;
    const revoked = await revokeCertificates(bank, sql, enterprise);
    const proposed = wasMember ? await proposeRoster(bank, sql, members) : "";
    const said = reason === "" ? {} : { reason };
    const roster = (current?.version ?? 0) + 1;
    await bank.privacyLog.append(sql, [{ type: "member.expelled", enterprise, ...said, roster }, ...revoked]);
    return proposed;
  });
  await closeConnections(bank, enterprise);
  return note;
}

/**
 * Revokes every certificate of an enterprise, at once and for good. With a new token it can enrol again.
 * @returns their serial numbers.
 * @throws Refusal not_found when it has none that is valid
 */
export async function revoke(bank: Bank, enterprise: string): Promise<string[]> {
  const serials = await bank.database.transaction(async (sql) => {
    const revoked = await revokeCertificates(bank, sql, enterprise);
    if (revoked.length === 0) throw new Refusal("not_found", `${enterprise} has no valid certificate`);
    await bank.privacyLog.append(sql, revoked);
    return revoked.map(({ serial }) => serial);
  });
  await closeConnections(bank, enterprise);
  return serials;
}

async function closeConnections(bank: Bank, enterprise: string): Promise<void> {
  await loadRevoked(bank);
  bank.log.warn({ enterprise }, "certificates revoked");
  bank.events.emit("revoked", { role: "enterprise", id: enterprise });
}

/** An enterprise as the operator sees it. */
export interface EnterpriseView {
  readonly enterprise: string;
  readonly organisation: string;
  readonly standing: "enrolled" | "member" | "removed";
  /** The valid ones. */
  readonly certificates: readonly CertificateView[];
}

export async function enterprises(bank: Bank): Promise<EnterpriseView[]> {
  const held = await validCertificates(bank, "enterprise");
  const rows = await bank.database.sql`SELECT id, organisation, removed_at FROM enterprise ORDER BY id`;
  return rows.map(({ id, organisation, removed_at: removedAt }) => ({
    enterprise: id,
    organisation,
    standing: removedAt !== null ? "removed" : isMember(bank, id) ? "member" : "enrolled",
    certificates: held.get(id) ?? [],
  }));
}
