import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { gunzipSync } from "node:zlib";
import { csvRecords } from "../../core/csv.ts";
import { Refusal } from "../../core/reasons.ts";
import type { Recording } from "./recording.ts";
import { nabProbation } from "./score.ts";

/** Rows at the start of a recording that are free of anomalies where each row has its label, by that set's protocol. */
const labelledQuiet = 400;

/**
 * Recordings with labels, in one of two layouts: a JSON file whose name ends in `windows.json`, with [from, until]
 * by the file's path (NAB), or a column `anomaly` of 0 and 1 in each file (SKAB). The first column is the time,
 * every other a channel.
 *
 * @param folder - searched with its subfolders.
 * @throws Refusal file_missing, file_malformed
 */
export function readRecordings(folder: string): Recording[] {
  if (!existsSync(folder)) throw new Refusal("file_missing", folder);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  const windows = new Map<string, readonly (readonly [string, string])[]>();
  for (const file of files.filter((one) => one.endsWith("windows.json")))
    for (const [path, spans] of Object.entries(JSON.parse(readFileSync(join(folder, file), "utf8"))))
      windows.set(basename(path), spans as [string, string][]);
  return files
    .filter((one) => /\.csv(\.gz)?$/.test(one))
    .flatMap(
      (file) => readRecording(join(folder, file), relative(folder, join(folder, file)), windows) ?? [],
    );
}

/** @returns undefined where a file has no labels. */
function readRecording(
  file: string,
  name: string,
  windows: ReadonlyMap<string, readonly (readonly [string, string])[]>,
): Recording | undefined {
  const bytes = readFileSync(file);
  const text = (file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
  const records = csvRecords(text, name);
  const { header } = records;
  const label = header.indexOf("anomaly");
  const spans = windows.get(basename(file).replace(/\.gz$/, ""));
  if (label < 0 && spans === undefined) return undefined;
  const rows: string[][] = [];
  records.each((cells) => rows.push(cells.map(String)));
  const times = rows.map((row) => micros(row[0]!));
  const channels = new Map(
    header.flatMap((column, i) => {
      if (i === 0 || column === "anomaly" || column === "changepoint") return [];
      return [[column, rows.map((row) => (row[i] === "" ? Number.NaN : Number(row[i])))] as const];
    }),
  );
  if (spans !== undefined) {
    const rowsOf = ([from, until]: readonly [string, string]): [number, number] => [
      times.findIndex((time) => time >= micros(from)),
      times.findLastIndex((time) => time <= micros(until)),
    ];
    return { name, times, channels, windows: spans.map(rowsOf), quiet: nabProbation(rows.length) };
  }
  const labels = rows.map((row) => Number(row[label]) > 0);
  const found: [number, number][] = [];
  for (const [row, unusual] of labels.entries()) {
    if (!unusual) continue;
    if (row > 0 && labels[row - 1]) found.at(-1)![1] = row;
    else found.push([row, row]);
  }
  const quiet = Math.min(labelledQuiet, Math.floor(rows.length / 3));
  return { name, times, channels, windows: found, quiet };
}

const micros = (text: string): number => Date.parse(`${text.trim().replace(" ", "T").slice(0, 19)}Z`) * 1000;
