import type { Found } from "../runtime/found.ts";
import { ModbusChannel, ModbusException, type Transport } from "./channel.ts";
import { decode, parseAddress, type RegisterPlace, type Table } from "./registers.ts";

/** Read at once; what a device refuses as a whole is asked in halves. */
const mostAtOnce = 50;
/** Connections in a row that gave nothing: there is no use in dialling on. */
const mostLost = 3;

export interface ModbusScan {
  readonly transport: Transport;
  readonly unit: number;
  readonly timeoutMillis: number;
  /** First address, as manuals write it; the first holding register when absent. */
  readonly from?: string | undefined;
  readonly count?: number | undefined;
}

/**
 * Reads a range of addresses and says which there are, each in the readings it might have.
 *
 * @throws {Refusal} config_invalid where `from` is no address.
 * @throws {Error} where the unit does not answer.
 */
export async function browseModbus(scan: ModbusScan, signal: AbortSignal): Promise<Found[]> {
  const { table, address } = parseAddress(scan.from ?? "40001");
  const count = Math.min(scan.count ?? 100, 65_536 - address);
  const values = new Map<number, Buffer | boolean>();
  let channel: ModbusChannel | undefined;
  let lost = 0;

  async function read(place: RegisterPlace, length: number): Promise<void> {
    try {
      channel ??= await ModbusChannel.open(scan.transport, scan.timeoutMillis, signal);
      const bytes = await channel.read(scan.unit, place, length);
      lost = 0;
      for (let i = 0; i < length; i++)
        values.set(
          place.address + i,
          isBits(table) ? ((bytes[i >> 3]! >> (i & 7)) & 1) === 1 : bytes.subarray(2 * i, 2 * i + 2),
        );
    } catch (error) {
      if (!(error instanceof ModbusException)) {
        channel = undefined;
        // Some devices hang up, or say nothing, where an address is not theirs.
        if (signal.aborted || ++lost >= mostLost) throw error;
      } else lost = 0;
      if (length === 1) return;
      const half = Math.ceil(length / 2);
      await read(place, half);
      await read({ table, address: place.address + half }, length - half);
    }
  }

  try {
    for (let done = 0; done < count; done += mostAtOnce)
      await read({ table, address: address + done }, Math.min(mostAtOnce, count - done));
  } finally {
    channel?.destroy();
  }
  return [...values]
    .sort(([a], [b]) => a - b)
    .map(([at, value]) => ({ address: notation(table, at), ...readingsOf(at, value, values) }));
}

const isBits = (table: Table): boolean => table === "coil" || table === "discrete";

function readingsOf(at: number, value: Buffer | boolean, all: ReadonlyMap<number, Buffer | boolean>): Found {
  if (typeof value === "boolean") return { bit: value };
  const one = (type: "u16" | "i16"): number => Number(decode(value, { type, order: "ABCD" }));
  const next = all.get(at + 1);
  const both = next instanceof Buffer ? Buffer.concat([value, next]) : undefined;
  const two = (type: "u32" | "f32", order: "ABCD" | "CDAB"): number | null => {
    if (both === undefined) return null;
    const read = Number(decode(both, { type, order }));
    return Number.isFinite(read) ? Number(read.toPrecision(7)) : null;
  };
  return {
    hex: value.toString("hex"),
    u16: one("u16"),
    i16: one("i16"),
    u32: two("u32", "ABCD"),
    f32: two("f32", "ABCD"),
    f32_CDAB: two("f32", "CDAB"),
  };
}

const digits: Readonly<Record<Table, string>> = { coil: "0", discrete: "1", input: "3", holding: "4" };

/** The inverse of `parseAddress`. */
const notation = (table: Table, address: number): string =>
  digits[table] + String(address + 1).padStart(address < 9_999 ? 4 : 5, "0");
