import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Reading } from "../../collectors/reading.ts";
import type { Random } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import { decodeBatch, encodeBatch, readingsOf, type SeriesIndex } from "./batch-codec.ts";
import { type Admission, aheadMicros, asideOf, type SetAside } from "./door.ts";
import { SetAsideStore } from "./set-aside.ts";
import { batchesOf, type Series, type SpooledBatch, type SpoolSource } from "./spool-reader.ts";

export interface SpoolOptions {
  /** Database file; its folder exists. */
  readonly path: string;
  /** Bytes of uncut batches kept; beyond it the oldest batches are dropped and counted. */
  readonly maxBytes: number;
  /** Seconds an uncut batch is kept; older ones are dropped and counted. */
  readonly maxAgeSeconds: number;
  /** Milliseconds since the epoch. */
  now(): number;
  /** For the id of a new spool. */
  readonly random: Random;
}

/** A cut that was begun: its files carry this name, so that a half-written one is found after a crash. */
export interface CutIntent {
  readonly name: string;
  readonly first: number;
  readonly last: number;
}

export interface SpoolStats {
  readonly batches: number;
  readonly readings: number;
  readonly bytes: number;
  /** Readings dropped since the spool was created because a bound was reached, oldest first. */
  readonly dropped: number;
}

const dayMicros = 86_400_000_000;

const schema = `
  CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS series (
    id INTEGER PRIMARY KEY, device TEXT NOT NULL, metric TEXT NOT NULL, unit TEXT NOT NULL,
    high_water REAL NOT NULL DEFAULT 0, UNIQUE (device, metric, unit)) STRICT;
  CREATE TABLE IF NOT EXISTS batch (
    id INTEGER PRIMARY KEY AUTOINCREMENT, stored_at INTEGER NOT NULL, readings INTEGER NOT NULL,
    bytes INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS cut (
    name TEXT PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL,
    done INTEGER NOT NULL, readings INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;
`;

/**
 * The enterprise's first stop on disk: a batch of readings is durable (write-ahead log, full sync) when
 * `append` returns, and stays until a segment that holds it is durable too.
 *
 * A second delivery of a reading costs space only until the next cut, which stores it once.
 * When a bound is reached the oldest batches go first, and `stats().dropped` counts their readings.
 */
export class Spool implements SpoolSource {
  readonly #db: DatabaseSync;
  readonly #options: SpoolOptions;
  readonly #insertBatch: StatementSync;
  readonly #insertSeries: StatementSync;
  /** What was not let in; in the same file. */
  readonly aside: SetAsideStore;
  readonly #ids = new Map<string, Map<string, Map<string, number>>>();
  #series: Series[] = [];
  /** By series id: the newest source time seen, µs. */
  #highWater = new Float64Array(1024);
  #fresh: Series[] = [];
  #stats: { batches: number; readings: number; bytes: number; dropped: number };
  #oldestStoredAt = Number.POSITIVE_INFINITY;
  readonly #index: SeriesIndex;

  /** @throws Refusal file_malformed where the file is not a spool, disk_full */
  constructor(options: SpoolOptions) {
    this.#options = options;
    try {
      this.#db = new DatabaseSync(options.path);
      // A larger page than the default: batches are blobs of tens of kilobytes.
      this.#db.exec(
        "PRAGMA page_size = 16384; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000",
      );
      this.#db.exec(schema);
      this.aside = new SetAsideStore(this.#db);
    } catch (error) {
      throw refusalOf(error, options.path);
    }
    this.#insertBatch = this.#db.prepare(
      "INSERT INTO batch (stored_at, readings, bytes, body) VALUES (?, ?, ?, ?)",
    );
    this.#insertSeries = this.#db.prepare(
      "INSERT INTO series (id, device, metric, unit) VALUES (?, ?, ?, ?)",
    );
    this.#db
      .prepare("INSERT OR IGNORE INTO meta VALUES ('id', ?), ('dropped', 0)")
      .run(Buffer.from(options.random.bytes(4)).toString("hex"));
    this.#stats = this.#readStats();
    this.#restoreSeries();
    this.#index = {
      idOf: (reading) => this.#idOf(reading),
      isLate: (series, { time, received }) => {
        // A time ahead of the clock says nothing about how far the series has come.
        if (time <= this.#highWater[series]! || time > received + aheadMicros) return true;
        this.#highWater[series] = time;
        return false;
      },
    };
  }

  /** Eight hexadecimal digits, drawn when the file was created. */
  get id(): string {
    return String(this.#db.prepare("SELECT value FROM meta WHERE key = 'id'").get()!.value);
  }

  /**
   * Stores readings durably: when it returns, they survive a crash of the process or the machine.
   * All of them are stored, or none.
   *
   * @param aside - what was not let in beside them; durable with them.
   * @throws Refusal disk_full: nothing of the batch was stored; the same call may succeed later.
   */
  append(readings: readonly Reading[], aside: readonly SetAside[] = []): void {
    const body = encodeBatch(readings, this.#index);
    const at = this.#options.now();
    this.#transact(() => {
      this.aside.put(aside, at);
      for (const series of this.#fresh) {
        this.#insertSeries.run(series.id, series.device, series.metric, series.unit);
      }
      if (readings.length > 0) this.#insertBatch.run(at, readings.length, body.length, body);
    });
    this.#fresh = [];
    if (readings.length === 0) return;
    this.#stats.batches++;
    this.#stats.readings += readings.length;
    this.#stats.bytes += body.length;
    this.#oldestStoredAt = Math.min(this.#oldestStoredAt, at);
    try {
      this.#keepBounds(at);
    } catch (error) {
      // The readings are stored, and a full disk must not have them stored twice: the next batch sees to the bounds.
      if (!(error instanceof Refusal)) throw error;
    }
  }

  stats(): SpoolStats {
    return { ...this.#stats };
  }

  /** Every series seen, by ascending id (ids start at 1). */
  series(): readonly Series[] {
    return this.#series;
  }

  /** Newest source time of a device's metric that is durable here, µs UTC. */
  lastStored(device: string, metric: string): number | undefined {
    const ids = this.#ids.get(device)?.get(metric)?.values() ?? [];
    const newest = Math.max(0, ...[...ids].map((id) => this.#highWater[id]!));
    return newest > 0 && newest <= this.#options.now() * 1000 + dayMicros ? newest : undefined;
  }

  /** Uncut batches after id `after`, oldest first. */
  batches(after = 0): Generator<SpooledBatch> {
    return batchesOf(this.#db, after);
  }

  /**
   * Begins a cut of the oldest batches, about `maxReadings` readings, and remembers it durably.
   *
   * @returns undefined where nothing is spooled.
   */
  beginCut(maxReadings: number): CutIntent | undefined {
    const rows = this.#db.prepare("SELECT id, readings FROM batch ORDER BY id").iterate();
    let first: number | undefined;
    let last = 0;
    let readings = 0;
    for (const row of rows) {
      first ??= Number(row.id);
      last = Number(row.id);
      readings += Number(row.readings);
      if (readings >= maxReadings) break;
    }
    if (first === undefined) return undefined;
    const name = `${this.id}-${String(first).padStart(10, "0")}-${String(last).padStart(10, "0")}`;
    this.#transact(() =>
      this.#db
        .prepare("INSERT OR REPLACE INTO cut (name, first, last, done) VALUES (?, ?, ?, 0)")
        .run(name, first, last),
    );
    return { name, first, last };
  }

  /**
   * Ends a cut whose files are durable: its batches leave the spool in the same transaction.
   * @throws Refusal disk_full: the cut has not ended.
   */
  endCut(intent: CutIntent, readings: number): void {
    this.#transact(() => {
      const mark = this.#db.prepare("UPDATE series SET high_water = ? WHERE id = ? AND high_water < ?");
      for (const series of this.#series) {
        const highWater = this.#highWater[series.id]!;
        mark.run(highWater, series.id, highWater);
      }
      this.#db.prepare("DELETE FROM batch WHERE id BETWEEN ? AND ?").run(intent.first, intent.last);
      this.#db.prepare("UPDATE cut SET done = 1, readings = ? WHERE name = ?").run(readings, intent.name);
    });
    this.#stats = this.#readStats();
  }

  /** Cuts that were begun and never ended: their files are to be removed, their batches are still here. */
  unfinishedCuts(): CutIntent[] {
    return this.#db
      .prepare("SELECT name, first, last FROM cut WHERE done = 0")
      .all()
      .map((row) => ({ name: String(row.name), first: Number(row.first), last: Number(row.last) }));
  }

  forgetCut(intent: CutIntent): void {
    this.#transact(() => this.#db.prepare("DELETE FROM cut WHERE name = ? AND done = 0").run(intent.name));
  }

  /**
   * Takes a batch that could not be cut apart: its readings pass the door again, those that are not let in are set
   * aside, and the others take the batch's place. One that cannot be read at all is set aside as it is.
   */
  setBatchAside(id: number, admit: (readings: readonly Reading[]) => Admission, cause: string): void {
    const row = this.#db.prepare("SELECT body FROM batch WHERE id = ?").get(id);
    if (row === undefined) return;
    const body = row.body as Uint8Array;
    let parts: Admission | undefined;
    // Where the door finds nothing wrong, the fault is one that it does not know.
    let hopeless = true;
    try {
      const stored = [...readingsOf(decodeBatch(body), (series) => this.#series[series - 1]!)];
      parts = admit(stored);
      hopeless = parts.aside.length === 0 && parts.admitted.every((one, i) => one === stored[i]);
    } catch {
      // What the spool wrote and cannot read again: the disk lies.
    }
    const kept = hopeless ? undefined : encodeBatch(parts!.admitted, this.#index);
    const at = this.#options.now();
    this.#transact(() => {
      if (hopeless) this.aside.put([asideOf("batch_unreadable", { cause })], at, body);
      else this.aside.put(parts!.aside, at);
      if (kept === undefined || parts!.admitted.length === 0)
        this.#db.prepare("DELETE FROM batch WHERE id = ?").run(id);
      else
        this.#db
          .prepare("UPDATE batch SET readings = ?, bytes = ?, body = ? WHERE id = ?")
          .run(parts!.admitted.length, kept.length, kept, id);
    });
    this.#stats = this.#readStats();
  }

  /** Bounds the file itself, in pages of 16 KiB: a quota below which `append` refuses with disk_full. */
  limitPages(pages: number): void {
    this.#db.exec(`PRAGMA max_page_count = ${Math.trunc(pages)}`);
  }

  close(): void {
    this.#db.close();
  }

  /** @throws Refusal disk_full, file_malformed: nothing of the change is stored. */
  #transact<T>(change: () => T): T {
    try {
      this.#db.exec("BEGIN IMMEDIATE");
      const result = change();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      // A full disk may have ended the transaction by itself.
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw refusalOf(error, this.#options.path);
    }
  }

  #idOf(reading: Reading): number {
    let metrics = this.#ids.get(reading.device);
    if (metrics === undefined) {
      metrics = new Map();
      this.#ids.set(reading.device, metrics);
    }
    let units = metrics.get(reading.metric);
    if (units === undefined) {
      units = new Map();
      metrics.set(reading.metric, units);
    }
    let id = units.get(reading.unit);
    if (id === undefined) {
      id = this.#series.length + 1;
      units.set(reading.unit, id);
      const series = { id, device: reading.device, metric: reading.metric, unit: reading.unit };
      this.#series.push(series);
      this.#fresh.push(series);
      if (id >= this.#highWater.length) this.#growHighWater(id);
    }
    return id;
  }

  #growHighWater(id: number): void {
    const grown = new Float64Array(Math.max(id + 1, this.#highWater.length * 2));
    grown.set(this.#highWater);
    this.#highWater = grown;
  }

  #restoreSeries(): void {
    for (const row of this.#db.prepare("SELECT * FROM series ORDER BY id").all()) {
      const id = this.#idOf({
        device: String(row.device),
        metric: String(row.metric),
        unit: String(row.unit),
      } as Reading);
      const highWater = Number(row.high_water);
      // A time from the far future that an earlier version let in must not hold the series back.
      const now = this.#options.now() * 1000;
      this.#highWater[id] = highWater > now + 366 * dayMicros ? now : highWater;
    }
    this.#fresh = [];
    for (const { columns } of this.batches()) {
      for (let i = 0; i < (columns?.count ?? 0); i++) {
        const id = columns!.series[i]!;
        const time = columns!.time[i]!;
        if (time > this.#highWater[id]! && time <= columns!.received[i]! + aheadMicros)
          this.#highWater[id] = time;
      }
    }
  }

  #readStats(): { batches: number; readings: number; bytes: number; dropped: number } {
    const row = this.#db
      .prepare(
        `SELECT count(*) AS batches, coalesce(sum(readings), 0) AS readings, coalesce(sum(bytes), 0) AS bytes,
           min(stored_at) AS oldest, (SELECT value FROM meta WHERE key = 'dropped') AS dropped FROM batch`,
      )
      .get()!;
    this.#oldestStoredAt = row.oldest === null ? Number.POSITIVE_INFINITY : Number(row.oldest);
    return {
      batches: Number(row.batches),
      readings: Number(row.readings),
      bytes: Number(row.bytes),
      dropped: Number(row.dropped),
    };
  }

  #keepBounds(at: number): void {
    const oldestKept = at - this.#options.maxAgeSeconds * 1000;
    while (
      this.#stats.batches > 1 &&
      (this.#stats.bytes > this.#options.maxBytes || this.#oldestStoredAt < oldestKept)
    ) {
      const oldest = this.#db.prepare("SELECT id, readings, bytes FROM batch ORDER BY id LIMIT 1").get()!;
      this.#transact(() => {
        this.#db.prepare("DELETE FROM batch WHERE id = ?").run(oldest.id!);
        this.#db.prepare("UPDATE meta SET value = value + ? WHERE key = 'dropped'").run(oldest.readings!);
      });
      this.#stats = this.#readStats();
    }
  }
}

/** SQLite result codes: https://www.sqlite.org/rescode.html */
const sqliteFull = 13;
// A full disk stops the shared index of the write-ahead log from growing before it stops a write.
const sharedIndexSize = 10 | (19 << 8);
const sqliteNotADatabase = 26;
const sqliteCorrupt = 11;

function refusalOf(error: unknown, path: string): unknown {
  const code = (error as { errcode?: number }).errcode;
  if (code === undefined) return error;
  const primary = code & 0xff;
  if (primary === sqliteFull || code === sharedIndexSize)
    return new Refusal("disk_full", `${path}: no space left`, { cause: error });
  if (primary === sqliteNotADatabase || primary === sqliteCorrupt) {
    return new Refusal("file_malformed", `${path}: not a spool, or damaged`, {
      hint: "move the file away and start again: cut segments are not affected",
      cause: error,
    });
  }
  return error;
}
