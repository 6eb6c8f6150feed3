import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { DuckDBInstance, DuckDBTimestampTZValue } from "@duckdb/node-api";
import { parse } from "csv-parse";
import { Refusal } from "../../core/reasons.ts";
import type { FileConfig } from "./config.ts";

/** A row's cells by column. */
export type Row = Readonly<Record<string, unknown>>;
/** A row and where it stands; a row that cannot be read is a fault. */
export type Line = { readonly line: number } & ({ readonly row: Row } | { readonly fault: string });

/**
 * Reads a table row by row, in memory of one row group at most.
 *
 * @param needed - columns without which the file is not the one that was configured.
 * @throws {Refusal} file_malformed if a needed column is missing, or the file is not of the format at all.
 */
export function readTable(path: string, config: FileConfig, needed: readonly string[]): AsyncIterable<Line> {
  switch (config.format) {
    case "csv":
      return readCsv(path, config, needed);
    case "jsonl":
      return readJsonLines(path, config.encoding);
    case "parquet":
      return readParquet(path, needed);
  }
}

/** Characters; what is longer is no row of a table. */
const longestRecord = 1_048_576;

const missing = (column: string): Refusal => new Refusal("file_malformed", `line 1: no column ${column}`);

async function* readCsv(path: string, config: FileConfig, needed: readonly string[]): AsyncGenerator<Line> {
  const faults: { line: number; fault: string }[] = [];
  const parser = parse({
    delimiter: config.delimiter ?? ",",
    bom: true,
    trim: true,
    info: true,
    skip_empty_lines: true,
    relax_column_count: true,
    skip_records_with_error: true,
    // A quote that is never closed must not swallow the rest of a large file unnoticed, nor all of it at once.
    max_record_size: longestRecord,
    on_skip: (error) => {
      if (error?.code === "CSV_MAX_RECORD_SIZE" || error?.code === "CSV_QUOTE_NOT_CLOSED") {
        const message = `line ${error.lines}: a quote is never closed`;
        parser.destroy(new Refusal("file_malformed", message));
        return undefined;
      }
      // The parser's own text may quote the cell.
      faults.push({ line: Number(error?.lines ?? 0), fault: "not CSV" });
      return undefined;
    },
  });
  const source = textOf(path, config.encoding);
  source.on("error", (error) => parser.destroy(error));
  source.pipe(parser);
  let header: string[] | undefined;
  try {
    for await (const { record, info } of parser as AsyncIterable<{
      record: string[];
      info: { lines: number };
    }>) {
      yield* faults.splice(0);
      if (header === undefined) {
        header = record;
        for (const column of needed) if (!header.includes(column)) throw missing(column);
        continue;
      }
      if (record.length !== header.length) {
        yield { line: info.lines, fault: `${record.length} cells where ${header.length} are named` };
        continue;
      }
      yield { line: info.lines, row: Object.fromEntries(header.map((name, i) => [name, record[i]])) };
    }
    yield* faults;
  } finally {
    source.destroy();
    parser.destroy();
  }
}

async function* readJsonLines(path: string, encoding: FileConfig["encoding"]): AsyncGenerator<Line> {
  let line = 0;
  for await (const text of linesOf(decoded(createReadStream(path), encoding))) {
    line++;
    if (text === undefined) {
      yield { line, fault: `a line of more than ${longestRecord} characters` };
      continue;
    }
    if (text.trim() === "") continue;
    let row: unknown;
    try {
      row = JSON.parse(text.replace(/^\uFEFF/, ""));
    } catch {
      row = undefined;
    }
    if (typeof row === "object" && row !== null && !Array.isArray(row)) yield { line, row: row as Row };
    else yield { line, fault: "not a JSON object" };
  }
}

/** @returns the lines of a text; undefined for one that is too long to be a record, which is never held whole. */
async function* linesOf(text: AsyncIterable<string>): AsyncGenerator<string | undefined> {
  let line: string | undefined = "";
  for await (const chunk of text) {
    const [first, ...others] = chunk.split("\n");
    line = joined(line, first!);
    for (const other of others) {
      yield line;
      line = other;
    }
  }
  if (line !== "") yield line;
}

const joined = (line: string | undefined, more: string): string | undefined =>
  line === undefined || line.length + more.length > longestRecord ? undefined : line + more;

async function* readParquet(path: string, needed: readonly string[]): AsyncGenerator<Line> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    const names = [...new Set(needed)];
    let result: Awaited<ReturnType<typeof connection.stream>>;
    try {
      await connection.run("SET memory_limit = '1GB'");
      const described = await connection.runAndReadAll("DESCRIBE SELECT * FROM read_parquet(?)", [path]);
      const types = new Map(described.getRows().map(([name, type]) => [String(name), String(type)]));
      for (const column of names) if (!types.has(column)) throw missing(column);
      const cells = names.map((name) => boundedCell(name, types.get(name)!));
      result = await connection.stream(`SELECT ${cells.join(", ")} FROM read_parquet(?)`, [path]);
    } catch (cause) {
      if (cause instanceof Refusal) throw cause;
      throw new Refusal("file_malformed", "not a Parquet file", { cause });
    }
    let line = 0;
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) return;
      for (const cells of chunk.getRows()) {
        line++;
        yield { line, row: Object.fromEntries(names.map((name, i) => [name, plain(cells[i])])) };
      }
    }
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

const smallTypes = /^(BOOLEAN|U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL.*|DATE|TIME.*)$/;

/** A few bytes of a file can be a cell of gigabytes: of a text no more is taken than a reading may hold, and one. */
function boundedCell(name: string, type: string): string {
  const column = `"${name.replaceAll('"', '""')}"`;
  return smallTypes.test(type) ? column : `substr(CAST(${column} AS VARCHAR), 1, 4097)`;
}

/** DuckDB's value classes as JavaScript's. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  // A timestamp without zone stays text, to be read in the configured zone.
  if (value instanceof DuckDBTimestampTZValue) return new Date(Number(value.micros / 1000n));
  if (typeof value === "object" && value !== null && "toDouble" in value)
    return (value as { toDouble(): number }).toDouble();
  return typeof value === "object" && value !== null ? String(value) : value;
}

/** A BOM is left to the reader. */
function textOf(path: string, encoding: FileConfig["encoding"]): Readable {
  const bytes = createReadStream(path);
  if (encoding === "utf-8") return bytes;
  return Readable.from(decoded(bytes, encoding), { objectMode: false });
}

async function* decoded(bytes: AsyncIterable<Uint8Array>, encoding: string): AsyncGenerator<string> {
  const decoder = new TextDecoder(encoding);
  for await (const chunk of bytes) yield decoder.decode(chunk, { stream: true });
  yield decoder.decode();
}
