/**
 * @param act - called at each Enter.
 * @returns what ends it: a process does not end while it listens to an input that stays open.
 */
export function onEnter(act: () => void): Disposable {
  process.stdin.on("data", act);
  return { [Symbol.dispose]: () => void process.stdin.destroy() };
}
