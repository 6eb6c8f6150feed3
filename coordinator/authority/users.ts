/** People of the bank who sign in to the console: a role, a password's hash, and the secret of their codes. */
import { Secret, TOTP } from "otpauth";
import { idPattern } from "../../core/ids.ts";
import { hashPassword, passwordCheck } from "../../core/pages/password.ts";
import { Refusal } from "../../core/reasons.ts";
import type { Bank } from "../bank.ts";
import { openCodes, sealCodes } from "./code-secrets.ts";

/** What somebody may do: an operator everything, a credit officer studies and models, an auditor read. */
export const userRoles = ["operator", "officer", "auditor"] as const;
export type UserRole = (typeof userRoles)[number];

export interface UserView {
  readonly user: string;
  readonly role: UserRole;
  readonly addedMillis: number;
}

const secretBytes = 20;
const stepMillis = 30_000;
/** A code of the step before or after is taken: phones' clocks are not exact. */
const stepsAround = 1;

const roleOf = (text: string): UserRole => {
  const role = userRoles.find((one) => one === text);
  if (role === undefined)
    throw new Refusal("parameters_invalid", `"${text}" is no role`, { hint: userRoles.join(", ") });
  return role;
};

const codesOf = (bank: Pick<Bank, "config">, user: string, secret: Secret): TOTP =>
  new TOTP({ issuer: `FedCredit ${bank.config.consortium}`, label: user, secret });

/**
 * @returns the otpauth:// address that an authenticator's app reads: shown once, and handed over.
 * @throws Refusal parameters_invalid, already_exists
 */
export async function addUser(
  bank: Bank,
  { user, role, password }: { readonly user: string; readonly role: string; readonly password: string },
): Promise<string> {
  if (bank.config.console?.oidc !== undefined)
    throw new Refusal("parameters_invalid", "people sign in at the bank's provider", {
      hint: "add them there: console.oidc in coordinator.yaml says by which claims",
    });
  if (!idPattern.test(user))
    throw new Refusal("parameters_invalid", `"${user}" cannot name a user`, {
      hint: "1 to 63 lowercase letters, digits and hyphens",
    });
  const known = roleOf(role);
  const hash = await hashPassword(password, bank.random);
  const secret = new Secret({ buffer: new Uint8Array(bank.random.bytes(secretBytes)).buffer });
  const sealed = await sealCodes(bank, user, secret.base32);
  const { count } = await bank.database.transaction(
    (sql) => sql`
      INSERT INTO console_user (name, role, password, totp_secret, added_at)
      VALUES (${user}, ${known}, ${hash}, ${sealed}, ${new Date(bank.clock.now())})
      ON CONFLICT (name) DO NOTHING`,
  );
  if (count === 0)
    throw new Refusal("already_exists", `there is a user ${user} already`, {
      hint: "remove it first: a new password and new codes are a new user",
    });
  bank.log.info({ user, role }, "console user added");
  return codesOf(bank, user, secret).toString();
}

/**
 * Notes what the bank's provider says of somebody who signs in there. Sessions end at once where it says another role
 * than before, or none any more.
 */
export async function noteUser(bank: Bank, user: string, role: UserRole | undefined): Promise<void> {
  const before = await bank.database.transaction(async (sql) => {
    const [known] = await sql`SELECT role FROM console_user WHERE name = ${user} FOR UPDATE`;
    if (role === undefined) await sql`DELETE FROM console_user WHERE name = ${user}`;
    else
      await sql`
        INSERT INTO console_user (name, role, password, totp_secret, added_at)
        VALUES (${user}, ${role}, '', '', ${new Date(bank.clock.now())})
        ON CONFLICT (name) DO UPDATE SET role = excluded.role`;
    return known?.role as UserRole | undefined;
  });
  if (before !== undefined && before !== role)
    ended(bank, user, "console user has another role at the provider");
}

/** Its sessions end at once. @throws Refusal not_found */
export async function removeUser(bank: Bank, user: string): Promise<void> {
  const { count } = await bank.database.transaction(
    (sql) => sql`DELETE FROM console_user WHERE name = ${user}`,
  );
  if (count === 0) throw new Refusal("not_found", `no user ${user}`);
  ended(bank, user, "console user removed");
}

/** Its sessions end at once. @throws Refusal not_found, parameters_invalid */
export async function changeRole(bank: Bank, user: string, role: string): Promise<void> {
  const known = roleOf(role);
  const { count } = await bank.database.transaction(
    (sql) => sql`UPDATE console_user SET role = ${known} WHERE name = ${user}`,
  );
  if (count === 0) throw new Refusal("not_found", `no user ${user}`);
  ended(bank, user, "console user has another role");
}

/** Its sessions end at once. @throws Refusal parameters_invalid */
export async function changePassword(bank: Bank, user: string, password: string): Promise<void> {
  const hash = await hashPassword(password, bank.random);
  await bank.database.transaction(
    (sql) => sql`UPDATE console_user SET password = ${hash} WHERE name = ${user}`,
  );
  ended(bank, user, "console user has another password");
}

function ended(bank: Bank, user: string, what: string): void {
  bank.log.info({ user }, what);
  bank.events.emit("user", user);
}

export async function users(bank: Bank): Promise<UserView[]> {
  const rows = await bank.database.sql`SELECT name, role, added_at FROM console_user ORDER BY name`;
  return rows.map(({ name, role, added_at }) => ({
    user: name,
    role,
    addedMillis: (added_at as Date).getTime(),
  }));
}

// Whoever is not known costs as long as who is.
let nobody: Promise<string> | undefined;

/** @returns whether the password is the user's; false where there is no such user. */
export async function isPassword(bank: Bank, user: string, password: string): Promise<boolean> {
  // What cannot name a user is asked for all the same: it takes as long.
  const name = idPattern.test(user) ? user : "";
  const [row] = await bank.database.sql`SELECT password FROM console_user WHERE name = ${name}`;
  nobody ??= hashPassword("nobody's password", bank.random);
  const check = passwordCheck((row?.password as string | undefined) ?? (await nobody));
  return (await check?.(password)) === true && row !== undefined;
}

/** @returns the user's role where the code is its, now, and was not taken before. @see RFC 6238, 5.2 */
export async function takeCode(bank: Bank, user: string, code: string): Promise<UserRole | undefined> {
  const [row] = await bank.database.sql`SELECT role, totp_secret FROM console_user WHERE name = ${user}`;
  if (row === undefined) return undefined;
  let secret: string;
  try {
    secret = await openCodes(bank, user, row.totp_secret);
  } catch (error) {
    // Whoever tries is told no more than that it did not work.
    bank.log.error({ err: error, user }, "nobody can sign in as this user");
    return undefined;
  }
  const totp = codesOf(bank, user, Secret.fromBase32(secret));
  const timestamp = bank.clock.now();
  const delta = totp.validate({ token: code.replaceAll(" ", ""), timestamp, window: stepsAround });
  if (delta === null) return undefined;
  const step = Math.floor(timestamp / stepMillis) + delta;
  const { count } = await bank.database.transaction(
    (sql) => sql`UPDATE console_user SET totp_step = ${step} WHERE name = ${user} AND totp_step < ${step}`,
  );
  return count === 1 ? (row.role as UserRole) : undefined;
}
