/** Writes that may fail for a while, on a full disk say: they are tried again, in order, and none is lost meanwhile. */
export class KeptWrites {
  readonly #log: (cause: Error) => void;
  #waiting: (() => void)[] = [];

  constructor(log: (cause: Error) => void) {
    this.#log = log;
  }

  /** Runs `write` after all that wait, now or when it succeeds. */
  add(write: () => void): void {
    this.#waiting.push(write);
    if (this.#waiting.length === 1) this.again();
  }

  /** Tries what waits. */
  again(): void {
    try {
      for (let [first] = this.#waiting; first !== undefined; [first] = this.#waiting) {
        first();
        this.#waiting.shift();
      }
    } catch (error) {
      this.#log(error as Error);
    }
  }
}
