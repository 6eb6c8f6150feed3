import { Refusal } from "../../core/reasons.ts";

/** One position report, body of 0x0200. */
export interface Location {
  readonly alarm: number;
  readonly status: number;
  /** Degrees, south and west negative. */
  readonly lat: number;
  readonly lon: number;
  readonly altitudeMetres: number;
  readonly speedKmh: number;
  /** Clockwise from north. */
  readonly directionDegrees: number;
  /** Microseconds since the epoch, UTC; undefined where the BCD digits are no time. */
  readonly time: number | undefined;
  /** Additional items by id. */
  readonly items: ReadonlyMap<number, Buffer>;
}

/** Bits of `status`. @see JT/T 808-2019, table 25 */
export const statusBit = {
  ignition: 1 << 0,
  fixed: 1 << 1,
  south: 1 << 2,
  west: 1 << 3,
  outOfService: 1 << 4,
  encrypted: 1 << 5,
  fuelCut: 1 << 10,
  powerCut: 1 << 11,
  gps: 1 << 18,
  beidou: 1 << 19,
} as const;

/** Bits of `alarm` that say the position itself is doubtful: receiver, antenna open, antenna shorted. */
export const receiverFault = (1 << 4) | (1 << 5) | (1 << 6);

/** By bit; undefined where reserved. @see JT/T 808-2019, table 24 */
const alarmNames: readonly (string | undefined)[] = [
  "emergency",
  "overspeed",
  "fatigue",
  "danger",
  "receiver fault",
  "antenna open",
  "antenna shorted",
  "supply low",
  "supply lost",
  "display fault",
  "speech fault",
  "camera fault",
  "card reader fault",
  "overspeed warning",
  "fatigue warning",
  undefined,
  undefined,
  undefined,
  "driving time exceeded",
  "parked too long",
  "area",
  "route",
  "route time",
  "off route",
  "speed sensor fault",
  "fuel abnormal",
  "stolen",
  "unlawful ignition",
  "unlawful move",
  "collision",
  "rollover",
  "unlawful door",
];

const basicBytes = 28;
const malformed = (message: string): Refusal => new Refusal("message_malformed", message);

/**
 * ```
 * alarm u32 | status u32 | lat u32, 1e-6 ° | lon u32, 1e-6 ° | altitude u16, m | speed u16, 0.1 km/h
 *   | direction u16, ° | time BCD[6] YYMMDDhhmmss, GMT+8 | items: (id u8 | length u8 | value)…
 * ```
 * @throws {Refusal} message_malformed
 * @see JT/T 808-2019, section 8.18
 */
export function decodeLocation(body: Buffer): Location {
  if (body.length < basicBytes) throw malformed(`location of ${body.length} bytes`);
  const status = body.readUInt32BE(4);
  const lat = body.readUInt32BE(8) / 1e6;
  const lon = body.readUInt32BE(12) / 1e6;
  if (lat > 90 || lon > 180) throw malformed("location beyond the poles or the date line");
  const items = new Map<number, Buffer>();
  for (let at = basicBytes; at < body.length; ) {
    const length = body[at + 1];
    if (length === undefined || at + 2 + length > body.length)
      throw malformed("location with an item cut short");
    items.set(body[at]!, body.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return {
    alarm: body.readUInt32BE(0),
    status,
    lat: status & statusBit.south ? -lat : lat,
    lon: status & statusBit.west ? -lon : lon,
    altitudeMetres: body.readUInt16BE(16),
    speedKmh: body.readUInt16BE(18) / 10,
    directionDegrees: body.readUInt16BE(20),
    time: decodeTime(body.subarray(22, basicBytes)),
    items,
  };
}

/** @throws {RangeError} if an item exceeds 255 bytes. */
export function encodeLocation(location: Location): Buffer {
  const basic = Buffer.alloc(basicBytes);
  const { lat, lon } = location;
  const hemispheres = (lat < 0 ? statusBit.south : 0) | (lon < 0 ? statusBit.west : 0);
  basic.writeUInt32BE(location.alarm >>> 0, 0);
  basic.writeUInt32BE((location.status | hemispheres) >>> 0, 4);
  basic.writeUInt32BE(Math.round(Math.abs(lat) * 1e6), 8);
  basic.writeUInt32BE(Math.round(Math.abs(lon) * 1e6), 12);
  basic.writeUInt16BE(location.altitudeMetres, 16);
  basic.writeUInt16BE(Math.round(location.speedKmh * 10), 18);
  basic.writeUInt16BE(location.directionDegrees, 20);
  if (location.time !== undefined) encodeTime(location.time).copy(basic, 22);
  const items = [...location.items].map(([id, value]) => {
    if (value.length > 255) throw new RangeError(`item ${id} of ${value.length} bytes`);
    return Buffer.concat([Buffer.of(id, value.length), value]);
  });
  return Buffer.concat([basic, ...items]);
}

/**
 * Body of 0x0704, positions that a terminal could not send at their time, or sends together.
 * ```
 * count u16 | kind u8 (0 regular, 1 from a dead zone) | (length u16 | location)…
 * ```
 * @returns each location, or why it could not be read: one bad location does not spoil its neighbours.
 * @throws {Refusal} message_malformed if the batch itself does not hold together.
 * @see JT/T 808-2019, section 8.49
 */
export function decodeBatch(body: Buffer): (Location | Refusal)[] {
  if (body.length < 3) throw malformed(`batch of ${body.length} bytes`);
  const count = body.readUInt16BE(0);
  const found: (Location | Refusal)[] = [];
  let at = 3;
  while (at < body.length) {
    if (at + 2 > body.length) throw malformed("batch cut short");
    const end = at + 2 + body.readUInt16BE(at);
    if (end > body.length) throw malformed("batch cut short");
    try {
      found.push(decodeLocation(body.subarray(at + 2, end)));
    } catch (error) {
      found.push(error as Refusal);
    }
    at = end;
  }
  if (found.length !== count) throw malformed(`batch of ${found.length} where ${count} are announced`);
  return found;
}

/**
 * @param kind - 0 regular, 1 from a dead zone.
 * @internal for the terminals that tests play
 */
export function encodeBatch(locations: readonly Location[], kind: 0 | 1): Buffer {
  const head = Buffer.alloc(3);
  head.writeUInt16BE(locations.length);
  head[2] = kind;
  const parts = locations.map((location) => {
    const body = encodeLocation(location);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(body.length);
    return Buffer.concat([length, body]);
  });
  return Buffer.concat([head, ...parts]);
}

/** Alarms, then the vehicle's state, as text: "ok", "overspeed", "supply lost; fuel cut". */
export function describe({ alarm, status }: Pick<Location, "alarm" | "status">): string {
  const said = alarmNames.filter((name, bit) => name !== undefined && (alarm >>> bit) & 1);
  if (status & statusBit.outOfService) said.push("out of service");
  if (status & statusBit.fuelCut) said.push("fuel cut");
  if (status & statusBit.powerCut) said.push("power cut");
  return said.length === 0 ? "ok" : said.join("; ");
}

const gmt8Micros = 8 * 3_600 * 1_000_000;

/** @returns microseconds since the epoch, or undefined if the digits are no date and time. */
function decodeTime(bcd: Buffer): number | undefined {
  const digits = bcd.toString("hex");
  if (!/^\d{12}$/.test(digits)) return undefined;
  const [year, month, day, hour, minute, second] = digits.match(/../g)!.map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const date = new Date(Date.UTC(2000 + year, month - 1, day, hour, minute, second));
  const same = date.toISOString().slice(2, 19).replace(/\D/g, "") === digits;
  return same ? date.getTime() * 1000 - gmt8Micros : undefined;
}

const encodeTime = (micros: number): Buffer =>
  Buffer.from(new Date((micros + gmt8Micros) / 1000).toISOString().slice(2, 19).replace(/\D/g, ""), "hex");
