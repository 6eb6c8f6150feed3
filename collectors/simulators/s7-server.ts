import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { frameLength } from "../s7/protocol.ts";

export interface S7Server {
  readonly port: number;
  close(): Promise<void>;
}

/** @returns the bytes of a data block from `start` on; undefined where there is no such block. */
export type BlockReader = (db: number, start: number, bytes: number) => Uint8Array | undefined;

/** A controller whose data blocks are read from a function; on the loopback interface. */
export async function startS7Server(read: BlockReader, port = 0): Promise<S7Server> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    let received = Buffer.alloc(0);
    socket.on("error", () => {}).on("close", () => open.delete(socket));
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      try {
        for (let length = frameLength(received); length !== undefined && received.length >= length; ) {
          socket.write(answerTo(received.subarray(0, length), read));
          received = received.subarray(length);
          length = frameLength(received);
        }
      } catch {
        socket.destroy();
      }
    });
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.close();
      for (const socket of open) socket.destroy();
      await once(server, "close");
    },
  };
}

function answerTo(request: Buffer, read: BlockReader): Buffer {
  const frame = (body: Uint8Array): Buffer => {
    const whole = Buffer.concat([Buffer.of(3, 0, 0, 0), body]);
    whole.writeUInt16BE(whole.length, 2);
    return whole;
  };
  if (request[5] === 0xe0)
    return frame(Buffer.of(0x11, 0xd0, 0, 1, 0, 1, 0, 0xc0, 1, 0x0a, 0xc1, 2, 1, 0, 0xc2, 2, 1, 1));
  const ack = (parameters: Uint8Array, data: Uint8Array): Buffer => {
    const head = Buffer.alloc(12);
    head.set([0x32, 3]);
    request.copy(head, 4, 11, 13);
    head.writeUInt16BE(parameters.length, 6);
    head.writeUInt16BE(data.length, 8);
    return frame(Buffer.concat([Buffer.of(2, 0xf0, 0x80), head, parameters, data]));
  };
  if (request[17] === 0xf0) return ack(Buffer.of(0xf0, 0, 0, 1, 0, 1, 0, 240), Buffer.alloc(0));
  const bytes = request.readUInt16BE(23);
  const found = read(request.readUInt16BE(25), request.readUIntBE(28, 3) / 8, bytes);
  const item =
    found === undefined
      ? Buffer.of(10, 0, 0, 0)
      : Buffer.concat([Buffer.of(0xff, 4, (bytes * 8) >> 8, (bytes * 8) & 0xff), found]);
  return ack(Buffer.of(4, 1), item);
}
