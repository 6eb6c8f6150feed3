import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { SetAside } from "./door.ts";

const tables = `
  CREATE TABLE IF NOT EXISTS aside (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, reason TEXT NOT NULL, device TEXT NOT NULL,
    metric TEXT NOT NULL, reading TEXT NOT NULL, bytes BLOB) STRICT;
  CREATE TABLE IF NOT EXISTS aside_count (
    reason TEXT NOT NULL, device TEXT NOT NULL, metric TEXT NOT NULL, readings INTEGER NOT NULL,
    first_at INTEGER NOT NULL, last_at INTEGER NOT NULL, PRIMARY KEY (reason, device, metric)) STRICT, WITHOUT ROWID;
`;

/** How many readings of a device's metric were set aside for one reason. Milliseconds since the epoch. */
export interface AsideCount {
  readonly reason: string;
  readonly device: string;
  readonly metric: string;
  readonly readings: number;
  readonly firstAt: number;
  readonly lastAt: number;
}

export interface AsideEntry extends SetAside {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** A batch that could not be cut, as it was stored; base64. */
  readonly batch?: string;
}

/** The newest are kept whole; all are counted. */
const mostKept = 100_000;
/** Names beyond it are counted together: who floods the node with names does not fill its disk. */
const mostCounted = 10_000;

/**
 * What was not let in, beside the spool in one file: it becomes durable in the same transaction as what was let in
 * beside it, before the source is told.
 */
export class SetAsideStore {
  readonly #db: DatabaseSync;
  #kept: number;
  #counted: number;

  constructor(db: DatabaseSync) {
    this.#db = db;
    db.exec(tables);
    this.#kept = Number(db.prepare("SELECT count(*) AS n FROM aside").get()!.n);
    this.#counted = Number(db.prepare("SELECT count(*) AS n FROM aside_count").get()!.n);
  }

  /** Within the caller's transaction. @param at - milliseconds since the epoch. */
  put(entries: readonly SetAside[], at: number, batch?: Uint8Array): void {
    if (entries.length === 0) return;
    const insert = this.#db.prepare(
      "INSERT INTO aside (at, reason, device, metric, reading, bytes) VALUES (?, ?, ?, ?, ?, ?)",
    );
    const add = this.#db.prepare(
      "UPDATE aside_count SET readings = readings + 1, last_at = ? WHERE reason = ? AND device = ? AND metric = ?",
    );
    const begin = this.#db.prepare("INSERT INTO aside_count VALUES (?, ?, ?, 1, ?, ?)");
    for (const { reason, device, metric, reading } of entries) {
      insert.run(at, reason, device, metric, reading, batch ?? null);
      if (add.run(at, reason, device, metric).changes > 0) continue;
      const [toDevice, toMetric] = this.#counted < mostCounted ? [device, metric] : ["", ""];
      if (this.#counted >= mostCounted && add.run(at, reason, "", "").changes > 0) continue;
      begin.run(reason, toDevice, toMetric, at, at);
      this.#counted++;
    }
    this.#kept += entries.length;
    if (this.#kept > 1.1 * mostKept) {
      this.#db
        .prepare("DELETE FROM aside WHERE id <= (SELECT id FROM aside ORDER BY id DESC LIMIT 1 OFFSET ?)")
        .run(mostKept);
      this.#kept = mostKept;
    }
  }

  /** @returns by reason, device and metric, those with the most readings first. */
  counts(): AsideCount[] {
    return this.#db
      .prepare("SELECT * FROM aside_count ORDER BY readings DESC, reason, device, metric")
      .all()
      .map((row) => ({
        reason: String(row.reason),
        device: String(row.device),
        metric: String(row.metric),
        readings: Number(row.readings),
        firstAt: Number(row.first_at),
        lastAt: Number(row.last_at),
      }));
  }

  /** How many readings were set aside since the spool was made. */
  total(): number {
    return Number(this.#db.prepare("SELECT coalesce(sum(readings), 0) AS n FROM aside_count").get()!.n);
  }

  /** What is kept whole, oldest first. */
  *entries(): Generator<AsideEntry> {
    for (const row of this.#db.prepare("SELECT * FROM aside ORDER BY id").iterate())
      yield {
        at: Number(row.at),
        reason: String(row.reason) as SetAside["reason"],
        device: String(row.device),
        metric: String(row.metric),
        reading: String(row.reading),
        ...(row.bytes === null ? {} : { batch: Buffer.from(row.bytes as Uint8Array).toString("base64") }),
      };
  }
}

/** The place of spooled readings, and of those set aside, in a data directory. */
export const spoolFile = (dataDir: string): string => join(dataDir, "spool.db");

/** @returns what was set aside, also while the node runs; undefined where nothing was ever collected. */
export function openSetAside(dataDir: string): { store: SetAsideStore; close(): void } | undefined {
  if (!existsSync(spoolFile(dataDir))) return undefined;
  const db = new DatabaseSync(spoolFile(dataDir), { timeout: 5000 });
  return { store: new SetAsideStore(db), close: () => db.close() };
}
