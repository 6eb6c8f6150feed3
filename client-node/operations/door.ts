import type { Position, Reading } from "../../collectors/reading.ts";
import { unreadableStatus } from "../../collectors/runtime/event.ts";
import type { Catalogue, Metric } from "./features/catalogue.ts";
import { isUcum } from "./features/units.ts";

/** Why a reading was not let in; closed, with what a person can do about it. */
export const asideReasons = {
  unreadable: "not of the form that the configuration states; the entry's status says what is wrong",
  device_name: "a device's name is text of 1 to 256 characters without control characters",
  metric_name: "a metric's name is text of 1 to 256 characters without control characters",
  unit_name: "a unit is a UCUM code of 1 to 64 characters",
  value_type: "a value is a finite number, a text of at most 4,096 characters, true, false or null",
  time_missing: "the source's time cannot be read: check the collector's time format",
  time_past: "before the year 2000: set the source's clock, or check whether its times are s, ms, us or ns",
  time_future:
    "far ahead of this machine: set the source's clock, or check whether its times are s, ms, us or ns",
  too_many_names: "register the devices that belong here: names nobody registered are bounded",
  batch_unreadable: "a stored batch could not be cut into segments; its bytes are kept in the export",
} as const;
export type AsideReason = keyof typeof asideReasons;

/** A reading that was not let in, as far as it can be told. */
export interface SetAside {
  readonly reason: AsideReason;
  readonly device: string;
  readonly metric: string;
  /** The reading as JSON, cut at 4,096 characters. */
  readonly reading: string;
}

/** What was let in and still wants a look. */
export type Notice =
  | "unknown_metric"
  | "unit_not_ucum"
  | "unit_other_kind"
  | "ahead"
  | "not_a_number"
  | "beyond_2_53";

export interface Admission {
  readonly admitted: readonly Reading[];
  readonly aside: readonly SetAside[];
}

const mostNameChars = 256;
const mostUnitChars = 64;
const mostTextChars = 4096;
/** Devices that nobody registered, and series of all devices: beyond it a new name is set aside. */
const mostUnregistered = 20_000;
const mostSeries = 500_000;

const second = 1_000_000;
const day = 86_400 * second;
/** A clock that was never set starts at 1970 or 1980. */
const earliest = Date.UTC(2000, 0, 1) * 1000;
/** What the quality check holds for a clock error, too. */
export const aheadMicros = 60 * second;
const futureMicros = day;
/** Exported tables hold plans: instalments and orders that fall due in years. */
const plannedMicros = 40 * 366 * day;

const datums: readonly string[] = ["WGS-84", "GCJ-02"] satisfies Position["datum"][];
const positionSources: readonly string[] = ["beidou", "gps", "uwb"] satisfies Position["source"][];
const qualities: readonly string[] = ["good", "uncertain", "bad"] satisfies Reading["quality"][];

export interface DoorOptions {
  readonly catalogue: Catalogue;
  registered(device: string): boolean;
  /** Names that were let in before, so that a restart does not shut the door on them. */
  readonly known?: Iterable<{ readonly device: string; readonly metric: string; readonly unit: string }>;
}

interface MetricRule {
  readonly known: Metric | undefined;
  /** A text of digits is a number here. */
  readonly numeric: boolean;
  readonly state: boolean;
}

/**
 * The one place through which every reading of every collector passes, before it is stored and before anything is
 * concluded from it. Nothing is believed: not the types, not the names, not the times. What cannot be a reading is
 * set aside with its reason; what comes out is safe for every later step.
 */
export class Door {
  readonly #options: DoorOptions;
  readonly #metrics = new Map<string, MetricRule>();
  readonly #devices = new Set<string>();
  readonly #series = new Map<string, Set<string>>();
  readonly #notices = new Map<string, { notice: Notice; metric: string; unit: string; readings: number }>();
  #unregistered = 0;
  #seriesCount = 0;

  constructor(options: DoorOptions) {
    this.#options = options;
    for (const { device, metric, unit } of options.known ?? []) this.#remember(device, metric, unit);
  }

  /** What was let in and is not as it should be, since the start. */
  notices(): {
    readonly notice: Notice;
    readonly metric: string;
    readonly unit: string;
    readonly readings: number;
  }[] {
    return [...this.#notices.values()];
  }

  admit(readings: readonly Reading[]): Admission {
    const admitted: Reading[] = [];
    const aside: SetAside[] = [];
    for (const reading of readings) {
      const judged = this.#judge(reading);
      if (judged === undefined) continue;
      if (typeof judged === "string") aside.push(asideOf(judged, reading));
      else admitted.push(judged);
    }
    return { admitted, aside };
  }

  /** @returns undefined for an amount that is only said again. */
  #judge(reading: Reading): Reading | AsideReason | undefined {
    if (typeof reading !== "object" || reading === null) return "value_type";
    const { device, metric, unit, time, received, value } = reading;
    if (reading.quality === "bad" && String(reading.status).startsWith(unreadableStatus)) return "unreadable";
    if (!isName(device, mostNameChars)) return "device_name";
    if (!isName(metric, mostNameChars)) return "metric_name";
    if (!isName(unit, mostUnitChars)) return "unit_name";
    if (!isValue(value)) return "value_type";
    if (!Number.isFinite(received) || Math.abs(received) > Number.MAX_SAFE_INTEGER) return "time_missing";
    if (!Number.isFinite(time)) return "time_missing";
    if (time < earliest) return "time_past";
    const ahead = time - received;
    if (ahead > (reading.historical === true ? plannedMicros : futureMicros)) return "time_future";
    if (!this.#letIn(device, metric, unit)) return "too_many_names";

    const rule = this.#rule(metric);
    if (reading.retold === true && rule.known?.kind === "delta") return undefined;
    const changes: { -readonly [K in keyof Reading]?: Reading[K] } = {};
    if (!Number.isInteger(time)) changes.time = Math.round(time);
    if (!Number.isInteger(received)) changes.received = Math.round(received);
    if (!qualities.includes(reading.quality)) changes.quality = "uncertain";
    if (typeof reading.status !== "string") changes.status = "";
    else if (!isName(reading.status, mostNameChars) && reading.status !== "")
      changes.status = tidy(reading.status);
    if (typeof reading.historical !== "boolean") changes.historical = false;
    this.#look(rule, reading, changes);
    if (ahead > aheadMicros && reading.historical !== true) {
      this.#notice("ahead", metric, unit);
      if ((changes.quality ?? reading.quality) === "good") changes.quality = "uncertain";
    }
    const { sequence, event, position } = reading;
    let let_in: Reading = reading;
    if (sequence !== undefined && !(Number.isSafeInteger(sequence) && sequence >= 0)) {
      const { sequence: _, ...rest } = let_in;
      let_in = rest;
    }
    if (position !== undefined && !isPosition(position)) {
      const { position: _, ...rest } = let_in;
      let_in = rest;
    }
    if (event !== undefined) {
      // A level of one instant is one level, however often it is said; only amounts are counted one by one.
      if (rule.known !== undefined && rule.known.kind !== "delta") {
        const { event: _, firstDelivery: __, ...rest } = let_in;
        let_in = rest;
      } else if (typeof event !== "string" || !isName(event, mostNameChars))
        changes.event = tidy(String(event));
    }
    for (const _ in changes) return { ...let_in, ...changes };
    return let_in;
  }

  /** Text and number, and numbers that are not what the source said. */
  #look(rule: MetricRule, reading: Reading, changes: { -readonly [K in keyof Reading]?: Reading[K] }): void {
    const { metric, unit, value } = reading;
    if (rule.known === undefined) this.#notice("unknown_metric", metric, unit);
    else if (unit !== rule.known.unit && !this.#unitFits(metric, unit, rule.known.unit)) return;
    let number = value;
    if (typeof value === "string" && (rule.numeric || rule.state)) {
      const text = value.trim();
      if (/^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?$/i.test(text) && Number.isFinite(Number(text))) {
        number = Number(text);
        changes.value = number;
      } else if (/^(true|false)$/i.test(text)) {
        changes.value = text.toLowerCase() === "true";
      } else if (rule.numeric) {
        this.#notice("not_a_number", metric, unit);
        changes.quality = "bad";
        changes.status = "not a number";
      }
    }
    if (typeof number === "number" && Math.abs(number) > Number.MAX_SAFE_INTEGER) {
      // From there on neighbouring integers are one double: what is stored may not be what the source said.
      this.#notice("beyond_2_53", metric, unit);
      changes.quality = "bad";
      changes.status = "beyond 2^53";
    }
  }

  /** @returns true always; notes a unit that the quality check will not take. */
  #unitFits(metric: string, unit: string, wanted: string): boolean {
    if (!isUcum(unit)) this.#notice("unit_not_ucum", metric, unit);
    else if (!isUcum(unit, wanted)) this.#notice("unit_other_kind", metric, unit);
    return true;
  }

  #rule(metric: string): MetricRule {
    let rule = this.#metrics.get(metric);
    if (rule === undefined) {
      const known = this.#options.catalogue.metrics.get(metric);
      rule = {
        known,
        numeric: known !== undefined && known.kind !== "state",
        state: known !== undefined && known.kind === "state" && known.event !== true,
      };
      if (this.#metrics.size < mostSeries) this.#metrics.set(metric, rule);
    }
    return rule;
  }

  #letIn(device: string, metric: string, unit: string): boolean {
    const known = this.#series.get(device);
    if (known?.has(`${metric}\n${unit}`)) return true;
    const registered = this.#options.registered(device);
    if (!registered && !this.#devices.has(device) && this.#unregistered >= mostUnregistered) return false;
    if (this.#seriesCount >= mostSeries) return false;
    this.#remember(device, metric, unit);
    return true;
  }

  #remember(device: string, metric: string, unit: string): void {
    if (!this.#devices.has(device)) {
      this.#devices.add(device);
      if (!this.#options.registered(device)) this.#unregistered++;
    }
    let series = this.#series.get(device);
    if (series === undefined) {
      series = new Set();
      this.#series.set(device, series);
    }
    const size = series.size;
    series.add(`${metric}\n${unit}`);
    this.#seriesCount += series.size - size;
  }

  #notice(notice: Notice, metric: string, unit: string): void {
    const key = `${notice}\n${metric}\n${unit}`;
    const known = this.#notices.get(key);
    if (known !== undefined) known.readings++;
    else if (this.#notices.size < 1000) this.#notices.set(key, { notice, metric, unit, readings: 1 });
  }
}

/** Control characters end a text early for some that read it; a lone surrogate is no Unicode. */
function isName(text: unknown, most: number): text is string {
  if (typeof text !== "string" || text.length === 0 || text.length > most) return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) return false;
    if (code >= 0xd800 && code <= 0xdfff) return text.isWellFormed();
  }
  return true;
}

const tidy = (text: string): string =>
  [...text.toWellFormed().slice(0, mostNameChars)].map((c) => (c < " " || c === "\u007f" ? " " : c)).join("");

function isValue(value: unknown): boolean {
  if (value === null || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  return (
    typeof value === "string" &&
    value.length <= mostTextChars &&
    value.isWellFormed() &&
    !value.includes("\0")
  );
}

const isPosition = (position: unknown): position is Position => {
  if (typeof position !== "object" || position === null) return false;
  const { lat, lon, datum, source, accuracyMetres } = position as Position;
  return (
    Math.abs(lat) <= 90 &&
    Math.abs(lon) <= 180 &&
    datums.includes(datum) &&
    positionSources.includes(source) &&
    Number.isFinite(accuracyMetres)
  );
};

/** @returns the record of a reading that was not let in; any value whatever has one. */
export function asideOf(reason: AsideReason, reading: unknown): SetAside {
  const { device, metric } = (reading ?? {}) as { device?: unknown; metric?: unknown };
  let text: string;
  try {
    text =
      JSON.stringify(reading, (_, value: unknown) =>
        typeof value === "bigint" ||
        typeof value === "symbol" ||
        (typeof value === "number" && !Number.isFinite(value))
          ? String(value)
          : value,
      ) ?? "null";
  } catch {
    text = '"cannot be written as JSON"';
  }
  return {
    reason,
    device: typeof device === "string" ? tidy(device) : "",
    metric: typeof metric === "string" ? tidy(metric) : "",
    reading: text.toWellFormed().slice(0, mostTextChars),
  };
}
