import type { Digest } from "../../core/canonical.ts";
import { idPattern } from "../../core/ids.ts";
import { Refusal } from "../../core/reasons.ts";
import type { Bank } from "../bank.ts";
import type { Participants } from "../rounds/participants.ts";
import type { Locale } from "./locale.ts";
import type { Session, Sessions } from "./sessions.ts";

/** What a page is made from. */
export interface Asked {
  readonly bank: Bank;
  readonly participants: Participants;
  readonly session: Session;
  readonly locale: Locale;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Fields;
  readonly sessions: Sessions;
}

const digestPattern = /^[0-9a-f]{64}$/;

/** @returns the digest that an address names. @throws Refusal not_found */
export function digestIn(text: string | undefined): Digest {
  if (text === undefined || !digestPattern.test(text)) throw new Refusal("not_found", "no such digest");
  return text;
}

/** @returns the enterprise that an address names. @throws Refusal not_found */
export function enterpriseIn(text: string | undefined): string {
  if (text === undefined || !idPattern.test(text)) throw new Refusal("not_found", "no such enterprise");
  return text;
}

/** What was sent with a form or an address; each field may be there several times. */
export class Fields {
  readonly #fields: Readonly<Record<string, unknown>>;
  constructor(fields: unknown) {
    this.#fields = (fields ?? {}) as Readonly<Record<string, unknown>>;
  }

  /** @returns the field's text without spaces around it; empty where it was not sent. */
  text(name: string): string {
    return (this.all(name)[0] ?? "").trim();
  }

  all(name: string): string[] {
    const value = Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined;
    return [value].flat().filter((one): one is string => typeof one === "string");
  }
}
