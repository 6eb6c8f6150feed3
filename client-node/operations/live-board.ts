import type { Reading } from "../../collectors/reading.ts";

/** The last reading of one device's metric. */
export interface LiveSeries {
  readonly metric: string;
  readonly value: Reading["value"];
  readonly unit: string;
  readonly quality: Reading["quality"];
  readonly status: string;
  /** µs UTC, by the source and by the collector. */
  readonly time: number;
  readonly received: number;
}

export interface LiveDevice {
  readonly device: string;
  readonly series: readonly LiveSeries[];
  /** Readings a second over the last minute. */
  readonly rate: number;
  /** Since the start. */
  readonly readings: number;
  readonly bad: number;
  /** µs UTC, by the collector. */
  readonly lastReceived: number;
}

/** The rate is counted in six slots of ten seconds. */
const slotSeconds = 10;
const slots = 6;

/** Whoever may publish can make up names: of devices that are not registered, so many have a place on the page. */
export const mostStrangers = 1000;
/** Metrics of one device. */
export const mostMetrics = 1000;

interface DeviceState {
  readonly series: Map<string, LiveSeries>;
  readonly counts: number[];
  slot: number;
  firstSlot: number;
  readings: number;
  bad: number;
  lastReceived: number;
}

/** What devices said last, in memory, for the page's eyes only. */
export class LiveBoard {
  readonly #devices = new Map<string, DeviceState>();
  readonly #now: () => number;
  readonly #isRegistered: (device: string) => boolean;
  #strangers = 0;
  /** Readings of devices and metrics beyond what is shown. */
  overlooked = 0;

  /** @param now - milliseconds since the epoch. @param isRegistered - such devices always have their place. */
  constructor(now: () => number, isRegistered: (device: string) => boolean) {
    this.#now = now;
    this.#isRegistered = isRegistered;
  }

  observe(readings: readonly Reading[]): void {
    const slot = this.#slot();
    for (const reading of readings) {
      let state = this.#devices.get(reading.device);
      if (state === undefined) {
        if (!this.#isRegistered(reading.device) && this.#strangers++ >= mostStrangers) {
          this.#strangers = mostStrangers;
          this.overlooked++;
          continue;
        }
        state = {
          series: new Map(),
          counts: new Array<number>(slots).fill(0),
          slot,
          firstSlot: slot,
          readings: 0,
          bad: 0,
          lastReceived: 0,
        };
        this.#devices.set(reading.device, state);
      }
      forget(state, slot);
      state.counts[slot % slots]!++;
      state.readings++;
      if (reading.quality === "bad") state.bad++;
      if (reading.received > state.lastReceived) state.lastReceived = reading.received;
      const last = state.series.get(reading.metric);
      if (last === undefined && state.series.size >= mostMetrics) {
        this.overlooked++;
        continue;
      }
      // A back-fill delivers the past: what is shown is the latest by the source's own clock.
      if (last === undefined || reading.time >= last.time) {
        const { metric, value, unit, quality, status, time, received } = reading;
        state.series.set(metric, { metric, value, unit, quality, status, time, received });
      }
    }
  }

  get size(): number {
    return this.#devices.size;
  }

  /** @returns devices heard since the start, by name. */
  names(): string[] {
    return [...this.#devices.keys()].sort();
  }

  device(name: string): LiveDevice | undefined {
    const state = this.#devices.get(name);
    if (state === undefined) return undefined;
    const slot = this.#slot();
    forget(state, slot);
    const seen = Math.min(slots, slot - state.firstSlot + 1);
    return {
      device: name,
      series: [...state.series.values()].sort((a, b) => (a.metric < b.metric ? -1 : 1)),
      rate: state.counts.reduce((sum, count) => sum + count, 0) / (seen * slotSeconds),
      readings: state.readings,
      bad: state.bad,
      lastReceived: state.lastReceived,
    };
  }

  #slot(): number {
    return Math.floor(this.#now() / (1000 * slotSeconds));
  }
}

/** Empties the slots that have passed since the last reading. */
function forget(state: DeviceState, slot: number): void {
  for (let passed = Math.min(slots, slot - state.slot); passed > 0; passed--)
    state.counts[(slot - passed + 1) % slots] = 0;
  if (slot > state.slot) state.slot = slot;
}
