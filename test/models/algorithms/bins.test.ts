import test from "ava";
import { canonicalJson } from "../../../core/canonical.ts";
import { seededRandom, uniform } from "../../../core/random.ts";
import type { Reason, Refusal } from "../../../core/reasons.ts";
import type { BinsResult } from "../../../models/algorithms/bins.ts";
import type { WoeResult } from "../../../models/algorithms/woe.ts";
import { bestTrend, shapes } from "../../../models/numerics/optimal-bins.ts";
import { treeCuts } from "../../../models/numerics/tree-cuts.ts";
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
const study = (refined: number) =>
  studyOf(features, [{ name: "range" }, { name: "bins", refined, cells: 64 }]);

async function yearsIn(refined: number): Promise<number[]> {
  const { results } = await runPlain(study(refined), [table]);
  const { good, bad } = (results.bins as unknown as BinsResult).columns.year!;
  return good.slice(0, -1).map((rows, bin) => rows + bad[bin]!);
}

test("a second sum tells values apart that are close together and far from zero", async (t) => {
  t.deepEqual(await yearsIn(1), new Array<number>(20).fill(10));
  // Its control: of one sum, a cell holds several years.
  t.true((await yearsIn(0)).some((rows) => rows > 10));
});

test("any number of parties comes to the refined bins of all rows together", async (t) => {
  const tables = scatter(table.rows, 4, "bins").map((rows) => takeRows(table, rows));
  for (const refined of [1, 2]) {
    const [one, four] = await Promise.all([
      runPlain(study(refined), [table]),
      runPlain(study(refined), tables),
    ]);
    t.is(canonicalJson(four.results), canonicalJson(one.results));
    t.is(four.rounds, 2 + refined);
  }
});

/** Skewed amounts as banks see them, whose share of bad rows rises and falls slowly: the best cut between two values may be any. */
function amountsOf(seed: string): { readonly values: number[]; readonly label: number[] } {
  const random = seededRandom(seed);
  const values = Array.from({ length: 3000 }, () => Math.floor(2 ** (6 + 8 * uniform(random))));
  const label = values.map((x) => Number(uniform(random) < 0.25 + 0.15 * Math.sin(Math.log2(x) / 2)));
  return { values, label };
}

/** @returns the information value that woe comes to after so many further sums. */
async function ivOfAmounts({ values, label }: ReturnType<typeof amountsOf>, refined: number) {
  const algorithms = [{ name: "range" }, { name: "bins", refined }, { name: "woe" }];
  const manifest = studyOf([{ name: "amount", kind: "numeric" }], algorithms);
  const { results } = await runPlain({ ...manifest, maxRowsPerParty: values.length }, [
    tableOf({ amount: values }, label),
  ]);
  return (results.woe as unknown as WoeResult).columns.amount!.iv;
}

/** @returns that of the best joining of a tree's leaves, which cuts between values as they are: optbinning's way. */
function ivOfLeaves({ values, label }: ReturnType<typeof amountsOf>): number {
  const distinct = [...new Set(values)].sort((a, b) => a - b);
  const place = new Map(distinct.map((x, i) => [x, i]));
  const [good, bad] = [0, 1].map((of) => {
    const rows = distinct.map(() => 0);
    for (const [row, x] of values.entries()) if (label[row] === of) rows[place.get(x)!]! += 1;
    return rows;
  }) as [number[], number[]];
  const sum = (rows: readonly number[]) => rows.reduce((all, n) => all + n, 0);
  const firsts = [0, ...treeCuts(good, bad, 20, 0.05 * values.length)];
  const join = (rows: readonly number[]) =>
    firsts.map((from, leaf) => sum(rows.slice(from, firsts[leaf + 1])));
  const limits = { good: sum(good), bad: sum(bad), minRows: 0, minOfClass: 1, maxBins: 20 };
  return bestTrend({ good: join(good), bad: join(bad) }, shapes, limits)!.binning.iv;
}

test("after two further sums no column is binned worse than by a tree that sees every value", async (t) => {
  let below = 0;
  for (const seed of ["a", "b", "c", "d", "e"]) {
    const amounts = amountsOf(seed);
    const leaves = ivOfLeaves(amounts);
    t.true((await ivOfAmounts(amounts, 2)) >= leaves - 1e-12, seed);
    if ((await ivOfAmounts(amounts, 0)) < leaves) below++;
  }
  // Its control: on the public grid alone some are.
  t.true(below > 0);
});

test("a state that would cut a cell into too many pieces is refused", async (t) => {
  const [, second, third] = await statesOf(study(2), table, 3);
  for (const state of [second, third])
    t.deepEqual(parseStudyState(study(2), JSON.parse(canonicalJson(state))), state);
  const { finer } = third!.algorithmState as { finer: Record<string, number[]>[] };
  const [first, again] = finer as [Record<string, number[]>, Record<string, number[]>];
  for (const broken of [
    [{ ...first, year: first.year!.map(() => 12) }],
    [{ ...first, year: first.year!.slice(1) }],
    [{ ...first, year: first.year!.map(() => 13) }],
    [{ year: first.year! }],
    [{ ...first, other: [] }],
    [first, first],
    [first, { ...again, debt: again.debt!.map(() => 12) }],
    [first, again, again],
  ]) {
    const refused = t.throws(() =>
      parseStudyState(study(2), { ...third!, algorithmState: { finer: broken } }),
    );
    t.is((refused as Refusal).reason, "state_invalid" satisfies Reason);
  }
});

test("a column that holds nothing but zero, or nothing at all, has one bin of values and one for what is missing", async (t) => {
  for (const value of [0, Number.NaN]) {
    const empty = tableOf({ year: years, debt: at.map(() => value) }, [...table.label]);
    const { results } = await runPlain(study(0), [empty]);
    const { good, bad } = (results.bins as unknown as BinsResult).columns.debt!;
    t.deepEqual(
      good.map((rows, bin) => rows + bad[bin]!),
      value === 0 ? [200, 0] : [0, 200],
    );
  }
});
