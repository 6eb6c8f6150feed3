import type { Reading } from "./reading.ts";

/**
 * A batch and its receipt: the collector acknowledges to the source (MQTT PUBACK, file offset, terminal reply)
 * only when `stored` was called, which the reader does once the batch is durable.
 */
export interface Batch {
  readonly readings: readonly Reading[];
  stored(): void;
}

export interface CollectorHealth {
  /** refused: the peer does not let us in, and is asked again seldom. */
  readonly state: "connecting" | "running" | "waiting" | "refused" | "stopped";
  /** Readings handed out since start. */
  readonly readings: number;
  readonly errors: number;
  readonly reconnects: number;
  /** The last error's text, for the enterprise's page. */
  readonly lastError?: string;
  /** Per device, microseconds since the epoch of the last reading; absent when none came yet. */
  readonly lastSeen: ReadonlyMap<string, number>;
  /** Milliseconds from start to the first connection; absent until then. */
  readonly connectMillis?: number;
}

/**
 * A source of readings. Iterating pulls: a slow reader slows the source (backpressure) or, where the
 * protocol cannot be slowed, fills a bounded queue whose overflow is counted as an error.
 */
export interface Collector extends AsyncIterable<Batch> {
  /** Name from the configuration, for logs and pages. */
  readonly name: string;
  start(): Promise<void>;
  /** Ends the iteration after the last batch; resolves when every socket is closed. */
  stop(): Promise<void>;
  health(): CollectorHealth;
}

/** Waiting and elapsed time, apart from the wall clock, which may step. */
export interface Timer {
  /** Milliseconds since an arbitrary start; never steps. */
  elapsed(): number;
  /** Resolves after `milliseconds`, or at once when `signal` aborts; never rejects. */
  wait(milliseconds: number, signal: AbortSignal): Promise<void>;
}

/** What a collector needs from outside: time and randomness are arguments. */
export interface CollectorContext {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Uniform in [0, 1), for backoff jitter. */
  random(): number;
  /** Operational log; never the values of readings. */
  log(level: "info" | "warn" | "error", message: string, fields?: Record<string, unknown>): void;
  /** Polling intervals and backoff wait on it; the system's when absent. Socket deadlines never use it. */
  readonly timer?: Timer;
  /**
   * Source time (microseconds since the epoch) of the last durable reading, where the spool knows one:
   * a source that keeps history is asked for what came after.
   */
  lastStored?(device: string, metric: string): number | undefined;
}
