import test from "ava";
import { eventually } from "../../../bench/cases/within.ts";
import type { Operations, PlantConfig } from "../../../client-node/operations/operations.ts";
import { sitesSchema } from "../../../client-node/operations/sites.ts";
import { collectorEntries } from "../../../collectors/config.ts";
import type { Reading } from "../../../collectors/reading.ts";
import { startModbusServer } from "../../../collectors/simulators/modbus-server.ts";
import { Refusal } from "../../../core/reasons.ts";
import { openPlant, until } from "../../support/plant.ts";

/** Two presses, each behind a server of its own that counts what it was asked for. */
async function twoPresses() {
  const asked = [0, 0];
  const level = [1, 1];
  const servers = await Promise.all(
    asked.map((_, i) =>
      startModbusServer(
        new Map([
          [
            1,
            (_table, _address, count) => {
              asked[i]!++;
              return Buffer.alloc(2 * count, Uint8Array.of(0, level[i]!));
            },
          ],
        ]),
      ),
    ),
  );
  const config = (metric = "active_power", more: object = {}): PlantConfig => ({
    collectors: collectorEntries.parse(
      servers.map(({ port }, i) => ({
        modbus: {
          name: `press ${i}`,
          host: "127.0.0.1",
          port,
          unit: 1,
          device: `press-${i}`,
          registers: [
            {
              address: 40001,
              type: "u16",
              metric: i === 0 ? "vibration_peak" : metric,
              unit: i === 0 ? "[g]" : "kW",
              every: "20ms",
            },
          ],
        },
      })),
    ),
    sites: sitesSchema.parse({
      sites: [{ id: "hall", industry: "machining", utcOffsetHours: 8 }],
      devices: [
        { id: "press-0", site: "hall", class: "press", source: "press 0" },
        { id: "press-1", site: "hall", class: "press", source: "press 1" },
      ],
      ...more,
    }),
  });
  return { asked, level, servers, config };
}

const health = (operations: Operations, name: string) =>
  operations.collectors().find((one) => one.name === name)?.health;

test("a changed collector is restarted alone; nothing of it is lost or comes twice", async (t) => {
  const plant = await openPlant();
  const { config, servers } = await twoPresses();
  t.teardown(async () => {
    await Promise.all(servers.map((one) => one.close()));
    await plant.close();
  });
  const stored: Reading[] = [];
  const operations = await plant.start({
    ...config(),
    onReadings: (readings) => void stored.push(...readings),
  });
  t.teardown(() => operations.stop());
  await until(operations, () => operations.board.size === 2);
  const handedOut = health(operations, "press 1")!.readings;

  const enough = 30;
  await until(operations, () => health(operations, "press 0")!.readings >= enough);
  await operations.reconfigure(config("apparent_power"));
  t.true(health(operations, "press 0")!.readings >= enough, "the other one counts on");
  await until(operations, () => stored.some(({ metric }) => metric === "apparent_power"));
  t.is(health(operations, "press 0")?.reconnects, 0);
  t.true(handedOut > 0);
  t.deepEqual(
    operations.collectors().map(({ name }) => name),
    ["press 0", "press 1"],
  );
  const keys = stored.map(({ device, metric, time }) => `${device} ${metric} ${time}`);
  t.is(new Set(keys).size, keys.length, "once each");
  const first = stored.findIndex(({ metric }) => metric === "apparent_power");
  t.false(
    stored.slice(first).some(({ metric }) => metric === "active_power"),
    "the old one ended first",
  );
  const { readings } = operations.spool();
  t.true(readings >= keys.length, "and each is on disk");
});

test("what will not work changes nothing, and says why", async (t) => {
  const plant = await openPlant();
  const { config, servers } = await twoPresses();
  t.teardown(async () => {
    await Promise.all(servers.map((one) => one.close()));
    await plant.close();
  });
  const operations = await plant.start(config());
  t.teardown(() => operations.stop());
  await until(operations, () => operations.board.size === 2);
  const good = config();
  const bad: PlantConfig[] = [
    { ...good, collectors: [...good.collectors, good.collectors[0]!] },
    { ...good, collectors: good.collectors.slice(0, 1) },
    config("active_power", { thresholds: { machining: { anomaly: { quiet: 1 } } } }),
  ];
  for (const next of bad) {
    const error = await t.throwsAsync(operations.reconfigure(next), { instanceOf: Refusal });
    t.is(error?.reason, "config_invalid");
  }
  const readings = health(operations, "press 1")!.readings;
  await until(operations, () => health(operations, "press 1")!.readings > readings + 2);
  t.is(health(operations, "press 0")?.reconnects, 0);
  t.is(health(operations, "press 1")?.reconnects, 0);
});

test("devices and limits change while the collectors run; warnings of what did not change stay open", async (t) => {
  const plant = await openPlant();
  const { config, level, servers } = await twoPresses();
  t.teardown(async () => {
    await Promise.all(servers.map((one) => one.close()));
    await plant.close();
  });
  const limit = { metric: "active_power", severity: "alarm" };
  const operations = await plant.start(
    config("active_power", { limits: [{ ...limit, name: "power", above: 5 }] }),
  );
  t.teardown(() => operations.stop());
  level[0] = 9;
  level[1] = 9;
  const open = () => operations.findings.warnings(10).filter(({ closed }) => closed === undefined);
  await until(operations, () => open().length === 2);

  // One device more: the two that are there keep what they know.
  const more = config("active_power", { limits: [{ ...limit, name: "power", above: 5 }] });
  const third = sitesSchema.parse({
    ...more.sites,
    devices: [...more.sites.devices, { id: "press-2", site: "hall", class: "press", source: "press 1" }],
  });
  await operations.reconfigure({ ...more, sites: third });
  t.is(open().length, 2);
  t.is(operations.registry.device("press-2")?.site, "hall");

  // Another limit: every device is judged anew, by it.
  await operations.reconfigure(config("active_power", { limits: [{ ...limit, name: "power", above: 20 }] }));
  await eventually(() => open().every(({ type }) => type === "vibration_peak"));
  t.is(operations.registry.device("press-2"), undefined);
  const ended = operations.findings.warnings(10).find(({ type }) => type === "own_limit");
  t.regex(ended!.explanation, /configured anew/);
  level[1] = 30;
  await until(operations, () => open().some(({ type }) => type === "own_limit"));
  t.is(health(operations, "press 1")?.reconnects, 0);
});
