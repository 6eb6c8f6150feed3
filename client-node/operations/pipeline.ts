import type { Batch, Collector } from "../../collectors/collector.ts";
import type { Reading } from "../../collectors/reading.ts";
import type { DeviceRegistry } from "./device-registry.ts";
import { Door, type SetAside } from "./door.ts";
import type { Period, Reference } from "./quality/reference.ts";
import type { Refresh, RefreshJob } from "./refresh/refresh.ts";
import {
  type CutReport,
  cutSegment,
  isOfTheMachine,
  recoverSegments,
  UncuttableBatch,
  type WriteSegment,
} from "./segments.ts";
import type { Spool } from "./spool.ts";
import type { FeatureWatch } from "./warnings/feature-watch.ts";
import type { WarningStream } from "./warnings/stream.ts";
import type { Warning } from "./warnings/warning.ts";

export interface PipelineOptions {
  readonly spool: Spool;
  /** Root of the segments; exists. */
  readonly segments: string;
  readonly registry: DeviceRegistry;
  /** What is known beside the readings; bindings are taken from the registry at each refresh. */
  readonly reference: Omit<Reference, "devices" | "bindings">;
  readonly stream: WarningStream;
  readonly watch: FeatureWatch;
  /** Folder of the days that were computed before. */
  readonly days: string;
  /** Writes segments, here or in another process. */
  readonly write?: WriteSegment;
  /** Does the work of a refresh, here or in another process. */
  compute(job: Omit<RefreshJob, "engine">): Promise<Refresh>;
  /** Resolves after about so many milliseconds: the pause before a failed write is tried again. */
  wait(milliseconds: number): Promise<void>;
  /** Called once when a warning opens and once when it closes. */
  onWarning(warning: Warning): void;
  /** Called once all rules have judged these readings: what the delay from reading to warning is measured by. */
  onJudged?(readings: readonly Reading[]): void;
  log(level: "info" | "warn" | "error", message: string, fields?: Record<string, unknown>): void;
}

/** Readings taken from collectors and not yet durable: beyond it, collectors wait. */
const mostInFlight = 50_000;
const mostInBatch = 20_000;
const mostInSegment = 1_000_000;

/**
 * The whole way of a reading through the enterprise's node:
 * collector → door → spool (durable) → acknowledged to the source → warnings → segment → clean, verify, complete →
 * features → warnings from features.
 */
export class Pipeline {
  readonly #options: PipelineOptions;
  #reference: PipelineOptions["reference"];
  #watch: FeatureWatch;
  #door: Door;
  #queue: Batch[] = [];
  #inFlight = 0;
  #flushing: Promise<void> | undefined;
  #cutting: Promise<CutReport[]> | undefined;

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#reference = options.reference;
    this.#watch = options.watch;
    this.#door = this.#openDoor();
    recoverSegments(options.spool, options.segments);
  }

  get door(): Door {
    return this.#door;
  }

  /** Goes on under another configuration, from the next readings and the next refresh on. */
  reconfigure(reference: PipelineOptions["reference"], watch: FeatureWatch): void {
    this.#reference = reference;
    this.#watch = watch;
    this.#door = this.#openDoor();
  }

  #openDoor(): Door {
    const { registry, spool } = this.#options;
    return new Door({
      catalogue: this.#reference.catalogue,
      registered: (device) => registry.device(device) !== undefined,
      known: spool.series(),
    });
  }

  /** Takes a collector's readings until it stops; resolves when all of them are durable. */
  async take(collector: Collector): Promise<void> {
    for await (const batch of collector) {
      this.#queue.push(batch);
      this.#inFlight += batch.readings.length;
      this.#flushing ??= this.#flush();
      while (this.#inFlight > mostInFlight) await this.#flushing;
    }
    await this.#flushing;
  }

  /** Time passed: call about once a minute. @param now - µs UTC */
  tick(now: number): void {
    for (const warning of this.#options.stream.tick(now)) this.#options.onWarning(warning);
  }

  /** Moves everything spooled into segments; joins a cut that runs already, for two would take the same batches. */
  cut(): Promise<CutReport[]> {
    this.#cutting ??= this.#cutAll().finally(() => {
      this.#cutting = undefined;
    });
    return this.#cutting;
  }

  async #cutAll(): Promise<CutReport[]> {
    const { spool, segments, registry, log, write } = this.#options;
    const deviceClass = (device: string): string => registry.device(device)?.class ?? "unregistered";
    const reports: CutReport[] = [];
    const { batches } = spool.stats();
    // After a failure one batch at a time, until all that lay there are past: the one in the way is found.
    for (let alone = 0; ; ) {
      const maxReadings = alone > 0 ? 1 : mostInSegment;
      try {
        const report = await cutSegment(
          spool,
          { folder: segments, deviceClass, maxReadings },
          undefined,
          write,
        );
        if (report === undefined) return reports;
        reports.push(report);
        if (alone === 0 && report.readings + report.duplicates < mostInSegment) return reports;
        if (alone > 0) alone--;
      } catch (error) {
        recoverSegments(spool, segments);
        if (error instanceof UncuttableBatch) {
          log("error", "a batch cannot be cut", { batch: error.batch, cause: error.message });
          spool.setBatchAside(error.batch, (readings) => this.#door.admit(readings), error.message);
        } else if (alone > 0 || isOfTheMachine(error)) throw error;
        else alone = batches;
      }
    }
  }

  /**
   * Quality and features of a period, from the segments, and what they warn about.
   *
   * @param now - µs UTC; when the warnings are known.
   */
  async refresh(period: Period, now: number): Promise<Refresh> {
    const { compute, days, registry, segments } = this.#options;
    const reference = {
      ...this.#reference,
      devices: registry.devices(),
      bindings: registry.bindings(),
    };
    const { quality, features } = await compute({ segments, days, reference, period });
    const warnings = this.#watch.evaluate(features, quality.verifications, now);
    for (const warning of warnings) this.#options.onWarning(warning);
    return { quality, features };
  }

  /** Several small batches become one durable write: the sync to disk is what costs. */
  async #flush(): Promise<void> {
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const batches: Batch[] = [];
      const readings: Reading[] = [];
      for (const batch of this.#queue) {
        if (readings.length > 0 && readings.length + batch.readings.length > mostInBatch) break;
        batches.push(batch);
        for (const reading of batch.readings) readings.push(reading);
      }
      const { admitted, aside } = this.#door.admit(readings);
      await this.#store(admitted, aside);
      this.#queue = this.#queue.slice(batches.length);
      this.#inFlight -= readings.length;
      for (const batch of batches) batch.stored();
      this.#observe(admitted);
      // Between two writes the sockets get their turn.
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.#flushing = undefined;
  }

  /** Until it succeeds: what is not durable is not acknowledged, so the source still has it. */
  async #store(readings: readonly Reading[], aside: readonly SetAside[]): Promise<void> {
    for (let pause = 100; ; pause = Math.min(pause * 2, 10_000)) {
      try {
        this.#options.spool.append(readings, aside);
        return;
      } catch (error) {
        this.#options.log("error", "spool refuses", { cause: (error as Error).message, pause });
        await this.#options.wait(pause);
      }
    }
  }

  #observe(readings: readonly Reading[]): void {
    const { onWarning, registry, stream } = this.#options;
    for (const reading of readings) {
      if (reading.metric === "nfc_tag" && typeof reading.value === "string") {
        registry.tagSeen(reading.value, reading.device, reading.time);
      }
      for (const warning of stream.observe(reading)) onWarning(warning);
    }
    this.#options.onJudged?.(readings);
  }
}
