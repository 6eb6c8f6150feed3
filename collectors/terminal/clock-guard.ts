import type { Link } from "../runtime/supervise.ts";

export interface ClockLimits {
  readonly clockTolerance: number;
  readonly oldest: number;
}

/** Our own idea of the time; shared by all terminals of a collector. */
export class Reference {
  readonly #link: Pick<Link, "now" | "timer">;
  readonly #wall: number;
  readonly #elapsed: number;

  constructor(link: Pick<Link, "now" | "timer">) {
    this.#link = link;
    this.#wall = link.now();
    this.#elapsed = link.timer.elapsed();
  }

  /**
   * Two candidates for now, microseconds since the epoch: the wall clock, and where it would be had nobody set
   * it since the start. A terminal that agrees with either is believed: our clock may be the one that stepped.
   */
  candidates(): readonly [number, number] {
    return [this.#link.now(), this.#wall + Math.round((this.#link.timer.elapsed() - this.#elapsed) * 1000)];
  }
}

/** Doubts a terminal's clock that is ahead of ours, that steps back, or that starts years ago. */
export class ClockGuard {
  readonly #reference: Reference;
  readonly #limits: ClockLimits;
  /** Newest live time believed on this connection. */
  #newest = Number.NEGATIVE_INFINITY;

  constructor(reference: Reference, limits: ClockLimits) {
    this.#reference = reference;
    this.#limits = limits;
  }

  /**
   * @param time - source time, microseconds since the epoch.
   * @param historical - sent as back-fill: it may be old and out of order, but not ahead.
   * @returns why the time is doubted, or undefined.
   */
  doubt(time: number, historical: boolean): string | undefined {
    const tolerance = this.#limits.clockTolerance * 1000;
    const behind = this.#reference.candidates().map((now) => now - time);
    if (Math.max(...behind) < -tolerance) return `clock ${seconds(-Math.max(...behind))} s ahead`;
    if (historical) return undefined;
    if (Math.min(...behind) > this.#limits.oldest * 1000)
      return `clock ${seconds(Math.min(...behind))} s behind`;
    if (time < this.#newest - tolerance) return `clock went back ${seconds(this.#newest - time)} s`;
    this.#newest = Math.max(this.#newest, time);
    return undefined;
  }
}

const seconds = (micros: number): number => Math.round(micros / 1e6);
