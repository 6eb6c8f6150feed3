import { setImmediate as turn } from "node:timers/promises";
import type { SimulatedClock } from "../../collectors/simulators/clock.ts";

export interface HeldClock extends SimulatedClock {
  /** Lets the clock run to this moment, milliseconds since the epoch. */
  release(untilMillis: number): void;
}

/**
 * A clock that moves only by being waited on, and no further than it was released: a collector that polls every
 * quarter of an hour goes through a year as fast as its device answers, and misses nothing on a busy machine.
 */
export function heldClock(startMillis: number): HeldClock {
  let elapsed = 0;
  let released = startMillis;
  let wake = Promise.withResolvers<void>();
  return {
    now: () => startMillis + elapsed,
    timer: {
      elapsed: () => elapsed,
      async wait(milliseconds, signal) {
        const { promise: aborted, resolve } = Promise.withResolvers<void>();
        const end = () => resolve();
        signal.addEventListener("abort", end);
        const due = elapsed + milliseconds;
        while (startMillis + due > released && !signal.aborted) await Promise.race([wake.promise, aborted]);
        signal.removeEventListener("abort", end);
        if (!signal.aborted) elapsed = Math.max(elapsed, due);
        // The sockets get their turn.
        await turn();
      },
    },
    release(untilMillis) {
      released = Math.max(released, untilMillis);
      wake.resolve();
      wake = Promise.withResolvers();
    },
  };
}
