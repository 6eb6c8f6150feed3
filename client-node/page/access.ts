import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { readRefusal, replaceSecret } from "../../core/files.ts";
import { Guesses } from "../../core/pages/guesses.ts";
import { hashPassword, type PasswordCheck, passwordCheck } from "../../core/pages/password.ts";
import { cookieIn } from "../../core/pages/serving.ts";
import type { Random } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";

/**
 * Stores a password's hash, readable by this user only.
 * @throws Refusal parameters_invalid, disk_full, file_missing
 */
export async function writePassword(
  file: string,
  password: string,
  random: Random,
  cost?: Parameters<typeof hashPassword>[2],
): Promise<void> {
  replaceSecret(file, `${await hashPassword(password, random, cost)}\n`);
}

/** @throws Refusal file_missing, file_malformed */
export function readPassword(file: string): PasswordCheck {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw readRefusal(file, error, "run fedcredit node password");
  }
  const check = passwordCheck(text);
  if (check !== undefined) return check;
  throw new Refusal("file_malformed", `${file}: not a password's hash`, {
    hint: "run fedcredit node password",
  });
}

const sessionMillis = 8 * 3_600_000;
const cookieName = "fedcredit";

export type LoginOutcome = { readonly cookie: string } | "wrong" | "too many";

/** Sessions of one page; they end with the process. */
export class Sessions {
  readonly #check: PasswordCheck;
  readonly #now: () => number;
  readonly #random: Random;
  readonly #guesses: Guesses;
  /** By SHA-256 of the token: milliseconds at which it ends. */
  readonly #ends = new Map<string, number>();

  constructor(check: PasswordCheck, now: () => number, random: Random) {
    this.#check = check;
    this.#now = now;
    this.#random = random;
    this.#guesses = new Guesses(now);
  }

  /** @param address - where the password comes from. */
  async login(password: string, address: string): Promise<LoginOutcome> {
    const outcome = await this.#guesses.guess(
      address,
      async () => (await this.#check(password)) || undefined,
    );
    if (outcome !== true) return outcome;
    const now = this.#now();
    const token = Buffer.from(this.#random.bytes(32)).toString("base64url");
    for (const [key, end] of this.#ends) if (end <= now) this.#ends.delete(key);
    this.#ends.set(keyOf(token), now + sessionMillis);
    return { cookie: cookie(token, sessionMillis / 1000) };
  }

  isOpen(cookies: string | undefined): boolean {
    const token = cookieIn(cookies, cookieName);
    return token !== undefined && (this.#ends.get(keyOf(token)) ?? 0) > this.#now();
  }

  /** @returns the cookie that takes the session's away. */
  logout(cookies: string | undefined): string {
    const token = cookieIn(cookies, cookieName);
    if (token !== undefined) this.#ends.delete(keyOf(token));
    return cookie("", 0);
  }
}

const keyOf = (token: string): string => createHash("sha256").update(token).digest("hex");

const cookie = (token: string, seconds: number): string =>
  `${cookieName}=${token}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${seconds}`;
