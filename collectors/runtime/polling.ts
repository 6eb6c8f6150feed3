import type { Timer } from "../collector.ts";

/** Something that is asked for again and again. */
export interface Poll {
  /** Milliseconds. */
  readonly every: number;
  /** On the timer's clock. */
  due: number;
}

/**
 * @param polls - at least one.
 * @returns each time the poll that is due first, and the time it is; until `signal` aborts.
 */
export async function* duePolls<One extends Poll>(
  polls: readonly One[],
  timer: Timer,
  signal: AbortSignal,
): AsyncGenerator<readonly [poll: One, now: number]> {
  while (!signal.aborted) {
    const poll = polls.reduce((earliest, one) => (one.due < earliest.due ? one : earliest));
    const now = timer.elapsed();
    if (poll.due > now) {
      await timer.wait(poll.due - now, signal);
      continue;
    }
    // A poll that was missed is left out: asking twice in a row would read the same value twice.
    poll.due = now + poll.every - ((now - poll.due) % poll.every);
    yield [poll, now];
  }
}
