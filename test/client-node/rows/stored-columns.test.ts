import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { DuckDBConnection } from "@duckdb/node-api";
import test from "ava";
import fc from "fast-check";
import { StatisticsThread } from "../../../client-node/federation/statistics.ts";
import { type RowSchema, tableFromRecords, tableFromStreams } from "../../../client-node/rows/rows.ts";
import { fileRecords, fileStreams, readRows } from "../../../client-node/rows/sources.ts";
import { packTable, unpackTable } from "../../../client-node/rows/stored-columns.ts";
import { canonicalJson, digestOf, sha256 } from "../../../core/canonical.ts";
import { csvRecords, csvStream } from "../../../core/csv.ts";
import { seededRandom, uniform } from "../../../core/random.ts";
import { Refusal } from "../../../core/reasons.ts";
import { readRecords, streamRecords } from "../../../core/table-file.ts";
import { unchanged } from "../../../models/cells.ts";
import { StudyMemory } from "../../../models/memory.ts";
import { isStored, partsOf, selectRows } from "../../../models/rows.ts";
import { manifestSchema } from "../../../models/study.ts";
import { advanceStudy, startStudy, studyContribute } from "../../../models/study-loop.ts";
import type { Table } from "../../../models/table.ts";
import { temporaryDirectory } from "../../../simulate/consortium.ts";

const home = await temporaryDirectory();
test.after.always(() => rm(home, { recursive: true, force: true }));

const random = seededRandom("stored columns");
const salt = sha256("salt");
const manifest = manifestSchema.parse({
  consortium: "riverbank",
  name: "stored",
  purpose: "credit risk",
  legalBasis: "contract",
  impactAssessment: "PIA-1",
  retentionDays: 30,
  label: { column: "status", bad: ["late"], good: ["paid"] },
  subject: "borrower",
  features: [
    ...["a", "b", "c"].map((name) => ({ name, kind: "numeric" })),
    { name: "sector", kind: "categorical", levels: ["mill", "shop"] },
  ],
  maxRowsPerParty: 5000,
  holdout: { fraction: 0.3 },
  algorithms: [
    ...[{ name: "range" }, { name: "summary" }, { name: "bins", most: 8, cells: 64 }, { name: "woe" }],
    { name: "logistic" },
    { name: "additive", binsPerColumn: 4 },
    { name: "boosting", rounds: 2, depth: 2, trees: 3 },
    { name: "evaluate" },
  ],
  privacy: { minCohort: 3, maxColluding: 1, unit: "record" },
  unprotected: ["noise"],
  deadlines: { stepSeconds: 10 },
});
const rows = 500;
const lines = Array.from({ length: rows }, (_, row) => {
  const [a, b, c] = [10 * uniform(random), uniform(random) - 0.5, uniform(random)];
  const sector = uniform(random) < 0.4 ? "mill" : "shop";
  const status = uniform(random) < 1 / (1 + Math.exp(4 - a + 2 * b)) ? "late" : "paid";
  return [a.toFixed(3), b.toFixed(4), row % 9 === 0 ? "" : c, sector, `b${row % 310}`, status].join(",");
});
const file = join(home, "rows.csv");
writeFileSync(file, ["a,b,c,sector,borrower,status", ...lines, ""].join("\n"));

/** Blocks of eight rows. */
const onDisk = async (schema: RowSchema = manifest): Promise<Table> =>
  tableFromStreams([await streamRecords(file)], schema, salt, home, unchanged, undefined, 32);
const inMemory = async (schema: RowSchema = manifest): Promise<Table> =>
  tableFromRecords([await readRecords(file)], schema, salt);
/** What is read of a table's columns, as they lie in memory. */
const loaded = ({ columns, ...table }: Table): unknown => ({
  ...table,
  columns: [...columns].map(([name, column]) => [
    name,
    column.kind === "numeric" ? [...column.values] : [[...column.codes], column.levels],
  ]),
});

test("a table on disk is the table in memory: whole, in parts, and of chosen rows", async (t) => {
  const [stored, table] = [await onDisk(), await inMemory()];
  t.true(isStored(stored));
  t.false(isStored(table));
  t.deepEqual(loaded(stored), loaded(table));
  // A thread has no use for where rows were read.
  const { records: _, ...sent } = table;
  t.deepEqual(loaded(unpackTable(structuredClone(packTable(stored)))), loaded(sent));
  for (const keep of [(row: number) => row % 3 === 0, (row: number) => row > 480, () => false, () => true]) {
    const [some, same] = [selectRows(stored, keep), selectRows(table, keep)];
    t.deepEqual(loaded(some), loaded(same));
    const again = [selectRows(some, (row) => row % 2 === 1), selectRows(same, (row) => row % 2 === 1)];
    t.deepEqual(loaded(again[0]!), loaded(again[1]!), "of chosen ones");
    const parts = [...partsOf(some)];
    t.true(parts.slice(0, -1).every(({ part }) => part.rows % 4 === 0 && !isStored(part)));
    const labels = parts.flatMap(({ part }) => [...part.label]);
    t.deepEqual(labels, [...same.label]);
    const values = parts.flatMap(
      ({ part }) => (loaded(part) as { columns: [string, number[]][] }).columns[0]![1],
    );
    t.deepEqual(values, (loaded(same) as { columns: [string, number[]][] }).columns[0]![1]);
  }
  t.deepEqual(
    (await readdir(home)).filter((name) => name.startsWith(".columns")),
    [],
    "nothing of it has a name",
  );
});

test("every sum over a table on disk is that over the table in memory, to the last bit, in a thread as well", async (t) => {
  const [stored, table] = [await onDisk(), await inMemory()];
  const thread = new StatisticsThread();
  t.teardown(() => thread.close());
  const study = digestOf(canonicalJson(manifest));
  const [ours, theirs] = [new StudyMemory(), new StudyMemory()];
  let state = startStudy(manifest);
  const seen = new Set<string>();
  while (state.algorithm !== null) {
    seen.add(state.algorithm);
    const values = await studyContribute(manifest, state, table, { random, memory: ours });
    const sameHere = await studyContribute(manifest, state, stored, { random, memory: theirs });
    t.deepEqual(sameHere, values, `${state.algorithm} ${state.step}`);
    t.deepEqual(
      await thread.contribute(study, manifest, state, stored),
      values,
      `${state.algorithm}, thread`,
    );
    state = await advanceStudy(manifest, state, { values, parties: 1 });
  }
  t.deepEqual([...seen], ["range", "summary", "bins", "logistic", "additive", "boosting", "evaluate"]);
});

test("CSV read in pieces is CSV read as a whole", async (t) => {
  const cell = fc.oneof(
    fc.constantFrom("", "NA", "1,5", "2.5", "1.234,5", 'say "so"', "two\nlines", "semi;colon", " x "),
    fc.double({ noNaN: true, min: -1e6, max: 1e6 }).map((x) => x.toFixed(2)),
  );
  const written = (text: string, delimiter: string): string =>
    /["\n\r]/.test(text) || text.includes(delimiter) ? `"${text.replaceAll('"', '""')}"` : text;
  const about = fc.record({
    cells: fc.array(fc.tuple(cell, cell), { maxLength: 12 }),
    delimiter: fc.constantFrom(",", ";", "\t"),
    newline: fc.constantFrom("\n", "\r\n"),
    mark: fc.constantFrom("", "\uFEFF"),
    piece: fc.integer({ min: 1, max: 40 }),
    ending: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(about, async ({ cells, delimiter, newline, mark, piece, ending }) => {
      const all = [["first", "second"], ...cells].map((row) => row.map((one) => written(one, delimiter)));
      const text = mark + all.map((row) => row.join(delimiter)).join(newline) + (ending ? newline : "");
      const whole: unknown[] = [];
      const records = csvRecords(text, "f", { missing: ["NA"] });
      records.each((row) => whole.push([...row]));
      const pieces = async function* (): AsyncGenerator<string> {
        for (let at = 0; at < text.length; at += piece) yield text.slice(at, at + piece);
      };
      const stream = await csvStream(pieces, "f", { missing: ["NA"] });
      const streamed: unknown[] = [];
      await stream.each((row) => streamed.push([...row]));
      t.deepEqual(stream.header, records.header);
      t.deepEqual(streamed, whole);
    }),
    { numRuns: process.env.SLOW ? 2000 : 150 },
  );
});

test("what is wrong in a large file is refused as in a small one", async (t) => {
  const files: [string, string, RegExp][] = [
    ["width.csv", "a,b\n1,2\n3\n", /:3: 1 cells where the header has 2/],
    ["open.csv", 'a,b\n1,"2\n3,4\n', /quotes do not match/],
    ["empty.csv", "", /no header line/],
    ["bytes.csv", "a,b\n1,\u00ff\n", /not text of its encoding/],
    ["cut.parquet", "PAR1 and no more", /not a Parquet file/],
  ];
  for (const [name, text, message] of files) {
    const path = join(home, name);
    await writeFile(path, text, name === "bytes.csv" ? "latin1" : "utf8");
    const read = async () => (await streamRecords(path)).each(() => {});
    await t.throwsAsync(read, { instanceOf: Refusal, message }, name);
  }
  await t.throwsAsync(streamRecords(join(home, "nowhere")), { message: /cannot be read/ });
  const cells = join(home, "cells.csv");
  await writeFile(cells, "a,b,c,sector,borrower,status\nx,1,1,mill,b,late\n1,1,1,farm,b,late\n");
  const taken = async () => tableFromStreams([await streamRecords(cells)], manifest, salt, home);
  await t.throwsAsync(taken, { message: /cells\.csv:2: column "a".*cells\.csv:3: column "sector"/ });
});

test("Parquet in chunks is Parquet as a whole, and which way a table goes depends on its size", async (t) => {
  const parquet = join(home, "rows.parquet");
  const connection = await DuckDBConnection.create();
  await connection.run(`COPY (SELECT * FROM read_csv('${file}')) TO '${parquet}' (FORMAT parquet)`);
  connection.closeSync();
  const stored = await tableFromStreams([await streamRecords(parquet)], manifest, salt, home);
  t.deepEqual(loaded(stored), loaded(tableFromRecords([await readRecords(parquet)], manifest, salt)));
  for (const path of [file, parquet])
    for (const [most, isOnDisk] of [
      [1e9, false],
      [10, true],
    ] as const) {
      const streams = fileStreams([path], undefined, home, most);
      const table = await readRows(fileRecords([path]), manifest, salt, unchanged, undefined, streams);
      t.is(isStored(table), isOnDisk, `${path}, ${most}`);
    }
});

test("a table of 40 MB is trained on in a heap of 64 MB, where it does not fit as a whole", async (t) => {
  t.timeout(120_000);
  const large = join(home, "large.parquet");
  const columns = 100;
  const cells = Array.from(
    { length: columns },
    (_, i) => `(hash(r * ${columns} + ${i}) % 10007)::DOUBLE / 7 AS x${i}`,
  );
  const connection = await DuckDBConnection.create();
  await connection.run(
    `COPY (SELECT ${cells.join(", ")}, CASE WHEN hash(r) % 3 = 0 THEN 'late' ELSE 'paid' END AS status
       FROM range(50000) t(r)) TO '${large}' (FORMAT parquet)`,
  );
  connection.closeSync();
  const child = fileURLToPath(new URL("../../support/table-child.ts", import.meta.url));
  const train = (way: string, heap: number): Promise<string> =>
    promisify(execFile)(process.execPath, [
      "--no-warnings",
      `--max-old-space-size=${heap}`,
      child,
      way,
      large,
      home,
      String(columns),
    ]).then(({ stdout }) => stdout);
  // The control: as a whole it is too large for this heap.
  await t.throwsAsync(train("memory", 64), { message: /heap out of memory/ });
  t.regex(await train("disk", 64), /^range \w+\nsummary \w+\nlogistic \w+\n$/);
});
