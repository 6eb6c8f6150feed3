import { createSocket } from "node:dgram";
import { once } from "node:events";
import { property } from "../bacnet/protocol.ts";

export interface BacnetServer {
  readonly port: number;
  close(): Promise<void>;
}

/** What an object's present value is now; "silent" where the controller says nothing, undefined without the object. */
export type ObjectReader = (type: number, instance: number) => number | "silent" | undefined;

/** An object that a controller lists. */
export interface ListedObject {
  readonly type: number;
  readonly instance: number;
  readonly name: string;
  /** BACnetEngineeringUnits. */
  readonly units: number;
}

const device = 8;

/** A controller whose present values are reals, and which lists its objects where it has a list; on the loopback interface. */
export async function startBacnetServer(
  read: ObjectReader,
  port = 0,
  listed: readonly ListedObject[] = [],
): Promise<BacnetServer> {
  const socket = createSocket("udp4");
  socket.on("error", () => {});
  socket.on("message", (request, { port, address }) => {
    if ((request.length !== 17 && request.length !== 20) || request[9] !== 12) return;
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
    const none = (): void => socket.send(frame([0x50, invoke, 12, 0x91, 1, 0x91, 31]), port, address);
    const one = listed.find(({ type, instance }) => ((type << 22) | instance) >>> 0 === id);
    if (id >>> 22 === device && request.length === 20) {
      const index = request.readUInt16BE(18);
      if (index === 0) return socket.send(ack([0x21, listed.length]), port, address);
      const at = listed[index - 1];
      if (at === undefined) return none();
      const word = Buffer.alloc(4);
      word.writeUInt32BE(((at.type << 22) | at.instance) >>> 0);
      return socket.send(ack([0xc4, ...word]), port, address);
    }
    if (request[16] === property.units)
      return one === undefined ? none() : socket.send(ack([0x91, one.units]), port, address);
    if (request[16] === property.objectName) {
      if (one === undefined) return none();
      const name = Buffer.from(one.name);
      return socket.send(ack([0x75, name.length + 1, 0, ...name]), port, address);
    }
    const value = read(id >>> 22, id & 0x3fffff);
    if (value === "silent") return undefined;
    if (value === undefined) return none();
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
