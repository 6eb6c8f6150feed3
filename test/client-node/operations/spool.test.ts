import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import fc from "fast-check";
import { Apart } from "../../../client-node/operations/apart.ts";
import { decodeBatch, encodeBatch } from "../../../client-node/operations/batch-codec.ts";
import { writeApart } from "../../../client-node/operations/cut-apart.ts";
import { Engine, quoteText } from "../../../client-node/operations/engine.ts";
import {
  cutSegment,
  dropSegmentsBefore,
  isOfTheMachine,
  parquetFiles,
  type WriteSegment,
} from "../../../client-node/operations/segments.ts";
import { Spool, type SpoolOptions } from "../../../client-node/operations/spool.ts";
import type { Reading } from "../../../collectors/reading.ts";
import { secureRandom } from "../../../core/random.ts";
import { day, hour, monday, reading, second } from "../../support/readings.ts";
import { tinyDisk } from "../../support/tiny-disk.ts";

const qualities = ["good", "uncertain", "bad"] as const;

const runs = process.env.SLOW ? 500 : 50;

function scratch(t: { teardown(end: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), "fedcredit-spool-"));
  mkdirSync(join(folder, "segments"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return folder;
}

const open = (folder: string, options: Partial<SpoolOptions> = {}): Spool =>
  new Spool({
    path: join(folder, "spool.db"),
    maxBytes: 1e9,
    maxAgeSeconds: 1e9,
    random: secureRandom,
    now: () => monday / 1000,
    ...options,
  });

const segmentOptions = (folder: string) => ({
  folder: join(folder, "segments"),
  deviceClass: (device: string) => device.split("-")[0]!,
  maxReadings: 1e6,
});

async function stored(folder: string): Promise<Record<string, unknown>[]> {
  const engine = await Engine.open();
  const rows = await engine.rows(
    `SELECT * FROM read_parquet(${quoteText(join(folder, "segments", "*", "*", "*.parquet"))},
     hive_types = {date: VARCHAR}) ORDER BY device, time_us, sequence`,
  );
  engine.close();
  return rows;
}

test("a batch decodes to what was encoded, whatever it holds", (t) => {
  const text = fc.string({ maxLength: 8 });
  const arbitrary: fc.Arbitrary<Reading> = fc.record(
    {
      device: text,
      metric: text,
      value: fc.oneof(fc.double({ noNaN: true }), fc.string(), fc.boolean(), fc.constant(null)),
      unit: text,
      time: fc.integer({ min: 1, max: 2 ** 52 }),
      received: fc.integer({ min: 1, max: 2 ** 52 }),
      quality: fc.constantFrom(...qualities),
      status: text,
      sequence: fc.nat(),
      historical: fc.boolean(),
      position: fc.record({
        lat: fc.double({ min: -90, max: 90, noNaN: true }),
        lon: fc.double({ min: -180, max: 180, noNaN: true }),
        datum: fc.constantFrom("WGS-84" as const, "GCJ-02" as const),
        source: fc.constantFrom("beidou" as const, "gps" as const, "uwb" as const),
        accuracyMetres: fc.double({ min: 0, max: 1e4, noNaN: true }),
      }),
    },
    {
      requiredKeys: [
        "device",
        "metric",
        "value",
        "unit",
        "time",
        "received",
        "quality",
        "status",
        "historical",
      ],
    },
  ) as fc.Arbitrary<Reading>;
  fc.assert(
    fc.property(fc.array(arbitrary, { maxLength: 20 }), (readings) => {
      const columns = decodeBatch(encodeBatch(readings, { idOf: () => 7, isLate: () => false }));
      const values = readings.map((one) => one.value);
      t.deepEqual(
        values.map(
          (_, i) =>
            [null, columns.value[i], columns.value[i] === 1, columns.texts[columns.text[i]!]][
              columns.kind[i]!
            ],
        ),
        values,
      );
      t.deepEqual(
        [...columns.time],
        readings.map((one) => one.time),
      );
      t.deepEqual(
        readings.map((_, i) => columns.texts[columns.status[i]!]),
        readings.map((one) => one.status),
      );
      t.deepEqual(
        readings.map((_, i) => qualities[columns.marks[i]! & 3]),
        readings.map((one) => one.quality),
      );
      t.deepEqual(
        readings.map((_, i) => columns.sequence?.[i] ?? -1),
        readings.map((one) => one.sequence ?? -1),
      );
      t.deepEqual(
        readings.map((_, i) => (columns.place[i]! & 1 ? columns.lat![i] : undefined)),
        readings.map((one) => one.position?.lat),
      );
    }),
    { numRuns: runs },
  );
});

test("a batch cut short is refused", (t) => {
  const bytes = encodeBatch([reading("d", "m", 1, monday)], { idOf: () => 1, isLate: () => false });
  t.throws(() => decodeBatch(bytes.subarray(0, bytes.length - 1)), { instanceOf: RangeError });
  t.throws(() => decodeBatch(bytes.subarray(0, 10)), { instanceOf: RangeError });
});

test("readings come out of the segment as they went in, by day and device class", async (t) => {
  const folder = scratch(t);
  const spool = open(folder);
  const position = { lat: 12.2, lon: 132.4, datum: "GCJ-02", source: "uwb", accuracyMetres: 3 } as const;
  spool.append([
    reading("press-1", "run_state", true, monday, { sequence: 5 }),
    reading("truck-1", "speed", 61.5, monday + day, { position, unit: "km/h", quality: "uncertain" }),
    reading("truck-1", "nfc_tag", "04:A2", monday + day + hour, { historical: true, status: "0x1" }),
    reading("truck-1", "speed", null, monday + day + 2 * hour, { quality: "bad", unit: "km/h" }),
  ]);
  const report = await cutSegment(spool, segmentOptions(folder));
  t.is(report?.readings, 4);
  t.deepEqual(
    report?.files.map((file) => file.replace(/[^/]*$/, "")),
    ["date=2026-03-02/device_class=press/", "date=2026-03-03/device_class=truck/"],
  );
  t.is(spool.stats().readings, 0);
  const rows = await stored(folder);
  t.like(rows[0], { device: "press-1", value: 1, sequence: 5, quality: "good", delay_us: 20_000, lat: null });
  t.like(rows[1], {
    value: 61.5,
    unit: "km/h",
    lat: 12.2,
    datum: "GCJ-02",
    position_source: "uwb",
    quality: "uncertain",
  });
  t.like(rows[2], { text: "04:A2", value: null, historical: true, status: "0x1" });
  t.like(rows[3], { text: null, value: null, quality: "bad" });
  spool.close();
});

test("a cut in a process of its own writes the same, and one whose process dies loses and doubles nothing", async (t) => {
  const batch = Array.from({ length: 2000 }, (_, i) =>
    reading(`press-${i % 3}`, "run_state", i, monday + i * second, { sequence: i }),
  );
  const [here, apart] = [scratch(t), scratch(t)];
  for (const folder of [here, apart]) {
    const spool = open(folder);
    spool.append(batch);
    spool.append(batch.slice(0, 10));
    const options = segmentOptions(folder);
    if (folder === here) await cutSegment(spool, options);
    else {
      const path = join(folder, "spool.db");
      const ending = new AbortController();
      const dying: WriteSegment = (...job) => {
        const written = writeApart(path, new Apart(ending.signal))(...job);
        ending.abort();
        return written;
      };
      const broken = cutSegment(spool, options, undefined, dying);
      t.true(isOfTheMachine(await t.throwsAsync(broken)), "no batch is blamed for it");
      t.is(spool.stats().readings, 2010, "all of it is still here");
      const after = new AbortController();
      t.like(await cutSegment(spool, options, undefined, writeApart(path, new Apart(after.signal))), {
        readings: 2000,
        duplicates: 10,
      });
      after.abort();
    }
    t.is(spool.stats().readings, 0);
    spool.close();
  }
  t.deepEqual(await stored(apart), await stored(here));
});

test("a second delivery is stored once: in the same cut, after a cut, after a restart", async (t) => {
  const folder = scratch(t);
  const batch = [0, 1, 2].map((i) => reading("press-1", "run_state", i, monday + i * second));
  let spool = open(folder);
  spool.append(batch);
  spool.append(batch);
  t.like(await cutSegment(spool, segmentOptions(folder)), { readings: 3, duplicates: 3 });
  spool.append(batch);
  spool.close();
  spool = open(folder);
  // The middle one again in a batch of other composition, with a reading between two old ones.
  spool.append([batch[1]!, reading("press-1", "run_state", 9, monday + second / 2)]);
  t.like(await cutSegment(spool, segmentOptions(folder)), { readings: 1, duplicates: 4 });
  spool.close();
  t.deepEqual(
    (await stored(folder)).map((row) => row.value),
    [0, 9, 1, 2],
  );
});

test("two readings of one microsecond with different values are both kept", async (t) => {
  const folder = scratch(t);
  const spool = open(folder);
  spool.append([reading("press-1", "tag", "a", monday), reading("press-1", "tag", "b", monday)]);
  t.like(await cutSegment(spool, segmentOptions(folder)), { readings: 2, duplicates: 0 });
  spool.close();
});

test("beyond its size the spool drops the oldest batches and counts them", (t) => {
  const folder = scratch(t);
  const batch = (from: number) =>
    Array.from({ length: 100 }, (_, i) => reading("press-1", "run_state", i, monday + (from + i) * second));
  const size = encodeBatch(batch(0), { idOf: () => 1, isLate: () => false }).length;
  const spool = open(folder, { maxBytes: 3 * size });
  for (let i = 0; i < 5; i++) spool.append(batch(100 * i));
  t.like(spool.stats(), { batches: 3, readings: 300, dropped: 200 });
  t.is([...spool.batches()][0]?.columns?.time[0], monday + 200 * second);
  spool.close();
  const again = open(folder, { maxBytes: 3 * size });
  t.is(again.stats().dropped, 200);
  again.close();
});

test("beyond its age the spool drops the oldest batches and counts them", (t) => {
  const folder = scratch(t);
  let now = 0;
  const spool = open(folder, { maxAgeSeconds: 60, now: () => now });
  spool.append([reading("press-1", "run_state", 1, monday)]);
  now = 61_000;
  spool.append([reading("press-1", "run_state", 1, monday + second)]);
  t.like(spool.stats(), { readings: 1, dropped: 1 });
  spool.close();
});

test("a file that is not a spool is refused by name", (t) => {
  const folder = scratch(t);
  writeFileSync(join(folder, "spool.db"), "not a database, but long enough to be read as one ".repeat(100));
  t.throws(() => open(folder), { name: "Refusal", message: /spool\.db/ });
});

test("a full disk stores nothing of the batch, and the same batch is stored later", async (t) => {
  const folder = scratch(t);
  const spool = open(folder);
  spool.append([reading("press-1", "run_state", 1, monday)]);
  const big = Array.from({ length: 5000 }, (_, i) => reading("press-2", "run_state", i, monday + i * second));
  spool.limitPages(8);
  t.throws(() => spool.append(big), { name: "Refusal", message: /no space/ });
  t.is(spool.stats().readings, 1);
  spool.limitPages(1_000_000);
  spool.append(big);
  t.like(await cutSegment(spool, segmentOptions(folder)), { readings: 5001, duplicates: 0 });
  spool.close();
});

test("a cut that breaks off after its files are there is cut again with what came since, and nothing twice", async (t) => {
  const folder = scratch(t);
  const spool = open(folder);
  spool.append([reading("press-1", "run_state", 1, monday)]);
  const breaksOff = (step: string): void => {
    if (step === "renamed") throw new Error("the disk is full");
  };
  await t.throwsAsync(cutSegment(spool, segmentOptions(folder), breaksOff), { message: /full/ });
  spool.append([reading("press-1", "run_state", 0, monday + second)]);
  t.like(await cutSegment(spool, segmentOptions(folder)), { readings: 2, duplicates: 0 });
  t.is((await stored(folder)).length, 2);
  spool.close();
});

test("a disk that fills up under spool and segments: nothing is lost, nothing doubled, and it goes on when there is room", async (t) => {
  const folder = await tinyDisk(t, 4096);
  if (folder === undefined) return t.pass();
  mkdirSync(join(folder, "segments"));
  const spool = open(folder);
  const batch = (n: number) =>
    Array.from({ length: 2000 }, (_, i) =>
      reading("press-1", "vibration", Math.sin(i * n), monday + (n * 2000 + i) * second),
    );
  let batches = 0;
  const fill = (): void => {
    for (;;) {
      spool.append(batch(batches));
      batches++;
    }
  };
  spool.append(batch(batches++));
  const ballast = join(folder, "ballast");
  writeFileSync(ballast, Buffer.alloc(1_500_000));
  t.throws(fill, { name: "Refusal", message: /no space/ });
  await t.throwsAsync(cutSegment(spool, segmentOptions(folder)));
  t.is(spool.stats().readings, batches * 2000);
  rmSync(ballast);
  spool.append(batch(batches++));
  t.like(await cutSegment(spool, segmentOptions(folder)), { readings: batches * 2000, duplicates: 0 });
  t.is((await stored(folder)).length, batches * 2000);
  t.is(spool.stats().readings, 0);
  spool.close();
});

test("old days are removed whole", async (t) => {
  const folder = scratch(t);
  const spool = open(folder);
  spool.append([0, 1, 2].map((i) => reading("press-1", "run_state", i, monday + i * day)));
  await cutSegment(spool, segmentOptions(folder));
  spool.close();
  t.is(dropSegmentsBefore(join(folder, "segments"), "2026-03-04"), 2);
  t.is(parquetFiles(join(folder, "segments")).length, 1);
});

const steps = process.env.SLOW
  ? ["begun", "written", "renamed", "ended", "appended 0", "appended 150", "appended 550"]
  : ["written", "renamed", "ended", "appended 150"];
for (const step of steps) {
  test(`kill -9 when ${step}: nothing lost, nothing doubled`, async (t) => {
    const folder = scratch(t);
    writeFileSync(join(folder, "acknowledged"), "0");
    const total = 600;
    const child = (killAt: string) =>
      spawnSync(
        process.execPath,
        ["--no-warnings", "test/support/spool-child.ts", folder, killAt, `${total}`],
        {
          encoding: "utf8",
        },
      );
    const killed = child(step);
    t.is(killed.signal, "SIGKILL", killed.stderr);
    const finished = child("never");
    t.is(finished.status, 0, finished.stderr);
    const rows = await stored(folder);
    t.is(rows.length, total);
    t.deepEqual(
      rows.map((row) => row.time_us).sort((a, b) => Number(a) - Number(b)),
      Array.from({ length: total }, (_, i) => monday + i * second),
    );
  });
}
