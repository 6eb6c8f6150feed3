/** Tables in files, as CSV (gz too) or Parquet, told apart by what is in them. */
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { DuckDBConnection } from "@duckdb/node-api";
import type { Cell } from "./cell.ts";
import { type CsvOptions, csvRecords, decodeText, type Records } from "./csv.ts";
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
  if (content.subarray(0, 4).toString("latin1") === "PAR1") return parquetRecords(file, columns);
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
  if (!(content[0] === 0x1f && content[1] === 0x8b)) return content;
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

async function parquetRecords(file: string, wanted?: ReadonlySet<string>): Promise<Records> {
  const connection = await DuckDBConnection.create();
  try {
    const from = `read_parquet(${quoteText(file)})`;
    const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${from}`);
    const columns = described
      .getRowsJS()
      .map(([name, type]) => ({ name: String(name), type: String(type) }))
      .filter(({ name }) => wanted?.has(name) ?? true);
    const select = columns.map(({ name, type }) =>
      numericTypes.test(type) ? `CAST(${quoteName(name)} AS DOUBLE)` : `CAST(${quoteName(name)} AS VARCHAR)`,
    );
    const values =
      columns.length === 0
        ? []
        : ((
            await connection.runAndReadAll(`SELECT ${select.join(", ")} FROM ${from}`)
          ).getColumnsJS() as Cell[][]);
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
  } catch (error) {
    throw new Refusal("file_malformed", `${file}: not a Parquet file that can be read`, {
      hint: "it may be cut short or damaged: write it again, or use CSV",
      cause: error,
    });
  } finally {
    connection.closeSync();
  }
}
