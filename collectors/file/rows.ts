import type { Reading } from "../reading.ts";
import type { FileConfig, ValueField } from "./config.ts";
import type { Row } from "./tables.ts";
import { timeReader } from "./time.ts";

/** What becomes of a row. */
export interface RowReadings {
  readonly readings: Reading[];
  /** Columns whose cell cannot be read; the cell itself is never told. */
  readonly faults: readonly string[];
}

/** The configured mapping from rows to readings. */
export interface RowMapping {
  readonly needed: readonly string[];
  /** @param received - microseconds since the epoch. */
  map(row: Row, received: number): RowReadings;
}

export function rowMapping(config: FileConfig): RowMapping {
  const { device, time, columns, rows, historical } = config;
  const readTime = timeReader(time.as, time.zone);
  const needed = [
    time.column,
    ...(typeof device === "string" ? [] : [device.column]),
    ...(columns?.map(({ column }) => column) ?? []),
    ...(rows === undefined ? [] : [rows.metric, rows.value]),
  ];

  /** The values of a row and the columns they stand in. */
  function fieldsOf(row: Row): readonly (ValueField & { readonly column: string })[] {
    if (columns !== undefined) return columns;
    const name = String(row[rows!.metric] ?? "");
    const field = Object.hasOwn(rows!.metrics, name) ? rows!.metrics[name]! : undefined;
    return field === undefined ? [] : [{ ...field, column: rows!.value }];
  }

  return {
    needed,
    map(row, received) {
      const fields = fieldsOf(row);
      if (fields.length === 0) return { readings: [], faults: [] };
      const at = readTime(row[time.column]);
      const id = typeof device === "string" ? device : cellText(row[device.column]);
      if (at === undefined) return { readings: [], faults: [time.column] };
      if (id === "") return { readings: [], faults: [(device as { column: string }).column] };
      const faults: string[] = [];
      const readings = fields.map(({ column, metric, unit, kind, scale }): Reading => {
        const value = cellValue(row[column], kind, scale);
        if (value === undefined) faults.push(column);
        const said =
          value === undefined
            ? ({ value: null, quality: "bad", status: "unreadable" } as const)
            : value === null
              ? ({ value, quality: "bad", status: "empty" } as const)
              : ({ value, quality: "good", status: "ok" } as const);
        return { device: id, metric, unit, time: at, received, historical, ...said };
      });
      return { readings, faults };
    },
  };
}

const cellText = (cell: unknown): string => (cell === null || cell === undefined ? "" : String(cell).trim());

/** @returns null for an empty cell, undefined for what is not of the kind. */
function cellValue(cell: unknown, kind: ValueField["kind"], scale: number): Reading["value"] | undefined {
  const text = cellText(cell);
  if (text === "") return null;
  if (kind === "text") return text;
  if (kind === "number") {
    const number = typeof cell === "boolean" ? Number.NaN : Number(text);
    return Number.isFinite(number) ? number * scale : undefined;
  }
  if (/^(true|yes|on|1)$/i.test(text)) return true;
  return /^(false|no|off|0)$/i.test(text) ? false : undefined;
}

/** Whether a name is one of the configured files, and not one that is still being written by custom. */
export function nameFilter(pattern: string): (name: string) => boolean {
  const source = pattern
    .split("*")
    .map((literal) => literal.replace(/[\\^$.+?()[\]{}|]/g, "\\$&"))
    .join(".*");
  const expression = new RegExp(`^${source}$`, "i");
  return (name) => !name.startsWith(".") && !/\.(tmp|part)$/i.test(name) && expression.test(name);
}
