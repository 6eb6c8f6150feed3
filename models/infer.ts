/** What a table's columns are, by their cells. */
import { type Cell, isMissing, numberOf, textOf } from "../core/cell.ts";
import { columnAt, type Records } from "../core/csv.ts";
import { Refusal } from "../core/reasons.ts";
import { canName } from "./study.ts";
import type { FeatureSchema } from "./table.ts";

/** A column that is no feature as it stands, and what to do about it. */
export interface ColumnLeftOut {
  readonly name: string;
  readonly kind:
    | "date"
    | "identifier"
    | "text"
    | "constant"
    | "empty"
    | "almost numeric"
    | "unnamed"
    | "wrongly named"
    | "twice";
  readonly advice: string;
}

export interface InferredFeatures {
  readonly features: readonly FeatureSchema[];
  readonly leftOut: readonly ColumnLeftOut[];
}

/** Levels beyond which a column is free text, unless it is asked for. */
const mostLevels = 100;
const mostLevelsAskedFor = 1000;
const mostExamples = 3;

interface Column {
  readonly name: string;
  readonly index: number;
  readonly values: Set<string>;
  /** Cells that are no number, by their text; as many as levels may be. */
  readonly odd: Map<string, number>;
  /** What stands beside the number in cells that are one with something before or after it; a few. */
  readonly marks: Set<string>;
  marked: number;
  rows: number;
  missing: number;
  numbers: number;
  dates: number;
  integers: number;
  low: number;
  high: number;
}

const months = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec";
const datePatterns = [
  /^\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([T ]\d{1,2}:\d{2}.*)?$/,
  /^\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})( \d{1,2}:\d{2}.*)?$/,
  new RegExp(`^(\\d{1,2}[- ])?(${months})[a-z]*[- ](\\d{4}|\\d{2})$`, "i"),
  /^\d{4}年\d{1,2}月(\d{1,2}日)?$/,
];
const packedDate = /^(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$/;

const isDate = (text: string): boolean =>
  packedDate.test(text) || datePatterns.some((pattern) => pattern.test(text));

/**
 * Guesses a feature's kind from its cells: numeric where every cell that is not missing is a number, categorical with
 * the levels that occur (sorted) otherwise. Dates, identifiers, free text, constants and columns of numbers with a few
 * odd cells are no features as they stand: one-hot they would be levels of a row each, and separate the classes.
 *
 * Only for data whose owner is also the reader: levels and examples are values.
 *
 * @param exclude - columns that are no features: the label, the subject.
 * @param names - the features wanted, in order; every other column when absent.
 * @returns what is left out is said; a column that was asked for by name is not left out.
 * @throws Refusal column_unknown, and cell_malformed naming every column that was asked for and is no feature, and every
 *   one of numbers with odd cells.
 */
export function inferFeatures(
  source: Records,
  exclude: readonly string[],
  names?: readonly string[],
): InferredFeatures {
  const leftOut: ColumnLeftOut[] = [];
  const wanted = names ?? namedColumns(source, exclude, leftOut);
  const columns = wanted.map((name) => newColumn(name, columnAt(source, name)));
  source.each((cells) => {
    for (const column of columns) take(column, cells[column.index]);
  });
  const features: FeatureSchema[] = [];
  const faults: ColumnLeftOut[] = [];
  for (const column of columns) {
    const problem = problemOf(column, names !== undefined);
    if (problem === undefined) features.push(featureOf(column));
    else if (names !== undefined || problem.kind === "almost numeric") faults.push(problem);
    else leftOut.push(problem);
  }
  if (faults.length > 0)
    throw new Refusal(
      "cell_malformed",
      faults
        .map(({ name, kind, advice }) => `${source.name}: column "${name}" is ${kind}: ${advice}`)
        .join("; "),
      {
        hint: `correct the cells, say what stands for a missing value, or ${names === undefined ? "choose the features by name" : "do not name the column as a feature"}`,
      },
    );
  if (features.length === 0)
    throw new Refusal("column_unknown", `${source.name}: none of its columns is a feature`, {
      hint:
        leftOut
          .slice(0, mostExamples)
          .map(({ name, kind, advice }) => `${name} is ${kind}: ${advice}`)
          .join("; ") || "it has the label only",
    });
  return { features, leftOut };
}

function namedColumns({ header }: Records, exclude: readonly string[], leftOut: ColumnLeftOut[]): string[] {
  const names: string[] = [];
  for (const [index, name] of header.entries()) {
    if (exclude.includes(name)) continue;
    if (name === "")
      leftOut.push({ name: `${index + 1}`, kind: "unnamed", advice: "give it a name in the header line" });
    else if (header.indexOf(name) !== header.lastIndexOf(name)) {
      if (header.indexOf(name) === index)
        leftOut.push({ name, kind: "twice", advice: "rename one of them in the header line" });
    } else names.push(name);
  }
  return names;
}

const newColumn = (name: string, index: number): Column => ({
  name,
  index,
  values: new Set(),
  odd: new Map(),
  marks: new Set(),
  marked: 0,
  rows: 0,
  missing: 0,
  numbers: 0,
  dates: 0,
  integers: 0,
  low: Infinity,
  high: -Infinity,
});

function take(column: Column, cell: Cell): void {
  column.rows++;
  const text = textOf(cell);
  if (isMissing(text)) {
    column.missing++;
    return;
  }
  column.values.add(text);
  if (isDate(text)) column.dates++;
  const number = numberOf(cell);
  if (number === undefined) {
    const mark = marked.exec(text);
    if (mark !== null) {
      column.marked++;
      if (column.marks.size <= mostExamples) column.marks.add((mark[1] || mark[2])!);
    }
    if (column.odd.has(text) || column.odd.size <= mostLevelsAskedFor)
      column.odd.set(text, (column.odd.get(text) ?? 0) + 1);
    return;
  }
  column.numbers++;
  if (Number.isInteger(number)) column.integers++;
  column.low = Math.min(column.low, number);
  column.high = Math.max(column.high, number);
}

/** @returns why a column is no feature; undefined where it is one. */
function problemOf(column: Column, askedFor: boolean): ColumnLeftOut | undefined {
  const { name, rows, missing, values, numbers, dates, odd } = column;
  const present = rows - missing;
  const is = (kind: ColumnLeftOut["kind"], advice: string): ColumnLeftOut => ({ name, kind, advice });
  if (!canName(name)) return is("wrongly named", "no feature can be called so: rename it in the header line");
  // One row shows nothing of a column.
  if (rows < 2) return undefined;
  if (present === 0) return is("empty", "every cell is missing");
  if (values.size === 1 && missing === 0) return is("constant", "it holds one value in every row");
  if (dates === present && (numbers < present || values.size > 1))
    return is("date", "make a number of it that is known at the loan's start, its age in months say");
  const almost = numbers >= 0.9 * present && numbers < present && values.size > 20;
  if (almost) {
    const cells = present - numbers;
    const examples = [...odd.keys()].slice(0, mostExamples).map((text) => `"${text}"`);
    return is("almost numeric", `${cells} of ${present} cells are no numbers, like ${examples.join(", ")}`);
  }
  if (isIdentifier(column))
    return is(
      "identifier",
      `each row has its own: it predicts nothing; name it as the subject${orNumbers(column)}`,
    );
  if (numbers < present && values.size > (askedFor ? mostLevelsAskedFor : mostLevels))
    return is("text", `it has ${values.size} values: group them${orNumbers(column)}`);
  return undefined;
}

/** A number, and what it may be counted in before or after it. */
const marked = /^([^\d\s.,'+-]*)\s?[+-]?\d[\d.,'’\u00a0\u202f]*\s?([^\d\s.,]*)$/u;

/** @returns what to do where a column is of numbers beside a unit or currencies, which only its owner can tell. */
function orNumbers({ rows, missing, numbers, marked, marks }: Column): string {
  if (marks.size > mostExamples || marked < 0.9 * (rows - missing - numbers)) return "";
  const all = [...marks].map((mark) => `"${mark}"`).join(", ");
  return marks.size === 1
    ? `; where it is a number, leave ${all} away`
    : `; where it is a number, write it in one unit instead of ${all}, and leave that away`;
}

/** Each row has its own, and it counts, or is called a number of something, or is no number. */
function isIdentifier({ name, rows, missing, values, numbers, integers, low, high }: Column): boolean {
  const present = rows - missing;
  if (numbers < present) return present >= 50 && values.size >= 0.95 * present;
  if (present < 100 || integers < present || values.size < present) return false;
  return (
    high - low < 2 * present ||
    /(^|[_\s.-])(id|no|nr|number|key|code)$/i.test(name) ||
    /[a-z](Id|ID|No|Nr)$/.test(name)
  );
}

const featureOf = ({ name, values, numbers, rows, missing }: Column): FeatureSchema =>
  numbers === rows - missing
    ? { name, kind: "numeric" }
    : { name, kind: "categorical", levels: [...values].sort() };
