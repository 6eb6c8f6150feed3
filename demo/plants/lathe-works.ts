import { join } from "node:path";
import { encode } from "../../collectors/modbus/registers.ts";
import type { SimulatedUnit } from "../../collectors/simulators/modbus-server.ts";
import { dayMillis, dayStart, hourMillis, minuteMillis, secondMillis, utcOffsetHours } from "../calendar.ts";
import { eachSecond, moments, type Plant, unrest } from "./plant.ts";

/** A stoppage counts after two hours; the lathe stands still for all of them but the last seconds. */
const stoppedBefore = 2 * hourMillis - 35 * secondMillis;
const lathes = ["lathe-1", "lathe-2"] as const;
const energyADay = 2400;
const workShare = 0.85;

const installed = Date.UTC(2024, 0, 1);
/** kW·h since installation. */
const energyAt = (time: number): number => ((time - installed) / dayMillis) * energyADay;
const wholeSeconds = (time: number): string => `${new Date(time).toISOString().slice(0, 19)}Z`;

/** The machine shop: lathes on OPC UA, power and vibration on Modbus. One lathe stops; the other is in maintenance. */
export const latheWorks: Plant = {
  happening: { type: "stoppage", what: "a lathe stands still, and no maintenance is planned" },
  refreshDays: 3,
  sites: (now) => ({
    sites: [{ id: "lathe-hall", industry: "contract machining", utcOffsetHours, norms: {} }],
    devices: [
      { id: "lathe-1", site: "lathe-hall", class: "machine", source: "lathes" },
      {
        id: "lathe-2",
        site: "lathe-hall",
        class: "machine",
        source: "lathes",
        maintenance: [
          {
            from: wholeSeconds(now - 4 * hourMillis),
            until: wholeSeconds(now + 4 * hourMillis),
            reason: "spindle bearings",
          },
        ],
      },
      { id: "hall-meter", site: "lathe-hall", class: "meter", source: "hall" },
    ],
  }),
  past: (now) =>
    moments(dayStart(now) - 64 * dayMillis, now - 4 * hourMillis, hourMillis).flatMap((time) => [
      ...lathes.map((device) => ({ device, metric: "run_state", time, value: workShare }) as const),
      { device: "hall-meter", metric: "active_energy", time, value: energyAt(time) } as const,
    ]),
  collectors: ({ opcua, modbus }, folder) => [
    {
      opcua: {
        name: "lathes",
        endpoint: `opc.tcp://127.0.0.1:${opcua}`,
        security: { mode: "SignAndEncrypt", policy: "Basic256Sha256", pki: join(folder, "pki") },
        identity: "anonymous",
        history: true,
        groups: lathes.map((device) => ({
          device,
          nodes: [
            { node: `ns=1;s=${device}.running`, metric: "run_state", unit: "1" },
            { node: `ns=1;s=${device}.load`, metric: "spindle_load", unit: "%" },
          ],
        })),
      },
    },
    {
      modbus: {
        name: "hall",
        host: "127.0.0.1",
        port: Number(modbus),
        units: [
          {
            unit: 1,
            device: "hall-meter",
            registers: [
              { address: 40001, type: "f32", order: "CDAB", metric: "active_power", unit: "kW" },
              { address: 40003, type: "f64", metric: "active_energy", unit: "kW.h", every: "10s" },
            ],
          },
          {
            unit: 2,
            device: "lathe-1",
            registers: [{ address: 30001, type: "u16", scale: 0.01, metric: "vibration_rms", unit: "mm/s" }],
          },
        ],
      },
    },
  ],
  async start({ folder, now }) {
    const { startOpcuaServer } = await import("../../collectors/simulators/opcua-server.ts");
    const { startModbusServer } = await import("../../collectors/simulators/modbus-server.ts");
    const { StatusCodes } = await import("node-opcua");
    const stopped = now - stoppedBefore;
    const running = (time: number): number => (time < stopped ? 1 : 0);
    const opcua = await startOpcuaServer({
      pki: join(folder, "server-pki"),
      variables: lathes.flatMap((lathe) => [`${lathe}.running`, `${lathe}.load`]),
    });
    const show = (time: number): void => {
      for (const lathe of lathes) {
        const state = running(time);
        opcua.set(`${lathe}.running`, state, StatusCodes.Good, new Date(time));
        opcua.set(`${lathe}.load`, state * (60 + unrest(time, 8)), StatusCodes.Good, new Date(time));
      }
    };
    // The hours before: the server keeps them, and whoever connects now can ask for them.
    for (const time of moments(now - 4 * hourMillis, stopped, minuteMillis)) show(time);
    for (const time of moments(stopped, now, minuteMillis)) show(time);
    const stop = eachSecond(() => show(Date.now()));
    const modbus = await startModbusServer(
      new Map<number, SimulatedUnit>([
        [
          1,
          (_, address, count) => {
            const time = Date.now();
            const power = encode(40 + unrest(time, 3), { type: "f32", order: "CDAB" });
            const energy = encode(energyAt(time), { type: "f64", order: "ABCD" });
            return Buffer.concat([power, energy]).subarray(2 * address, 2 * (address + count));
          },
        ],
        [
          2,
          () =>
            encode(Math.round(100 * (0.3 + Math.abs(unrest(Date.now(), 0.1)))), {
              type: "u16",
              order: "ABCD",
            }),
        ],
      ]),
    );
    return {
      addresses: { opcua: opcua.port, modbus: modbus.port, certificate: opcua.certificateFile },
      async close() {
        stop();
        await Promise.all([opcua.close(), modbus.close()]);
      },
    };
  },
};
