/** How guesses of a password are slowed, so that nobody's guesses keep anybody else out. */

/** Wrong passwords from one place before it has to wait; the wait doubles from a second to a quarter of an hour. */
const freeTries = 5;
const firstWaitMillis = 1000;
const longestWaitMillis = 15 * 60_000;
/** Places remembered; who tried longest ago is forgotten first. */
const mostPlaces = 10_000;
/** Passwords derived at once: each takes 128 MiB and a core. */
const mostAtOnce = 2;

interface Tries {
  readonly wrong: number;
  /** Milliseconds. */
  readonly last: number;
}

/** Wrong guesses by where they come from, who tried last at the end. */
export class Guesses {
  readonly #now: () => number;
  readonly #tries = new Map<string, Tries>();
  /** Places whose guess is being looked at, or waits to be. */
  readonly #trying = new Set<string>();
  #free = mostAtOnce;
  readonly #queue: (() => void)[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Looks at one guess, unless its place has to wait.
   * @param check - undefined where the guess is wrong.
   * @returns what `check` found.
   */
  async guess<Result>(
    place: string,
    check: () => Promise<Result | undefined>,
  ): Promise<Result | "wrong" | "too many"> {
    // One at a time from a place: more at once would all be tried before the first is known to be wrong.
    if (this.#trying.has(place) || this.#waitMillis(place) > 0) return "too many";
    this.#trying.add(place);
    try {
      const found = await this.#inTurn(check);
      if (found === undefined) {
        this.#remember(place);
        return "wrong";
      }
      this.#tries.delete(place);
      return found;
    } finally {
      this.#trying.delete(place);
    }
  }

  #waitMillis(place: string): number {
    const { wrong, last } = this.#tries.get(place) ?? { wrong: 0, last: 0 };
    if (wrong < freeTries) return 0;
    const wait = Math.min(longestWaitMillis, firstWaitMillis * 2 ** (wrong - freeTries));
    const since = this.#now() - last;
    // A clock that was set back has measured nothing.
    return since < 0 ? 0 : wait - since;
  }

  #remember(place: string): void {
    const now = this.#now();
    const { wrong, last } = this.#tries.get(place) ?? { wrong: 0, last: now };
    this.#tries.delete(place);
    // A day later it was somebody who mistyped.
    const before = now - last > 86_400_000 ? 0 : wrong;
    this.#tries.set(place, { wrong: before + 1, last: now });
    if (this.#tries.size > mostPlaces) this.#tries.delete(this.#tries.keys().next().value!);
  }

  async #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#queue.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#queue.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}
