import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import fc from "fast-check";
import {
  at,
  day,
  device,
  every,
  hour,
  inWorld,
  minute,
  reading,
  second,
  site,
} from "../../../bench/cases/world.ts";
import type { Exclusion } from "../../../client-node/operations/device-registry.ts";
import { Engine } from "../../../client-node/operations/engine.ts";
import { readCatalogue } from "../../../client-node/operations/features/catalogue.ts";
import { openDays } from "../../../client-node/operations/quality/days.ts";
import { type Fault, passRates, runQuality } from "../../../client-node/operations/quality/quality.ts";
import type { Reading } from "../../../collectors/reading.ts";

const from = at("2026-03-02");
const until = from + 4 * hour;
const ripple = (time: number): number => 20 + Math.sin(time / (7 * minute));

/** Machine temperatures every five minutes, one of them changed. */
const stream = (change: (one: Reading, i: number) => Reading[]): Reading[] =>
  [...every(from, until, 5 * minute)].flatMap((time, i) =>
    change(reading("m-1", "machine_temperature", ripple(time), "Cel", time), i),
  );

async function faultsOf(
  readings: readonly Reading[],
  rest: { exclusions?: Exclusion[]; excludedStatuses?: string[] } = {},
) {
  return inWorld(
    { sites: [site("s", "machining")], devices: [device("m-1", "s")], ...rest },
    async (world) => {
      await world.play(readings);
      const { quality } = await world.refresh({ from, until });
      return { fault: quality.faults[0]!, count: quality.counts[0]!, quality };
    },
  );
}

test("a device installed within the period is not missed before", async (t) => {
  const late = from + 2 * hour;
  const readings = [...every(late, until, 5 * minute)].map((time) =>
    reading("m-1", "machine_temperature", ripple(time), "Cel", time),
  );
  const installed = { device: "m-1", from: 0, until: late, reason: "not yet installed" };
  const { quality } = await faultsOf(readings, { exclusions: [installed] });
  t.is(passRates(quality.counts).cleaned, 1);
  const { quality: unknown } = await faultsOf(readings);
  t.true(passRates(unknown.counts).cleaned < 0.6);
});

const changeTenth =
  (change: (one: Reading) => Reading[]) =>
  (one: Reading, i: number): Reading[] =>
    i === 10 ? change(one) : [one];

const planted: [Fault, (one: Reading) => Reading[], usable: boolean][] = [
  ["unit", (one) => [{ ...one, value: Number(one.value) + 273.15, unit: "K" }], true],
  ["unit", (one) => [{ ...one, unit: "kg" }], false],
  ["absent", (one) => [{ ...one, value: null }], false],
  ["quality", (one) => [{ ...one, quality: "bad" }], false],
  ["clock", (one) => [{ ...one, received: one.time + 2 * hour }], false],
  ["range", (one) => [{ ...one, value: 500 }], false],
  [
    "duplicate",
    (one) => [one, { ...one, value: Number(one.value) + 1, received: one.received + second }],
    true,
  ],
  ["spike", (one) => [{ ...one, value: Number(one.value) + 15 }], false],
];
for (const [fault, change, usable] of planted) {
  test(`a reading with a fault of ${fault}${usable ? ", put right," : ""} is counted under it`, async (t) => {
    const found = await faultsOf(stream(changeTenth(change)));
    t.is(found.fault[fault], 1);
    const others = planted.map(([name]) => name).filter((name) => name !== fault);
    for (const other of others) t.is(found.fault[other], 0, other);
    t.is(found.count.cleaned, found.count.expected - (usable ? 0 : 1));
    t.true(found.count.delivered < found.count.expected);
    t.is(found.count.completed, found.count.expected);
  });
}

test("uncertain readings are used, and a level shift is no spike", async (t) => {
  const found = await faultsOf(
    stream((one, i) => [{ ...one, quality: "uncertain", value: Number(one.value) + (i > 20 ? 12 : 0) }]),
  );
  t.is(found.fault.spike, 0);
  t.is(passRates([found.count]).delivered, 1);
});

test("an impossible jump to and fro is a fault of rate where no noise bound is stated", async (t) => {
  const found = await inWorld(
    { sites: [site("s", "machining")], devices: [device("m-1", "s")] },
    async (world) => {
      await world.play(
        [...every(from, until, second * 20)].map((time, i) =>
          // 30 °C in 20 s is more than a degree a second, and within the noise of five only at its edge.
          reading("m-1", "cargo_temperature", i === 30 ? 50 : 2 + Math.sin(i / 50) / 4, "Cel", time),
        ),
      );
      return (await world.refresh({ from, until })).quality.faults[0]!;
    },
  );
  t.is(found.spike + found.rate, 1);
});

test("a constant clock error is put right, and the readings lie where they belong", async (t) => {
  const right = stream((one) => [one]);
  const shifted = (by: number) => stream((one) => [{ ...one, time: one.time + by }]);
  const means = (readings: readonly Reading[]) =>
    inWorld({ sites: [site("s", "machining")], devices: [device("m-1", "s")] }, async (world) => {
      await world.play(readings);
      return (await world.query({ from, until }, "SELECT cell_us, mean FROM filled ORDER BY cell_us")).map(
        (row) => [row.cell_us, Math.round(Number(row.mean) * 1e9)],
      );
    });
  const truth = await means(right);
  t.deepEqual(await means(shifted(6 * hour)), truth);
  // All of them say that they are of the day before: the day that they are of has none that say so.
  t.deepEqual(await means(shifted(-6 * hour)), truth);
});

test("amounts that a broker kept for hours are used at their own time; those ahead are a clock fault", async (t) => {
  const receipts = (delay: (i: number) => number) =>
    Array.from({ length: 20 }, (_, i) => {
      const time = from + hour + i * minute;
      return { ...reading("m-1", "sales_amount", 1, "{CNY}", time), received: time + delay(i) };
    });
  const late = await faultsOf(receipts((i) => (40 - i) * minute));
  t.like(late.fault, { readings: 20, used: 20, clock: 0 });
  const ahead = await faultsOf(receipts((i) => (i - 60) * minute));
  t.like(ahead.fault, { readings: 20, used: 0, clock: 20 });
});

test("maintenance, by window or by status, is neither expected nor a fault", async (t) => {
  const window = { device: "m-1", from: from + hour, until: from + 2 * hour, reason: "oil" };
  const overlapping = { ...window, from: from + 1.5 * hour };
  const byWindow = await faultsOf(
    stream((one) => [one]),
    { exclusions: [window, overlapping] },
  );
  t.is(byWindow.fault.excluded, 12);
  t.like(byWindow.count, { excluded: 12, expected: 36, completed: 36 });
  const byStatus = await faultsOf(
    stream((one, i) => [i >= 12 && i < 24 ? { ...one, status: "maintenance", value: 0 } : one]),
    { excludedStatuses: ["maintenance"] },
  );
  t.like(byStatus.count, { excluded: 12, expected: 36, completed: 36, imputed: 0 });
});

/** The rule as its authors state it: further from the median of five than three scaled deviations. */
function hampel(values: readonly number[], floor: number): number[] {
  const median = (of: number[]): number => of.sort((a, b) => a - b)[2]!;
  return values.flatMap((value, i) => {
    if (i < 2 || i > values.length - 3) return [];
    const five = values.slice(i - 2, i + 3);
    const middle = median([...five]);
    const deviation = median(five.map((one) => Math.abs(one - middle)));
    return Math.abs(value - middle) > Math.max(floor, 3 * 1.4826 * deviation) ? [i] : [];
  });
}

test("spikes are those of the Hampel rule, on any series", async (t) => {
  const value = fc.oneof(
    fc.integer({ min: 0, max: 300 }).map((n) => n / 4),
    fc.constantFrom(20, 20.5, 21),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(value, { minLength: 30, maxLength: 60 }), async (values) => {
      const spikes = await inWorld(
        { sites: [site("s", "machining")], devices: [device("m-1", "s")] },
        async (world) => {
          await world.play(
            values.map((one, i) => reading("m-1", "machine_temperature", one, "Cel", from + i * 5 * minute)),
          );
          return world.query(
            { from, until },
            "SELECT cell_us FROM step_cell WHERE spike_faults > 0 ORDER BY cell_us",
          );
        },
      );
      t.deepEqual(
        spikes.map((row) => (Number(row.cell_us) - from) / (5 * minute)),
        hampel(values, 3),
      );
    }),
    { numRuns: process.env.SLOW ? 40 : 4 },
  );
});

const temperatures = (hours: number, value: (time: number) => number | undefined): Reading[] =>
  [...every(from, from + hours * hour, 5 * minute)].flatMap((time) => {
    const now = value(time);
    return now === undefined ? [] : [reading("m-1", "machine_temperature", now, "Cel", time)];
  });

async function filledOf(readings: readonly Reading[], hours: number, metric: string) {
  return inWorld({ sites: [site("s", "machining")], devices: [device("m-1", "s")] }, async (world) => {
    await world.play(readings);
    return world.query(
      { from, until: from + hours * hour },
      `SELECT * FROM filled WHERE metric = '${metric}' ORDER BY cell_us`,
    );
  });
}

test("a sensor that shows one value for longer than believable is stuck; for less it is not", async (t) => {
  const held = (hours: number) =>
    filledOf(
      temperatures(24, (time) =>
        time >= from + 2 * hour && time < from + (2 + hours) * hour ? 31 : ripple(time),
      ),
      24,
      "machine_temperature",
    );
  const count = (rows: Awaited<ReturnType<typeof held>>): number =>
    rows.filter((row) => row.status !== "observed").length;
  t.is(count(await held(5)), 0);
  t.is(count(await held(7)), 7 * 12);
});

test("a short gap is filled by a straight line, a longer one stays a gap, and both say so", async (t) => {
  const line = (time: number): number => 20 + (time - from) / hour;
  const gapped = (time: number): boolean =>
    (time > from + hour && time <= from + 1.5 * hour) || (time > from + 3 * hour && time <= from + 9 * hour);
  const rows = await filledOf(
    temperatures(12, (time) => (gapped(time) ? undefined : line(time))),
    12,
    "machine_temperature",
  );
  const imputed = rows.filter((row) => row.status === "imputed");
  t.is(imputed.length, 6);
  for (const row of imputed) {
    t.is(row.method, "interpolated");
    t.true(Math.abs(Number(row.mean) - line(Number(row.cell_us))) < 1e-9);
  }
  const gap = rows.filter((row) => row.status === "gap");
  t.is(gap.length, 72);
  t.true(gap.every((row) => row.mean === null && row.low === null && row.last === null));
});

test("a gap of hours is filled by the season of the days before", async (t) => {
  const seasonal = (time: number): number =>
    60 + 10 * Math.sin((2 * Math.PI * (time - from)) / day) + 0.01 * Math.sin(time);
  const tooLong = (time: number): boolean => time >= from + 80 * hour && time < from + 85 * hour;
  const gapped = (time: number): boolean =>
    (time >= from + 60 * hour && time < from + 63 * hour) || tooLong(time);
  const rows = await filledOf(
    temperatures(96, (time) => (gapped(time) ? undefined : seasonal(time))),
    96,
    "machine_temperature",
  );
  const imputed = rows.filter((row) => row.status === "imputed");
  t.is(imputed.length, 36);
  for (const row of imputed) {
    t.is(row.method, "seasonal");
    t.true(Math.abs(Number(row.mean) - seasonal(Number(row.cell_us))) < 0.5);
  }
  const gap = rows.filter((row) => row.status === "gap");
  t.is(gap.length, 60);
  t.true(gap.every((row) => tooLong(Number(row.cell_us)) && row.mean === null));
});

test("a counter keeps its total over a gap and a reset", async (t) => {
  const rows = await filledOf(
    [...every(from, from + 12 * hour, 15 * minute)].flatMap((time) => {
      const hours = (time - from) / hour;
      if (hours > 2 && hours <= 5) return [];
      return [reading("m-1", "active_energy", hours < 8 ? 100 + 10 * hours : 10 * (hours - 8), "kW.h", time)];
    }),
    12,
    "active_energy",
  );
  const total = rows.reduce((sum, row) => sum + Number(row.increase ?? 0), 0);
  // 7.75 h to the last reading before the reset, nothing known of the quarter hour around it, 3.75 h after.
  t.true(Math.abs(total - 115) < 1e-9, String(total));
  t.is(rows.filter((row) => row.status === "imputed").length, 12);
});

test("a state is carried over a gap only where it is the same on both sides", async (t) => {
  const rows = await filledOf(
    [...every(from, from + 4 * hour, 5 * minute)].flatMap((time) => {
      const minutes = (time - from) / minute;
      if ((minutes >= 30 && minutes < 40) || (minutes >= 120 && minutes < 130)) return [];
      return [reading("m-1", "run_state", minutes < 125 ? 1 : 0, "1", time)];
    }),
    4,
    "run_state",
  );
  const status = (minutes: number) => rows.find((row) => row.cell_us === from + minutes * minute)?.status;
  t.deepEqual([30, 35, 120, 125].map(status), ["imputed", "imputed", "gap", "gap"]);
});

test("a metric the catalogue lacks is named, and hinders nothing", async (t) => {
  const found = await faultsOf([
    ...stream((one) => [one]),
    reading("m-1", "bogus", 1, "1", from + minute),
    reading("m-9", "machine_temperature", 20, "Cel", from + minute),
  ]);
  t.deepEqual(found.quality.unknownMetrics, ["bogus"]);
  t.is(found.count.cleaned, 48);
});

test("a folder without segments yields an empty report", async (t) => {
  const engine = await Engine.open();
  const period = { from, until };
  const folder = mkdtempSync(join(tmpdir(), "fedcredit-no-readings-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const reference = {
    catalogue: readCatalogue(),
    devices: [],
    bindings: [],
    sites: [],
    exclusions: [],
    excludedStatuses: [],
    calibrations: [],
    declarations: [],
  };
  await openDays(engine, join(folder, "none"), join(folder, "days"), reference, period);
  const report = await runQuality(engine, period);
  engine.close();
  t.deepEqual(report, { counts: [], faults: [], verifications: [], unknownMetrics: [] });
});

/**
 * What one engine takes and the other does not. Reading files and writing segments is each engine's own
 * business and is not in these files; nothing else is excepted.
 */
const notPortable: [string, RegExp][] = [
  ["a cast by ::", /::/],
  ["integer division by //", /\/\//],
  ["QUALIFY", /\bQUALIFY\b/i],
  ["DISTINCT ON", /\bDISTINCT\s+ON\b/i],
  ["SELECT * EXCLUDE or REPLACE", /\*\s*(EXCLUDE|REPLACE|EXCEPT)\b/i],
  ["ASOF JOIN", /\bASOF\b/i],
  ["a positional or lateral alias form", /\bPOSITIONAL\b|\bLATERAL\b/i],
  ["a series or a list as a table", /\b(generate_series|unnest|explode|sequence)\s*\(/i],
  ["a file as a table", /\bread_\w+\s*\(|\bparquet\./i],
  ["epoch functions", /\b(epoch|epoch_us|epoch_ms|unix_micros|to_timestamp|date_trunc|strftime)\s*\(/i],
  ["a lambda", /->/],
  ["a list or a struct", /\b(list|struct_pack|map|array)\s*\(|\[|\{/i],
  ["GROUP BY ALL or ORDER BY ALL", /\bBY\s+ALL\b/i],
  ["IGNORE NULLS", /\bIGNORE\s+NULLS\b/i],
  ["arg_max", /\barg_(max|min)\b/i],
  ["quantile", /\bquantile/i],
  ["PIVOT or UNPIVOT", /PIVOT\b/i],
  ["more than one statement", /;/],
];

test("the SQL of quality and features stays inside what Spark SQL takes too", (t) => {
  const root = new URL("../../../client-node/operations/", import.meta.url).pathname;
  const files = ["quality", "features"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".sql"))
      .map((name) => join(root, folder, name)),
  );
  t.true(files.length >= 30);
  for (const file of files) {
    const text = readFileSync(file, "utf8");
    t.regex(text, /^-- /, `${file} says what it is`);
    const code = text.replace(/--.*$/gm, "").replace(/'[^']*'/g, "''");
    for (const [what, pattern] of notPortable) t.notRegex(code, pattern, `${file}: ${what}`);
  }
});
