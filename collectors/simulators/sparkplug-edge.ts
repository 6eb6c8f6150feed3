import mqtt from "mqtt";
import sparkplugPayload from "sparkplug-payload";
import type { UMetric } from "sparkplug-payload/lib/sparkplugbpayload.js";

const codec = sparkplugPayload.get("spBv1.0")!;

export interface SparkplugEdgeOptions {
  readonly url: string;
  readonly group: string;
  readonly edge: string;
  /** Metric names by device; all are doubles, and data names them by alias alone. */
  readonly devices: Readonly<Record<string, readonly string[]>>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface DataOptions {
  /** Milliseconds since the epoch; now when absent. */
  readonly time?: number;
  readonly historical?: boolean;
  /** Sparkplug quality code: 192 good, 0 bad, 500 stale. */
  readonly quality?: number;
}

export interface SparkplugEdge {
  /** Births published so far. */
  readonly births: number;
  data(device: string, metric: string, value: number | null, options?: DataOptions): Promise<void>;
  /** Fault: the next sequence number is left out, as if a message had been lost. */
  skipSequence(): void;
  deviceDeath(device: string): Promise<void>;
  /** Falls off the network: the broker publishes the death it holds as the will. */
  die(): void;
  close(): Promise<void>;
}

/** An edge node that publishes births, data by alias and deaths, and answers a request for rebirth. */
export async function startSparkplugEdge(options: SparkplugEdgeOptions): Promise<SparkplugEdge> {
  const { group, edge, devices, now } = options;
  const topic = (type: string, device?: string) =>
    ["spBv1.0", group, type, edge, ...(device === undefined ? [] : [device])].join("/");
  const birthSequence: UMetric = { name: "bdSeq", type: "Int64", value: 0 };
  const aliases = new Map(
    Object.entries(devices)
      .flatMap(([device, names]) => names.map((name) => `${device} ${name}`))
      .map((key, i) => [key, i + 1]),
  );
  const client = await mqtt.connectAsync(options.url, {
    reconnectPeriod: 0,
    will: {
      topic: topic("NDEATH"),
      payload: Buffer.from(codec.encodePayload({ timestamp: now(), metrics: [birthSequence] })),
      qos: 1,
    },
  });
  let sequence = 0;
  let births = 0;

  async function publish(type: string, device: string | undefined, metrics: UMetric[]): Promise<void> {
    const payload = codec.encodePayload({ timestamp: now(), seq: sequence, metrics });
    sequence = (sequence + 1) % 256;
    await client.publishAsync(topic(type, device), Buffer.from(payload), { qos: 1 });
  }

  async function birth(): Promise<void> {
    sequence = 0;
    births++;
    const rebirth: UMetric = { name: "Node Control/Rebirth", type: "Boolean", value: false };
    await publish("NBIRTH", undefined, [birthSequence, rebirth]);
    for (const [device, names] of Object.entries(devices))
      await publish(
        "DBIRTH",
        device,
        names.map((name) => ({ name, alias: aliases.get(`${device} ${name}`)!, type: "Double", value: 0 })),
      );
  }

  client.on("message", () => void birth());
  await client.subscribeAsync(topic("NCMD"), { qos: 0 });
  await birth();
  return {
    get births() {
      return births;
    },
    data: (device, metric, value, { time = now(), historical = false, quality } = {}) =>
      publish("DDATA", device, [
        {
          alias: aliases.get(`${device} ${metric}`)!,
          type: "Double",
          value,
          timestamp: time,
          ...(historical ? { isHistorical: true } : {}),
          ...(quality === undefined ? {} : { properties: { Quality: { type: "Int32", value: quality } } }),
        },
      ]),
    skipSequence() {
      sequence = (sequence + 1) % 256;
    },
    deviceDeath: (device) => publish("DDEATH", device, []),
    die: () => client.stream.destroy(),
    close: () => client.endAsync(true),
  };
}
