import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { CollectorContext, CollectorHealth, Timer } from "../../collectors/collector.ts";
import type { CollectorEntry } from "../../collectors/config.ts";
import type { Reading } from "../../collectors/reading.ts";
import { systemTimer } from "../../collectors/runtime/timer.ts";
import { type Random, uniform } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import { Apart } from "./apart.ts";
import { Collecting } from "./collecting.ts";
import { writeApart } from "./cut-apart.ts";
import { DeviceRegistry, type Site } from "./device-registry.ts";
import { type AsideReason, asideReasons, type Door, type Notice } from "./door.ts";
import { type Catalogue, readCatalogue } from "./features/catalogue.ts";
import { FindingsStore, findingsFile, type PastStep } from "./findings-store.ts";
import { KeptWrites } from "./kept-writes.ts";
import { LiveBoard } from "./live-board.ts";
import { Pipeline } from "./pipeline.ts";
import { refreshApart } from "./refresh/apart.ts";
import type { Refresh } from "./refresh/refresh.ts";
import { dropSegmentsBefore } from "./segments.ts";
import { type AsideCount, spoolFile } from "./set-aside.ts";
import { referenceOf, type Sites, type SitesConfig, sitesOf } from "./sites.ts";
import { Spool, type SpoolStats } from "./spool.ts";
import type { SpecialDays } from "./warnings/baseline.ts";
import { FeatureWatch } from "./warnings/feature-watch.ts";
import { readProfiles } from "./warnings/profiles.ts";
import type { Past } from "./warnings/rule.ts";
import { WarningStream } from "./warnings/stream.ts";
import type { Warning } from "./warnings/warning.ts";

/** What node.yaml says of the plant: all that can change while the node runs. */
export interface PlantConfig {
  readonly collectors: readonly CollectorEntry[];
  readonly sites: SitesConfig;
}

export interface OperationsOptions extends PlantConfig {
  /** The node's data folder; exists. */
  readonly dataDir: string;
  /** Bytes of readings not yet in segments. */
  readonly spoolBytes: number;
  readonly keepDays: number;
  /** Quality and features are computed this often, over this many days back. */
  readonly refreshMillis: number;
  readonly refreshDays: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly random: Random;
  readonly timer?: Timer;
  /** Told once when a warning opens and once when it closes. */
  readonly onWarning?: (warning: Warning) => void;
  readonly onRefresh?: (refresh: Refresh) => void;
  /** Told of readings once they are durable and judged. */
  readonly onReadings?: (readings: readonly Reading[]) => void;
  /** Operational log; never the values of readings. */
  readonly log: CollectorContext["log"];
}

/** Something that is not as it should be, for people. */
export interface Trouble {
  readonly what: string;
  /** What can be done about it. */
  readonly hint: string;
  readonly readings: number;
  /** The same for whoever says it in another language. */
  readonly about:
    | { readonly kind: "configuration changed"; readonly keys: string }
    | { readonly kind: "configuration refused"; readonly cause: string }
    | { readonly kind: "failed"; readonly work: string; readonly cause: string }
    | { readonly kind: "source"; readonly name: string; readonly cause: string }
    | { readonly kind: "aside"; readonly reason: string; readonly names: string }
    | { readonly kind: "unwatched"; readonly gauges: number }
    | {
        readonly kind: "notice";
        readonly notice: Notice;
        readonly metric: string;
        readonly unit: string;
      };
}

export interface Operations {
  readonly board: LiveBoard;
  readonly findings: FindingsStore;
  readonly registry: DeviceRegistry;
  readonly specialDays: readonly SpecialDays[];
  readonly catalogue: Catalogue;
  readonly sites: readonly Site[];
  collectors(): { readonly name: string; readonly health: CollectorHealth }[];
  spool(): SpoolStats;
  /** What was not let in, by reason, device and metric. */
  setAside(): AsideCount[];
  /** What was let in and is not as it should be. */
  notices(): ReturnType<Door["notices"]>;
  /** Work that failed when it was last tried, and a configuration that is not taken. */
  failures(): string[];
  /** What is wrong now: work that failed, what was set aside, what was let in and is not used. */
  troubles(): Trouble[];
  /**
   * Goes on under another configuration: collectors whose entry changed are restarted alone, what is known of devices
   * that did not change stays. One change after the other.
   *
   * @throws Refusal config_invalid and what else a configuration causes; everything is then as it was.
   */
  reconfigure(next: PlantConfig): Promise<void>;
  /** Shows what is wrong with a configuration that is not taken; undefined once there is no such. */
  refuseConfiguration(trouble: Trouble | undefined): void;
  /** @param listener - told when readings came in or a warning changed. @returns what ends it. */
  subscribe(listener: () => void): () => void;
  /** Cuts segments and computes quality and features now; joins a refresh that runs already. */
  refresh(): Promise<Refresh>;
  /** Resolves when every reading taken is durable and every socket and file closed. */
  stop(): Promise<void>;
}

const minuteMillis = 60_000;
const dayMillis = 86_400_000;

/**
 * Starts the enterprise's own work, which needs no bank: collectors into the spool, warnings at once, segments,
 * quality and features from time to time.
 *
 * @throws Refusal config_invalid, file_missing and what else a collector's configuration causes.
 */
export async function startOperations(options: OperationsOptions): Promise<Operations> {
  const { dataDir, log, now, timer = systemTimer } = options;
  const segments = join(dataDir, "segments");
  mkdirSync(segments, { recursive: true });
  const spool = new Spool({
    path: spoolFile(dataDir),
    maxBytes: options.spoolBytes,
    maxAgeSeconds: (options.keepDays * dayMillis) / 1000,
    now,
    random: options.random,
  });
  const findings = new FindingsStore(findingsFile(dataDir));
  const close = (): void => {
    spool.close();
    findings.close();
  };
  const micros = (): number => now() * 1000;
  const ending = new AbortController();
  const apart = new Apart(ending.signal);
  const listeners = new Set<() => void>();
  const tellListeners = (): void => {
    for (const listener of listeners) listener();
  };
  try {
    const context: CollectorContext = {
      now,
      random: () => uniform(options.random),
      log,
      timer,
      lastStored: (device, metric) => spool.lastStored(device, metric),
    };
    let pipeline: Pipeline;
    const collecting = new Collecting(context, (collector) => pipeline.take(collector));
    const first = await collecting.plan(options.collectors);
    let known = sitesFor(options.sites, first.names);
    let plant: PlantConfig = options;
    const writes = new KeptWrites((cause) => log("error", "findings refuse", { cause: cause.message }));
    const registry = new DeviceRegistry(
      known.devices,
      known.tags,
      (binding) => writes.add(() => findings.recordBinding(binding)),
      findings.bindings(),
    );
    const board = new LiveBoard(now, (device) => registry.device(device) !== undefined);
    let catalogue = readCatalogue(options.sites.metrics);
    findings.endWatch(micros());
    // What the rule learned outlives the process: steps are written once a minute.
    let pastSteps: PastStep[] = [];
    const past: Past = {
      of: (device, length) => findings.past(device, length),
      keep: (device, length, step, cells) => pastSteps.push({ device, length, step, cells }),
    };
    const keepPast = (): void => {
      findings.recordPast(pastSteps);
      pastSteps = [];
    };

    const record = (warning: Warning): void =>
      writes.add(() => {
        if (!findings.recordWarning(warning)) return;
        options.onWarning?.(warning);
        tellListeners();
      });
    const profiles = readProfiles(options.sites.thresholds);
    const stream = new WarningStream({ ...known, catalogue, registry, profiles, past });
    pipeline = new Pipeline({
      spool,
      segments,
      days: join(dataDir, "days"),
      write: writeApart(spoolFile(dataDir), apart),
      compute: (job) => refreshApart(job, apart),
      registry,
      reference: { ...referenceOf(known), catalogue },
      stream,
      watch: new FeatureWatch({ ...known, profiles }),
      async wait(millis) {
        await timer.wait(millis, ending.signal);
        // What is not durable by now was not acknowledged: its source still has it.
        if (ending.signal.aborted) throw new Refusal("unavailable", "the node stopped");
      },
      onWarning: record,
      onJudged(readings) {
        board.observe(readings);
        options.onReadings?.(readings);
        tellListeners();
      },
      log,
    });

    const refreshOnce = async (): Promise<Refresh> => {
      await pipeline.cut();
      const until = micros();
      const firstDay = Math.floor(now() / dayMillis - options.refreshDays) * dayMillis;
      const period = { from: firstDay * 1000, until };
      const refresh = await pipeline.refresh(period, until);
      findings.recordRefresh(period, refresh, until);
      const oldest = new Date(now() - options.keepDays * dayMillis).toISOString().slice(0, 10);
      dropSegmentsBefore(segments, oldest);
      findings.forgetPast(until - options.keepDays * dayMillis * 1000);
      options.onRefresh?.(refresh);
      return refresh;
    };
    let refreshing: Promise<Refresh> | undefined;
    const refresh = (): Promise<Refresh> => {
      refreshing ??= refreshOnce().finally(() => {
        refreshing = undefined;
      });
      return refreshing;
    };

    /** By the work that failed when it was last tried. */
    const failures = new Map<string, string>();
    /** Runs `work` again and again until the end; what it throws is logged and shown, and does not end it. */
    const repeat = async (
      name: string,
      millis: number,
      work: () => unknown,
      firstMillis = millis,
    ): Promise<void> => {
      for (let wait = firstMillis; ; wait = millis) {
        await timer.wait(wait, ending.signal);
        if (ending.signal.aborted) return;
        try {
          await work();
          failures.delete(name);
        } catch (error) {
          failures.set(name, (error as Error).message);
          log("error", "operations", { work: name, cause: (error as Error).message });
        }
      }
    };

    await first.go();

    const reconfigureOnce = async (next: PlantConfig): Promise<void> => {
      const { names, go } = await collecting.plan(next.collectors);
      const then = sitesFor(next.sites, names);
      const nextCatalogue = readCatalogue(next.sites.metrics);
      const nextProfiles = readProfiles(next.sites.thresholds);
      // From here on nothing refuses any more.
      const isSame = unchangedDevices(plant.sites, next.sites);
      [known, plant, catalogue] = [then, next, nextCatalogue];
      registry.update(then.devices, then.tags);
      keepPast();
      const ended = stream.reconfigure(
        { ...then, catalogue, registry, profiles: nextProfiles, past },
        isSame,
        micros(),
      );
      for (const warning of ended) record(warning);
      pipeline.reconfigure(
        { ...referenceOf(then), catalogue },
        new FeatureWatch({ ...then, profiles: nextProfiles }),
      );
      await go();
      tellListeners();
    };
    let reconfiguring: Promise<void> = Promise.resolve();
    let refused: Trouble | undefined;
    const keepDelivered = (): void => {
      const known = findings.delivered();
      const heard = collecting.collectors.filter((one) => one.health().readings > 0).map(({ name }) => name);
      findings.recordDelivered(heard.filter((name) => !known.has(name)));
    };
    const repeating = [
      repeat("warnings", minuteMillis, () => {
        writes.again();
        keepPast();
        keepDelivered();
        pipeline.tick(micros());
      }),
      // A node that knows nothing yet does not let its page wait.
      repeat(
        "refresh",
        options.refreshMillis,
        refresh,
        findings.quality() === undefined ? Math.min(minuteMillis, options.refreshMillis) : undefined,
      ),
    ];
    return {
      board,
      findings,
      registry,
      get catalogue() {
        return catalogue;
      },
      get sites() {
        return known.sites;
      },
      get specialDays() {
        return known.specialDays;
      },
      collectors: () => collecting.collectors.map((one) => ({ name: one.name, health: one.health() })),
      spool: () => spool.stats(),
      setAside: () => spool.aside.counts(),
      notices: () => pipeline.door.notices(),
      failures: () => [
        ...(refused === undefined ? [] : [refused.what]),
        ...[...failures].map(([work, cause]) => `${work} failed: ${cause}`),
      ],
      reconfigure(next) {
        const done = reconfiguring.then(() => reconfigureOnce(next));
        reconfiguring = done.catch(() => {});
        return done;
      },
      refuseConfiguration(trouble) {
        refused = trouble;
      },
      troubles: () => [
        ...(refused === undefined ? [] : [refused]),
        ...[...failures].map(([work, cause]) => ({
          what: `${work} failed: ${cause}`,
          hint: "it is tried again; readings are kept meanwhile",
          readings: 0,
          about: { kind: "failed" as const, work, cause },
        })),
        ...collecting.collectors
          .map((one) => ({ name: one.name, health: one.health() }))
          .filter(({ health }) => health.state !== "running" && health.lastError !== undefined)
          .map(({ name, health }) => ({
            what: `source ${name} is ${health.state}: ${health.lastError}`,
            hint: "the other sources go on",
            readings: 0,
            about: { kind: "source" as const, name, cause: health.lastError ?? "" },
          })),
        ...asideTroubles(spool.aside.counts()),
        ...(stream.unwatched === 0
          ? []
          : [
              {
                what: `${stream.unwatched} gauges are not watched for anomalies`,
                hint: "a node watches 2,000: set limits of your own for the others",
                readings: 0,
                about: { kind: "unwatched" as const, gauges: stream.unwatched },
              },
            ]),
        ...pipeline.door.notices().map(noticeTrouble),
      ],
      subscribe(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      refresh,
      async stop() {
        await reconfiguring;
        await collecting.stop();
        ending.abort();
        await Promise.all([collecting.taken(), ...repeating]);
        await refreshing?.catch(() => {});
        keepPast();
        keepDelivered();
        close();
      },
    };
  } catch (error) {
    ending.abort();
    close();
    throw error;
  }
}

function asideTroubles(counts: readonly AsideCount[]): Trouble[] {
  const byReason = Map.groupBy(counts, ({ reason }) => reason);
  return [...byReason].map(([reason, those]) => {
    const names = [...new Set(those.map(({ device }) => device))].slice(0, 3).join(", ");
    return {
      what: `set aside, ${reason.replaceAll("_", " ")}: ${names}`,
      hint: asideReasons[reason as AsideReason] ?? "see fedcredit node set-aside",
      readings: those.reduce((sum, one) => sum + one.readings, 0),
      about: { kind: "aside", reason, names },
    };
  });
}

const notices: Readonly<Record<Notice, { readonly what: string; readonly hint: string }>> = {
  unknown_metric: {
    what: "metric that the catalogue does not know",
    hint: "kept in the segments and used by nothing: correct its name in node.yaml",
  },
  unit_not_ucum: {
    what: "unit that is no UCUM code",
    hint: "its values are not used: kWh is kW.h, °C is Cel",
  },
  unit_other_kind: { what: "unit that the metric's cannot be made of", hint: "its values are not used" },
  ahead: { what: "time ahead of this machine", hint: "set the source's clock: the reading counts as of now" },
  not_a_number: { what: "text where the metric is a number", hint: "kept as bad, never used" },
  beyond_2_53: { what: "number beyond 2^53, not exact", hint: "kept as bad, never used" },
};

const noticeTrouble = (one: {
  readonly notice: Notice;
  readonly metric: string;
  readonly unit: string;
  readonly readings: number;
}): Trouble => ({
  what: `${notices[one.notice].what}: ${one.metric} (${one.unit})`,
  hint: notices[one.notice].hint,
  readings: one.readings,
  about: { kind: "notice", notice: one.notice, metric: one.metric, unit: one.unit },
});

/** @returns whether a device is what it was, and under the same rules. */
function unchangedDevices(before: SitesConfig, after: SitesConfig): (device: string) => boolean {
  const { devices: devicesBefore, ...restBefore } = sitesPart(before);
  const { devices: devicesAfter, ...restAfter } = sitesPart(after);
  if (JSON.stringify(restBefore) !== JSON.stringify(restAfter)) return () => false;
  const texts = new Map(devicesBefore.map((one) => [one.id, JSON.stringify(one)]));
  const same = new Set(
    devicesAfter.filter((one) => texts.get(one.id) === JSON.stringify(one)).map(({ id }) => id),
  );
  return (device) => same.has(device);
}

/** Of a whole node.yaml, what is about sites. */
const sitesPart = (config: SitesConfig): SitesConfig => {
  const { sites, devices, fences, specialDays, metrics, thresholds, limits, maintenanceStatuses } = config;
  return {
    sites,
    devices,
    fences,
    specialDays,
    maintenanceStatuses,
    ...(metrics === undefined ? {} : { metrics }),
    ...(thresholds === undefined ? {} : { thresholds }),
    ...(limits === undefined ? {} : { limits }),
  };
};

/** @throws Refusal config_invalid where a device's collector cannot be told. */
function sitesFor(config: SitesConfig, names: readonly string[]): Sites {
  const hint = names.length === 0 ? "name one under collectors" : `collectors are ${names.join(", ")}`;
  for (const { id, source } of config.devices) {
    if (source === undefined && names.length > 1)
      throw new Refusal("config_invalid", `devices: ${id}: source is missing`, { hint });
    if (source !== undefined && !names.includes(source))
      throw new Refusal("config_invalid", `devices: ${id}: no collector ${source}`, { hint });
  }
  return sitesOf(config, names[0]);
}
