import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Calibration,
  type Declaration,
  type Device,
  DeviceRegistry,
  type Exclusion,
  type Site,
} from "../../client-node/operations/device-registry.ts";
import { Engine, type EngineRow } from "../../client-node/operations/engine.ts";
import { readCatalogue } from "../../client-node/operations/features/catalogue.ts";
import type { FeatureRow } from "../../client-node/operations/features/features.ts";
import { Pipeline } from "../../client-node/operations/pipeline.ts";
import { openDays } from "../../client-node/operations/quality/days.ts";
import { type QualityReport, runQuality } from "../../client-node/operations/quality/quality.ts";
import type { Period, Reference } from "../../client-node/operations/quality/reference.ts";
import { computeRefresh } from "../../client-node/operations/refresh/refresh.ts";
import { Spool, type SpoolStats } from "../../client-node/operations/spool.ts";
import type { SpecialDays } from "../../client-node/operations/warnings/baseline.ts";
import { FeatureWatch } from "../../client-node/operations/warnings/feature-watch.ts";
import { readProfiles } from "../../client-node/operations/warnings/profiles.ts";
import type { Fence, OwnLimit, Route } from "../../client-node/operations/warnings/rule.ts";
import { WarningStream } from "../../client-node/operations/warnings/stream.ts";
import type { Warning } from "../../client-node/operations/warnings/warning.ts";
import type { Batch, Collector } from "../../collectors/collector.ts";
import type { Reading } from "../../collectors/reading.ts";
import { secureRandom } from "../../core/random.ts";
import type { WarningType } from "../../core/warning-types.ts";

export const second = 1_000_000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * hour;

/** µs UTC of a UTC date and time. */
export const at = (text: string): number =>
  Date.parse(`${text}${text.includes("T") ? "" : "T00:00"}Z`) * 1000;

export const reading = (
  device: string,
  metric: string,
  value: Reading["value"],
  unit: string,
  time: number,
  rest: Partial<Reading> = {},
): Reading => ({
  device,
  metric,
  value,
  unit,
  time,
  received: time + 50_000,
  quality: "good",
  status: "Good",
  historical: false,
  ...rest,
});

/** Times from `from` (inclusive) to `until` (exclusive), `step` apart. */
export function* every(from: number, until: number, step: number): Generator<number> {
  for (let time = from; time < until; time += step) yield time;
}

/** A counter that grows by `perDay(time)` a day. */
export function* metered(
  name: string,
  metric: string,
  unit: string,
  from: number,
  until: number,
  perDay: (time: number) => number,
  step = 15 * minute,
): Generator<Reading> {
  let total = 1000;
  for (const time of every(from, until, step)) {
    yield reading(name, metric, total, unit, time);
    total += (perDay(time) * step) / day;
  }
}

export const site = (id: string, industry: string, norms: Site["norms"] = {}, utcOffsetHours = 0): Site => ({
  id,
  industry,
  utcOffsetHours,
  norms,
});

export const device = (id: string, siteId: string, role?: Device["role"]): Device => ({
  id,
  site: siteId,
  class: id.replace(/-.*$/, ""),
  source: "recorded",
  ...(role === undefined ? {} : { role }),
});

export interface WorldOptions {
  readonly sites: readonly Site[];
  readonly devices: readonly Device[];
  readonly exclusions?: readonly Exclusion[];
  readonly excludedStatuses?: readonly string[];
  readonly calibrations?: readonly Calibration[];
  readonly declarations?: readonly Declaration[];
  readonly fences?: readonly Fence[];
  readonly routes?: ReadonlyMap<string, Route>;
  readonly specialDays?: readonly SpecialDays[];
  readonly tags?: ReadonlyMap<string, string>;
  readonly limits?: readonly OwnLimit[];
  /** Seconds between two ticks of the recorded clock; a day where absent. */
  readonly tickSeconds?: number;
}

export interface Seen {
  readonly quality: QualityReport;
  readonly features: readonly FeatureRow[];
  /** A feature of the window of a site that holds `time`. */
  feature(site: string, window: FeatureRow["window"], time: number, name: string): number | undefined;
}

/** An enterprise's node with its own folder, spool and pipeline; readings come from a recording. */
export class World {
  readonly options: WorldOptions;
  readonly #folder = mkdtempSync(join(tmpdir(), "fedcredit-case-"));
  readonly #spool: Spool;
  readonly pipeline: Pipeline;
  readonly registry: DeviceRegistry;
  /** As they were told, opened and closed ones. */
  readonly told: Warning[] = [];
  /** Told of readings once all rules have judged them. */
  onJudged: (readings: readonly Reading[]) => void = () => {};
  readonly bindings: string[] = [];

  constructor(options: WorldOptions) {
    this.options = options;
    const segments = join(this.#folder, "segments");
    mkdirSync(segments);
    this.#spool = new Spool({
      path: join(this.#folder, "spool.db"),
      maxBytes: 4e9,
      maxAgeSeconds: 1e9,
      random: secureRandom,
      now: () => 0,
    });
    const { sites, devices } = options;
    const catalogue = readCatalogue();
    const profiles = readProfiles();
    this.registry = new DeviceRegistry(devices, options.tags, (entry) =>
      this.bindings.push(`${entry.device} → ${entry.site} by ${entry.by}`),
    );
    const shared = {
      catalogue,
      sites,
      exclusions: options.exclusions ?? [],
      excludedStatuses: options.excludedStatuses ?? [],
    };
    this.pipeline = new Pipeline({
      spool: this.#spool,
      segments,
      days: join(this.#folder, "days"),
      compute: (job) => computeRefresh({ ...job, engine: {} }),
      registry: this.registry,
      reference: {
        ...shared,
        calibrations: options.calibrations ?? [],
        declarations: options.declarations ?? [],
      },
      stream: new WarningStream({
        ...shared,
        registry: this.registry,
        profiles,
        fences: options.fences ?? [],
        routes: options.routes ?? new Map(),
        limits: options.limits ?? [],
      }),
      watch: new FeatureWatch({ profiles, sites, specialDays: options.specialDays ?? [] }),
      wait: () => Promise.reject(new Error("the spool refused")),
      onWarning: (warning) => this.told.push(warning),
      onJudged: (readings) => this.onJudged(readings),
      log: () => {},
    });
  }

  get spooled(): SpoolStats {
    return this.#spool.stats();
  }

  #reference(): Reference {
    const { sites, exclusions, excludedStatuses, calibrations, declarations } = this.options;
    return {
      catalogue: readCatalogue(),
      devices: this.registry.devices(),
      bindings: this.registry.bindings(),
      sites,
      exclusions: exclusions ?? [],
      excludedStatuses: excludedStatuses ?? [],
      calibrations: calibrations ?? [],
      declarations: declarations ?? [],
    };
  }

  /** Plays a recording in order of time, with the clock ticking along. */
  async play(readings: readonly Reading[]): Promise<void> {
    const sorted = [...readings].sort((a, b) => a.time - b.time);
    const step = (this.options.tickSeconds ?? 86_400) * second;
    const last = sorted.at(-1)?.time ?? 0;
    let from = 0;
    while (from < sorted.length) {
      const until = (Math.floor(sorted[from]!.time / step) + 1) * step;
      let end = from;
      while (end < sorted.length && sorted[end]!.time < until) end++;
      await this.pipeline.take(recorded(sorted.slice(from, end)));
      from = end;
      const next = sorted[from]?.time ?? Math.min(until, last) + 1;
      for (let now = Math.min(until, last); now < next; now += step) this.pipeline.tick(now);
    }
  }

  /** Cuts, cleans, verifies, completes, computes features and judges them. */
  async refresh(period: Period, now = period.until): Promise<Seen> {
    await this.pipeline.cut();
    const { quality, features } = await this.pipeline.refresh(period, now);
    return {
      quality,
      features,
      feature: (siteId, window, time, name) =>
        features
          .find((row) => row.site === siteId && row.window === window && row.from <= time && time < row.until)
          ?.values.get(name),
    };
  }

  /** Cuts, and asks the quality steps' own tables. @returns the rows of one SELECT */
  async query(period: Period, select: string): Promise<EngineRow[]> {
    await this.pipeline.cut();
    const engine = await Engine.open();
    try {
      const segments = join(this.#folder, "segments");
      await openDays(engine, segments, join(this.#folder, "days"), this.#reference(), period);
      await runQuality(engine, period);
      return await engine.rows(select);
    } finally {
      engine.close();
    }
  }

  /** Opened warnings of a type; of one device or site, where given. */
  opened(type: WarningType, where?: string): Warning[] {
    return this.told.filter(
      (one) =>
        one.type === type &&
        one.closed === undefined &&
        (where === undefined || one.device === where || one.site === where),
    );
  }

  closed(type: WarningType, where: string): Warning[] {
    return this.told.filter(
      (one) => one.type === type && one.closed !== undefined && (one.device === where || one.site === where),
    );
  }

  /** Types told of a device or a site. */
  typesOf(where: string): string {
    const types = new Set(
      this.told.filter((one) => one.device === where || one.site === where).map((one) => one.type),
    );
    return [...types].sort().join(", ");
  }

  close(): void {
    this.#spool.close();
    rmSync(this.#folder, { recursive: true });
  }
}

/** A collector that hands out what was recorded. */
export function recorded(readings: readonly Reading[], batchSize = 5000): Collector {
  return {
    name: "recorded",
    start: () => Promise.resolve(),
    stop: () => Promise.resolve(),
    health: () => ({
      state: "stopped",
      readings: readings.length,
      errors: 0,
      reconnects: 0,
      lastSeen: new Map(),
    }),
    async *[Symbol.asyncIterator](): AsyncGenerator<Batch> {
      for (let from = 0; from < readings.length; from += batchSize) {
        yield { readings: readings.slice(from, from + batchSize), stored: () => {} };
      }
    },
  };
}

/** Runs `body` in a world that is removed afterwards. */
export async function inWorld<T>(options: WorldOptions, body: (world: World) => Promise<T>): Promise<T> {
  const world = new World(options);
  try {
    return await body(world);
  } finally {
    world.close();
  }
}
