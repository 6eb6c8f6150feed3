import { Refusal } from "../../core/reasons.ts";

const start = 0x68;
const malformed = (message: string): Refusal => new Refusal("message_malformed", message);

/** Unnumbered control functions. @see IEC 60870-5-104, 5.3 */
export const control = {
  startAct: 0x07,
  startCon: 0x0b,
  stopAct: 0x13,
  stopCon: 0x23,
  testAct: 0x43,
  testCon: 0x83,
} as const;

export type Apdu =
  | { readonly kind: "I"; readonly sent: number; readonly received: number; readonly asdu: Buffer }
  | { readonly kind: "S"; readonly received: number }
  | { readonly kind: "U"; readonly control: number };

/** Sequence numbers have 15 bits. */
export const modulus = 0x8000;

/**
 * ```
 * 68 | length u8 | control [4] | ASDU, of I frames
 * ```
 * @returns the first frame, and what follows it; undefined while it is not whole.
 * @throws {Refusal} message_malformed
 */
export function takeApdu(bytes: Buffer): { readonly apdu: Apdu; readonly rest: Buffer } | undefined {
  if (bytes.length >= 1 && bytes[0] !== start) throw malformed("no frame of IEC 60870-5-104");
  if (bytes.length < 2) return undefined;
  const length = bytes[1]!;
  if (length < 4 || length > 253) throw malformed(`frame of ${length} bytes`);
  if (bytes.length < 2 + length) return undefined;
  const frame = bytes.subarray(2, 2 + length);
  const rest = bytes.subarray(2 + length);
  const received = frame.readUInt16LE(2) >> 1;
  if ((frame[0]! & 1) === 0)
    return { apdu: { kind: "I", sent: frame.readUInt16LE(0) >> 1, received, asdu: frame.subarray(4) }, rest };
  if (length !== 4) throw malformed("a supervisory frame with a body");
  if ((frame[0]! & 3) === 1) return { apdu: { kind: "S", received }, rest };
  return { apdu: { kind: "U", control: frame[0]! }, rest };
}

export function encodeApdu(apdu: Apdu): Buffer {
  const asdu = apdu.kind === "I" ? apdu.asdu : Buffer.alloc(0);
  const head = Buffer.alloc(6);
  head[0] = start;
  head[1] = 4 + asdu.length;
  if (apdu.kind === "U") head[2] = apdu.control;
  else {
    head.writeUInt16LE(apdu.kind === "I" ? apdu.sent << 1 : 1, 2);
    head.writeUInt16LE(apdu.received << 1, 4);
  }
  return Buffer.concat([head, asdu]);
}

/** Causes of transmission. @see IEC 60870-5-101, 7.2.3 */
export const cause = {
  periodic: 1,
  spontaneous: 3,
  activation: 6,
  confirmation: 7,
  interrogated: 20,
} as const;
export const typeId = { interrogation: 100, counterInterrogation: 101 } as const;

/** Asks a station for all that it has (C_IC_NA_1), or for its counters (C_CI_NA_1). */
export const interrogation = (type: number, station: number): Buffer =>
  Buffer.of(
    type,
    1,
    cause.activation,
    0,
    station & 0xff,
    station >> 8,
    0,
    0,
    0,
    type === typeId.interrogation ? 20 : 5,
  );

/** A value of a point, as the station tells it. */
export interface Telling {
  readonly station: number;
  /** Information object address. */
  readonly address: number;
  readonly value: number | boolean;
  readonly quality: "good" | "uncertain" | "bad";
  readonly status: string;
  /** The station's clock as if it were UTC, milliseconds since the epoch; undefined where none is told. */
  readonly clock: number | undefined;
  readonly cause: number;
}

type Element = (bytes: Buffer) => readonly [value: number | boolean, quality: number];
const overflow = 1;
const single: Element = (b) => [(b[0]! & 1) !== 0, b[0]! & 0xf0];
/** 1 off, 2 on; between and undefined are what they are. */
const double: Element = (b) => [b[0]! & 3, (b[0]! & 0xf0) | ((b[0]! & 3) % 3 === 0 ? 0x40 : 0)];
/** Seven bits with a sign, and whether the step is under way. */
const step: Element = (b) => [((b[0]! & 0x7f) << 25) >> 25, b[1]!];
const bits: Element = (b) => [b.readUInt32LE(0), b[4]!];
const normalized: Element = (b) => [b.readInt16LE(0) / 32_768, b[2]!];
const bare: Element = (b) => [b.readInt16LE(0) / 32_768, 0];
const scaled: Element = (b) => [b.readInt16LE(0), b[2]!];
const float: Element = (b) => [b.readFloatLE(0), b[4]!];
/** Invalid where its own bit says so; carry and adjustment say nothing of the value. */
const counter: Element = (b) => [b.readInt32LE(0), b[4]! & 0x80];

/** Types in the direction of monitoring: length of the element, bytes of the time tag, what it holds. */
const types: ReadonlyMap<number, readonly [bytes: number, timeBytes: 0 | 3 | 7, element: Element]> = new Map([
  [1, [1, 0, single]],
  [2, [1, 3, single]],
  [3, [1, 0, double]],
  [4, [1, 3, double]],
  [5, [2, 0, step]],
  [6, [2, 3, step]],
  [7, [5, 0, bits]],
  [8, [5, 3, bits]],
  [9, [3, 0, normalized]],
  [10, [3, 3, normalized]],
  [11, [3, 0, scaled]],
  [12, [3, 3, scaled]],
  [13, [5, 0, float]],
  [14, [5, 3, float]],
  [15, [5, 0, counter]],
  [16, [5, 3, counter]],
  [21, [2, 0, bare]],
  [30, [1, 7, single]],
  [31, [1, 7, double]],
  [32, [2, 7, step]],
  [33, [5, 7, bits]],
  [34, [3, 7, normalized]],
  [35, [3, 7, scaled]],
  [36, [5, 7, float]],
  [37, [5, 7, counter]],
]);

/**
 * ```
 * type u8 | sequence bit, number u8 | test, negative, cause u8 | originator u8 | station u16 | objects
 * object: address u24 | element | time tag      (with the sequence bit: one address, then elements)
 * ```
 * @returns the points it tells of; none of what is no monitoring.
 * @throws {Refusal} message_malformed
 * @see IEC 60870-5-101, 7.2 and 7.3
 */
export function decodeAsdu(bytes: Uint8Array): Telling[] {
  const asdu = Buffer.from(bytes);
  if (asdu.length < 6) throw malformed(`ASDU of ${asdu.length} bytes`);
  const known = types.get(asdu[0]!);
  if (known === undefined) return [];
  const [elementBytes, timeBytes, element] = known;
  const count = asdu[1]! & 0x7f;
  const sequence = (asdu[1]! & 0x80) !== 0;
  // A test is no process.
  if (asdu[2]! & 0x80) return [];
  const body = elementBytes + timeBytes;
  const expected = 6 + (sequence ? 3 + count * body : count * (3 + body));
  if (asdu.length !== expected || (sequence && timeBytes > 0)) throw malformed("ASDU of another length");
  const station = asdu.readUInt16LE(4);
  const first = sequence && count > 0 ? asdu.readUIntLE(6, 3) : 0;
  return Array.from({ length: count }, (_, i): Telling => {
    const at = sequence ? 9 + i * body : 6 + i * (3 + body);
    const from = sequence ? at : at + 3;
    const [value, flags] = element(asdu.subarray(from, from + elementBytes));
    const finite = typeof value === "boolean" || Number.isFinite(value);
    return {
      station,
      address: sequence ? first + i : asdu.readUIntLE(at, 3),
      value: finite ? value : 0,
      ...(finite ? qualityOf(flags) : { quality: "bad", status: String(value) }),
      clock: timeBytes === 7 ? clockOf(asdu.subarray(from + elementBytes, from + body)) : undefined,
      cause: asdu[2]! & 0x3f,
    };
  });
}

/** @see IEC 60870-5-101, 7.2.6.3: invalid, not topical, substituted, blocked, overflow */
function qualityOf(flags: number): Pick<Telling, "quality" | "status"> {
  if (flags & 0x80) return { quality: "bad", status: "invalid" };
  if (flags & 0x10) return { quality: "bad", status: "blocked" };
  if (flags & 0x40) return { quality: "uncertain", status: "not topical" };
  if (flags & 0x20) return { quality: "uncertain", status: "substituted" };
  if (flags & overflow) return { quality: "uncertain", status: "overflow" };
  return { quality: "good", status: "ok" };
}

/** CP56Time2a: milliseconds u16 | minute 6 bits, invalid | hour 5 bits | day 5 bits | month | year since 2000. */
function clockOf(bytes: Buffer): number | undefined {
  const [millis, minute, hour] = [bytes.readUInt16LE(0), bytes[2]!, bytes[3]! & 0x1f];
  const [day, month, year] = [bytes[4]! & 0x1f, bytes[5]! & 0x0f, bytes[6]! & 0x7f];
  if (minute & 0x80 || millis >= 60_000 || (minute & 0x3f) > 59 || hour > 23) return undefined;
  const clock = Date.UTC(2000 + year, month - 1, day, hour, minute & 0x3f, 0, millis);
  const date = new Date(clock);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? clock : undefined;
}
