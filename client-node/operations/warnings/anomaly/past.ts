import { leastSteps, remembered } from "./settings.ts";

/** The steps that a detector remembers, and when what is usual is to be learned from them anew. */
export class Past<Step extends { readonly step: number }> {
  readonly #quietSteps: number;
  #steps: Step[] = [];
  #sinceLearned = 0;
  #quiet: number | undefined;

  /** @param quietSteps - of the quiet period at the beginning, gaps counted. */
  constructor(quietSteps: number) {
    this.#quietSteps = quietSteps;
  }

  get steps(): readonly Step[] {
    return this.#steps;
  }

  /** Steps that were there in the quiet period. Known once it is over. */
  get quiet(): number {
    return this.#quiet!;
  }

  /** @returns whether it is time to learn. */
  add(step: Step): boolean {
    this.#steps.push(step);
    this.#sinceLearned++;
    if (this.#quiet === undefined) {
      const isOver = step.step - this.#steps[0]!.step + 1 >= this.#quietSteps;
      if (!isOver || this.#steps.length < leastSteps) return false;
      this.#quiet = this.#steps.length;
    } else if (this.#sinceLearned < this.#quiet / 4) return false;
    else this.#steps = this.#steps.slice(-remembered * this.#quiet);
    this.#sinceLearned = 0;
    return true;
  }

  /** What came in the last quiet period stays; all before is forgotten. */
  forget(): void {
    this.#steps = this.#steps.slice(-this.quiet);
    this.#sinceLearned = 0;
  }
}
