import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import type { ExecutionContext } from "ava";
import { eventually } from "../../bench/cases/within.ts";
import type { Collector } from "../../collectors/collector.ts";

const pour = (socket: Socket, bytes: Buffer): void => {
  const more = (): void => {
    while (!socket.destroyed && socket.write(bytes));
  };
  socket.on("drain", more);
  more();
};

/** What a server may do to whoever connects, whatever its protocol is; `head` begins a frame of it. */
const acts = (head: Buffer): Readonly<Record<string, (socket: Socket) => void>> => ({
  "floods with zeros": (socket) => pour(socket, Buffer.alloc(65_536)),
  "floods with heads of frames": (socket) => pour(socket, Buffer.concat(Array(1000).fill(head))),
  "begins a frame and ends it never": (socket) => void socket.write(head),
  "says nothing": () => {},
  "closes at once": (socket) => void socket.destroy(),
});

/** Lets a collector connect to each hostile server in turn: nothing is believed, and memory stays bounded. */
export async function survivesHostileServers(
  t: ExecutionContext,
  head: Buffer,
  collectorOf: (port: number) => Collector,
): Promise<void> {
  for (const [what, act] of Object.entries(acts(head))) {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket.on("error", () => {}));
      socket.resume();
      act(socket);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const before = process.memoryUsage().rss;
    const collector = collectorOf((server.address() as AddressInfo).port);
    await collector.start();
    try {
      await eventually(
        () => collector.health().errors > 0,
        () => what,
      );
    } finally {
      await collector.stop();
      for (const socket of sockets) socket.destroy();
      server.close();
    }
    t.is(collector.health().readings, 0, what);
    t.true(process.memoryUsage().rss - before < 300 * 2 ** 20, what);
  }
}
