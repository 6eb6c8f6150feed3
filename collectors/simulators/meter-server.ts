import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { control, encodeFrame, type Frame, takeFrame } from "../dlt645.ts";

/** What a simulated meter answers: the value's bytes, an error byte, or nothing, as without power. */
export type MeterAnswer = Buffer | { readonly refused: number } | "silent";

/** @param identifier - eight hexadecimal digits, highest byte first. */
export type SimulatedMeter = (identifier: string) => MeterAnswer | Promise<MeterAnswer>;

export interface MeterServerOptions {
  /** 0 or absent: any free port. */
  readonly port?: number;
  /** FE bytes ahead of an answer. */
  readonly preambles?: number;
  /** Faults: changes the bytes about to be sent, sends none if it returns an empty buffer. */
  readonly distort?: (answer: Buffer) => Buffer;
}

export interface MeterServer {
  readonly port: number;
  /** Requests seen. */
  readonly requests: number;
  close(): Promise<void>;
}

/**
 * A gateway to meters that speak DL/T 645-2007, on the loopback interface.
 *
 * @param meters - by twelve-digit address; an unknown address stays silent, as on a bus.
 */
export async function startMeterServer(
  meters: ReadonlyMap<string, SimulatedMeter>,
  options: MeterServerOptions = {},
): Promise<MeterServer> {
  const sockets = new Set<Socket>();
  let requests = 0;

  async function answer(socket: Socket, { address, control: code, data }: Frame): Promise<void> {
    requests++;
    const identifier = Buffer.from(data).reverse().toString("hex");
    const reply = code === control.read ? await meters.get(address)?.(identifier) : { refused: 1 };
    if (reply === undefined || reply === "silent" || socket.destroyed) return;
    const bytes = encodeFrame(
      Buffer.isBuffer(reply)
        ? { address, control: control.answer, data: Buffer.concat([data, reply]) }
        : { address, control: control.refusal, data: Buffer.of(reply.refused) },
      options.preambles,
    );
    socket.write(options.distort?.(bytes) ?? bytes);
  }

  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    let received = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      for (;;) {
        const { frame, rest } = takeFrame(received);
        received = Buffer.from(rest);
        if (frame === undefined) break;
        void answer(socket, frame);
      }
    });
  });
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    get requests() {
      return requests;
    },
    async close() {
      for (const socket of sockets) socket.resetAndDestroy();
      server.close();
      await once(server, "close");
    },
  };
}
