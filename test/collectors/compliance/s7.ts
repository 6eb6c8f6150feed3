import { randomBytes } from "node:crypto";
import { s7Config } from "../../../collectors/s7/config.ts";
import { s7Collector } from "../../../collectors/s7.ts";
import { startFaultProxy } from "../../../collectors/simulators/fault-proxy.ts";
import { startS7Server } from "../../../collectors/simulators/s7-server.ts";
import { listenAgain } from "../../support/listen-again.ts";
import type { Adapter } from "./adapter.ts";

const devices = ["press-1", "press-2"] as const;

/** A controller with a data block for each press; every read of one sees the next number. */
export const s7: Adapter = {
  name: "s7",
  source: "samples",
  async open() {
    const counters = [0, 0];
    const dead = new Set<string>();
    const read = (db: number): Buffer | undefined => {
      if (dead.has(devices[db - 1]!)) return undefined;
      const n = Buffer.alloc(4);
      n.writeInt32BE(counters[db - 1]!++);
      return n;
    };
    let server = await startS7Server(read);
    const line = await startFaultProxy(server.port, randomBytes);
    return {
      devices,
      line,
      collector: (context, limits) =>
        s7Collector(
          s7Config.parse({
            host: "127.0.0.1",
            port: line.port,
            device: "plant",
            timeout: "800ms",
            tags: devices.map((device, i) => ({
              address: `DB${i + 1}.DBD0`,
              type: "i32",
              device,
              metric: "n",
              unit: "1",
              every: "2ms",
            })),
          }),
          context,
          limits,
        ),
      produce: async () => {},
      kill: (device) => void dead.add(device),
      revive: (device) => void dead.delete(device),
      async restart() {
        const { port } = server;
        await server.close();
        server = await listenAgain(() => startS7Server(read, port));
      },
      handedOut: () => counters[0]! + counters[1]!,
      async close() {
        await line.close();
        await server.close();
      },
    };
  },
};
