import { createSocket, type Socket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { once } from "node:events";
import type { Timer } from "../collector.ts";
import { type Answer, decodeAnswer, type ObjectId, readRequest } from "./protocol.ts";

/** Stands for a device's own number, whatever that is. @see ASHRAE 135-2020, 12.11 */
export const anyInstance = 4_194_303;

export interface LineOptions {
  readonly timeoutMillis: number;
  readonly timer: Timer;
  readonly signal: AbortSignal;
  /** Told of datagrams that are no answer to anything. */
  onNoise(error: unknown): void;
}

/** One controller, asked one thing at a time. An answer is believed where address, number, object and property are those asked for. */
export class BacnetLine {
  readonly #options: LineOptions;
  readonly #socket: Socket;
  #invoke = 0;
  #waiting: { readonly invoke: number; readonly resolve: (answer: Answer) => void } | undefined;

  private constructor(socket: Socket, options: LineOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.on("message", (datagram) => this.#take(datagram));
  }

  /** @throws {Error} where the name is unknown. */
  static async open(host: string, port: number, options: LineOptions): Promise<BacnetLine> {
    const { address, family } = await lookup(host);
    // A connected socket takes nothing from anybody else.
    const socket = createSocket(family === 6 ? "udp6" : "udp4");
    // Nobody listens there at the moment: the wait for the answer says so.
    socket.on("error", () => {});
    socket.connect(port, address);
    await once(socket, "connect");
    return new BacnetLine(socket, options);
  }

  /** @param index - of an array; all of it when absent. @returns undefined where nothing came in time. */
  async ask(object: ObjectId, id: number, index?: number): Promise<Answer | undefined> {
    const { signal, timeoutMillis, timer } = this.#options;
    this.#invoke = (this.#invoke + 1) % 256;
    const invoke = this.#invoke;
    const done = new AbortController();
    const answered = new Promise<Answer>((resolve) => {
      this.#waiting = {
        invoke,
        resolve: (answer) => {
          const other =
            !("failed" in answer) &&
            (answer.property !== id ||
              answer.object.type !== object.type ||
              // A controller that is asked as any device answers by its own number.
              (answer.object.instance !== object.instance && object.instance !== anyInstance));
          if (!other) resolve(answer);
        },
      };
    });
    this.#socket.send(readRequest(invoke, object, id, index), () => {});
    try {
      const late = timer.wait(timeoutMillis, AbortSignal.any([done.signal, signal]));
      return await Promise.race([answered, late.then(() => undefined)]);
    } finally {
      done.abort();
      this.#waiting = undefined;
    }
  }

  close(): void {
    this.#socket.close();
  }

  #take(datagram: Buffer): void {
    if (this.#waiting === undefined) return;
    try {
      const answer = decodeAnswer(datagram);
      if (answer?.invoke === this.#waiting.invoke) this.#waiting.resolve(answer);
    } catch (error) {
      this.#options.onNoise(error);
    }
  }
}
