/** Offset from UTC at an instant, both in milliseconds. */
export type ZoneOffset = (utcMillis: number) => number;

const quarterMillis = 900_000;

/**
 * @param zone - an IANA name, UTC, or a fixed offset as +08:00.
 * @returns undefined if there is no such zone.
 */
export function zoneOffset(zone: string): ZoneOffset | undefined {
  const fixed = /^([+-])(\d\d):?(\d\d)$/.exec(zone);
  if (fixed !== null) {
    const millis = (Number(fixed[2]) * 60 + Number(fixed[3])) * 60_000;
    return () => (fixed[1] === "-" ? -millis : millis);
  }
  if (zone === "UTC") return () => 0;
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  } catch {
    return undefined;
  }
  // Zones change at quarter hours at the finest, and the rows of a file are close to each other.
  let quarter = Number.NaN;
  let offset = 0;
  return (utcMillis) => {
    const start = Math.floor(utcMillis / quarterMillis) * quarterMillis;
    if (start !== quarter) {
      const part: Record<string, number> = {};
      for (const { type, value } of format.formatToParts(start)) part[type] = Number(value);
      const { year, month, day, hour, minute, second } = part;
      offset = Date.UTC(year!, month! - 1, day!, hour!, minute!, second!) - start;
      quarter = start;
    }
    return offset;
  };
}

const fieldDigits = { yyyy: 4, MM: 2, dd: 2, HH: 2, mm: 2, ss: 2, SSS: 3 } as const;

/** Reads the digits of a local time. @returns its milliseconds as if it were UTC, or undefined. */
export type TimePattern = (text: string) => number | undefined;

/**
 * Compiles `yyyy-MM-dd HH:mm`: fields stand for digits, all else for itself. M, d and H alone take one digit or two.
 *
 * @returns undefined if year, month and day are not in it.
 */
export function timePattern(pattern: string): TimePattern | undefined {
  const order: string[] = [];
  const source = pattern.replace(/yyyy|MM?|dd?|HH?|mm|ss|SSS|[\\^$.*+?()[\]{}|]/g, (found) => {
    if (!/^[A-Za-z]/.test(found)) return `\\${found}`;
    const loose = found.length === 1;
    const name = (loose ? found + found : found) as keyof typeof fieldDigits;
    order.push(name);
    return loose ? "(\\d{1,2})" : `(\\d{${fieldDigits[name]}})`;
  });
  if (!["yyyy", "MM", "dd"].every((name) => order.includes(name))) return undefined;
  const expression = new RegExp(`^${source}$`);
  return (text) => {
    const found = expression.exec(text);
    if (found === null) return undefined;
    const field: Record<string, number> = { HH: 0, mm: 0, ss: 0, SSS: 0 };
    for (const [i, name] of order.entries()) field[name] = Number(found[i + 1]);
    const { yyyy, MM, dd, HH, mm, ss, SSS } = field;
    const millis = Date.UTC(yyyy!, MM! - 1, dd!, HH!, mm!, ss!, SSS!);
    const date = new Date(millis);
    const same =
      date.getUTCMonth() === MM! - 1 && date.getUTCDate() === dd && HH! < 24 && mm! < 60 && ss! < 60;
    return same ? millis : undefined;
  };
}

/**
 * @param as - iso; s, ms, us or ns since 1970; or a pattern.
 * @param zone - where the text does not name one.
 * @returns reads a cell to microseconds since the epoch, undefined for what is no time.
 */
export function timeReader(as: string, zone: string): (cell: unknown) => number | undefined {
  const offset = zoneOffset(zone);
  if (offset === undefined) throw new RangeError(`no time zone ${zone}`);
  // The offset belongs to the instant, which is only known with it: the second look settles it.
  const toUtc = (localMillis: number) => localMillis - offset(localMillis - offset(localMillis));
  const scale = (epochScales as Readonly<Record<string, number>>)[as];
  if (scale !== undefined)
    return (cell) => {
      if (typeof cell !== "number" && typeof cell !== "bigint" && typeof cell !== "string") return undefined;
      const number = typeof cell === "string" && cell.trim() === "" ? Number.NaN : Number(cell);
      return Number.isFinite(number) ? Math.round(number * scale) : undefined;
    };
  const pattern = as === "iso" ? undefined : timePattern(as);
  if (as !== "iso" && pattern === undefined) throw new RangeError(`no time pattern ${as}`);
  return (cell) => {
    // A typed table holds instants.
    if (cell instanceof Date) return cell.getTime() * 1000;
    const text = String(cell ?? "").trim();
    if (pattern === undefined) {
      const iso = readIso(text);
      if (iso === undefined) return undefined;
      const { millis, micros, offsetMillis } = iso;
      return Math.round(offsetMillis === undefined ? toUtc(millis) : millis - offsetMillis) * 1000 + micros;
    }
    const local = pattern(text);
    return local === undefined ? undefined : Math.round(toUtc(local) * 1000);
  };
}

/** Microseconds of a count since 1970. */
export const epochScales = { s: 1_000_000, ms: 1_000, us: 1, ns: 0.001 } as const;

interface IsoTime {
  /** As if it were UTC. */
  readonly millis: number;
  /** What is below a millisecond. */
  readonly micros: number;
  /** East of UTC; undefined where the text names no zone. */
  readonly offsetMillis: number | undefined;
}

/** Reads ISO 8601 to the microsecond, which the language's own reader does not. */
export function readIso(text: string): IsoTime | undefined {
  const found =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::?(\d\d)(?:[.,](\d+))?)?)?\s?(Z|[+-]\d\d(?::?\d\d)?)?$/i.exec(
      text,
    );
  if (found === null) return undefined;
  const [, date, clock = "00:00", seconds = "00", fraction = "", zone] = found;
  const digits = `${fraction}000000`.slice(0, 6);
  const millis = Date.parse(`${date}T${clock}:${seconds}.${digits.slice(0, 3)}Z`);
  if (Number.isNaN(millis) || new Date(millis).toISOString().slice(0, 10) !== date) return undefined;
  return {
    millis,
    micros: Number(digits.slice(3)),
    offsetMillis: zone === undefined ? undefined : zoneMillis(zone),
  };
}

function zoneMillis(zone: string): number {
  const [, sign, hours = "0", minutes = "0"] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone) ?? [];
  return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}
