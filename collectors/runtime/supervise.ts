import type { Batch, Collector, CollectorContext, CollectorHealth, Timer } from "../collector.ts";
import type { Reading } from "../reading.ts";
import { Backoff, type BackoffLimits, defaultBackoff } from "./backoff.ts";
import { BoundedQueue } from "./queue.ts";
import { systemTimer } from "./timer.ts";

/** What one connection's life may do; handed to `Source.run`. */
export interface Link {
  /** Aborted by stop(). */
  readonly signal: AbortSignal;
  readonly timer: Timer;
  /** Wall clock, microseconds since the epoch; notices and logs when it was set. */
  now(): number;
  /** The peer answered: backoff starts anew, the state is `running`. */
  connected(): void;
  /** The last peer has gone and may come back, as from a server: the state is `waiting` until `connected`. */
  disconnected(): void;
  /** Hands readings on, waiting while the reader is behind; `stored` is called when they are durable. */
  emit(readings: readonly Reading[], stored?: () => void): Promise<void>;
  /** Hands readings on without waiting; when the queue is full they are dropped and counted as an error. */
  offer(readings: readonly Reading[]): boolean;
  /** Hands readings on beyond the queue's bound: for sources bounded by what they did not acknowledge. */
  force(readings: readonly Reading[], stored: () => void): void;
  /** Readings that wait for the reader. */
  queued(): number;
  /** Counts an error that does not end the connection. */
  failed(error: unknown): void;
}

/** A protocol, as the supervisor sees it. */
export interface Source {
  /**
   * Reads secrets and files, before the first connection and again after the peer refused them. What it throws keeps
   * this source down and no other; it is tried again, for a missing file may come.
   */
  prepare?(): Promise<void>;
  /**
   * One connection's life: connects, hands readings on, and closes every socket before it settles.
   * Resolves after `link.signal` aborted (resolving earlier counts as a loss); rejects when the connection is
   * lost or refused.
   */
  run(link: Link): Promise<void>;
}

export interface SuperviseLimits {
  /** Readings that may wait for the reader. */
  readonly queueReadings?: number;
  /** Readings in one batch at most. */
  readonly batchReadings?: number;
  readonly backoff?: BackoffLimits;
}

/**
 * The peer knows who is asking and says no: a wrong password, an unknown user. Asking again soon changes nothing, and
 * locks accounts.
 */
export class Refused extends Error {
  constructor(message: string, cause: unknown) {
    super(`${message}: correct it at either end; it is tried again in ${refusedMillis / 60_000} minutes`, {
      cause,
    });
    this.name = "Refused";
  }
}
const refusedMillis = 15 * 60_000;

/** What is kept of an error's text. */
const mostErrorChars = 1000;

/** A wall clock that moved this much against the monotonic one was set, not drifting. */
const clockStepMillis = 1_000;

/**
 * Runs a source for as long as the collector is started: connects again after every loss with jittered
 * backoff, bounds what waits for the reader, keeps the health figures.
 */
export function supervise(
  name: string,
  context: CollectorContext,
  source: Source,
  limits: SuperviseLimits = {},
): Collector {
  const timer = context.timer ?? systemTimer;
  const queue = new BoundedQueue(limits.queueReadings ?? 10_000, limits.batchReadings ?? 5_000);
  const backoff = new Backoff(limits.backoff ?? defaultBackoff, context.random);
  const stopping = new AbortController();
  const lastSeen = new Map<string, number>();
  let state: CollectorHealth["state"] = "stopped";
  let handedOut = 0;
  let errors = 0;
  let connections = 0;
  let lastError: string | undefined;
  let startedAt = 0;
  let connectMillis: number | undefined;
  let running: Promise<void> | undefined;
  let prepared = false;

  const failed = (error: unknown): void => {
    errors++;
    // A peer may have written it.
    lastError = (error instanceof Error ? error.message : String(error)).slice(0, mostErrorChars);
  };

  let clockOffset = context.now() - timer.elapsed();
  function now(): number {
    const wall = context.now();
    const offset = wall - timer.elapsed();
    if (Math.abs(offset - clockOffset) > clockStepMillis)
      context.log("warn", "wall clock was set", { collector: name, stepMillis: offset - clockOffset });
    clockOffset = offset;
    return Math.round(wall * 1000);
  }

  const link: Omit<Link, "connected" | "disconnected"> = {
    signal: stopping.signal,
    timer,
    now,
    emit: (readings, stored = () => {}) => queue.put({ readings, stored }),
    offer(readings) {
      if (queue.offer({ readings, stored: () => {} })) return true;
      failed(new Error(`queue full: ${readings.length} readings dropped`));
      return false;
    },
    force: (readings, stored) => queue.force({ readings, stored }),
    queued: () => queue.readings,
    failed,
  };

  /** Runs once per connection, so that a connection counts once however often its source reports life. */
  async function runOnce(): Promise<void> {
    let counted = false;
    await source.run({
      ...link,
      connected() {
        backoff.reset();
        state = "running";
        if (counted) return;
        counted = true;
        connections++;
        connectMillis ??= timer.elapsed() - startedAt;
        context.log("info", "connected", { collector: name });
      },
      disconnected() {
        if (counted) state = "waiting";
        counted = false;
      },
    });
  }

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      state = "connecting";
      try {
        if (!prepared) await source.prepare?.();
        prepared = true;
        await runOnce();
        if (!stopping.signal.aborted) throw new Error("connection ended");
      } catch (error) {
        if (stopping.signal.aborted) break;
        failed(error);
        const refused = error instanceof Refused;
        if (refused) prepared = false;
        state = refused ? "refused" : "waiting";
        const waitMillis = refused ? refusedMillis : backoff.next();
        context.log("warn", "connection lost", { collector: name, error: lastError, waitMillis });
        await timer.wait(waitMillis, stopping.signal);
      }
    }
    state = "stopped";
    queue.close();
  }

  async function nextBatch(): Promise<Batch | undefined> {
    const parcels = await queue.take();
    if (parcels === undefined) return undefined;
    const readings = parcels.length === 1 ? parcels[0]!.readings : parcels.flatMap((p) => p.readings);
    handedOut += readings.length;
    for (const reading of readings) lastSeen.set(reading.device, reading.received);
    let receipted = false;
    return {
      readings,
      stored() {
        if (receipted) return;
        receipted = true;
        for (const parcel of parcels) parcel.stored();
      },
    };
  }

  return {
    name,
    async start() {
      if (running !== undefined) throw new TypeError(`collector ${name} was started before`);
      startedAt = timer.elapsed();
      running = loop();
    },
    async stop() {
      stopping.abort();
      queue.unbind();
      if (running === undefined) queue.close();
      await running;
    },
    health: () => ({
      state,
      readings: handedOut,
      errors,
      reconnects: Math.max(0, connections - 1),
      lastSeen,
      ...(lastError === undefined ? {} : { lastError }),
      ...(connectMillis === undefined ? {} : { connectMillis }),
    }),
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const batch = await nextBatch();
        if (batch === undefined) return;
        yield batch;
      }
    },
  };
}
