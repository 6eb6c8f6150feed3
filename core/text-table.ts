import { printable } from "./terminal.ts";

/** A column's heading; numbers stand under its end. */
export type TextColumn = string | { readonly name: string; readonly numeric: true };

export const numeric = (name: string): TextColumn => ({ name, numeric: true });

/** A number to six digits; whole ones as they are. */
export const shortNumber = (value: number): string =>
  Number.isSafeInteger(value) ? String(value) : String(Number(value.toPrecision(6)));

/** A longer cell makes its own line long, and not the whole table wide. */
const mostWidth = 60;

/** @returns a table for a terminal: its heading and its rows, a line each. */
export function textTable(columns: readonly TextColumn[], rows: readonly (readonly string[])[]): string[] {
  const heading = columns.map((column) => (typeof column === "string" ? column : column.name));
  const lines = [heading, ...rows].map((cells) => cells.map(printable));
  const widths = columns.map((_, i) =>
    lines.map((cells) => Math.min(mostWidth, widthOf(cells[i]!))).reduce((a, b) => Math.max(a, b)),
  );
  const padded = (cell: string, i: number): string => {
    const space = " ".repeat(Math.max(0, widths[i]! - widthOf(cell)));
    return typeof columns[i] === "string" ? cell + space : space + cell;
  };
  return lines.map((cells) => `  ${cells.map(padded).join("  ")}`.trimEnd());
}

/** A terminal gives a Chinese sign the room of two letters. */
const widthOf = (text: string): number =>
  [...text].reduce((sum, sign) => sum + (/\p{Mark}/u.test(sign) ? 0 : sign > "\u2e7f" ? 2 : 1), 0);
