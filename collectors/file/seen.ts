import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { Refusal } from "../../core/reasons.ts";

/** What is known of one content. */
export interface Seen {
  /** SHA-256, lowercase hex. */
  readonly hash: string;
  readonly name: string;
  readonly bytes: number;
  /** Last line whose readings, and those of all before it, are stored. */
  readonly line: number;
  readonly done: boolean;
}

/**
 * What was stored of which file, by content: a file that is moved, copied or delivered again is known, and one
 * that was half stored when the process ended goes on where it stood.
 */
export class SeenFiles {
  readonly #db: DatabaseSync;
  readonly #get: StatementSync;
  readonly #put: StatementSync;
  readonly #shorter: StatementSync;

  /** @throws {Refusal} file_malformed if `path` cannot be opened as such a file. */
  constructor(path: string) {
    try {
      this.#db = new DatabaseSync(path);
      this.#db.exec(`
        PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;
        CREATE TABLE IF NOT EXISTS seen (
          hash TEXT PRIMARY KEY, name TEXT NOT NULL, bytes INTEGER NOT NULL,
          line INTEGER NOT NULL, done INTEGER NOT NULL) STRICT, WITHOUT ROWID;
      `);
    } catch (cause) {
      throw new Refusal("file_malformed", `${path} is no state of a file collector`, { cause });
    }
    this.#get = this.#db.prepare("SELECT * FROM seen WHERE hash = ?");
    this.#put = this.#db.prepare("INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?)");
    this.#shorter = this.#db.prepare("SELECT * FROM seen WHERE (name = ? OR done = 1) AND bytes < ?");
  }

  get(hash: string): Seen | undefined {
    const row = this.#get.get(hash);
    return row === undefined ? undefined : seenOf(row);
  }

  /** Durable when it returns. */
  put({ hash, name, bytes, line, done }: Seen): void {
    this.#put.run(hash, name, bytes, line, done ? 1 : 0);
  }

  /**
   * Shorter contents: what a file held before it grew, and whole ones of other names, for an export that begins with
   * all of the last one says nothing new there.
   */
  shorter(name: string, bytes: number): Seen[] {
    return this.#shorter.all(name, bytes).map(seenOf);
  }

  close(): void {
    this.#db.close();
  }
}

const seenOf = (row: Record<string, unknown>): Seen => ({
  hash: String(row.hash),
  name: String(row.name),
  bytes: Number(row.bytes),
  line: Number(row.line),
  done: row.done === 1,
});

const newline = 0x0a;

/**
 * @param lengths - prefixes to hash as well, bytes.
 * @returns the content's SHA-256, and those of the prefixes that end with a line.
 */
export async function hashFile(
  path: string,
  lengths: readonly number[],
): Promise<{ hash: string; bytes: number; prefixes: Map<number, string> }> {
  const whole = createHash("sha256");
  const prefixes = new Map<number, string>();
  const wanted = [...new Set(lengths)].sort((a, b) => a - b);
  let bytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    let from = 0;
    while (wanted.length > 0 && wanted[0]! <= bytes + chunk.length) {
      const length = wanted.shift()!;
      const to = length - bytes;
      whole.update(chunk.subarray(from, to));
      from = to;
      if (chunk[to - 1] === newline) prefixes.set(length, whole.copy().digest("hex"));
    }
    whole.update(chunk.subarray(from));
    bytes += chunk.length;
  }
  return { hash: whole.digest("hex"), bytes, prefixes };
}
