import { createHash, scrypt, timingSafeEqual } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { promisify } from "node:util";
import { readRefusal, writeRefusal } from "../../core/files.ts";
import type { Random } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";

const derive = promisify(
  (
    password: string,
    salt: Buffer,
    { N, r, p }: ScryptCost,
    done: (error: Error | null, key: Buffer) => void,
  ): void => scrypt(password.normalize("NFKC"), salt, 32, { N, r, p, maxmem: 256 * N * r }, done),
);

export interface ScryptCost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

/** @see OWASP Password Storage Cheat Sheet: 128 MiB a try */
const usualCost: ScryptCost = { N: 2 ** 17, r: 8, p: 1 };
const shortestPassword = 12;

/** Only this machine can reach such an address. */
export const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));

/**
 * Stores a password's hash: `scrypt N r p salt hash`, base64, readable by this user only.
 * @throws Refusal parameters_invalid, disk_full, file_missing
 */
export async function writePassword(
  file: string,
  password: string,
  random: Random,
  cost = usualCost,
): Promise<void> {
  if (password.length < shortestPassword)
    throw new Refusal("parameters_invalid", `the password has fewer than ${shortestPassword} characters`);
  const salt = Buffer.from(random.bytes(16));
  const key = await derive(password, salt, cost);
  const { N, r, p } = cost;
  const text = `scrypt ${N} ${r} ${p} ${salt.toString("base64")} ${key.toString("base64")}\n`;
  try {
    writeFileSync(`${file}.new`, text, { mode: 0o600, flush: true });
    renameSync(`${file}.new`, file);
  } catch (error) {
    throw writeRefusal(file, error);
  }
}

export type PasswordCheck = (password: string) => Promise<boolean>;

/** @throws Refusal file_missing, file_malformed */
export function readPassword(file: string): PasswordCheck {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw readRefusal(file, error, "run fedcredit node password");
  }
  const [scheme, N, r, p, salt = "", hash = ""] = text.trim().split(" ");
  const wanted = Buffer.from(hash, "base64");
  if (scheme !== "scrypt" || wanted.length !== 32 || !(Number(N) > 1 && Number(r) > 0 && Number(p) > 0))
    throw new Refusal("file_malformed", `${file}: not a password's hash`, {
      hint: "run fedcredit node password",
    });
  const cost = { N: Number(N), r: Number(r), p: Number(p) };
  return async (password) =>
    timingSafeEqual(await derive(password, Buffer.from(salt, "base64"), cost), wanted);
}

const sessionMillis = 8 * 3_600_000;
const triesPerMinute = 5;
const cookieName = "fedcredit";

export type LoginOutcome = { readonly cookie: string } | "wrong" | "too many";

/** Sessions of one page; they end with the process. */
export class Sessions {
  readonly #check: PasswordCheck;
  readonly #now: () => number;
  readonly #random: Random;
  /** By SHA-256 of the token: milliseconds at which it ends. */
  readonly #ends = new Map<string, number>();
  #tries: number[] = [];

  constructor(check: PasswordCheck, now: () => number, random: Random) {
    this.#check = check;
    this.#now = now;
    this.#random = random;
  }

  async login(password: string): Promise<LoginOutcome> {
    const now = this.#now();
    this.#tries = this.#tries.filter((time) => time > now - 60_000);
    if (this.#tries.length >= triesPerMinute) return "too many";
    this.#tries.push(now);
    if (!(await this.#check(password))) return "wrong";
    this.#tries = [];
    const token = Buffer.from(this.#random.bytes(32)).toString("base64url");
    for (const [key, end] of this.#ends) if (end <= now) this.#ends.delete(key);
    this.#ends.set(keyOf(token), now + sessionMillis);
    return { cookie: cookie(token, sessionMillis / 1000) };
  }

  isOpen(cookies: string | undefined): boolean {
    const token = tokenIn(cookies);
    return token !== undefined && (this.#ends.get(keyOf(token)) ?? 0) > this.#now();
  }

  /** @returns the cookie that takes the session's away. */
  logout(cookies: string | undefined): string {
    const token = tokenIn(cookies);
    if (token !== undefined) this.#ends.delete(keyOf(token));
    return cookie("", 0);
  }
}

const keyOf = (token: string): string => createHash("sha256").update(token).digest("hex");

const cookie = (token: string, seconds: number): string =>
  `${cookieName}=${token}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${seconds}`;

const tokenIn = (cookies: string | undefined): string | undefined =>
  cookies
    ?.split(";")
    .map((part) => part.trim().split("="))
    .find(([name]) => name === cookieName)?.[1];
