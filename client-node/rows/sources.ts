import type { CsvOptions, RecordStream, Records } from "../../core/csv.ts";
import { bytesInMemory, readRecords, streamRecords } from "../../core/table-file.ts";
import type { Passage } from "../../models/cells.ts";
import { columnsRead } from "../../models/study.ts";
import type { Table } from "../../models/table.ts";
import { type RowCounts, type RowSchema, tableFromRecords, tableFromStreams } from "./rows.ts";

/**
 * Reads an enterprise's rows as they are.
 * @param columns - the only ones needed; all when absent.
 * @throws Refusal file_missing, file_malformed, rows_missing
 */
export type RecordReader = (columns?: ReadonlySet<string>) => Promise<readonly Records[]>;

/** A table that is larger than memory may be. */
export interface StreamReader {
  /**
   * @returns nothing where the rows fit into memory. @throws Refusal file_missing, file_malformed, usage
   */
  open(columns: ReadonlySet<string>): Promise<readonly RecordStream[] | undefined>;
  /** Where columns lie while they are used. */
  readonly folder: string;
}

/** @param mostBytes - of memory that a table may take, about. */
export const fileStreams = (
  files: readonly string[],
  csv: CsvOptions | undefined,
  folder: string,
  mostBytes: number,
): StreamReader => ({
  folder,
  async open(columns) {
    let bytes = 0;
    for (const file of files) bytes += await bytesInMemory(file, columns);
    if (bytes <= mostBytes) return undefined;
    const streams: RecordStream[] = [];
    for (const file of files) streams.push(await streamRecords(file, columns, csv));
    return streams;
  },
});

/** @param files - CSV (`.csv`, `.csv.gz`) or Parquet (`.parquet`); read in order, as one table. */
export const fileRecords =
  (files: readonly string[], csv: CsvOptions = {}): RecordReader =>
  async (columns) => {
    const sources: Records[] = [];
    for (const file of files) sources.push(await readRecords(file, columns, csv));
    return sources;
  };

/**
 * Reads rows into the study's table, whether or not it can be learned from.
 * @param salt - as `tableFromRecords` has it.
 * @param streams - asked first, where given.
 * @throws Refusal those of `read`, of `tableFromRecords`, of `tableFromStreams` and of the passage.
 */
export async function readRows(
  read: RecordReader,
  schema: RowSchema,
  salt: Uint8Array,
  passage: Passage,
  tell?: (counts: RowCounts) => void,
  streams?: StreamReader,
): Promise<Table> {
  const columns = new Set(columnsRead(schema).flatMap((column) => passage.reads(column)));
  if (schema.subject !== undefined) columns.add(schema.subject);
  const opened = await streams?.open(columns);
  if (opened === undefined) return tableFromRecords(await read(columns), schema, salt, passage, tell);
  return tableFromStreams(opened, schema, salt, streams!.folder, passage, tell);
}
