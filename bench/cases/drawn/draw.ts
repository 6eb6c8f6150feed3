import { type Random, seededRandom, uniform } from "../../../core/random.ts";
import { day } from "../world.ts";

/** Everything about one enterprise that is left to chance comes from here. */
export class Draw {
  readonly #random: Random;

  constructor(seed: string) {
    this.#random = seededRandom(seed);
  }

  between(low: number, high: number): number {
    return low + (high - low) * uniform(this.#random);
  }

  whole(low: number, high: number): number {
    return Math.floor(this.between(low, high + 1));
  }

  chance(share: number): boolean {
    return uniform(this.#random) < share;
  }

  /** Mean 0, standard deviation 1. @see Box and Muller 1958 */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - uniform(this.#random)));
    return radius * Math.cos(2 * Math.PI * uniform(this.#random));
  }

  /** How many of `count` come out, each with this probability. */
  binomial(count: number, share: number): number {
    let hits = 0;
    for (let i = 0; i < count; i++) if (this.chance(share)) hits++;
    return hits;
  }

  pick<T>(of: readonly T[]): T {
    return of[this.whole(0, of.length - 1)]!;
  }
}

/** How a business goes by itself: weekends, days better and worse than others, a slow drift. */
export class Course {
  readonly #from: number;
  readonly #weekend: number;
  readonly #drift: number;
  readonly #days: readonly number[];

  /** @param scatter - standard deviation of a day's level. @param weekend - level on Saturdays and Sundays. */
  constructor(
    draw: Draw,
    from: number,
    days: number,
    { scatter, weekend }: { scatter: number; weekend: number },
  ) {
    this.#from = from;
    this.#weekend = weekend;
    this.#drift = draw.between(-0.05, 0.05);
    let lasting = 0;
    // A bad day is rarely alone.
    this.#days = Array.from({ length: days + 2 }, () => {
      lasting = 0.4 * lasting + draw.normal() * scatter * Math.sqrt(1 - 0.4 ** 2);
      return Math.exp(lasting);
    });
  }

  /** Around 1. @param time - µs UTC. */
  level(time: number): number {
    const passed = (time - this.#from) / day;
    const weekday = new Date(time / 1000).getUTCDay();
    const isWeekend = weekday === 0 || weekday === 6;
    const of = this.#days[Math.max(0, Math.floor(passed))] ?? 1;
    return of * (isWeekend ? this.#weekend : 1) * (1 + (this.#drift * passed) / 91);
  }
}
