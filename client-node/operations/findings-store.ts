import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Binding } from "./device-registry.ts";
import type { WindowKind } from "./features/catalogue.ts";
import type { FeatureRow } from "./features/features.ts";
import type { QualityReport } from "./quality/quality.ts";
import type { Period } from "./quality/reference.ts";
import type { Cell } from "./warnings/anomaly/channel.ts";
import type { Warning } from "./warnings/warning.ts";

const tables = `
  CREATE TABLE IF NOT EXISTS warning (
    id TEXT PRIMARY KEY, onset INTEGER NOT NULL, detected INTEGER NOT NULL, closed INTEGER, device TEXT,
    body TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS feature (
    site TEXT NOT NULL, kind TEXT NOT NULL, from_us INTEGER NOT NULL, until_us INTEGER NOT NULL,
    body TEXT NOT NULL, PRIMARY KEY (site, kind, from_us)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS quality (
    one INTEGER PRIMARY KEY CHECK (one = 1), at INTEGER NOT NULL, from_us INTEGER NOT NULL,
    until_us INTEGER NOT NULL, body TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS binding (
    device TEXT NOT NULL, from_us INTEGER NOT NULL, site TEXT NOT NULL, made_by TEXT NOT NULL,
    PRIMARY KEY (device, from_us)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS past (
    device TEXT NOT NULL, length_us INTEGER NOT NULL, step INTEGER NOT NULL, metric TEXT NOT NULL,
    mean REAL NOT NULL, low REAL NOT NULL, high REAL NOT NULL, PRIMARY KEY (device, length_us, step, metric)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS delivered (source TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
`;

/** The place of what was found, in a data directory. */
export const findingsFile = (dataDir: string): string => join(dataDir, "findings.db");

export interface QualityFinding {
  /** When it was computed, µs UTC. */
  readonly at: number;
  readonly period: Period;
  readonly report: QualityReport;
}

/** One step of a device's gauges. */
export interface PastStep {
  readonly device: string;
  /** Of a step, µs. */
  readonly length: number;
  readonly step: number;
  readonly cells: ReadonlyMap<string, Cell>;
}

export interface FeatureFilter {
  readonly site?: string;
  readonly window?: WindowKind;
}

/**
 * What the enterprise's own readings say, kept between starts and read by its page and its training rows: warnings,
 * features by window, quality, and bindings made on the floor. Nothing in it ever leaves the machine by itself.
 */
export class FindingsStore {
  readonly #db: DatabaseSync;

  /** @param path - of the file; its folder exists. */
  constructor(path: string) {
    this.#db = new DatabaseSync(path, { timeout: 5000 });
    this.#db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    this.#db.exec(tables);
  }

  /**
   * Remembers that a warning opened or closed. The first time it was known stays, and so does its end: past windows
   * are judged again after a restart.
   *
   * @returns whether this says anything new.
   */
  recordWarning(warning: Warning): boolean {
    const known = this.#db.prepare("SELECT detected, closed FROM warning WHERE id = ?").get(warning.id);
    if (known !== undefined && (known.closed !== null || warning.closed === undefined)) return false;
    const kept = known === undefined ? warning : { ...warning, detected: Number(known.detected) };
    this.#db
      .prepare("INSERT OR REPLACE INTO warning VALUES (?, ?, ?, ?, ?, ?)")
      .run(
        kept.id,
        kept.onset,
        kept.detected,
        kept.closed ?? null,
        kept.device ?? null,
        JSON.stringify(kept),
      );
    return true;
  }

  /** @returns warnings, the latest known first; open ones before all others. */
  warnings(limit: number, offset = 0): Warning[] {
    return this.#db
      .prepare("SELECT body FROM warning ORDER BY closed IS NOT NULL, detected DESC, id LIMIT ? OFFSET ?")
      .all(limit, offset)
      .map((row) => JSON.parse(String(row.body)) as Warning);
  }

  /** @param detected - µs UTC. @returns those that were known then or later. */
  warningsSince(detected: number): Warning[] {
    return this.#db
      .prepare("SELECT body FROM warning WHERE detected >= ? ORDER BY detected, id")
      .all(detected)
      .map((row) => JSON.parse(String(row.body)) as Warning);
  }

  countWarnings(): { open: number; all: number } {
    const row = this.#db
      .prepare("SELECT count(*) AS n, count(*) FILTER (WHERE closed IS NULL) AS open FROM warning")
      .get()!;
    return { open: Number(row.open), all: Number(row.n) };
  }

  /** What a device did while nobody watched is not known: warnings still open about devices end. @param now - µs UTC */
  endWatch(now: number): void {
    const open = this.#db
      .prepare("SELECT body FROM warning WHERE closed IS NULL AND device IS NOT NULL")
      .all()
      .map((row) => JSON.parse(String(row.body)) as Warning);
    for (const warning of open)
      this.recordWarning({
        ...warning,
        closed: now,
        explanation: `${warning.explanation}; not watched any more when the node stopped`,
      });
  }

  /** Replaces the windows that lie in the period, and the quality report. @param at - µs UTC */
  recordRefresh(
    period: Period,
    { features, quality }: { features: readonly FeatureRow[]; quality: QualityReport },
    at: number,
  ): void {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      const insert = this.#db.prepare("INSERT OR REPLACE INTO feature VALUES (?, ?, ?, ?, ?)");
      for (const { site, window, from, until, values } of features) {
        // A window that began before the period was seen in part; what is known of it stays.
        if (from < period.from) continue;
        insert.run(site, window, from, until, JSON.stringify(Object.fromEntries(values)));
      }
      this.#db
        .prepare("INSERT OR REPLACE INTO quality VALUES (1, ?, ?, ?, ?)")
        .run(at, period.from, period.until, JSON.stringify(quality));
      this.#db.exec("COMMIT");
    } catch (error) {
      this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  /** @returns windows, oldest first. */
  features({ site, window }: FeatureFilter = {}): FeatureRow[] {
    return this.#db
      .prepare(
        `SELECT * FROM feature WHERE site = coalesce(?, site) AND kind = coalesce(?, kind)
         ORDER BY from_us, until_us, site`,
      )
      .all(site ?? null, window ?? null)
      .map((row) => ({
        site: String(row.site),
        window: String(row.kind) as WindowKind,
        from: Number(row.from_us),
        until: Number(row.until_us),
        values: new Map(Object.entries(JSON.parse(String(row.body)) as Record<string, number>)),
      }));
  }

  quality(): QualityFinding | undefined {
    const row = this.#db.prepare("SELECT * FROM quality").get();
    if (row === undefined) return undefined;
    return {
      at: Number(row.at),
      period: { from: Number(row.from_us), until: Number(row.until_us) },
      report: JSON.parse(String(row.body)) as QualityReport,
    };
  }

  recordBinding({ device, from, site, by }: Binding): void {
    this.#db.prepare("INSERT OR REPLACE INTO binding VALUES (?, ?, ?, ?)").run(device, from, site, by);
  }

  /** Adds steps of gauges. */
  /** @param sources - collectors that have delivered readings. */
  recordDelivered(sources: readonly string[]): void {
    const insert = this.#db.prepare("INSERT OR IGNORE INTO delivered VALUES (?)");
    for (const source of sources) insert.run(source);
  }

  /** @returns the collectors that have delivered readings, at this start or before. */
  delivered(): ReadonlySet<string> {
    return new Set(
      this.#db
        .prepare("SELECT source FROM delivered")
        .all()
        .map(({ source }) => String(source)),
    );
  }

  recordPast(kept: readonly PastStep[]): void {
    if (kept.length === 0) return;
    const insert = this.#db.prepare("INSERT OR REPLACE INTO past VALUES (?, ?, ?, ?, ?, ?, ?)");
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      for (const { cells, device, length, step } of kept)
        for (const [metric, { mean, low, high }] of cells)
          insert.run(device, length, step, metric, mean, low, high);
      this.#db.exec("COMMIT");
    } catch (error) {
      this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  /** Steps that ended before are not needed any more. @param time - µs UTC */
  forgetPast(time: number): void {
    this.#db.prepare("DELETE FROM past WHERE (step + 1) * length_us <= ?").run(time);
  }

  /** @returns what a device's gauges showed, by step and metric, steps ascending. */
  past(device: string, length: number): Map<number, Map<string, Cell>> {
    const steps = new Map<number, Map<string, Cell>>();
    for (const row of this.#db
      .prepare("SELECT * FROM past WHERE device = ? AND length_us = ? ORDER BY step")
      .iterate(device, length)) {
      const step = Number(row.step);
      const cells = steps.get(step) ?? new Map<string, Cell>();
      cells.set(String(row.metric), {
        step,
        mean: Number(row.mean),
        low: Number(row.low),
        high: Number(row.high),
      });
      steps.set(step, cells);
    }
    return steps;
  }

  /** @returns bindings made since the first start, oldest first. */
  bindings(): Binding[] {
    return this.#db
      .prepare("SELECT * FROM binding ORDER BY from_us")
      .all()
      .map((row) => ({
        device: String(row.device),
        site: String(row.site),
        from: Number(row.from_us),
        by: String(row.made_by),
      }));
  }

  close(): void {
    this.#db.close();
  }
}
