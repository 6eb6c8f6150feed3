import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import fc from "fast-check";
import { at, day, device, hour, inWorld, minute, reading, second, site } from "../../../bench/cases/world.ts";
import type { FeatureRow } from "../../../client-node/operations/features/features.ts";
import { baseline, dayKind } from "../../../client-node/operations/warnings/baseline.ts";
import { Condition } from "../../../client-node/operations/warnings/condition.ts";
import { FeatureWatch } from "../../../client-node/operations/warnings/feature-watch.ts";
import { SquareFleet } from "../../../client-node/operations/warnings/fleet.ts";
import {
  distanceMetres,
  distanceToLineMetres,
  gcj02Of,
  toWgs84,
} from "../../../client-node/operations/warnings/geo.ts";
import { readProfiles } from "../../../client-node/operations/warnings/profiles.ts";
import type { Reading } from "../../../collectors/reading.ts";

const runs = process.env.SLOW ? 1000 : 100;

test("a condition opens only after it held long enough, and closes only after it clearly ended", (t) => {
  const stretch = fc.record({
    level: fc.integer({ min: 0, max: 10 }),
    count: fc.integer({ min: 1, max: 8 }),
    pace: fc.integer({ min: 1, max: 30 }),
  });
  let changes = 0;
  fc.assert(
    fc.property(fc.array(stretch, { maxLength: 40 }), (stretches) => {
      const condition = new Condition();
      const seen: { time: number; level: number }[] = [];
      let time = 0;
      let open = false;
      for (const { level, count, pace } of stretches) {
        for (let i = 0; i < count; i++) {
          time += pace;
          seen.push({ time, level });
          const found = condition.observe(time, level > 7, level < 4, { openAfter: 60, closeAfter: 40 });
          if (found === undefined) continue;
          changes++;
          t.is(found.change, open ? "closed" : "opened");
          open = !open;
          const since = seen.filter((one) => one.time >= found.since);
          t.true(since.every((one) => (open ? one.level > 7 : one.level < 4)));
          t.true(time - found.since >= (open ? 60 : 40));
        }
      }
    }),
    { numRuns: runs },
  );
  t.true(changes > 10);
});

test("GCJ-02 is the published shift, and is taken back to within two metres", (t) => {
  // source: github.com/googollee/eviltransform, its test vectors (Shanghai, Shenzhen, Beijing)
  const vectors = [
    [31.1774276, 121.5272106, 31.17530398364597, 121.531541859215],
    [22.543847, 113.912316, 22.540796131694766, 113.9171764808363],
    [39.911954, 116.377817, 39.91334545536069, 116.38404722455657],
  ] as const;
  for (const [lat, lon, shiftedLat, shiftedLon] of vectors) {
    const shifted = gcj02Of({ lat, lon });
    t.true(
      distanceMetres(shifted, { lat: shiftedLat, lon: shiftedLon }) < 0.1,
      `${shifted.lat}, ${shifted.lon}`,
    );
  }
  fc.assert(
    fc.property(
      fc.double({ min: 18, max: 53, noNaN: true }),
      fc.double({ min: 74, max: 134, noNaN: true }),
      (lat, lon) => {
        t.true(distanceMetres(toWgs84({ ...gcj02Of({ lat, lon }), datum: "GCJ-02" }), { lat, lon }) < 2);
      },
    ),
    { numRuns: runs },
  );
  t.deepEqual(toWgs84({ lat: 1, lon: 2, datum: "WGS-84" }), { lat: 1, lon: 2, datum: "WGS-84" } as never);
});

test("distances: a degree of the meridian, a line's nearest place", (t) => {
  t.true(Math.abs(distanceMetres({ lat: 30, lon: 120 }, { lat: 31, lon: 120 }) - 111_195) < 10);
  const line = [
    { lat: 31, lon: 121 },
    { lat: 31, lon: 121.5 },
  ];
  t.true(Math.abs(distanceToLineMetres({ lat: 31.01, lon: 121.2 }, line) - 1112) < 2);
  t.true(Math.abs(distanceToLineMetres({ lat: 31, lon: 120.99 }, line) - 953) < 2);
  t.is(distanceToLineMetres({ lat: 31, lon: 121 }, [line[0]!]), 0);
});

test("vehicles near are those within reach, wherever the index draws its squares", (t) => {
  const near = fc.tuple(
    fc.double({ min: -0.03, max: 0.03, noNaN: true }),
    fc.double({ min: -0.03, max: 0.03, noNaN: true }),
  );
  fc.assert(
    fc.property(fc.array(near, { maxLength: 30 }), near, (places, [lat, lon]) => {
      const fleet = new SquareFleet();
      const centre = { lat: 31 + lat, lon: 121 + lon };
      const all = places.map(([dLat, dLon]) => ({ lat: 31 + dLat, lon: 121 + dLon }));
      for (const [i, place] of all.entries()) {
        fleet.report(`v-${i}`, { lat: 40, lon: 100 }, 0);
        fleet.report(`v-${i}`, place, i % 2 === 0 ? 5 : 50);
      }
      const expected = all.filter((place, i) => i % 2 === 0 && distanceMetres(place, centre) <= 1500).length;
      t.is(fleet.crawlingNear("me", centre, 15, 1500), expected);
    }),
    { numRuns: runs },
  );
});

test("a profile with an unknown key or without a default is refused", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "fedcredit-profiles-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const text = readFileSync(
    new URL("../../../client-node/operations/warnings/profiles.yaml", import.meta.url),
    "utf8",
  );
  const file = join(folder, "profiles.yaml");
  writeFileSync(file, text.replace("silence:", "silense:"));
  t.throws(() => readProfiles({}, file), { name: "Refusal", message: /silen/ });
  writeFileSync(file, text.replace("default:", "usual:"));
  t.throws(() => readProfiles({}, file), { name: "Refusal", message: /default/ });
  const profiles = readProfiles();
  t.is(profiles.of("textile").operatingRate.fall, 0.08);
  t.is(profiles.of("textile").cargo.limit, profiles.of("no such industry").cargo.limit);
});

const breachOf = (readings: readonly Reading[]) =>
  inWorld({ sites: [site("s", "cold-chain")], devices: [device("truck-1", "s")] }, async (world) => {
    await world.play(readings);
    return world.told.filter((one) => one.type === "temperature_breach");
  });
const from = at("2026-03-02");
const warm = (seconds: number, rest: Partial<Reading> = {}): Reading =>
  reading("truck-1", "cargo_temperature", 9, "Cel", from + seconds * second, rest);

test("a warning says when it began, when it was known, how it stands in numbers, and when it ended", async (t) => {
  const cool = [200, 240, 280, 320].map((s) => ({ ...warm(s), value: 3 }));
  const [opened, closed] = await breachOf([...[0, 10, 20, 30, 40].map((s) => warm(s)), ...cool]);
  t.like(opened, {
    id: `temperature_breach/truck-1/${from}`,
    severity: "alarm",
    site: "s",
    device: "truck-1",
    onset: from,
    detected: from + 30 * second + 50_000,
    numbers: { limit: 6, warmest: 9, now: 9 },
  });
  t.is(opened!.closed, undefined);
  t.like(closed, { id: opened!.id, onset: from, closed: from + 200 * second });
});

test("bad, foreign, late and unregistered readings raise nothing", async (t) => {
  const five = [0, 10, 20, 30, 40];
  t.deepEqual(await breachOf(five.map((s) => warm(s, { quality: "bad" }))), []);
  t.deepEqual(await breachOf(five.map((s) => warm(s, { unit: "kg" }))), []);
  t.deepEqual(await breachOf(five.map((s) => warm(s, { device: "stranger" }))), []);
  t.deepEqual(await breachOf(five.map((s) => warm(s, { value: 9000 }))), []);
  t.deepEqual(await breachOf(five.map(() => warm(0))), []);
  t.is((await breachOf(five.map((s) => warm(s)))).length, 1);
});

test("a level that is not the machine's own is told once, and its usual unrest is not", async (t) => {
  const levels = (shift: (time: number) => number) =>
    inWorld({ sites: [site("s", "machining")], devices: [device("m-1", "s")] }, async (world) => {
      const readings: Reading[] = [];
      for (let i = 0; i < 21 * 288; i++) {
        const time = from + i * 5 * minute;
        const unrest = 3 * Math.sin(i / 40) + Math.sin(i * 12.9898);
        readings.push(reading("m-1", "machine_temperature", 60 + unrest + shift(time), "Cel", time));
      }
      await world.play(readings);
      return world.told.filter((one) => one.type === "anomaly");
    });
  const [begin, end] = [from + 14 * day, from + 15 * day];
  t.deepEqual(await levels(() => 0), []);
  const [opened, closed, ...more] = await levels((time) => (time >= begin && time < end ? -25 : 0));
  t.deepEqual(more, []);
  t.true(opened!.onset >= begin && opened!.detected < begin + 3 * hour);
  t.true(closed!.closed! >= end && closed!.closed! < end + 12 * hour);
});

test("a limit of one's own opens once it lasted, stays until it is back by the hysteresis, and knows whose it is", async (t) => {
  const limits = [
    {
      name: "hot",
      metric: "torque",
      above: 90,
      hysteresis: 5,
      openAfterSeconds: 120,
      closeAfterSeconds: 0,
      severity: "alarm" as const,
      class: "m",
    },
  ];
  const told = (values: readonly number[], id = "m-1", metric = "torque", planned = false) =>
    inWorld(
      {
        sites: [site("s", "machining")],
        devices: [device(id, "s")],
        limits,
        exclusions: planned ? [{ device: id, from, until: from + hour, reason: "test run" }] : [],
      },
      async (world) => {
        await world.play(values.map((value, i) => reading(id, metric, value, "N.m", from + i * minute)));
        return world.told.map((one) => [one.type, one.severity, one.subject, one.closed !== undefined]);
      },
    );
  const hot = [80, 95, 95, 95, 88, 86, 84];
  t.deepEqual(await told(hot), [
    ["own_limit", "alarm", "hot", false],
    ["own_limit", "alarm", "hot", true],
  ]);
  t.deepEqual(await told([80, 95, 95, 80, 95, 80]), [], "too short each time");
  t.is((await told([95, 95, 95, 88, 86])).length, 1, "88 is not yet back");
  t.deepEqual(await told(hot, "x-1"), [], "of another class");
  t.deepEqual(await told(hot, "m-1", "rotation"), [], "another metric");
  t.deepEqual(await told(hot, "m-1", "torque", true), [], "planned work");
});

const row = (start: number, sales: number, window: FeatureRow["window"] = "day"): FeatureRow => ({
  site: "s",
  window,
  from: start,
  until: start + (window === "day" ? day : 7 * day),
  values: new Map([["sales_total", sales]]),
});

test("a day is compared with its like, and with nothing where there is none", (t) => {
  const shop = site("s", "retail", {}, 8);
  const special = [{ name: "festival", from: "2026-03-10", until: "2026-03-11" }];
  const start = at("2026-03-02") - 8 * hour;
  const history = Array.from({ length: 14 }, (_, i) =>
    row(start + i * day, [5, 6].includes(i % 7) ? 160 : 100 + i),
  );
  const usual = (offset: number) =>
    baseline(history, row(start + offset * day, 0), "sales_total", shop, special)?.level;
  t.is(dayKind(row(start + 5 * day, 0), shop, special), "weekend");
  t.is(dayKind(row(start + 8 * day, 0), shop, special), "festival");
  t.is(dayKind(row(start + 7 * day, 0, "week"), shop, special), "festival");
  t.is(usual(14), 103.5);
  t.is(usual(12), undefined, "two weekend days are too few");
  t.is(usual(19), 160);
  t.is(usual(9), undefined, "one festival day is too few");
  t.is(usual(2), undefined);
});

test("a device that speaks hourly is not silent after half an hour; one that spoke each minute is", async (t) => {
  const told = await inWorld(
    {
      sites: [site("s", "machining")],
      devices: [device("m-hourly", "s"), device("m-minutely", "s"), device("m-clock", "s")],
      tickSeconds: 60,
    },
    async (world) => {
      const readings: Reading[] = [];
      for (let time = from; time <= from + 4 * hour; time += minute) {
        readings.push(reading("m-clock", "run_state", 1, "1", time));
        if (time < from + hour) readings.push(reading("m-minutely", "run_state", 1, "1", time));
        if ((time - from) % hour === 0) readings.push(reading("m-hourly", "run_state", 1, "1", time));
      }
      await world.play(readings);
      return world.told;
    },
  );
  t.deepEqual(
    told.map((one) => [one.type, one.device, one.onset]),
    [["signal_lost", "m-minutely", from + 59 * minute]],
  );
});

test("a till whose closed days came today is heard today, however long past they are", async (t) => {
  const told = await inWorld(
    {
      sites: [site("s", "retail")],
      devices: [device("till-late", "s"), device("till-gone", "s")],
      tickSeconds: 3600,
    },
    async (world) => {
      const days = Array.from({ length: 28 }, (_, i) => from + i * day);
      const came = from + 50 * day;
      const sold = (till: string, received: number) =>
        days.map((time) => reading(till, "sales_amount", 100, "{CNY}", time, { received, historical: true }));
      await world.play(sold("till-gone", days.at(-1)!));
      await world.play(sold("till-late", came));
      for (let now = came; now <= came + 3 * day; now += hour) world.pipeline.tick(now);
      return world.told;
    },
  );
  t.deepEqual(
    told.map((one) => [one.type, one.device, one.onset]),
    [["signal_lost", "till-gone", from + 27 * day]],
  );
});

test("a fall is told where a site's days are usually nearer to each other, and not where they scatter as far", (t) => {
  const start = at("2026-03-02");
  const shop = site("s", "retail");
  const toldOf = (scatter: number, last: number): number => {
    const watch = new FeatureWatch({ profiles: readProfiles(), sites: [shop], specialDays: [] });
    const rows = Array.from({ length: 26 }, (_, i) =>
      row(start + i * day, i === 25 ? last : 100 * (1 + scatter * [0, 1, -1, 0.6, -0.6][i % 5]!)),
    );
    return watch.evaluate(rows, [], start + 27 * day).filter((one) => one.onset === start + 25 * day).length;
  };
  t.is(toldOf(0.01, 80), 1);
  t.is(toldOf(0.12, 80), 0);
  t.is(toldOf(0.12, 30), 1, "nobody's days scatter so far");
});
