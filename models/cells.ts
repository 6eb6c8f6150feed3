/** Cells of a file, read as a feature's values. */
import { type Cell, isMissing, numberOf, textOf } from "../core/cell.ts";
import type { Header, TakeCell } from "../privacy/desensitize/run.ts";
import type { Column, FeatureSchema } from "./table.ts";

/** What becomes of a column's cells on their way into a table. */
export interface Passage {
  /** @returns the columns to be read for one. @throws Refusal, where it may not pass. */
  reads(column: string): readonly string[];
  /** @throws Refusal, where it may not pass; column_unknown */
  take(column: string, header: Header): TakeCell;
}

/** Cells as they are: for data whose owner is also the reader. */
export const unchanged: Passage = {
  reads: (column) => [column],
  take(column, header) {
    const at = header.at(column);
    return (cells) => cells[at];
  },
};

interface ColumnReader {
  /** @returns what is wrong with the cell; undefined when nothing is. */
  read(cell: Cell, row: number): string | undefined;
  column(rows: number): Column;
}

/**
 * @returns what reads a cell as the feature's value, NaN or −1 where it is missing: the number, or the level's code; a
 *   text says what is wrong with it.
 */
export function cellReader(feature: FeatureSchema): (cell: Cell) => number | string {
  if (feature.kind === "numeric") return (cell) => numberOf(cell) ?? "not a finite number";
  const codeOf = new Map(feature.levels.map((level, code) => [level, code]));
  return (cell) => {
    const text = textOf(cell);
    return codeOf.get(text) ?? (isMissing(text) ? -1 : "not among the study's levels");
  };
}

/** @param capacity - rows at most. */
export function columnReader(feature: FeatureSchema, capacity: number): ColumnReader {
  const readCell = cellReader(feature);
  const values = feature.kind === "numeric" ? new Float64Array(capacity) : new Int32Array(capacity);
  return {
    read(cell, row) {
      const value = readCell(cell);
      if (typeof value === "string") return value;
      values[row] = value;
      return undefined;
    },
    column: (rows) =>
      feature.kind === "numeric"
        ? { kind: "numeric", values: (values as Float64Array).slice(0, rows) }
        : { kind: "categorical", codes: (values as Int32Array).slice(0, rows), levels: feature.levels },
  };
}
