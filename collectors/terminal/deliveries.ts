/** Reports last stored per device that are recognised when they are sent again. */
const remembered = 64;

/** One device's reports, across its connections: those under way, and the last that were stored. */
export class Deliveries {
  /** By content; answered through the copy that came last. */
  readonly #waiting = new Map<string, () => void>();
  readonly #stored: string[] = [];

  /** Taken and not yet stored. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * @param content - tells one report from another. @param answer - says to the device that it is stored.
   * @returns what to call once it is stored; undefined where it is known, and answered now or then.
   */
  take(content: string, answer: () => void): (() => void) | undefined {
    if (this.#stored.includes(content)) {
      answer();
      return undefined;
    }
    const known = this.#waiting.has(content);
    this.#waiting.set(content, answer);
    if (known) return undefined;
    return () => {
      const last = this.#waiting.get(content);
      this.#waiting.delete(content);
      this.#stored.push(content);
      if (this.#stored.length > remembered) this.#stored.shift();
      last?.();
    };
  }
}

/** Waits, within reason, until what was received is stored and acknowledged. */
export async function untilStored(
  timer: { elapsed(): number; wait(milliseconds: number, signal: AbortSignal): Promise<void> },
  waiting: () => number,
): Promise<void> {
  const deadline = timer.elapsed() + 5_000;
  const never = new AbortController().signal;
  while (waiting() > 0 && timer.elapsed() < deadline) await timer.wait(5, never);
}
