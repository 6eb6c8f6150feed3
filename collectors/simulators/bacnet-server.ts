import { createSocket } from "node:dgram";
import { once } from "node:events";
import { property } from "../bacnet/protocol.ts";

export interface BacnetServer {
  readonly port: number;
  close(): Promise<void>;
}

/** What an object's present value is now; "silent" where the controller says nothing, undefined without the object. */
export type ObjectReader = (type: number, instance: number) => number | "silent" | undefined;

/** A controller whose present values are reals; on the loopback interface. */
export async function startBacnetServer(read: ObjectReader, port = 0): Promise<BacnetServer> {
  const socket = createSocket("udp4");
  socket.on("error", () => {});
  socket.on("message", (request, { port, address }) => {
    if (request.length !== 17 || request[9] !== 12) return;
    const id = request.readUInt32BE(11);
    const invoke = request[8]!;
    const frame = (apdu: readonly number[]): Buffer => {
      const whole = Buffer.from([0x81, 0x0a, 0, 0, 1, 0, ...apdu]);
      whole.writeUInt16BE(whole.length, 2);
      return whole;
    };
    const ack = (value: readonly number[]): Buffer =>
      frame([0x30, invoke, 12, 0x0c, ...request.subarray(11, 15), 0x19, request[16]!, 0x3e, ...value, 0x3f]);
    if (request[16] === property.statusFlags) return socket.send(ack([0x82, 4, 0]), port, address);
    const value = read(id >>> 22, id & 0x3fffff);
    if (value === "silent") return undefined;
    if (value === undefined) return socket.send(frame([0x50, invoke, 12, 0x91, 1, 0x91, 31]), port, address);
    const real = Buffer.alloc(4);
    real.writeFloatBE(value);
    return socket.send(ack([0x44, ...real]), port, address);
  });
  socket.bind(port, "127.0.0.1");
  await once(socket, "listening");
  return {
    port: socket.address().port,
    async close() {
      socket.close();
      await once(socket, "close");
    },
  };
}
