import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { DuckDBConnection } from "@duckdb/node-api";
import test from "ava";
import fc from "fast-check";
import { requireEnough } from "../../../client-node/rows/enough.ts";
import {
  isHeldOut,
  type RowSchema,
  requireLearnable,
  splitKeyOf,
  tableFromRecords,
} from "../../../client-node/rows/rows.ts";
import { fileRecords, readRows } from "../../../client-node/rows/sources.ts";
import { sha256 } from "../../../core/canonical.ts";
import { csvRecords } from "../../../core/csv.ts";
import { Refusal } from "../../../core/reasons.ts";
import { unchanged } from "../../../models/cells.ts";
import { inferFeatures } from "../../../models/infer.ts";

const schema: RowSchema = {
  features: [
    { name: "amount", kind: "numeric" },
    { name: "grade", kind: "categorical", levels: ["A", "B"] },
  ],
  label: { column: "status", bad: ["late", "1"], good: ["paid", "0"] },
  holdout: { fraction: 0 },
};
const csv = (...lines: string[]): string => ["status,grade,amount,other", ...lines, ""].join("\n");

const salt = sha256("salt");
const tableFromCsv = (text: string, name: string, by: RowSchema) =>
  tableFromRecords([csvRecords(text, name)], by, salt);
const readTable = async (files: readonly string[], by: RowSchema) =>
  requireLearnable(await readRows(fileRecords(files), by, salt, unchanged));

const stringify = (records: readonly (readonly string[])[]): string =>
  records.map((cells) => `${cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(",")}\n`).join("");

const refusal = (run: () => unknown): Refusal => {
  try {
    run();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error("nothing was refused");
};

test("cells become columns; missing is NaN or -1; other labels are left out", (t) => {
  const text = csv("paid,A,1.5,x", "late,,,y", "open,C,not used,z", "1.0, B ,-2e3,", "0,NA,NA,");
  const table = tableFromCsv(text, "loans.csv", schema);
  t.is(table.rows, 4);
  t.deepEqual([...table.label], [0, 1, 1, 0]);
  t.deepEqual(table.columns.get("amount"), {
    kind: "numeric",
    values: Float64Array.of(1.5, Number.NaN, -2000, Number.NaN),
  });
  t.deepEqual(table.columns.get("grade"), {
    kind: "categorical",
    codes: Int32Array.of(0, -1, 1, -1),
    levels: ["A", "B"],
  });
  t.is(table.columns.size, 2);
});

for (const [cell, column] of [
  ["12,5", "amount"],
  ["0x1F", "amount"],
  ["1e999", "amount"],
  ["Infinity", "amount"],
  ["SECRETVALUE", "amount"],
] as const) {
  test(`amount ${cell} is refused with file, line and column, and without the value`, (t) => {
    const error = refusal(() => tableFromCsv(csv("paid,A,1,", "", `late,A,"${cell}",`), "loans.csv", schema));
    t.is(error.reason, "cell_malformed");
    t.is(error.message, `loans.csv:4: column "${column}": not a finite number`);
  });
}

test("a level outside the study's list is refused", (t) => {
  const error = refusal(() => tableFromCsv(csv("paid,Z,1,"), "loans.csv", schema));
  t.is(error.reason, "cell_malformed");
  t.is(error.message, 'loans.csv:2: column "grade": not among the study\'s levels');
});

const badFiles: [string, string, string, RegExp][] = [
  ["no header", "", "file_malformed", /no header/],
  ["a column twice", csv().replace("status", "status,status"), "file_malformed", /"status" appears twice/],
  ["a column missing", "status,grade\npaid,A\n", "column_unknown", /"amount"/],
  ["a short record", csv("paid,A,1"), "file_malformed", /:2: 3 cells where the header has 4/],
  ["an open quote", csv('paid,"A,1,'), "file_malformed", /quotes do not match/],
  ["no rows", csv(), "rows_missing", /no rows/],
  ["labels of another study", csv("5,A,1,", "4,B,2,"), "label_not_binary", /"status"/],
];
for (const [name, text, reason, message] of badFiles) {
  test(`${name}: ${reason}`, (t) => {
    const error = refusal(() => tableFromCsv(text, "loans.csv", schema));
    t.is(error.reason, reason as never);
    t.regex(error.message, message);
  });
}

test("a party with one class, or with no training rows, cannot take part", (t) => {
  const one = tableFromCsv(csv("paid,A,1,", "0,A,1,"), "loans.csv", schema);
  t.is(refusal(() => requireLearnable(one)).reason, "single_class");
  const both = tableFromCsv(csv("paid,A,1,", "1,A,1,"), "loans.csv", schema);
  t.is(requireLearnable(both), both);
  t.is(refusal(() => requireLearnable({ ...both, holdout: Uint8Array.of(1, 1) })).reason, "rows_missing");
  t.is(refusal(() => requireLearnable({ ...both, holdout: Uint8Array.of(1, 0) })).reason, "single_class");
});

test("one label value on both sides is refused", (t) => {
  const label = { column: "status", bad: ["1"], good: ["0", "1"] };
  t.is(refusal(() => tableFromCsv(csv("1,A,1,"), "f", { ...schema, label })).reason, "parameters_invalid");
});

test("quoted and unquoted files of the same cells give the same table", (t) => {
  const cell = fc.string({ unit: fc.constantFrom("a", "1", ",", '"', "\n", "é", " ") });
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 20 }), (cells) => {
      const read: string[][] = [];
      csvRecords(stringify([["first", "second"], ...cells]), "f").each((row) => read.push(row.map(String)));
      t.deepEqual(
        read,
        cells.map((row) => [...row]),
      );
    }),
  );
  const plain = csv("paid,A,1,", "late,B,2,");
  const crlf = plain.replaceAll("\n", "\r\n");
  const quoted = plain.replace("status", '"status"');
  const bom = `\uFEFF${plain}`;
  for (const text of [crlf, quoted, bom])
    t.deepEqual(tableFromCsv(text, "f", schema), tableFromCsv(plain, "f", schema));
});

test("a subject is on one side only, and on the same side in another order", (t) => {
  const withSubject: RowSchema = {
    ...schema,
    subject: "other",
    holdout: { fraction: 0.4 },
  };
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 60 }), (subjects) => {
      const lines = subjects.map((subject) => `paid,A,${subject},s${subject}`);
      const sides = new Map<number, number>();
      for (const order of [lines, [...lines].reverse()]) {
        const { holdout, columns } = tableFromCsv(csv(...order), "f", withSubject);
        const amount = columns.get("amount");
        if (amount?.kind !== "numeric") return t.fail();
        amount.values.forEach((subject, row) => {
          t.is(sides.get(subject) ?? holdout[row], holdout[row]);
          sides.set(subject, holdout[row]!);
        });
      }
    }),
  );
  t.is(refusal(() => tableFromCsv(csv("paid,A,1,"), "f", withSubject)).reason, "cell_malformed");
});

test("the held-out share is the fraction asked for, by a stated rule", (t) => {
  let held = 0;
  for (let row = 0; row < 20_000; row++) held += Number(isHeldOut({ fraction: 0.3 }, salt, String(row)));
  // Binomial(20000, 0.3): standard deviation 65; six of them.
  t.true(Math.abs(held - 6000) < 390, `${held}`);
  t.false(isHeldOut({ fraction: 0 }, salt, "1"));
  // HMAC-SHA-256 of "what do ya want for nothing?" under "Jefe" = 5bdcc146… (RFC 4231, test case 2).
  const [key, text] = [Buffer.from("Jefe"), "what do ya want for nothing?"];
  t.true(isHeldOut({ fraction: 0x5c / 256 }, key, text));
  t.false(isHeldOut({ fraction: 0x5b / 256 }, key, text));
});

test("kinds are inferred from the cells", (t) => {
  const source = csvRecords("y,n,c,m\n1,1.5,b,\n0,NA,a,1\n1,-2,7,\n", "f");
  t.deepEqual(inferFeatures(source, ["y"]).features, [
    { name: "n", kind: "numeric" },
    { name: "c", kind: "categorical", levels: ["7", "a", "b"] },
    { name: "m", kind: "numeric" },
  ]);
  t.deepEqual(
    inferFeatures(source, ["y"], ["c"]).features.map((feature) => feature.name),
    ["c"],
  );
  t.is(refusal(() => inferFeatures(source, ["y"], ["nope"])).reason, "column_unknown");
});

test("CSV, gzip and Parquet of the same rows give the same table", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "fedcredit-rows-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const text = csv("paid,A,1.5,7", "late,,,8", "0,B,3,9");
  const [plain, zipped, parquet] = ["a.csv", "a.csv.gz", "a'b.parquet"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await writeFile(plain, text);
  await writeFile(zipped, gzipSync(text));
  const connection = await DuckDBConnection.create();
  await connection.run(
    `COPY (SELECT * FROM read_csv('${plain}', header = true)) TO '${parquet.replaceAll("'", "''")}' (FORMAT parquet)`,
  );
  connection.closeSync();
  const expected = tableFromCsv(text, "f", schema);
  for (const file of [plain, zipped, parquet]) t.deepEqual(await readTable([file], schema), expected, file);
  t.is((await readTable([plain, parquet], schema)).rows, 6);

  const refusals: [string, string | Uint8Array, string][] = [
    ["cut.csv.gz", gzipSync(text).subarray(0, 40), "file_malformed"],
    ["latin1.csv", Buffer.from("status,\xe9\n", "latin1"), "file_malformed"],
    ["cut.parquet", "PAR1....", "file_malformed"],
  ];
  for (const [name, content, reason] of refusals) {
    await writeFile(join(folder, name), content);
    const error = await t.throwsAsync(readTable([join(folder, name)], schema), { instanceOf: Refusal });
    t.is(error?.reason, reason as never, name);
  }
  const gone = await t.throwsAsync(readTable([join(folder, "gone.csv")], schema), { instanceOf: Refusal });
  t.is(gone?.reason, "file_missing");
});

const byMonth: RowSchema = {
  ...schema,
  holdout: { fraction: 0, outOfTime: { column: "other", from: "2015-07" } },
};

test("rows from a month on are held out; a date is read as people write it", (t) => {
  const dates = ["2015-06-30", "Jul-2015", "20150701", "2015/6/1", "1-Aug-15", "2014"];
  const text = csv(...dates.map((date, i) => `${i % 2 === 0 ? "paid" : "late"},A,1,${date}`));
  const table = tableFromCsv(text, "loans.csv", byMonth);
  t.deepEqual([...table.holdout], [0, 1, 1, 0, 1, 0]);
  t.deepEqual([...table.firstHeldOut!], [0, 1, 1, 0, 0, 0]);
});

test("of a subject with rows held out, the earlier ones are left out", (t) => {
  const text = csv(
    "paid,A,1,2015-06",
    "late,A,2,2015-07",
    "paid,B,3,2015-05",
    "late,B,4,2015-09",
    "paid,C,5,2015-01",
  );
  const { features } = schema;
  const table = tableFromCsv(text, "loans.csv", { ...byMonth, features: [features[0]!], subject: "grade" });
  t.deepEqual([...(table.columns.get("amount") as { values: Float64Array }).values], [2, 4, 5]);
  t.deepEqual([...table.holdout], [1, 1, 0]);
  t.deepEqual([...table.firstHeldOut!], [1, 0, 0]);
});

for (const date of ["07/08/2015", "soon", "", "2015-13", "2015-02-40"])
  test(`"${date}" is refused as a date, and not said`, (t) => {
    const error = refusal(() =>
      tableFromCsv(csv("paid,A,1,2015-01", `late,A,1,${date}`), "loans.csv", byMonth),
    );
    t.is(error.reason, "cell_malformed");
    t.is(error.message, 'loans.csv:3: column "other": not a date such as 2015-07-31');
  });

test("with indeterminate values named, any other label is a fault; without, it is left out", (t) => {
  const text = csv("paid,A,1,", "late,A,2,", "open,A,3,", ",A,4,");
  const named = { ...schema, label: { ...schema.label, indeterminate: ["open"] } };
  t.is(tableFromCsv(text, "loans.csv", named).rows, 2);
  const others = csv("paid,A,1,", "late,A,2,", "SECRETVALUE,A,3,");
  t.is(tableFromCsv(others, "loans.csv", schema).rows, 2);
  const error = refusal(() => tableFromCsv(others, "loans.csv", named));
  t.is(error.message, 'loans.csv:4: column "status": named in none of bad, good and indeterminate');
});

test("a label's values are told apart: good ones count first, then bad ones", (t) => {
  const table = tableFromCsv(csv("paid,A,1,", "1,A,2,", "late,A,3,", "0,A,4,"), "loans.csv", schema);
  t.deepEqual([...table.outcome], [0, 3, 2, 1]);
});

test("a first held-out month of too few subjects is refused: studies that differ by a month would show them", (t) => {
  const lines = Array.from({ length: 12 }, (_, i) => `${i % 2 === 0 ? "paid" : "late"},A,1,`);
  const dated = (months: readonly string[]) =>
    tableFromCsv(csv(...lines.map((line, i) => `${line}${months[i]}`)), "loans.csv", byMonth);
  const about = { name: "study", algorithms: [], ...byMonth };
  const many = ["2015-06", "2015-06", "2015-06", "2015-06", "2015-07", "2015-07", "2015-07", "2015-07"];
  const enough = dated([...many, "2015-08", "2015-08", "2015-08", "2015-08"]);
  t.notThrows(() => requireEnough(enough, about, 4));
  const few = dated([...many.slice(0, 5), ...new Array<string>(7).fill("2015-08")]);
  const error = refusal(() => requireEnough(few, about, 4));
  t.is(error.reason, "rows_too_few");
  t.regex(error.message, /1 subjects in the first month/);
});

test("shares that hardly differ deal the rows anew: subtracting their sums shows nobody", (t) => {
  const side = (fraction: number): boolean[] => {
    const key = splitKeyOf({ fraction }, salt);
    return Array.from({ length: 2000 }, (_, row) => isHeldOut({ fraction }, key, String(row)));
  };
  const [some, more] = [side(0.3), side(0.3001)];
  t.deepEqual(side(0.3), some, "a share deals its rows once");
  // Two independent deals differ in 2 · 0.3 · 0.7 of the rows: 840, standard deviation 22.
  const changed = some.filter((held, row) => held !== more[row]).length;
  t.true(changed > 700, `${changed}`);

  const text = csv(...Array.from({ length: 500 }, (_, i) => `${i % 3 === 0 ? "late" : "paid"},A,${i},`));
  const of = (fraction: number) => tableFromCsv(text, "f", { ...schema, holdout: { fraction } }).holdout;
  const one = of(0.3);
  t.true(of(0.3001).filter((held, row) => held !== one[row]).length > 100, "rows as a node reads them");
});

test("a value of the label, or a level among those trained on, that one subject alone has is refused", (t) => {
  const about = { ...schema, name: "study", algorithms: [] };
  const rows = ["paid,A,1,", "paid,A,2,", "late,A,3,", "paid,B,4,", "late,B,5,"];
  const table = tableFromCsv(csv(...rows), "f", schema);
  t.notThrows(() => requireEnough(table, about, 2), "the control");
  const single = refusal(() => requireEnough(tableFromCsv(csv(...rows.slice(0, 4)), "f", schema), about, 2));
  t.is(single.reason, "level_singular");
  t.regex(single.message, /column "grade"|label "status"/);
  const label = refusal(() => requireEnough(tableFromCsv(csv(...rows.slice(0, 3)), "f", schema), about, 2));
  t.regex(label.message, /label "status": one data subject/);

  const held = { ...table, holdout: Uint8Array.of(0, 0, 0, 0, 1) };
  const training = refusal(() => requireEnough(held, { ...about, holdout: { fraction: 0 } }, 2));
  t.regex(training.message, /column "grade": one data subject/);
});

test("a special value, or a value within a clip, that one subject alone has is refused: it would mark a row", (t) => {
  const table = tableFromCsv(csv("paid,A,1,", "late,A,2,", "paid,A,2,", "late,A,3,"), "f", schema);
  const marking = (own: object) => () =>
    requireEnough(
      table,
      { ...schema, name: "study", algorithms: [{ name: "transform", columns: { amount: own } }] },
      2,
    );
  for (const shared of [{ special: [2] }, { clip: { low: 1, high: 3 } }, { special: [9] }, { log: true }])
    t.notThrows(marking(shared), "the control");
  for (const alone of [{ special: [3] }, { clip: { low: 2 } }, { clip: { high: 2 } }])
    t.is(refusal(marking(alone)).reason, "level_singular", JSON.stringify(alone));
  const binned = (special: number[]) => () =>
    requireEnough(
      table,
      { ...schema, name: "study", algorithms: [{ name: "bins", special: { amount: special } }] },
      2,
    );
  t.notThrows(binned([2]), "the control");
  t.is(refusal(binned([3])).reason, "level_singular");
});

test("a cell that one subject alone has empty, or alone has filled, is refused: the gap would mark a row", (t) => {
  const about = { ...schema, name: "study", algorithms: [] };
  const of = (...cells: readonly string[]) =>
    tableFromCsv(csv(...cells.map((cell, i) => `${i % 2 === 0 ? "paid" : "late"},${cell},`)), "f", schema);
  for (const shared of [
    ["A,1", "A,2", "A,3", "A,4"],
    ["A,", "A,", "A,3", "A,4"],
    ["A,", "A,", "A,", "A,"],
    [",1", ",2", "A,3", "A,4"],
  ])
    t.notThrows(() => requireEnough(of(...shared), about, 2), shared.join(" "));
  for (const alone of [
    ["A,1", "A,2", "A,", "A,4"],
    ["A,", "A,", "A,3", "A,"],
    ["A,1", ",2", "A,3", "A,4"],
  ]) {
    const error = refusal(() => requireEnough(of(...alone), about, 2));
    t.is(error.reason, "level_singular", alone.join(" "));
    t.regex(error.message, /column "(amount|grade)": one data subject alone has/);
  }
  const filling = (indicator: boolean) => ({
    ...about,
    algorithms: [{ name: "transform", columns: { amount: { impute: "mean", indicator } } }],
  });
  t.notThrows(() => requireEnough(of("A,1", "A,2", "A,", "A,4"), filling(false), 2), "filled without a mark");
  for (const [cells, indicator] of [
    [["A,1", "A,2", "A,", "A,4"], true],
    [["A,", "A,", "A,3", "A,"], false],
  ] as const)
    t.is(refusal(() => requireEnough(of(...cells), filling(indicator), 2)).reason, "level_singular");
  // Others with a gap are all held out.
  const held = { ...of("A,", "A,", "A,3", "A,4", "A,5", "A,6"), holdout: Uint8Array.of(0, 1, 0, 0, 1, 1) };
  t.is(refusal(() => requireEnough(held, about, 2)).reason, "level_singular");
});
