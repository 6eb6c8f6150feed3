/**
 * Which records of a table exact sums were over. Where two such sums are over rows that differ by a few, subtracting them
 * shows those few; and whoever writes manifests can choose what rows hang on: dates, labels, columns that k-anonymity
 * leaves rows out for.
 */
import type { DatabaseSync } from "node:sqlite";
import { digestOf } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import type { Table } from "../../models/table.ts";
import { prepared, transact } from "../ledger/store.ts";

/** A bit a record. */
interface Sides {
  readonly training: Uint8Array;
  readonly heldOut: Uint8Array;
}

function sidesOf({ rows, holdout, records }: Table): Sides {
  const last = records === undefined ? rows : records.subject.length;
  const bits = () => new Uint8Array(Math.ceil(last / 8));
  const sides = { training: bits(), heldOut: bits() };
  for (let row = 0; row < rows; row++) {
    const record = records === undefined ? row : records.of[row]!;
    const side = holdout[row] === 1 ? sides.heldOut : sides.training;
    side[record >> 3]! |= 1 << (record & 7);
  }
  return sides;
}

const digestOfSides = ({ training, heldOut }: Sides): string => digestOf(training, heldOut);

/** What sums may be over: those trained on, those held out, or all. */
const summed = ({ training, heldOut }: Sides): readonly Uint8Array[] => [
  training,
  heldOut,
  training.map((bits, at) => bits | heldOut[at]!),
];

/**
 * @param minRows - of the policy: fewest subjects that any two sums may differ by.
 * @throws Refusal rows_too_few, where an exact sum over the table was over nearly the same rows
 */
export function requireFarFromSummed(
  db: DatabaseSync,
  rowsTable: string,
  table: Table,
  minRows: number,
): void {
  const own = sidesOf(table);
  const digest = digestOfSides(own);
  const earlier = prepared(
    db,
    "SELECT training, held_out FROM summed_rows WHERE rows_table = ? AND digest <> ?",
  ).all(rowsTable, digest);
  const subjects = table.records?.subject ?? table.subject;
  for (const { training, held_out } of earlier)
    for (const before of summed({ training: training as Uint8Array, heldOut: held_out as Uint8Array }))
      for (const now of summed(own)) {
        const apart = subjectsApart(before, now, subjects, minRows);
        if (apart > 0 && apart < minRows)
          throw new Refusal(
            "rows_too_few",
            `rows of ${apart} subjects differ from those of an earlier sum, where policy.yaml asks for ${minRows} at least`,
            {
              hint: "give the node the rows of before, or more new ones, or ask for a study whose dates, label and columns leave the same rows: subtracting the two sums would show those few",
            },
          );
      }
}

/** @returns by how many subjects' records two sets differ, as far as `enough`; a record that is gone counts as one. */
function subjectsApart(one: Uint8Array, other: Uint8Array, subjects: Int32Array, enough: number): number {
  const found = new Set<number>();
  for (let at = 0; at < Math.max(one.length, other.length); at++) {
    const differ = (one[at] ?? 0) ^ (other[at] ?? 0);
    if (differ === 0) continue;
    for (let bit = 0; bit < 8; bit++)
      if ((differ >> bit) & 1) found.add(subjects[8 * at + bit] ?? -1 - (8 * at + bit));
    if (found.size >= enough) break;
  }
  return found.size;
}

/** Tables that were remembered: what comes later is compared with them. */
const remembered = new WeakMap<Table, { readonly db: DatabaseSync; readonly as: string }>();

/**
 * Remembers the rows of an exact sum, before anything of it leaves; of a table that a study asks for again and again, once.
 * @throws as {@link requireFarFromSummed}
 */
export function rememberSummed(db: DatabaseSync, rowsTable: string, table: Table, minRows: number): void {
  const as = `${rowsTable} ${minRows}`;
  const known = remembered.get(table);
  if (known?.db === db && known.as === as) return;
  transact(db, () => {
    requireFarFromSummed(db, rowsTable, table, minRows);
    const sides = sidesOf(table);
    prepared(db, "INSERT OR IGNORE INTO summed_rows VALUES (?, ?, ?, ?)").run(
      rowsTable,
      digestOfSides(sides),
      sides.training,
      sides.heldOut,
    );
  });
  remembered.set(table, { db, as });
}
