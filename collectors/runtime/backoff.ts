/** Bounds of the wait between two attempts, milliseconds. */
export interface BackoffLimits {
  readonly baseMillis: number;
  readonly capMillis: number;
}

export const defaultBackoff: BackoffLimits = { baseMillis: 200, capMillis: 30_000 };

/**
 * Exponential backoff with full jitter: attempt n waits uniformly in [0, min(cap, base · 2ⁿ)), so that many
 * nodes that lost one server do not return to it in step.
 *
 * @see Brooker 2015, "Exponential Backoff And Jitter", AWS Architecture Blog
 */
export class Backoff {
  readonly #limits: BackoffLimits;
  readonly #random: () => number;
  #attempt = 0;

  constructor(limits: BackoffLimits, random: () => number) {
    if (!(limits.baseMillis > 0 && limits.capMillis >= limits.baseMillis))
      throw new RangeError("backoff needs 0 < baseMillis <= capMillis");
    this.#limits = limits;
    this.#random = random;
  }

  /** @returns milliseconds to wait before the next attempt. */
  next(): number {
    const ceiling = Math.min(this.#limits.capMillis, this.#limits.baseMillis * 2 ** this.#attempt);
    this.#attempt = Math.min(this.#attempt + 1, 30);
    return this.#random() * ceiling;
  }

  /** The last attempt succeeded: the next failure starts from `baseMillis`. */
  reset(): void {
    this.#attempt = 0;
  }
}
