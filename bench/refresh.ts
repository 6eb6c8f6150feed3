import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Apart } from "../client-node/operations/apart.ts";
import { writeApart } from "../client-node/operations/cut-apart.ts";
import { type Device, DeviceRegistry } from "../client-node/operations/device-registry.ts";
import { Engine, quoteText } from "../client-node/operations/engine.ts";
import { readCatalogue } from "../client-node/operations/features/catalogue.ts";
import { refreshApart } from "../client-node/operations/refresh/apart.ts";
import { cutSegment, seriesKey } from "../client-node/operations/segments.ts";
import { Spool } from "../client-node/operations/spool.ts";
import type { Reading } from "../collectors/reading.ts";
import { secureRandom } from "../core/random.ts";
import { atMost, type Bench, type BenchOptions, type Figure, noted, option } from "./bench.ts";

const dayMicros = 86_400_000_000;
const start = Date.UTC(2026, 0, 5) * 1000;
const metrics = [
  ["machine_temperature", "Cel"],
  ["active_power", "kW"],
  ["vibration_rms", "mm/s"],
  ["spindle_load", "%"],
] as const;
const machines = 5;
const channels = Array.from({ length: machines * metrics.length }, (_, i) => {
  const [metric, unit] = metrics[i % metrics.length]!;
  return { device: `machine-${Math.floor(i / metrics.length)}`, metric, unit };
});

export const options: BenchOptions = {
  "--days <list>": "lengths in days, with commas between (1,10,30,90)",
};

/**
 * A refresh of 1, 10, 30 and 90 days of 20 channels at 1 Hz: all of it at once, then with one more hour of today. It
 * runs in its own process; beside it, in a process as large as a node that trains, readings are spooled and segments
 * cut, and the longest pause of that is told.
 */
export const bench: Bench = async (args, progress) => {
  const figures: Figure[] = [];
  const lengths = option(args, "--days", "1,10,30,90").split(",").map(Number);
  const folder = mkdtempSync(join(tmpdir(), "fedcredit-refresh-"));
  const segments = join(folder, "segments");
  mkdirSync(segments);
  const devices: Device[] = Array.from({ length: machines }, (_, i) => ({
    id: `machine-${i}`,
    site: "hall",
    class: "machine",
    source: "bench",
  }));
  const reference = {
    catalogue: readCatalogue(),
    devices,
    bindings: new DeviceRegistry(devices).bindings(),
    sites: [{ id: "hall", industry: "machining", utcOffsetHours: 8, norms: { active_energy: 100 } }],
    exclusions: [],
    excludedStatuses: [],
    calibrations: [],
    declarations: [],
  };
  const spool = new Spool({
    path: join(folder, "spool.db"),
    maxBytes: 8e9,
    maxAgeSeconds: 1e9,
    random: secureRandom,
    now: Date.now,
  });
  // As a node does: the segments are written in a process of their own.
  const ending = new AbortController();
  const apart = new Apart(ending.signal);
  const write = writeApart(join(folder, "spool.db"), apart);
  const cut = () =>
    cutSegment(spool, { folder: segments, deviceClass: () => "machine", maxReadings: 1e6 }, undefined, write);
  // To begin a process takes the longer, the more memory has to be shared with it.
  const ballast = Array.from({ length: 1000 }, (_, i) => Buffer.alloc(1e6, i & 0xff));
  try {
    let made = 0;
    for (const days of lengths) {
      for (; made < days; made++) await makeDay(segments, made);
      progress(`${days} days: ${(days * 86_400 * channels.length).toLocaleString("en")} readings`);
      const period = { from: start, until: start + days * dayMicros };
      const kept = `days-${days}`;
      const measure = () => measured(apart, { segments, days: join(folder, kept), reference, period });
      const whole = await measure();
      // The last hour comes once more, through the spool, while a refresh runs.
      for (let minute = 0; minute < 60; minute++)
        spool.append(lastMinute(period.until - (60 - minute) * 60e6));
      const spooling = async (beat: () => Promise<void>): Promise<void> => {
        for (let tick = 0; tick < 5; tick++) {
          spool.append(lastMinute(period.until - tick * 1e6));
          await beat();
        }
      };
      // What a busy machine keeps this process waiting for by itself.
      const alone = await besideIt(spooling, () => sleep(whole.seconds * 1000));
      const beside = await besideIt(
        async (beat) => {
          await spooling(beat);
          await cut();
        },
        () => measure(),
      );
      await cut();
      const next = await measure();
      const seconds = (value: number): number => Number(value.toFixed(1));
      figures.push(
        noted(`${days} days, everything`, seconds(whole.seconds), "s"),
        noted(`${days} days, everything, processor time`, seconds(whole.cpuSeconds), "s"),
        (days <= 30 ? atMostGigabyte : notedMegabytes)(
          `${days} days, everything, peak memory`,
          whole.peakBytes,
        ),
        noted(`${days} days, one more hour`, seconds(next.seconds), "s"),
        noted(`${days} days, one more hour, processor time`, seconds(next.cpuSeconds), "s"),
        notedMegabytes(`${days} days, one more hour, peak memory`, next.peakBytes),
        atMost(`${days} days, longest pause beside it`, Math.round(beside.longest), "ms", 50),
        noted(
          `${days} days, longest that the process itself worked at a stretch`,
          Math.round(beside.own),
          "ms",
        ),
        noted(`${days} days, longest pause of as long beside nothing`, Math.round(alone.longest), "ms"),
      );
      progress(`everything ${whole.seconds.toFixed(1)} s, one more hour ${next.seconds.toFixed(1)} s`);
    }
  } finally {
    ending.abort();
    spool.close();
    rmSync(folder, { recursive: true });
  }
  const held = ballast.reduce((sum, { length }) => sum + length, 0);
  figures.push(noted("memory of the process beside, of it held", megabytes(held), "MB"));
  return { bench: "refresh", runs: 1, figures };
};

const megabytes = (bytes: number): number => Math.round(bytes / 1e6);
const atMostGigabyte = (name: string, bytes: number): Figure => atMost(name, megabytes(bytes), "MB", 1000);
const notedMegabytes = (name: string, bytes: number): Figure => noted(name, megabytes(bytes), "MB");

async function measured(apart: Apart, job: Parameters<typeof refreshApart>[0]) {
  const began = performance.now();
  let peakBytes = 0;
  let cpuSeconds = 0;
  let watch: NodeJS.Timeout | undefined;
  try {
    await refreshApart(job, apart, (pid) => {
      watch = setInterval(() => {
        try {
          peakBytes = Math.max(peakBytes, peakOf(pid));
          cpuSeconds = cpuOf(pid);
        } catch {
          // It has ended.
        }
      }, 20);
    });
  } finally {
    clearInterval(watch);
  }
  return { seconds: (performance.now() - began) / 1000, peakBytes, cpuSeconds };
}

/** As Linux tells it; elsewhere it is not measured. @see proc(5) */
const peakOf = (pid: number): number =>
  1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);

function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** The longest time that this process's event loop stood still, and the longest of it that it worked itself; ms. */
interface Pause {
  readonly longest: number;
  readonly own: number;
}

/**
 * On a busy machine a loop stands still because others are at work, so what the process itself did meanwhile is told
 * apart: its processor time, of all its threads.
 */
async function besideIt(
  work: (beat: () => Promise<void>) => Promise<void>,
  refresh: () => Promise<unknown>,
): Promise<Pause> {
  let [longest, own] = [0, 0];
  let last = performance.now();
  let used = process.cpuUsage();
  const watch = setInterval(() => {
    const now = performance.now();
    const { user, system } = process.cpuUsage(used);
    longest = Math.max(longest, now - last);
    own = Math.max(own, Math.min(now - last, (user + system) / 1000));
    last = now;
    used = process.cpuUsage();
  }, 1);
  const refreshing = refresh();
  await work(() => new Promise((resolve) => setTimeout(resolve, 20)));
  await refreshing;
  clearInterval(watch);
  return { longest, own };
}

function lastMinute(from: number): Reading[] {
  return Array.from({ length: 60 * channels.length }, (_, i) => {
    const time = from + Math.floor(i / channels.length) * 1_000_000 + 500_000;
    return {
      ...channels[i % channels.length]!,
      value: 40 + Math.sin(i),
      time,
      received: time + 20_000,
      quality: "good",
      status: "Good",
      historical: false,
    };
  });
}

/** One day's segment, written as a cut writes it. */
async function makeDay(segments: string, day: number): Promise<void> {
  const from = start + day * dayMicros;
  const folder = join(
    segments,
    `date=${new Date(from / 1000).toISOString().slice(0, 10)}`,
    "device_class=machine",
  );
  mkdirSync(folder, { recursive: true });
  const engine = await Engine.open({ threads: 1, memoryBytes: 1e9 });
  try {
    const rows = channels
      .map((one) => `(${seriesKey(one)}, '${one.device}', '${one.metric}', '${one.unit}')`)
      .join(", ");
    await engine.run(`COPY (
      SELECT c.series, c.device, c.metric, c.unit, ${from} + s.n * 1000000 AS time_us, 20000 AS delay_us,
        round(40 + 10 * sin(s.n / 3000 + c.series % 7) + (hash(s.n, c.series) % 1000) / 5000.0, 2) AS value,
        CAST(NULL AS VARCHAR) AS text, CAST(NULL AS DOUBLE) AS sequence,
        'good' AS quality, 'Good' AS status, false AS historical
      FROM (VALUES ${rows}) c(series, device, metric, unit), range(86400) s(n) ORDER BY c.series, time_us
    ) TO ${quoteText(join(folder, `made-${day}.parquet`))} (FORMAT parquet, COMPRESSION zstd)`);
  } finally {
    engine.close();
  }
}
