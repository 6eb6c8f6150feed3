import type { Reading } from "../reading.ts";
import { eventId, ordinals } from "../runtime/event.ts";
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
  /** @param received - microseconds since the epoch. @param place - the file's name and the line. */
  map(row: Row, received: number, place: string): RowReadings;
}

/** What a mapping is made from. */
type RowConfig = Pick<
  FileConfig,
  "device" | "time" | "columns" | "rows" | "historical" | "decimal" | "document"
>;

export function rowMapping(config: RowConfig): RowMapping {
  const { device, time, columns, rows, historical, decimal } = config;
  const documents = config.document === undefined ? [] : [config.document].flat();
  const nth = columns === undefined ? [0] : ordinals(columns.map(({ metric }) => metric));
  const readTime = timeReader(time.as, time.zone);
  const needed = [
    time.column,
    ...(typeof device === "string" ? [] : [device.column]),
    ...(columns?.map(({ column }) => column) ?? []),
    ...(rows === undefined ? [] : [rows.metric, rows.value]),
    ...documents,
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
    map(row, received, place) {
      const fields = fieldsOf(row);
      if (fields.length === 0) return { readings: [], faults: [] };
      const at = readTime(row[time.column]);
      const id = typeof device === "string" ? device : cellText(row[device.column]);
      if (at === undefined) return { readings: [], faults: [time.column] };
      if (id === "") return { readings: [], faults: [(device as { column: string }).column] };
      const faults: string[] = [];
      const numbers = documents.map((column) => cellText(row[column]));
      const known = numbers.some((text) => text !== "") ? [`#${numbers.join("|")}`] : [place];
      const readings = fields.map(({ column, metric, unit, kind, scale }, i): Reading => {
        const value = cellValue(row[column], kind, scale, decimal);
        const event = eventId(...known, ...(nth[i] ? [nth[i]] : []));
        if (value === undefined) faults.push(column);
        const said =
          value === undefined
            ? ({ value: null, quality: "bad", status: "unreadable" } as const)
            : value === null
              ? ({ value, quality: "bad", status: "empty" } as const)
              : ({ value, quality: "good", status: "ok" } as const);
        return { device: id, metric, unit, time: at, received, historical, event, ...said };
      });
      return { readings, faults };
    },
  };
}

const cellText = (cell: unknown): string => (cell === null || cell === undefined ? "" : String(cell).trim());

/** @returns null for an empty cell, undefined for what is not of the kind. */
function cellValue(
  cell: unknown,
  kind: ValueField["kind"],
  scale: number,
  decimal: string,
): Reading["value"] | undefined {
  const text = cellText(cell);
  if (text === "") return null;
  if (kind === "text") return text;
  if (kind === "number") {
    const number =
      typeof cell === "boolean"
        ? Number.NaN
        : decimal === "," && typeof cell === "string"
          ? commaNumber(text)
          : Number(text);
    return Number.isFinite(number) ? number * scale : undefined;
  }
  if (/^(true|yes|on|1)$/i.test(text)) return true;
  return /^(false|no|off|0)$/i.test(text) ? false : undefined;
}

/** `1.234,56`, `1 234,56` and `1234,5`; what groups its thousands otherwise is no number. */
const commaNumber = (text: string): number =>
  /^[+-]?(\d+|\d{1,3}([.\s'’]\d{3})+)(,\d+)?(e[+-]?\d+)?$/i.test(text)
    ? Number(text.replace(/[.\s'’]/g, "").replace(",", "."))
    : Number.NaN;

/** Whether a name is one of the configured files, and not one that is still being written by custom. */
export function nameFilter(pattern: string): (name: string) => boolean {
  const source = pattern
    .split("*")
    .map((literal) => literal.replace(/[\\^$.+?()[\]{}|]/g, "\\$&"))
    .join(".*");
  const expression = new RegExp(`^${source}$`, "i");
  return (name) => !name.startsWith(".") && !/\.(tmp|part)$/i.test(name) && expression.test(name);
}
