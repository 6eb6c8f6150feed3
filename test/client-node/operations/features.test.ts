import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import fc from "fast-check";
import { at, day, hour } from "../../../bench/cases/world.ts";
import { Engine } from "../../../client-node/operations/engine.ts";
import { families, readCatalogue } from "../../../client-node/operations/features/catalogue.ts";
import { computeFeatures } from "../../../client-node/operations/features/features.ts";
import { conversion } from "../../../client-node/operations/features/units.ts";
import { openDays } from "../../../client-node/operations/quality/days.ts";
import { runQuality } from "../../../client-node/operations/quality/quality.ts";
import { windowsOf } from "../../../client-node/operations/quality/reference.ts";
import { selectOf } from "../../../client-node/operations/sql-files.ts";

const shipped = new URL("../../../client-node/operations/features/", import.meta.url);

test("UCUM converts what the devices speak into what the catalogue speaks", (t) => {
  const convert = (value: number, from: string, to: string): number => {
    const found = conversion(from, to)!;
    return value * found.factor + found.shift;
  };
  const vectors: [number, string, string, number][] = [
    [212, "[degF]", "Cel", 100],
    [0, "K", "Cel", -273.15],
    [1500, "W.h", "kW.h", 1.5],
    [3.6, "MJ", "kW.h", 1],
    [58.8399, "m/s2", "[g]", 6],
    [10, "m/s", "km/h", 36],
    [0.55, "1", "%", 55],
    [1000, "L", "m3", 1],
    [5, "{CNY}", "{CNY}", 5],
  ];
  for (const [value, from, to, expected] of vectors) {
    t.true(Math.abs(convert(value, from, to) - expected) < 1e-9, `${value} ${from} in ${to}`);
  }
  t.is(conversion("kg", "kPa"), undefined);
  t.is(conversion("no such unit", "kPa"), undefined);
});

test("converting there and back changes nothing", (t) => {
  const pairs: [string, string][] = [
    ["[degF]", "Cel"],
    ["K", "Cel"],
    ["MW.h", "kW.h"],
    ["[mi_i]/h", "km/h"],
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...pairs),
      fc.double({ min: -1e4, max: 1e4, noNaN: true }),
      ([a, b], value) => {
        const there = conversion(a, b)!;
        const back = conversion(b, a)!;
        const again = (value * there.factor + there.shift) * back.factor + back.shift;
        t.true(Math.abs(again - value) < 1e-6);
      },
    ),
  );
});

test("a catalogue with a unit that is not UCUM, or an unknown key, is refused by name", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "fedcredit-catalogue-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "catalogue.yaml");
  const text = readFileSync(new URL("catalogue.yaml", shipped), "utf8");
  writeFileSync(file, text.replace("unit: km/h", "unit: furlongs"));
  t.throws(() => readCatalogue({}, file), { name: "Refusal", message: /speed: "furlongs"/ });
  writeFileSync(file, text.replace("unit: km/h", "colour: red, unit: km/h"));
  t.throws(() => readCatalogue({}, file), { name: "Refusal", message: /colour/ });
  t.throws(() => readCatalogue({}, join(folder, "none.yaml")), { name: "Refusal" });
});

test("families yield the catalogue's features, and the catalogue names no others", async (t) => {
  const engine = await Engine.open();
  const catalogue = readCatalogue();
  const period = { from: 0, until: day };
  const nothing = {
    devices: [],
    bindings: [],
    sites: [],
    exclusions: [],
    excludedStatuses: [],
    calibrations: [],
    declarations: [],
  };
  const folder = mkdtempSync(join(tmpdir(), "fedcredit-no-readings-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  await openDays(engine, join(folder, "none"), join(folder, "days"), { catalogue, ...nothing }, period);
  await runQuality(engine, period);
  t.deepEqual(await computeFeatures(engine, catalogue), []);
  for (const family of families) {
    const described = await engine.rows(`DESCRIBE ${selectOf(new URL(`${family}.sql`, shipped))}`);
    const columns = described.map((row) => String(row.column_name)).slice(4);
    const named = [...catalogue.features].filter(([, one]) => one.family === family).map(([name]) => name);
    t.deepEqual(columns.sort(), named.sort(), family);
  }
  engine.close();
});

test("days tile the period, in the site's own time", (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: -11, max: 13 }),
      fc.integer({ min: 0, max: 5000 }),
      fc.integer({ min: 1, max: 400 }),
      (utcOffsetHours, start, hours) => {
        const period = {
          from: at("2026-01-01") + start * hour,
          until: at("2026-01-01") + (start + hours) * hour,
        };
        const days = windowsOf({ id: "s", utcOffsetHours }, period).filter((one) => one.kind === "day");
        t.true(days[0]!.from <= period.from);
        t.is(days.at(-1)!.until, period.until);
        for (const [i, one] of days.entries()) {
          if (i > 0) t.is(one.from, days[i - 1]!.until);
          t.is((one.from + utcOffsetHours * hour) % day, 0);
        }
      },
    ),
  );
});

test("weeks begin on Monday and months on the first, in the site's own time", (t) => {
  const windows = windowsOf(
    { id: "s", utcOffsetHours: 8 },
    { from: at("2026-01-31T16:00"), until: at("2026-03-31T16:00") },
  );
  const local = (micros: number): string =>
    new Date(micros / 1000 + 8 * 3_600_000).toISOString().slice(0, 16);
  const of = (kind: string) =>
    windows.filter((one) => one.kind === kind).map((one) => [local(one.from), local(one.until)]);
  t.deepEqual(of("month"), [
    ["2026-02-01T00:00", "2026-03-01T00:00"],
    ["2026-03-01T00:00", "2026-04-01T00:00"],
  ]);
  t.deepEqual(of("week")[0], ["2026-02-02T00:00", "2026-02-09T00:00"]);
  t.is(of("week").length, 8);
});
