import test from "ava";
import { lastMonth, untilOf } from "../../../client-node/federation/statements.ts";
import { ownScore } from "../../../client-node/rows/own-score.ts";
import type { Records } from "../../../core/csv.ts";
import { Refusal } from "../../../core/reasons.ts";
import type { Model } from "../../../models/algorithm.ts";
import { unchanged } from "../../../models/cells.ts";
import type { Column } from "../../../models/table.ts";

const valuesOf = (column: Column | undefined): Float64Array =>
  column?.kind === "numeric" ? column.values : new Float64Array();

/** Its score is the column, and its reasons say how much of it. */
const model: Model = {
  features: [{ name: "idle", kind: "numeric" }],
  score: ({ columns }) => valuesOf(columns.get("idle")).slice(),
  points: undefined,
  explain: ({ columns }) =>
    [...valuesOf(columns.get("idle"))].map((value) => [
      { feature: "idle", effect: value - 0.4 },
      { feature: "late", effect: 0.1 },
      { feature: "ill\nnamed", effect: 9 },
      { feature: "helps", effect: -1 },
    ]),
  exports: new Map(),
};

const records = (rows: readonly (readonly [string, string])[]): Records => ({
  name: "rows.csv",
  header: ["as_of", "idle"],
  atMost: rows.length,
  each(visit) {
    for (const [i, cells] of rows.entries()) visit(cells, i + 2);
  },
});

const october = 12 * 2026 + 9;
const rows = records([
  ["2026-09-30", "0.9"],
  ["2026-10-01", "0.2"],
  ["2026/10/31", "0.4"],
  ["31-Oct-2026", "no number"],
  ["2026-11-01", "0.9"],
  ["no date", "0.9"],
]);

test("a month's rows are scored, the others are not, and the reasons are names alone", (t) => {
  const score = ownScore(model, [rows], unchanged, { month: october, dateColumn: "as_of" });
  t.deepEqual(score, { probability: 0.3, reasons: ["late"], scored: 0.67 });
  t.is(ownScore(model, [rows], unchanged, { month: october, dateColumn: undefined }).probability, 0.66);
});

test("a month without rows, or a column that is not there, is refused", (t) => {
  const none = t.throws(() => ownScore(model, [rows], unchanged, { month: 0, dateColumn: "as_of" }), {
    instanceOf: Refusal,
  });
  t.is(none?.reason, "rows_missing");
  const other = t.throws(() => ownScore(model, [rows], unchanged, { month: october, dateColumn: "on" }), {
    instanceOf: Refusal,
  });
  t.is(other?.reason, "column_unknown");
});

test("the last month that is over ends where the month of now begins", (t) => {
  t.is(untilOf(lastMonth(Date.parse("2026-11-27T04:00:00Z"))), "2026-11-01");
  t.is(untilOf(lastMonth(Date.parse("2027-01-01T00:00:00Z"))), "2027-01-01");
});
