import { onEnding } from "../core/ending.ts";
import { Refusal } from "../core/reasons.ts";

/**
 * Runs work that holds processes and folders, which a signal would otherwise leave behind.
 * @param work - races what it waits for against the interruption, so that it lets go of them at once.
 * @throws Refusal interrupted, after SIGINT, SIGTERM or SIGHUP; what `work` throws.
 */
export async function interruptible<T>(work: (interruption: Promise<never>) => Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {});
  const takeBack = onEnding(() => reject(new Refusal("interrupted", "stopped before it ended")));
  try {
    return await work(promise);
  } finally {
    takeBack();
  }
}
