import type { Collector, CollectorContext } from "../../collectors/collector.ts";
import type { CollectorEntry } from "../../collectors/config.ts";
import { createCollector } from "../../collectors/create.ts";
import { Refusal } from "../../core/reasons.ts";

/** A collector, and the entry it was made of. */
interface Made {
  readonly entry: string;
  readonly collector: Collector;
}

interface Running extends Made {
  /** Resolves when it has ended and all that it said is durable. */
  readonly taken: Promise<void>;
}

/** The collectors that node.yaml names: those of it that changed are restarted, and no other. */
export class Collecting {
  readonly #context: CollectorContext;
  readonly #take: (collector: Collector) => Promise<void>;
  #running: readonly Running[] = [];

  /** @param take - takes a collector's readings until it stops; resolves when all of them are durable. */
  constructor(context: CollectorContext, take: (collector: Collector) => Promise<void>) {
    this.#context = context;
    this.#take = take;
  }

  get collectors(): readonly Collector[] {
    return this.#running.map(({ collector }) => collector);
  }

  /**
   * Prepares what the entries ask for; nothing is touched before `go`.
   * @throws Refusal what a collector's configuration causes; config_invalid where two have one name.
   */
  async plan(
    entries: readonly CollectorEntry[],
  ): Promise<{ readonly names: readonly string[]; go(): Promise<void> }> {
    const made = await Promise.all(
      entries.map(async (entry): Promise<Made> => {
        const text = JSON.stringify(entry);
        const same = this.#running.find((one) => one.entry === text);
        return same ?? { entry: text, collector: await createCollector(entry, this.#context) };
      }),
    );
    const names = made.map(({ collector }) => collector.name);
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined)
      throw new Refusal("config_invalid", `two collectors are called ${twice}`, { hint: "give each a name" });
    return { names, go: () => this.#change(made) };
  }

  async #change(made: readonly Made[]): Promise<void> {
    const isKept = ({ collector }: Made): boolean => made.some((one) => one.collector === collector);
    const kept = this.#running.filter(isKept);
    // What is to end ends whole before its successor dials: a port, a session and a file have one user.
    await this.#end(this.#running.filter((one) => !isKept(one)));
    this.#running = kept;
    for (const one of made) {
      if (kept.some(({ collector }) => collector === one.collector)) continue;
      await one.collector.start();
      const taken = this.#take(one.collector).catch((error: unknown) => {
        const cause = (error as Error).message;
        this.#context.log("error", "collector ended", { collector: one.collector.name, cause });
      });
      this.#running = [...this.#running, { ...one, taken }];
    }
    // Shown in the file's order.
    const place = ({ collector }: Made): number => made.findIndex((one) => one.collector === collector);
    this.#running = this.#running.toSorted((a, b) => place(a) - place(b));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#running.map(({ collector }) => collector.stop()));
  }

  /** Resolves when everything that stopped is durable. */
  async taken(): Promise<void> {
    await Promise.all(this.#running.map(({ taken }) => taken));
  }

  async #end(those: readonly Running[]): Promise<void> {
    await Promise.all(
      those.map(async ({ collector, taken }) => {
        await collector.stop();
        await taken;
      }),
    );
  }
}
