import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/**
 * What the line does to what passes it:
 * - `pass`: nothing;
 * - `freeze`: holds everything back while both sockets stay open (a half-open connection);
 * - `refuse`: closes every new connection at once;
 * - `garbage`: hands the deceived side random bytes instead of what the other one said.
 */
export type Fault = "pass" | "freeze" | "refuse" | "garbage";

/** A TCP line between a collector and a simulated device that can be broken on purpose. */
export interface FaultProxy {
  readonly port: number;
  /** Connections that are open now. */
  readonly connections: number;
  /** Connections accepted since the start. */
  readonly accepted: number;
  set(fault: Fault): void;
  /** Resets every open connection. */
  cut(): void;
  close(): Promise<void>;
}

/**
 * @param targetPort - port of the simulated device on the loopback interface.
 * @param randomBytes - source of the garbage.
 * @param deceived - who gets the garbage: the collector, which is the server where devices dial it.
 */
export async function startFaultProxy(
  targetPort: number,
  randomBytes: (length: number) => Uint8Array,
  deceived: "client" | "server" = "client",
): Promise<FaultProxy> {
  let fault: Fault = "pass";
  let accepted = 0;
  const pairs = new Map<Socket, Socket>();

  const server = createServer((client) => {
    accepted++;
    if (fault === "refuse") {
      client.on("error", () => {});
      client.resetAndDestroy();
      return;
    }
    const device = connect(targetPort, "127.0.0.1");
    pairs.set(client, device);
    client.setNoDelay();
    device.setNoDelay();
    client.on("data", (chunk) => {
      if (fault === "garbage" && deceived === "server") device.write(randomBytes(chunk.length));
      else if (fault !== "freeze") device.write(chunk);
    });
    device.on("data", (chunk) => {
      if (fault === "garbage" && deceived === "client") client.write(randomBytes(chunk.length));
      else if (fault !== "freeze") client.write(chunk);
    });
    const end = () => {
      pairs.delete(client);
      client.destroy();
      device.destroy();
    };
    for (const socket of [client, device]) socket.on("error", end).on("close", end);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  const cut = () => {
    for (const client of [...pairs.keys()]) client.resetAndDestroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return pairs.size;
    },
    get accepted() {
      return accepted;
    },
    set(next) {
      fault = next;
    },
    cut,
    async close() {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}
