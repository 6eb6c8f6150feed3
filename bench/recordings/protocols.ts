import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAsync } from "mqtt";
import type { Collector, CollectorContext } from "../../collectors/collector.ts";
import { type CollectorInput, collectorEntries } from "../../collectors/config.ts";
import { createCollector } from "../../collectors/create.ts";
import { type Location, statusBit } from "../../collectors/jt808/location.ts";
import type { Reading } from "../../collectors/reading.ts";
import { startModbusServer } from "../../collectors/simulators/modbus-server.ts";
import { freePort, startBroker } from "../../collectors/simulators/mqtt-broker.ts";
import { startOpcuaServer } from "../../collectors/simulators/opcua-server.ts";
import { type ReplayRegister, replayModbus } from "../../collectors/simulators/replay.ts";
import { startTerminal } from "../../collectors/simulators/terminal-client.ts";
import { heldClock } from "./held-clock.ts";
import type { Protocol } from "./replay.ts";

export function collectorOf(entry: CollectorInput, context: CollectorContext): Promise<Collector> {
  return createCollector(collectorEntries.parse([entry])[0]!, context);
}

interface Channel {
  readonly device: string;
  readonly metric: string;
  readonly unit: string;
  readonly readings: readonly Reading[];
}

const channelsOf = (recording: readonly Reading[]): Channel[] =>
  [...Map.groupBy(recording, (one) => `${one.device} ${one.metric}`).values()].map((readings) => {
    const { device, metric, unit } = readings[0]!;
    return { device, metric, unit, readings };
  });

/**
 * A meter on Modbus TCP: each metric of a device as an unsigned 32-bit register pair, low word first. Modbus has
 * no source time, so the collector polls by the recording's own clock.
 *
 * @param everySeconds - between two readings of the recording.
 * @param scale - value of the last digit.
 */
export function modbus(everySeconds: number, scale: number): Protocol {
  return async (recording, context) => {
    const clock = heldClock(recording[0]!.time / 1000);
    const devices = [...Map.groupBy(channelsOf(recording), (one) => one.device)];
    const place = (index: number) =>
      ({ table: "holding", address: 2 * index, type: "u32", order: "CDAB", scale }) as const;
    const units = devices.map(([, channels]) =>
      channels.map(
        ({ device, metric, readings }, index): ReplayRegister => ({
          ...place(index),
          series: {
            device,
            metric,
            times: readings.map((one) => one.time / 1000),
            values: readings.map((one) => Number(one.value)),
          },
        }),
      ),
    );
    const server = await startModbusServer(
      new Map(units.map((registers, i) => [i + 1, replayModbus(registers, clock.now)])),
    );
    const collector = await collectorOf(
      {
        modbus: {
          host: "127.0.0.1",
          port: server.port,
          timeout: "30s",
          units: devices.map(([device, channels], i) => ({
            unit: i + 1,
            device,
            registers: channels.map(({ metric, unit }, index) => ({
              ...place(index),
              metric,
              unit,
              every: `${everySeconds}s`,
            })),
          })),
        },
      },
      { ...context, ...clock },
    );
    return {
      collector,
      send: (readings) => clock.release(readings.at(-1)!.time / 1000),
      close: () => server.close(),
    };
  };
}

/** An OPC UA server with one variable a metric, whose source times are the recording's. */
export function opcua(): Protocol {
  return async (recording, context) => {
    const folder = mkdtempSync(join(tmpdir(), "fedcredit-recording-"));
    const channels = channelsOf(recording);
    const nameOf = (one: { device: string; metric: string }) => `${one.device}.${one.metric}`;
    const server = await startOpcuaServer({
      now: Date.now,
      pki: join(folder, "pki"),
      variables: channels.map(nameOf),
    });
    const set = (one: Reading) =>
      server.set(nameOf(one), Number(one.value), undefined, new Date(one.time / 1000));
    // A variable has a value when it is subscribed to: the subscription begins with it.
    const first = new Set(channels.map(({ readings }) => readings[0]!));
    for (const one of first) set(one);
    const collector = await collectorOf(
      {
        opcua: {
          endpoint: server.endpoint,
          security: "none",
          identity: "anonymous",
          publishing: "50ms",
          timeout: "60s",
          keepAlive: "60s",
          groups: [...Map.groupBy(channels, (one) => one.device)].map(([device, nodes]) => ({
            device,
            queue: 10_000,
            nodes: nodes.map((one) => ({
              node: `ns=1;s=${nameOf(one)}`,
              metric: one.metric,
              unit: one.unit,
            })),
          })),
        },
      },
      { ...context, now: Date.now },
    );
    return {
      collector,
      send(readings) {
        for (const one of readings) if (!first.has(one)) set(one);
      },
      async close() {
        await server.close();
        rmSync(folder, { recursive: true });
      },
    };
  };
}

/** A gateway that publishes one JSON message for what a device measured at one time, at QoS 1. */
export function mqtt(): Protocol {
  return async (recording, context) => {
    const broker = await startBroker();
    const url = `mqtt://127.0.0.1:${broker.port}`;
    const publisher = await connectAsync(url);
    const metrics = new Map(recording.map(({ metric, unit }) => [metric, unit]));
    const collector = await collectorOf(
      {
        mqtt: {
          url,
          protocol: broker.protocol,
          clientId: "node",
          identity: "anonymous",
          topics: [
            {
              topic: "site/{device}/data",
              format: "json",
              time: { path: "t", as: "us" },
              fields: [...metrics].map(([metric, unit]) => ({ path: metric, metric, unit })),
            },
          ],
        },
      },
      { ...context, now: Date.now },
    );
    return {
      collector,
      async send(readings) {
        // Two values of one metric and time are two messages.
        const times = new Map<string, number>();
        const messages = Map.groupBy(readings, ({ device, metric, time }) => {
          const key = `${device} ${metric} ${time}`;
          const count = times.get(key) ?? 0;
          times.set(key, count + 1);
          return `${device} ${time} ${count}`;
        });
        await Promise.all(
          [...messages.values()].map((some) =>
            publisher.publishAsync(
              `site/${some[0]!.device}/data`,
              JSON.stringify({
                t: some[0]!.time,
                ...Object.fromEntries(some.map((one) => [one.metric, one.value])),
              }),
              { qos: 1 },
            ),
          ),
        );
      },
      async close() {
        await publisher.endAsync();
        await broker.close();
      },
    };
  };
}

/** Fixes in one report that a terminal sends after a dead zone: with 30 it fits into one frame. */
const batchFixes = 30;

/**
 * Vehicle terminals that speak JT/T 808: in even hours each fix is reported at once (0x0200), odd hours are a dead
 * zone whose fixes come together afterwards (0x0704).
 */
export function terminals(): Protocol {
  return async (recording, context) => {
    const port = await freePort();
    let now = recording[0]!.time / 1000;
    const devices = [...new Set(recording.map((one) => one.device))];
    const fleet = new Map(
      devices.map((device, i) => [
        device,
        startTerminal({
          port,
          phone: `${13_800_000_000 + i}`,
          window: 200,
          replyMillis: 60_000,
          heartbeatMillis: 60_000,
        }),
      ]),
    );
    const collector = await collectorOf(
      {
        terminal: {
          protocol: "jt808",
          listen: `127.0.0.1:${port}`,
          datum: "WGS-84",
          accuracyMetres: recording[0]!.position!.accuracyMetres,
          authentication: "none",
          terminals: devices.map((device, i) => ({ phone: `${13_800_000_000 + i}`, device })),
          readings: [{ from: "speed", metric: "speed" }],
        },
      },
      { ...context, now: () => now },
    );
    return {
      collector,
      send(readings) {
        now = readings.at(-1)!.time / 1000;
        for (const [device, fixes] of Map.groupBy(readings, (one) => one.device)) {
          const terminal = fleet.get(device)!;
          for (const [hour, some] of Map.groupBy(fixes, (one) => Math.floor(one.time / 3.6e9)))
            if (hour % 2 === 0) for (const one of some) terminal.report(locationOf(one));
            else
              for (let i = 0; i < some.length; i += batchFixes)
                terminal.reportBatch(some.slice(i, i + batchFixes).map(locationOf), 1);
        }
      },
      async close() {
        for (const terminal of fleet.values()) terminal.close();
      },
    };
  };
}

const locationOf = ({ value, time, position }: Reading): Location => ({
  alarm: 0,
  status: statusBit.ignition | statusBit.fixed | statusBit.gps,
  lat: position!.lat,
  lon: position!.lon,
  altitudeMetres: 0,
  speedKmh: Number(value),
  directionDegrees: 0,
  time,
  items: new Map(),
});

/** A till that exports one CSV file a day. */
export function files(): Protocol {
  return async (recording, context) => {
    const folder = mkdtempSync(join(tmpdir(), "fedcredit-recording-"));
    const exports = join(folder, "exports");
    mkdirSync(exports);
    const metrics = new Map(recording.map(({ metric, unit }) => [metric, unit]));
    const collector = await collectorOf(
      {
        file: {
          folder: exports,
          state: join(folder, "state.db"),
          format: "csv",
          device: { column: "device" },
          time: { column: "time", as: "us" },
          rows: {
            metric: "metric",
            value: "value",
            metrics: Object.fromEntries([...metrics].map(([metric, unit]) => [metric, { metric, unit }])),
          },
          historical: false,
          every: "10ms",
          settle: "1ms",
        },
      },
      { ...context, now: Date.now },
    );
    return {
      collector,
      send(readings) {
        const day = new Date(readings[0]!.time / 1000).toISOString().slice(0, 10);
        const rows = readings.map((one) => `${one.device},${one.time},${one.metric},${one.value}`);
        const whole = join(exports, `${day}.csv`);
        writeFileSync(`${whole}.tmp`, `${["device,time,metric,value", ...rows].join("\n")}\n`);
        renameSync(`${whole}.tmp`, whole);
      },
      async close() {
        rmSync(folder, { recursive: true });
      },
    };
  };
}
