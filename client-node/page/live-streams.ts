import type { Response } from "express";
import type { Operations } from "../operations/operations.ts";
import type { LiveTexts } from "./devices.ts";

/** Between two messages of one stream, milliseconds. */
const pauseMillis = 500;
/** Gaps and rates change with time alone: sent at least this often. */
const restMillis = 5_000;

/** Streams of live values to open pages, as server-sent events: only what changed, and not too often. */
export class LiveStreams {
  readonly #open = new Set<{ push: () => void; response: Response }>();
  readonly #unsubscribe: (() => void) | undefined;
  readonly #clock: NodeJS.Timeout;
  #pending: NodeJS.Timeout | undefined;

  constructor(operations: Operations | undefined) {
    this.#unsubscribe = operations?.subscribe(() => this.#soon());
    this.#clock = setInterval(() => this.#push(), restMillis);
    this.#clock.unref();
  }

  open(response: Response, texts: () => LiveTexts): void {
    response.set("Content-Type", "text/event-stream").flushHeaders();
    let sent: LiveTexts = {};
    const push = (): void => {
      // Who does not read what was sent is sent no more of it.
      if (response.writableNeedDrain) return;
      const now = texts();
      const changed = Object.fromEntries(Object.entries(now).filter(([name, text]) => sent[name] !== text));
      sent = now;
      if (Object.keys(changed).length > 0) response.write(`data: ${JSON.stringify(changed)}\n\n`);
    };
    const stream = { push, response };
    this.#open.add(stream);
    response.on("close", () => this.#open.delete(stream));
    push();
  }

  close(): void {
    this.#unsubscribe?.();
    clearInterval(this.#clock);
    clearTimeout(this.#pending);
    for (const { response } of this.#open) response.end();
  }

  #soon(): void {
    if (this.#open.size === 0) return;
    this.#pending ??= setTimeout(() => {
      this.#pending = undefined;
      this.#push();
    }, pauseMillis);
  }

  #push(): void {
    for (const { push } of this.#open) push();
  }
}
