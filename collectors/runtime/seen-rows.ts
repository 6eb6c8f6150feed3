import { DatabaseSync, type StatementSync } from "node:sqlite";
import { Refusal } from "../../core/reasons.ts";

/** A row as it is remembered: by its digest, at its place in the source's order. */
export interface SeenRow {
  readonly digest: Uint8Array;
  readonly position: bigint;
}

/**
 * How far a source was stored, and which rows near that place: a source that is asked again for what it gave last
 * gives rows that are known, and between them perhaps late ones that are not.
 */
export class SeenRows {
  readonly #db: DatabaseSync;
  readonly #source: string;
  readonly #has: StatementSync;
  readonly #add: StatementSync;
  readonly #move: StatementSync;
  readonly #forget: StatementSync;
  #position: bigint | undefined;

  /**
   * @param source - what is read: a file may serve several, and what was changed is another source.
   * @throws {Refusal} file_malformed if `path` cannot be opened as such a file.
   */
  constructor(path: string, source: string) {
    this.#source = source;
    try {
      this.#db = new DatabaseSync(path);
      this.#db.exec(`
        PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;
        CREATE TABLE IF NOT EXISTS source (id TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS row (
          source TEXT NOT NULL, digest BLOB NOT NULL, position INTEGER NOT NULL,
          PRIMARY KEY (source, digest)) STRICT, WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS row_position ON row (source, position);
      `);
      const known = this.#db.prepare("SELECT position FROM source WHERE id = ?");
      known.setReadBigInts(true);
      this.#position = known.get(source)?.position as bigint | undefined;
    } catch (cause) {
      throw new Refusal("file_malformed", `${path} is no state of a collector of rows`, { cause });
    }
    this.#has = this.#db.prepare("SELECT 1 FROM row WHERE source = ? AND digest = ?");
    this.#add = this.#db.prepare("INSERT OR REPLACE INTO row VALUES (?, ?, ?)");
    this.#move = this.#db.prepare("INSERT OR REPLACE INTO source VALUES (?, ?)");
    this.#forget = this.#db.prepare("DELETE FROM row WHERE source = ? AND position < ?");
  }

  /** Everything before it was stored, but for what came late; undefined where nothing was yet. */
  get position(): bigint | undefined {
    return this.#position;
  }

  has(digest: Uint8Array): boolean {
    return this.#has.get(this.#source, digest) !== undefined;
  }

  /**
   * Takes note of rows that are stored; durable when it returns.
   * @param position - how far the source was read. @param keepFrom - rows before it are forgotten.
   */
  store(rows: readonly SeenRow[], position: bigint, keepFrom: bigint): void {
    this.#db.exec("BEGIN");
    try {
      for (const { digest, position } of rows) this.#add.run(this.#source, digest, position);
      this.#move.run(this.#source, position);
      this.#forget.run(this.#source, keepFrom);
      this.#db.exec("COMMIT");
    } catch (error) {
      this.#db.exec("ROLLBACK");
      throw error;
    }
    this.#position = position;
  }

  close(): void {
    this.#db.close();
  }
}
