import { randomBytes } from "node:crypto";
import { iec104Config } from "../../../collectors/iec104/config.ts";
import { iec104Collector } from "../../../collectors/iec104.ts";
import { startFaultProxy } from "../../../collectors/simulators/fault-proxy.ts";
import { startIec104Server } from "../../../collectors/simulators/iec104-server.ts";
import type { Adapter } from "./adapter.ts";

const devices = ["feeder-1", "feeder-2"] as const;

/** A station that tells each value once it has one, and again on a new connection where it was not acknowledged. */
export const iec104: Adapter = {
  name: "iec104",
  source: "repeats",
  async open() {
    const server = await startIec104Server(60);
    const line = await startFaultProxy(server.port, randomBytes);
    const next = new Map<string, number>(devices.map((device) => [device, 0]));
    const dead = new Set<string>();
    return {
      devices,
      line,
      collector: (context, limits) =>
        iec104Collector(
          iec104Config.parse({
            host: "127.0.0.1",
            port: line.port,
            zone: "UTC",
            device: "station",
            timeout: "800ms",
            idle: "200ms",
            points: devices.map((device, i) => ({ address: 100 + i, device, metric: "n", unit: "1" })),
          }),
          context,
          limits,
        ),
      async produce(device, count) {
        if (dead.has(device)) return;
        for (let i = 0; i < count; i++) {
          const n = next.get(device)!;
          next.set(device, n + 1);
          server.tell(100 + devices.indexOf(device as (typeof devices)[number]), n);
        }
      },
      kill: (device) => void dead.add(device),
      revive: (device) => void dead.delete(device),
      acknowledged: () => server.acknowledged,
      handedOut: () => server.handedOut,
      async close() {
        await line.close();
        await server.close();
      },
    };
  },
};
