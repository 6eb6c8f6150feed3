import { Refusal } from "../core/reasons.ts";
import type { CategoricalColumn, Column, FeatureSchema, NumericColumn, StudySchema, Table } from "./table.ts";

/** @returns the rows for which `keep` holds, in order; the table itself where that is all of them. */
export function selectRows(table: Table, keep: (row: number) => boolean): Table {
  const kept: number[] = [];
  for (let row = 0; row < table.rows; row++) if (keep(row)) kept.push(row);
  return kept.length === table.rows ? table : takeRows(table, kept);
}

/** @returns the given rows, in the given order. */
export function takeRows(table: Table, rows: readonly number[]): Table {
  const columns = new Map<string, Column>();
  const chosen = isStored(table) ? Int32Array.from(rows) : undefined;
  for (const [name, column] of table.columns)
    columns.set(
      name,
      column.stored !== undefined
        ? column.stored.pick(chosen!)
        : column.kind === "numeric"
          ? { kind: "numeric", values: take(column.values, rows, new Float64Array(rows.length)) }
          : { ...column, codes: take(column.codes, rows, new Int32Array(rows.length)) },
    );
  return {
    rows: rows.length,
    columns,
    label: take(table.label, rows, new Uint8Array(rows.length)),
    outcome: take(table.outcome, rows, new Uint8Array(rows.length)),
    subject: take(table.subject, rows, new Int32Array(rows.length)),
    holdout: take(table.holdout, rows, new Uint8Array(rows.length)),
    ...(table.firstHeldOut === undefined
      ? {}
      : { firstHeldOut: take(table.firstHeldOut, rows, new Uint8Array(rows.length)) }),
    ...(table.records === undefined
      ? {}
      : { records: { ...table.records, of: take(table.records.of, rows, new Int32Array(rows.length)) } }),
  };
}

function take<T extends Float64Array | Int32Array | Uint8Array>(
  from: T,
  rows: readonly number[],
  into: T,
): T {
  for (let i = 0; i < rows.length; i++) into[i] = from[rows[i]!]!;
  return into;
}

/** @returns the rows of all tables, one after the other. Tables share their columns and levels. */
export function concatRows(tables: readonly Table[]): Table {
  const first = tables[0];
  if (first === undefined) throw new RangeError("no tables");
  const columns = new Map<string, Column>();
  for (const [name, column] of first.columns) {
    const parts = tables.map((table) => table.columns.get(name));
    if (column.kind === "numeric")
      columns.set(name, {
        kind: "numeric",
        values: Float64Array.from(parts.flatMap((part) => [...(part as NumericColumn).values])),
      });
    else
      columns.set(name, {
        ...column,
        codes: Int32Array.from(parts.flatMap((part) => [...(part as CategoricalColumn).codes])),
      });
  }
  return {
    rows: tables.reduce((rows, table) => rows + table.rows, 0),
    columns,
    label: Uint8Array.from(tables.flatMap((table) => [...table.label])),
    outcome: Uint8Array.from(tables.flatMap((table) => [...table.outcome])),
    subject: concatSubjects(tables),
    holdout: Uint8Array.from(tables.flatMap((table) => [...table.holdout])),
  };
}

/** Subjects of different tables stay different: nobody knows which of them are one. */
function concatSubjects(tables: readonly Table[]): Int32Array {
  const joined = new Int32Array(tables.reduce((rows, table) => rows + table.rows, 0));
  let row = 0;
  let first = 0;
  for (const { subject } of tables) {
    let next = first;
    for (const number of subject) {
      joined[row++] = first + number;
      next = Math.max(next, first + number + 1);
    }
    first = next;
  }
  return joined;
}

/** Whether some of a table's columns do not lie in memory. */
export const isStored = ({ columns }: Table): boolean =>
  [...columns.values()].some(({ stored }) => stored !== undefined);

/**
 * @returns the table's rows in order, as tables in memory: the table itself where it lies there. Every part but the last
 *   has a multiple of four rows.
 */
export function* partsOf(table: Table): Generator<{ readonly first: number; readonly part: Table }> {
  if (!isStored(table)) {
    yield { first: 0, part: table };
    return;
  }
  const rows = Math.min(...[...table.columns.values()].map(({ stored }) => stored?.rowsAtOnce ?? Infinity));
  for (let first = 0; first < table.rows; first += rows) {
    const end = Math.min(table.rows, first + rows);
    const columns = new Map<string, Column>();
    for (const [name, column] of table.columns) columns.set(name, cut(column, first, end));
    const { label, outcome, subject, holdout } = table;
    const part = {
      rows: end - first,
      columns,
      label: label.subarray(first, end),
      outcome: outcome.subarray(first, end),
      subject: subject.subarray(first, end),
      holdout: holdout.subarray(first, end),
    };
    yield { first, part };
  }
}

function cut(column: Column, first: number, end: number): Column {
  if (column.stored !== undefined) return column.stored.read(first, end);
  return column.kind === "numeric"
    ? { kind: "numeric", values: column.values.subarray(first, end) }
    : { ...column, codes: column.codes.subarray(first, end) };
}

/** @throws Refusal column_unknown */
export function numericColumn(table: Table, name: string): NumericColumn {
  const column = table.columns.get(name);
  if (column?.kind !== "numeric") throw columnUnknown(name, "numeric");
  return column;
}

/** @throws Refusal column_unknown */
export function categoricalColumn(table: Table, feature: { name: string; levels: readonly string[] }) {
  const column = table.columns.get(feature.name);
  if (column?.kind !== "categorical") throw columnUnknown(feature.name, "categorical");
  if (column.levels.length !== feature.levels.length || column.levels.some((l, i) => l !== feature.levels[i]))
    throw new RangeError(`column ${feature.name}: levels differ from the study's`);
  return column;
}

/**
 * Refuses what no layout holds: more rows than the study's bound, an infinite value, a code without a level.
 * @throws Refusal value_out_of_bounds | value_not_finite | column_unknown
 */
export function checkRows(schema: Pick<StudySchema, "features" | "maxRowsPerParty">, table: Table): void {
  checkRowCount(schema, table);
  for (const feature of schema.features) checkFeature(feature, table);
}

/** @throws Refusal value_out_of_bounds */
export function checkRowCount(schema: Pick<StudySchema, "maxRowsPerParty">, table: Table): void {
  if (table.rows > schema.maxRowsPerParty)
    throw new Refusal(
      "value_out_of_bounds",
      `${table.rows} rows exceed the study's maxRowsPerParty ${schema.maxRowsPerParty}`,
      { hint: "propose the study with a larger maxRowsPerParty, or take fewer rows" },
    );
}

function checkFeature(feature: FeatureSchema, table: Table): void {
  if (feature.kind === "numeric") {
    const { values } = numericColumn(table, feature.name);
    // By index: an iterator would cost ten times the check.
    for (let row = 0; row < values.length; row++)
      if (Math.abs(values[row]!) === Infinity)
        throw new Refusal("value_not_finite", `column ${feature.name} holds ${values[row]}`);
  } else {
    for (const code of categoricalColumn(table, feature).codes)
      if (!(code >= -1 && code < feature.levels.length))
        throw new Refusal("value_out_of_bounds", `column ${feature.name} holds a value without a level`, {
          hint: "the manifest lists the column's levels",
        });
  }
}

const columnUnknown = (name: string, kind: string) =>
  new Refusal("column_unknown", `the data has no ${kind} column ${name}`);
