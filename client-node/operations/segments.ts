import { createHash } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { Refusal } from "../../core/reasons.ts";
import { type BatchColumns, firstDeliveryMark, historicalMark, lateMark } from "./batch-codec.ts";
import { Engine, type EngineOptions, quoteText } from "./engine.ts";
import type { CutIntent, Spool } from "./spool.ts";
import type { Series, SpoolSource } from "./spool-reader.ts";

export interface SegmentOptions {
  /** Root of `date=YYYY-MM-DD/device_class=…/*.parquet`. */
  readonly folder: string;
  /** A device's class; part of the path, so `[a-z0-9_-]+`. */
  deviceClass(device: string): string;
  /** Largest number of readings in one cut. */
  readonly maxReadings: number;
}

export interface CutReport {
  /** Paths below the folder. */
  readonly files: readonly string[];
  readonly readings: number;
  /** Second deliveries that were left out. */
  readonly duplicates: number;
  readonly bytes: number;
}

/** A batch that is in the way of every cut: the readings in it, or its bytes, are not what a segment can hold. */
export class UncuttableBatch extends Error {
  readonly batch: number;
  constructor(batch: number, cause: unknown) {
    super((cause as Error).message, { cause });
    this.name = "UncuttableBatch";
    this.batch = batch;
  }
}

/** Classes of devices that have one, by device. */
export type DeviceClasses = ReadonlyMap<string, string>;

/** Writes what a cut was begun for, from the spool into segments. */
export type WriteSegment = (
  source: SpoolSource,
  intent: CutIntent,
  to: { readonly folder: string; readonly classes: DeviceClasses },
) => Promise<CutReport>;

/** Named steps of a cut, for tests that end the process between them. */
export type CutStep = "begun" | "written" | "renamed" | "ended";

/**
 * Cuts the oldest spooled batches into Parquet, one file per day and device class.
 *
 * The spool lets go of a batch only after every file that holds it is synced and renamed into place, and
 * remembers the file names before the first byte: {@link recoverSegments} removes what a crash left half done.
 *
 * @returns undefined where nothing is spooled.
 * @throws UncuttableBatch where the cut held one batch, which is at fault and not the machine.
 * @throws Refusal disk_full, and what the engine says of a full disk: the readings stay in the spool.
 */
export async function cutSegment(
  spool: Spool,
  options: SegmentOptions,
  at: (step: CutStep) => void = () => {},
  write: WriteSegment = (source, intent, to) => writeSegment(source, intent, to, {}, () => at("written")),
): Promise<CutReport | undefined> {
  const { folder, deviceClass, maxReadings } = options;
  // A cut that a full disk broke off.
  recoverSegments(spool, folder);
  const intent = spool.beginCut(maxReadings);
  if (intent === undefined) return undefined;
  at("begun");
  let report: CutReport;
  try {
    const devices = new Set(spool.series().map(({ device }) => device));
    const classes = new Map([...devices].map((device) => [device, deviceClass(device)]));
    report = await write(spool, intent, { folder, classes });
  } catch (error) {
    if (intent.first !== intent.last || isOfTheMachine(error)) throw error;
    rmSync(stagingOf(folder, intent), { recursive: true, force: true });
    spool.forgetCut(intent);
    throw new UncuttableBatch(intent.first, error);
  }
  at("renamed");
  spool.endCut(intent, report.readings);
  at("ended");
  return report;
}

const stagingOf = (folder: string, intent: CutIntent): string => join(folder, `.cut-${intent.name}`);

/** Writes a cut's batches as segments, synced and renamed into place. The spool is only read. */
export async function writeSegment(
  source: SpoolSource,
  intent: CutIntent,
  { folder, classes }: Parameters<WriteSegment>[2],
  engineOptions: EngineOptions = {},
  onWritten: () => void = () => {},
): Promise<CutReport> {
  const staging = stagingOf(folder, intent);
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });
  const engine = await Engine.open({ spillFolder: staging, ...engineOptions });
  let report: CutReport;
  try {
    const { late } = await stage(engine, source, intent, classes);
    const duplicates = late === 0 ? 0 : await dropSecondDeliveries(engine, folder);
    await engine.run(`COPY (${segmentRows}) TO ${quoteText(join(staging, "out"))} (
      FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, PARTITION_BY (date, device_class),
      FILENAME_PATTERN ${quoteText(`${intent.name}-{i}`)})`);
    onWritten();
    const files = publish(join(staging, "out"), folder);
    const [total] = await engine.rows("SELECT count(*) AS n FROM staged");
    const bytes = files.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
    report = { files, readings: Number(total!.n), duplicates, bytes };
  } finally {
    engine.close();
  }
  rmSync(staging, { recursive: true, force: true });
  return report;
}

/** What another try may mend: no space, no memory, no permission. Everything else is in the data. */
export const isOfTheMachine = (error: unknown): boolean =>
  error instanceof Refusal ||
  (error as NodeJS.ErrnoException).code !== undefined ||
  /^(IO|Out of Memory|Permission|FATAL|INTERNAL|Interrupt|TransactionContext)/i.test(
    (error as Error).message,
  );

/** Removes what cuts left behind that never ended; their readings are still in the spool. Run at start. */
export function recoverSegments(spool: Spool, folder: string): void {
  for (const intent of spool.unfinishedCuts()) {
    rmSync(join(folder, `.cut-${intent.name}`), { recursive: true, force: true });
    for (const file of parquetFiles(folder)) {
      if (file.includes(intent.name)) rmSync(join(folder, file));
    }
    spool.forgetCut(intent);
  }
}

/** Removes days before `oldestDate` (YYYY-MM-DD). @returns the number of days removed. */
export function dropSegmentsBefore(folder: string, oldestDate: string): number {
  const old = readdirSync(folder).filter((name) => name.startsWith("date=") && name.slice(5) < oldestDate);
  for (const name of old) rmSync(join(folder, name), { recursive: true });
  return old.length;
}

/** Paths below `folder` of every finished segment. */
export function parquetFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.startsWith("date=") && name.endsWith(".parquet"))
    .sort();
}

/**
 * The same number for the same series on any machine: the first 48 bits of SHA-256 over device, metric and
 * unit. Sorting and joining by it is several times faster than by text.
 */
export function seriesKey(series: Pick<Series, "device" | "metric" | "unit">): number {
  const text = `${series.device}\u0000${series.metric}\u0000${series.unit}`;
  return createHash("sha256").update(text).digest().readUIntBE(0, 6);
}

async function stage(
  engine: Engine,
  source: SpoolSource,
  intent: CutIntent,
  classes: DeviceClasses,
): Promise<{ late: number }> {
  const series = source.series();
  await engine.run(`
    CREATE TABLE series (id UINTEGER, series DOUBLE, device VARCHAR, metric VARCHAR, unit VARCHAR, device_class VARCHAR);
    CREATE TABLE texts (id UINTEGER, body VARCHAR);
    CREATE TABLE staged (
      time DOUBLE, received DOUBLE, value DOUBLE, sequence DOUBLE, lat DOUBLE, lon DOUBLE, accuracy DOUBLE,
      id UINTEGER, body UINTEGER, status UINTEGER, event UINTEGER, kind UTINYINT, marks UTINYINT, place UTINYINT)`);
  await engine.append("series", [
    Uint32Array.from(series, (one) => one.id),
    Float64Array.from(series, seriesKey),
    series.map((one) => one.device),
    series.map((one) => one.metric),
    series.map((one) => one.unit),
    series.map((one) => classes.get(one.device) ?? "unregistered"),
  ]);

  const codes = new Map<string, number>([["", 0]]);
  let late = 0;
  for (const { id, columns } of source.batches(intent.first - 1)) {
    if (id > intent.last) break;
    if (columns === undefined) throw new RangeError(`batch ${id} is not what was stored`);
    for (let i = 0; i < columns.count; i++) if (columns.marks[i]! & lateMark) late++;
    await appendBatch(engine, columns, codes);
    // Between two batches the sockets get their turn.
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  const texts = [...codes.keys()];
  await engine.append("texts", [Uint32Array.from(texts, (_, index) => index), texts]);
  return { late };
}

async function appendBatch(engine: Engine, columns: BatchColumns, codes: Map<string, number>): Promise<void> {
  const shared = columns.texts.map((text) => {
    let code = codes.get(text);
    if (code === undefined) {
      code = codes.size;
      codes.set(text, code);
    }
    return code;
  });
  const recode = (local: Uint32Array): Uint32Array => local.map((code) => shared[code]!);
  const none = (fill: number): Float64Array => new Float64Array(columns.count).fill(fill);
  await engine.append("staged", [
    columns.time,
    columns.received,
    columns.value,
    columns.sequence ?? none(-1),
    columns.lat ?? none(Number.NaN),
    columns.lon ?? none(Number.NaN),
    columns.accuracy ?? none(Number.NaN),
    columns.series,
    recode(columns.text),
    recode(columns.status),
    columns.event === undefined ? new Uint32Array(columns.count) : recode(columns.event),
    columns.kind,
    columns.marks,
    columns.place,
  ]);
}

/**
 * A reading delivered again has the time of one already seen, so only late ones are looked up: among
 * this cut's others, and in the segments of the same days. Two events of one instant differ by their identity; one
 * that its transport calls a first delivery is not looked up at all. A row of a segment that was cut before events
 * had identity stands for one event.
 */
async function dropSecondDeliveries(engine: Engine, folder: string): Promise<number> {
  const key = "id, time, sequence, event, kind, value, body";
  const suspect = `marks & ${lateMark} <> 0 AND marks & ${firstDeliveryMark} = 0`;
  const [before] = await engine.rows("SELECT count(*) AS n FROM staged");
  await engine.run(`
    CREATE TABLE late AS SELECT DISTINCT ON (${key}) * FROM staged WHERE ${suspect};
    DELETE FROM staged WHERE ${suspect};
    INSERT INTO staged SELECT * FROM late WHERE NOT EXISTS (
      SELECT 1 FROM staged s WHERE s.id = late.id AND s.time = late.time AND s.sequence = late.sequence
        AND s.event = late.event AND s.kind = late.kind AND s.value = late.value AND s.body = late.body)`);
  const days = await engine.rows(
    `SELECT DISTINCT CAST(to_timestamp(time / 1000000) AT TIME ZONE 'UTC' AS DATE)::VARCHAR AS day FROM late`,
  );
  const earlier = days
    .map((row) => join(folder, `date=${row.day}`))
    .filter((day) => parquetIn(day))
    .map((day) => quoteText(join(day, "*", "*.parquet")));
  if (earlier.length > 0) {
    await engine.run(`
      CREATE TABLE again AS
      SELECT s.id, p.time_us, coalesce(p.sequence, -1) AS sequence, p.value, p.text, p.event
      FROM ${segmentsFrom(earlier)} p JOIN series s ON s.series = p.series
      WHERE (p.series, p.time_us) IN (
        SELECT (series.series, CAST(late.time AS BIGINT)) FROM late JOIN series ON series.id = late.id);
      CREATE TABLE matched AS
      SELECT l.rowid AS staged_row, a.id, a.time_us, a.sequence, a.value, a.text, a.event AS known_event,
        l.event AS event, count(*) AS copies
      FROM staged l JOIN again a ON a.id = l.id AND a.time_us = l.time AND a.sequence = l.sequence
      JOIN texts e ON e.id = l.event
      LEFT JOIN texts t ON t.body = a.text
      WHERE ${suspect} AND (a.event IS NULL OR a.event = e.body)
        AND CASE WHEN l.kind = 3 THEN t.id = l.body
                 WHEN l.kind = 0 THEN a.value IS NULL AND a.text IS NULL
                 ELSE a.value = l.value END
      GROUP BY ALL;
      DELETE FROM staged WHERE rowid IN (
        SELECT staged_row FROM matched WHERE known_event IS NOT NULL OR event = 0
        UNION ALL
        SELECT staged_row FROM (
          SELECT staged_row, copies, row_number() OVER (PARTITION BY id, time_us, sequence, value, text ORDER BY staged_row) AS nth
          FROM matched WHERE known_event IS NULL AND event <> 0
            AND staged_row NOT IN (SELECT staged_row FROM matched WHERE known_event IS NOT NULL))
        WHERE nth <= copies)`);
  }
  const [after] = await engine.rows("SELECT count(*) AS n FROM staged");
  return Number(before!.n) - Number(after!.n);
}

/** Sorted by series and time, so that times are runs of small differences and texts are one run each. */
const segmentRows = `
  SELECT CAST(r.series AS BIGINT) AS series, r.device, r.metric, r.unit,
    CAST(s.time AS BIGINT) AS time_us, CAST(s.received - s.time AS BIGINT) AS delay_us,
    CASE WHEN s.kind IN (1, 2) THEN s.value END AS value,
    CASE WHEN s.kind = 3 THEN t.body END AS text,
    CASE s.marks & 3 WHEN 0 THEN 'good' WHEN 1 THEN 'uncertain' ELSE 'bad' END AS quality,
    u.body AS status, s.marks & ${historicalMark} <> 0 AS historical,
    CASE WHEN s.sequence >= 0 THEN CAST(s.sequence AS BIGINT) END AS sequence,
    nullif(e.body, '') AS event,
    CASE WHEN s.place & 1 <> 0 THEN s.lat END AS lat, CASE WHEN s.place & 1 <> 0 THEN s.lon END AS lon,
    CASE WHEN s.place & 1 <> 0 THEN s.accuracy END AS accuracy_m,
    CASE WHEN s.place & 1 <> 0 THEN CASE WHEN s.place & 2 <> 0 THEN 'GCJ-02' ELSE 'WGS-84' END END AS datum,
    CASE WHEN s.place & 1 <> 0 THEN CASE s.place // 4 WHEN 0 THEN 'beidou' WHEN 1 THEN 'gps' ELSE 'uwb' END END
      AS position_source,
    CAST(to_timestamp(s.time / 1000000) AT TIME ZONE 'UTC' AS DATE) AS date, r.device_class
  FROM staged s JOIN series r ON r.id = s.id JOIN texts t ON t.id = s.body JOIN texts u ON u.id = s.status
    JOIN texts e ON e.id = s.event
  ORDER BY date, device_class, r.series, s.time`;

/** Rows of segments whichever version cut them. @param files - quoted. */
export const segmentsFrom = (files: readonly string[]): string =>
  `(SELECT * FROM read_parquet([${files}], hive_partitioning = false, union_by_name = true)
    UNION ALL BY NAME SELECT CAST(NULL AS VARCHAR) AS event WHERE false)`;

/** @param files - of finished segments. @returns readings in them. */
export async function countReadings(files: readonly string[]): Promise<number> {
  const engine = await Engine.open();
  try {
    const [row] = await engine.rows(`SELECT count(*) AS n FROM ${segmentsFrom(files.map(quoteText))}`);
    return Number(row!.n);
  } finally {
    engine.close();
  }
}

/** Syncs and renames every staged file into its place. @returns paths below `folder` */
function publish(staged: string, folder: string): string[] {
  const files = parquetFiles(staged);
  const folders = new Set<string>();
  for (const file of files) {
    syncPath(join(staged, file));
    const target = join(folder, file);
    mkdirSync(dirname(target), { recursive: true });
    renameSync(join(staged, file), target);
    for (let up = dirname(target); ; up = dirname(up)) {
      folders.add(up);
      if (relative(folder, up) === "") break;
    }
  }
  for (const one of folders) syncPath(one);
  return files;
}

function syncPath(path: string): void {
  const handle = openSync(path, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function parquetIn(day: string): boolean {
  try {
    return readdirSync(day, { recursive: true, encoding: "utf8" }).some((name) => name.endsWith(".parquet"));
  } catch {
    return false;
  }
}
