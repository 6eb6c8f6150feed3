import type { ModbusInput } from "../modbus/config.ts";
import type { ByteOrder, RegisterType, Table } from "../modbus/registers.ts";
import { deviceOf, type ImportNotes, type Section, unitFor } from "./section.ts";

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

/** What Telegraf calls a point of Modbus that names no measurement. */
const defaultMeasurement = "modbus";

/** One register, and what Telegraf keeps it apart by. */
interface Found {
  readonly unit: number;
  readonly measurement: string;
  readonly tags: ReadonlyMap<string, string>;
  readonly register: RegisterInput;
}

/**
 * One `[[inputs.modbus]]` section. Of its three styles (register, request, metric) Telegraf reads the one that
 * `configuration_type` names, and so do we.
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
  const style = section.text("configuration_type") ?? "register";
  const found = style === "register" ? registersOf(section, notes) : requestsOf(section, style, notes);
  const left = [
    ...(style === "register" ? [] : Object.keys(lists)),
    ...["request", "metric"].filter((one) => one !== style),
  ].filter((key) => section.keys().includes(key));
  for (const key of left) {
    section.leave(key);
    notes.note(
      `${section.place}.${key} is left out: configuration_type is ${style}, so Telegraf reads none of it`,
    );
  }
  const own = section.texts("tags");
  const name = section.text("name");
  const severalUnits = new Set(found.map(({ unit }) => unit)).size > 1;
  const label = name ?? ("host" in line ? `${line.host}:${line.port}` : line.serial);
  const devices = new Map<string, { unit: number; registers: RegisterInput[] }>();
  for (const { unit, measurement, tags, register } of found) {
    const device = deviceOf(
      [
        label,
        name === undefined || severalUnits ? unit : undefined,
        measurement === defaultMeasurement ? undefined : measurement,
      ],
      new Map([...own, ...tags]),
    );
    const registers = devices.get(device)?.registers ?? [];
    devices.set(device, { unit, registers });
    if (registers.some(({ metric }) => metric === register.metric))
      notes.note(
        `${register.metric} of ${device} is named twice; the one at ${register.address} is left out`,
      );
    else registers.push({ ...register, every });
  }

  if (devices.size === 0) {
    notes.note(`${section.place} reads no register we know and is left out`);
    return undefined;
  }
  const pause = section.section("workarounds")?.text("pause_between_requests");
  return {
    ...(name === undefined ? {} : { name }),
    ...line,
    timeout: section.text("timeout") ?? "1s",
    ...(pause === undefined || /^0/.test(pause) ? {} : { pause }),
    units: [...devices].map(([device, { unit, registers }]) => ({ unit, device, registers })),
  };
}

/** The lists of style `register`: all of one unit. */
function registersOf(section: Section, notes: ImportNotes): Found[] {
  const unit = section.number("slave_id") ?? 0;
  return Object.entries(lists).flatMap(([list, table]) =>
    section.sections(list).flatMap((field) => {
      const register = registerStyle(field, table, notes);
      const measurement = field.text("measurement") ?? defaultMeasurement;
      return register === undefined ? [] : [{ unit, measurement, tags: new Map<string, string>(), register }];
    }),
  );
}

/** The styles `request` and `metric`: each has a unit, tags and perhaps a measurement of its own. */
function requestsOf(section: Section, style: string, notes: ImportNotes): Found[] {
  const defaultUnit = section.number("slave_id") ?? 0;
  return section.sections(style).flatMap((request) => {
    const unit = request.number("slave_id") ?? defaultUnit;
    const tags = request.texts("tags");
    const shared = request.text("measurement") ?? defaultMeasurement;
    return request.sections("fields").flatMap((field) => {
      // Telegraf reads over it and keeps nothing.
      if (field.flag("omit")) {
        field.leave();
        return [];
      }
      const register = requestStyle(field, request, notes);
      const measurement = field.text("measurement") ?? shared;
      return register === undefined ? [] : [{ unit, measurement, tags, register }];
    });
  });
}

type Line =
  | (Pick<ModbusInput, "framing"> & { readonly host: string; readonly port: number })
  | (Pick<ModbusInput, "baudRate" | "dataBits" | "stopBits" | "parity"> & { readonly serial: string });

function lineOf(section: Section, notes: ImportNotes): Line | undefined {
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
