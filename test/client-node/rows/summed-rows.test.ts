import test from "ava";
import { openStore } from "../../../client-node/ledger/store.ts";
import { type RowSchema, tableFromRecords } from "../../../client-node/rows/rows.ts";
import { rememberSummed, requireFarFromSummed } from "../../../client-node/rows/summed-rows.ts";
import { sha256 } from "../../../core/canonical.ts";
import { csvRecords } from "../../../core/csv.ts";
import { Refusal } from "../../../core/reasons.ts";
import { selectRows } from "../../../models/rows.ts";
import type { Table } from "../../../models/table.ts";

const header = "amount,granted,signed,default_12,default_24,customer";
const schema: RowSchema = {
  features: [{ name: "amount", kind: "numeric" }],
  label: { column: "default_12", bad: ["1"], good: ["0"] },
  holdout: { fraction: 0 },
};

/** Forty loans, ten a month; what `change` says of one of them is otherwise. */
const loans = (change: (row: number) => Record<string, string> = () => ({}), count = 40): string => {
  const lines = Array.from({ length: count }, (_, row) => {
    const month = `2015-0${6 + Math.floor(row / 10)}`;
    const usual = {
      ...{ amount: String(row), granted: month, signed: month },
      ...{ default_12: String(row % 2), default_24: String(row % 2), customer: `c${row}` },
    };
    return Object.values({ ...usual, ...change(row) }).join(",");
  });
  return [header, ...lines, ""].join("\n");
};

const read = (text: string, change: Partial<RowSchema> = {}): Table =>
  tableFromRecords([csvRecords(text, "loans.csv")], { ...schema, ...change }, sha256("salt"));

const refused = (run: () => unknown): string | undefined => {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
};

/** @returns why a second exact sum is refused after a first; undefined where it is not. */
function after(first: Table, second: Table, minRows = 5): string | undefined {
  const db = openStore(":memory:");
  rememberSummed(db, "rows", first, minRows);
  const why = refused(() => rememberSummed(db, "rows", second, minRows));
  if (why === undefined) rememberSummed(db, "rows", second, minRows);
  db.close();
  return why;
}

const from = (column: string, month = "2015-08"): Partial<RowSchema> => ({
  holdout: { fraction: 0, outOfTime: { column, from: month } },
});

test("two columns of dates that hardly differ make no two hold-outs", (t) => {
  const text = loans((row) => (row === 25 ? { signed: "2015-07" } : {}));
  t.regex(after(read(text, from("granted")), read(text, from("signed"))) ?? "", /rows of 1 subjects differ/);
  const apart = loans((row) => (row >= 20 && row < 26 ? { signed: "2015-07" } : {}));
  t.is(after(read(apart, from("granted")), read(apart, from("signed"))), undefined, "six are enough");
  t.is(after(read(text, from("granted")), read(text, from("granted"))), undefined, "the same again");
  t.is(after(read(text), read(text, from("granted"))), undefined, "all, and those of some months");
});

test("two labels of which one alone says nothing of a row make no two tables", (t) => {
  const text = loans((row) => (row === 7 ? { default_24: "" } : {}));
  const longer = { label: { ...schema.label, column: "default_24" } };
  t.regex(after(read(text), read(text, longer)) ?? "", /rows of 1 subjects differ/);
  t.regex(after(read(text, longer), read(text)) ?? "", /rows of 1 subjects differ/, "the other way round");
  const many = loans((row) => (row < 6 ? { default_24: "" } : {}));
  t.is(after(read(many), read(many, longer)), undefined);
});

test("rows that k-anonymity leaves out for one more column, or that a table has grown by, are no few", (t) => {
  const all = read(loans());
  t.regex(
    after(
      all,
      selectRows(all, (row) => row !== 11),
    ) ?? "",
    /rows of 1 subjects differ/,
  );
  t.is(
    after(
      all,
      selectRows(all, (row) => row > 10),
    ),
    undefined,
  );
  t.regex(after(all, read(loans(undefined, 42))) ?? "", /rows of 2 subjects differ/);
  t.is(after(all, read(loans(undefined, 48))), undefined);
  t.regex(after(read(loans(undefined, 42)), all) ?? "", /rows of 2 subjects differ/, "or shrunk by");
  t.is(after(read(loans(undefined, 48)), all), undefined);
});

test("rows that differ are counted by their subjects, also where they are left out", (t) => {
  const text = loans((row) => ({
    customer: row < 10 ? "one" : `c${row}`,
    ...(row < 10 ? { default_24: "" } : {}),
  }));
  const counted = { subject: "customer" };
  const longer = { ...counted, label: { ...schema.label, column: "default_24" } };
  t.regex(after(read(text, counted), read(text, longer)) ?? "", /rows of 1 subjects differ/);
  t.regex(after(read(text, longer), read(text, counted)) ?? "", /rows of 1 subjects differ/);
  t.is(
    after(read(text), read(text, { label: longer.label })),
    undefined,
    "as ten, where nothing says whose they are",
  );
});

test("what was refused is not remembered, and another table is another", (t) => {
  const db = openStore(":memory:");
  const all = read(loans());
  const few = selectRows(all, (row) => row !== 11);
  rememberSummed(db, "rows", all, 5);
  t.truthy(refused(() => rememberSummed(db, "rows", few, 5)));
  t.is(
    refused(() => requireFarFromSummed(db, "rows", all, 5)),
    undefined,
  );
  t.is(
    refused(() => rememberSummed(db, "leases", few, 5)),
    undefined,
  );
  db.close();
});
