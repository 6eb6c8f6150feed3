import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connectAsync } from "mqtt";
import { Spool } from "../../client-node/operations/spool.ts";
import type { Collector } from "../../collectors/collector.ts";
import { type CollectorInput, collectorEntries } from "../../collectors/config.ts";
import { createCollector } from "../../collectors/create.ts";
import { startModbusServer } from "../../collectors/simulators/modbus-server.ts";
import { startBroker } from "../../collectors/simulators/mqtt-broker.ts";
import { startOpcuaServer } from "../../collectors/simulators/opcua-server.ts";
import { secureRandom } from "../../core/random.ts";
import { eventually } from "../cases/within.ts";

export interface Rate {
  readonly perSecond: number;
  /** Readings per second of this process' own processor time. */
  readonly perCpuSecond: number;
}

const context = { now: Date.now, random: Math.random, log: () => {} };

async function make(entry: CollectorInput): Promise<Collector> {
  return createCollector(collectorEntries.parse([entry])[0]!, context);
}

/** From the first reading on: until `target` readings are durable, or `seconds` have passed. */
async function spoolFrom(collector: Collector, target: number, seconds: number): Promise<Rate> {
  const folder = mkdtempSync(join(tmpdir(), "fedcredit-ingest-"));
  const spool = new Spool({
    path: join(folder, "spool.db"),
    maxBytes: 4e9,
    maxAgeSeconds: 1e9,
    random: secureRandom,
    now: Date.now,
  });
  let started = 0;
  let cpu = process.cpuUsage();
  let stored = 0;
  const { promise: done, resolve: enough } = Promise.withResolvers<void>();
  const taken = (async () => {
    for await (const batch of collector) {
      if (started === 0) {
        started = performance.now();
        cpu = process.cpuUsage();
      }
      spool.append(batch.readings);
      batch.stored();
      stored += batch.readings.length;
      if (stored >= target) enough();
    }
  })();
  await collector.start();
  await Promise.race([done, sleep(seconds * 1000)]);
  const took = (performance.now() - started) / 1000;
  const used = process.cpuUsage(cpu);
  const rate = { perSecond: stored / took, perCpuSecond: stored / ((used.user + used.system) / 1e6) };
  await collector.stop();
  await taken;
  spool.close();
  rmSync(folder, { recursive: true });
  return rate;
}

const metrics = [
  ["spindle_load", "%"],
  ["active_power", "kW"],
  ["vibration_rms", "mm/s"],
  ["machine_temperature", "Cel"],
  ["torque", "N.m"],
  ["rotation", "{rpm}"],
  ["tool_wear", "min"],
  ["humidity", "%"],
  ["ambient_temperature", "Cel"],
  ["particulates", "ug/m3"],
] as const;

/**
 * The broker holds the messages of a persistent session; what is measured is how fast the node takes them:
 * socket, packets, JSON, spool, acknowledgement.
 */
export async function mqttRate(
  readingsPerMessage: number,
  readings: number,
): Promise<Rate & { broker: string }> {
  const broker = await startBroker();
  try {
    const url = `mqtt://127.0.0.1:${broker.port}`;
    const fields = metrics
      .slice(0, readingsPerMessage)
      .map(([metric, unit], i) => ({ path: `v${i}`, metric, unit }));
    const entry: CollectorInput = {
      mqtt: {
        url,
        protocol: broker.protocol,
        clientId: "node",
        identity: "anonymous",
        topics: [{ topic: "plant/{device}/data", format: "json", time: { path: "t", as: "ms" }, fields }],
      },
    };
    // Subscribes once, so that the session exists.
    const first = await make(entry);
    const nothing = (async () => {
      for await (const batch of first) batch.stored();
    })();
    await first.start();
    await eventually(
      () => first.health().state === "running",
      () => `the collector's first connection (${first.health().lastError ?? "no error"})`,
    );
    await first.stop();
    await nothing;

    const publisher = await connectAsync(url);
    const messages = Math.ceil(readings / readingsPerMessage);
    const begin = Date.now();
    let pending: Promise<unknown>[] = [];
    for (let i = 0; i < messages; i++) {
      const body: Record<string, number> = { t: begin + i };
      for (let field = 0; field < readingsPerMessage; field++) body[`v${field}`] = 20 + (i % 100) / 10;
      pending.push(publisher.publishAsync(`plant/press-${i % 50}/data`, JSON.stringify(body), { qos: 1 }));
      if (pending.length === 2000) {
        await Promise.all(pending);
        pending = [];
      }
    }
    await Promise.all(pending);
    await publisher.endAsync();
    return {
      ...(await spoolFrom(await make(entry), messages * readingsPerMessage, 60)),
      broker: broker.kind,
    };
  } finally {
    await broker.close();
  }
}

/** One device, 120 float registers read as fast as it answers: one request at a time, two merged reads. */
export async function modbusRate(seconds: number): Promise<Rate> {
  let tick = 0;
  const server = await startModbusServer(
    new Map([[1, (_, __, count: number) => new Uint8Array(count * 2).fill(tick++ & 0x3f)]]),
  );
  try {
    const registers = Array.from({ length: 120 }, (_, i) => ({
      address: 2 * i,
      table: "holding" as const,
      type: "f32" as const,
      metric: `${metrics[i % 10]![0]}`,
      unit: metrics[i % 10]![1],
      every: "1ms",
    }));
    const collector = await make({
      modbus: { host: "127.0.0.1", port: server.port, unit: 1, device: "press-1", registers },
    });
    return await spoolFrom(collector, Number.POSITIVE_INFINITY, seconds);
  } finally {
    await server.close();
  }
}

/** A server with 200 variables that all change every few milliseconds, in the same process. */
export async function opcuaRate(seconds: number): Promise<Rate> {
  const folder = mkdtempSync(join(tmpdir(), "fedcredit-ingest-opcua-"));
  const variables = Array.from({ length: 200 }, (_, i) => `Machine.${i}`);
  const server = await startOpcuaServer({ now: Date.now, pki: join(folder, "pki"), variables });
  let value = 0;
  const change = setInterval(() => {
    value++;
    for (const name of variables) server.set(name, value);
  }, 20);
  try {
    const collector = await make({
      opcua: {
        endpoint: server.endpoint,
        security: "none",
        identity: "anonymous",
        publishing: "50ms",
        groups: [
          {
            device: "machine-1",
            nodes: variables.map((name, i) => ({
              node: `ns=1;s=${name}`,
              metric: metrics[i % 10]![0],
              unit: metrics[i % 10]![1],
            })),
          },
        ],
      },
    });
    return await spoolFrom(collector, Number.POSITIVE_INFINITY, seconds);
  } finally {
    clearInterval(change);
    await server.close();
    rmSync(folder, { recursive: true });
  }
}
