import sparkplugPayload from "sparkplug-payload";
import type { UMetric, UPayload } from "sparkplug-payload/lib/sparkplugbpayload.js";
import { Refusal } from "../core/reasons.ts";
import type { Reading } from "./reading.ts";
import { eventId } from "./runtime/event.ts";
import type { SparkplugConfig } from "./sparkplug/config.ts";

const codec = sparkplugPayload.get("spBv1.0")!;

/** A publisher of births: an edge node, or a device behind one. */
interface Born {
  readonly device: string;
  /** Configured metrics this birth announced. */
  readonly metrics: ReadonlySet<string>;
  alive: boolean;
}

interface EdgeNode {
  /** Metric names by alias, of the node and all its devices. */
  readonly aliases: Map<string, string>;
  readonly born: Map<string, Born>;
  readonly birthSequence: number | undefined;
  /** Sequence number the next message must have, 0 to 255. */
  nextSequence: number;
  /** When a rebirth was last asked for, microseconds; undefined once it came. */
  askedAt: number | undefined;
}

/** An edge node that did not answer is asked for its births again after this long. */
const askAgainMicros = 30_000_000;

export interface SparkplugResult {
  readonly readings: Reading[];
  /** To publish: asks an edge node for its births. */
  readonly rebirth?: { readonly topic: string; readonly payload: Buffer };
}

/**
 * Follows the births, data and deaths of a Sparkplug B group.
 *
 * ```
 * spBv1.0/GROUP/NBIRTH|NDATA|NDEATH/EDGE        spBv1.0/GROUP/DBIRTH|DDATA|DDEATH/EDGE/DEVICE
 * ```
 * @see Sparkplug Specification 3.0.0, sections 5 and 6
 */
export class SparkplugHost {
  readonly #config: SparkplugConfig;
  readonly #wanted: ReadonlyMap<string, { readonly metric: string; readonly unit: string }>;
  readonly #edges = new Map<string, EdgeNode>();

  constructor(config: SparkplugConfig) {
    this.#config = config;
    this.#wanted = new Map(config.metrics.map(({ name, metric, unit }) => [name, { metric, unit }]));
  }

  /**
   * @param received - microseconds since the epoch.
   * @throws {Refusal} message_malformed if topic or payload are not Sparkplug B.
   */
  receive(topic: string, bytes: Buffer, received: number): SparkplugResult {
    const [, group, type, edge, device] = topic.split("/");
    if (group !== this.#config.group || type === undefined || edge === undefined) return { readings: [] };
    if (!/^[ND](BIRTH|DATA|DEATH)$/.test(type)) return { readings: [] };
    const payload = decodeSparkplug(bytes);
    const source = device === undefined ? edge : `${edge}/${device}`;
    switch (type) {
      case "NBIRTH":
        return { readings: this.#nodeBorn(edge, payload, received) };
      case "NDEATH":
        return { readings: this.#nodeDied(edge, payload, received) };
    }
    const node = this.#edges.get(edge);
    if (node === undefined) {
      this.#edges.set(edge, unborn(received));
      return { readings: [], rebirth: rebirthOf(group, edge) };
    }
    const inStep = node.nextSequence === Number(payload.seq ?? -1);
    node.nextSequence = (Number(payload.seq ?? 0) + 1) % 256;
    const readings = this.#deviceMessage(node, type, source, payload, received);
    // Between two messages that do not follow each other a birth may be missing, and with it an alias.
    const answered = node.askedAt === undefined || Math.abs(received - node.askedAt) > askAgainMicros;
    const ask = answered && (!inStep || readings === undefined);
    if (ask) node.askedAt = received;
    return { readings: readings ?? [], ...(ask ? { rebirth: rebirthOf(group, edge) } : {}) };
  }

  #deviceMessage(
    node: EdgeNode,
    type: string,
    source: string,
    payload: UPayload,
    received: number,
  ): Reading[] | undefined {
    if (type === "DBIRTH") return this.#born(node, source, payload, received);
    const born = node.born.get(source);
    if (type === "DDEATH")
      return born === undefined ? [] : this.#died(born, timeOf(payload, received), received);
    return born === undefined ? undefined : this.#readings(node, born, payload, received, true);
  }

  #nodeBorn(edge: string, payload: UPayload, received: number): Reading[] {
    const birthSequence = birthSequenceOf(payload);
    const node: EdgeNode = { ...unborn(undefined), birthSequence, nextSequence: 1 };
    // Devices announce themselves anew; until then they are remembered, so that a death finds them.
    const before = this.#edges.get(edge)?.born ?? new Map<string, Born>();
    for (const [source, born] of before) if (source !== edge) node.born.set(source, born);
    this.#edges.set(edge, node);
    return this.#born(node, edge, payload, received);
  }

  #nodeDied(edge: string, payload: UPayload, received: number): Reading[] {
    const node = this.#edges.get(edge);
    // A will that was left by an earlier connection says nothing about this one.
    if (node === undefined || node.birthSequence !== birthSequenceOf(payload)) return [];
    return [...node.born.values()].flatMap((born) => this.#died(born, received, received));
  }

  #born(node: EdgeNode, source: string, payload: UPayload, received: number): Reading[] {
    const names = (payload.metrics ?? []).flatMap((m) => (m.name ? [m.name] : []));
    for (const { name, alias } of payload.metrics ?? [])
      if (name && alias !== undefined && alias !== null) node.aliases.set(String(alias), name);
    const born: Born = {
      // An edge's name is a stranger's: `constructor` is a name like any other.
      device:
        (Object.hasOwn(this.#config.devices, source) ? this.#config.devices[source] : undefined) ?? source,
      metrics: new Set(names.filter((name) => this.#wanted.has(name))),
      alive: true,
    };
    node.born.set(source, born);
    return this.#readings(node, born, payload, received, false) ?? [];
  }

  /** What a dead source said last no longer holds: every metric it announced becomes a gap. */
  #died(born: Born, time: number, received: number): Reading[] {
    if (!born.alive) return [];
    born.alive = false;
    return [...born.metrics].map((name) => ({
      device: born.device,
      ...this.#wanted.get(name)!,
      value: null,
      time,
      received,
      quality: "bad",
      status: "STALE",
      historical: false,
    }));
  }

  /** @returns undefined if an alias is unknown: the birth that explains it was missed. */
  #readings(
    node: EdgeNode,
    born: Born,
    payload: UPayload,
    received: number,
    firstDelivery: boolean,
  ): Reading[] | undefined {
    const readings: Reading[] = [];
    for (const [index, metric] of (payload.metrics ?? []).entries()) {
      const name = metric.name || node.aliases.get(String(metric.alias));
      if (name === undefined) return undefined;
      const wanted = this.#wanted.get(name);
      if (wanted === undefined) continue;
      const { value, quality, status } = judged(metric);
      readings.push({
        device: born.device,
        metric: wanted.metric,
        value,
        unit: wanted.unit,
        time: timeOf(metric, timeOf(payload, received)),
        received,
        quality,
        status,
        ...(payload.seq === undefined || payload.seq === null ? {} : { sequence: Number(payload.seq) }),
        // Data goes at QoS 0 and comes once; a birth says again what holds.
        event: eventId("seq", Number(payload.seq ?? -1), index),
        ...(firstDelivery ? { firstDelivery: true } : { retold: true }),
        historical: metric.isHistorical === true,
      });
    }
    return readings;
  }
}

const unborn = (askedAt: number | undefined): EdgeNode => ({
  aliases: new Map(),
  born: new Map(),
  birthSequence: undefined,
  nextSequence: 0,
  askedAt,
});

/** @throws {Refusal} message_malformed */
export function decodeSparkplug(bytes: Buffer): UPayload {
  try {
    return codec.decodePayload(bytes);
  } catch (cause) {
    throw new Refusal("message_malformed", "payload is not Sparkplug B", { cause });
  }
}

/** Microseconds since the epoch. */
const timeOf = (timed: { timestamp?: unknown }, otherwise: number): number =>
  timed.timestamp === undefined || timed.timestamp === null ? otherwise : Number(timed.timestamp) * 1000;

const birthSequenceOf = (payload: UPayload): number | undefined => {
  const metric = payload.metrics?.find((m) => m.name === "bdSeq");
  return metric === undefined ? undefined : Number(metric.value);
};

/** @see Sparkplug 3.0.0, 6.4.14 (property Quality) */
const statusNames: Record<number, string> = { 0: "BAD", 192: "GOOD", 500: "STALE" };

export function judged(metric: UMetric): Pick<Reading, "value" | "quality" | "status"> {
  const code = Number(metric.properties?.Quality?.value ?? 192);
  const status = statusNames[code] ?? `quality ${code}`;
  if (metric.isNull || metric.value === null || metric.value === undefined)
    return { value: null, quality: "bad", status: code === 192 ? "null" : status };
  const raw = metric.value;
  const value =
    typeof raw === "number" || typeof raw === "string" || typeof raw === "boolean"
      ? raw
      : "toNumber" in raw
        ? raw.toNumber()
        : undefined;
  if (value === undefined) return { value: null, quality: "bad", status: `type ${metric.type}` };
  if (typeof value === "number" && !Number.isFinite(value))
    return { value: null, quality: "bad", status: `${value}` };
  return { value, quality: code === 192 ? "good" : code >= 64 && code < 128 ? "uncertain" : "bad", status };
}

/** Whether this host is there: an edge that is told so stores while it is not. @see Sparkplug 3.0.0, 6.4.8 */
export const hostState = (
  host: string,
  online: boolean,
  millis: number,
): { readonly topic: string; readonly payload: Buffer } => ({
  topic: `spBv1.0/STATE/${host}`,
  payload: Buffer.from(JSON.stringify({ online, timestamp: millis })),
});

export function saysOffline(payload: Buffer): boolean {
  try {
    return (JSON.parse(payload.toString()) as { online?: unknown } | null)?.online === false;
  } catch {
    return false;
  }
}

/** Asks an edge node for its births. */
export const rebirthOf = (group: string, edge: string): { topic: string; payload: Buffer } => ({
  topic: `spBv1.0/${group}/NCMD/${edge}`,
  payload: Buffer.from(
    codec.encodePayload({ metrics: [{ name: "Node Control/Rebirth", type: "Boolean", value: true }] }),
  ),
});
