import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Device, DeviceRegistry, type Site } from "../client-node/operations/device-registry.ts";
import { Engine } from "../client-node/operations/engine.ts";
import { readCatalogue } from "../client-node/operations/features/catalogue.ts";
import { computeFeatures } from "../client-node/operations/features/features.ts";
import { openDays } from "../client-node/operations/quality/days.ts";
import { passRates, runQuality } from "../client-node/operations/quality/quality.ts";
import { cutSegment } from "../client-node/operations/segments.ts";
import { Spool } from "../client-node/operations/spool.ts";
import type { Reading } from "../collectors/reading.ts";
import { secureRandom } from "../core/random.ts";
import {
  atLeast,
  atMost,
  type Bench,
  type BenchOptions,
  type Figure,
  median,
  noted,
  option,
} from "./bench.ts";
import { plantRate } from "./ingest/plant.ts";
import { modbusRate, mqttRate, opcuaRate } from "./ingest/sockets.ts";

const batchSize = 5000;
const start = Date.UTC(2026, 2, 2) * 1000;
const metrics = [
  ["machine_temperature", "Cel", 60, 8, 0.1],
  ["active_power", "kW", 40, 15, 0.01],
  ["vibration_rms", "mm/s", 3, 1, 0.01],
  ["cargo_temperature", "Cel", 3, 1, 0.1],
] as const;
const deviceCount = 50;
const seriesCount = deviceCount * metrics.length;

/** One batch: every series once a second, values at the resolution of their sensors. */
function fill(batch: Reading[], first: number): void {
  for (let i = 0; i < batchSize; i++) {
    const n = first + i;
    const series = n % seriesCount;
    const tick = Math.floor(n / seriesCount);
    const [metric, unit, level, swing, resolution] = metrics[series % metrics.length]!;
    const raw = level + swing * Math.sin(tick / 3000 + series) + 0.4 * Math.random();
    const time = start + tick * 1_000_000 + series;
    batch[i] = {
      device: `machine-${Math.floor(series / metrics.length)}`,
      metric,
      value: Math.round(raw / resolution) * resolution,
      unit,
      time,
      received: time + 20_000 + Math.floor(Math.random() * 1000),
      quality: "good",
      status: "Good",
      sequence: tick,
      historical: false,
    };
  }
}

export const options: BenchOptions = {
  "--quick": "a million readings instead of ten",
  "--no-sockets": "leave the protocols out",
  "--plant": "the plant of 15,000 Modbus tags alone",
  "--seconds <n>": "how long the plant is read (60)",
};

/**
 * Spool, segments, quality and features of 10 million readings, then the protocols from their sockets, then a plant of
 * 15,000 Modbus tags.
 */
export const bench: Bench = async (args, progress) => {
  const plantSeconds = Number(option(args, "--seconds", "60"));
  if (args.includes("--plant"))
    return { bench: "ingest", runs: 1, figures: await plant(plantSeconds, progress) };
  const total = args.includes("--quick") ? 1_000_000 : 10_000_000;
  const folder = mkdtempSync(join(tmpdir(), "fedcredit-ingest-"));
  const segments = join(folder, "segments");
  mkdirSync(segments);
  const figures: Figure[] = [];
  try {
    const spool = new Spool({
      path: join(folder, "spool.db"),
      maxBytes: 64e9,
      maxAgeSeconds: 1e9,
      random: secureRandom,
      now: Date.now,
    });
    const { spooled, parquet } = await spoolAndCut(spool, segments, total, progress);
    spool.close();
    figures.push(
      atLeast("spool, durable batches of 5,000", Math.round(spooled.perSecond), "readings/s", 500_000),
      atLeast("the same, per processor second", Math.round(spooled.perCpu), "readings/s", 500_000),
      noted("segments cut", Math.round(parquet.perSecond), "readings/s"),
      atMost("Parquet", Number(parquet.bytes.toFixed(2)), "bytes a reading", 12),
    );
    figures.push(...(await qualityAndFeatures(segments, total, progress)));
  } finally {
    rmSync(folder, { recursive: true });
  }
  if (!args.includes("--no-sockets"))
    figures.push(...(await sockets(progress)), ...(await plant(plantSeconds, progress)));
  return { bench: "ingest", runs: 3, figures };
};

async function spoolAndCut(spool: Spool, segments: string, total: number, progress: (line: string) => void) {
  const rates: number[] = [];
  const cpuRates: number[] = [];
  let cutSeconds = 0;
  let bytes = 0;
  const perPart = Math.min(2_500_000, total);
  const batches = Array.from({ length: 100 }, () => new Array<Reading>(batchSize));
  for (let part = 0; part < total; part += perPart) {
    // The making of the readings is not what is measured.
    let seconds = 0;
    let cpu = 0;
    for (let from = part; from < part + perPart; from += batchSize * batches.length) {
      const made = batches.slice(0, Math.min(batches.length, (part + perPart - from) / batchSize));
      for (const [i, batch] of made.entries()) fill(batch, from + i * batchSize);
      const began = performance.now();
      const usage = process.cpuUsage();
      for (const batch of made) spool.append(batch);
      const used = process.cpuUsage(usage);
      seconds += (performance.now() - began) / 1000;
      cpu += (used.user + used.system) / 1e6;
    }
    rates.push(perPart / seconds);
    cpuRates.push(perPart / cpu);
    const began = performance.now();
    const report = await cutSegment(spool, {
      folder: segments,
      deviceClass: () => "machine",
      maxReadings: perPart,
    });
    cutSeconds += (performance.now() - began) / 1000;
    bytes += report!.bytes;
    progress(`${(part + perPart).toLocaleString("en")} readings spooled and cut`);
  }
  return {
    spooled: { perSecond: median(rates), perCpu: median(cpuRates) },
    parquet: { perSecond: total / cutSeconds, bytes: bytes / total },
  };
}

async function qualityAndFeatures(segments: string, total: number, progress: (line: string) => void) {
  const period = { from: start, until: start + (total / seriesCount) * 1_000_000 };
  const sites: Site[] = Array.from({ length: 5 }, (_, i) => ({
    id: `site-${i}`,
    industry: "machining",
    utcOffsetHours: 0,
    norms: { cargo_temperature_limit: 6 },
  }));
  const devices: Device[] = Array.from({ length: deviceCount }, (_, i) => ({
    id: `machine-${i}`,
    site: `site-${i % sites.length}`,
    class: "machine",
    source: "bench",
  }));
  const reference = {
    catalogue: readCatalogue(),
    devices,
    bindings: new DeviceRegistry(devices).bindings(),
    sites,
    exclusions: [],
    excludedStatuses: ["maintenance"],
    calibrations: [],
    declarations: [],
  };
  const times: number[] = [];
  const cpus: number[] = [];
  let passing = 0;
  for (let run = 0; run < 3; run++) {
    const engine = await Engine.open({ threads: 2 });
    const began = performance.now();
    const usage = process.cpuUsage();
    await openDays(engine, segments, join(segments, "..", `days-${run}`), reference, period);
    const report = await runQuality(engine, period);
    await computeFeatures(engine, reference.catalogue);
    times.push((performance.now() - began) / 1000);
    const used = process.cpuUsage(usage);
    cpus.push((used.user + used.system) / 1e6);
    passing = passRates(report.counts).completed;
    engine.close();
    progress(`quality and features: ${times.at(-1)!.toFixed(2)} s`);
  }
  const million = total / 1e6;
  return [
    atMost(
      `clean, verify, complete and all feature families of ${million} million readings, two threads`,
      Number(median(times).toFixed(2)),
      "s",
      (5 * million) / 10,
    ),
    noted("the same, processor time", Number(median(cpus).toFixed(2)), "s"),
    noted("cells passing", passing, "1"),
  ];
}

async function plant(seconds: number, progress: (line: string) => void): Promise<Figure[]> {
  progress("a plant of 15,000 Modbus tags");
  const seen = await plantRate(seconds);
  const all = "15,000 Modbus tags of 100 controllers, once a second, through the whole node";
  return [
    noted(`${all}: readings`, seen.readings, `in ${Math.round(seen.seconds)} s`),
    atLeast("the same, tags read", seen.tags, "tags", 15_000),
    atMost("the same, answers lost or doubled", seen.lost, "readings", 0),
    atMost("the same, seconds of a tag in which it was not read", seen.skipped, "readings", 0),
    noted("the same, longest from one reading of a tag to its next", Math.round(seen.longestMillis), "ms"),
    noted("the same, the node's processor time", Number(seen.cpu.toFixed(2)), "s a second"),
  ];
}

async function sockets(progress: (line: string) => void): Promise<Figure[]> {
  const rate = (name: string, value: number): Figure => noted(name, Math.round(value), "readings/s");
  progress("mqtt");
  const ten = await mqttRate(10, 300_000);
  const one = await mqttRate(1, 100_000);
  progress("modbus");
  const modbus = await modbusRate(3);
  progress("opcua");
  const opcua = await opcuaRate(4);
  return [
    atLeast(
      `MQTT, JSON of 10 readings a message, ${ten.broker}, socket to spool`,
      Math.round(ten.perSecond),
      "readings/s",
      50_000,
    ),
    rate("the same, per processor second", ten.perCpuSecond),
    atLeast(
      "MQTT, JSON of 1 reading a message, socket to spool",
      Math.round(one.perSecond),
      "readings/s",
      50_000,
    ),
    rate("the same, per processor second", one.perCpuSecond),
    rate(
      "Modbus TCP, one device with 120 floats (limited by one request at a time, simulator in the same process)",
      modbus.perSecond,
    ),
    rate(
      "OPC UA, 200 nodes at 50 Hz offered (limited by the stack, server in the same process)",
      opcua.perSecond,
    ),
  ];
}
