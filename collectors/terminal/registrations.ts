import { createHmac, timingSafeEqual } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { dirname } from "node:path";
import { readRefusal } from "../../core/files.ts";
import type { Jt808Config } from "./config.ts";
import { bare } from "./config.ts";

type Listed = Jt808Config["terminals"][number];

/**
 * Which terminals have used their code, one line each in a file.
 *
 * The protocol sends the code over the line at registration, and a phone number and an id do not stay secret: so a
 * code goes out until it was used once, and never again. Another issue of it is another code.
 */
export class Registrations {
  readonly #key: string;
  readonly #path: string;
  readonly #used: Set<string>;

  /** @throws {Refusal} what keeps the file from being read. */
  constructor(key: string, path: string) {
    this.#key = key;
    this.#path = path;
    this.#used = new Set(linesOf(path));
  }

  /** A function of the key, so a terminal that keeps its code is known after a restart too. */
  codeOf(listed: Listed): string {
    return createHmac("sha256", this.#key).update(nameOf(listed)).digest("hex").slice(0, 32);
  }

  accepts(listed: Listed, code: string): boolean {
    const [expected, given] = [Buffer.from(this.codeOf(listed)), Buffer.from(code)];
    return given.length === expected.length && timingSafeEqual(given, expected);
  }

  used(listed: Listed): boolean {
    return this.#used.has(nameOf(listed));
  }

  /** Durable when it resolves. */
  async use(listed: Listed): Promise<void> {
    const name = nameOf(listed);
    if (this.#used.has(name)) return;
    await appendFile(this.#path, `${name}\n`, { flush: true, mode: 0o600 });
    this.#used.add(name);
  }
}

/** A terminal that is exchanged has another id, and so another code. */
const nameOf = ({ phone, terminal, issue }: Listed): string => `${bare(phone)} ${terminal} ${issue}`;

function linesOf(path: string): string[] {
  mkdirSync(dirname(path), { recursive: true });
  try {
    return readFileSync(path, "utf8").split("\n");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw readRefusal(path, error);
  }
}
