/** How often each node has computed its quality and features. */
export class Refreshes {
  readonly #counts = new Map<string, number>();
  readonly #waiting = new Set<() => void>();

  count(id: string): void {
    this.#counts.set(id, this.#of(id) + 1);
    for (const look of [...this.#waiting]) look();
  }

  /** Resolves once each of these has made so many more. */
  more(ids: readonly string[], times: number): Promise<void> {
    const due = new Map(ids.map((id) => [id, this.#of(id) + times]));
    return new Promise((resolve) => {
      const look = (): void => {
        if (![...due].every(([id, count]) => this.#of(id) >= count)) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  #of(id: string): number {
    return this.#counts.get(id) ?? 0;
  }
}
