import { Refusal } from "../core/reasons.ts";

/**
 * Runs work that holds processes and folders, which a signal would otherwise leave behind.
 * @param work - races what it waits for against the interruption, so that it lets go of them at once.
 * @throws Refusal interrupted, after SIGINT or SIGTERM; what `work` throws.
 */
export async function interruptible<T>(work: (interruption: Promise<never>) => Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {});
  const interrupt = (): void => reject(new Refusal("interrupted", "stopped before it ended"));
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  try {
    return await work(promise);
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
}
