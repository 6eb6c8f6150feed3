import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { cause, control, encodeApdu, modulus, takeApdu } from "../iec104/protocol.ts";

export interface Iec104Server {
  readonly port: number;
  /** Values acknowledged by the other side. */
  readonly acknowledged: number;
  /** Values sent, those sent again not counted. */
  readonly handedOut: number;
  /** Tells of a point, now or when somebody is there; kept until it is acknowledged. */
  tell(address: number, value: number): void;
  close(): Promise<void>;
}

/**
 * A station that keeps what is not acknowledged and tells it again on the next connection, in order.
 * @param window - frames that may be unacknowledged (k).
 */
export async function startIec104Server(window = 12, station = 1): Promise<Iec104Server> {
  const kept: Buffer[] = [];
  let acknowledged = 0;
  let handedOut = 0;
  let mostSent = 0;
  let talk: (() => void) | undefined;
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    // Of this connection: frames sent, and how many of those in `kept` they are.
    let sent = 0;
    let underWay = 0;
    let received = 0;
    let started = false;
    let pending: Buffer = Buffer.alloc(0);
    const mine = (): void => {
      while (started && underWay < Math.min(window, kept.length)) {
        socket.write(encodeApdu({ kind: "I", sent, received, asdu: kept[underWay]! }));
        sent = (sent + 1) % modulus;
        underWay++;
        mostSent = Math.max(mostSent, acknowledged + underWay);
        handedOut = mostSent;
      }
    };
    open.add(socket);
    socket
      .on("error", () => {})
      .on("close", () => {
        open.delete(socket);
        if (talk === mine) talk = undefined;
      });
    const heard = (number: number): void => {
      const first = (sent - underWay + modulus) % modulus;
      const done = Math.min(underWay, (number - first + modulus) % modulus);
      kept.splice(0, done);
      underWay -= done;
      acknowledged += done;
      mine();
    };
    socket.on("data", (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      try {
        for (let found = takeApdu(pending); found !== undefined; found = takeApdu(pending)) {
          pending = found.rest;
          const { apdu } = found;
          if (apdu.kind === "U") {
            if (apdu.control === control.startAct) {
              started = true;
              talk = mine;
              socket.write(encodeApdu({ kind: "U", control: control.startCon }));
              mine();
            } else if (apdu.control === control.testAct)
              socket.write(encodeApdu({ kind: "U", control: control.testCon }));
            continue;
          }
          if (apdu.kind === "I") {
            received = (apdu.sent + 1) % modulus;
            socket.write(encodeApdu({ kind: "S", received }));
          }
          heard(apdu.received);
        }
      } catch {
        socket.destroy();
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    get acknowledged() {
      return acknowledged;
    },
    get handedOut() {
      return handedOut;
    },
    tell(address, value) {
      const asdu = Buffer.alloc(14);
      asdu.set([13, 1, cause.spontaneous, 0]);
      asdu.writeUInt16LE(station, 4);
      asdu.writeUIntLE(address, 6, 3);
      asdu.writeFloatLE(value, 9);
      kept.push(asdu);
      talk?.();
    },
    async close() {
      server.close();
      for (const socket of open) socket.destroy();
      await once(server, "close");
    },
  };
}
