import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { readRefusal, replaceSecret } from "../../core/files.ts";
import { idPattern } from "../../core/ids.ts";
import { Guesses } from "../../core/pages/guesses.ts";
import { hashPassword, type PasswordCheck, passwordCheck } from "../../core/pages/password.ts";
import { cookieIn } from "../../core/pages/serving.ts";
import type { Random } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";

/** Who may sign in, by name; empty where the password has none. */
export type People = ReadonlyMap<string, PasswordCheck>;

/** Of a file with a line each: a password's hash, after the name where it has one. */
const linesIn = (text: string): Map<string, string> =>
  new Map(
    text
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "")
      .map((line) => {
        const [first = ""] = line.split(" ");
        return first === "scrypt" ? ["", line] : [first, line.slice(first.length + 1)];
      }),
  );

/**
 * Stores a password's hash, readable by this user only, beside those of others.
 * @param name - of whose it is; empty where it is nobody's in particular.
 * @throws Refusal parameters_invalid, disk_full, file_missing
 */
export async function writePassword(
  file: string,
  password: string,
  random: Random,
  cost?: Parameters<typeof hashPassword>[2],
  name = "",
): Promise<void> {
  if (name !== "" && (!idPattern.test(name) || name === "scrypt"))
    throw new Refusal("parameters_invalid", `"${name}" is no name: lowercase letters, digits and hyphens`);
  const lines = linesOf(file);
  lines.set(name, await hashPassword(password, random, cost));
  writeLines(file, lines);
}

/** @throws Refusal not_found, where nobody of the name has a password; usage, where nobody would be left */
export function removePassword(file: string, name: string): void {
  const lines = linesOf(file);
  if (!lines.delete(name)) throw new Refusal("not_found", `nobody called "${name}" has a password`);
  if (lines.size === 0)
    throw new Refusal("usage", "nobody could sign in any more", { hint: "set another password first" });
  writeLines(file, lines);
}

const linesOf = (file: string): Map<string, string> =>
  existsSync(file) ? linesIn(readFileSync(file, "utf8")) : new Map();

const writeLines = (file: string, lines: ReadonlyMap<string, string>): void =>
  replaceSecret(file, [...lines].map(([name, hash]) => `${name === "" ? "" : `${name} `}${hash}\n`).join(""));

/** @throws Refusal file_missing, file_malformed */
export function readPeople(file: string): People {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw readRefusal(file, error, "run fedcredit node password");
  }
  const people = new Map<string, PasswordCheck>();
  for (const [name, line] of linesIn(text)) {
    const check = passwordCheck(line);
    if (check === undefined)
      throw new Refusal("file_malformed", `${file}: not a password's hash`, {
        hint: "run fedcredit node password",
      });
    people.set(name, check);
  }
  if (people.size > 0) return people;
  throw new Refusal("file_malformed", `${file}: no password`, { hint: "run fedcredit node password" });
}

const sessionMillis = 8 * 3_600_000;
const cookieName = "fedcredit";

export type LoginOutcome = { readonly cookie: string } | "wrong" | "too many";

/** Sessions of one page; they end with the process. */
export class Sessions {
  readonly #people: People;
  readonly #now: () => number;
  readonly #random: Random;
  readonly #guesses: Guesses;
  /** By SHA-256 of the token: whose it is, and milliseconds at which it ends. */
  readonly #open = new Map<string, { readonly person: string; readonly end: number }>();

  constructor(people: People, now: () => number, random: Random) {
    this.#people = people;
    this.#now = now;
    this.#random = random;
    this.#guesses = new Guesses(now);
  }

  /** Whether anybody signs in by a name. */
  get hasNames(): boolean {
    return [...this.#people.keys()].some((name) => name !== "");
  }

  /** @param address - where the password comes from. @param person - whose name was given */
  async login(password: string, address: string, person = ""): Promise<LoginOutcome> {
    // Whether somebody of the name is there takes as long to be told.
    const check = this.#people.get(person) ?? [...this.#people.values()][0]!;
    const outcome = await this.#guesses.guess(
      address,
      async () => ((await check(password)) && this.#people.has(person)) || undefined,
    );
    if (outcome !== true) return outcome;
    const now = this.#now();
    const token = Buffer.from(this.#random.bytes(32)).toString("base64url");
    for (const [key, { end }] of this.#open) if (end <= now) this.#open.delete(key);
    this.#open.set(keyOf(token), { person, end: now + sessionMillis });
    return { cookie: cookie(token, sessionMillis / 1000) };
  }

  /** @returns who signed in, empty where the password has no name; undefined without a session. */
  personOf(cookies: string | undefined): string | undefined {
    const token = cookieIn(cookies, cookieName);
    const session = token === undefined ? undefined : this.#open.get(keyOf(token));
    return session !== undefined && session.end > this.#now() ? session.person : undefined;
  }

  /** @returns what tells a session from every other, without its secret; empty without one. */
  idOf(cookies: string | undefined): string {
    const token = cookieIn(cookies, cookieName);
    return token === undefined ? "" : keyOf(token);
  }

  /** @returns the cookie that takes the session's away. */
  logout(cookies: string | undefined): string {
    const token = cookieIn(cookies, cookieName);
    if (token !== undefined) this.#open.delete(keyOf(token));
    return cookie("", 0);
  }
}

const keyOf = (token: string): string => createHash("sha256").update(token).digest("hex");

const cookie = (token: string, seconds: number): string =>
  `${cookieName}=${token}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${seconds}`;
