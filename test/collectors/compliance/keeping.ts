import { randomBytes } from "node:crypto";
import { gb32960Collector } from "../../../collectors/gb32960/collector.ts";
import { gb32960Config } from "../../../collectors/gb32960/config.ts";
import { command, encodeMessage, encodeTime, response } from "../../../collectors/gb32960.ts";
import { hj212Collector } from "../../../collectors/hj212/collector.ts";
import { hj212Config } from "../../../collectors/hj212/config.ts";
import { encodeFrame } from "../../../collectors/hj212.ts";
import { startFaultProxy } from "../../../collectors/simulators/fault-proxy.ts";
import {
  type KeepingClientOptions,
  startKeepingClient,
} from "../../../collectors/simulators/keeping-client.ts";
import { freePort } from "../../support/collecting.ts";
import type { Adapter, Rig } from "./adapter.ts";

/** Two devices that dial, and keep what is not answered. */
const keeping = (
  name: string,
  devices: Rig["devices"],
  of: (port: number) => {
    readonly collector: Rig["collector"];
    readonly client: (device: string) => Omit<KeepingClientOptions, "port">;
    readonly message: (device: string, n: number) => Buffer;
  },
): Adapter => ({
  name,
  source: "keeps",
  async open() {
    const port = await freePort();
    const { collector, client, message } = of(port);
    const line = await startFaultProxy(port, randomBytes, "server");
    const clients = new Map(
      devices.map((device) => [device, startKeepingClient({ ...client(device), port: line.port })]),
    );
    const next = new Map<string, number>(devices.map((device) => [device, 0]));
    const all = [...clients.values()];
    return {
      devices,
      line,
      listens: true,
      collector,
      async produce(device, count) {
        for (let i = 0; i < count; i++) {
          const n = next.get(device)!;
          next.set(device, n + 1);
          clients.get(device)!.send(message(device, n));
        }
      },
      kill: (device) => clients.get(device)!.switchOff(),
      revive: (device) => clients.get(device)!.switchOn(),
      async restart() {
        for (const one of all) one.switchOff();
        for (const one of all) one.switchOn();
      },
      acknowledged: () => all.reduce((sum, one) => sum + one.acknowledged, 0),
      async close() {
        for (const one of all) one.switchOff();
        await line.close();
      },
    };
  },
});

const two = (n: number): string => String(n).padStart(2, "0");
/** A time of day that counts, at Beijing. */
const clockOf = (n: number): string => {
  const date = new Date(Date.now() + 8 * 3_600_000 - 200_000 + 20 * n);
  const [day, time] = date.toISOString().slice(0, 19).split("T") as [string, string];
  return `${day.replaceAll("-", "")}${time.replaceAll(":", "")}`;
};

export const hj212 = keeping("hj212", ["stack-1", "stack-2"], (port) => {
  process.env.HJ212_TEST_PASSWORD = "123456";
  const stations = ["stack-1", "stack-2"].map((device, i) => ({
    mn: `010000A8900016F00016900${i}`,
    password: { env: "HJ212_TEST_PASSWORD" },
    device,
  }));
  return {
    collector: (context, limits) =>
      hj212Collector(
        hj212Config.parse({
          listen: `127.0.0.1:${port}`,
          silence: "3s",
          stations,
          readings: [{ factor: "a21026", metric: "n", unit: "1" }],
        }),
        context,
        limits,
      ),
    client: (device) => {
      const { mn } = stations.find((one) => one.device === device)!;
      return {
        hello: encodeFrame(`QN=${clockOf(0)}000;ST=91;CN=9015;PW=123456;MN=${mn};Flag=5;CP=&&&&`),
        answers: (received) => received.includes("CN=9014"),
      };
    },
    message: (device, n) => {
      const { mn } = stations.find((one) => one.device === device)!;
      const qn = `${clockOf(n)}${two(n % 1000).padStart(3, "0")}`;
      return encodeFrame(
        `QN=${qn};ST=31;CN=2011;PW=123456;MN=${mn};Flag=5;CP=&&DataTime=${clockOf(n)};a21026-Rtd=${n},a21026-Flag=N&&`,
      );
    },
  };
});

const vins = ["LA9DHKMT5HBJXK236", "LA9DHKMT5HBJXK237"];
const iccid = (i: number): string => `8986061603005447863${i}`;

export const gb32960 = keeping("gb32960", ["bus-1", "bus-2"], (port) => ({
  collector: (context, limits) =>
    gb32960Collector(
      gb32960Config.parse({
        listen: `127.0.0.1:${port}`,
        silence: "3s",
        authentication: "iccid",
        vehicles: vins.map((vin, i) => ({ vin, iccid: iccid(i), device: `bus-${i + 1}` })),
        datum: "WGS-84",
        readings: [{ from: "mileage", metric: "n" }],
      }),
      context,
      limits,
    ),
  client: (device) => {
    const i = Number(device.at(-1)) - 1;
    const login = Buffer.concat([
      encodeTime(Date.now() * 1000),
      Buffer.of(0, 1),
      Buffer.from(iccid(i)),
      Buffer.of(0, 0),
    ]);
    return {
      hello: encodeMessage({
        command: command.login,
        response: response.command,
        vin: vins[i]!,
        data: login,
      }),
      answers: (received) => received.includes(Buffer.of(0x23, 0x23)) && received.includes(vins[i]!),
    };
  },
  message: (device, n) => {
    const vehicle = Buffer.alloc(21);
    vehicle[0] = 1;
    vehicle.writeUInt32BE(n * 10, 6);
    const data = Buffer.concat([encodeTime(Date.now() * 1000), vehicle]);
    const vin = vins[Number(device.at(-1)) - 1]!;
    return encodeMessage({ command: command.report, response: response.command, vin, data });
  },
}));
