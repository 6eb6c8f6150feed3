import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import fc from "fast-check";
import { recorded, device as registeredDevice, site } from "../../../bench/cases/world.ts";
import { byFile, byMqtt, drawReceipts, tillTotal, type Way } from "../../../bench/till.ts";
import { DeviceRegistry } from "../../../client-node/operations/device-registry.ts";
import { Door } from "../../../client-node/operations/door.ts";
import { readCatalogue } from "../../../client-node/operations/features/catalogue.ts";
import { Pipeline } from "../../../client-node/operations/pipeline.ts";
import { computeRefresh } from "../../../client-node/operations/refresh/refresh.ts";
import { Spool } from "../../../client-node/operations/spool.ts";
import { FeatureWatch } from "../../../client-node/operations/warnings/feature-watch.ts";
import { readProfiles } from "../../../client-node/operations/warnings/profiles.ts";
import { WarningStream } from "../../../client-node/operations/warnings/stream.ts";
import type { Warning } from "../../../client-node/operations/warnings/warning.ts";
import { mqttConfig } from "../../../collectors/mqtt/config.ts";
import { readPayload } from "../../../collectors/mqtt/payload.ts";
import type { Reading } from "../../../collectors/reading.ts";
import { secureRandom } from "../../../core/random.ts";
import { day, hour, minute, monday, reading, second } from "../../support/readings.ts";

const catalogue = readCatalogue();
const profiles = readProfiles();
const fixture = fileURLToPath(new URL("../../vectors/spool-1", import.meta.url));

function scratch(t: { teardown(end: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), "fedcredit-door-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return folder;
}

function open(folder: string, devices: readonly string[] = []) {
  mkdirSync(join(folder, "segments"), { recursive: true });
  const spool = new Spool({
    path: join(folder, "spool.db"),
    maxBytes: 1e9,
    maxAgeSeconds: 1e9,
    random: secureRandom,
    now: () => (monday + day) / 1000,
  });
  const warnings: Warning[] = [];
  const registry = new DeviceRegistry(devices.map((name) => registeredDevice(name, "s")));
  const sites = [site("s", "cold-chain")];
  const shared = { catalogue, sites, exclusions: [], excludedStatuses: [] };
  const pipeline = new Pipeline({
    spool,
    segments: join(folder, "segments"),
    days: join(folder, "days"),
    compute: (job) => computeRefresh({ ...job, engine: {} }),
    registry,
    reference: { ...shared, calibrations: [], declarations: [] },
    stream: new WarningStream({ ...shared, registry, profiles, fences: [], routes: new Map() }),
    watch: new FeatureWatch({ profiles, sites, specialDays: [] }),
    wait: async () => {},
    onWarning: (warning) => warnings.push(warning),
    log: () => {},
  });
  return {
    spool,
    pipeline,
    warnings,
    take: (readings: readonly Reading[]) => pipeline.take(recorded(readings)),
  };
}

const period = { from: monday - day, until: monday + 2 * day };
const door = () => new Door({ catalogue, registered: () => true });
const verdict = (given: Partial<Reading>) => {
  const { admitted, aside } = door().admit([
    reading("d", "active_power", 1, monday, { unit: "kW", ...given }),
  ]);
  return aside[0]?.reason ?? admitted[0]!;
};

test("an amount that is only said again is no event; a level that is said again is one", (t) => {
  const door = new Door({ catalogue, registered: () => true });
  const told = (metric: string, unit: string): Reading => ({
    ...reading("till", metric, 12, monday),
    unit,
    retold: true,
  });
  t.is(door.admit([told("sales_amount", "{CNY}")]).admitted.length, 0);
  t.is(door.admit([told("sales_amount", "{CNY}")]).aside.length, 0);
  t.is(door.admit([told("active_power", "kW")]).admitted.length, 1);
  t.is(door.admit([{ ...told("sales_amount", "{CNY}"), retold: undefined } as never]).admitted.length, 1);
});

test("what cannot be a reading is set aside with its reason", (t) => {
  t.is(verdict({ time: 1e19 }), "time_future");
  t.is(verdict({ time: Number.NaN }), "time_missing");
  t.is(verdict({ time: 0 }), "time_past");
  t.is(verdict({ time: monday + 2 * day }), "time_future");
  t.is(verdict({ device: "" }), "device_name");
  t.is(verdict({ device: "a\u0000b" }), "device_name");
  t.is(verdict({ device: "x".repeat(257) }), "device_name");
  t.is(verdict({ metric: "\ud800" }), "metric_name");
  t.is(verdict({ unit: (() => 1) as unknown as string }), "unit_name");
  t.is(verdict({ value: Number.POSITIVE_INFINITY }), "value_type");
  t.is(verdict({ value: { toString: 1 } as unknown as string }), "value_type");
});

test("what can be put right is, and says so; what is good passes as it is", (t) => {
  t.like(verdict({ value: "12.5" }), { value: 12.5, quality: "good" });
  t.like(verdict({ value: "warm" }), { value: "warm", quality: "bad", status: "not a number" });
  t.like(verdict({ value: 2 ** 53 }), { quality: "bad", status: "beyond 2^53" });
  t.like(verdict({ value: 2 ** 53 - 1 }), { quality: "good" });
  t.like(verdict({ metric: "nfc_tag", unit: "1", value: "0042" }), { value: "0042" });
  t.like(verdict({ metric: "run_state", unit: "1", value: "0" }), { value: 0 });
  t.is((verdict({ sequence: 2 ** 63 }) as Reading).sequence, undefined);
  t.like(verdict({ time: monday + 0.25 }), { time: monday });
  t.like(verdict({ time: monday + hour, received: monday }), { quality: "uncertain" });
  // Instalments that fall due in years stand in exports.
  t.like(verdict({ time: monday + 3000 * day, received: monday, historical: true }), { quality: "good" });
  const good = reading("d", "active_power", 1, monday, { unit: "kW" });
  t.is(door().admit([good]).admitted[0], good);
});

test("unknown metrics and units that are no UCUM are let in and named", (t) => {
  const one = door();
  one.admit([
    reading("d", "active_powr", 1, monday),
    reading("d", "active_energy", 1, monday, { unit: "kWh" }),
    reading("d", "active_energy", 1, monday, { unit: "Cel" }),
    reading("d", "active_energy", 1, monday, { unit: "MW.h" }),
    reading("d", "constructor", 1, monday),
  ]);
  t.deepEqual(
    one.notices().map(({ notice, metric, unit }) => [notice, metric, unit]),
    [
      ["unknown_metric", "active_powr", "1"],
      ["unit_not_ucum", "active_energy", "kWh"],
      ["unit_other_kind", "active_energy", "Cel"],
      ["unknown_metric", "constructor", "1"],
    ],
  );
});

test("a flood of names nobody registered is bounded, and shuts out nobody who is known", (t) => {
  const one = new Door({ catalogue, registered: (name) => name === "press-1" });
  const flood = Array.from({ length: 20_010 }, (_, i) => reading(`x-${i}`, "run_state", 1, monday));
  t.is(one.admit(flood).aside.length, 10);
  const later = one.admit([
    reading("press-1", "run_state", 1, monday),
    reading("x-0", "run_state", 0, monday),
  ]);
  t.is(later.admitted.length, 2);
});

test("any value in any field of any payload ends as a reading that can be cut, or set aside", async (t) => {
  const folder = scratch(t);
  const { spool, pipeline, take } = open(folder);
  const { topics } = mqttConfig.parse({
    url: "mqtt://h",
    clientId: "c",
    identity: "anonymous",
    topics: [
      {
        topic: "{device}",
        format: "json",
        time: { path: "ts", as: "ms" },
        sequence: "seq",
        position: { lat: "lat", lon: "lon", datum: "WGS-84", source: "gps", accuracyMetres: 5 },
        fields: [
          { path: "v", metric: "active_power", unit: "kW" },
          { path: "w", metric: "sales_amount", unit: "{CNY}" },
          { path: "s", metric: "run_state", unit: "1" },
        ],
      },
    ],
  });
  const hostile = fc.oneof(
    fc.jsonValue(),
    fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map((big) => `raw:${big}`),
    fc.constantFrom(
      "constructor",
      "__proto__",
      "toString",
      1e16,
      1e308,
      -1e308,
      "\ud800",
      "1e400",
      "NaN",
      5e-324,
    ),
  );
  const names = fc.oneof(fc.string(), fc.constantFrom("constructor", "__proto__", "hasOwnProperty"));
  const fields = fc.record({
    ts: hostile,
    seq: hostile,
    lat: hostile,
    lon: hostile,
    v: hostile,
    w: hostile,
    s: hostile,
  });
  const samples = fc.sample(fc.tuple(names, fields), { numRuns: process.env.SLOW ? 20_000 : 1_000, seed: 9 });
  let given = 0;
  const readings = samples.flatMap(([name, payload], i) => {
    const text = JSON.stringify(payload).replace(/"raw:(-?\d+)"/g, "$1");
    given += Object.keys(payload).filter((key) => ["v", "w", "s"].includes(key)).length;
    return readPayload(topics[0]!, Buffer.from(text), {
      device: name,
      metric: undefined,
      received: monday + i * second,
      delivery: 1 + (i % 65_535),
      first: i % 2 === 0,
    });
  });
  t.is(readings.length, given);
  await take(readings);
  await pipeline.cut();
  t.is(spool.stats().readings, 0);
  t.true(spool.aside.counts().every(({ reason }) => reason !== "batch_unreadable"));
  t.true(spool.aside.total() > 0);
  await pipeline.refresh(period, monday + day);
  spool.close();
});

test("one reading from the future does not silence a device's warnings", async (t) => {
  const { spool, warnings, take } = open(scratch(t), ["reefer"]);
  const level = (value: number, time: number, rest: Partial<Reading> = {}) =>
    reading("reefer", "cargo_temperature", value, time, { unit: "Cel", ...rest });
  await take([level(3, monday), level(3, monday + 20 * hour, { received: monday + minute })]);
  await take(Array.from({ length: 90 }, (_, i) => level(15, monday + (2 + i) * minute)));
  t.true(
    warnings.some(({ type }) => /temperature/.test(type)),
    JSON.stringify(warnings),
  );
  spool.close();
});

test("a spool and segments of the first version open and go on; what stood in every cut's way is set aside", async (t) => {
  const folder = scratch(t);
  cpSync(fixture, folder, { recursive: true });
  const { spool, pipeline, take } = open(folder);
  t.is(spool.stats().readings, 6);
  await pipeline.cut();
  t.is(spool.stats().readings, 0);
  t.deepEqual(
    spool.aside.counts().map(({ reason, device: name, readings }) => [reason, name, readings]),
    [["time_future", "cold-1", 1]],
  );
  t.true([...spool.aside.entries()].some(({ reading: text }) => text.includes("10000000000000000000")));
  // Two receipts of ¥5 and one of ¥7.25 were stored as one and one: delivered again with their places, all three count.
  const start = monday + 2 * hour;
  const receipt = (value: number, event: string) =>
    reading("till-1", "sales_amount", value, start, { unit: "{CNY}", historical: true, event });
  const again = [receipt(5, "a:2"), receipt(5, "a:3"), receipt(7.25, "a:4"), receipt(5, "a:5")];
  await take(again);
  await pipeline.cut();
  await take(again);
  await pipeline.cut();
  const { quality } = await pipeline.refresh(period, monday + day);
  const used = Object.fromEntries(quality.faults.map((one) => [one.metric, one.used]));
  // Of the four receipts, and the one that the old spool held.
  t.is(used.sales_amount, 5);
  t.is(used.cargo_temperature, 14);
  spool.close();
});

const ways: readonly [string, (folder: string) => Promise<Way>][] = [
  ["file with numbers", (folder) => byFile(folder, { numbered: true })],
  ["file without numbers", (folder) => byFile(folder, { numbered: false })],
  ["MQTT", () => byMqtt()],
];
for (const [name, begin] of ways)
  test(`a thousand receipts of one minute, delivered twice over ${name}, are a thousand to the cent`, async (t) => {
    const folder = scratch(t);
    const way = await begin(folder);
    t.teardown(() => way.close());
    const { seen, truth, used } = await tillTotal(folder, way, drawReceipts(1000, "till"));
    t.is(seen, truth);
    t.is(used, 1000);
  });
