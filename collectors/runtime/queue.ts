import type { Reading } from "../reading.ts";

/** Readings that share one receipt. */
export interface Parcel {
  readonly readings: readonly Reading[];
  /** Called once, when every reading of the parcel is durable. */
  readonly stored: () => void;
}

/**
 * First in, first out between a source and its reader, bounded by the number of readings. What piles up
 * while the reader is busy is handed over together, so a slow store gets larger batches, not more of them.
 */
export class BoundedQueue {
  readonly #capacity: number;
  readonly #batchReadings: number;
  #parcels: Parcel[] = [];
  #head = 0;
  #readings = 0;
  #bounded = true;
  #closed = false;
  #roomWaiters: (() => void)[] = [];
  #parcelWaiters: (() => void)[] = [];

  /**
   * @param capacity - readings held before `put` waits and `offer` refuses, > 0.
   * @param batchReadings - readings handed over together at most, unless one parcel holds more, > 0.
   */
  constructor(capacity: number, batchReadings: number) {
    if (!(capacity > 0 && batchReadings > 0)) throw new RangeError("queue sizes must be > 0");
    this.#capacity = capacity;
    this.#batchReadings = batchReadings;
  }

  get readings(): number {
    return this.#readings;
  }

  get full(): boolean {
    return this.#readings >= this.#capacity;
  }

  /** Waits for room, then queues; once unbound it queues at once. */
  async put(parcel: Parcel): Promise<void> {
    while (this.full && this.#bounded) await new Promise<void>((resolve) => this.#roomWaiters.push(resolve));
    this.force(parcel);
  }

  /** @returns false, queueing nothing, when the queue is full. */
  offer(parcel: Parcel): boolean {
    if (this.full) return false;
    this.force(parcel);
    return true;
  }

  /** Queues beyond the capacity: for a source that bounds itself by what it has not acknowledged. */
  force(parcel: Parcel): void {
    this.#parcels.push(parcel);
    this.#readings += parcel.readings.length;
    this.#wake(this.#parcelWaiters);
  }

  /** @returns the oldest parcels, or undefined when the queue is closed and empty. */
  async take(): Promise<Parcel[] | undefined> {
    while (this.#head === this.#parcels.length) {
      if (this.#closed) return undefined;
      await new Promise<void>((resolve) => this.#parcelWaiters.push(resolve));
    }
    const taken: Parcel[] = [];
    let readings = 0;
    while (this.#head < this.#parcels.length) {
      const parcel = this.#parcels[this.#head]!;
      if (taken.length > 0 && readings + parcel.readings.length > this.#batchReadings) break;
      taken.push(parcel);
      readings += parcel.readings.length;
      this.#head++;
    }
    if (this.#head > this.#parcels.length / 2) {
      this.#parcels = this.#parcels.slice(this.#head);
      this.#head = 0;
    }
    this.#readings -= readings;
    this.#wake(this.#roomWaiters);
    return taken;
  }

  /** The source is ending: what it has read already must not be lost for want of room. */
  unbind(): void {
    this.#bounded = false;
    this.#wake(this.#roomWaiters);
  }

  /** No more comes; what is queued is still handed over. */
  close(): void {
    this.#closed = true;
    this.unbind();
    this.#wake(this.#parcelWaiters);
  }

  #wake(waiters: (() => void)[]): void {
    for (const resolve of waiters.splice(0)) resolve();
  }
}
