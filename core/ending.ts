/** What asks a process to end: a service manager, Ctrl-C, a terminal that closes. */
const signals = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

/**
 * @param end - called at the first of each: what is asked for twice by the same means ends at once.
 * @returns what takes it back.
 */
export function onEnding(end: () => void): () => void {
  for (const signal of signals) process.once(signal, end);
  return () => {
    for (const signal of signals) process.off(signal, end);
  };
}
