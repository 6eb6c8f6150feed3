import { createHash, timingSafeEqual } from "node:crypto";
import { Guesses } from "../../core/pages/guesses.ts";
import { cookieIn } from "../../core/pages/serving.ts";
import { isPassword, noteUser, takeCode, type UserRole } from "../authority/users.ts";
import type { Bank } from "../bank.ts";
import type { Person } from "./provider.ts";

/** Somebody who has signed in. */
export interface Session {
  readonly user: string;
  readonly role: UserRole;
  /** What every form of the session carries: a page of somebody else's cannot know it. */
  readonly formToken: string;
}

export interface SignIn {
  readonly user: string;
  readonly password: string;
  readonly code: string;
}

const longestMillis = 8 * 3_600_000;
/** Of somebody whom the bank's provider vouched for: what it takes away is gone by then. */
const vouchedMillis = 3_600_000;
const idleMillis = 3_600_000;
// The browser takes a cookie of this name only with Secure, from this host, for all its paths; plain HTTP counts as
// secure where it never leaves the machine.
const cookieName = "__Host-fedcredit";

interface Held extends Session {
  /** Milliseconds. */
  readonly end: number;
  seen: number;
}

/** Sessions of the console; they end with the process, with the user's role, and with the user. */
export class Sessions {
  readonly #bank: Bank;
  /** By SHA-256 of the cookie's token. */
  readonly #open = new Map<string, Held>();
  /** Wrong names and passwords, by where they come from. */
  readonly #places: Guesses;
  /** Wrong codes of somebody who knows the password, by user: who does not know it keeps nobody out. */
  readonly #codes: Guesses;
  readonly #onUser = (user: string): void => {
    for (const [key, session] of this.#open) if (session.user === user) this.#open.delete(key);
  };

  constructor(bank: Bank) {
    this.#bank = bank;
    this.#places = new Guesses(() => bank.clock.now());
    this.#codes = new Guesses(() => bank.clock.now());
    bank.events.on("user", this.#onUser);
  }

  /** @param place - where it comes from. @returns the session's cookie. */
  async signIn(given: SignIn, place: string): Promise<{ readonly cookie: string } | "wrong" | "too many"> {
    const role = await this.guess(place, given);
    if (role === "wrong" || role === "too many") {
      this.#bank.log.warn({ user: given.user.slice(0, 63), from: place, role }, "console sign-in refused");
      return role;
    }
    return { cookie: this.#begin(given.user, role, place, longestMillis) };
  }

  /**
   * Somebody whom the bank's provider vouches for. Nothing is slowed: what opens a session here cannot be guessed.
   * @param place - where the browser is. @returns the session's cookie; undefined for somebody without a role.
   */
  async vouched({ user, role }: Person, place: string): Promise<string | undefined> {
    await noteUser(this.#bank, user, role);
    if (role !== undefined) return this.#begin(user, role, place, vouchedMillis);
    this.#bank.log.warn({ user, from: place }, "console sign-in refused: the provider gives no role");
    return undefined;
  }

  #begin(user: string, role: UserRole, place: string, longest: number): string {
    const now = this.#bank.clock.now();
    for (const [key, { end }] of this.#open) if (end <= now) this.#open.delete(key);
    const token = this.#token();
    const formToken = this.#token();
    this.#open.set(keyOf(token), { user, role, formToken, end: now + longest, seen: now });
    this.#bank.log.info({ user, role, from: place }, "console sign-in");
    return cookie(token, longest / 1000);
  }

  /** @returns the user's role where password and code are right. */
  guess(place: string, given: SignIn): Promise<UserRole | "wrong" | "too many"> {
    return this.#places.guess(place, () => this.#check(given));
  }

  async #check({ user, password, code }: SignIn): Promise<UserRole | undefined> {
    if (!(await isPassword(this.#bank, user, password))) return undefined;
    const role = await this.#codes.guess(user, () => takeCode(this.#bank, user, code));
    if (role !== "wrong" && role !== "too many") return role;
    this.#bank.log.warn({ user }, "console: the password was right, and the code was not");
    return undefined;
  }

  find(cookies: string | undefined): Session | undefined {
    const token = cookieIn(cookies, cookieName);
    const session = token === undefined ? undefined : this.#open.get(keyOf(token));
    const now = this.#bank.clock.now();
    if (session === undefined || session.end <= now || session.seen + idleMillis <= now) return undefined;
    session.seen = now;
    return session;
  }

  /** @returns whether a session that was found is open still; looking does not keep it so. */
  isOpen(session: Session): boolean {
    const now = this.#bank.clock.now();
    return [...this.#open.values()].some(
      (held) => held === session && held.end > now && held.seen + idleMillis > now,
    );
  }

  /** @returns the cookie that takes the session's away. */
  signOut(cookies: string | undefined): string {
    const token = cookieIn(cookies, cookieName);
    if (token !== undefined) this.#open.delete(keyOf(token));
    return cookie("", 0);
  }

  close(): void {
    this.#bank.events.off("user", this.#onUser);
    this.#open.clear();
  }

  #token(): string {
    return Buffer.from(this.#bank.random.bytes(32)).toString("base64url");
  }
}

const sha256 = (text: string): Buffer => createHash("sha256").update(text).digest();

const keyOf = (token: string): string => sha256(token).toString("hex");

/** @returns whether a form is one of this session's pages. */
export const isOwnForm = ({ formToken }: Session, given: unknown): boolean =>
  typeof given === "string" && timingSafeEqual(sha256(given), sha256(formToken));

const cookie = (token: string, seconds: number): string =>
  `${cookieName}=${token}; HttpOnly; Secure; SameSite=Strict; Path=/; Max-Age=${seconds}`;
