/** Tables in files, as CSV (gz too) or Parquet, told apart by what is in them. */
import { createReadStream } from "node:fs";
import { open, readFile, stat } from "node:fs/promises";
import { promisify } from "node:util";
import { createGunzip, gunzip } from "node:zlib";
import { DuckDBConnection } from "@duckdb/node-api";
import type { Cell } from "./cell.ts";
import {
  type CsvOptions,
  csvRecords,
  csvStream,
  decodeText,
  type RecordStream,
  type Records,
  textDecoder,
} from "./csv.ts";
import { readRefusal } from "./files.ts";
import { Refusal } from "./reasons.ts";

/**
 * @param columns - the only ones read from a columnar file; all when absent.
 * @throws Refusal file_missing, file_malformed
 */
export async function readRecords(
  file: string,
  columns?: ReadonlySet<string>,
  csv: CsvOptions = {},
): Promise<Records> {
  const content = await readOrRefuse(file);
  if (isParquet(content)) return parquetRecords(file, columns);
  return csvRecords(decodeText(await unzipped(content, file), file, csv.encoding), file, csv);
}

async function readOrRefuse(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw readRefusal(file, error);
  }
}

/** Longest text the runtime holds, a little below 2^29 characters. */
const longestText = 0x1fffffe0;

async function unzipped(content: Buffer, file: string): Promise<Buffer> {
  if (!isGzip(content)) return content;
  try {
    return await promisify(gunzip)(content, { maxOutputLength: longestText });
  } catch (error) {
    throw new Refusal("file_malformed", `${file}: not gzip of UTF-8 text of at most 512 MiB`, {
      hint: "it may be cut short or damaged: write it again, or use Parquet for larger ones",
      cause: error,
    });
  }
}

const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const quoteText = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const numericTypes = /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL.*)$/;

interface ParquetColumn {
  readonly name: string;
  readonly type: string;
}

async function parquetColumns(
  connection: DuckDBConnection,
  from: string,
  wanted: ReadonlySet<string> | undefined,
): Promise<ParquetColumn[]> {
  const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${from}`);
  return described
    .getRowsJS()
    .map(([name, type]) => ({ name: String(name), type: String(type) }))
    .filter(({ name }) => wanted?.has(name) ?? true);
}

const selected = (columns: readonly ParquetColumn[]): string =>
  columns
    .map(({ name, type }) => `CAST(${quoteName(name)} AS ${numericTypes.test(type) ? "DOUBLE" : "VARCHAR"})`)
    .join(", ");

/** @throws Refusal file_malformed */
async function withParquet<T>(
  file: string,
  work: (connection: DuckDBConnection, from: string) => Promise<T>,
): Promise<T> {
  const connection = await DuckDBConnection.create();
  try {
    return await work(connection, `read_parquet(${quoteText(file)})`);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal("file_malformed", `${file}: not a Parquet file that can be read`, {
      hint: "it may be cut short or damaged: write it again, or use CSV",
      cause: error,
    });
  } finally {
    connection.closeSync();
  }
}

const parquetRecords = (file: string, wanted?: ReadonlySet<string>): Promise<Records> =>
  withParquet(file, async (connection, from) => {
    const columns = await parquetColumns(connection, from, wanted);
    const read =
      columns.length > 0 && (await connection.runAndReadAll(`SELECT ${selected(columns)} FROM ${from}`));
    const values = read === false ? [] : (read.getColumnsJS() as Cell[][]);
    const rows = values[0]?.length ?? 0;
    return {
      name: file,
      header: columns.map(({ name }) => name),
      atMost: rows,
      each(visit) {
        for (let row = 0; row < rows; row++)
          visit(
            values.map((column) => column[row]),
            row + 1,
          );
      },
    };
  });

const isParquet = (start: Uint8Array): boolean => Buffer.from(start).toString("latin1", 0, 4) === "PAR1";
const isGzip = (start: Uint8Array): boolean => start[0] === 0x1f && start[1] === 0x8b;

async function startOf(file: string): Promise<Buffer> {
  try {
    const handle = await open(file);
    try {
      const start = Buffer.alloc(4);
      await handle.read(start, 0, 4, 0);
      return start;
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw readRefusal(file, error);
  }
}

/** Text takes about twice as much in memory, and a number of a few characters eight bytes. */
const csvFactor = 4;
/** How much smaller tables usually are as gzip. */
const gzipFactor = 6;

/**
 * @returns about how many bytes a table takes in memory, without reading it.
 * @throws Refusal file_missing, file_malformed
 */
export async function bytesInMemory(file: string, columns?: ReadonlySet<string>): Promise<number> {
  const start = await startOf(file);
  const { size } = await stat(file);
  if (!isParquet(start)) return size * csvFactor * (isGzip(start) ? gzipFactor : 1);
  return withParquet(file, async (connection, from) => {
    const [[rows]] = (await connection.runAndReadAll(`SELECT count(*) FROM ${from}`)).getRowsJS() as [
      [bigint],
    ];
    return Number(rows) * 8 * 4 * (await parquetColumns(connection, from, columns)).length;
  });
}

/**
 * As {@link readRecords}, of a file that is not held in memory.
 * @throws Refusal file_missing, file_malformed, usage for an unknown encoding
 */
export async function streamRecords(
  file: string,
  wanted?: ReadonlySet<string>,
  csv: CsvOptions = {},
): Promise<RecordStream> {
  const start = await startOf(file);
  if (isParquet(start)) return parquetStream(file, wanted);
  const text = async function* (): AsyncGenerator<string> {
    const decoder = textDecoder(start, csv.encoding);
    const bytes = createReadStream(file, { highWaterMark: 1 << 18 });
    const unzipped = isGzip(start) ? bytes.pipe(createGunzip()) : bytes;
    bytes.on("error", (error) => unzipped.destroy(error));
    try {
      for await (const chunk of unzipped) yield decoder.decode(chunk as Buffer, { stream: true });
      yield decoder.decode();
    } catch (cause) {
      if (cause instanceof Refusal) throw cause;
      throw new Refusal("file_malformed", `${file}: not text of its encoding, or damaged`, {
        hint: "say its encoding (gbk, windows-1252, …), or write the file again",
        cause,
      });
    } finally {
      bytes.destroy();
    }
  };
  return csvStream(text, file, csv);
}

async function parquetStream(file: string, wanted?: ReadonlySet<string>): Promise<RecordStream> {
  const columns = await withParquet(file, (connection, from) => parquetColumns(connection, from, wanted));
  return {
    name: file,
    header: columns.map(({ name }) => name),
    async each(visit) {
      await withParquet(file, async (connection, from) => {
        if (columns.length === 0) return;
        const result = await connection.stream(`SELECT ${selected(columns)} FROM ${from}`);
        let line = 0;
        for (
          let chunk = await result.fetchChunk();
          chunk !== null && chunk.rowCount > 0;
          chunk = await result.fetchChunk()
        ) {
          const values = columns.map((_, i) => chunk!.getColumnValues(i) as Cell[]);
          for (let row = 0; row < chunk.rowCount; row++)
            visit(
              values.map((column) => column[row]),
              ++line,
            );
        }
      });
    },
  };
}
