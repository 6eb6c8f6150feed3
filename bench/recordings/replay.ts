import { setTimeout as sleep } from "node:timers/promises";
import type { Collector, CollectorContext } from "../../collectors/collector.ts";
import type { Position, Reading } from "../../collectors/reading.ts";
import { within } from "../cases/within.ts";
import { second, type World } from "../cases/world.ts";

/** A recording's device at one end of a real socket, and the collector that reads it at the other. */
export interface Wire {
  readonly collector: Collector;
  /** Lets the device report these; in order of time, all later than what went before. */
  send(readings: readonly Reading[]): Promise<void> | void;
  close(): Promise<void>;
}

/** @param recording - in order of time. @param context - what the collector is to be given. */
export type Protocol = (
  recording: readonly Reading[],
  context: Pick<CollectorContext, "random" | "log">,
) => Promise<Wire>;

/** What became of a recording on its way to the spool. */
export interface Delivery {
  readonly sent: number;
  readonly read: number;
  /** Sent, and never read. */
  readonly lost: number;
  /** Read again, or read and never sent. */
  readonly doubled: number;
  /** Read with another value or place, or as bad. */
  readonly changed: number;
  /** Milliseconds from the collector's start to its first connection. */
  readonly connectMillis: number;
  /** Seconds from connection to the last reading judged. */
  readonly seconds: number;
}

const dayMicros = 86_400 * second;
/** Pause in which readings gather to be stored together. */
const gatherMillis = 5;
/** Single precision holds seven digits. */
const relativeTolerance = 1e-6;

/**
 * Plays a recording through a protocol into a world's pipeline, as fast as the protocol goes: a day is sent when
 * the day before has been judged, and the recorded clock ticks in between, as in `World.play`.
 *
 * @param patienceMillis - what is missing after so long without any reading is lost.
 */
export async function replay(
  world: World,
  recording: readonly Reading[],
  protocol: Protocol,
  patienceMillis = 15_000,
): Promise<Delivery> {
  const sorted = [...recording].sort((a, b) => a.time - b.time);
  const tally = new Tally(sorted);
  world.onJudged = (readings) => tally.take(readings);
  const { promise: connected, resolve } = Promise.withResolvers<void>();
  const wire = await protocol(sorted, {
    random: Math.random,
    log: (_, message) => message === "connected" && resolve(),
  });
  const started = performance.now();
  await wire.collector.start();
  const taking = world.pipeline.take(arrivingAtOnce(wire.collector));
  let connection = started;
  try {
    await within(
      () => `the collector's first connection (${wire.collector.health().lastError ?? "no error"})`,
      connected,
    );
    connection = performance.now();
    let sent = 0;
    while (sent < sorted.length) {
      const first = sorted[sent]!.time;
      const midnight = (Math.floor(first / dayMicros) + 1) * dayMicros;
      let end = sent;
      while (end < sorted.length && sorted[end]!.time < midnight) end++;
      await wire.send(sorted.slice(sent, end));
      sent = end;
      await tally.reaches(sent, patienceMillis);
      const next = sorted[sent]?.time ?? first + 1;
      const last = Math.min(midnight, sorted.at(-1)!.time);
      for (let now = last; now < next; now += dayMicros) world.pipeline.tick(now);
    }
  } finally {
    await wire.collector.stop();
    await taking;
    await wire.close();
    world.onJudged = () => {};
  }
  const seconds = (performance.now() - connection) / 1000;
  return { ...tally.result(), connectMillis: connection - started, seconds };
}

/**
 * When a replayed reading arrived says how fast the replay was and nothing of the recording: it becomes what a
 * live one's would have been.
 */
function arrivingAtOnce(collector: Collector): Collector {
  return {
    name: collector.name,
    start: () => collector.start(),
    stop: () => collector.stop(),
    health: () => collector.health(),
    async *[Symbol.asyncIterator]() {
      for await (const batch of collector) {
        yield {
          readings: batch.readings.map((one) => ({ ...one, received: one.time + 50_000 })),
          stored: () => batch.stored(),
        };
        // A reading at a time, a year of quarter hours would wait for the disk 35,000 times.
        await sleep(gatherMillis);
      }
    },
  };
}

const keyOf = ({ device, metric, time }: Reading): string => `${device} ${metric} ${time}`;

/** Holds what was judged against what was sent; a recording may hold two values of one time. */
class Tally {
  readonly #expected: Map<string, Reading[]>;
  readonly #sent: number;
  #read = 0;
  #seen = 0;
  #doubled = 0;
  #changed = 0;
  #givenUp = 0;
  #progress: () => void = () => {};

  constructor(recording: readonly Reading[]) {
    this.#expected = Map.groupBy(recording, keyOf);
    this.#sent = recording.length;
  }

  take(readings: readonly Reading[]): void {
    for (const reading of readings) {
      this.#read++;
      const expected = this.#expected.get(keyOf(reading)) ?? [];
      if (expected.length === 0) {
        this.#doubled++;
        continue;
      }
      this.#seen++;
      const match = expected.findIndex((one) => same(one, reading));
      if (match < 0) this.#changed++;
      expected.splice(Math.max(0, match), 1);
    }
    this.#progress();
  }

  /** Resolves when so many of what was sent have come, or nothing came for a while. */
  async reaches(count: number, patienceMillis: number): Promise<void> {
    while (this.#seen + this.#givenUp < count) {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      this.#progress = () => resolve(true);
      const patience = setTimeout(() => resolve(false), patienceMillis);
      const progressed = await promise;
      clearTimeout(patience);
      if (!progressed) this.#givenUp = count - this.#seen;
    }
  }

  result() {
    return {
      sent: this.#sent,
      read: this.#read,
      lost: this.#sent - this.#seen,
      doubled: this.#doubled,
      changed: this.#changed,
    };
  }
}

function same(sent: Reading, read: Reading): boolean {
  if (read.quality === "bad" || read.unit !== sent.unit) return false;
  const close =
    typeof sent.value === "number" && typeof read.value === "number"
      ? Math.abs(read.value - sent.value) <= relativeTolerance * Math.abs(sent.value)
      : read.value === sent.value;
  return close && samePlace(sent.position, read.position);
}

/** To half the last digit that terminals send. */
const samePlace = (sent: Position | undefined, read: Position | undefined): boolean =>
  sent === undefined || read === undefined
    ? sent === read
    : Math.abs(sent.lat - read.lat) <= 6e-7 && Math.abs(sent.lon - read.lon) <= 6e-7;
