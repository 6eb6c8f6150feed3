import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startOperations } from "../../client-node/operations/operations.ts";
import { sitesSchema } from "../../client-node/operations/sites.ts";
import { type CollectorInput, collectorEntries } from "../../collectors/config.ts";
import { secureRandom } from "../../core/random.ts";
import { eventually } from "../cases/within.ts";

const controllers = 100;
const tagNames = Array.from({ length: 150 }, (_, i) => `tag_${i}`);
const everyMillis = 1_000;

/** What came of a plant's tags over a while. */
export interface PlantRate {
  readonly tags: number;
  readonly seconds: number;
  readonly readings: number;
  /** Answers that a controller gave and that are not among the readings, or twice. */
  readonly lost: number;
  /** Seconds of a tag in which it was not asked. */
  readonly skipped: number;
  /** Longest time from one reading of a tag to its next, milliseconds. */
  readonly longestMillis: number;
  /** Of this process, in which the node runs: processor seconds a second. */
  readonly cpu: number;
}

/** Of one tag: the count that its register told. */
interface Seen {
  first: number;
  last: number;
  readings: number;
  /** When it was read last, milliseconds. */
  at: number;
  longestMillis: number;
  skipped: number;
}

/**
 * A plant of 100 controllers with 150 tags each, every tag once a second, through all of a node: collectors, door,
 * spool, warnings. The controllers answer from a process of their own.
 */
export async function plantRate(seconds: number): Promise<PlantRate> {
  const folder = mkdtempSync(join(tmpdir(), "fedcredit-ingest-plant-"));
  const plant = fork(new URL("plcs.ts", import.meta.url), { execArgv: ["--no-warnings"] });
  try {
    plant.send({ controllers });
    const [{ ports }] = (await once(plant, "message")) as [{ ports: number[] }];
    const seen = new Map<string, Seen>();
    const operations = await startOperations({
      dataDir: folder,
      collectors: collectorEntries.parse(ports.map(controllerOn)),
      sites: sitesSchema.parse({
        sites: [{ id: "plant", industry: "machining", utcOffsetHours: 8 }],
        devices: ports.map((_, i) => ({ id: `plc-${i}`, site: "plant", class: "plc", source: `plc-${i}` })),
        metrics: Object.fromEntries(
          tagNames.map((name) => [
            name,
            { kind: "gauge", unit: "1", range: [0, 1e9], step: 1, fill: [10, 60], meaning: name },
          ]),
        ),
      }),
      spoolBytes: 4e9,
      keepDays: 400,
      refreshMillis: 3_600_000,
      refreshDays: 1,
      now: Date.now,
      random: secureRandom,
      onReadings(readings) {
        for (const { device, metric, quality, value, received } of readings)
          if (quality === "good") note(seen, `${device}/${metric}`, Number(value), received / 1000);
      },
      log() {},
    });
    await eventually(
      () => operations.collectors().every(({ health }) => health.state === "running"),
      () => "every controller to answer",
    );
    seen.clear();
    const cpu = process.cpuUsage();
    const began = performance.now();
    await sleep(seconds * 1000);
    const used = process.cpuUsage(cpu);
    const took = (performance.now() - began) / 1000;
    await operations.stop();
    const tags = [...seen.values()];
    const readings = tags.reduce((sum, one) => sum + one.readings, 0);
    return {
      tags: tags.length,
      seconds: took,
      readings,
      lost: tags.reduce((sum, { first, last, readings: all }) => sum + Math.abs(last - first + 1 - all), 0),
      skipped: tags.reduce((sum, one) => sum + one.skipped, 0),
      longestMillis: Math.max(...tags.map(({ longestMillis }) => longestMillis)),
      cpu: (used.user + used.system) / 1e6 / took,
    };
  } finally {
    plant.disconnect();
    rmSync(folder, { recursive: true });
  }
}

const controllerOn = (port: number, i: number): CollectorInput => ({
  modbus: {
    ...{ name: `plc-${i}`, host: "127.0.0.1", port, unit: 1, device: `plc-${i}` },
    registers: tagNames.map((metric, tag) => ({
      ...{ table: "holding" as const, address: 2 * tag, type: "u32" as const },
      ...{ metric, unit: "1", every: `${everyMillis}ms` },
    })),
  },
});

function note(seen: Map<string, Seen>, tag: string, value: number, at: number): void {
  const known = seen.get(tag);
  if (known === undefined) {
    seen.set(tag, { first: value, last: value, readings: 1, at, longestMillis: 0, skipped: 0 });
    return;
  }
  const pause = at - known.at;
  known.readings++;
  known.last = value;
  known.at = at;
  known.longestMillis = Math.max(known.longestMillis, pause);
  known.skipped += Math.max(0, Math.round(pause / everyMillis) - 1);
}
