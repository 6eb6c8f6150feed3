import { Refusal } from "../core/reasons.ts";

/** @see GB/T 32960.3-2016, table 3 */
export const command = {
  login: 1,
  report: 2,
  reissue: 3,
  logout: 4,
  platformLogin: 5,
  platformLogout: 6,
  heartbeat: 7,
  time: 8,
} as const;
/** @see GB/T 32960.3-2016, table 4 */
export const response = { done: 1, failed: 2, duplicate: 3, command: 0xfe } as const;

export interface Gb32960Message {
  readonly command: number;
  readonly response: number;
  /** 17 characters; of a platform, its own number. */
  readonly vin: string;
  readonly data: Buffer;
}

const headBytes = 24;
const plain = 1;
/** A report of hundreds of cells has some kilobytes; the field can say 65,531. */
const dataLimit = 65_531;

const malformed = (message: string): Refusal => new Refusal("message_malformed", message);
const xorOf = (bytes: Uint8Array): number => bytes.reduce((sum, byte) => sum ^ byte, 0);

/**
 * ```
 * ## | command u8 | response u8 | VIN [17] | encryption u8 | length u16 | data | XOR from command to data u8
 * ```
 * @see GB/T 32960.3-2016, 6.2
 */
export function encodeMessage({ command, response, vin, data }: Gb32960Message): Buffer {
  if (data.length > dataLimit) throw new RangeError(`data of ${data.length} bytes`);
  const head = Buffer.alloc(headBytes);
  head.write("##", "latin1");
  head.writeUInt8(command, 2);
  head.writeUInt8(response, 3);
  head.write(vin.padEnd(17, "\0"), 4, 17, "latin1");
  head.writeUInt8(plain, 21);
  head.writeUInt16BE(data.length, 22);
  const body = Buffer.concat([head, data]);
  return Buffer.concat([body, Buffer.of(xorOf(body.subarray(2)))]);
}

/** @throws {Refusal} message_malformed */
export function decodeMessage(frame: Uint8Array): Gb32960Message {
  const bytes = Buffer.from(frame);
  if (bytes.length < headBytes + 1 || bytes.toString("latin1", 0, 2) !== "##") throw malformed("no frame");
  const length = bytes.readUInt16BE(22);
  if (bytes.length !== headBytes + length + 1) throw malformed("frame of another length");
  if (xorOf(bytes.subarray(2)) !== 0) throw malformed("frame with a wrong checksum");
  if (bytes[21] !== plain) throw malformed("frame with encrypted data");
  const vin = bytes.toString("latin1", 4, 21).replace(/[\0 ]+$/, "");
  return { command: bytes[2]!, response: bytes[3]!, vin, data: bytes.subarray(headBytes, -1) };
}

/** Cuts a byte stream into messages; what does not check is reported once, and the next `##` is looked for. */
export class Gb32960Splitter {
  #pending = Buffer.alloc(0);

  /** @returns in order, the messages and the faults between them. */
  push(chunk: Uint8Array): (Gb32960Message | Refusal)[] {
    const found: (Gb32960Message | Refusal)[] = [];
    this.#pending = Buffer.concat([this.#pending, chunk]);
    for (;;) {
      const at = this.#pending.indexOf("##");
      const noise = at < 0 ? this.#pending.length - 1 : at;
      if (noise > 0) {
        found.push(malformed(`${noise} bytes outside a frame`));
        this.#pending = this.#pending.subarray(noise);
      }
      if (at < 0 || this.#pending.length < headBytes + 1) return found;
      const end = headBytes + this.#pending.readUInt16BE(22) + 1;
      if (this.#pending.length < end) return found;
      try {
        found.push(decodeMessage(this.#pending.subarray(0, end)));
        this.#pending = this.#pending.subarray(end);
      } catch (error) {
        found.push(error as Refusal);
        this.#pending = this.#pending.subarray(2);
      }
    }
  }
}

/** A field's value; "abnormal" and "invalid" are what the vehicle itself says of it. */
export type Field = number | "abnormal" | "invalid";

export interface VehicleReport {
  /** Microseconds since the epoch; undefined where the clock says no time. */
  readonly time: number | undefined;
  readonly fields: ReadonlyMap<string, Field>;
  /** Degrees; undefined without a fix. */
  readonly position: { readonly lat: number; readonly lon: number } | undefined;
}

/** The standard's clock is Beijing's. */
const zoneMillis = 8 * 3_600_000;

/** Six bytes, each a number: year since 2000, month, day, hour, minute, second. */
export function decodeTime(data: Buffer): number | undefined {
  const [year, month, day, hour, minute, second] = data;
  const millis = Date.UTC(2000 + year!, month! - 1, day, hour, minute, second);
  const date = new Date(millis);
  const same = date.getUTCMonth() === month! - 1 && date.getUTCDate() === day && hour! < 24;
  return same && minute! < 60 && second! < 60 ? (millis - zoneMillis) * 1000 : undefined;
}

export function encodeTime(micros: number): Buffer {
  const date = new Date(micros / 1000 + zoneMillis);
  return Buffer.of(
    date.getUTCFullYear() - 2000,
    date.getUTCMonth() + 1,
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
    date.getUTCSeconds(),
  );
}

/** Walks over a report, and never past its end. */
class Walk {
  readonly #data: Buffer;
  at = 0;

  constructor(data: Buffer) {
    this.#data = data;
  }

  get done(): boolean {
    return this.at >= this.#data.length;
  }

  take(bytes: number): Buffer {
    if (this.at + bytes > this.#data.length) throw malformed("report shorter than it says");
    this.at += bytes;
    return this.#data.subarray(this.at - bytes, this.at);
  }

  u8 = (): number => this.take(1).readUInt8();
  u16 = (): number => this.take(2).readUInt16BE();
}

/** Bytes, divisor and offset of a field: value = (raw − offset · divisor) / divisor. */
type Layout = readonly (readonly [
  name: string | undefined,
  bytes: 1 | 2 | 4,
  divisor?: number,
  offset?: number,
])[];

/** @see GB/T 32960.3-2016, table 9 */
const vehicle: Layout = [
  ["vehicleState", 1],
  ["chargeState", 1],
  ["mode", 1],
  ["speed", 2, 10],
  ["mileage", 4, 10],
  ["voltage", 2, 10],
  ["current", 2, 10, 1000],
  ["soc", 1],
  [undefined, 1],
  [undefined, 1],
  ["insulation", 2],
  ["accelerator", 1],
  ["brake", 1],
];
/** @see GB/T 32960.3-2016, table 10; the first motor is told */
const motor: Layout = [
  [undefined, 1],
  ["motorState", 1],
  ["controllerTemperature", 1, 1, 40],
  ["motorSpeed", 2, 1, 20_000],
  ["motorTorque", 2, 10, 2000],
  ["motorTemperature", 1, 1, 40],
  [undefined, 2],
  [undefined, 2],
];
/** @see GB/T 32960.3-2016, table 12 */
const engine: Layout = [
  ["engineState", 1],
  ["engineSpeed", 2],
  ["fuelRate", 2, 100],
];
/** @see GB/T 32960.3-2016, table 14 */
const extremes: Layout = [
  [undefined, 1],
  [undefined, 1],
  ["cellVoltageMax", 2, 1000],
  [undefined, 1],
  [undefined, 1],
  ["cellVoltageMin", 2, 1000],
  [undefined, 1],
  [undefined, 1],
  ["temperatureMax", 1, 1, 40],
  [undefined, 1],
  [undefined, 1],
  ["temperatureMin", 1, 1, 40],
];

function read(walk: Walk, layout: Layout, fields: Map<string, Field>): void {
  for (const [name, bytes, divisor = 1, offset = 0] of layout) {
    const raw = walk.take(bytes).readUIntBE(0, bytes);
    if (name === undefined || fields.has(name)) continue;
    const top = 2 ** (8 * bytes) - 1;
    fields.set(
      name,
      raw === top ? "invalid" : raw === top - 1 ? "abnormal" : (raw - offset * divisor) / divisor,
    );
  }
}

/**
 * A report 0x02 or 0x03: time, then blocks that begin with their type.
 *
 * @throws {Refusal} message_malformed where a block is longer than the report.
 * @see GB/T 32960.3-2016, 7.2
 */
export function decodeReport(data: Uint8Array): VehicleReport {
  const walk = new Walk(Buffer.from(data));
  const time = decodeTime(walk.take(6));
  const fields = new Map<string, Field>();
  let position: VehicleReport["position"];
  while (!walk.done) {
    const type = walk.u8();
    switch (type) {
      case 0x01:
        read(walk, vehicle, fields);
        break;
      case 0x02:
        for (let left = walk.u8(); left > 0; left--) read(walk, motor, fields);
        break;
      case 0x03:
        walk.take(6);
        walk.take(walk.u16() + 10);
        break;
      case 0x04:
        read(walk, engine, fields);
        break;
      case 0x05: {
        const state = walk.u8();
        const lon = (walk.take(4).readUInt32BE() / 1e6) * (state & 4 ? -1 : 1);
        const lat = (walk.take(4).readUInt32BE() / 1e6) * (state & 2 ? -1 : 1);
        if (!(state & 1) && Math.abs(lat) <= 90 && Math.abs(lon) <= 180) position = { lat, lon };
        break;
      }
      case 0x06:
        read(walk, extremes, fields);
        break;
      case 0x07:
        read(walk, [["alarmLevel", 1]], fields);
        walk.take(4);
        for (let kind = 0; kind < 4; kind++) {
          const faults = walk.u8();
          walk.take(4 * (faults >= 0xfe ? 0 : faults));
        }
        break;
      case 0x08:
        for (let left = walk.u8(); left > 0; left--) {
          walk.take(9);
          walk.take(2 * walk.u8());
        }
        break;
      case 0x09:
        for (let left = walk.u8(); left > 0; left--) {
          walk.take(1);
          walk.take(walk.u16());
        }
        break;
      default:
        // Blocks of a maker's own say their length; what is reserved does not, and ends what can be read.
        if (type < 0x80) return { time, fields, position };
        walk.take(walk.u16());
    }
  }
  return { time, fields, position };
}
