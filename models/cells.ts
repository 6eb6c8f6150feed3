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

/** @param capacity - rows at most. */
export function columnReader(feature: FeatureSchema, capacity: number): ColumnReader {
  if (feature.kind === "numeric") {
    const values = new Float64Array(capacity);
    return {
      read(cell, row) {
        const value = numberOf(cell);
        if (value === undefined) return "not a finite number";
        values[row] = value;
      },
      column: (rows) => ({ kind: "numeric", values: values.slice(0, rows) }),
    };
  }
  const codes = new Int32Array(capacity);
  const codeOf = new Map(feature.levels.map((level, code) => [level, code]));
  return {
    read(cell, row) {
      const text = textOf(cell);
      const code = codeOf.get(text) ?? (isMissing(text) ? -1 : undefined);
      if (code === undefined) return "not among the study's levels";
      codes[row] = code;
    },
    column: (rows) => ({ kind: "categorical", codes: codes.slice(0, rows), levels: feature.levels }),
  };
}
