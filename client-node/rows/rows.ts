import { createHmac } from "node:crypto";
import { type Cell, isMissing, numberOf, textOf } from "../../core/cell.ts";
import { columnAt, type RecordStream, type Records, requireColumns } from "../../core/csv.ts";
import { monthOf } from "../../core/month.ts";
import { Refusal } from "../../core/reasons.ts";
import { cellReader, columnReader, type Passage, unchanged } from "../../models/cells.ts";
import { selectRows } from "../../models/rows.ts";
import { columnsRead, type StudyManifest } from "../../models/study.ts";
import type { Table } from "../../models/table.ts";
import { ColumnsWriter } from "./stored-columns.ts";

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
  const taker = new RowTaker(schema, salt, passage, {
    read: (feature, cell, row) => readers[feature]!.read(cell, row),
    taken: () => {},
    columns: (rows) => new Map(schema.features.map((feature, i) => [feature.name, readers[i]!.column(rows)])),
  });
  for (const source of sources) source.each(taker.begin(source));
  return taker.end(tell);
}

/**
 * As {@link tableFromRecords}, of a table that is larger than memory: its columns lie on disk. What is held of a row are
 * its label, its side of the split, its subject and its place among the records.
 * @param folder - on a disk with room for eight bytes a cell. @param blockCells - cells that are read together.
 * @throws as tableFromRecords; disk_full
 */
export async function tableFromStreams(
  sources: readonly RecordStream[],
  schema: RowSchema,
  salt: Uint8Array,
  folder: string,
  passage: Passage = unchanged,
  tell?: (counts: RowCounts) => void,
  blockCells?: number,
): Promise<Table> {
  const writer = await ColumnsWriter.begin(folder, schema.features, blockCells);
  try {
    const readers = schema.features.map((feature) => cellReader(feature));
    const taker = new RowTaker(schema, salt, passage, {
      read(feature, cell) {
        const value = readers[feature]!(cell);
        if (typeof value === "string") return value;
        writer.set(feature, value);
        return undefined;
      },
      taken: () => writer.next(),
      columns: () => writer.end(),
    });
    for (const source of sources) await source.each(taker.begin(source));
    return taker.end(tell);
  } catch (error) {
    writer.abandon();
    throw error;
  }
}

/** Where the cells of a table go. */
interface CellStore {
  /** @returns what is wrong with the cell; undefined when nothing is. */
  read(feature: number, cell: Cell, row: number): string | undefined;
  /** All cells of a row were read. */
  taken(): void;
  columns(rows: number): Table["columns"];
}

/** Takes records of several sources as rows of one table, in order. */
class RowTaker {
  readonly #schema: RowSchema;
  readonly #splitKey: Uint8Array;
  readonly #passage: Passage;
  readonly #store: CellStore;
  readonly #outcomeOf: ReturnType<typeof labelReader>;
  readonly #from: number;
  readonly #label = new Growing(Uint8Array);
  readonly #outcome = new Growing(Uint8Array);
  readonly #holdout = new Growing(Uint8Array);
  readonly #firstMonth = new Growing(Uint8Array);
  readonly #subject = new Growing(Int32Array);
  readonly #recordOf = new Growing(Int32Array);
  readonly #subjectOfRecord = new Growing(Int32Array);
  readonly #subjects = new Map<string, number>();
  readonly #later = new Set<number>();
  readonly #names: string[] = [];
  readonly #faults = new CellFaults();
  #records = 0;
  #unlabelled = 0;
  #rows = 0;

  constructor(schema: RowSchema, salt: Uint8Array, passage: Passage, store: CellStore) {
    this.#schema = schema;
    this.#splitKey = splitKeyOf(schema.holdout, salt);
    this.#passage = passage;
    this.#store = store;
    this.#outcomeOf = labelReader(schema.label);
    const { outOfTime } = schema.holdout;
    this.#from = outOfTime === undefined ? Infinity : monthOf(outOfTime.from)!;
  }

  /** @returns what takes the source's records. @throws Refusal column_unknown, file_malformed, and the passage's */
  begin(source: Pick<Records, "name" | "header">): (cells: readonly Cell[], line: number) => void {
    const schema = this.#schema;
    const passage = this.#passage;
    this.#names.push(source.name);
    const { outOfTime } = schema.holdout;
    const at = (column: string): number => columnAt(source, column);
    const header = { name: source.name, at };
    const reads = columnsRead(schema).flatMap((column) => passage.reads(column));
    requireColumns(source, schema.subject === undefined ? reads : [...reads, schema.subject]);
    const features = schema.features.map((feature) => passage.take(feature.name, header));
    const takeLabel = passage.take(schema.label.column, header);
    const takeDate = outOfTime === undefined ? undefined : passage.take(outOfTime.column, header);
    const subjectAt = schema.subject === undefined ? undefined : at(schema.subject);

    return (cells, line) => {
      const key = subjectAt === undefined ? String(this.#records) : textOf(cells[subjectAt]);
      const record = this.#records++;
      const subject = subjectAt === undefined ? record : this.#subjectOf(key);
      this.#subjectOfRecord.push(subject);
      const labelCell = takeLabel(cells, line);
      const code = this.#outcomeOf(labelCell);
      if (code === undefined || code === "indeterminate") {
        if (isMissing(textOf(labelCell))) this.#unlabelled++;
        else if (code === undefined && schema.label.indeterminate !== undefined)
          this.#faults.add(source, line, schema.label.column, "named in none of bad, good and indeterminate");
        return;
      }
      const row = this.#rows;
      if (key === "") this.#faults.add(source, line, schema.subject!, "no subject");
      for (let i = 0; i < features.length; i++) {
        const problem = this.#store.read(i, features[i]!(cells, line), row);
        if (problem !== undefined) this.#faults.add(source, line, schema.features[i]!.name, problem);
      }
      const month = takeDate === undefined ? -Infinity : monthOf(textOf(takeDate(cells, line)));
      if (month === undefined)
        this.#faults.add(source, line, outOfTime!.column, "not a date such as 2015-07-31");
      else if (month > this.#from) this.#later.add(subject);
      this.#label.push(code >= schema.label.good.length ? 1 : 0);
      this.#outcome.push(code);
      this.#subject.push(subject);
      this.#recordOf.push(record);
      this.#firstMonth.push(month === this.#from ? 1 : 0);
      this.#holdout.push(
        isHeldOut(schema.holdout, this.#splitKey, key) || (month ?? 0) >= this.#from ? 1 : 0,
      );
      this.#store.taken();
      this.#rows++;
    };
  }

  #subjectOf(key: string): number {
    const known = this.#subjects.get(key);
    if (known !== undefined) return known;
    const next = this.#subjects.size;
    this.#subjects.set(key, next);
    return next;
  }

  /** @throws Refusal cell_malformed, rows_missing, label_not_binary */
  end(tell?: (counts: RowCounts) => void): Table {
    const [records, rows, unlabelled] = [this.#records, this.#rows, this.#unlabelled];
    this.#faults.refuse();
    tell?.({ records, unlabelled, indeterminate: records - rows - unlabelled });

    const names = this.#names.join(", ");
    if (records === 0) throw new Refusal("rows_missing", `${names}: no rows`);
    if (rows === 0)
      throw new Refusal(
        "label_not_binary",
        `${names}: no cell of "${this.#schema.label.column}" is named in label.bad or label.good`,
      );
    const table: Table = {
      rows,
      columns: this.#store.columns(rows),
      label: this.#label.end(),
      outcome: this.#outcome.end(),
      subject: this.#subject.end(),
      holdout: this.#holdout.end(),
      records: { of: this.#recordOf.end(), subject: this.#subjectOfRecord.end() },
    };
    if (this.#schema.holdout.outOfTime === undefined) return table;
    const later = this.#later;
    const firstHeldOut = this.#firstMonth.end().map((is, row) => (later.has(table.subject[row]!) ? 0 : is));
    return withoutEarlier({ ...table, firstHeldOut });
  }
}

/** An array of which nobody knows how long it will be. */
class Growing<Of extends Uint8Array | Int32Array> {
  readonly #kind: new (
    length: number,
  ) => Of;
  #values: Of;
  #length = 0;

  constructor(kind: new (length: number) => Of) {
    this.#kind = kind;
    this.#values = new kind(1024);
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const longer = new this.#kind(2 * this.#length);
      longer.set(this.#values);
      this.#values = longer;
    }
    this.#values[this.#length++] = value;
  }

  end(): Of {
    return this.#values.slice(0, this.#length) as Of;
  }
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
 * What deals a table's rows by one share. Every share deals anew: dealt alike, two studies whose shares differ by a
 * thousandth would differ by a row or two, and subtracting their sums would show them.
 *
 * @param salt - 32 bytes that nobody else knows, drawn once a table.
 */
export const splitKeyOf = ({ fraction }: StudyManifest["holdout"], salt: Uint8Array): Uint8Array =>
  createHmac("sha256", salt).update(String(fraction)).digest();

/**
 * Which side of the split a row is on: a function of the split's key and the row's, so that a subject's rows
 * at an enterprise are on one side. A public seed could be tried until one person alone is held out.
 *
 * @param splitKey - see {@link splitKeyOf}.
 * @param key - the subject, or the record's number from 0 where the study names no subject.
 */
export function isHeldOut(split: StudyManifest["holdout"], splitKey: Uint8Array, key: string): boolean {
  if (split.fraction === 0) return false;
  const digest = createHmac("sha256", splitKey).update(key).digest();
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

  add({ name }: Pick<Records, "name">, line: number, column: string, problem: string): void {
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
