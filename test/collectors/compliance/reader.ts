export { eventually } from "../../../bench/cases/within.ts";

import type { Batch, Collector } from "../../../collectors/collector.ts";

/** Reads a collector as the pipeline does: a batch is kept until the store takes it, then receipted. */
export class Reader {
  /** Good values by device, in the order the store took them. */
  readonly values = new Map<string, number[]>();
  readonly done: Promise<void>;
  #storeUp: Promise<void> = Promise.resolve();
  #open: () => void = () => {};
  #stored = 0;
  readonly #times: Map<string, number>;

  /** @param times - source time of the last stored reading by device and metric; kept up to date. */
  constructor(collector: Collector, times: Map<string, number>) {
    this.#times = times;
    this.done = this.#read(collector);
  }

  /** Good values stored. */
  get stored(): number {
    return this.#stored;
  }

  of(device: string): readonly number[] {
    return this.values.get(device) ?? [];
  }

  /** The store refuses everything until `storeUp`. */
  storeDown(): void {
    this.#storeUp = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  storeUp(): void {
    this.#open();
    this.#storeUp = Promise.resolve();
  }

  async #read(collector: Collector): Promise<void> {
    for await (const batch of collector) {
      await this.#storeUp;
      this.#store(batch);
      batch.stored();
    }
  }

  #store(batch: Batch): void {
    for (const { device, metric, value, quality, time } of batch.readings) {
      this.#times.set(`${device} ${metric}`, time);
      if (quality !== "good" || typeof value !== "number") continue;
      const values = this.values.get(device);
      if (values === undefined) this.values.set(device, [value]);
      else values.push(value);
      this.#stored++;
    }
  }
}
