import { Refusal } from "../../core/reasons.ts";

/** What one person decided and another has to decide, too. */
export interface Waiting {
  readonly by: string;
  /** Milliseconds since the epoch. */
  readonly atMillis: number;
  /** Of what exactly, where the name does not say it. */
  readonly detail: string;
}

const weekMillis = 7 * 86_400_000;

/** Decisions that wait for a second person; they end with the process, and after a week. */
export class Approvals {
  readonly #now: () => number;
  readonly #waiting = new Map<string, Waiting>();

  constructor(now: () => number) {
    this.#now = now;
  }

  waiting(what: string): Waiting | undefined {
    const found = this.#waiting.get(what);
    return found !== undefined && this.#now() - found.atMillis < weekMillis ? found : undefined;
  }

  /** How many decisions wait. */
  get size(): number {
    return [...this.#waiting.keys()].filter((what) => this.waiting(what) !== undefined).length;
  }

  /**
   * @param person - who decides; empty where the password has no name. @param people - how many have to.
   * @returns who decided, once they are enough; the decision then waits no more when it is told to {@link forget}.
   * @throws Refusal policy_refuses, where two are needed and this one has no name
   */
  decide(what: string, person: string, people: number, detail = ""): readonly string[] | undefined {
    if (people < 2) return person === "" ? [] : [person];
    if (person === "")
      throw new Refusal("policy_refuses", "policy.yaml asks for two people, and this password has no name", {
        hint: "sign in by a name: fedcredit node password --name NAME",
      });
    const first = this.waiting(what);
    if (first !== undefined && first.detail === detail && first.by !== person) return [first.by, person];
    // Who decides again what they decided waits no shorter; another text is another decision.
    if (first?.detail !== detail || first.by !== person)
      this.#waiting.set(what, { by: person, atMillis: this.#now(), detail });
    return undefined;
  }

  forget(what: string): void {
    this.#waiting.delete(what);
  }
}
