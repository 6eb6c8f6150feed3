import { parse as parseCsv } from "csv-parse/sync";
import { Refusal } from "../../core/reasons.ts";
import type { Position, Reading } from "../reading.ts";
import type { Topic } from "./config.ts";

type Json = Extract<Topic, { format: "json" }>;
type Csv = Extract<Topic, { format: "csv" }>;
type Text = Extract<Topic, { format: "text" }>;

/** What every reading of a message has in common. */
interface Origin {
  readonly device: string;
  readonly metric: string | undefined;
  /** Microseconds since the epoch. */
  readonly received: number;
}

/**
 * Reads one message.
 *
 * @throws {Refusal} message_malformed if the payload is not what the configuration says it is.
 */
export function readPayload(topic: Topic, payload: Buffer, origin: Origin): Reading[] {
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

function readJson(topic: Json, payload: Buffer, { device, received }: Origin): Reading[] {
  let message: unknown;
  try {
    message = JSON.parse(payload.toString());
  } catch {
    throw malformed("payload is not JSON");
  }
  const records = topic.records === undefined ? [message] : at(message, topic.records);
  if (!Array.isArray(records)) throw malformed(`no array at ${topic.records}`);
  return records.flatMap((record) => {
    const time = topic.time === undefined ? received : parseTime(at(record, topic.time.path), topic.time.as);
    const sequence = topic.sequence === undefined ? undefined : at(record, topic.sequence);
    const position = topic.position === undefined ? undefined : positionOf(topic.position, record);
    const shared = {
      device,
      time: time ?? received,
      received,
      historical: false,
      ...(typeof sequence === "number" ? { sequence } : {}),
      ...(position === undefined ? {} : { position }),
    };
    return topic.fields.flatMap(({ path, metric, unit }) => {
      const value = at(record, path);
      if (value === undefined) return [];
      return [{ ...shared, metric, unit, ...judged(value, time !== undefined) }];
    });
  });
}

function readCsv(topic: Csv, payload: Buffer, { device, received }: Origin): Reading[] {
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
  return lines.flatMap((cells) => {
    if (cells.length !== topic.columns.length)
      throw malformed(`${cells.length} columns where ${topic.columns.length} are configured`);
    let time: number | undefined = received;
    for (const [i, column] of topic.columns.entries())
      if (typeof column !== "string" && "time" in column) time = parseTime(cells[i], column.time);
    return topic.columns.flatMap((column, i) => {
      if (typeof column === "string" || "time" in column) return [];
      const value = parseText(cells[i]!, column.kind);
      return [
        {
          device,
          metric: column.metric,
          unit: column.unit,
          time: time ?? received,
          received,
          historical: false,
          ...judged(value, time !== undefined),
        },
      ];
    });
  });
}

function readText(topic: Text, payload: Buffer, { device, metric = "", received }: Origin): Reading[] {
  const unit = topic.units[metric];
  if (unit === undefined) return [];
  const value = parseText(payload.toString().trim(), topic.kind);
  return [{ device, metric, unit, time: received, received, historical: false, ...judged(value, true) }];
}

/** A value as the source gave it; null is a gap; what cannot be a value is bad, and a bad time uncertain. */
function judged(value: unknown, timed: boolean): Pick<Reading, "value" | "quality" | "status"> {
  if (value === null) return { value: null, quality: "bad", status: "null" };
  if (typeof value === "number" && Number.isFinite(value)) return timedOrNot(value, timed);
  if (typeof value === "boolean" || typeof value === "string") return timedOrNot(value, timed);
  return { value: null, quality: "bad", status: `type ${typeof value}` };
}

const timedOrNot = (
  value: number | boolean | string,
  timed: boolean,
): Pick<Reading, "value" | "quality" | "status"> =>
  timed
    ? { value, quality: "good", status: "ok" }
    : { value, quality: "uncertain", status: "no source time" };

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

const scaleToMicros = { s: 1_000_000, ms: 1_000, us: 1 } as const;

/** @returns microseconds since the epoch, or undefined if the text or number is no time. */
function parseTime(raw: unknown, as: "iso" | "s" | "ms" | "us"): number | undefined {
  // Date.parse reads local time where no zone is given; a source time is UTC then.
  if (as === "iso") {
    const text = String(raw);
    const micros = 1000 * Date.parse(/(z|[+-]\d\d:?\d\d)$/i.test(text) ? text : `${text}Z`);
    return Number.isNaN(micros) ? undefined : micros;
  }
  const number = typeof raw === "number" ? raw : Number.parseFloat(String(raw));
  return Number.isFinite(number) ? Math.round(number * scaleToMicros[as]) : undefined;
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
function at(value: unknown, path: string): unknown {
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
