import type { Location } from "../jt808/location.ts";
import { describe, receiverFault, statusBit } from "../jt808/location.ts";
import type { Position, Reading } from "../reading.ts";
import { fieldUnits, type ItemField, type Jt808Config } from "./config.ts";

/** What all readings of one report share. */
export interface Report {
  readonly device: string;
  /** Microseconds since the epoch. */
  readonly received: number;
  readonly sequence: number;
  readonly historical: boolean;
  /** Why the report's time is not believed; see ClockGuard. */
  readonly doubt: string | undefined;
}

const absent = (status: string): Pick<Reading, "value" | "quality" | "status"> => ({
  value: null,
  quality: "bad",
  status,
});

/**
 * One reading for each configured field that the report holds.
 *
 * Without a fix there is no position, speed, altitude or direction, whatever the report repeats: the reading is
 * then null and bad, so that a tunnel is a gap and not a stop.
 */
export function locationReadings(config: Jt808Config, location: Location, report: Report): Reading[] {
  const { device, received, sequence, historical, doubt } = report;
  const position = positionOf(config, location);
  const state = describe(location);
  const judged = (value: number, doubtful: string | undefined) =>
    doubtful === undefined
      ? ({ value, quality: "good", status: state } as const)
      : ({
          value,
          quality: "uncertain",
          status: state === "ok" ? doubtful : `${doubtful}; ${state}`,
        } as const);
  const clock = location.time === undefined ? "no source time" : doubt;
  const faulty = location.alarm & receiverFault ? "receiver fault" : undefined;
  const shared = {
    device,
    time: location.time ?? received,
    received,
    sequence,
    historical,
    ...(position === undefined ? {} : { position }),
  };
  return config.readings.flatMap((field): Reading[] => {
    if ("item" in field) {
      const item = location.items.get(field.item);
      if (item === undefined) return [];
      const value = itemValue(field, item);
      const found = value === undefined ? absent("item too short") : judged(value, clock);
      return [{ ...shared, metric: field.metric, unit: field.unit, ...found }];
    }
    const unit = fieldUnits[field.from];
    const said =
      field.from !== "ignition" && position === undefined
        ? absent("no fix")
        : judged(
            {
              position: 1,
              speed: location.speedKmh,
              altitude: location.altitudeMetres,
              direction: location.directionDegrees,
              ignition: location.status & statusBit.ignition ? 1 : 0,
            }[field.from],
            clock ?? (field.from === "ignition" ? undefined : faulty),
          );
    return [{ ...shared, metric: field.metric, unit, ...said }];
  });
}

/** @returns undefined without a fix, and where the plug-in for secret coordinates has changed them. */
function positionOf(config: Jt808Config, { status, lat, lon }: Location): Position | undefined {
  if (!(status & statusBit.fixed) || status & statusBit.encrypted) return undefined;
  const { datum, accuracyMetres } = config;
  return { lat, lon, datum, source: status & statusBit.beidou ? "beidou" : "gps", accuracyMetres };
}

const widths = { u8: 1, i8: 1, u16: 2, i16: 2, sign16: 2, u32: 4, i32: 4 } as const;

function itemValue({ type, offset, scale }: ItemField, item: Buffer): number | undefined {
  if (item.length < offset + widths[type]) return undefined;
  // A quotient of small integers is the number a person would write; a product with 0.1 is not.
  const scaled = (raw: number) => (scale > 0 && scale < 1 ? raw / (1 / scale) : raw * scale);
  switch (type) {
    case "u8":
      return scaled(item.readUInt8(offset));
    case "i8":
      return scaled(item.readInt8(offset));
    case "u16":
      return scaled(item.readUInt16BE(offset));
    case "i16":
      return scaled(item.readInt16BE(offset));
    case "u32":
      return scaled(item.readUInt32BE(offset));
    case "i32":
      return scaled(item.readInt32BE(offset));
    case "sign16": {
      const raw = item.readUInt16BE(offset);
      return scaled(raw & 0x8000 ? -(raw & 0x7fff) : raw);
    }
  }
}
