import test from "ava";
import { canonicalJson } from "../../../core/canonical.ts";
import type { Reason, Refusal } from "../../../core/reasons.ts";
import type { BinsResult } from "../../../models/algorithms/bins.ts";
import { runPlain } from "../../../models/plain.ts";
import { takeRows } from "../../../models/rows.ts";
import { parseStudyState } from "../../../models/study-loop.ts";
import { statesOf } from "../../support/algorithms.ts";
import { scatter, studyOf, tableOf } from "../../support/rows.ts";

const at = Array.from({ length: 200 }, (_, i) => i);
const years = at.map((i) => 1990 + ((i * 7) % 20));
const table = tableOf(
  { year: years, debt: at.map((i) => (i % 3 === 0 ? 0 : -i / 8)) },
  years.map((year, i) => Number((i * 13) % 20 < (year * 7) % 11)),
);
const features = [
  { name: "year", kind: "numeric" },
  { name: "debt", kind: "numeric" },
] as const;
const study = (refined: boolean) =>
  studyOf(features, [{ name: "range" }, { name: "bins", refined, cells: 64 }]);

async function yearsIn(refined: boolean): Promise<number[]> {
  const { results } = await runPlain(study(refined), [table]);
  const { good, bad } = (results.bins as unknown as BinsResult).columns.year!;
  return good.slice(0, -1).map((rows, bin) => rows + bad[bin]!);
}

test("a second sum tells values apart that are close together and far from zero", async (t) => {
  t.deepEqual(await yearsIn(true), new Array<number>(20).fill(10));
  // Its control: of one sum, a cell holds several years.
  t.true((await yearsIn(false)).some((rows) => rows > 10));
});

test("any number of parties comes to the refined bins of all rows together", async (t) => {
  const tables = scatter(table.rows, 4, "bins").map((rows) => takeRows(table, rows));
  const [one, four] = await Promise.all([runPlain(study(true), [table]), runPlain(study(true), tables)]);
  t.is(canonicalJson(four.results), canonicalJson(one.results));
  t.is(four.rounds, 3);
});

test("a state that would cut a cell into too many pieces is refused", async (t) => {
  const [, second] = await statesOf(study(true), table, 2);
  t.deepEqual(parseStudyState(study(true), JSON.parse(canonicalJson(second))), second);
  const { finer } = second!.algorithmState as { finer: Record<string, number[]> };
  for (const broken of [
    { ...finer, year: finer.year!.map(() => 12) },
    { ...finer, year: finer.year!.slice(1) },
    { ...finer, year: finer.year!.map(() => 13) },
    { year: finer.year! },
  ]) {
    const refused = t.throws(() =>
      parseStudyState(study(true), { ...second!, algorithmState: { finer: broken } }),
    );
    t.is((refused as Refusal).reason, "state_invalid" satisfies Reason);
  }
});

test("a column that holds nothing but zero, or nothing at all, has one bin of values and one for what is missing", async (t) => {
  for (const value of [0, Number.NaN]) {
    const empty = tableOf({ year: years, debt: at.map(() => value) }, [...table.label]);
    const { results } = await runPlain(study(false), [empty]);
    const { good, bad } = (results.bins as unknown as BinsResult).columns.debt!;
    t.deepEqual(
      good.map((rows, bin) => rows + bad[bin]!),
      value === 0 ? [200, 0] : [0, 200],
    );
  }
});
