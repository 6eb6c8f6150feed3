/** CSV as people have it: separators, decimal signs and encodings of other places, with one reader for all commands. */
import { parse } from "csv-parse/sync";
import { z } from "zod";
import { amountOf, isPlainNumber, withoutCurrency } from "./amount.ts";
import { type Cell, isMissing } from "./cell.ts";
import { Refusal, refuseAll } from "./reasons.ts";

export const csvOptionsSchema = z.strictObject({
  delimiter: z
    .enum([",", ";", "\t", "|"])
    .optional()
    .describe("between cells; found out from the header line where it is not said"),
  encoding: z
    .string()
    .min(1)
    .optional()
    .describe("of the text, as the WHATWG names it: gbk, windows-1252, utf-16le; UTF-8 where it is not said"),
  decimal: z
    .enum([".", ","])
    .optional()
    .describe(
      "decimal sign; found out from the cells where it is not said, a point where they leave it open",
    ),
  missing: z
    .array(z.string())
    .default([])
    .describe("cells that stand for a missing value, beside the usual ones: empty, NA, NULL, ?, -"),
});

export type CsvOptions = Partial<z.infer<typeof csvOptionsSchema>>;

/** A file's records, read once, in order. */
export interface Records {
  /** For messages. */
  readonly name: string;
  /** As the header line has them: a name may be empty, or there twice. */
  readonly header: readonly string[];
  /** No more records than this. */
  readonly atMost: number;
  /** @param visit - gets the cells in header order, and the line (CSV) or row (Parquet), from 1. */
  each(visit: (cells: readonly Cell[], line: number) => void): void;
}

/** Records that are read again from where they lie each time: of a file that is larger than memory. */
export interface RecordStream extends Omit<Records, "each" | "atMost"> {
  /** As {@link Records} has it. @throws what it throws there */
  each(visit: (cells: readonly Cell[], line: number) => void): Promise<void>;
}

/**
 * @returns where a column is. @throws Refusal column_unknown, file_malformed where the header names it twice
 */
export function columnAt({ name, header }: Pick<Records, "name" | "header">, column: string): number {
  const index = header.indexOf(column);
  if (index < 0)
    throw new Refusal("column_unknown", `${name}: no column "${column}"`, {
      hint: `the columns are ${shortened(header)}`,
    });
  if (header.lastIndexOf(column) !== index)
    throw new Refusal("file_malformed", `${name}: column "${column}" appears twice`, {
      hint: "rename or remove one of them in the header line",
    });
  return index;
}

const longestHint = 1000;

/** Of a file that is parted otherwise than it seemed, the header is all of its rows. */
function shortened(header: readonly string[]): string {
  const text = header.join(", ");
  return text.length <= longestHint ? text : `${text.slice(0, longestHint)} … (${header.length} in all)`;
}

/** @throws Refusal naming every column that a source lacks, or has twice. */
export function requireColumns(source: Pick<Records, "name" | "header">, columns: Iterable<string>): void {
  const faults: Refusal[] = [];
  for (const column of new Set(columns))
    try {
      columnAt(source, column);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      faults.push(error);
    }
  refuseAll(faults);
}

/**
 * @param start - of the text: a byte order mark of UTF-16 counts where no encoding is said.
 * @throws Refusal usage for an unknown encoding
 */
export function textDecoder(start: Uint8Array, encoding?: string): InstanceType<typeof TextDecoder> {
  const marked =
    start[0] === 0xff && start[1] === 0xfe
      ? "utf-16le"
      : start[0] === 0xfe && start[1] === 0xff
        ? "utf-16be"
        : "utf-8";
  try {
    return new TextDecoder(encoding ?? marked, { fatal: true, ignoreBOM: false });
  } catch (cause) {
    throw new Refusal("usage", `no encoding is called ${encoding}`, {
      hint: "utf-8, gbk, gb18030, big5, shift_jis, windows-1252, utf-16le, …",
      cause,
    });
  }
}

/**
 * @param encoding - UTF-8 where absent; a byte order mark of UTF-16 counts.
 * @throws Refusal file_malformed where the bytes are not of the encoding, usage for an unknown one
 */
export function decodeText(bytes: Uint8Array, name: string, encoding?: string): string {
  const decoder = textDecoder(bytes, encoding);
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new Refusal(
      "file_malformed",
      `${name}: not ${(encoding ?? decoder.encoding).toUpperCase()} text of at most 512 MiB`,
      {
        hint: "say its encoding (gbk, windows-1252, …), save the file as UTF-8, or use Parquet for larger ones",
        cause,
      },
    );
  }
}

const delimiters = [",", ";", "\t", "|"] as const;
const looked = 200;

/** @returns what most divides the header line, and the next lines alike. */
function delimiterOf(text: string): string {
  const lines = text
    .slice(0, 1 << 16)
    .split(/\r?\n/, 6)
    .filter((line) => line !== "")
    .map((line) => line.replaceAll(/"[^"]*"/g, ""));
  const [header = "", ...rest] = lines;
  const counts = (line: string, delimiter: string): number => line.split(delimiter).length - 1;
  const alike = (delimiter: string): number =>
    rest.filter((line) => counts(line, delimiter) === counts(header, delimiter)).length;
  return [...delimiters].sort(
    (a, b) =>
      Number(counts(header, b) > 0) - Number(counts(header, a) > 0) ||
      alike(b) - alike(a) ||
      counts(header, b) - counts(header, a),
  )[0]!;
}

// Three digits after a sign may be thousands: they say nothing.
const withComma = /^[+-]?(?:\d{1,3}(?:[.'’\u00a0\u202f]\d{3})+|\d+),(?:\d{1,2}|\d{4,})\s?%?$/;
const withPoint = /^[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)\.(?:\d{1,2}|\d{4,})\s?%?$/;
const commaNumber = /^[+-]?(?:\d{1,3}(?:[.'’\u00a0\u202f]\d{3})+|\d+),\d+\s?%?$/;

/** @returns by column the one currency that its first cells are amounts of, beside numbers and missing ones. */
function currenciesOf(lines: Iterable<Line>, missing: ReadonlySet<string>): ReadonlyMap<number, string> {
  const currencies = new Map<number, string>();
  const others = new Set<number>();
  let seen = 0;
  for (const { cells } of lines) {
    if (seen++ === 0) continue;
    if (seen > looked) break;
    for (const [column, cell] of cells.entries()) {
      const text = cell.trim();
      if (isMissing(text) || missing.has(text) || isPlainNumber(text)) continue;
      const currency = amountOf(text)?.currency;
      if (currency === undefined || currency !== (currencies.get(column) ?? currency)) others.add(column);
      else currencies.set(column, currency);
    }
  }
  for (const column of others) currencies.delete(column);
  return currencies;
}

/** @returns a comma where cells are written with one, and none with a point. */
function decimalOf(lines: Iterable<Line>, currencies: ReadonlyMap<number, string>): "." | "," {
  let commas = 0;
  let seen = 0;
  for (const { cells } of lines) {
    if (seen++ > looked) break;
    for (const [column, cell] of cells.entries()) {
      const text = withoutCurrency(cell, currencies.get(column)).trim();
      if (withPoint.test(text)) return ".";
      if (withComma.test(text)) commas++;
    }
  }
  return commas > 0 ? "," : ".";
}

/**
 * @param text - CSV with a header line. @see RFC 4180
 * @throws Refusal file_malformed without a header, with a record of another width, or a stray quote.
 */
export function csvRecords(text: string, name: string, options: CsvOptions = {}): Records {
  const whole = withNewlines(text.startsWith("\uFEFF") ? text.slice(1) : text);
  const content = whole.replace(separatorLine, "$2");
  const delimiter = options.delimiter ?? saidIn(whole) ?? delimiterOf(content);
  const each = content.includes('"') ? quoted(content, name, delimiter) : unquoted(content, delimiter);
  let header: readonly string[] | undefined;
  for (const { cells } of each) {
    header = cells.map((cell) => cell.trim());
    break;
  }
  if (header === undefined) throw noHeader(name);
  const read = cellsReader({ name, width: header.length, beginning: each, delimiter }, options);
  return {
    name,
    header,
    atMost: countLines(content),
    each(visit) {
      let isHeader = true;
      for (const { cells, line } of each) {
        if (isHeader) {
          isHeader = false;
          continue;
        }
        visit(read(cells, line), line);
      }
    },
  };
}

/** Before the header line, for spreadsheets. */
const separatorLine = /^sep=(.)(\r?\n)/i;

const saidIn = (text: string): string | undefined =>
  delimiters.find((one) => one === separatorLine.exec(text)?.[1]);

/** Old spreadsheets end lines by a carriage return alone. */
const endsInReturns = (start: string): boolean => !start.includes("\n") && start.includes("\r");

const withNewlines = (text: string): string => (endsInReturns(text) ? text.replaceAll("\r", "\n") : text);

const noHeader = (name: string): Refusal =>
  new Refusal("file_malformed", `${name}: no header line`, { hint: "the first line names the columns" });

interface Dialect {
  readonly name: string;
  readonly width: number;
  /** Header line and first records: signs of currency and decimals are found out from them. */
  readonly beginning: Iterable<Line>;
  readonly delimiter: string;
}

/** @returns what makes a record of a line's cells. It throws Refusal file_malformed. */
function cellsReader(
  { name, width, beginning, delimiter }: Dialect,
  options: CsvOptions,
): (cells: readonly string[], line: number) => readonly string[] {
  const missing = new Set(options.missing ?? []);
  const currencies = currenciesOf(beginning, missing);
  // Where commas part the cells, a number with a comma is more likely text or thousands.
  const decimal = options.decimal ?? (delimiter === "," ? "." : decimalOf(beginning, currencies));
  const pointed = (cell: string): string =>
    commaNumber.test(cell.trim())
      ? cell
          .trim()
          .replaceAll(/[.'’\u00a0\u202f]/g, "")
          .replace(",", ".")
      : cell;
  const reads: ((cell: string, column: number) => string)[] = [
    ...(missing.size > 0 ? [(cell: string) => (missing.has(cell.trim()) ? "" : cell)] : []),
    ...(currencies.size > 0
      ? [(cell: string, column: number) => withoutCurrency(cell, currencies.get(column))]
      : []),
    ...(decimal === "," ? [pointed] : []),
  ];
  return (cells, line) => {
    if (cells.length !== width)
      throw new Refusal(
        "file_malformed",
        `${name}:${line}: ${cells.length} cells where the header has ${width}`,
      );
    return reads.reduce<readonly string[]>((read, change) => read.map(change), cells);
  };
}

/** Characters of a record at most, where quotes join its lines. */
const longestRecord = 1 << 20;

/**
 * {@link csvRecords} of a file that is not held in memory: separator and decimal sign are found out from its beginning.
 * @param open - gives the text from its beginning, in pieces.
 * @throws as csvRecords
 */
export async function csvStream(
  open: () => AsyncIterable<string>,
  name: string,
  options: CsvOptions = {},
): Promise<RecordStream> {
  let head = "";
  for await (const piece of open()) {
    head += piece;
    if (head.length >= 1 << 16) break;
  }
  const lone = endsInReturns(head);
  const start = withNewlines(head.startsWith("\uFEFF") ? head.slice(1) : head);
  const delimiter = options.delimiter ?? saidIn(start) ?? delimiterOf(start.replace(separatorLine, ""));
  const records = (): ReturnType<typeof recordsIn> => recordsIn(lone ? newlined(open()) : open(), name);
  const cellsOf = (text: string): readonly string[] => {
    if (!text.includes('"')) return text.split(delimiter);
    for (const { cells } of quoted(text, name, delimiter)) return cells;
    return [];
  };
  const beginning: Line[] = [];
  for await (const { text, line } of records()) {
    beginning.push({ cells: cellsOf(text), line });
    if (beginning.length > looked) break;
  }
  const header = beginning[0]?.cells.map((cell) => cell.trim());
  if (header === undefined) throw noHeader(name);
  const read = cellsReader({ name, width: header.length, beginning, delimiter }, options);
  return {
    name,
    header,
    async each(visit) {
      let isHeader = true;
      for await (const { text, line } of records()) {
        if (isHeader) {
          isHeader = false;
          continue;
        }
        visit(read(cellsOf(text), line), line);
      }
    },
  };
}

async function* newlined(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const piece of pieces) yield piece.replaceAll("\r", "\n");
}

/** @yields texts of records without their ends, and the line each begins at: lines, joined as long as a quote is open. */
async function* recordsIn(
  pieces: AsyncIterable<string>,
  name: string,
): AsyncGenerator<{ readonly text: string; readonly line: number }> {
  let rest = "";
  let line = 0;
  let begun = 1;
  let open: string | undefined;
  const take = (ended: string): { text: string; line: number } | undefined => {
    line++;
    if (open === undefined) begun = line;
    const text = open === undefined ? ended : `${open}\n${ended}`;
    const isOpen = text.includes('"') && text.split('"').length % 2 === 0;
    if (isOpen && text.length > longestRecord)
      throw new Refusal("file_malformed", `${name}: quotes do not match near line ${begun}`);
    open = isOpen ? text : undefined;
    const bare = text.endsWith("\r") ? text.slice(0, -1) : text;
    const isRecord = !isOpen && bare !== "" && !(begun === 1 && separatorLine.test(`${bare}\n`));
    return isRecord ? { text: bare, line: begun } : undefined;
  };
  let first = true;
  for await (const piece of pieces) {
    const text = rest + (first && piece.startsWith("\uFEFF") ? piece.slice(1) : piece);
    first = false;
    const lines = text.split("\n");
    rest = lines.pop()!;
    if (rest.length > 64 * longestRecord)
      throw new Refusal("file_malformed", `${name}: line ${line + 1} does not end`);
    for (const ended of lines) {
      const record = take(ended);
      if (record !== undefined) yield record;
    }
  }
  if (rest !== "") {
    const record = take(rest);
    if (record !== undefined) yield record;
  }
  if (open !== undefined)
    throw new Refusal("file_malformed", `${name}: quotes do not match near line ${begun}`);
}

interface Line {
  readonly cells: readonly string[];
  readonly line: number;
}

/** Without a quote in the file a record is a line and a cell is what lies between delimiters: three times as fast. */
const unquoted = (text: string, delimiter: string): Iterable<Line> => ({
  *[Symbol.iterator]() {
    let start = 0;
    for (let line = 1; start < text.length; line++) {
      const newline = text.indexOf("\n", start);
      let end = newline < 0 ? text.length : newline;
      const next = end + 1;
      if (end > start && text.charCodeAt(end - 1) === 13) end--;
      if (end > start) yield { cells: text.slice(start, end).split(delimiter), line };
      start = next;
    }
  },
});

function quoted(text: string, name: string, delimiter: string): Iterable<Line> {
  const lines: Line[] = [];
  try {
    parse(text, {
      delimiter,
      relax_column_count: true,
      skip_empty_lines: true,
      on_record: (cells: string[], { lines: line }) => {
        lines.push({ cells, line });
        return null;
      },
    });
  } catch (error) {
    throw new Refusal("file_malformed", `${name}: ${quoteProblem(error)}`, { cause: error });
  }
  return lines;
}

/** The parser's own message quotes the cell, which must not travel. */
function quoteProblem(error: unknown): string {
  const { code, lines } = error as { code?: string; lines?: number };
  return `quotes do not match${lines === undefined ? "" : ` near line ${lines}`} (${code ?? "unreadable"})`;
}

function countLines(text: string): number {
  let lines = 1;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines++;
  return lines;
}
