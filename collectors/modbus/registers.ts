import { Refusal } from "../../core/reasons.ts";

export type Table = "coil" | "discrete" | "input" | "holding";
export type RegisterType = "bit" | "u16" | "i16" | "u32" | "i32" | "u64" | "i64" | "f32" | "f64" | "string";
/** Where the bytes of a big-endian value ABCD stand on the wire; wider values continue the pattern. */
export type ByteOrder = "ABCD" | "DCBA" | "BADC" | "CDAB";

/** Where a register stands in a unit, counted from 0 as on the wire. */
export interface RegisterPlace {
  readonly table: Table;
  readonly address: number;
}

const prefixes: Record<string, Table> = { "0": "coil", "1": "discrete", "3": "input", "4": "holding" };

/**
 * Reads a data-model address as manuals print it: a table digit and a number from 1, five or six digits
 * (40001 is holding register 0, 300101 is input register 100, "00001" is coil 0).
 *
 * @throws {Refusal} config_invalid if it is none.
 * @see Modbus Application Protocol 1.1b3, section 4.3
 */
export function parseAddress(notation: string | number): RegisterPlace {
  const digits = String(notation).padStart(5, "0");
  const table = prefixes[digits[0]!];
  const number = Number(digits.slice(1));
  if (!/^\d{5,6}$/.test(digits) || table === undefined || number < 1 || number > 65_536)
    throw new Refusal("config_invalid", `${notation} is not a register address`, {
      hint: "write it as manuals do (40001, 300101, 00001), or give `table` and an `address` from 0",
    });
  return { table, address: number - 1 };
}

/** @returns registers (or bits, in the two bit tables) that a value takes. */
export function width(type: RegisterType, lengthRegisters = 1): number {
  switch (type) {
    case "bit":
    case "u16":
    case "i16":
      return 1;
    case "u32":
    case "i32":
    case "f32":
      return 2;
    case "u64":
    case "i64":
    case "f64":
      return 4;
    case "string":
      return lengthRegisters;
  }
}

/** Where byte i of a big-endian value of `count` bytes stands on the wire. */
const wirePosition: Record<ByteOrder, (i: number, count: number) => number> = {
  ABCD: (i) => i,
  DCBA: (i, count) => count - 1 - i,
  BADC: (i) => i ^ 1,
  CDAB: (i, count) => count - 2 - (i & ~1) + (i & 1),
};

/** Puts bytes into big-endian order, or big-endian bytes into `order`: each of the four is its own inverse. */
export const reorder = (bytes: Uint8Array, order: ByteOrder): Uint8Array =>
  bytes.map((_, i) => bytes[wirePosition[order](i, bytes.length)]!);

/** How a register's bytes become a value. */
export interface Encoding {
  readonly type: RegisterType;
  readonly order: ByteOrder;
  /** Bit within a 16-bit register, 0 the least significant; only for `bit` in a register table. */
  readonly bit?: number | undefined;
}

/**
 * @param bytes - the value's registers as they came, two bytes each.
 * @returns the raw value, before scale and offset; 64-bit integers as bigint.
 */
export function decode(bytes: Uint8Array, encoding: Encoding): number | bigint | boolean | string {
  const ordered = reorder(bytes, encoding.order);
  const view = new DataView(ordered.buffer, ordered.byteOffset, ordered.length);
  switch (encoding.type) {
    case "bit":
      return ((view.getUint16(0) >> (encoding.bit ?? 0)) & 1) === 1;
    case "u16":
      return view.getUint16(0);
    case "i16":
      return view.getInt16(0);
    case "u32":
      return view.getUint32(0);
    case "i32":
      return view.getInt32(0);
    case "u64":
      return view.getBigUint64(0);
    case "i64":
      return view.getBigInt64(0);
    case "f32":
      return view.getFloat32(0);
    case "f64":
      return view.getFloat64(0);
    case "string":
      return Buffer.from(ordered).toString("latin1").replace(/\0.*$/s, "").trim();
  }
}

/** The inverse of `decode`, for simulators: the registers a device would hold. */
export function encode(
  value: number | bigint | boolean | string,
  encoding: Encoding,
  lengthRegisters = 1,
): Uint8Array {
  const bytes = new Uint8Array(2 * width(encoding.type, lengthRegisters));
  const view = new DataView(bytes.buffer);
  switch (encoding.type) {
    case "bit":
      view.setUint16(0, value ? 1 << (encoding.bit ?? 0) : 0);
      break;
    case "u16":
    case "i16":
      view.setInt16(0, Number(value));
      break;
    case "u32":
    case "i32":
      view.setInt32(0, Number(value));
      break;
    case "u64":
    case "i64":
      view.setBigInt64(0, BigInt(value));
      break;
    case "f32":
      view.setFloat32(0, Number(value));
      break;
    case "f64":
      view.setFloat64(0, Number(value));
      break;
    case "string":
      Buffer.from(bytes.buffer).write(String(value), "latin1");
  }
  return reorder(bytes, encoding.order);
}
