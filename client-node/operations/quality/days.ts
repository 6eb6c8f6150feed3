import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Engine, quoteText } from "../engine.ts";
import { parquetFiles } from "../segments.ts";
import { buildTable, defineView } from "../sql-files.ts";
import { loadConversions, loadReference, type Period, type Reference } from "./reference.ts";

const clean = new URL("clean/", import.meta.url);
const dayMicros = 86_400_000_000;

/** A reading this far into the day before or after may be a neighbour of one of the day. */
const marginMicros = 3 * 3_600_000_000;

/** Columns of `step_cell` beside the channel, which a day's file names by device and metric. */
const faults = ["unit", "absent", "quality", "clock", "range", "drift", "duplicate", "spike", "rate"];
const cellColumns = [
  ...["cell_us", "step_us", "arrived", "passed", "used", "mean", "low", "high", "total", "last"],
  ...faults.map((fault) => `${fault}_faults`),
  "excluded",
];
const cells = cellColumns.map((column) => `c.${column}`).join(", ");

/** How many days were computed, and how many were as they had been. */
export interface DaysRead {
  readonly computed: number;
  readonly kept: number;
}

/**
 * Brings the cells of every day of a period into the tables `series`, `channel` and `step_cell`.
 *
 * What a day's cells are depends on nothing but the segments of the day and its two neighbours, and on what is known
 * beside the readings: so a day whose segments did not change is as it was, to the last digit. A clock error of more
 * than a day is not looked for, and a spike is seen among readings that are less than three hours into the next day.
 *
 * @param folder - root of the segments.
 * @param keep - folder of the days that are computed; made when absent. Files in it may be deleted at any time.
 */
export async function openDays(
  engine: Engine,
  folder: string,
  keep: string,
  reference: Reference,
  period: Period,
): Promise<DaysRead> {
  mkdirSync(keep, { recursive: true });
  await loadReference(engine, reference, period);
  const filesOf = Map.groupBy(existsSync(folder) ? parquetFiles(folder) : [], (file) => file.slice(5, 15));
  const rules = fingerprint([
    reference.catalogue.metrics,
    reference.exclusions,
    reference.excludedStatuses,
    reference.calibrations,
    rulesText(),
  ]);
  const first = Math.floor(period.from / dayMicros) - 1;
  const last = Math.floor(period.until / dayMicros) + 1;
  const wanted: string[] = [];
  let computed = 0;
  let series: string | undefined;
  for (let day = first; day <= last; day++) {
    const of = (other: number): string[] => filesOf.get(dateOf(other)) ?? [];
    const files = { before: of(day - 1), day: of(day), after: of(day + 1) };
    if (Object.values(files).every((some) => some.length === 0)) continue;
    // Beside the readings of the day itself, only those by a clock that is off can be of it.
    if (files.day.length === 0 && !(await areSomeOff(engine, folder, [...files.before, ...files.after])))
      continue;
    const name = join(keep, `${dateOf(day)}-${fingerprint([rules, files])}`);
    wanted.push(name);
    if (existsSync(`${name}.cells.parquet`)) continue;
    await defineReadings(engine, folder, files, day * dayMicros);
    series = await buildDay(engine, reference, series);
    if (computed++ === 0) await defineViews(engine);
    await computeDay(engine, day * dayMicros, name);
  }
  if (computed > 0) await engine.run("DROP VIEW step_cell");
  forget(keep, wanted);
  await combine(engine, reference, wanted);
  return { computed, kept: wanted.length - computed };
}

const dateOf = (day: number): string => new Date((day * dayMicros) / 1000).toISOString().slice(0, 10);

interface DayFiles {
  readonly before: readonly string[];
  readonly day: readonly string[];
  readonly after: readonly string[];
}

/**
 * The tables that a day's cells are read through, from its readings.
 *
 * @param before - the series that the tables were built for last: most days have the same.
 * @returns the series of this day.
 */
async function buildDay(engine: Engine, reference: Reference, before?: string): Promise<string> {
  await buildTable(engine, clean, "series");
  const rows = await engine.rows("SELECT series FROM series ORDER BY series");
  const series = rows.map((row) => row.series).join();
  if (series !== before) {
    await loadConversions(engine, reference.catalogue);
    for (const table of ["series_rule", "channel"]) await buildTable(engine, clean, table);
  }
  await buildTable(engine, clean, "clock_offset");
  return series;
}

/** Once for all days: a view reads whatever stands under a name when it is asked. */
async function defineViews(engine: Engine): Promise<void> {
  for (const view of ["converted", "neighbours", "checked", "step_cell"])
    await defineView(engine, clean, view);
}

/** The cells file comes into its place last: where it is, the series are there too. */
async function computeDay(engine: Engine, from: number, name: string): Promise<void> {
  const until = from + dayMicros;
  const write = async (part: "series" | "cells", select: string): Promise<void> => {
    await engine.run(
      `COPY (${select}) TO ${quoteText(`${name}.writing`)} (FORMAT parquet, COMPRESSION zstd)`,
    );
    renameSync(`${name}.writing`, `${name}.${part}.parquet`);
  };
  await write("series", "SELECT * FROM series ORDER BY series");
  await write(
    "cells",
    `SELECT h.device, h.metric, ${cells} FROM step_cell c JOIN channel h ON h.channel = c.channel
     WHERE c.cell_us >= ${from} AND c.cell_us < ${until} ORDER BY h.device, h.metric, c.cell_us`,
  );
}

/** Of a clock that is off by more than a minute; such a reading may be of another day than it says. */
const off = "(NOT historical AND abs(delay_us) > 60000000)";

async function areSomeOff(engine: Engine, folder: string, files: readonly string[]): Promise<boolean> {
  const rows = await engine.rows(`SELECT 1 AS one FROM ${scanOf(folder, files)} WHERE ${off} LIMIT 1`);
  return rows.length > 0;
}

const scanOf = (folder: string, files: readonly string[]): string =>
  `read_parquet([${files.map((file) => quoteText(join(folder, file)))}], hive_partitioning = false)`;

/** The day's segments, and of its neighbours' what lies near or came by a clock that is off. */
async function defineReadings(engine: Engine, folder: string, files: DayFiles, from: number): Promise<void> {
  const until = from + dayMicros;
  const columns = "series, device, metric, unit, time_us, delay_us, value, text, quality, status, historical";
  const scan = (some: readonly string[], where: string): string[] =>
    some.length === 0 ? [] : [`SELECT ${columns} FROM ${scanOf(folder, some)} WHERE ${where}`];
  await engine.run(
    `CREATE OR REPLACE VIEW readings AS ${[
      ...scan(files.before, `time_us >= ${from - marginMicros} OR ${off}`),
      ...scan(files.day, "true"),
      ...scan(files.after, `time_us < ${until + marginMicros} OR ${off}`),
    ].join(" UNION ALL ")}`,
  );
}

/** All days together; a device's metric is one channel over all of them. */
async function combine(engine: Engine, reference: Reference, days: readonly string[]): Promise<void> {
  const of = (part: string): string =>
    `read_parquet([${days.map((name) => quoteText(`${name}.${part}.parquet`))}])`;
  await engine.build(
    "series",
    days.length === 0
      ? "SELECT CAST(NULL AS DOUBLE) AS series, '' AS device, '' AS metric, '' AS unit LIMIT 0"
      : `SELECT DISTINCT series, device, metric, unit FROM ${of("series")}`,
  );
  await loadConversions(engine, reference.catalogue);
  for (const table of ["series_rule", "channel"]) await buildTable(engine, clean, table);
  await engine.run(
    `CREATE OR REPLACE VIEW step_cell AS ${
      days.length === 0
        ? `SELECT CAST(NULL AS DOUBLE) AS channel, ${cellColumns
            .map((column) => `CAST(NULL AS ${column.endsWith("_us") ? "BIGINT" : "DOUBLE"}) AS ${column}`)
            .join(", ")} LIMIT 0`
        : `SELECT h.channel, ${cells} FROM ${of("cells")} c JOIN channel h ON h.device = c.device AND h.metric = c.metric`
    }`,
  );
}

/** Removes days that nothing asks for any more, and what an end in the middle left. */
function forget(keep: string, wanted: readonly string[]): void {
  const names = new Set(wanted.flatMap((name) => [`${name}.cells.parquet`, `${name}.series.parquet`]));
  for (const name of readdirSync(keep))
    if (!name.startsWith(".") && !names.has(join(keep, name))) rmSync(join(keep, name));
}

/** The steps themselves: a new version of the program computes every day anew. */
const rulesText = (): string[] =>
  readdirSync(clean)
    .sort()
    .map((file) => readFileSync(new URL(file, clean), "utf8"));

function fingerprint(value: unknown): string {
  const text = JSON.stringify(value, (_, one: unknown) => (one instanceof Map ? [...one] : one));
  return createHash("sha256").update(text).digest("hex").slice(0, 20);
}
