import {
  appendFileSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { DuckDBInstance } from "@duckdb/node-api";
import test, { type ExecutionContext } from "ava";
import type { z } from "zod";
import type { Batch, Timer } from "../../collectors/collector.ts";
import { fileConfig } from "../../collectors/file/config.ts";
import { hashFile, SeenFiles } from "../../collectors/file/seen.ts";
import { timeReader } from "../../collectors/file/time.ts";
import { fileCollector } from "../../collectors/file.ts";
import { Collected, systemContext } from "../support/collecting.ts";
import { eventually } from "./compliance/reader.ts";

type FileInput = z.input<typeof fileConfig>;

const limits = { backoff: { baseMillis: 5, capMillis: 20 } };
const at = (iso: string) => Date.parse(iso) * 1000;

class Folder {
  readonly root: string;
  readonly inbox: string;

  private constructor(root: string) {
    this.root = root;
    this.inbox = join(root, "inbox");
    mkdirSync(this.inbox);
  }

  static async create(t: ExecutionContext): Promise<Folder> {
    const folder = new Folder(await mkdtemp(join(tmpdir(), "exports-")));
    t.teardown(() => rm(folder.root, { recursive: true, force: true }));
    return folder;
  }

  put(name: string, content: string | Uint8Array): void {
    writeFileSync(join(this.root, name), content);
    renameSync(join(this.root, name), join(this.inbox, name));
  }

  config(extra: Partial<FileInput> = {}) {
    return fileConfig.parse({
      folder: this.inbox,
      state: join(this.root, "seen.db"),
      format: "csv",
      device: { column: "shop" },
      time: { column: "day" },
      columns: [{ column: "sales", metric: "sales_amount", unit: "{CNY}" }],
      every: "2ms",
      settle: "4ms",
      ...extra,
    });
  }

  collector(extra: Partial<FileInput> = {}, timer?: Timer) {
    const context = timer === undefined ? systemContext() : { ...systemContext(), timer };
    return fileCollector(this.config(extra), context, limits);
  }
}

const table = (rows: readonly (readonly (string | number)[])[]) =>
  `shop,day,sales\n${rows.map((row) => row.join(",")).join("\n")}\n`;
/** Rows whose value is their number. */
const numbered = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => ["s1", "2026-03-01", from + i] as const);
const values = (collected: Collected) => collected.readings.map(({ value }) => value);
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

test("a wide table: one reading per column, in the configured zone and units", async (t) => {
  const folder = await Folder.create(t);
  const collected = await Collected.start(
    t,
    folder.collector({
      time: { column: "时间", as: "yyyy/M/d HH:mm", zone: "Asia/Shanghai" },
      device: { column: "门店" },
      encoding: "gb18030",
      columns: [
        { column: "销售额", metric: "sales_amount", unit: "{CNY}", scale: 10_000 },
        { column: "营业", metric: "open", unit: "1", kind: "boolean" },
      ],
    }),
  );
  // 门店,时间,销售额,营业 / 一号店,… in GBK, with CRLF.
  const gbk = "c3c5b5ea2cca b1bce42ccffacadbb6ee2cd3aad2b5".replaceAll(" ", "");
  const rows = "2c323032362f332f3120303 93a33302c312e352ccac7".replaceAll(" ", "");
  folder.put(
    "日报.csv",
    Buffer.concat([
      Buffer.from(gbk, "hex"),
      Buffer.from("\r\n"),
      Buffer.from("d2bbbac5b5ea", "hex"),
      Buffer.from(rows.slice(0, -4), "hex"),
      Buffer.from("on\r\n"),
    ]),
  );
  await eventually(() => collected.readings.length === 2);
  const shared = {
    device: "一号店",
    time: at("2026-03-01T09:30:00+08:00"),
    historical: true,
    quality: "good",
    status: "ok",
    event: "日报.csv:2",
  };
  t.deepEqual(
    collected.readings.map(({ received, ...reading }) => reading),
    [
      { ...shared, metric: "sales_amount", unit: "{CNY}", value: 15_000 },
      { ...shared, metric: "open", unit: "1", value: true },
    ] as never,
  );
});

test("a long table: metrics by name, others left out", async (t) => {
  const folder = await Folder.create(t);
  const collected = await Collected.start(
    t,
    folder.collector({
      format: "jsonl",
      historical: false,
      columns: undefined,
      device: "ledger",
      time: { column: "ts", as: "ms" },
      rows: {
        metric: "item",
        value: "v",
        metrics: {
          due: { metric: "instalment_due", unit: "{CNY}" },
          state: { metric: "s", unit: "1", kind: "text" },
        },
      },
    }),
  );
  folder.put(
    "ledger.jsonl",
    '\uFEFF{"ts":1000,"item":"due","v":12.5}\n{"ts":2000,"item":"constructor","v":1}\n\n{"ts":3000,"item":"state","v":"paid"}\n{"ts":4000,"item":"due","v":null}',
  );
  await eventually(() => collected.readings.length === 3);
  t.deepEqual(
    collected.readings.map(({ metric, time, value, quality, historical }) => [
      metric,
      time,
      value,
      quality,
      historical,
    ]),
    [
      ["instalment_due", 1_000_000, 12.5, "good", false],
      ["s", 3_000_000, "paid", "good", false],
      ["instalment_due", 4_000_000, null, "bad", false],
    ],
  );
});

test("Parquet: typed columns, times with and without zone, many row groups", async (t) => {
  const folder = await Folder.create(t);
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  const path = join(folder.root, "t.parquet");
  await connection.run(
    `COPY (SELECT 's' || (i % 3) AS shop, TIMESTAMP '2026-03-01 08:00:00' + INTERVAL (i) SECOND AS day,
       CAST(i AS DECIMAL(12, 2)) / 4 AS sales, CAST(i AS BIGINT) AS n FROM range(5000) r(i))
     TO '${path}' (FORMAT parquet, ROW_GROUP_SIZE 2048)`,
  );
  connection.closeSync();
  instance.closeSync();
  const collected = await Collected.start(
    t,
    folder.collector({
      format: "parquet",
      time: { column: "day", zone: "+08:00" },
      columns: [
        { column: "sales", metric: "sales_amount", unit: "{CNY}" },
        { column: "n", metric: "n", unit: "1" },
      ],
    }),
  );
  renameSync(path, join(folder.inbox, "t.parquet"));
  await eventually(() => collected.readings.length === 10_000);
  t.is(collected.readings[0]!.time, at("2026-03-01T00:00:00Z"));
  t.is(collected.readings.at(-1)!.time, at("2026-03-01T00:00:00Z") + 4999 * 1_000_000);
  t.is(collected.readings.at(-2)!.value, 1249.75);
  t.is(collected.readings.at(-1)!.value, 4999);
});

test("bad lines are counted by file and line, never by value; good neighbours are kept", async (t) => {
  const folder = await Folder.create(t);
  const collector = folder.collector();
  const collected = await Collected.start(t, collector);
  folder.put(
    "x.csv",
    table([
      ["s1", "2026-03-01", 1],
      ["s1", "2026-03-01", "secret-cell"],
      ["s1", "31.02.2026", 2],
      ["s1", "2026-03-01"],
      ["", "2026-03-01", 3],
      ["s1", "2026-03-01", ""],
      ["s1", "2026-03-01", 4],
    ]),
  );
  await eventually(() => collected.readings.length === 7);
  t.deepEqual(
    collected.readings.map(({ value, quality, status }) => [value, quality, status]),
    [
      [1, "good", "ok"],
      [null, "bad", "unreadable"],
      ['{"shop":"s1","day":"31.02.2026","sales":"2"}', "bad", "unreadable: day"],
      ["", "bad", "unreadable: 2 cells where 3 are named"],
      ['{"shop":"","day":"2026-03-01","sales":"3"}', "bad", "unreadable: shop"],
      [null, "bad", "empty"],
      [4, "good", "ok"],
    ],
  );
  t.is(collector.health().errors, 4);
  t.is(collector.health().lastError, "x.csv:6: column shop cannot be read");
});

test("an unclosed quote, a missing column and a file of another kind are refused by name", async (t) => {
  const folder = await Folder.create(t);
  const collector = folder.collector();
  await Collected.start(t, collector);
  const saying = async (name: string, content: string, expected: RegExp) => {
    const { errors } = collector.health();
    folder.put(name, content);
    await eventually(() => collector.health().errors > errors);
    t.regex(collector.health().lastError!, expected);
    t.false(collector.health().lastError!.includes("hidden"));
  };
  await saying("a.csv", "shop,day\ns1,hidden\n", /^a\.csv: line 1: no column sales$/);
  await saying(
    "b.csv",
    'shop,day,sales\n"hidden,2026-03-01,1\n',
    /^b\.csv: line \d+: a quote is never closed$/,
  );
  const parquet = folder.collector({ format: "parquet", state: join(folder.root, "other.db") });
  await Collected.start(t, parquet);
  await eventually(() => parquet.health().errors >= 2);
  t.regex(parquet.health().lastError!, /^[ab]\.csv: not a Parquet file$/);
  const jsonl = folder.collector({ format: "jsonl", state: join(folder.root, "third.db") });
  await Collected.start(t, jsonl);
  await eventually(() => jsonl.health().errors >= 4);
  t.regex(jsonl.health().lastError!, /^b\.csv:2: not a JSON object$/);
});

test("a quote never closed does not swallow a large file in silence", async (t) => {
  const folder = await Folder.create(t);
  const collector = folder.collector({ batch: 1 });
  const collected = await Collected.start(t, collector);
  folder.put("q.csv", `${table(numbered(0, 3))}"s1,2026-03-01,3\n${"s1,2026-03-01,4\n".repeat(150_000)}`);
  await eventually(() => collector.health().errors > 0);
  t.regex(collector.health().lastError!, /^q\.csv: line \d+: a quote is never closed$/);
  await collected.stop();
  const seen = new SeenFiles(join(folder.root, "seen.db"));
  const { hash } = await hashFile(join(folder.inbox, "q.csv"), []);
  t.not(seen.get(hash)?.done, true);
  seen.close();
});

test("what is no row of a table is not held whole: a line of JSON without end, a cell of Parquet", async (t) => {
  const folder = await Folder.create(t);
  const good = `${JSON.stringify({ shop: "s1", day: "2026-03-01", sales: 7 })}\n`;
  folder.put("day.jsonl", `${"0".repeat(3_000_000)}\n${good}`);
  const lines = await Collected.start(t, folder.collector({ format: "jsonl", files: "*.jsonl" }));
  await eventually(() => lines.readings.length === 2);
  t.deepEqual(
    lines.readings.map(({ quality, value }) => (quality === "good" ? value : quality)),
    ["bad", 7],
  );
  t.regex(lines.readings[0]!.status, /more than 1048576 characters/);

  const duckdb = await DuckDBInstance.create(":memory:");
  const connection = await duckdb.connect();
  const path = join(folder.inbox, "notes.parquet");
  const rows = "'s1' AS shop, DATE '2026-03-01' AS day, repeat('a', 5000000) AS note";
  await connection.run(`COPY (SELECT ${rows}) TO '${path}' (FORMAT parquet, COMPRESSION zstd)`);
  connection.closeSync();
  duckdb.closeSync();
  const columns = [{ column: "note", metric: "note", unit: "1", kind: "text" as const }];
  const state = join(folder.root, "other.db");
  const cells = await Collected.start(
    t,
    folder.collector({ format: "parquet", files: "*.parquet", columns, state }),
  );
  await eventually(() => cells.readings.length === 1);
  t.is(String(cells.readings[0]!.value).length, 4097);
});

test("a file that has become a link while it waits for its turn is not read", async (t) => {
  const folder = await Folder.create(t);
  const secret = join(folder.root, "secret.csv");
  writeFileSync(secret, table(numbered(1000, 1003)));
  folder.put("a.csv", table(numbered(0, 3)));
  folder.put("b.csv", table(numbered(100, 103)));
  const collector = folder.collector();
  await collector.start();
  t.teardown(() => collector.stop());
  const seen: unknown[] = [];
  for await (const { readings, stored } of collector) {
    seen.push(...readings.map(({ value }) => value));
    if (seen.length === 3) {
      // The second waits until the first is stored.
      await setTimeout(50);
      rmSync(join(folder.inbox, "b.csv"));
      symlinkSync(secret, join(folder.inbox, "b.csv"));
      folder.put("c.csv", table(numbered(200, 203)));
    }
    stored();
    if (seen.length >= 6) break;
  }
  t.deepEqual(seen, [0, 1, 2, 200, 201, 202]);
});

test("a file that still changes is not read; temporary names never are", async (t) => {
  const folder = await Folder.create(t);
  let elapsed = 0;
  let look = () => {};
  const looked = () => new Promise<void>((resolve) => (look = resolve));
  let resume = () => {};
  const timer: Timer = {
    elapsed: () => elapsed,
    wait(_, signal) {
      look();
      return new Promise((resolve) => {
        resume = resolve;
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
    },
  };
  /** Lets time pass and waits for the next look at the folder to end. */
  const pass = async (milliseconds: number) => {
    elapsed += milliseconds;
    const next = looked();
    resume();
    await next;
  };
  const first = looked();
  const collected = await Collected.start(t, folder.collector({ settle: "10s" }, timer));
  await first;
  const path = join(folder.inbox, "growing.csv");
  writeFileSync(path, table(numbered(0, 2)));
  for (const name of ["a.tmp", "b.csv.part", ".c.csv"])
    writeFileSync(join(folder.inbox, name), table(numbered(90, 91)));
  await pass(0);
  await pass(9_000);
  appendFileSync(path, "s1,2026-03-01,2\n");
  await pass(9_000);
  await pass(9_000);
  t.is(collected.readings.length, 0);
  await pass(1_000);
  await eventually(() => collected.readings.length === 3);
  await pass(60_000);
  t.deepEqual(values(collected), [0, 1, 2]);
});

test("known content is not read again: moved, copied, touched, after a restart", async (t) => {
  const folder = await Folder.create(t);
  const first = await Collected.start(t, folder.collector());
  folder.put("a.csv", table(numbered(0, 3)));
  await eventually(() => first.readings.length === 3);
  await first.stop();

  const second = await Collected.start(t, folder.collector());
  folder.put("copy.csv", table(numbered(0, 3)));
  utimesSync(join(folder.inbox, "a.csv"), 1, 1);
  folder.put("new.csv", table(numbered(3, 4)));
  await eventually(() => second.readings.length === 1);
  t.deepEqual(values(second), [3]);
  t.is(second.batches.length, 1);
});

test("a file that grew by lines gives the new lines only", async (t) => {
  const folder = await Folder.create(t);
  const collected = await Collected.start(t, folder.collector());
  folder.put("log.csv", table(numbered(0, 3)));
  await eventually(() => collected.readings.length === 3);
  appendFileSync(join(folder.inbox, "log.csv"), "s1,2026-03-01,3\n");
  await eventually(() => collected.readings.length >= 4);
  t.deepEqual(values(collected), upTo(4));
  // Rewritten from the start, it is another file.
  writeFileSync(join(folder.inbox, "log.csv"), table(numbered(10, 15)));
  await eventually(() => collected.readings.length >= 9);
  t.deepEqual(values(collected).slice(4), [10, 11, 12, 13, 14]);
});

test("nothing is remembered before it is stored; killed in between it goes on where the store stands", async (t) => {
  const folder = await Folder.create(t);
  folder.put("big.csv", table(numbered(0, 100)));
  const { hash } = await hashFile(join(folder.inbox, "big.csv"), []);
  const remembered = () => {
    const seen = new SeenFiles(join(folder.root, "seen.db"));
    try {
      return seen.get(hash);
    } finally {
      seen.close();
    }
  };
  const store: unknown[] = [];
  const keep = ({ readings }: Batch) => store.push(...readings.map(({ value }) => value));

  // The store takes the first three batches; then everything ends without a word.
  const killed = fileCollector(folder.config({ batch: 10 }), systemContext(), {
    ...limits,
    batchReadings: 10,
  });
  await killed.start();
  let batches = 0;
  for await (const batch of killed) {
    if (batches === 0) t.is(remembered(), undefined);
    if (++batches > 3) break;
    keep(batch);
    batch.stored();
  }
  t.like(remembered(), { line: 31, done: false });

  const next = fileCollector(folder.config({ batch: 10 }), systemContext(), { ...limits, batchReadings: 10 });
  await next.start();
  for await (const batch of next) {
    keep(batch);
    batch.stored();
    if (store.length >= 100) void next.stop();
  }
  t.deepEqual(store, upTo(100));
  await killed.stop();
  t.true(existsSync(join(folder.inbox, "big.csv")));
  const third = await Collected.start(t, folder.collector());
  folder.put("c.csv", table(numbered(200, 201)));
  await eventually(() => third.readings.length === 1);
  t.deepEqual(values(third), [200]);
});

test("receipts out of order remember only what is stored without a hole", async (t) => {
  const folder = await Folder.create(t);
  folder.put("a.csv", table(numbered(0, 30)));
  const { hash } = await hashFile(join(folder.inbox, "a.csv"), []);
  const collector = fileCollector(folder.config({ batch: 10 }), systemContext(), {
    ...limits,
    batchReadings: 10,
  });
  const collected = await Collected.start(t, collector);
  collected.hold();
  await eventually(() => collected.batches.length === 4);
  const line = () => {
    const seen = new SeenFiles(join(folder.root, "seen.db"));
    const found = seen.get(hash)?.line;
    seen.close();
    return found;
  };
  collected.batches[1]!.stored();
  t.is(line(), undefined);
  collected.batches[0]!.stored();
  t.is(line(), 21);
});

test("a large file streams: the reader sees its start long before its end", async (t) => {
  const folder = await Folder.create(t);
  const rows = process.env.SLOW ? 2_000_000 : 30_000;
  folder.put("large.csv", table(numbered(0, rows)));
  const collector = fileCollector(folder.config({ batch: 500 }), systemContext(), {
    ...limits,
    queueReadings: 1_000,
    batchReadings: 500,
  });
  await collector.start();
  t.teardown(() => collector.stop());
  let sum = 0;
  for await (const { readings, stored } of collector) {
    t.true(readings.length <= 500);
    sum += readings.length;
    stored();
    if (sum === rows) break;
  }
  t.is(sum, rows);
});

test("a folder that is missing is reported and taken when it comes", async (t) => {
  const folder = await Folder.create(t);
  const later = join(folder.root, "later");
  const collector = folder.collector({ folder: later });
  const collected = await Collected.start(t, collector);
  await eventually(() => collector.health().errors > 0);
  t.regex(collector.health().lastError!, /^cannot list /);
  mkdirSync(later);
  writeFileSync(join(later, "a.csv"), table(numbered(0, 1)));
  await eventually(() => collected.readings.length === 1);
  t.is(collector.health().state, "running");
});

test("a state that is none keeps the source down and says so", async (t) => {
  const folder = await Folder.create(t);
  writeFileSync(
    join(folder.root, "seen.db"),
    "not a database, and long enough to be looked at as one".repeat(40),
  );
  const collector = folder.collector();
  await Collected.start(t, collector);
  await eventually(() => /no state of a file collector/.test(collector.health().lastError ?? ""));
  t.not(collector.health().state, "running");
});

test("times: formats and zones, daylight saving, and what is none", (t) => {
  const read = (as: string, zone: string, cell: unknown) => timeReader(as, zone)(cell);
  t.is(read("iso", "UTC", "2026-03-01"), at("2026-03-01T00:00:00Z"));
  t.is(read("iso", "Asia/Shanghai", "2026-03-01 08:00:00.5"), at("2026-03-01T00:00:00.500Z"));
  t.is(read("iso", "Asia/Shanghai", "2026-03-01T08:00:00Z"), at("2026-03-01T08:00:00Z"));
  t.is(read("iso", "UTC", "2026-03-01T08:00+08:00"), at("2026-03-01T00:00:00Z"));
  t.is(read("s", "UTC", "1772323200"), at("2026-03-01T00:00:00Z"));
  t.is(read("us", "UTC", 5), 5);
  t.is(read("dd.MM.yyyy HH:mm:ss", "+05:30", "01.03.2026 05:30:00"), at("2026-03-01T00:00:00Z"));
  t.is(read("yyyyMMdd", "-03:00", "20260301"), at("2026-03-01T03:00:00Z"));
  const berlin = timeReader("yyyy-MM-dd HH:mm", "Europe/Berlin");
  t.is(berlin("2026-03-29 01:59"), at("2026-03-29T00:59:00Z"));
  t.is(berlin("2026-03-29 03:00"), at("2026-03-29T01:00:00Z"));
  t.is(berlin("2026-07-01 00:00"), at("2026-06-30T22:00:00Z"));
  for (const [as, cell] of [
    ["iso", "2026-02-30x"],
    ["iso", ""],
    ["iso", null],
    ["s", ""],
    ["s", "noon"],
    ["yyyy-MM-dd", "2026-02-30"],
    ["yyyy-MM-dd", "2026-3-1"],
    ["yyyy-MM-dd HH:mm", "2026-03-01 24:00"],
  ] as const)
    t.is(read(as, "UTC", cell), undefined, `${as} ${cell}`);
});

test("configuration that cannot work is refused", async (t) => {
  const folder = await Folder.create(t);
  const good = folder.config();
  const parse = (extra: object) =>
    fileConfig.safeParse({ ...JSON.parse(JSON.stringify(good)), every: "1s", settle: "1s", ...extra });
  t.true(parse({}).success);
  for (const bad of [
    { columns: undefined },
    { rows: { metric: "a", value: "b", metrics: {} } },
    { time: { column: "t", as: "HH:mm" } },
    { time: { column: "t", zone: "Mars/Olympus" } },
    { format: "jsonl", delimiter: ";" },
    { device: {} },
  ])
    t.false(parse(bad).success, JSON.stringify(bad));
});

test("a decimal comma is read where it is configured, and grouped thousands with it", async (t) => {
  const folder = await Folder.create(t);
  const collected = await Collected.start(t, folder.collector({ delimiter: ";", decimal: "," }));
  const cells = ["1.234,56", "1 234,5", "-0,25", "1234", "1,234.5", "12.34"];
  folder.put("x.csv", `shop;day;sales\n${cells.map((cell) => `s1;2026-03-01;${cell}`).join("\n")}\n`);
  await eventually(() => collected.readings.length === 6);
  t.deepEqual(
    collected.readings.map(({ value }) => value),
    [1234.56, 1234.5, -0.25, 1234, null, null],
  );
});
