/** The log entries that a statement rests on: an auditor can look each of them up, so each statement names them. */
export class Entries {
  #indices: number[] = [];

  static of(...indices: readonly number[]): Entries {
    const entries = new Entries();
    for (const index of indices) entries.add(index);
    return entries;
  }

  /** @param index - place in the log, counted from 0, not before those added already. */
  add(index: number): void {
    this.#indices.push(index);
  }

  get count(): number {
    return this.#indices.length;
  }

  /** @returns "entry 7", "entries 7, 9, 12" or "131 entries, 7 to 812". */
  toString(): string {
    const [first] = this.#indices;
    if (first === undefined) return "no entry";
    if (this.count === 1) return `entry ${first}`;
    if (this.count <= 6) return `entries ${this.#indices.join(", ")}`;
    return `${this.count} entries, ${first} to ${this.#indices.at(-1)}`;
  }

  toJSON(): readonly number[] {
    return this.#indices;
  }
}
