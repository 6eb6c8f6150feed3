import test from "ava";
import { runPlain } from "../../models/plain.ts";
import type { FeatureSchema } from "../../models/table.ts";
import { resultTables } from "../../simulate/result-tables.ts";
import { studyOf, tableOf } from "../support/rows.ts";

const features: readonly FeatureSchema[] = [
  { name: "x", kind: "numeric" },
  { name: "y", kind: "numeric" },
  { name: "one", kind: "numeric" },
  { name: "sector", kind: "categorical", levels: ["farm", "mill", "shop"] },
];

/** y = −x; a value of x is missing, and so is a sector. */
const rows = tableOf(
  {
    x: [1, 2, 3, 4, Number.NaN, 6, 7, 8],
    y: [-1, -2, -3, -4, 0, -6, -7, -8],
    one: [5, 5, 5, 5, 5, 5, 5, 5],
    sector: { codes: [0, 0, 0, 1, 1, 1, 2, -1], levels: ["farm", "mill", "shop"] },
  },
  [0, 0, 1, 0, 1, 0, 1, 1],
);

const cellsOf = (line: string): string[] => line.trim().split(/ {2,}/);

const tablesOf = async (...algorithms: Parameters<typeof studyOf>[1]) => {
  const manifest = studyOf(features, algorithms);
  const { results } = await runPlain(manifest, [rows]);
  return resultTables({ ...manifest, results });
};

test("correlation: the lower half of the matrix by numbered columns, inflation of variances, alpha, and what holds one value", async (t) => {
  const tables = await tablesOf({ name: "range" }, { name: "correlation", groups: { both: ["x", "y"] } });
  t.deepEqual(tables.get("correlation"), [
    "  of the 7 of 8 rows that have every numeric feature",
    "  Pearson's correlation       1      2",
    "  1 x                     1.000",
    "  2 y                    -1.000  1.000",
    "  column   variance inflation",
    "  x       follows from others",
    "  y       follows from others",
    "  one holds one value",
    "  group  items  Cronbach's α  standardized",
    "  both       2          none          none",
  ]);
});

test("bins and woe: edges and counts of every bin that rows are in", async (t) => {
  const tables = await tablesOf(
    { name: "range" },
    { name: "bins", as: "two", most: 2, special: { y: [-8] } },
    { name: "woe", bins: "two", minShare: 0.01 },
  );
  const lines = tables.get("two")!;
  const cells = lines.map(cellsOf);
  t.deepEqual(cells[0], ["column", "bin", "rows", "good", "bad", "bad rate"]);
  for (const expected of [
    ["y", "special -8", "1", "0", "1", "1.0000"],
    ["x", "missing", "1", "0", "1", "1.0000"],
    ["one", "[-inf, inf)", "8", "4", "4", "0.5000"],
    ["sector", "farm", "3", "2", "1", "0.3333"],
    ["sector", "missing", "1", "0", "1", "1.0000"],
  ])
    t.true(
      cells.some((own) => own.join() === expected.join()),
      `${expected}\n${lines.join("\n")}`,
    );
  t.false(cells.some(([column, bin]) => column === "y" && bin === "missing"));
  const counted = cells
    .filter(([column]) => column === "x")
    .reduce((sum, [, , rows]) => sum + Number(rows), 0);
  t.is(counted, 8);
  const evidence = tables.get("woe")!;
  t.is(evidence.filter((line) => line.startsWith("  information value")).length, 4);
  t.true(
    evidence.some((line) => cellsOf(line).join() === "mill|shop,4,2,2,0.5000,0.0000"),
    evidence.join("\n"),
  );
});

test("standardize: means, deviations, and what is left out", async (t) => {
  const tables = await tablesOf({ name: "range" }, { name: "summary" }, { name: "standardize" });
  const lines = tables.get("standardize")!;
  const cells = lines.map(cellsOf);
  t.deepEqual(cells[0], ["column", "mean", "standard deviation"]);
  t.deepEqual(cells[3], ["y", "-3.875", "2.90012"]);
  t.deepEqual(cells[2], ["x=missing", "0.125", "0.330719"]);
  t.is(lines.at(-1), "  one holds one value: left out");
});

test("transform: what became of every column, in the order in which it does", async (t) => {
  const tables = await tablesOf({
    name: "transform",
    columns: {
      x: { special: [8], clip: { low: 2 }, log: true, impute: { value: 0 } },
      y: { bins: { most: 2 } },
      sector: { merge: { minShare: 0.2 }, impute: { value: "farm" }, oneHot: {} },
    },
  });
  const lines = tables.get("transform")!;
  t.deepEqual(lines.slice(0, 7), [
    "  column  what becomes of it",
    "  x       8 are codes: missing",
    "          clipped to 2 … inf",
    "          sign(x) · ln(1 + |x|)",
    "          missing becomes 0",
    "          has a column x=missing of 0 and 1",
    "          has a column x=8 of 0 and 1",
  ]);
  t.regex(lines[7]!, /^ {2}y {7}levels \[-inf, -\d\.?\d*\) \[-\d\.?\d*, inf\)$/);
  t.deepEqual(lines.slice(8), [
    "  one     stays as it is",
    "  sector  other: shop",
    "          missing becomes farm",
    "          columns of 0 and 1: sector=mill, sector=other",
    "          has a column sector=missing of 0 and 1",
  ]);
});

test("transform: the weight of evidence of levels that were joined twice, under the study's names", async (t) => {
  const tables = await tablesOf({
    name: "transform",
    columns: { sector: { merge: { minShare: 0.3 }, woe: { minShare: 0.01 } } },
  });
  const lines = tables.get("transform")!.slice(4);
  t.deepEqual(
    lines.map((line) => line.slice(10).replace(/-?\d\.\d{4}/, "w")),
    ["WOE w of farm", "WOE w of mill|shop", "WOE w of missing"],
    lines.join("\n"),
  );
});
