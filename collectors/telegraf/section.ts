import { Refusal } from "../../core/reasons.ts";

/** A table of a TOML file, with what it holds read by type. */
export class Section {
  readonly #table: Record<string, unknown>;
  /** Where it stands, for messages: `inputs.modbus[0]`. */
  readonly place: string;

  constructor(table: unknown, place: string) {
    if (typeof table !== "object" || table === null || Array.isArray(table))
      throw new Refusal("file_malformed", `${place} is not a table`);
    this.#table = table as Record<string, unknown>;
    this.place = place;
  }

  text(key: string): string | undefined {
    return this.#typed(key, "string") as string | undefined;
  }

  number(key: string): number | undefined {
    const value = this.#table[key];
    return typeof value === "bigint" ? Number(value) : (this.#typed(key, "number") as number | undefined);
  }

  numbers(key: string): number[] {
    return this.#list(key).map((value) => {
      if (typeof value !== "number")
        throw new Refusal("file_malformed", `${this.place}.${key} is not a list of numbers`);
      return value;
    });
  }

  section(key: string): Section | undefined {
    return this.#table[key] === undefined ? undefined : new Section(this.#table[key], `${this.place}.${key}`);
  }

  sections(key: string): Section[] {
    return this.#list(key).map((table, i) => new Section(table, `${this.place}.${key}[${i}]`));
  }

  #list(key: string): unknown[] {
    const value = this.#table[key] ?? [];
    if (!Array.isArray(value)) throw new Refusal("file_malformed", `${this.place}.${key} is not a list`);
    return value;
  }

  #typed(key: string, type: "string" | "number"): unknown {
    const value = this.#table[key];
    if (value === undefined || typeof value === type) return value;
    throw new Refusal("file_malformed", `${this.place}.${key} is not a ${type}`);
  }
}

/** What an import produced beside its collectors: what a person must still look at, one sentence each. */
export interface ImportNotes {
  note(sentence: string): void;
  /** UCUM code of a metric, where the catalogue knows it. */
  unitOf(metric: string): string | undefined;
}

/** Telegraf knows no units: the catalogue's, or "1" and a note. */
export function unitFor(metric: string, notes: ImportNotes): string {
  const unit = notes.unitOf(metric);
  if (unit === undefined) notes.note(`unit of ${metric} is not known: it stands as "1"`);
  return unit ?? "1";
}
