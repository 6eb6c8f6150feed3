import type { ModbusInput } from "../modbus/config.ts";
import type { ByteOrder, RegisterType, Table } from "../modbus/registers.ts";
import { type ImportNotes, type Section, unitFor } from "./section.ts";

type RegisterInput = NonNullable<ModbusInput["registers"]>[number];

const byteOrders: Record<string, ByteOrder> = {
  AB: "ABCD",
  BA: "DCBA",
  ABCD: "ABCD",
  DCBA: "DCBA",
  BADC: "BADC",
  CDAB: "CDAB",
  ABCDEFGH: "ABCD",
  HGFEDCBA: "DCBA",
  BADCFEHG: "BADC",
  GHEFCDAB: "CDAB",
};

const types: Record<string, RegisterType> = {
  BIT: "bit",
  INT16: "i16",
  UINT16: "u16",
  INT32: "i32",
  UINT32: "u32",
  INT64: "i64",
  UINT64: "u64",
  "FLOAT32-IEEE": "f32",
  "FLOAT64-IEEE": "f64",
  FLOAT64: "f64",
  STRING: "string",
};

const sizes = { FIXED: ["i16", "i32", "i64"], UFIXED: ["u16", "u32", "u64"] } as const;

const tables = { coil: "coil", discrete: "discrete", input: "input", holding: "holding" } as const;
const lists = {
  coils: "coil",
  discrete_inputs: "discrete",
  input_registers: "input",
  holding_registers: "holding",
} as const;

/**
 * One `[[inputs.modbus]]` section, in any of its three styles (register, request, metric).
 *
 * @param interval - the agent's, where the section has none of its own.
 * @returns undefined, with a note, where the line is one we do not speak.
 */
export function importModbus(
  section: Section,
  interval: string,
  notes: ImportNotes,
): ModbusInput | undefined {
  const line = lineOf(section, notes);
  if (line === undefined) return undefined;
  const every = section.text("interval") ?? interval;
  const defaultUnit = section.number("slave_id") ?? 0;
  const units = new Map<number, RegisterInput[]>();
  const add = (unit: number, register: RegisterInput | undefined) => {
    if (register !== undefined) units.set(unit, [...(units.get(unit) ?? []), { ...register, every }]);
  };

  // Its styles are told apart by their own lists; which of them was meant adds nothing.
  section.text("configuration_type");
  for (const [list, table] of Object.entries(lists))
    for (const field of section.sections(list)) add(defaultUnit, registerStyle(field, table, notes));
  for (const request of [...section.sections("request"), ...section.sections("metric")])
    for (const field of request.sections("fields"))
      add(request.number("slave_id") ?? defaultUnit, requestStyle(field, request, notes));

  if (units.size === 0) {
    notes.note(`${section.place} reads no register we know and is left out`);
    return undefined;
  }
  const name = section.text("name");
  const pause = section.section("workarounds")?.text("pause_between_requests");
  return {
    ...(name === undefined ? {} : { name }),
    ...line,
    timeout: section.text("timeout") ?? "1s",
    ...(pause === undefined || /^0/.test(pause) ? {} : { pause }),
    units: [...units].map(([unit, registers]) => ({
      unit,
      ...(name === undefined ? {} : { device: units.size === 1 ? name : `${name}/${unit}` }),
      registers,
    })),
  };
}

function lineOf(section: Section, notes: ImportNotes): Partial<ModbusInput> | undefined {
  const controller = section.text("controller") ?? "";
  const mode = section.text("transmission_mode") ?? "auto";
  if (/ascii/i.test(mode)) {
    notes.note(`${section.place} speaks ${mode}, which is not supported, and is left out`);
    return undefined;
  }
  const tcp = /^tcp:\/\/(.+):(\d+)$/.exec(controller);
  if (tcp !== null)
    return { host: tcp[1]!, port: Number(tcp[2]), framing: /^rtuovertcp$/i.test(mode) ? "rtu" : "tcp" };
  const serial = /^(?:file:\/\/)?(\/.+|COM\d+)$/.exec(controller);
  if (serial !== null) {
    const parities: Record<string, "none" | "even" | "odd"> = { N: "none", E: "even", O: "odd" };
    return {
      serial: serial[1]!,
      baudRate: section.number("baud_rate") ?? 9600,
      dataBits: section.number("data_bits") === 7 ? 7 : 8,
      stopBits: section.number("stop_bits") === 2 ? 2 : 1,
      parity: parities[section.text("parity") ?? "N"] ?? "none",
    };
  }
  notes.note(`${section.place} has a controller we do not know (${controller}) and is left out`);
  return undefined;
}

/** `{ name, byte_order, data_type, scale, address = [5, 6] }`: the type's size is that of the address list. */
function registerStyle(field: Section, table: Table, notes: ImportNotes): RegisterInput | undefined {
  const addresses = field.numbers("address");
  const address = addresses[0];
  if (address === undefined) return leftOut(field, "names no address", notes);
  const dataType = field.text("data_type");
  const fixed =
    dataType === "FIXED" ? "FIXED" : dataType === "UFIXED" || dataType === "FLOAT32" ? "UFIXED" : undefined;
  const type = isBitTable(table)
    ? "bit"
    : fixed === undefined
      ? types[dataType ?? ""]
      : sizes[fixed][Math.log2(addresses.length)];
  if (type === undefined) return leftOut(field, `has the type ${dataType}`, notes);
  return registerOf(field, table, address, type, field.text("byte_order"), addresses.length, notes);
}

/** `{ address, name, type, scale, bit, length }` under a request's or metric's `slave_id` and `byte_order`. */
function requestStyle(field: Section, request: Section, notes: ImportNotes): RegisterInput | undefined {
  const kind = field.text("register") ?? request.text("register") ?? "holding";
  const table = tables[kind as keyof typeof tables];
  const address = field.number("address");
  if (table === undefined || address === undefined) return leftOut(field, `reads ${kind} ${address}`, notes);
  const named = field.text("type") ?? "";
  const type = isBitTable(table) ? "bit" : named === "FLOAT32" ? "f32" : types[named];
  if (type === undefined) return leftOut(field, `has the type ${named || "none"}`, notes);
  const order = field.text("byte_order") ?? request.text("byte_order");
  return registerOf(field, table, address, type, order, field.number("length") ?? 1, notes);
}

function registerOf(
  field: Section,
  table: Table,
  address: number,
  type: RegisterType,
  byteOrder: string | undefined,
  length: number,
  notes: ImportNotes,
): RegisterInput | undefined {
  const metric = field.text("name") ?? `${table}_${address}`;
  const order = byteOrders[byteOrder ?? "ABCD"];
  if (order === undefined) return leftOut(field, `has the byte order ${byteOrder}`, notes);
  const scale = field.number("scale");
  const bit = field.number("bit") ?? 0;
  return {
    table,
    address,
    type,
    order,
    ...(type === "bit" && !isBitTable(table) ? { bit } : {}),
    ...(type === "string" ? { length } : {}),
    ...(scale === undefined || scale === 0 ? {} : { scale }),
    metric,
    unit: unitFor(metric, notes),
  };
}

const isBitTable = (table: Table): boolean => table === "coil" || table === "discrete";

function leftOut(field: Section, why: string, notes: ImportNotes): undefined {
  notes.note(
    `${field.place} (${field.text("name") ?? "unnamed"}) ${why}, which is not supported, and is left out`,
  );
  field.leave();
}
