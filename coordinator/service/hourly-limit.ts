import { Refusal } from "../../core/reasons.ts";

const hourMillis = 3_600_000;

/** At most so many of something in any hour, counted by a key. */
export class HourlyLimit {
  readonly #most: number;
  readonly #now: () => number;
  /** When each was taken, milliseconds, by key; the keys in the order of their last. */
  readonly #taken = new Map<string, readonly number[]>();

  constructor(most: number, now: () => number) {
    this.#most = most;
    this.#now = now;
  }

  /** @throws Refusal rate_limited */
  take(key: string, what: string): void {
    const now = this.#now();
    for (const [old, times] of this.#taken) {
      if (times.at(-1)! > now - hourMillis) break;
      this.#taken.delete(old);
    }
    // What was taken later than now was taken by a clock that has been set back since.
    const recent = (this.#taken.get(key) ?? []).filter((time) => time > now - hourMillis && time <= now);
    if (recent.length >= this.#most) {
      const minutes = Math.ceil((recent[0]! + hourMillis - now) / 60_000);
      throw new Refusal("rate_limited", `${what}: ${this.#most} an hour`, {
        hint: `try again in ${minutes} minutes`,
      });
    }
    this.#taken.delete(key);
    this.#taken.set(key, [...recent, now]);
  }
}
