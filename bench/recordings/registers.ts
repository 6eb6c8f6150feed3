import type { CollectorInput } from "../../collectors/config.ts";
import type { Table } from "../../collectors/modbus/registers.ts";
import { type SimulatedUnit, startModbusServer } from "../../collectors/simulators/modbus-server.ts";
import { heldClock } from "./held-clock.ts";
import { collectorOf } from "./protocols.ts";
import { rowsOf } from "./sets.ts";

/** One line of the register tables: where a meter keeps a value, and how. */
export interface MeterRegister {
  readonly model: string;
  readonly table: Extract<Table, "holding" | "input">;
  readonly address: number;
  readonly measurement: string;
  readonly type: "u16" | "i32" | "f32";
  readonly order: "ABCD" | "CDAB";
  readonly scale: number;
}

/** What became of the registers of all models. */
export interface RegisterFigures {
  readonly models: number;
  readonly registers: number;
  readonly read: number;
  /** Read with the value that stands in the meter. */
  readonly equal: number;
  readonly requests: number;
}

/** Register tables of energy meters; where a table does not say how wide a value is, its neighbour does. */
export function meterRegisters(data: string): MeterRegister[] {
  const rows = rowsOf(data, "iot_modbus_maps/modbus_meter_registers.csv");
  const byModel = Map.groupBy(rows, (row) => row.meter_key!);
  return [...byModel].flatMap(([model, some]) => {
    const addresses = some.map((row) => Number(row.register_dec));
    return some.map((row): MeterRegister => {
      const address = Number(row.register_dec);
      const next = Math.min(...addresses.filter((one) => one > address));
      return {
        model,
        table: row.function === "ReadInputReg" ? "input" : "holding",
        address,
        measurement: row.measurement!,
        ...encodingOf(row.decode!, row.note!, Number(row.read_len_words) || 2, next - address),
      };
    });
  });
}

function encodingOf(
  decode: string,
  note: string,
  words: number,
  room: number,
): Pick<MeterRegister, "type" | "order" | "scale"> {
  // SolarEdge keeps the low word first.
  if (decode === "RTUIeee754SolaredgeToFloat64") return { type: "f32", order: "CDAB", scale: 1 };
  if (decode === "RTUIeee754ToFloat64") return { type: "f32", order: "ABCD", scale: 1 };
  const digit = /\b0\.0*1/.exec(note)?.[0];
  const scale = digit === undefined ? 0.1 : Number(digit);
  const narrow = /16 bit/i.test(note) || words < 2 || room < 2;
  return { type: narrow ? "u16" : "i32", order: "ABCD", scale };
}

/** A value such as a meter would show, another one at each address. */
function plausible({ measurement, address }: Pick<MeterRegister, "measurement" | "address">): number {
  const fraction = ((address * 37) % 100) / 100;
  if (/^Voltage/.test(measurement)) return 225 + 10 * fraction;
  if (/^Current/.test(measurement)) return 1 + 14 * fraction;
  if (/^Cosphi/.test(measurement)) return 0.9 + 0.1 * fraction;
  if (/^Frequency/.test(measurement)) return 49.9 + 0.2 * fraction;
  if (/^THD/.test(measurement)) return 1 + 3 * fraction;
  if (/Power/.test(measurement)) return 200 + 3000 * fraction;
  // Sixteen bits with one decimal hold no more.
  return 500 + 6000 * fraction;
}

/** The value a reader must come to: what the meter's digits, or single precision, leave of it. */
export function shown(register: MeterRegister): number {
  const value = plausible(register);
  return register.type === "f32" ? Math.fround(value) : digitsOf(register, value) * register.scale;
}

/** Sixteen bits hold so many digits and no more. */
const digitsOf = ({ type, scale }: MeterRegister, value: number): number =>
  Math.round(value / scale) % (type === "u16" ? 65_536 : 2 ** 31);

/** A meter that answers where its table says, and refuses every other address (exception 2). */
function meter(registers: readonly MeterRegister[]): SimulatedUnit {
  const words = new Map<string, number>();
  for (const register of registers) {
    const bytes = Buffer.alloc(register.type === "u16" ? 2 : 4);
    const value = plausible(register);
    if (register.type === "f32") bytes.writeFloatBE(value);
    else if (register.type === "i32") bytes.writeInt32BE(digitsOf(register, value));
    else bytes.writeUInt16BE(digitsOf(register, value));
    if (register.order === "CDAB") bytes.swap32().swap16();
    for (let word = 0; 2 * word < bytes.length; word++)
      words.set(`${register.table} ${register.address + word}`, bytes.readUInt16BE(2 * word));
  }
  return (table, address, count) => {
    const answer = Buffer.alloc(2 * count);
    for (let i = 0; i < count; i++) {
      const word = words.get(`${table} ${address + i}`);
      if (word === undefined) return { exception: 2 };
      answer.writeUInt16BE(word, 2 * i);
    }
    return answer;
  };
}

/** One server a model, read once through the collector under a configuration made from the table. */
export async function readMeters(registers: readonly MeterRegister[]): Promise<RegisterFigures> {
  const byModel = Map.groupBy(registers, (one) => one.model);
  let read = 0;
  let equal = 0;
  let requests = 0;
  for (const [model, some] of byModel) {
    const expected = new Map(some.map((one) => [nameOf(one), shown(one)]));
    const server = await startModbusServer(new Map([[1, meter(some)]]));
    // Time stands still: each register is polled once.
    const clock = heldClock(0);
    const context = { ...clock, random: Math.random, log() {} };
    const collector = await collectorOf(mapOf(model, some, server.port), context);
    await collector.start();
    let left = some.length;
    for await (const batch of collector) {
      for (const { metric, value, quality } of batch.readings) {
        left--;
        if (quality !== "good") continue;
        read++;
        if (value === expected.get(metric)) equal++;
      }
      batch.stored();
      if (left <= 0) break;
    }
    await collector.stop();
    requests += server.requests;
    await server.close();
  }
  return { models: byModel.size, registers: registers.length, read, equal, requests };
}

/** Two lines of one table may name one address. */
const nameOf = (one: MeterRegister): string => `${one.measurement}@${one.address}`;

function mapOf(model: string, registers: readonly MeterRegister[], port: number): CollectorInput {
  return {
    modbus: {
      host: "127.0.0.1",
      port,
      timeout: "30s",
      unit: 1,
      device: model,
      registers: registers.map((one) => ({
        table: one.table,
        address: one.address,
        type: one.type,
        order: one.order,
        scale: one.scale,
        metric: nameOf(one),
        unit: "1",
        every: "1h",
      })),
    },
  };
}
