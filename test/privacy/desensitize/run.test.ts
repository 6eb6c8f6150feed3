import test from "ava";
import type { Cell } from "../../../core/cell.ts";
import { Refusal } from "../../../core/reasons.ts";
import { purposeKeys } from "../../../privacy/desensitize/keys.ts";
import { type Field, fieldsSchema } from "../../../privacy/desensitize/policy.ts";
import { Desensitizer } from "../../../privacy/desensitize/run.ts";

const line = (name: string, operator: string, rest: object = {}, fieldClass = "operational"): object => ({
  name,
  class: fieldClass,
  level: "C2",
  operator,
  ...rest,
});
const noise = {
  subject: "id",
  time: "at",
  rotationDays: 30,
  epsilonPerMetre: 0.01,
  dailyBudgetPerMetre: 0.02,
};
const fields: Field[] = fieldsSchema.parse([
  line("id", "pseudonym", { rotationDays: 30 }, "direct"),
  line("plate", "format-preserving", { alphabet: "0123456789ABCDEF", rotationDays: 30 }, "direct"),
  line("phone", "mask", { keepFirst: 3, keepLast: 0 }, "direct"),
  line("secret", "drop", {}, "direct"),
  line("age", "bins", { origin: 0, width: 10 }, "quasi"),
  line("at", "date-shift", { subject: "id", maxDays: 9, rotationDays: 30 }, "quasi"),
  line("lat", "planar-laplace", { ...noise, axis: "latitude", pair: "lng" }, "quasi"),
  line("lng", "planar-laplace", { ...noise, axis: "longitude", pair: "lat" }, "quasi"),
  line("debt", "top-bottom-code", { low: 0, high: 1 }, "sensitive"),
  line("rate", "keep"),
  line("month", "truncate-time", { unit: "month" }, "quasi"),
]);
const header = [...fields.map(({ name }) => name), "note"];
const record: Cell[] = [
  ...["A-17", "4F00C1", "13812345678", "x", 37, "2026-03-31", 31.2, 121.5, 2.5, "0.75", "2026-03-31", "n"],
];
const source = {
  name: "rows.csv",
  at(column: string): number {
    const index = header.indexOf(column);
    if (index < 0) throw new Refusal("column_unknown", column);
    return index;
  },
};
const desensitizer = () => new Desensitizer(fields, purposeKeys(Buffer.alloc(32, 1), "credit", 0));
const passes = (column: string, cells: readonly Cell[] = record, by = desensitizer()): Cell =>
  by.take(column, source)(cells, 7);
const changed = (column: string, cell: Cell): Cell[] =>
  record.map((before, i) => (header[i] === column ? cell : before));
const reasonOf = (work: () => unknown): Refusal | undefined => {
  try {
    work();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  return undefined;
};

test("each cell passes through its own operator", (t) => {
  t.regex(String(passes("id")), /^[0-9a-f]{32}$/);
  t.regex(String(passes("plate")), /^[0-9A-F]{6}$/);
  t.not(passes("plate"), "4F00C1");
  t.is(passes("phone"), "138********");
  t.is(passes("age"), 35);
  t.is(passes("debt"), 1);
  t.is(passes("rate"), "0.75");
  t.is(passes("month"), "2026-03");
  const days = (Date.parse(String(passes("at"))) - Date.parse("2026-03-31")) / 86_400_000;
  t.true(days !== 0 && Math.abs(days) <= 9);
});

test("a column without a line, and a dropped one, cannot pass", (t) => {
  for (const column of ["note", "secret", "nowhere"]) {
    t.is(reasonOf(() => desensitizer().take(column, source))?.reason, "policy_refuses", column);
    t.is(reasonOf(() => desensitizer().reads(column))?.reason, "policy_refuses", column);
  }
});

test("what an operator reads beside its own column is named", (t) => {
  t.deepEqual(desensitizer().reads("lat"), ["lat", "lng", "id", "at"]);
  t.deepEqual(desensitizer().reads("at"), ["at", "id"]);
  t.deepEqual(desensitizer().reads("rate"), ["rate"]);
});

test("missing stays missing", (t) => {
  for (const column of ["id", "plate", "phone", "age", "at", "debt", "lat"])
    for (const cell of ["", "NA", null, undefined]) t.is(passes(column, changed(column, cell)), "", column);
  t.is(passes("lat", changed("lng", "")), "");
});

const spoiled: [string, Cell][] = [
  ["age", "forty"],
  ["plate", "4F00"],
  ["plate", "4F00C1-G"],
  ["at", "31.03.26"],
  ["lat", 97.5],
  ["debt", "1,5"],
];
for (const [column, cell] of spoiled)
  test(`${column} of "${cell}": refused by place, not by value`, (t) => {
    const refusal = reasonOf(() => passes(column, changed(column, cell)));
    t.is(refusal?.reason, "cell_malformed");
    t.true(refusal!.message.startsWith(`rows.csv:7: column "${column}": `));
    t.false(refusal!.message.includes(String(cell)));
  });

test("both coordinates share one draw; again the same records show the same places", (t) => {
  const show = (): Cell[] => {
    const by = desensitizer();
    const [latitude, longitude] = ["lat", "lng"].map((column) => by.take(column, source));
    const shown: Cell[] = [];
    // The budget is two positions a day.
    for (let i = 0; i < 3; i++) {
      const cells = [...record];
      shown.push(latitude!(cells, i), longitude!(cells, i));
    }
    return shown;
  };
  const shown = show();
  t.true(shown.slice(0, 4).every((x) => typeof x === "number"));
  t.deepEqual(shown.slice(4), ["", ""]);
  t.not(shown[0], shown[2]);
  t.deepEqual(show(), shown);
});
