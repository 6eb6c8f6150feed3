import { Refusal } from "../../core/reasons.ts";

/** A table of a TOML file, with what it holds read by type; it knows what of it was never asked for. */
export class Section {
  readonly #table: Record<string, unknown>;
  readonly #asked = new Set<string>();
  readonly #inside = new Map<string, Section>();
  /** Where it stands, for messages: `inputs.modbus[0]`; "" for the whole file. */
  readonly place: string;

  constructor(table: unknown, place: string) {
    if (typeof table !== "object" || table === null || Array.isArray(table))
      throw new Refusal("file_malformed", `${place === "" ? "the file" : place} is not a table`);
    this.#table = table as Record<string, unknown>;
    this.place = place;
  }

  keys(): string[] {
    return Object.keys(this.#table);
  }

  /** @returns the places of everything in it that nobody asked for. */
  unasked(): string[] {
    const own = this.keys().filter((key) => !this.#asked.has(key));
    return [
      ...own.map((key) => this.#at(key)),
      ...[...this.#inside.values()].flatMap((section) => section.unasked()),
    ];
  }

  text(key: string): string | undefined {
    return this.#typed(key, "string") as string | undefined;
  }

  number(key: string): number | undefined {
    const value = this.#take(key);
    return typeof value === "bigint" ? Number(value) : (this.#typed(key, "number") as number | undefined);
  }

  numbers(key: string): number[] {
    return this.#list(key).map((value) => {
      if (typeof value !== "number")
        throw new Refusal("file_malformed", `${this.#at(key)} is not a list of numbers`);
      return value;
    });
  }

  flag(key: string): boolean {
    return (this.#typed(key, "boolean") as boolean | undefined) ?? false;
  }

  /** A table of texts, such as tags; by key. */
  texts(key: string): ReadonlyMap<string, string> {
    const table = this.section(key);
    return new Map(
      table
        ?.keys()
        .sort()
        .map((name) => [name, table.text(name)!]),
    );
  }

  section(key: string): Section | undefined {
    const table = this.#take(key);
    return table === undefined ? undefined : this.#open(table, this.#at(key));
  }

  sections(key: string): Section[] {
    return this.#list(key).map((table, i) => this.#open(table, `${this.#at(key)}[${i}]`));
  }

  /** It, or what it holds under `key`, is left out as a whole, and that was said: nothing in it need be told. */
  leave(key?: string): void {
    for (const one of key === undefined ? this.keys() : [key]) this.#asked.add(one);
    if (key === undefined) this.#inside.clear();
  }

  #at(key: string): string {
    return this.place === "" ? key : `${this.place}.${key}`;
  }

  #take(key: string): unknown {
    this.#asked.add(key);
    return this.#table[key];
  }

  /** The same section for the same place: what was asked of it adds up. */
  #open(table: unknown, place: string): Section {
    const section = this.#inside.get(place) ?? new Section(table, place);
    this.#inside.set(place, section);
    return section;
  }

  #list(key: string): unknown[] {
    const value = this.#take(key) ?? [];
    if (!Array.isArray(value)) throw new Refusal("file_malformed", `${this.#at(key)} is not a list`);
    return value;
  }

  #typed(key: string, type: "string" | "number" | "boolean"): unknown {
    const value = this.#take(key);
    if (value === undefined || typeof value === type) return value;
    throw new Refusal("file_malformed", `${this.#at(key)} is not a ${type}`);
  }
}

/** What an import produced beside its collectors: what a person must still look at, one sentence each. */
export interface ImportNotes {
  note(sentence: string): void;
  /** UCUM code of a metric, where the catalogue knows it. */
  unitOf(metric: string): string | undefined;
}

/**
 * Telegraf tells devices apart by measurement and tags, we by their id: what it would keep apart has ids of its own.
 *
 * @returns the parts joined, as `line.3.pump.side=left`; usable as an id in node.yaml.
 */
export function deviceOf(
  parts: readonly (string | number | undefined)[],
  tags: ReadonlyMap<string, string>,
): string {
  const named = parts.filter((part) => part !== undefined && part !== "");
  return [...named, ...[...tags].map(([key, value]) => `${key}=${value}`)].join(".").replaceAll("/", "_");
}

/** Telegraf knows no units: the catalogue's, or "1" and a note. */
export function unitFor(metric: string, notes: ImportNotes): string {
  const unit = notes.unitOf(metric);
  if (unit === undefined) notes.note(`unit of ${metric} is not known: it stands as "1"`);
  return unit ?? "1";
}
