import {
  AttributeIds,
  ClientMonitoredItemGroup,
  type ClientSession,
  type ClientSubscription,
  DataChangeFilter,
  DataChangeTrigger,
  type DataValue,
  DeadbandType,
  TimestampsToReturn,
  type UserIdentityInfo,
} from "node-opcua";
import type { Collector, CollectorContext } from "./collector.ts";
import type { OpcuaConfig } from "./opcua/config.ts";
import { connectOpcua, readIdentity, withDeadline } from "./opcua/connect.ts";
import { mostValues, readHistory } from "./opcua/history.ts";
import { namespaceResolver } from "./opcua/namespaces.ts";
import { sourceTime, toReading } from "./opcua/values.ts";
import type { Reading } from "./reading.ts";
import { type Link, type SuperviseLimits, supervise } from "./runtime/supervise.ts";
import { Watchdog } from "./runtime/watchdog.ts";

/** A subscription that misses this many keep-alives in a row is taken for dead and built anew. */
const missedKeepAlives = 3;
/** The server deletes the subscription of a client that was silent for this many keep-alive periods. */
const lifetimeKeepAlives = 10;

type Group = OpcuaConfig["groups"][number];

/** One monitored node, kept from connection to connection. */
interface Item {
  readonly device: string;
  readonly node: string;
  readonly metric: string;
  readonly unit: string;
  readonly group: Group;
  /** Source time of the last value handed on, microseconds: where an outage began. */
  lastTime: number | undefined;
  /** Whether the next value may leave a gap behind it, or be one that was handed on before. */
  afterGap: boolean;
  history: boolean;
}

interface Change {
  readonly item: Item;
  readonly value: DataValue;
}

/**
 * Subscribes to the nodes of an OPC UA server.
 *
 * After every loss session, subscription and monitored items are made anew; with `history` the values in
 * between are read from the server, marked `historical`, and handed on before the live ones. The first value
 * of a new subscription is the node's current one: it is left out where it was handed on before.
 */
export function opcuaCollector(
  config: OpcuaConfig,
  context: CollectorContext,
  limits: SuperviseLimits = {},
): Collector {
  const items: Item[] = config.groups.flatMap((group) =>
    group.nodes.map(({ node, metric, unit }) => ({
      device: group.device,
      node,
      metric,
      unit,
      group,
      lastTime: context.lastStored?.(group.device, metric),
      afterGap: true,
      history: config.history,
    })),
  );
  let identity: UserIdentityInfo;
  return supervise(
    config.name ?? config.endpoint,
    context,
    {
      async prepare() {
        identity = await readIdentity(config.identity);
      },
      run: (link) => subscribeUntilLost(link, config, context, identity, items),
    },
    limits,
  );
}

async function subscribeUntilLost(
  link: Link,
  config: OpcuaConfig,
  context: CollectorContext,
  identity: UserIdentityInfo,
  items: readonly Item[],
): Promise<void> {
  const connection = await connectOpcua(config, identity, context, link.signal);
  const { promise: ended, resolve: end, reject: fail } = Promise.withResolvers<void>();
  ended.catch(() => {});
  link.signal.addEventListener("abort", () => end(), { once: true });
  connection.lost.catch(fail);
  let watchdog: Watchdog | undefined;
  try {
    const { session } = connection;
    const subscription = await withDeadline(
      config.timeout,
      session.createSubscription2({
        requestedPublishingInterval: config.publishing,
        requestedMaxKeepAliveCount: Math.ceil(config.keepAlive / config.publishing),
        requestedLifetimeCount: lifetimeKeepAlives * Math.ceil(config.keepAlive / config.publishing),
        maxNotificationsPerPublish: 1_000,
        publishingEnabled: true,
      }),
    );
    const silenceMillis = missedKeepAlives * subscription.publishingInterval * subscription.maxKeepAliveCount;
    watchdog = new Watchdog(silenceMillis, () => fail(new Error(`no keep-alive for ${silenceMillis} ms`)));
    const alive = watchdog;
    for (const event of ["keepalive", "received_notifications"]) subscription.on(event, () => alive.feed());
    subscription.on("status_changed", (status: { name: string }) =>
      fail(new Error(`subscription ended: ${status.name}`)),
    );
    subscription.on("terminated", () => fail(new Error("subscription ended")));

    for (const item of items) item.afterGap = true;
    const resolveNode = await namespaceResolver(session);
    const handOn = inOrder(link, session, subscription, resolveNode, fail);
    await withDeadline(config.timeout, monitorGroups(link, subscription, items, resolveNode, handOn));
    link.connected();
    await ended;
  } finally {
    watchdog?.stop();
    await connection.close();
  }
}

/** Creates the monitored items, one group at a time; a node the server refuses is counted and left out. */
async function monitorGroups(
  link: Link,
  subscription: ClientSubscription,
  items: readonly Item[],
  resolveNode: (node: string) => string,
  handOn: (change: Change) => void,
): Promise<void> {
  for (const [group, members] of Map.groupBy(items, (item) => item.group)) {
    const monitored = ClientMonitoredItemGroup.create(
      subscription,
      members.map((item) => ({ nodeId: resolveNode(item.node), attributeId: AttributeIds.Value })),
      {
        samplingInterval: group.sampling === "on change" ? 0 : group.sampling,
        queueSize: group.queue,
        discardOldest: true,
        filter: filterOf(group),
      },
      TimestampsToReturn.Both,
    );
    monitored.on("changed", (_, value, index) => handOn({ item: members[index]!, value }));
    await new Promise<void>((resolve, reject) => {
      monitored.on("initialized", resolve);
      const nodes = members.slice(0, 3).map(({ node }) => node);
      monitored.on("err", (message) =>
        reject(new Error(`${nodes.join(", ")}${members.length > 3 ? ", …" : ""}: ${message}`)),
      );
    });
    for (const [index, { statusCode }] of monitored.monitoredItems.entries())
      if (statusCode.isBad()) link.failed(new Error(`${members[index]!.node}: ${statusCode.name}`));
  }
}

/** A change of the source's time alone is a new reading, so it triggers too; a deadband excludes that. */
function filterOf(group: Group): DataChangeFilter {
  const { deadband } = group;
  if (deadband === undefined)
    return new DataChangeFilter({ trigger: DataChangeTrigger.StatusValueTimestamp });
  return new DataChangeFilter({
    trigger: DataChangeTrigger.StatusValue,
    deadbandType: "absolute" in deadband ? DeadbandType.Absolute : DeadbandType.Percent,
    deadbandValue: "absolute" in deadband ? deadband.absolute : deadband.percent,
  });
}

/** Changes that wait while the server is told to hold back; one that goes on is left. */
const mostWaiting = 100_000;

/**
 * @returns a function that hands changes on in the order they came. While the reader is behind, the server is
 * told to hold its publications back, and keeps them in its own queues.
 * @internal
 */
export function inOrder(
  link: Pick<Link, "emit" | "failed" | "now" | "signal">,
  session: ClientSession,
  subscription: Pick<ClientSubscription, "setPublishingMode">,
  resolveNode: (node: string) => string,
  fail: (error: unknown) => void,
): (change: Change) => void {
  let inbox: Change[] = [];
  let busy = false;
  let held = false;

  async function drain(): Promise<void> {
    busy = true;
    while (inbox.length > 0) {
      const changes = inbox;
      inbox = [];
      const readings: Reading[] = [];
      for (const change of changes) readings.push(...(await readingsOf(link, session, resolveNode, change)));
      if (readings.length > 0) await link.emit(readings);
    }
    busy = false;
    if (held && !link.signal.aborted) {
      held = false;
      await subscription.setPublishingMode(true);
    }
  }

  return (change) => {
    if (inbox.length === mostWaiting)
      return fail(new Error("the server goes on although it was told to hold"));
    inbox.push(change);
    if (!busy) drain().catch(fail);
    else if (!held) {
      held = true;
      subscription.setPublishingMode(false).catch(fail);
    }
  };
}

/** The reading of a change, and before it what the server's history holds since the last one handed on. */
async function readingsOf(
  link: Pick<Link, "failed" | "now">,
  session: ClientSession,
  resolveNode: (node: string) => string,
  { item, value }: Change,
): Promise<Reading[]> {
  const time = sourceTime(value);
  const gap = item.afterGap || value.statusCode.hasOverflowBit;
  item.afterGap = false;
  const since = item.lastTime;
  if (gap && since !== undefined && time === since) return [];
  const missed: DataValue[] = [];
  if (gap && item.history && since !== undefined && time !== undefined && time > since) {
    try {
      const old = await readHistory(session, resolveNode(item.node), since, time);
      for (const one of old) missed.push(one);
      if (old.length >= mostValues)
        link.failed(
          new Error(`${item.node}: of its history ${old.length} values are taken, the rest stays a gap`),
        );
    } catch (error) {
      // A lost connection is not the node's answer: the gap is filled after the next connection.
      if (!(error as Error).message.startsWith("no history")) throw error;
      item.history = false;
      link.failed(error);
    }
  }
  const received = link.now();
  item.lastTime = time ?? item.lastTime;
  return [
    ...missed.map((old) => toReading(item, old, received, true)),
    toReading(item, value, received, false),
  ];
}
