import { parse as parseCsv } from "csv-parse/sync";
import type { z } from "zod";
import { Refusal } from "../../core/reasons.ts";
import { readIso, timeReader } from "../file/time.ts";
import type { Position, Reading } from "../reading.ts";
import { eventId, ordinals, unreadable } from "../runtime/event.ts";
import type { csvFormat, jsonFormat, Topic } from "./config.ts";

/** How a payload is read, whatever brought it. */
export type PayloadFormat = Json | Csv | Text;
type Json = z.output<typeof jsonFormat>;
type Csv = z.output<typeof csvFormat>;
type Text = Extract<Topic, { format: "text" }>;

/** What every reading of a message has in common. */
interface Origin {
  readonly device: string;
  readonly metric: string | undefined;
  /** Microseconds since the epoch. */
  readonly received: number;
  /** Packet identifier; the broker says it again when it delivers again. */
  readonly delivery: number;
  /** Not said to be a repetition. */
  readonly first: boolean;
}

/** What tells a record's readings from those of others: its own number, or else the delivery and its place in it. */
type Identity = Pick<Reading, "event" | "firstDelivery">;

/**
 * Reads one message; what of it cannot be read goes to the door as such, with the reason.
 *
 * @throws {Refusal} message_malformed if the payload is not what the configuration says it is at all.
 */
export function readPayload(topic: PayloadFormat, payload: Buffer, origin: Origin): Reading[] {
  switch (topic.format) {
    case "json":
      return readJson(topic, payload, origin);
    case "csv":
      return readCsv(topic, payload, origin);
    case "text":
      return readText(topic, payload, origin);
  }
}

const malformed = (message: string): Refusal => new Refusal("message_malformed", message);

function readJson(topic: Json, payload: Buffer, origin: Origin): Reading[] {
  const { received } = origin;
  let message: unknown;
  try {
    message = parseExactly(payload.toString());
  } catch {
    throw malformed("payload is not JSON");
  }
  const records = topic.records === undefined ? [message] : at(message, topic.records);
  if (!Array.isArray(records)) throw malformed(`no array at ${topic.records}`);
  const nth = ordinals(topic.fields.map(({ metric }) => metric));
  return records.flatMap((record, index) => {
    const device = topic.deviceAt === undefined ? origin.device : textOf(at(record, topic.deviceAt));
    const timed =
      topic.time === undefined ? { time: received } : parseTime(at(record, topic.time.path), topic.time);
    const sequence = topic.sequence === undefined ? undefined : at(record, topic.sequence);
    const identity = identityOf(origin, index, sequence);
    const position = topic.position === undefined ? undefined : positionOf(topic.position, record);
    const shared = {
      device,
      time: timed.time ?? received,
      received,
      historical: false,
      ...(typeof sequence === "number" && Number.isSafeInteger(sequence) && sequence >= 0
        ? { sequence }
        : {}),
      ...(position === undefined ? {} : { position }),
    };
    return topic.fields.flatMap(({ path, metric, unit }, i) => {
      const value = at(record, path);
      if (value === undefined) return [];
      return [{ ...shared, ...nthOf(identity, nth[i]!), metric, unit, ...judged(value, timed) }];
    });
  });
}

/** What is no id is none, and is set aside as such. */
const textOf = (id: unknown): string =>
  typeof id === "string" || typeof id === "number" || typeof id === "bigint" ? String(id) : "";

function readCsv(topic: Csv, payload: Buffer, origin: Origin): Reading[] {
  const { device, received } = origin;
  let lines: string[][];
  try {
    lines = parseCsv(payload, {
      delimiter: topic.delimiter,
      trim: true,
      skip_empty_lines: true,
      relax_column_count: true,
    });
  } catch {
    throw malformed("payload is not CSV");
  }
  const metricOf = (column: Csv["columns"][number]): string =>
    typeof column !== "string" && "metric" in column ? column.metric : "";
  const nth = ordinals(topic.columns.map(metricOf));
  return lines.flatMap((cells, index) => {
    if (cells.length !== topic.columns.length) {
      const why = `${cells.length} columns where ${topic.columns.length} are configured`;
      return [unreadable(device, `line ${index + 1}`, cells.join(topic.delimiter), why, received)];
    }
    let timed: Timed = { time: received };
    let sequence: string | undefined;
    for (const [i, column] of topic.columns.entries()) {
      if (typeof column === "string") continue;
      if ("time" in column) timed = parseTime(cells[i], { as: column.time, zone: column.zone });
      if ("sequence" in column) sequence = cells[i];
    }
    const identity = identityOf(origin, index, sequence);
    return topic.columns.flatMap((column, i) => {
      if (typeof column === "string" || !("metric" in column)) return [];
      const value = parseText(cells[i]!, column.kind);
      return [
        {
          device,
          metric: column.metric,
          unit: column.unit,
          time: timed.time ?? received,
          received,
          historical: false,
          ...nthOf(identity, nth[i]!),
          ...judged(value, timed),
        },
      ];
    });
  });
}

function readText(topic: Text, payload: Buffer, origin: Origin): Reading[] {
  const { device, metric = "", received } = origin;
  // A topic's levels are a stranger's: `constructor` is a name like any other.
  const unit = Object.hasOwn(topic.units, metric) ? topic.units[metric] : undefined;
  if (unit === undefined) return [];
  const value = parseText(payload.toString().trim(), topic.kind);
  const shared = { device, metric, unit, time: received, received, historical: false };
  return [{ ...shared, ...identityOf(origin, 0, undefined), ...judged(value, { time: received }) }];
}

/** As `JSON.parse`, but an integer that a number cannot hold becomes one that can. */
function parseExactly(text: string): unknown {
  if (!/\d{16}/.test(text)) return JSON.parse(text);
  const exact = (_: string, value: unknown, context?: { source?: string }): unknown =>
    typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d{1,40}$/.test(context?.source ?? "")
      ? BigInt(context!.source!)
      : value;
  return JSON.parse(text, exact as (this: unknown, key: string, value: unknown) => unknown);
}

const identityOf = ({ delivery, first }: Origin, index: number, sequence: unknown): Identity =>
  ["number", "bigint", "string"].includes(typeof sequence) && sequence !== ""
    ? { event: eventId(`#${String(sequence)}`) }
    : { event: eventId(`delivery ${delivery}`, index), ...(first ? { firstDelivery: true } : {}) };

const nthOf = (identity: Identity, nth: number): Identity =>
  nth === 0 ? identity : { ...identity, event: eventId(identity.event!, nth) };

/** A value as the source gave it; null is a gap; what cannot be a value is bad, and a bad time uncertain. */
function judged(value: unknown, timed: Timed): Pick<Reading, "value" | "quality" | "status"> {
  if (value === null) return { value: null, quality: "bad", status: "null" };
  if (typeof value === "bigint") return timedOrNot(Number(value), timed);
  if (typeof value === "number" && Number.isFinite(value)) return timedOrNot(value, timed);
  if (typeof value === "boolean" || typeof value === "string") return timedOrNot(value, timed);
  return { value: null, quality: "bad", status: `type ${typeof value}` };
}

function timedOrNot(
  value: number | boolean | string,
  { time, doubt }: Timed,
): Pick<Reading, "value" | "quality" | "status"> {
  const status = time === undefined ? "no source time" : doubt;
  return status === undefined
    ? { value, quality: "good", status: "ok" }
    : { value, quality: "uncertain", status };
}

/** @returns the value, null for an empty cell, undefined for what is not of the kind. */
function parseText(
  text: string,
  kind: "number" | "boolean" | "text",
): number | boolean | string | null | undefined {
  if (text === "") return null;
  if (kind === "text") return text;
  if (kind === "number") return Number.isFinite(Number(text)) ? Number(text) : undefined;
  if (/^(true|on|1)$/i.test(text)) return true;
  return /^(false|off|0)$/i.test(text) ? false : undefined;
}

/** A record's time in microseconds since the epoch; undefined where what stands there is no time. */
interface Timed {
  readonly time: number | undefined;
  readonly doubt?: string;
}

const readers = new Map<string, (cell: unknown) => number | undefined>();

function parseTime(
  raw: unknown,
  { as, zone }: { readonly as: string; readonly zone?: string | undefined },
): Timed {
  const key = `${as} ${zone ?? "UTC"}`;
  let read = readers.get(key);
  if (read === undefined) {
    read = timeReader(as, zone ?? "UTC");
    readers.set(key, read);
  }
  const time = read(raw);
  if (as !== "iso" || zone !== undefined || time === undefined) return { time };
  return readIso(String(raw).trim())?.offsetMillis === undefined ? { time, doubt: "no time zone" } : { time };
}

function positionOf(fields: NonNullable<Json["position"]>, record: unknown): Position | undefined {
  const lat = at(record, fields.lat);
  const lon = at(record, fields.lon);
  if (typeof lat !== "number" || typeof lon !== "number") return undefined;
  if (Math.abs(lat) > 90 || Math.abs(lon) > 180) return undefined;
  const { datum, source, accuracyMetres } = fields;
  return { lat, lon, datum, source, accuracyMetres };
}

const pathSteps = new Map<string, string[]>();

/** Follows `a.b[2].c`; own properties only, because a payload is a stranger's. */
export function at(value: unknown, path: string): unknown {
  let steps = pathSteps.get(path);
  if (steps === undefined) {
    steps = path
      .replace(/\[(\d+)\]/g, ".$1")
      .split(".")
      .filter(Boolean);
    pathSteps.set(path, steps);
  }
  let here = value;
  for (const step of steps) {
    if (typeof here !== "object" || here === null || !Object.hasOwn(here, step)) return undefined;
    here = (here as Record<string, unknown>)[step];
  }
  return here;
}
