import { randomBytes } from "node:crypto";
import mqtt from "mqtt";
import { mqttConfig } from "../../../collectors/mqtt/config.ts";
import { mqttCollector } from "../../../collectors/mqtt.ts";
import { startFaultProxy } from "../../../collectors/simulators/fault-proxy.ts";
import {
  findMosquitto,
  type MqttBroker,
  startAedes,
  startMosquitto,
} from "../../../collectors/simulators/mqtt-broker.ts";
import { leftOut } from "../../support/left-out.ts";
import type { Adapter } from "./adapter.ts";

const devices = ["truck-1", "truck-2"] as const;
const clientId = "compliance";

const adapter = (
  name: string,
  protocol: "3.1.1" | "5",
  source: Adapter["source"],
  start: () => Promise<MqttBroker>,
): Adapter => ({
  name,
  source,
  async open() {
    const broker = await start();
    const line = await startFaultProxy(broker.port, randomBytes);
    const publisher = await mqtt.connectAsync(`mqtt://127.0.0.1:${broker.port}`, { reconnectPeriod: 20 });
    const next = new Map<string, number>(devices.map((device) => [device, 0]));
    const dead = new Set<string>();
    const { acknowledgedBy } = broker;
    return {
      devices,
      line,
      collector: (context, limits) =>
        mqttCollector(
          mqttConfig.parse({
            url: `mqtt://127.0.0.1:${line.port}`,
            protocol,
            clientId,
            identity: "anonymous",
            keepAlive: "1s",
            timeout: "2s",
            inFlight: 50,
            topics: [
              {
                topic: "fleet/{device}/state",
                format: "json",
                fields: [{ path: "state.n", metric: "n", unit: "1" }],
              },
            ],
          }),
          context,
          limits,
        ),
      async produce(device, count) {
        if (dead.has(device)) return;
        const sent: Promise<unknown>[] = [];
        for (let i = 0; i < count; i++) {
          const n = next.get(device)!;
          next.set(device, n + 1);
          sent.push(
            publisher.publishAsync(`fleet/${device}/state`, JSON.stringify({ state: { n } }), { qos: 1 }),
          );
        }
        await Promise.all(sent);
      },
      kill: (device) => void dead.add(device),
      revive: (device) => void dead.delete(device),
      restart: () => broker.restart(),
      ...(acknowledgedBy === undefined ? {} : { acknowledged: () => acknowledgedBy(clientId) }),
      async close() {
        await publisher.endAsync(true);
        await line.close();
        await broker.close();
      },
    };
  },
});

const mosquitto = findMosquitto();
if (mosquitto === undefined) leftOut("mosquitto: collector compliance over a real broker");

/**
 * MQTT 5 over a real mosquitto where it is installed, and always MQTT 3.1.1 over the embedded broker, which
 * mixes kept and new messages after a reconnect and repeats without DUP.
 */
export const mqttAdapters: readonly Adapter[] = [
  adapter("mqtt 3.1.1", "3.1.1", "repeats", startAedes),
  ...(mosquitto === undefined
    ? []
    : [adapter("mqtt 5 (mosquitto)", "5", "keeps", () => startMosquitto(mosquitto))]),
];
