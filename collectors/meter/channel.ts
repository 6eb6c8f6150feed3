import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { type Answer, answerTo, readRequest, takeFrame } from "../dlt645.ts";
import type { Transport } from "./config.ts";

/** The meter said nothing in time, though the line may stand. */
export class MeterTimeout extends Error {
  override readonly name = "MeterTimeout";
}

/**
 * One line that carries one request at a time.
 *
 * An answer names its meter and its data identifier and is believed only where both are those asked for; a frame
 * with a wrong checksum is never believed. What arrives unasked is thrown away.
 */
export class MeterChannel {
  readonly #line: Duplex;
  readonly #timeoutMillis: number;
  #received: Buffer = Buffer.alloc(0);
  #arrived: (() => void) | undefined;
  #end: Error | undefined;
  #busy = false;
  /** Whether the request under way has waited long enough. */
  #late = false;

  constructor(line: Duplex, timeoutMillis: number) {
    this.#line = line;
    this.#timeoutMillis = timeoutMillis;
    line.on("data", (chunk: Buffer) => {
      if (!this.#busy) return;
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#arrived?.();
    });
    line.on("error", (error) => this.#fail(error));
    line.on("close", () => this.#fail(new Error("connection closed")));
  }

  /** @throws {Error} if the line cannot be opened within `timeoutMillis`. */
  static async open(transport: Transport, timeoutMillis: number, signal: AbortSignal): Promise<MeterChannel> {
    const line =
      transport.kind === "tcp" ? connect({ ...transport, noDelay: true }) : await serial(transport);
    const opened = transport.kind === "tcp" ? "connect" : "open";
    await new Promise<void>((resolve, reject) => {
      const give = (error: Error) => {
        line.destroy();
        finish();
        reject(error);
      };
      const onClose = () => give(new Error("connection closed"));
      const onAbort = () => give(new Error("stopped"));
      const deadline = setTimeout(() => give(new Error("connect timeout")), timeoutMillis);
      const finish = () => {
        clearTimeout(deadline);
        signal.removeEventListener("abort", onAbort);
        line.off("close", onClose);
      };
      line.once("error", give);
      line.once("close", onClose);
      line.once(opened, () => {
        finish();
        line.off("error", give);
        resolve();
      });
      if (signal.aborted) return onAbort();
      signal.addEventListener("abort", onAbort, { once: true });
    });
    return new MeterChannel(line, timeoutMillis);
  }

  /**
   * Asks one meter for one value.
   *
   * @throws {MeterTimeout} if no answer came in time.
   * @throws {Error} if the line is lost.
   */
  async read(address: string, identifier: string, preambles: number): Promise<Answer> {
    if (this.#busy) throw new TypeError("one request at a time");
    if (this.#end !== undefined) throw this.#end;
    this.#busy = true;
    this.#received = Buffer.alloc(0);
    let damaged = false;
    this.#late = false;
    const timeout = setTimeout(() => {
      this.#late = true;
      this.#arrived?.();
    }, this.#timeoutMillis);
    try {
      this.#line.write(readRequest(address, identifier, preambles));
      for (;;) {
        const taken = takeFrame(this.#received);
        this.#received = taken.rest;
        damaged ||= taken.damaged;
        const answer = taken.frame && answerTo(taken.frame, address, identifier);
        if (answer !== undefined) return answer;
        if (taken.frame !== undefined) continue;
        await this.#more(damaged);
      }
    } finally {
      clearTimeout(timeout);
      this.#busy = false;
    }
  }

  /** Closes the line at once. */
  destroy(): void {
    this.#fail(new Error("closed"));
    this.#line.destroy();
  }

  async #more(damaged: boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#arrived = resolve;
      if (this.#end !== undefined || this.#late) resolve();
    });
    this.#arrived = undefined;
    if (this.#end !== undefined) throw this.#end;
    if (this.#late) throw new MeterTimeout(damaged ? "answer damaged" : "timeout");
  }

  #fail(error: Error): void {
    this.#end ??= error;
    this.#arrived?.();
  }
}

/** 8 data bits, even parity, 1 stop bit. @see DL/T 645-2007, section 5.1.1 */
async function serial({ path, baudRate }: { path: string; baudRate: number }): Promise<Duplex> {
  const { SerialPort } = await import("serialport");
  return new SerialPort({ path, baudRate, dataBits: 8, parity: "even", stopBits: 1 });
}
