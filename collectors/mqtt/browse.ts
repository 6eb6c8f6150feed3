import type { Timer } from "../collector.ts";
import type { Found } from "../runtime/found.ts";
import { decodeSparkplug, judged, rebirthOf } from "../sparkplug.ts";
import { type BrokerLogin, clientOptions, MqttSession } from "./session.ts";

/** Topics, and values of one topic, that are listed; a broker may have any number. */
const mostTopics = 5_000;
const mostValues = 200;
const mostChars = 80;

interface Seen {
  messages: number;
  /** What the last message held, by where in it. */
  values: readonly Found[];
}

/**
 * Listens at a broker for a while: topics with what their last message held, and what Sparkplug edges announce. Edges
 * that speak and whose birth was not heard are asked for it once.
 *
 * It is another client than the node's, without a session: nothing is taken from the node or acknowledged for it.
 *
 * @throws {Error} where the broker is not reached, or does not let us listen.
 */
export async function browseMqtt(
  config: Omit<BrokerLogin, "sessionExpiry"> & { readonly url: string },
  {
    seconds,
    signal,
    timer,
  }: { readonly seconds: number; readonly signal: AbortSignal; readonly timer: Timer },
): Promise<Found[]> {
  const seen = new Map<string, Seen>();
  const edges = new Set<string>();
  const options = await clientOptions({
    ...config,
    clientId: `${config.clientId}-browse-${process.pid}`,
    sessionExpiry: 0,
  });
  const session = new MqttSession(config.url, options, ({ topic, payload }) => {
    let one = seen.get(topic);
    if (one === undefined) {
      if (seen.size >= mostTopics) return;
      one = { messages: 0, values: [] };
      seen.set(topic, one);
    }
    one.messages++;
    const [space, group, type, edge] = topic.split("/");
    if (space !== "spBv1.0" || group === undefined || edge === undefined) {
      one.values = valuesOf(payload as Buffer);
      return;
    }
    if (type === "NBIRTH") edges.add(`${group}/${edge}`);
    else if ((type === "NDATA" || type === "DDATA") && !edges.has(`${group}/${edge}`)) {
      edges.add(`${group}/${edge}`);
      const asked = rebirthOf(group, edge);
      session.client.publish(asked.topic, asked.payload, { qos: 0 });
    }
    one.values = announced(payload as Buffer);
  });
  try {
    await session.connected();
    const granted = await Promise.race([session.client.subscribeAsync("#", { qos: 0 }), session.lost]);
    if (granted.some(({ qos }) => qos > 2)) throw new Error("the broker does not let this user listen to #");
    await Promise.race([timer.wait(seconds * 1000, signal), session.lost]);
  } finally {
    await session.close();
  }
  return [...seen]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([topic, { messages, values }]) =>
      values.map((value) => ({ topic: topic.slice(0, mostChars * 2), messages, ...value })),
    );
}

/** JSON by its paths, anything else as text. */
function valuesOf(payload: Buffer): Found[] {
  const text = payload.toString();
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null) {
      const found: Found[] = [];
      walk(parsed, "", found);
      return found;
    }
  } catch {
    // No JSON: shown as it is.
  }
  return [{ path: "", value: text.slice(0, mostChars) }];
}

/** Deeper than any message of a device, and shallower than the stack. */
const mostDeep = 20;

function walk(value: unknown, path: string, found: Found[], depth = 0): void {
  if (found.length >= mostValues) return;
  if (typeof value !== "object" || value === null || depth === mostDeep) {
    const shown = typeof value === "number" || typeof value === "boolean" ? value : String(value);
    found.push({ path, value: typeof shown === "string" ? shown.slice(0, mostChars) : shown });
    return;
  }
  for (const [key, inner] of Object.entries(value).slice(0, mostValues))
    walk(
      inner,
      Array.isArray(value) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`,
      found,
      depth + 1,
    );
}

function announced(payload: Buffer): Found[] {
  try {
    return (decodeSparkplug(payload).metrics ?? []).slice(0, mostValues).flatMap((metric) => {
      // Data names what a birth announced by a number.
      if (!metric.name) return [];
      const { value } = judged(metric);
      return [{ path: metric.name, value: typeof value === "string" ? value.slice(0, mostChars) : value }];
    });
  } catch {
    return [{ path: "", value: "not Sparkplug B" }];
  }
}
