/** How long a condition must hold before it counts, and its end before it counts. µs. */
export interface Dwell {
  readonly openAfter: number;
  readonly closeAfter: number;
}

/**
 * A condition with hysteresis and minimum dwell. What raises it and what ends it are two questions: between
 * the two it stays as it is.
 */
export class Condition {
  #since: number | undefined;
  #open = false;

  get isOpen(): boolean {
    return this.#open;
  }

  /** When the condition that is open, or about to be, began. */
  get since(): number | undefined {
    return this.#since;
  }

  #endingSince: number | undefined;

  /**
   * @param time - of the observation, µs.
   * @param raised - the condition holds.
   * @param ended - it clearly does not (usually a stricter test than `!raised`).
   * @returns what changed, with the time at which it began.
   */
  observe(
    time: number,
    raised: boolean,
    ended: boolean,
    dwell: Dwell,
  ): { change: "opened" | "closed"; since: number } | undefined {
    if (!this.#open) {
      if (!raised) {
        this.#since = undefined;
        return undefined;
      }
      this.#since ??= time;
      if (time - this.#since < dwell.openAfter) return undefined;
      this.#open = true;
      this.#endingSince = undefined;
      return { change: "opened", since: this.#since };
    }
    if (!ended) {
      this.#endingSince = undefined;
      return undefined;
    }
    this.#endingSince ??= time;
    if (time - this.#endingSince < dwell.closeAfter) return undefined;
    const since = this.#endingSince;
    this.#open = false;
    this.#since = undefined;
    this.#endingSince = undefined;
    return { change: "closed", since };
  }

  /** Nothing was observed for a while: what was about to open, or about to close, starts anew. */
  forgetPending(): void {
    if (!this.#open) this.#since = undefined;
    this.#endingSince = undefined;
  }
}
