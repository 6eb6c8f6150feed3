import { type Random, uniform, uniformInteger } from "../core/random.ts";
import { type DropOut, type Step, steps } from "./transport.ts";

/** Decides who leaves an attempt, before which message. */
export class DropOuts {
  /** Who left for good. */
  readonly gone = new Set<string>();
  readonly #drop: DropOut;
  readonly #random: Random;
  readonly #model: string;
  #isModel = false;

  /**
   * @param model - before its first round nobody leaves: whose values are missing from the public bounds cannot
   *   take part later.
   */
  constructor(drop: DropOut, random: Random, model: string) {
    this.#drop = drop;
    this.#random = random;
    this.#model = model;
  }

  /** @returns the step at which each party that leaves this attempt leaves. */
  inAttempt(cohort: readonly string[], algorithm: string): ReadonlyMap<string, Step> {
    const drop = this.#drop;
    this.#isModel ||= algorithm === this.#model;
    if (!this.#isModel) return new Map();
    if (drop.kind === "chance")
      return new Map(
        cohort
          .filter(() => uniform(this.#random) < drop.probability)
          .map((id) => [id, steps[uniformInteger(this.#random, steps.length)]!]),
      );
    if (this.gone.size > 0) return new Map();
    const leaving = cohort.slice(0, drop.parties);
    for (const id of leaving) this.gone.add(id);
    return new Map(leaving.map((id) => [id, drop.step]));
  }
}
