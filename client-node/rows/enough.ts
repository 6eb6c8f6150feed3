import type { z } from "zod";
import { Refusal } from "../../core/reasons.ts";
import { bins, binsParameters } from "../../models/algorithms/bins.ts";
import { transform, transformParameters } from "../../models/algorithms/transform.ts";
import { entriesOf } from "../../models/results.ts";
import { partsOf } from "../../models/rows.ts";
import { holdsOut, type StudyManifest } from "../../models/study.ts";
import type { Table } from "../../models/table.ts";

/**
 * Refuses rows of which a statistic would say too much about one of them.
 * @param minRows - of the policy: fewest rows, subjects and held-out rows of any statistic.
 * @throws Refusal rows_too_few; level_singular where one data subject alone has a level of a column, a value of a number or
 *   none, or a value of the label, among all rows or among those trained on.
 */
export function requireEnough(
  table: Table,
  manifest: Pick<StudyManifest, "name" | "features" | "holdout" | "label" | "algorithms">,
  minRows: number,
): Table {
  for (const [what, side] of [
    ["training", 0],
    ["held-out", 1],
  ] as const) {
    if (side === 1 && !holdsOut(manifest.holdout)) continue;
    const subjects = new Set<number>();
    let rows = 0;
    for (let row = 0; row < table.rows; row++) {
      if (table.holdout[row] !== side) continue;
      rows++;
      subjects.add(table.subject[row]!);
    }
    if (rows < minRows) throw tooFew(`${rows} ${what} rows`, minRows);
    if (subjects.size < minRows) throw tooFew(`${subjects.size} subjects among the ${what} rows`, minRows);
  }
  if (table.firstHeldOut !== undefined) requireFullMonth(table, table.firstHeldOut, minRows);
  const entries = entriesOf(manifest.algorithms);
  // It stands first: what it fills without a mark is full for everything after it.
  const transforms = entries
    .filter(({ algorithm }) => algorithm.name === transform.name)
    .map(({ params }) => transformParameters.parse(params).columns);
  const isFilled = (name: string): boolean =>
    transforms[0]?.[name]?.impute !== undefined && transforms[0][name].indicator === false;
  requireShared(table, [
    ...manifest.features.map(({ name }) => sharedCells(table, name, isFilled(name))),
    ...transforms.flatMap((columns) =>
      Object.entries(columns).flatMap(([name, marked]) => sharedMarks(table, name, marked)),
    ),
    ...entries.flatMap(({ algorithm, params }) => {
      if (algorithm.name === bins.name)
        // The good and bad of a special value are counted by themselves.
        return Object.entries(binsParameters.parse(params).special).flatMap(([name, special]) =>
          sharedMarks(table, name, { special }),
        );
      return [];
    }),
  ]);
  const label = new Marked();
  for (let row = 0; row < table.rows; row++) label.add(table, row, table.outcome[row]!);
  if (label.isLone)
    throw new Refusal(
      "level_singular",
      `label "${manifest.label.column}": one data subject alone has a value of it`,
      {
        hint: "give the node rows of several such subjects, or of none: a sum over the value would be that one's rows",
      },
    );
  return table;
}

/**
 * Two studies that begin to hold out at different months differ, at the least, by the rows of the earlier one.
 * @throws Refusal rows_too_few
 */
function requireFullMonth({ subject }: Table, first: Uint8Array, minRows: number): void {
  const subjects = new Set(subject.filter((_, row) => first[row] === 1));
  if (subjects.size < minRows)
    throw tooFew(`${subjects.size} subjects in the first month that is held out`, minRows);
}

const tooFew = (what: string, minRows: number): Refusal =>
  new Refusal("rows_too_few", `${what}, where policy.yaml asks for ${minRows} at least`);

/** A mark that rows of a column have, of which no subject may have one alone. */
interface Shared {
  readonly column: string;
  /** @returns the mark of a cell's value, or code; undefined where it has none. */
  readonly markOf: (value: number) => number | undefined;
  readonly refusal: () => Refusal;
}

/** A level, and whether there is a value at all: a column's missing cells are a level of their own in a model's design. */
function sharedCells(table: Table, column: string, isFilled: boolean): Shared {
  const isNumeric = table.columns.get(column)?.kind === "numeric";
  const gap = isFilled ? undefined : -1;
  return {
    column,
    markOf: isNumeric ? (x) => (Number.isNaN(x) ? gap : 0) : (code) => (code < 0 ? gap : code),
    refusal: () =>
      isNumeric
        ? new Refusal(
            "level_singular",
            `column "${column}": one data subject alone has a value of it, or alone has none`,
            {
              hint: "fill the empty cell or leave the row out, or ask for a study that imputes the column without an indicator: what is multiplied with the gap's mark would be that one's rows",
            },
          )
        : new Refusal("level_singular", `column "${column}": one data subject alone has a level of it`),
  };
}

/**
 * A special value gets a column of its own, and a clipped column is constant but for the rows that are not at its end: what
 * is multiplied with either is a row's own where one subject alone is marked so.
 */
function sharedMarks(
  table: Table,
  column: string,
  {
    special = [],
    clip = {},
  }: Pick<z.output<typeof transformParameters>["columns"][string], "special" | "clip">,
): Shared[] {
  if (table.columns.get(column)?.kind !== "numeric") return [];
  const { low = -Infinity, high = Infinity } = clip;
  const ordinary = (x: number): boolean => !special.includes(x);
  const marks: Shared["markOf"][] = [
    (x) => (ordinary(x) ? undefined : special.indexOf(x)),
    (x) => (ordinary(x) && x > low ? 0 : undefined),
    (x) => (ordinary(x) && x < high ? 0 : undefined),
  ];
  const refusal = () =>
    new Refusal(
      "level_singular",
      `column "${column}": one data subject alone has a special value of it, or one within its clip`,
    );
  return marks.map((markOf) => ({ column, markOf, refusal }));
}

/**
 * A sum over the rows of a mark that one subject has alone is that subject's row. Sums are over all rows, or over those
 * trained on: others who share a mark may all be held out.
 */
class Marked {
  readonly #all = new Map<number, number | "several">();
  readonly #training = new Map<number, number | "several">();
  /** Marks that several have among those trained on, as nearly all have after a few rows. */
  readonly #settled = new Set<number>();

  add({ subject, holdout }: Table, row: number, mark: number): void {
    if (this.#settled.has(mark)) return;
    for (const only of holdout[row] === 1 ? [this.#all] : [this.#all, this.#training]) {
      const before = only.get(mark);
      if (before === undefined) only.set(mark, subject[row]!);
      else if (before !== subject[row]) only.set(mark, "several");
    }
    if (this.#training.get(mark) === "several") this.#settled.add(mark);
  }

  get isLone(): boolean {
    return [...this.#all.values(), ...this.#training.values()].some((who) => who !== "several");
  }
}

/** @throws Refusal level_singular */
function requireShared(table: Table, marks: readonly Shared[]): void {
  const found = marks.map((shared) => ({ ...shared, marked: new Marked() }));
  for (const { part } of partsOf(table))
    for (const { column, markOf, marked } of found) {
      const cells = part.columns.get(column);
      if (cells === undefined) continue;
      const values = cells.kind === "numeric" ? cells.values : cells.codes;
      for (let row = 0; row < part.rows; row++) {
        const mark = markOf(values[row]!);
        if (mark !== undefined) marked.add(part, row, mark);
      }
    }
  const lone = found.find(({ marked }) => marked.isLone);
  if (lone !== undefined) throw lone.refusal();
}
