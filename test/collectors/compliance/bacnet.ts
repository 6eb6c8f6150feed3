import { bacnetConfig } from "../../../collectors/bacnet/config.ts";
import { bacnetCollector } from "../../../collectors/bacnet.ts";
import { type BacnetServer, startBacnetServer } from "../../../collectors/simulators/bacnet-server.ts";
import type { Adapter } from "./adapter.ts";

const devices = ["chiller-1", "chiller-2"] as const;

/** Two controllers; every read of one sees the next number. There is no connection that could be cut. */
export const bacnet: Adapter = {
  name: "bacnet",
  source: "samples",
  async open() {
    const counters = [0, 0];
    const dead = new Set<string>();
    const start = (i: number, port = 0): Promise<BacnetServer> =>
      startBacnetServer(() => (dead.has(devices[i]!) ? "silent" : counters[i]!++), port);
    const servers = [await start(0), await start(1)];
    return {
      devices,
      collector: (context, limits) =>
        bacnetCollector(
          bacnetConfig.parse({
            timeout: "800ms",
            devices: devices.map((device, i) => ({
              host: "127.0.0.1",
              port: servers[i]!.port,
              device,
              objects: [{ object: "analog-input,1", metric: "n", unit: "1", every: "2ms" }],
            })),
          }),
          context,
          limits,
        ),
      produce: async () => {},
      kill: (device) => void dead.add(device),
      revive: (device) => void dead.delete(device),
      async restart() {
        for (const [i, server] of servers.entries()) {
          await server.close();
          servers[i] = await start(i, server.port);
        }
      },
      handedOut: () => counters[0]! + counters[1]!,
      async close() {
        for (const server of servers) await server.close();
      },
    };
  },
};
