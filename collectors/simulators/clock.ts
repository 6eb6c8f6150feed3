import type { CollectorContext, Timer } from "../collector.ts";
import { systemTimer } from "../runtime/timer.ts";

/** A clock that simulated devices and the collectors that read them share, so that neither doubts the other. */
export interface SimulatedClock extends Pick<CollectorContext, "now"> {
  /** Milliseconds since the epoch, simulated. */
  now(): number;
  readonly timer: Timer;
}

/**
 * @param startMillis - simulated time at the call, milliseconds since the epoch.
 * @param speed - simulated seconds in a second, > 0.
 */
export function acceleratedClock(
  startMillis: number,
  speed: number,
  real: Timer = systemTimer,
): SimulatedClock {
  if (!(speed > 0)) throw new RangeError("speed must be > 0");
  const origin = real.elapsed();
  const elapsed = () => (real.elapsed() - origin) * speed;
  return {
    now: () => startMillis + elapsed(),
    timer: { elapsed, wait: (milliseconds, signal) => real.wait(milliseconds / speed, signal) },
  };
}

/**
 * Sends each item at its time; what is past already goes out at once.
 *
 * @param items - by `time`, microseconds since the epoch, ascending.
 */
export async function replay<Item extends { readonly time: number }>(
  clock: SimulatedClock,
  items: Iterable<Item>,
  send: (item: Item) => void,
  signal: AbortSignal,
): Promise<void> {
  for (const item of items) {
    const ahead = item.time / 1000 - clock.now();
    if (ahead > 0) await clock.timer.wait(ahead, signal);
    if (signal.aborted) return;
    send(item);
  }
}
