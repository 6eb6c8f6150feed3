import type { IClientOptions, IPublishPacket } from "mqtt";
import type { Collector, CollectorContext } from "./collector.ts";
import type { MqttConfig, Topic } from "./mqtt/config.ts";
import { readPayload } from "./mqtt/payload.ts";
import { Receipts } from "./mqtt/receipts.ts";
import { clientOptions, MqttSession, mostPayloadBytes } from "./mqtt/session.ts";
import { type TopicPattern, topicPattern } from "./mqtt/topics.ts";
import type { Reading } from "./reading.ts";
import { unreadable } from "./runtime/event.ts";
import { type Link, type SuperviseLimits, supervise } from "./runtime/supervise.ts";
import { hostState, SparkplugHost, saysOffline } from "./sparkplug.ts";

/** Longest wait at the end for the store to take what was received. */
const drainMillis = 5_000;

type Route = TopicPattern & { readonly topic: Topic };

/** What is kept from connection to connection. */
interface State {
  readonly routes: readonly Route[];
  readonly receipts: Receipts;
  readonly sparkplug: SparkplugHost | undefined;
}

/**
 * Subscribes to an MQTT broker with a persistent session at QoS 1.
 *
 * A message is acknowledged when its readings are stored, not when they are received, so the broker keeps what a
 * crash would lose. The broker bounds what is under way (`inFlight`); messages of QoS 0 cannot be slowed, and are
 * counted as errors when the queue is full.
 */
export function mqttCollector(
  config: MqttConfig,
  context: CollectorContext,
  limits: SuperviseLimits = {},
): Collector {
  const state: State = {
    routes: config.topics.map((topic) => ({ ...topicPattern(topic.topic), topic })),
    receipts: new Receipts(),
    sparkplug: config.sparkplug && new SparkplugHost(config.sparkplug),
  };
  let options: IClientOptions;
  return supervise(
    config.name ?? config.url,
    context,
    {
      async prepare() {
        options = await clientOptions(config);
      },
      run: (link) => receiveUntilLost(link, config, options, state),
    },
    limits,
  );
}

async function receiveUntilLost(
  link: Link,
  config: MqttConfig,
  options: IClientOptions,
  { routes, receipts, sparkplug }: State,
): Promise<void> {
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
  if (link.signal.aborted) return;
  link.signal.addEventListener("abort", () => stop(), { once: true });

  // The will and the word that we are there bear one time, so that a will of before is known as such.
  const host = config.sparkplug?.host;
  const state = (online: boolean) => hostState(host!, online, since);
  const since = Math.round(link.now() / 1000);
  const will = host === undefined ? undefined : { ...state(false), qos: 1 as const, retain: true };
  const session = new MqttSession(config.url, { ...options, ...(will && { will }) }, (packet) => {
    // What comes after stop() stays unacknowledged: the broker keeps it for the next start.
    if (link.signal.aborted) return;
    receive(packet);
  });
  // Messages of a kept session follow CONNACK at once, before any promise of it could settle.
  session.client.prependOnceListener("connect", (packet) =>
    receipts.connected(packet.sessionPresent, (id) => session.acknowledge(id)),
  );

  function receive(packet: IPublishPacket): void {
    const payload = packet.payload as Buffer;
    if (packet.qos === 0) {
      link.offer(read(packet, payload));
      return;
    }
    const stored = receipts.take(packet);
    if (stored !== undefined) link.force(read(packet, payload), stored);
  }

  function announce(online: boolean): void {
    const { topic, payload } = state(online);
    session.client.publish(topic, payload, { qos: 1, retain: true });
  }

  /** A message that cannot be read is counted and set aside: it would come back for ever. */
  function read({ topic, messageId = 0, dup, qos }: IPublishPacket, payload: Buffer): Reading[] {
    const received = link.now();
    try {
      if (payload.length > mostPayloadBytes)
        throw new Error(`${payload.length} bytes, where a message has at most ${mostPayloadBytes}`);
      if (host !== undefined && topic === state(true).topic) {
        // A will of before, or somebody else's. Two hosts of one name do not answer each other.
        if (saysOffline(payload)) announce(true);
        return [];
      }
      if (sparkplug !== undefined && topic.startsWith("spBv1.0/")) {
        const { readings, rebirth } = sparkplug.receive(topic, payload, received);
        if (rebirth !== undefined) session.client.publish(rebirth.topic, rebirth.payload, { qos: 0 });
        return readings;
      }
      for (const route of routes) {
        const found = route.match(topic);
        if (found === undefined) continue;
        const device = found.device ?? route.topic.device ?? "";
        return readPayload(route.topic, payload, {
          device,
          metric: found.metric,
          received,
          delivery: messageId,
          first: qos === 0 || !dup,
        });
      }
      throw new Error(`no topic of the configuration matches ${topic}`);
    } catch (error) {
      link.failed(error);
      const start = payload.subarray(0, 8_000).toString();
      return [unreadable("", topic, start, (error as Error).message, received)];
    }
  }

  try {
    const kept = await Promise.race([session.connected(), stopped]);
    if (kept === undefined) return;
    if (!kept || config.protocol === "5") {
      await Promise.race([subscribe(link, session, config, routes), session.lost, stopped]);
      if (link.signal.aborted) return;
    }
    if (host !== undefined) announce(true);
    link.connected();
    await Promise.race([stopped, session.lost]);
    if (host !== undefined) announce(false);
    await drained(link, receipts, session);
  } finally {
    receipts.disconnected();
    await session.close();
  }
}

/** @throws {Error} if the broker refuses a subscription, or does not answer it. */
async function subscribe(
  link: Link,
  session: MqttSession,
  config: MqttConfig,
  routes: readonly Route[],
): Promise<void> {
  const prefix = config.share === undefined ? "" : `$share/${config.share}/`;
  const filters = routes.map((route) => route.filter);
  if (config.sparkplug !== undefined) filters.push(`spBv1.0/${config.sparkplug.group}/#`);
  if (config.sparkplug?.host !== undefined) filters.push(hostState(config.sparkplug.host, true, 0).topic);
  for (const filter of new Set(filters)) {
    // rh 1: retained messages only where the subscription is new, or every reconnect would repeat them.
    const options =
      config.protocol === "5" && prefix === "" ? ({ qos: 1, rh: 1 } as const) : ({ qos: 1 } as const);
    const answered = new AbortController();
    const late = link.timer.wait(config.timeout, answered.signal).then(() => {
      throw new Error(`the broker does not answer the subscription of ${prefix}${filter}`);
    });
    late.catch(() => {});
    const asked = session.client.subscribeAsync(prefix + filter, options);
    asked.catch(() => {});
    const granted = await Promise.race([asked, late]).finally(() => answered.abort());
    if (granted.some(({ qos }) => qos > 2)) throw new Error(`broker refuses ${prefix}${filter}`);
  }
}

/** Waits until what was received is stored and acknowledged, or the store does not take it in time. */
async function drained(link: Link, receipts: Receipts, session: MqttSession): Promise<void> {
  const deadline = link.timer.elapsed() + drainMillis;
  const never = new AbortController().signal;
  const lost = session.lost.catch(() => true);
  while (receipts.waiting > 0 && link.timer.elapsed() < deadline)
    if (await Promise.race([lost, link.timer.wait(10, never)])) return;
}
