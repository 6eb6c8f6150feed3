import { randomBytes } from "node:crypto";
import { encodeDigits } from "../../../collectors/dlt645.ts";
import { meterConfig } from "../../../collectors/meter/config.ts";
import { meterCollector } from "../../../collectors/meter.ts";
import { startFaultProxy } from "../../../collectors/simulators/fault-proxy.ts";
import { type SimulatedMeter, startMeterServer } from "../../../collectors/simulators/meter-server.ts";
import { listenAgain } from "../../support/listen-again.ts";
import type { Adapter } from "./adapter.ts";

const devices = ["mill-1", "mill-2"] as const;

/** A gateway with two meters; every read of a meter's register sees the next number. */
export const meter: Adapter = {
  name: "meter",
  source: "samples",
  async open() {
    const counters = new Map<string, number>(devices.map((device) => [device, 0]));
    const dead = new Set<string>();
    const simulated =
      (device: string): SimulatedMeter =>
      () => {
        if (dead.has(device)) return "silent";
        const value = counters.get(device)!;
        counters.set(device, value + 1);
        return encodeDigits(value, { bytes: 4, decimals: 2, signed: false });
      };
    const meters = new Map(devices.map((device, i) => [`00000000000${i}`, simulated(device)]));
    let server = await startMeterServer(meters, { preambles: 4 });
    const line = await startFaultProxy(server.port, randomBytes);
    return {
      devices,
      line,
      collector: (context, limits) =>
        meterCollector(
          meterConfig.parse({
            host: "127.0.0.1",
            port: line.port,
            timeout: "300ms",
            meters: devices.map((device, i) => ({
              address: `${i}`,
              device,
              registers: [{ identifier: "00 01 00 00", metric: "n", unit: "kW.h", every: "2ms" }],
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
        server = await listenAgain(() => startMeterServer(meters, { port }));
      },
      handedOut: () => [...counters.values()].reduce((sum, n) => sum + n, 0),
      async close() {
        await line.close();
        await server.close();
      },
    };
  },
};
