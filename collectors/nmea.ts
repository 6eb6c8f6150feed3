import { Refusal } from "../core/reasons.ts";

/** What one sentence says; undefined where its field is empty. */
export interface Sentence {
  readonly type: "RMC" | "GGA";
  /** BD and GB: Beidou; GP: GPS; GN: several systems together. */
  readonly talker: "BD" | "GB" | "GN" | "GP";
  /** Microseconds after midnight UTC. */
  readonly timeOfDay: number | undefined;
  /** Midnight UTC of the sentence's day, microseconds since the epoch; RMC only. */
  readonly date: number | undefined;
  /** Whether the receiver vouches for the position. */
  readonly valid: boolean;
  /** GGA fix quality 0–8, RMC status A or V. */
  readonly fix: string;
  readonly lat: number | undefined;
  readonly lon: number | undefined;
  readonly speedKmh: number | undefined;
  readonly courseDegrees: number | undefined;
  readonly altitudeMetres: number | undefined;
  readonly hdop: number | undefined;
  readonly satellites: number | undefined;
}

/** Longest sentence, without the line end. NMEA 0183 allows 80; receivers with many systems send more. */
export const sentenceLimit = 120;

const malformed = (message: string): Refusal => new Refusal("message_malformed", message);
const kmhPerKnot = 1.852;
const dayMicros = 86_400_000_000;

/**
 * Reads `$GNRMC,…*hh` and `$GNGGA,…*hh`.
 *
 * @param line - one line without its end.
 * @returns undefined for other sentences and talkers, whose checksum is then not looked at.
 * @throws {Refusal} message_malformed if a sentence of ours is damaged.
 * @see NMEA 0183 4.10; GB/T 41018 and BD 410004 for the talkers BD and GB
 */
export function decodeSentence(line: string): Sentence | undefined {
  const head = /^\$(BD|GB|GN|GP)(RMC|GGA),/.exec(line);
  if (head === null) return undefined;
  const star = line.lastIndexOf("*");
  const sum = line.slice(star + 1);
  if (star < 0 || !/^[0-9a-fA-F]{2}$/.test(sum)) throw malformed("sentence without a checksum");
  if (checksumOf(line.slice(1, star)) !== Number.parseInt(sum, 16))
    throw malformed("sentence with a wrong checksum");
  const fields = line.slice(1, star).split(",");
  const talker = head[1] as Sentence["talker"];
  if (head[2] === "RMC") {
    if (fields.length < 10) throw malformed(`RMC of ${fields.length} fields`);
    return {
      type: "RMC",
      talker,
      timeOfDay: timeOfDay(fields[1]!),
      date: dateOf(fields[9]!),
      valid: fields[2] === "A",
      fix: fields[2]!,
      lat: degrees(fields[3]!, fields[4]!, 90),
      lon: degrees(fields[5]!, fields[6]!, 180),
      speedKmh: scaled(fields[7]!, kmhPerKnot),
      courseDegrees: scaled(fields[8]!),
      altitudeMetres: undefined,
      hdop: undefined,
      satellites: undefined,
    };
  }
  if (fields.length < 10) throw malformed(`GGA of ${fields.length} fields`);
  return {
    type: "GGA",
    talker,
    timeOfDay: timeOfDay(fields[1]!),
    date: undefined,
    valid: /^[1-9]$/.test(fields[6]!),
    fix: fields[6]!,
    lat: degrees(fields[2]!, fields[3]!, 90),
    lon: degrees(fields[4]!, fields[5]!, 180),
    speedKmh: undefined,
    courseDegrees: undefined,
    altitudeMetres: scaled(fields[9]!),
    hdop: scaled(fields[8]!),
    satellites: scaled(fields[7]!),
  };
}

/**
 * Places a time of day on the day that brings it closest to `near`: GGA carries no date.
 *
 * @param near - microseconds since the epoch.
 */
export function closestTo(near: number, timeOfDayMicros: number): number {
  const day = Math.round((near - timeOfDayMicros) / dayMicros);
  return day * dayMicros + timeOfDayMicros;
}

/** @returns the checksum of what stands between `$` and `*`. */
export const checksumOf = (content: string): number =>
  Buffer.from(content, "latin1").reduce((sum, c) => sum ^ c, 0);

function scaled(field: string, factor = 1): number | undefined {
  if (field === "") return undefined;
  const value = Number(field);
  if (!Number.isFinite(value)) throw malformed("sentence with a field that is no number");
  return value * factor;
}

/** `hhmmss.sss` */
function timeOfDay(field: string): number | undefined {
  if (field === "") return undefined;
  const found = /^(\d\d)(\d\d)(\d\d(?:\.\d{1,9})?)$/.exec(field);
  const [hours, minutes, seconds] = (found?.slice(1) ?? []).map(Number);
  // 60 is a leap second.
  if (seconds === undefined || hours! > 23 || minutes! > 59 || seconds >= 61)
    throw malformed("sentence whose time is no time");
  return Math.round(((hours! * 60 + minutes!) * 60 + seconds) * 1e6);
}

/** `ddmmyy`: 80 to 99 are the last century's, as receivers before 2000 wrote them. */
function dateOf(field: string): number | undefined {
  if (field === "") return undefined;
  const [day, month, year] = (/^(\d\d)(\d\d)(\d\d)$/.exec(field)?.slice(1) ?? []).map(Number);
  if (year === undefined) throw malformed("sentence whose date is no date");
  const millis = Date.UTC(year < 80 ? 2000 + year : 1900 + year, month! - 1, day!);
  if (new Date(millis).getUTCDate() !== day || new Date(millis).getUTCMonth() !== month! - 1)
    throw malformed("sentence whose date is no date");
  return millis * 1000;
}

/** `dddmm.mmmm` and a hemisphere. */
function degrees(field: string, hemisphere: string, limit: number): number | undefined {
  if (field === "") return undefined;
  const found = /^(\d{2,3})(\d\d(?:\.\d+)?)$/.exec(field);
  if (found === null || !/^[NSEW]$/.test(hemisphere)) throw malformed("sentence whose position is none");
  const value = Number(found[1]) + Number(found[2]) / 60;
  if (value > limit) throw malformed("sentence whose position is beyond the poles or the date line");
  return hemisphere === "S" || hemisphere === "W" ? -value : value;
}
