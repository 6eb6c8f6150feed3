import { connect, type Socket } from "node:net";
import type { S7Config } from "./config.ts";
import {
  answerBytes,
  checkConnected,
  connectRequest,
  frameLength,
  frameLimit,
  type Place,
  readAnswer,
  readRequest,
  setupAnswer,
  setupRequest,
} from "./protocol.ts";

/** One connection that carries one request at a time; whatever is not its answer ends it. */
export class S7Channel {
  readonly #socket: Socket;
  readonly #timeoutMillis: number;
  #received: Buffer = Buffer.alloc(0);
  #settle: { resolve: (frame: Buffer) => void; reject: (error: Error) => void } | undefined;
  #ended: Error | undefined;
  #reference = 0;
  #pdu = 0;

  private constructor(socket: Socket, timeoutMillis: number) {
    this.#socket = socket;
    this.#timeoutMillis = timeoutMillis;
    socket.on("data", (chunk) => this.#take(chunk));
    socket.on("error", (error) => this.#end(error));
    socket.on("close", () => this.#end(new Error("connection closed")));
  }

  /** @throws {Error} where there is no controller, or it does not let us in. */
  static async open(
    config: Pick<S7Config, "host" | "port" | "rack" | "slot" | "timeout">,
    signal: AbortSignal,
  ): Promise<S7Channel> {
    const { host, port, rack, slot, timeout } = config;
    const channel = new S7Channel(connect({ host, port, noDelay: true }), timeout);
    const onAbort = () => channel.destroy();
    signal.addEventListener("abort", onAbort, { once: true });
    channel.#socket.once("close", () => signal.removeEventListener("abort", onAbort));
    if (signal.aborted) onAbort();
    try {
      checkConnected(await channel.#ask(connectRequest(rack, slot)));
      channel.#pdu = setupAnswer(await channel.#ask(setupRequest(0)), 0);
    } catch (error) {
      channel.destroy();
      throw error;
    }
    return channel;
  }

  /** Bytes that one read may ask for. */
  get mostBytes(): number {
    return this.#pdu - answerBytes;
  }

  /** @throws {S7Error} where the controller does not give it; {Error} where the line is lost. */
  async read(place: Place): Promise<Buffer> {
    this.#reference = (this.#reference + 1) & 0xffff;
    const reference = this.#reference;
    return readAnswer(await this.#ask(readRequest(reference, place)), reference, place);
  }

  destroy(): void {
    this.#end(new Error("closed"));
  }

  async #ask(request: Buffer): Promise<Buffer> {
    if (this.#settle !== undefined) throw new TypeError("one request at a time");
    const late = setTimeout(() => this.#end(new Error("timeout")), this.#timeoutMillis);
    try {
      return await new Promise<Buffer>((resolve, reject) => {
        if (this.#ended !== undefined) return reject(this.#ended);
        this.#settle = { resolve, reject };
        this.#socket.write(request);
      });
    } finally {
      clearTimeout(late);
      this.#settle = undefined;
    }
  }

  #take(chunk: Buffer): void {
    // What comes unasked, or behind an answer, would be taken for the next one.
    if (this.#settle === undefined || this.#received.length + chunk.length > frameLimit) {
      this.#end(new Error("the controller says what it was not asked"));
      return;
    }
    this.#received = Buffer.concat([this.#received, chunk]);
    try {
      const length = frameLength(this.#received);
      if (length === undefined || this.#received.length < length) return;
      if (this.#received.length > length) throw new Error("the controller says what it was not asked");
      const frame = this.#received;
      this.#received = Buffer.alloc(0);
      this.#settle.resolve(frame);
    } catch (error) {
      this.#end(error as Error);
    }
  }

  #end(error: Error): void {
    this.#ended ??= error;
    this.#settle?.reject(this.#ended);
    this.#socket.destroy();
  }
}
