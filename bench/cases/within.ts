import { setTimeout as sleep } from "node:timers/promises";

/** Far longer than anything that is waited for takes, and shorter than the test runner's patience. */
const patienceSeconds = 60;

/** A wait that came to nothing says for what. */
const gaveUp = (what: () => string, seconds: number): Error => new Error(`waited ${seconds} s for ${what()}`);

/**
 * @param what - is waited for; asked when the wait is given up, so it may tell how far things came.
 * @throws {Error} that names `what` once `seconds` have passed.
 */
export async function within<T>(
  what: () => string,
  promise: Promise<T>,
  seconds = patienceSeconds,
): Promise<T> {
  const settled = new AbortController();
  const giveUp = sleep(seconds * 1000, undefined, { signal: settled.signal }).then(() => {
    throw gaveUp(what, seconds);
  });
  giveUp.catch(() => {});
  return Promise.race([promise, giveUp]).finally(() => settled.abort());
}

/** Looks every few milliseconds until `condition` holds. @throws {Error} that names `what`, as `within`. */
export async function eventually(
  condition: () => boolean,
  what: () => string = () => `${condition}`,
  seconds = patienceSeconds,
): Promise<void> {
  const end = performance.now() + seconds * 1000;
  while (!condition()) {
    if (performance.now() > end) throw gaveUp(what, seconds);
    await sleep(5);
  }
}
