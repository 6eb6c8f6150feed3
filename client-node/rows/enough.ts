import type { z } from "zod";
import { Refusal } from "../../core/reasons.ts";
import { bins, binsParameters } from "../../models/algorithms/bins.ts";
import { transform, transformParameters } from "../../models/algorithms/transform.ts";
import { entriesOf } from "../../models/results.ts";
import { holdsOut, type StudyManifest } from "../../models/study.ts";
import type { Table } from "../../models/table.ts";

/**
 * Refuses rows of which a statistic would say too much about one of them.
 * @param minRows - of the policy: fewest rows, subjects and held-out rows of any statistic.
 * @throws Refusal rows_too_few; level_singular where one data subject alone has a level of a column, or a value of the
 *   label, among all rows or among those trained on.
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
  for (const feature of manifest.features)
    if (feature.kind === "categorical") requireSharedLevels(table, feature.name);
  if (hasSingularCode(table, table.outcome))
    throw new Refusal(
      "level_singular",
      `label "${manifest.label.column}": one data subject alone has a value of it`,
      {
        hint: "give the node rows of several such subjects, or of none: a sum over the value would be that one's rows",
      },
    );
  for (const { algorithm, params } of entriesOf(manifest.algorithms))
    if (algorithm.name === transform.name)
      for (const [name, marked] of Object.entries(transformParameters.parse(params).columns))
        requireSharedMarks(table, name, marked);
    else if (algorithm.name === bins.name)
      // The good and bad of a special value are counted by themselves.
      for (const [name, special] of Object.entries(binsParameters.parse(params).special))
        requireSharedMarks(table, name, { special });
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

const singular = (what: string): Refusal => new Refusal("level_singular", what);

function requireSharedLevels(table: Table, name: string): void {
  const column = table.columns.get(name);
  if (column?.kind === "categorical" && hasSingularCode(table, column.codes))
    throw singular(`column "${name}": one data subject alone has a level of it`);
}

/**
 * A special value gets a column of its own, and a clipped column is constant but for the rows that are not at its end: what
 * is multiplied with either is a row's own where one subject alone is marked so.
 * @throws Refusal level_singular
 */
function requireSharedMarks(
  table: Table,
  name: string,
  {
    special = [],
    clip = {},
  }: Pick<z.output<typeof transformParameters>["columns"][string], "special" | "clip">,
): void {
  const column = table.columns.get(name);
  if (column?.kind !== "numeric") return;
  const { low = -Infinity, high = Infinity } = clip;
  const ordinary = (x: number): boolean => !special.includes(x);
  const marks: ((x: number) => number)[] = [
    (x) => special.indexOf(x),
    (x) => (ordinary(x) && x > low ? 0 : -1),
    (x) => (ordinary(x) && x < high ? 0 : -1),
  ];
  const values = Float64Array.from({ length: table.rows }, (_, row) => column.values[row]!);
  if (marks.some((mark) => hasSingularCode(table, Int32Array.from(values, mark))))
    throw singular(
      `column "${name}": one data subject alone has a special value of it, or one within its clip`,
    );
}

/**
 * A sum over the rows of a level that one subject has alone is that subject's row. Sums are over all rows, or over those
 * trained on: others who share a level may all be held out.
 * @param codes - of each row; negative where it has none.
 */
function hasSingularCode({ rows, subject, holdout }: Table, codes: ArrayLike<number>): boolean {
  const among = [new Map<number, number | "several">(), new Map<number, number | "several">()] as const;
  const [all, training] = among;
  for (let row = 0; row < rows; row++)
    for (const only of holdout[row] === 1 ? [all] : among) {
      const before = only.get(codes[row]!);
      if (before === undefined) only.set(codes[row]!, subject[row]!);
      else if (before !== subject[row]) only.set(codes[row]!, "several");
    }
  return [...all, ...training].some(([code, who]) => code >= 0 && who !== "several");
}
