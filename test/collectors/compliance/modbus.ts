import { randomBytes } from "node:crypto";
import { modbusConfig } from "../../../collectors/modbus/config.ts";
import { encode } from "../../../collectors/modbus/registers.ts";
import { modbusCollector } from "../../../collectors/modbus.ts";
import { startFaultProxy } from "../../../collectors/simulators/fault-proxy.ts";
import { type SimulatedUnit, startModbusServer } from "../../../collectors/simulators/modbus-server.ts";
import { listenAgain } from "../../support/listen-again.ts";
import type { Adapter } from "./adapter.ts";

const devices = ["press-1", "press-2"] as const;

/** A gateway with two units; every read of a unit's counter sees the next number. */
const modbus = (framing: "tcp" | "rtu"): Adapter => ({
  name: framing === "tcp" ? "modbus" : "modbus rtu-over-tcp",
  source: "samples",
  async open() {
    const counters = new Map<string, number>(devices.map((device) => [device, 0]));
    const dead = new Set<string>();
    const unit =
      (device: string): SimulatedUnit =>
      () => {
        if (dead.has(device)) return "silent";
        const value = counters.get(device)!;
        counters.set(device, value + 1);
        return encode(value, { type: "u32", order: "CDAB" });
      };
    const units = new Map(devices.map((device, i) => [i + 1, unit(device)]));
    let server = await startModbusServer(units, { framing });
    const line = await startFaultProxy(server.port, randomBytes);
    return {
      devices,
      line,
      collector: (context, limits) =>
        modbusCollector(
          modbusConfig.parse({
            host: "127.0.0.1",
            port: line.port,
            framing,
            timeout: "300ms",
            units: devices.map((device, i) => ({
              unit: i + 1,
              device,
              registers: [
                { address: 40001, type: "u32", order: "CDAB", metric: "n", unit: "1", every: "2ms" },
              ],
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
        server = await listenAgain(() => startModbusServer(units, { framing, port }));
      },
      handedOut: () => [...counters.values()].reduce((sum, n) => sum + n, 0),
      async close() {
        await line.close();
        await server.close();
      },
    };
  },
});

export const modbusTcp = modbus("tcp");
export const modbusRtuOverTcp = modbus("rtu");
