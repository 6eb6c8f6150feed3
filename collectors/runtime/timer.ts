import type { Timer } from "../collector.ts";

/** Elapsed time and waiting on the machine's monotonic clock. */
export const systemTimer: Timer = {
  elapsed: () => performance.now(),
  wait: (milliseconds, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const done = () => {
        clearTimeout(timeout);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timeout = setTimeout(done, milliseconds);
      signal.addEventListener("abort", done, { once: true });
    }),
};
