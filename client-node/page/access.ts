import { createHash, scrypt, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { promisify } from "node:util";
import { readRefusal, replaceSecret } from "../../core/files.ts";
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
  replaceSecret(file, text);
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
const cookieName = "fedcredit";

/** Wrong passwords from one address before it has to wait; the wait doubles from a second to a quarter of an hour. */
const freeTries = 5;
const firstWaitMillis = 1000;
const longestWaitMillis = 15 * 60_000;
/** Addresses remembered; who tried longest ago is forgotten first. */
const mostAddresses = 10_000;
/** Passwords derived at once: each takes 128 MiB and a core. */
const mostAtOnce = 2;

export type LoginOutcome = { readonly cookie: string } | "wrong" | "too many";

interface Tries {
  readonly wrong: number;
  /** Milliseconds. */
  readonly last: number;
}

/** Sessions of one page; they end with the process. */
export class Sessions {
  readonly #check: PasswordCheck;
  readonly #now: () => number;
  readonly #random: Random;
  /** By SHA-256 of the token: milliseconds at which it ends. */
  readonly #ends = new Map<string, number>();
  /** Wrong passwords by address, who tried last at the end: guesses of one address keep no other out. */
  readonly #tries = new Map<string, Tries>();
  /** Addresses whose password is being derived, or waits to be. */
  readonly #trying = new Set<string>();
  #free = mostAtOnce;
  readonly #queue: (() => void)[] = [];

  constructor(check: PasswordCheck, now: () => number, random: Random) {
    this.#check = check;
    this.#now = now;
    this.#random = random;
  }

  /** @param address - where the password comes from. */
  async login(password: string, address: string): Promise<LoginOutcome> {
    // One at a time from an address: more at once would all be tried before the first is known to be wrong.
    if (this.#trying.has(address) || this.#waitMillis(address) > 0) return "too many";
    this.#trying.add(address);
    try {
      if (!(await this.#inTurn(() => this.#check(password)))) {
        this.#remember(address);
        return "wrong";
      }
    } finally {
      this.#trying.delete(address);
    }
    this.#tries.delete(address);
    const now = this.#now();
    const token = Buffer.from(this.#random.bytes(32)).toString("base64url");
    for (const [key, end] of this.#ends) if (end <= now) this.#ends.delete(key);
    this.#ends.set(keyOf(token), now + sessionMillis);
    return { cookie: cookie(token, sessionMillis / 1000) };
  }

  #waitMillis(address: string): number {
    const { wrong, last } = this.#tries.get(address) ?? { wrong: 0, last: 0 };
    if (wrong < freeTries) return 0;
    const wait = Math.min(longestWaitMillis, firstWaitMillis * 2 ** (wrong - freeTries));
    return last + wait - this.#now();
  }

  #remember(address: string): void {
    const now = this.#now();
    const { wrong, last } = this.#tries.get(address) ?? { wrong: 0, last: now };
    this.#tries.delete(address);
    // A day later it was somebody who mistyped.
    const before = now - last > 86_400_000 ? 0 : wrong;
    this.#tries.set(address, { wrong: before + 1, last: now });
    if (this.#tries.size > mostAddresses) this.#tries.delete(this.#tries.keys().next().value!);
  }

  async #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#queue.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#queue.shift();
      if (next === undefined) this.#free++;
      else next();
    }
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
