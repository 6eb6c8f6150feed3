/**
 * One suite for every collector. To join, see `compliance/adapter.ts`, and add a line to `adapters`.
 */
import { setTimeout as sleep } from "node:timers/promises";
import test, { type ExecutionContext } from "ava";
import type { Collector, CollectorContext } from "../../collectors/collector.ts";
import type { Adapter, Rig } from "./compliance/adapter.ts";
import { bacnet } from "./compliance/bacnet.ts";
import { file } from "./compliance/file.ts";
import { httpPoll, httpPost } from "./compliance/http.ts";
import { iec104 } from "./compliance/iec104.ts";
import { gb32960, hj212 } from "./compliance/keeping.ts";
import { meter } from "./compliance/meter.ts";
import { modbusRtuOverTcp, modbusTcp } from "./compliance/modbus.ts";
import { mqttAdapters } from "./compliance/mqtt.ts";
import { opcua } from "./compliance/opcua.ts";
import { eventually, Reader } from "./compliance/reader.ts";
import { s7 } from "./compliance/s7.ts";
import { sqlAdapters } from "./compliance/sql.ts";
import { jt808, nmea } from "./compliance/terminal.ts";

const adapters: readonly Adapter[] = [
  modbusTcp,
  modbusRtuOverTcp,
  opcua,
  ...mqttAdapters,
  jt808,
  nmea,
  meter,
  file,
  ...sqlAdapters,
  httpPoll,
  httpPost,
  hj212,
  gb32960,
  s7,
  iec104,
  bacnet,
];

const limits = { queueReadings: 50, batchReadings: 20, backoff: { baseMillis: 20, capMillis: 100 } };

/** As the spool does: source time of the last stored reading, per device and metric. */
type StoredTimes = Map<string, number>;
const context = (stored: StoredTimes, now: () => number = Date.now): CollectorContext => ({
  now,
  random: Math.random,
  log() {},
  lastStored: (device, metric) => stored.get(`${device} ${metric}`),
});

/** Runs `body` with a started collector and its reader, and stops it cleanly whatever happens. */
async function reading(
  rig: Rig,
  stored: StoredTimes,
  body: (reader: Reader, collector: Collector) => Promise<void>,
  now?: () => number,
): Promise<Reader> {
  const collector = rig.collector(context(stored, now), limits);
  const reader = new Reader(collector, stored);
  await collector.start();
  await eventually(() => collector.health().state === "running");
  try {
    await body(reader, collector);
  } finally {
    reader.storeUp();
    await collector.stop();
    await reader.done;
  }
  return reader;
}

/** Lets every device offer `count` more values and waits until as many more of each are stored. */
async function more(
  rig: Rig,
  reader: Reader,
  count: number,
  devices: readonly string[] = rig.devices,
): Promise<void> {
  const before = devices.map((device) => reader.of(device).length);
  await Promise.all(devices.map((device) => rig.produce(device, count)));
  await eventually(() => devices.every((device, i) => reader.of(device).length >= before[i]! + count));
}

const strictlyIncreasing = (values: readonly number[]): boolean =>
  values.every((value, i) => i === 0 || value > values[i - 1]!);
const complete = (values: readonly number[]): boolean =>
  consecutive([...new Set(values)].sort((a, b) => a - b));
const consecutive = (values: readonly number[]): boolean =>
  values.every((value, i) => i === 0 || value === values[i - 1]! + 1);

for (const adapter of adapters) {
  let rig: Rig;
  /** What must hold after a broken line. */
  const survives = { keeps: consecutive, samples: strictlyIncreasing, repeats: complete }[adapter.source];
  /** Last value stored by the claims before, per device: a value must not come twice in the suite's whole run. */
  const last = new Map<string, number>();
  const everStored = new Map<string, number[]>();
  const stored: StoredTimes = new Map();

  const claim = (title: string, body: (t: ExecutionContext) => Promise<void>) =>
    test.serial(`${adapter.name}: ${title}`, async (t) => {
      t.timeout(60_000);
      rig ??= await adapter.open();
      rig.line?.set("pass");
      await body(t);
    });
  const check = (t: ExecutionContext, reader: Reader, holds: (values: readonly number[]) => boolean) => {
    for (const device of rig.devices) {
      const values = reader.of(device);
      const before = last.get(device);
      t.true(values.length > 0, `${device} was read`);
      everStored.set(device, [...(everStored.get(device) ?? []), ...values]);
      if (adapter.source === "repeats" && before !== undefined) {
        t.true(complete(everStored.get(device)!), `${device}: ${values.join(" ")}`);
        continue;
      }
      t.true(holds(values), `${device}: ${values.join(" ")}`);
      if (before !== undefined) {
        t.true(values[0]! > before, `${device}: ${values[0]} was stored by the collector before`);
        if (adapter.source === "keeps")
          t.is(values[0], before + 1, `${device}: nothing lost between collectors`);
      }
      last.set(device, values.at(-1)!);
    }
  };

  claim("delivers in order, each value once", async (t) => {
    const reader = await reading(rig, stored, async (r, collector) => {
      await more(rig, r, 30);
      const health = collector.health();
      t.is(health.state, "running");
      t.is(health.errors, 0);
      t.true(health.readings >= 60);
      for (const device of rig.devices) t.true(health.lastSeen.has(device));
    });
    check(t, reader, consecutive);
  });

  claim("loses nothing while the store is down and doubles nothing after it", async (t) => {
    const reader = await reading(rig, stored, async (r) => {
      await more(rig, r, 5);
      r.storeDown();
      const stored = r.stored;
      await Promise.all(rig.devices.map((device) => rig.produce(device, 40)));
      await sleep(50);
      t.is(r.stored, stored);
      const storedEver = stored + [...last.values()].reduce((sum, value) => sum + value + 1, 0);
      if (rig.acknowledged !== undefined)
        t.true(rig.acknowledged() <= storedEver, "nothing is acknowledged before it is stored");
      r.storeUp();
      await eventually(() => r.stored >= stored + 80);
    });
    check(t, reader, consecutive);
  });

  claim("a slow reader slows the source", async (t) => {
    const reader = await reading(rig, stored, async (r, collector) => {
      await more(rig, r, 5);
      r.storeDown();
      const handedOut = rig.handedOut?.();
      await Promise.all(rig.devices.map((device) => rig.produce(device, 100)));
      if (rig.handedOut !== undefined) {
        await eventually(() => rig.handedOut!() >= handedOut! + limits.queueReadings);
        await sleep(100);
        const ahead = rig.handedOut() - handedOut!;
        t.true(
          ahead <= limits.queueReadings + limits.batchReadings + 20,
          `${ahead} values ahead of the store`,
        );
      }
      const { stored } = r;
      r.storeUp();
      await eventually(() => r.stored >= stored + 200);
      t.is(collector.health().errors, 0, "nothing was dropped");
    });
    check(t, reader, consecutive);
  });

  claim("connects again after the line was cut, without hammering", async (t) => {
    const reader = await reading(rig, stored, async (r, collector) => {
      await more(rig, r, 5);
      if (rig.line === undefined) return;
      rig.line.set("refuse");
      const accepted = rig.line.accepted;
      rig.line.cut();
      await eventually(() => rig.line!.accepted >= accepted + 3);
      t.not(collector.health().state, "running");
      rig.line.set("pass");
      await more(rig, r, 10);
      await eventually(() => collector.health().reconnects >= 1);
      if (!rig.listens) t.true(collector.health().errors >= 3);
    });
    check(t, reader, survives);
  });

  claim("notices a half-open connection", async (t) => {
    const reader = await reading(rig, stored, async (r) => {
      await more(rig, r, 5);
      if (rig.line === undefined) return;
      const accepted = rig.line.accepted;
      rig.line.set("freeze");
      await eventually(() => rig.line!.accepted > accepted);
      rig.line.set("pass");
      await more(rig, r, 10);
    });
    check(t, reader, survives);
  });

  claim("survives a server that sends garbage, and believes none of it", async (t) => {
    const reader = await reading(rig, stored, async (r) => {
      await more(rig, r, 5);
      if (rig.line === undefined) return;
      const accepted = rig.line.accepted;
      rig.line.set("garbage");
      for (const device of rig.devices) await rig.produce(device, 1);
      await eventually(() => rig.line!.accepted > accepted + 1);
      rig.line.set("pass");
      await more(rig, r, 10);
    });
    check(t, reader, survives);
  });

  claim("a dead device does not stall its neighbour", async (t) => {
    const [first, second] = rig.devices;
    const reader = await reading(rig, stored, async (r) => {
      await more(rig, r, 5);
      await rig.kill(first);
      await more(rig, r, 40, [second]);
      await rig.revive(first);
      await more(rig, r, 5);
    });
    check(t, reader, survives);
  });

  claim("goes on after the source was restarted", async (t) => {
    const reader = await reading(rig, stored, async (r) => {
      await more(rig, r, 5);
      await rig.restart?.();
      await more(rig, r, 10);
    });
    check(t, reader, survives);
  });

  claim("does not follow steps of the wall clock", async (t) => {
    let step = 0;
    const reader = await reading(
      rig,
      stored,
      async (r) => {
        await more(rig, r, 5);
        step = -86_400_000;
        await more(rig, r, 10);
        step = 86_400_000;
        await more(rig, r, 10);
      },
      () => Date.now() + step,
    );
    check(t, reader, survives);
  });

  claim("stops cleanly, with or without a server", async (t) => {
    const reader = await reading(rig, stored, (r) => more(rig, r, 5));
    check(t, reader, consecutive);
    if (rig.line === undefined) return;
    await eventually(() => rig.line!.connections === 0);
    rig.line.set("freeze");
    const collector = rig.collector(context(stored), limits);
    await collector.start();
    await collector.stop();
    t.is(collector.health().state, "stopped");
    for await (const batch of collector) t.fail(`${batch.readings.length} readings after stop`);
    await eventually(() => rig.line!.connections === 0);
  });

  test.after.always(`${adapter.name}: close`, async () => {
    await rig?.close();
  });
}
