import test from "ava";
import fc from "fast-check";
import { numberOf } from "../../core/cell.ts";
import { columnAt, csvRecords, csvStream, decodeText } from "../../core/csv.ts";
import { Refusal } from "../../core/reasons.ts";
import { inferFeatures } from "../../models/infer.ts";

const cellsOf = (text: string, options = {}): unknown[][] => {
  const rows: unknown[][] = [];
  csvRecords(text, "f", options).each((cells) => rows.push([...cells]));
  return rows;
};

test("the same numbers are read from every dialect", (t) => {
  const decimals = fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((x) => Math.round(x * 100) / 100);
  // Two decimals leave no doubt which sign is the decimal one.
  const table = fc.array(fc.tuple(decimals, decimals), { minLength: 1, maxLength: 20 });
  const dialect = fc.record({
    delimiter: fc.constantFrom(",", ";", "\t", "|"),
    decimal: fc.constantFrom(".", ","),
    thousands: fc.boolean(),
    newline: fc.constantFrom("\n", "\r\n"),
    mark: fc.constantFrom("", "\uFEFF"),
    isTold: fc.boolean(),
  });
  fc.assert(
    fc.property(table, dialect, (rows, { delimiter, decimal, thousands, newline, mark, isTold }) => {
      const grouping = decimal === "," ? "." : ",";
      const write = (x: number): string => {
        const [whole = "", part = ""] = Math.abs(x).toFixed(2).split(".");
        const grouped = thousands ? whole.replaceAll(/\B(?=(\d{3})+$)/g, grouping) : whole;
        const text = `${x < 0 ? "-" : ""}${grouped}${decimal}${part}`;
        return text.includes(delimiter) ? `"${text}"` : text;
      };
      const lines = [`a${delimiter}b`, ...rows.map((row) => row.map(write).join(delimiter))];
      // Where commas part the cells, a decimal comma has to be told.
      const options = isTold || (delimiter === "," && decimal === ",") ? { delimiter, decimal } : {};
      const read = cellsOf(mark + lines.join(newline), options);
      t.deepEqual(
        read.map((cells) => cells.map((cell) => numberOf(cell as string)! + 0)),
        rows.map((row) => row.map((x) => Number(x.toFixed(2)) + 0)),
      );
    }),
  );
});

test("text is decoded as it is said to be, and refused where it is not that", (t) => {
  const gbk = Uint8Array.from([0xd0, 0xd5, 0xc3, 0xfb, 0x2c, 0x61, 0x0a, 0xd5, 0xc5, 0x2c, 0x31]);
  t.is(decodeText(gbk, "f", "gbk"), "姓名,a\n张,1");
  t.is(decodeText(Buffer.from("\uFEFFa,b", "utf16le"), "f"), "a,b");
  t.is(decodeText(Uint8Array.from([0x6d, 0xfc, 0x6c, 0x6c]), "f", "windows-1252"), "müll");
  for (const [bytes, encoding, reason] of [
    [gbk, undefined, "file_malformed"],
    [Uint8Array.from([0xff]), "gbk", "file_malformed"],
    [gbk, "klingon", "usage"],
  ] as const) {
    const error = t.throws(() => decodeText(bytes, "f", encoding), { instanceOf: Refusal });
    t.is((error as Refusal).reason, reason);
  }
});

test("what spreadsheets write around a table: a line that names the separator, lines that end in a return alone", async (t) => {
  const table = [
    ["x", "bad"],
    ["1;5", "0"],
    ["2", "1"],
  ];
  for (const quote of [true, false])
    for (const newline of ["\n", "\r\n", "\r"])
      for (const said of ["", "sep=;"]) {
        const cells = table.map((row) => row.map((cell) => (quote ? `"${cell}"` : cell.replace(";", ""))));
        const text = [...(said === "" ? [] : [said]), ...cells.map((row) => row.join(";"))].join(newline);
        const what = JSON.stringify(text);
        const expected = table
          .slice(1)
          .map((row) => row.map((cell) => (quote ? cell : cell.replace(";", ""))));
        t.deepEqual(csvRecords(text, "f").header, ["x", "bad"], what);
        t.deepEqual(cellsOf(text), expected, what);
        const stream = await csvStream(async function* () {
          for (const character of `\uFEFF${text}`) yield character;
        }, "f");
        const streamed: unknown[][] = [];
        await stream.each((cells) => streamed.push([...cells]));
        t.deepEqual(stream.header, ["x", "bad"], what);
        t.deepEqual(streamed, expected, what);
      }
});

test("a header that is all of a file is not repeated as a whole", (t) => {
  const { header } = csvRecords(Array.from({ length: 10_000 }, (_, i) => `v${i}`).join(","), "f");
  const error = t.throws(() => columnAt({ name: "f", header }, "bad"), { instanceOf: Refusal }) as Refusal;
  t.true(error.hint.length < 1100);
  t.regex(error.hint, /v9, .*\(10000 in all\)$/);
});

test("numbers as people write them, and missing values", (t) => {
  const cases: readonly [string, number | undefined][] = [
    ["1,234", 1234],
    ["-1,234,567.5", -1_234_567.5],
    ["1'234'567.5", 1_234_567.5],
    ["1\u202f234", 1234],
    ["1'23", undefined],
    ["12.5%", 0.125],
    ["7 %", 0.07],
    ["?", Number.NaN],
    ["NULL", Number.NaN],
    ["-", Number.NaN],
    ["12,34", undefined],
    ["1,2345", undefined],
    ["%", undefined],
    ["1.2.3", undefined],
    ["0x10", undefined],
    ["∞", undefined],
  ];
  for (const [text, number] of cases) t.deepEqual(numberOf(text), number, text);
  t.deepEqual(cellsOf("a;b\n9;x\n-9;y\n", { missing: ["9"] }), [
    ["", "x"],
    ["-9", "y"],
  ]);
  // Three digits may be thousands: a file that shows nothing else is read with a point.
  t.deepEqual(cellsOf("a;b\n1,234;x"), [["1,234", "x"]]);
});

test("amounts of money are numbers where a column is of one currency", (t) => {
  const read = (text: string, options = {}): unknown[] =>
    cellsOf(text, options).map((cells) => numberOf(cells[0] as string));
  for (const [cells, expected] of [
    [
      ["123.00 €", "7.5 €", "", "1,000 €", "12"],
      [123, 7.5, Number.NaN, 1000, 12],
    ],
    [
      ["$1,234.50", "-$5", "$-5.25", "+$ 1"],
      [1234.5, -5, -5.25, 1],
    ],
    [
      ["1.234,50 EUR", "-2,5 EUR", "NULL", "3 EUR"],
      [1234.5, -2.5, Number.NaN, 3],
    ],
    [
      ["CN¥ 1 ", "CN¥2"],
      [1, 2],
    ],
    [
      ["12,50元", "1元"],
      [12.5, 1],
    ],
    [
      ["12,5 %", "7 %", "7,25\u00a0%"],
      [0.125, 0.07, 0.0725],
    ],
    // Another currency is another amount: it is no number, and nothing is guessed.
    [
      ["1 EUR", "2 USD"],
      [undefined, undefined],
    ],
    [
      ["$1", "2 USD"],
      [undefined, undefined],
    ],
    // What is not of money stays as it is.
    [
      ["ALL123", "ALL124"],
      [undefined, undefined],
    ],
    [
      ["36 months", "60 months"],
      [undefined, undefined],
    ],
    [
      ["$1", "over $5"],
      [undefined, undefined],
    ],
  ] as const)
    t.deepEqual(read(["amount;y", ...cells.map((cell) => `${cell};1`)].join("\n")), [...expected], cells[0]);
  // A currency that the file does not begin with is not guessed away.
  const late = Array.from({ length: 300 }, (_, i) => (i < 250 ? "$1" : "1 €"));
  t.deepEqual(read(["amount", ...late].join("\n")).slice(248, 252), [1, 1, undefined, undefined]);
});

test("numbers beside a unit that nobody named are left out, and it is said which", (t) => {
  const advice = (cell: (i: number) => string): string | undefined => {
    const text = `y,x,used\n${rows(120, (i) => `${i % 2},${i % 7},"${cell(i)}"`)}`;
    return inferFeatures(csvRecords(text, "f"), ["y"]).leftOut.find(({ name }) => name === "used")?.advice;
  };
  t.regex(advice((i) => `${i}.5 kWh`)!, /leave "kWh" away/);
  t.regex(advice((i) => `${i}.5 ${i % 2 ? "EUR" : "USD"}`)!, /one unit instead of "USD", "EUR"/);
  t.notRegex(advice((i) => `${"abcdefgh"[i % 8]}${i}`)!, /leave|unit/);
  const { features } = inferFeatures(
    csvRecords(`y,used\n${rows(120, (i) => `${i % 2},"$${1000 + i}.50"`)}`, "f"),
    ["y"],
  );
  t.deepEqual(features, [{ name: "used", kind: "numeric" }]);
});

const rows = (count: number, row: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => row(i)).join("\n");

test("dates, identifiers, free text and constants are no features, and it is said", (t) => {
  const header = "y,amount,start,loan_id,phone,note,same,none,grade,share,,twice,twice,constructor,__proto__";
  const text = `${header}\n${rows(200, (i) =>
    [
      i % 2,
      i * 37.5 + 1,
      `2024-01-${String((i % 28) + 1).padStart(2, "0")}`,
      100_000 + i,
      `139${i}x`,
      `words ${i % 150}`,
      "CNY",
      "?",
      "ABC"[i % 3],
      `${i % 40}%`,
      i,
      i,
      i,
      i % 7,
      i % 9,
    ].join(","),
  )}`;
  const source = csvRecords(text, "f");
  const { features, leftOut } = inferFeatures(source, ["y"]);
  t.deepEqual(
    features.map(({ name, kind }) => `${name} ${kind}`),
    ["amount numeric", "grade categorical", "share numeric"],
  );
  t.deepEqual(leftOut.map(({ name, kind }) => `${name} ${kind}`).sort(), [
    "11 unnamed",
    "__proto__ wrongly named",
    "constructor wrongly named",
    "loan_id identifier",
    "none empty",
    "note text",
    "phone identifier",
    "same constant",
    "start date",
    "twice twice",
  ]);
  const asked = t.throws(() => inferFeatures(source, ["y"], ["amount", "start", "loan_id", "same"]), {
    instanceOf: Refusal,
  });
  for (const name of ["start", "loan_id", "same"]) t.true(asked?.message.includes(`"${name}"`), name);
  t.false(asked?.message.includes('"amount"'));
});

test("a column of numbers with odd cells is never made levels: all of them are named at once", (t) => {
  const text = `y,a,b,c\n${rows(100, (i) => `${i % 2},${i % 25 === 3 ? "n.d." : i},${i === 7 ? "1..5" : i},${i % 4}`)}`;
  const error = t.throws(() => inferFeatures(csvRecords(text, "f"), ["y"]), { instanceOf: Refusal });
  t.is((error as Refusal).reason, "cell_malformed");
  t.regex(
    error!.message,
    /"a" is almost numeric: 4 of 100 .*"n\.d\.".*"b" is almost numeric: 1 of 100 .*"1\.\.5"/,
  );
  t.notThrows(() => inferFeatures(csvRecords(text, "f", { missing: ["n.d.", "1..5"] }), ["y"]));
});
