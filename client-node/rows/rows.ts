import { createHmac } from "node:crypto";
import { type Cell, isMissing, numberOf, textOf } from "../../core/cell.ts";
import { columnAt, type Records, requireColumns } from "../../core/csv.ts";
import { monthOf } from "../../core/month.ts";
import { Refusal } from "../../core/reasons.ts";
import { columnReader, type Passage, unchanged } from "../../models/cells.ts";
import { selectRows } from "../../models/rows.ts";
import { columnsRead, type StudyManifest } from "../../models/study.ts";
import type { Table } from "../../models/table.ts";

/** What of a manifest says how cells become a table. */
export type RowSchema = Pick<StudyManifest, "features" | "label" | "subject" | "holdout">;

/** What became of the records on their way into a table. */
export interface RowCounts {
  readonly records: number;
  /** Left out: the label is missing. */
  readonly unlabelled: number;
  /** Left out: the label is named neither as bad nor as good. */
  readonly indeterminate: number;
}

/** @param rows - that are left at the end. */
export function describeCounts({ records, unlabelled, indeterminate }: RowCounts, rows: number): string {
  const suppressed = records - unlabelled - indeterminate - rows;
  const out = [
    ...(unlabelled > 0 ? [`${unlabelled} have no label`] : []),
    ...(indeterminate > 0 ? [`${indeterminate} are neither good nor bad`] : []),
    ...(suppressed > 0 ? [`${suppressed} stand out too much`] : []),
  ];
  return `${rows} of ${records} rows take part${out.length > 0 ? `: ${out.join(", ")}` : ""}`;
}

/**
 * Reads several sources as one table, in order.
 *
 * @param salt - the table's own, which deals its rows to training and hold-out.
 * @param passage - what of a feature, of the label and of a date passes. The subject does not: of it only the side of the
 *   split is taken, and which rows are one subject's.
 * @param tell - how many records were left out, and why.
 * @throws Refusal column_unknown and cell_malformed, naming every column with its first line; label_not_binary,
 *   rows_missing, and the passage's. A message never holds a cell's value: a refusal may travel further than the cell.
 */
export function tableFromRecords(
  sources: readonly Records[],
  schema: RowSchema,
  salt: Uint8Array,
  passage: Passage = unchanged,
  tell?: (counts: RowCounts) => void,
): Table {
  const capacity = sources.reduce((rows, source) => rows + source.atMost, 0);
  const readers = schema.features.map((feature) => columnReader(feature, capacity));
  const label = new Uint8Array(capacity);
  const outcome = new Uint8Array(capacity);
  const holdout = new Uint8Array(capacity);
  const subject = new Int32Array(capacity);
  const subjects = new Map<string, number>();
  const firstMonth = new Uint8Array(capacity);
  const later = new Set<number>();
  const outcomeOf = labelReader(schema.label);
  const { outOfTime } = schema.holdout;
  const from = outOfTime === undefined ? Infinity : monthOf(outOfTime.from)!;
  let records = 0;
  let unlabelled = 0;
  let rows = 0;

  const faults = new CellFaults();
  for (const source of sources) {
    const at = (column: string): number => columnAt(source, column);
    const header = { name: source.name, at };
    const reads = columnsRead(schema).flatMap((column) => passage.reads(column));
    requireColumns(source, schema.subject === undefined ? reads : [...reads, schema.subject]);
    const features = schema.features.map((feature) => passage.take(feature.name, header));
    const takeLabel = passage.take(schema.label.column, header);
    const takeDate = outOfTime === undefined ? undefined : passage.take(outOfTime.column, header);
    const subjectAt = schema.subject === undefined ? undefined : at(schema.subject);

    source.each((cells, line) => {
      const key = subjectAt === undefined ? String(records) : textOf(cells[subjectAt]);
      records++;
      const labelCell = takeLabel(cells, line);
      const code = outcomeOf(labelCell);
      if (code === undefined || code === "indeterminate") {
        if (isMissing(textOf(labelCell))) unlabelled++;
        else if (code === undefined && schema.label.indeterminate !== undefined)
          faults.add(source, line, schema.label.column, "named in none of bad, good and indeterminate");
        return;
      }
      if (key === "") faults.add(source, line, schema.subject!, "no subject");
      for (let i = 0; i < readers.length; i++) {
        const problem = readers[i]!.read(features[i]!(cells, line), rows);
        if (problem !== undefined) faults.add(source, line, schema.features[i]!.name, problem);
      }
      label[rows] = code >= schema.label.good.length ? 1 : 0;
      outcome[rows] = code;
      subject[rows] = subjects.get(key) ?? subjects.size;
      subjects.set(key, subject[rows]!);
      const month = takeDate === undefined ? -Infinity : monthOf(textOf(takeDate(cells, line)));
      if (month === undefined) faults.add(source, line, outOfTime!.column, "not a date such as 2015-07-31");
      else if (month === from) firstMonth[rows] = 1;
      else if (month > from) later.add(subject[rows]!);
      holdout[rows] = isHeldOut(schema.holdout, salt, key) || (month ?? 0) >= from ? 1 : 0;
      rows++;
    });
  }
  faults.refuse();
  tell?.({ records, unlabelled, indeterminate: records - rows - unlabelled });

  const names = sources.map((source) => source.name).join(", ");
  if (records === 0) throw new Refusal("rows_missing", `${names}: no rows`);
  if (rows === 0)
    throw new Refusal(
      "label_not_binary",
      `${names}: no cell of "${schema.label.column}" is named in label.bad or label.good`,
    );
  const table: Table = {
    rows,
    columns: new Map(schema.features.map((feature, i) => [feature.name, readers[i]!.column(rows)])),
    label: label.slice(0, rows),
    outcome: outcome.slice(0, rows),
    subject: subject.slice(0, rows),
    holdout: holdout.slice(0, rows),
  };
  if (outOfTime === undefined) return table;
  const firstHeldOut = firstMonth.slice(0, rows).map((is, row) => (later.has(table.subject[row]!) ? 0 : is));
  return withoutEarlier({ ...table, firstHeldOut });
}

/** @returns the table without the training rows of subjects that are held out: nobody is on both sides. */
function withoutEarlier(table: Table): Table {
  const late = new Set(table.subject.filter((_, row) => table.holdout[row] === 1));
  return selectRows(table, (row) => table.holdout[row] === 1 || !late.has(table.subject[row]!));
}

/**
 * @returns the table, if a party can take part with it.
 * @throws Refusal rows_missing without training rows, single_class if all their labels are equal.
 */
export function requireLearnable(table: Table): Table {
  let training = 0;
  let bad = 0;
  for (let row = 0; row < table.rows; row++) {
    if (table.holdout[row] === 1) continue;
    training++;
    bad += table.label[row]!;
  }
  if (training === 0) throw new Refusal("rows_missing", "no rows to train on");
  if (bad === 0 || bad === training)
    throw new Refusal("single_class", `all ${training} training rows are ${bad === 0 ? "good" : "bad"}`);
  return table;
}

/**
 * Which side of the split a row is on: a function of the table's salt and the row's key, so that a subject's rows
 * at an enterprise are on one side. A public seed could be tried until one person alone is held out.
 *
 * @param salt - 32 bytes that nobody else knows, drawn once a table.
 * @param key - the subject, or the record's number from 0 where the study names no subject.
 */
export function isHeldOut(split: StudyManifest["holdout"], salt: Uint8Array, key: string): boolean {
  if (split.fraction === 0) return false;
  const digest = createHmac("sha256", salt).update(key).digest();
  return digest.readUIntBE(0, 6) / 2 ** 48 < split.fraction;
}

/** @returns a function from a label cell to its place among good and bad values; undefined where it is of no list. */
function labelReader(label: RowSchema["label"]): (cell: Cell) => number | "indeterminate" | undefined {
  const codes = new Map<string, number | "indeterminate" | undefined>();
  for (const value of label.indeterminate ?? []) codes.set(value, "indeterminate");
  for (const [code, value] of [...label.good, ...label.bad].entries()) {
    if (codes.has(value))
      throw new Refusal(
        "parameters_invalid",
        `label: one value is named twice among bad, good and indeterminate`,
      );
    codes.set(value, code);
  }
  return (cell) => {
    const text = textOf(cell);
    if (!codes.has(text)) {
      // "1.0" in a file is the "1" of a manifest: exports of one table differ in how they print integers.
      const value = numberOf(text);
      codes.set(text, value === undefined ? undefined : codes.get(String(value)));
    }
    return codes.get(text);
  };
}

/** Columns whose faults are named one by one. */
const mostNamed = 40;

/** Cells that cannot be read, by source and column: whoever corrects them needs all of them at once. */
class CellFaults {
  readonly #found = new Map<string, { readonly first: string; cells: number }>();

  add({ name }: Records, line: number, column: string, problem: string): void {
    const key = `${name}\n${column}\n${problem}`;
    const known = this.#found.get(key);
    if (known === undefined)
      this.#found.set(key, { first: `${name}:${line}: column "${column}": ${problem}`, cells: 1 });
    else known.cells++;
  }

  /** @throws Refusal cell_malformed, where there are any */
  refuse(): void {
    if (this.#found.size === 0) return;
    const found = [...this.#found.values()];
    const named = found
      .slice(0, mostNamed)
      .map(({ first, cells }) => (cells === 1 ? first : `${first} (and ${cells - 1} more)`));
    const others = found.length > mostNamed ? [`and ${found.length - mostNamed} more columns`] : [];
    throw new Refusal("cell_malformed", [...named, ...others].join("; "));
  }
}
