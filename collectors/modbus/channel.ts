import { connect, type Socket } from "node:net";
import modbus from "modbus-serial";
import { Refusal } from "../../core/reasons.ts";
import type { RegisterPlace, Table } from "./registers.ts";

type Client = InstanceType<typeof modbus.default>;

/** How frames travel. */
export type Transport =
  | { readonly kind: "tcp" | "rtu-over-tcp"; readonly host: string; readonly port: number }
  | {
      readonly kind: "rtu";
      readonly path: string;
      readonly baudRate: number;
      readonly dataBits: 7 | 8;
      readonly stopBits: 1 | 2;
      readonly parity: "none" | "even" | "odd";
    };

/** A Modbus exception: the device answered, and said no. The connection stands. */
export class ModbusException extends Error {
  override readonly name = "ModbusException";
  readonly code: number;
  constructor(code: number) {
    super(`exception ${code}`);
    this.code = code;
  }
}

/**
 * One connection that carries one request at a time.
 *
 * A late answer must never be taken for another request's: transaction ids of the client library wrap at 256
 * and RTU frames carry none. So whatever is not exactly the answer that was asked for, a timeout above all,
 * destroys the connection, and with it every answer still under way. (What RTU framing cannot tell: a gateway
 * that repeats an answer while the next request of the same unit, function and length is under way.)
 */
export class ModbusChannel {
  readonly #client: Client;
  readonly #socket: Socket | undefined;
  readonly #frameOverhead: number;
  #busy = false;
  #received = 0;
  #lost: ((error: Error) => void) | undefined;
  #end: Error | undefined;

  private constructor(client: Client, socket: Socket | undefined, kind: Transport["kind"], timeout: number) {
    this.#client = client;
    this.#socket = socket;
    // MBAP header 7 and function 1, or unit 1, function 1 and CRC 2; one byte count in both.
    this.#frameOverhead = kind === "tcp" ? 9 : 5;
    client.setTimeout(timeout);
    client.on("error", (error) => this.#fail(asError(error)));
    client.on("close", () => this.#fail(new Error("connection closed")));
    socket?.prependListener("data", (chunk: Buffer) => {
      if (!this.#busy) this.destroy(new Error("unsolicited bytes"));
      this.#received += chunk.length;
    });
    socket?.on("close", () => this.#fail(new Error("connection closed")));
  }

  /** @throws {Error} if the connection is refused or takes longer than `timeoutMillis`. */
  static async open(
    transport: Transport,
    timeoutMillis: number,
    signal: AbortSignal,
  ): Promise<ModbusChannel> {
    const client = new modbus.default();
    if (transport.kind === "rtu") {
      const { path, kind, ...serial } = transport;
      await client.connectRTUBuffered(path, serial);
      return new ModbusChannel(client, undefined, kind, timeoutMillis);
    }
    const socket = await dial(transport.host, transport.port, timeoutMillis, signal);
    if (transport.kind === "tcp") await client.linkTCP(socket, { port: transport.port });
    else await client.linkTelnet(socket, { port: transport.port });
    return new ModbusChannel(client, socket, transport.kind, timeoutMillis);
  }

  /**
   * Reads one block.
   *
   * @returns the bytes of the answer: two for each register, or one for each eight bits.
   * @throws {ModbusException} if the device refuses; the channel stays usable.
   * @throws {Error} on anything else; the channel is then destroyed.
   */
  async read(unit: number, place: RegisterPlace, count: number): Promise<Buffer> {
    if (this.#busy) throw new TypeError("one request at a time");
    if (this.#end !== undefined) throw this.#end;
    this.#busy = true;
    this.#received = 0;
    this.#client.setID(unit);
    const byteCount = place.table === "coil" || place.table === "discrete" ? Math.ceil(count / 8) : 2 * count;
    try {
      const buffer = await Promise.race([
        this.#request(place.table, place.address, count),
        new Promise<never>((_, reject) => {
          this.#lost = reject;
        }),
      ]);
      this.#expect(this.#frameOverhead + byteCount);
      if (buffer.length !== byteCount)
        throw new Error(`${buffer.length} bytes where ${byteCount} were asked`);
      return buffer;
    } catch (error) {
      const code = (error as { modbusCode?: number }).modbusCode;
      if (code !== undefined) {
        this.#expect(this.#frameOverhead);
        throw new ModbusException(code);
      }
      throw this.destroy(asError(error));
    } finally {
      this.#lost = undefined;
      this.#busy = false;
    }
  }

  /** Ends the connection at once; what was still under way is never seen. */
  destroy(reason = new Error("closed")): Error {
    this.#end ??= reason;
    if (this.#socket !== undefined) {
      this.#client.destroy(() => {});
      this.#socket.destroy();
    } else if (this.#client.isOpen) this.#client.close(() => {});
    this.#fail(this.#end);
    return this.#end;
  }

  async #request(table: Table, address: number, count: number): Promise<Buffer> {
    switch (table) {
      case "coil":
        return (await this.#client.readCoils(address, count)).buffer;
      case "discrete":
        return (await this.#client.readDiscreteInputs(address, count)).buffer;
      case "input":
        return (await this.#client.readInputRegisters(address, count)).buffer;
      case "holding":
        return (await this.#client.readHoldingRegisters(address, count)).buffer;
    }
  }

  /** An answer with anything before or after it came from a line that is out of step. */
  #expect(bytes: number): void {
    if (this.#socket !== undefined && this.#received !== bytes)
      throw this.destroy(new Error(`${this.#received} bytes on the line where ${bytes} were expected`));
  }

  #fail(error: Error): void {
    this.#end ??= error;
    this.#lost?.(this.#end);
  }
}

const asError = (error: unknown): Error => {
  if (error instanceof Error) return error;
  const { message, errno } = (error ?? {}) as { message?: string; errno?: string };
  return errno === "ETIMEDOUT" ? new Error("timeout") : new Error(message ?? String(error));
};

/** Opens a socket that notices a peer that vanished: keep-alive probes while idle, a deadline while connecting. */
async function dial(host: string, port: number, timeoutMillis: number, signal: AbortSignal): Promise<Socket> {
  if (signal.aborted) throw new Refusal("unavailable", "stopped");
  const socket = connect({ host, port, keepAlive: true, keepAliveInitialDelay: 10_000, noDelay: true });
  await new Promise<void>((resolve, reject) => {
    const give = (error: Error) => {
      socket.destroy();
      reject(error);
    };
    const deadline = setTimeout(() => give(new Error("connect timeout")), timeoutMillis);
    const aborted = () => give(new Error("stopped"));
    signal.addEventListener("abort", aborted, { once: true });
    socket.once("error", give);
    socket.once("connect", () => {
      socket.off("error", give);
      resolve();
    });
    socket.once("close", () => reject(new Error("connection closed")));
    for (const event of ["connect", "close"] as const)
      socket.once(event, () => {
        clearTimeout(deadline);
        signal.removeEventListener("abort", aborted);
      });
  });
  return socket;
}
