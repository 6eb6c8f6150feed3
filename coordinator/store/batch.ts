/**
 * Gathers what arrives while the last batch is under way: many small writes become durable with one commit.
 * Each item has its own outcome; a failure of the whole batch is everyone's.
 */
export class Batch<Item, Outcome> {
  readonly #work: (items: readonly Item[]) => Promise<readonly (Outcome | Error)[]>;
  readonly #gather: () => Promise<void>;
  #waiting: { item: Item; settle: PromiseWithResolvers<Outcome> }[] = [];
  #running = false;

  /**
   * @param work - does a batch: for each item its outcome, or the Error that is its own.
   * @param gather - how long the first item waits for others.
   */
  constructor(
    work: (items: readonly Item[]) => Promise<readonly (Outcome | Error)[]>,
    gather: () => Promise<void>,
  ) {
    this.#work = work;
    this.#gather = gather;
  }

  add(item: Item): Promise<Outcome> {
    const settle = Promise.withResolvers<Outcome>();
    this.#waiting.push({ item, settle });
    if (!this.#running) void this.#run();
    return settle.promise;
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) {
      await this.#gather();
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        const outcomes = await this.#work(batch.map(({ item }) => item));
        for (const [i, { settle }] of batch.entries()) {
          const outcome = outcomes[i]!;
          if (outcome instanceof Error) settle.reject(outcome);
          else settle.resolve(outcome);
        }
      } catch (error) {
        for (const { settle } of batch) settle.reject(error);
      }
    }
    this.#running = false;
  }
}
