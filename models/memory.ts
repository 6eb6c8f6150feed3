import { selectRows } from "./rows.ts";
import type { Table } from "./table.ts";

/** A party's rows as an algorithm sees them. */
export interface PartyRows {
  /** What is learned from. */
  readonly training: Table;
  /** What is evaluated on, and never learned from; all rows where the study holds nothing out. */
  readonly heldOut: Table;
}

/** Names what is kept, and its type. */
export interface MemoKey<T> {
  readonly name: string;
  /** Never set: it ties the key to its type. */
  readonly type?: T;
}

/** What an algorithm keeps between its rounds at one party. */
export class Memo {
  readonly #kept = new Map<MemoKey<unknown>, unknown>();

  /** @returns what `make` gave the first time. */
  keep<T>(key: MemoKey<T>, make: () => T): T {
    if (!this.#kept.has(key)) this.#kept.set(key, make());
    return this.#kept.get(key) as T;
  }
}

/**
 * An enterprise's own memory of a study: what it derives from its rows once and needs in every round. It holds for the
 * rows, the algorithm and the earlier results that it was made from, and never leaves the process.
 */
export class StudyMemory {
  #rows: { readonly table: Table; readonly split: PartyRows } | undefined;
  #memo = { about: "", memo: new Memo() };

  /**
   * @param holdsOut - whether the study holds rows out.
   * @param rowsPerSubject - of one subject that count, the first ones; all by default.
   */
  split(table: Table, holdsOut: boolean, rowsPerSubject = Number.POSITIVE_INFINITY): PartyRows {
    if (this.#rows?.table !== table) {
      const counted = firstOfEach(table, rowsPerSubject);
      const training = selectRows(counted, (row) => counted.holdout[row] === 0);
      const heldOut = holdsOut ? selectRows(counted, (row) => counted.holdout[row] === 1) : counted;
      this.#rows = { table, split: { training, heldOut } };
      this.#memo = { about: "", memo: new Memo() };
    }
    return this.#rows.split;
  }

  /** @param about - all that the algorithm's states have in common; another text forgets what was kept. */
  memoOf(about: string): Memo {
    if (this.#memo.about !== about) this.#memo = { about, memo: new Memo() };
    return this.#memo.memo;
  }
}

function firstOfEach(table: Table, most: number): Table {
  if (most === Number.POSITIVE_INFINITY) return table;
  const seen = new Map<number, number>();
  return selectRows(table, (row) => {
    const subject = table.subject[row]!;
    const before = seen.get(subject) ?? 0;
    seen.set(subject, before + 1);
    return before < most;
  });
}
