/**
 * Calls `onSilence` once when nothing fed it for `silenceMillis`: a peer behind a half-open socket sends
 * neither data nor an error. Runs on the machine's timers, which do not follow the wall clock.
 */
export class Watchdog {
  readonly #timeout: NodeJS.Timeout;

  constructor(silenceMillis: number, onSilence: () => void) {
    if (!(silenceMillis > 0)) throw new RangeError("silenceMillis must be > 0");
    this.#timeout = setTimeout(onSilence, silenceMillis);
  }

  /** The peer showed life. */
  feed(): void {
    this.#timeout.refresh();
  }

  stop(): void {
    clearTimeout(this.#timeout);
  }
}
