/**
 * Columns of a table that is larger than memory, in one file without a name: block after block of rows, in each block
 * column after column, eight bytes a cell. What is read is given as an array of its own.
 */
import { closeSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { isFull, makeDirectory, writeRefusal } from "../../core/files.ts";
import { Refusal } from "../../core/reasons.ts";
import type { Column, FeatureSchema, Table } from "../../models/table.ts";

const cellBytes = 8;
/** 16 MB, whatever the table's width. */
const cellsOfBlock = 1 << 21;

/** Where a column lies: threads of one process share its open files. */
interface Place {
  readonly fd: number;
  readonly index: number;
  readonly width: number;
  readonly blockRows: number;
  /** Rows of the file that are the column's, ascending; all where absent. */
  readonly picked?: Int32Array;
  readonly rows: number;
  readonly levels?: readonly string[];
}

const places = new WeakMap<Column, Place>();
/** Keeps the file open as long as a column of it is in use. */
const owners = new WeakMap<Column, object>();
const closing = new FinalizationRegistry<number>((fd) => closeSync(fd));

/** Takes rows one after the other, each cell once. */
export class ColumnsWriter {
  readonly #fd: number;
  readonly #features: readonly FeatureSchema[];
  readonly #blockRows: number;
  readonly #block: Float64Array;
  #rows = 0;
  #isEnded = false;

  private constructor(fd: number, features: readonly FeatureSchema[], blockCells: number) {
    this.#fd = fd;
    this.#features = features;
    this.#blockRows = Math.max(4, 4 * Math.floor(blockCells / features.length / 4));
    this.#block = new Float64Array(this.#blockRows * features.length);
  }

  /**
   * @param folder - where the disk has room: the file has no name there, and is gone with the process.
   * @throws Refusal disk_full, file_missing
   */
  static async begin(
    folder: string,
    features: readonly FeatureSchema[],
    blockCells = cellsOfBlock,
  ): Promise<ColumnsWriter> {
    await makeDirectory(folder, 0o700);
    const path = join(folder, `.columns-${process.pid}-${performance.now()}`);
    try {
      const fd = openSync(path, "wx+", 0o600);
      rmSync(path);
      return new ColumnsWriter(fd, features, blockCells);
    } catch (cause) {
      throw writeRefusal(path, cause);
    }
  }

  /** @param value - of the row that is being taken: a number, or a level's code. */
  set(feature: number, value: number): void {
    this.#block[feature * this.#blockRows + (this.#rows % this.#blockRows)] = value;
  }

  /** The row is whole. @throws Refusal disk_full */
  next(): void {
    this.#rows++;
    if (this.#rows % this.#blockRows === 0) this.#write();
  }

  #write(): void {
    const bytes = new Uint8Array(this.#block.buffer);
    try {
      for (let at = 0; at < bytes.length; ) {
        const written = writeSync(this.#fd, bytes, at, bytes.length - at);
        if (written === 0) throw Object.assign(new Error("a write took no byte"), { code: "ENOSPC" });
        at += written;
      }
    } catch (cause) {
      if (!isFull(cause)) throw cause;
      throw new Refusal("disk_full", "the disk is full: the table's columns do not fit", {
        hint: "free about eight bytes a cell where dataDir is",
        cause,
      });
    }
  }

  /** Where no table comes of it. */
  abandon(): void {
    if (!this.#isEnded) closeSync(this.#fd);
    this.#isEnded = true;
  }

  end(): ReadonlyMap<string, Column> {
    this.#isEnded = true;
    if (this.#rows % this.#blockRows !== 0) this.#write();
    const owner = {};
    closing.register(owner, this.#fd);
    const of = { fd: this.#fd, width: this.#features.length, blockRows: this.#blockRows, rows: this.#rows };
    return new Map(
      this.#features.map((feature, index) => {
        const levels = feature.kind === "categorical" ? { levels: feature.levels } : {};
        return [feature.name, columnAt({ ...of, index, ...levels }, owner)];
      }),
    );
  }
}

function columnAt(place: Place, owner: object): Column {
  const { levels, rows } = place;
  const stored = {
    rowsAtOnce: place.blockRows,
    read: (from: number, to: number): Column => inMemory(place, from, to),
    pick: (chosen: Int32Array): Column => {
      const { picked } = place;
      const next = picked === undefined ? chosen : chosen.map((row) => picked[row]!);
      return columnAt({ ...place, picked: next, rows: chosen.length }, owner);
    },
  };
  const column: Column =
    levels === undefined
      ? {
          kind: "numeric",
          stored,
          get values() {
            return readCells(place, 0, rows);
          },
        }
      : {
          kind: "categorical",
          levels,
          stored,
          get codes() {
            return Int32Array.from(readCells(place, 0, rows));
          },
        };
  places.set(column, place);
  owners.set(column, owner);
  return column;
}

function inMemory(place: Place, from: number, to: number): Column {
  const values = readCells(place, from, to);
  return place.levels === undefined
    ? { kind: "numeric", values }
    : { kind: "categorical", codes: Int32Array.from(values), levels: place.levels };
}

/** @returns the cells of rows `from` (inclusive) to `to` (exclusive). */
function readCells({ picked, ...place }: Place, from: number, to: number): Float64Array {
  const cells = new Float64Array(to - from);
  if (picked === undefined) {
    readRows(place, from, cells);
    return cells;
  }
  // Of rows that lie far apart, no more is held than one block.
  let block = new Float64Array(0);
  let first = 0;
  for (let i = from; i < to; i++) {
    const row = picked[i]!;
    if (row < first || row >= first + block.length) {
      first = row;
      const last = Math.min(picked[to - 1]! + 1, row + place.blockRows);
      block = new Float64Array(last - row);
      readRows(place, first, block);
    }
    cells[i - from] = block[row - first]!;
  }
  return cells;
}

function readRows(
  { fd, index, width, blockRows }: Omit<Place, "picked">,
  from: number,
  into: Float64Array,
): void {
  const bytes = new Uint8Array(into.buffer);
  for (let done = 0; done < into.length; ) {
    const row = from + done;
    const [block, within] = [Math.floor(row / blockRows), row % blockRows];
    const count = Math.min(blockRows - within, into.length - done);
    const position = ((block * width + index) * blockRows + within) * cellBytes;
    const length = count * cellBytes;
    for (let at = 0; at < length; ) {
      const read = readSync(fd, bytes, done * cellBytes + at, length - at, position + at);
      if (read === 0) throw new RangeError("a stored column is shorter than its table");
      at += read;
    }
    done += count;
  }
}

/** A table as it goes to another thread of the process: where its columns lie, in place of what they hold. */
export interface PackedTable extends Omit<Table, "columns" | "records"> {
  readonly columns: readonly (readonly [name: string, Column | Place])[];
}

/** The table has to be kept as long as what was packed is in use: it keeps the file open. */
export const packTable = ({ records: _, ...table }: Table): PackedTable => ({
  ...table,
  columns: [...table.columns].map(([name, column]) => [name, places.get(column) ?? column]),
});

export const unpackTable = (packed: PackedTable): Table => ({
  ...packed,
  columns: new Map(
    packed.columns.map(([name, column]) => [name, "fd" in column ? columnAt(column, {}) : column]),
  ),
});
