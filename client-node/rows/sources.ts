import type { CsvOptions, Records } from "../../core/csv.ts";
import { readRecords } from "../../core/table-file.ts";
import type { Passage } from "../../models/cells.ts";
import { columnsRead } from "../../models/study.ts";
import type { Table } from "../../models/table.ts";
import { type RowCounts, type RowSchema, tableFromRecords } from "./rows.ts";

/**
 * Reads an enterprise's rows as they are.
 * @param columns - the only ones needed; all when absent.
 * @throws Refusal file_missing, file_malformed, rows_missing
 */
export type RecordReader = (columns?: ReadonlySet<string>) => Promise<readonly Records[]>;

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
 * @throws Refusal those of `read`, of `tableFromRecords` and of the passage.
 */
export async function readRows(
  read: RecordReader,
  schema: RowSchema,
  salt: Uint8Array,
  passage: Passage,
  tell?: (counts: RowCounts) => void,
): Promise<Table> {
  const columns = new Set(columnsRead(schema).flatMap((column) => passage.reads(column)));
  if (schema.subject !== undefined) columns.add(schema.subject);
  return tableFromRecords(await read(columns), schema, salt, passage, tell);
}
