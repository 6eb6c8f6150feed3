import { textOf } from "../../core/cell.ts";
import { columnAt, type Records, requireColumns } from "../../core/csv.ts";
import { Refusal } from "../../core/reasons.ts";
import { columnReader, type Passage } from "../cells.ts";
import type { FeatureSchema, Table } from "../table.ts";

/** A record, by where it stands. */
export interface Place {
  readonly file: string;
  /** Of the file: a line of CSV, a row of Parquet, from 1. */
  readonly line: number;
  /** What the column chosen for it holds. */
  readonly id?: string;
}

/** A record that cannot be scored. */
export interface RefusedRecord extends Place {
  /** By column, what is wrong with its cell. */
  readonly problems: readonly { readonly column: string; readonly problem: string }[];
}

/** Records without a label, as far as they can be read. */
export interface Applicants {
  /** Its labels mean nothing. */
  readonly table: Table;
  /** Of the table's rows. */
  readonly places: readonly Place[];
  readonly refused: readonly RefusedRecord[];
}

/**
 * Reads records one by one: one that cannot be read is refused and named, and the others are scored.
 * @param idColumn - what names a record for whoever reads the scores.
 * @throws Refusal column_unknown, naming every column that is missing; rows_missing; those of `passage`
 */
export function readApplicants(
  sources: readonly Records[],
  features: readonly FeatureSchema[],
  passage: Passage,
  idColumn?: string,
): Applicants {
  const capacity = sources.reduce((rows, source) => rows + source.atMost, 0);
  const readers = features.map((feature) => columnReader(feature, capacity));
  const places: Place[] = [];
  const refused: RefusedRecord[] = [];
  for (const source of sources) {
    requireColumns(source, [
      ...features.flatMap(({ name }) => passage.reads(name)),
      ...(idColumn === undefined ? [] : [idColumn]),
    ]);
    const header = { name: source.name, at: (column: string) => columnAt(source, column) };
    const takes = features.map(({ name }) => passage.take(name, header));
    const idAt = idColumn === undefined ? undefined : header.at(idColumn);
    source.each((cells, line) => {
      const problems = features.flatMap(({ name: column }, i) => {
        const problem = problemOf(() => readers[i]!.read(takes[i]!(cells, line), places.length));
        return problem === undefined ? [] : [{ column, problem }];
      });
      const id = idAt === undefined ? {} : { id: textOf(cells[idAt]) };
      const place = { file: source.name, line, ...id };
      if (problems.length === 0) places.push(place);
      else refused.push({ ...place, problems });
    });
  }
  const rows = places.length;
  if (rows + refused.length === 0)
    throw new Refusal("rows_missing", `${sources.map(({ name }) => name).join(", ")}: no rows`);
  const table = {
    rows,
    columns: new Map(features.map(({ name }, i) => [name, readers[i]!.column(rows)])),
    label: new Uint8Array(rows),
    outcome: new Uint8Array(rows),
    subject: Int32Array.from({ length: rows }, (_, row) => row),
    holdout: new Uint8Array(rows),
  };
  return { table, places, refused };
}

/** A policy's operator refuses a cell by throwing. */
function problemOf(read: () => string | undefined): string | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Refusal && error.reason === "cell_malformed") return error.message;
    throw error;
  }
}
