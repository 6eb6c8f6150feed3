import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import type { ExecutionContext } from "ava";
import type { Batch, Collector, CollectorContext } from "../../collectors/collector.ts";
import type { Reading } from "../../collectors/reading.ts";

/** A collector under test, whose batches are stored at once, or held until asked. */
export class Collected {
  readonly readings: Reading[] = [];
  readonly batches: Batch[] = [];
  readonly #collector: Collector;
  readonly #done: Promise<void>;
  #hold = false;
  #held: Batch[] = [];

  private constructor(collector: Collector) {
    this.#collector = collector;
    this.#done = this.#read();
  }

  /** Starts it, and stops it when the test ends. */
  static async start(t: ExecutionContext, collector: Collector): Promise<Collected> {
    await collector.start();
    const collected = new Collected(collector);
    t.teardown(() => collected.stop());
    return collected;
  }

  /** Batches are taken and not receipted from now on: the store is down. */
  hold(): void {
    this.#hold = true;
  }

  /** The store is up: all that was held is receipted. */
  release(): void {
    this.#hold = false;
    for (const batch of this.#held.splice(0)) batch.stored();
  }

  async stop(): Promise<void> {
    await this.#collector.stop();
    await this.#done;
  }

  async #read(): Promise<void> {
    for await (const batch of this.#collector) {
      this.batches.push(batch);
      this.readings.push(...batch.readings);
      if (this.#hold) this.#held.push(batch);
      else batch.stored();
    }
  }
}

/** Real clock and chance. */
export const systemContext = (now: () => number = Date.now): CollectorContext => ({
  now,
  random: Math.random,
  log() {},
});

/** A port nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
