import { z } from "zod";
import { deviceId, duration, metricId, port, ucum } from "../runtime/fields.ts";
import type { Transport } from "./channel.ts";
import { parseAddress, type RegisterPlace } from "./registers.ts";

const registerAddress = z.union([z.int().min(0), z.string().regex(/^(\d{5,6}|0x[0-9a-fA-F]{1,4})$/)]);

const register = z
  .strictObject({
    address: registerAddress.describe(
      'as manuals print it, from 1 (40001, 300101, "00001"); with `table`, from 0 (0, 23296, "0x5b00")',
    ),
    table: z
      .enum(["coil", "discrete", "input", "holding"])
      .optional()
      .describe("which of the four tables; by the address's first digit when absent"),
    type: z
      .enum(["bit", "u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64", "string"])
      .describe("what the registers hold; a number of 32 or 64 bits takes 2 or 4"),
    order: z.enum(["ABCD", "DCBA", "BADC", "CDAB"]).default("ABCD").describe("byte order on the wire"),
    bit: z.int().min(0).max(15).optional().describe("bit within a register, 0 the least significant"),
    length: z.int().min(1).max(125).optional().describe("registers of a string, two characters each"),
    scale: z.number().default(1).describe("value = raw · scale + offset"),
    offset: z.number().default(0).describe("in `unit`"),
    absent: z.array(z.number()).default([]).describe("raw values by which the device says it has none"),
    metric: metricId,
    unit: ucum,
    every: duration.default(1_000).describe("polling interval"),
  })
  .superRefine((r, context) => {
    const problem = (path: string, message: string) =>
      context.addIssue({ code: "custom", path: [path], message });
    let place: RegisterPlace;
    try {
      place = placeOf(r);
    } catch (error) {
      return problem("address", (error as Error).message);
    }
    const bitTable = place.table === "coil" || place.table === "discrete";
    if (bitTable && r.type !== "bit") problem("type", `a ${place.table} is a bit`);
    if (bitTable && r.bit !== undefined) problem("bit", `a ${place.table} is one bit already`);
    if (!bitTable && r.type === "bit" && r.bit === undefined) problem("bit", "say which bit of the register");
    if (r.type !== "bit" && r.bit !== undefined) problem("bit", "only for type bit");
    if ((r.type === "string") !== (r.length !== undefined)) problem("length", "goes with type string");
  });

/** @throws {Refusal} config_invalid if the address is neither notation. */
export function placeOf(r: {
  address: string | number;
  table?: RegisterPlace["table"] | undefined;
}): RegisterPlace {
  if (r.table === undefined) return parseAddress(r.address);
  const address = Number(r.address);
  if (!(address <= 65_535)) throw new RangeError(`${r.address} is beyond 65535`);
  return { table: r.table, address };
}

const unitFields = {
  unit: z.int().min(0).max(255).describe("unit id (slave address)"),
  device: deviceId.optional().describe("HOST:PORT/UNIT when absent"),
  registers: z.array(register).min(1).describe("what is read"),
};

/** One gateway, device or bus; a single unit may be written flat, without `units`. */
export const modbusConfig = z
  .strictObject({
    name: z.string().optional().describe("shown on the page; the address when absent"),
    host: z.string().optional().describe("Modbus over TCP"),
    port: port.optional().describe("502 when absent"),
    framing: z.enum(["tcp", "rtu"]).optional().describe("tcp when absent; rtu: RTU frames over a TCP socket"),
    serial: z.string().optional().describe("device path of a serial port: RTU"),
    baudRate: z.int().positive().optional().describe("bits per second; 9600 when absent"),
    dataBits: z
      .union([z.literal(7), z.literal(8)])
      .optional()
      .describe("8 when absent"),
    stopBits: z
      .union([z.literal(1), z.literal(2)])
      .optional()
      .describe("1 when absent"),
    parity: z.enum(["none", "even", "odd"]).optional().describe("even when absent"),
    timeout: duration.default(1_000).describe("longest wait for a connection and for an answer"),
    pause: duration.optional().describe("rest between two requests, where a bus needs one"),
    maxGap: z.int().min(0).default(0).describe("unused registers a merged read may span"),
    maxRegisters: z.int().min(1).max(2000).default(125).describe("registers per request at most"),
    unit: unitFields.unit.optional(),
    device: unitFields.device,
    registers: unitFields.registers.optional(),
    units: z
      .array(z.strictObject(unitFields))
      .min(1)
      .optional()
      .describe("units behind one gateway or on one bus; one unit may stand for several devices"),
  })
  .superRefine((c, context) => {
    const problem = (path: PropertyKey[], message: string) =>
      context.addIssue({ code: "custom", path, message });
    if ((c.host === undefined) === (c.serial === undefined)) problem(["host"], "give host, or serial");
    if (c.host === undefined)
      for (const field of ["port", "framing"] as const)
        if (c[field] !== undefined) problem([field], "goes with host");
    if (c.serial === undefined)
      for (const field of ["baudRate", "dataBits", "stopBits", "parity"] as const)
        if (c[field] !== undefined) problem([field], "goes with serial");
    const flat = c.unit !== undefined && c.registers !== undefined;
    if (flat === (c.units !== undefined)) problem(["units"], "give unit and registers, or units");
    if (c.units !== undefined)
      for (const field of ["unit", "device", "registers"] as const)
        if (c[field] !== undefined) problem([field], "belongs under units");
    const seen = new Set<string>();
    for (const [i, { unit, device }] of c.units?.entries() ?? []) {
      const one = `${unit} ${device ?? ""}`;
      if (seen.has(one))
        problem(["units", i, "unit"], `unit ${unit} is listed twice: give each a device of its own`);
      seen.add(one);
    }
  })
  .transform(({ name, timeout, pause, maxGap, maxRegisters, ...c }) => ({
    name,
    timeout,
    pause,
    maxGap,
    maxRegisters,
    transport: transportOf(c),
    units: c.units ?? [{ unit: c.unit!, device: c.device, registers: c.registers! }],
  }));

interface Line {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly framing?: "tcp" | "rtu" | undefined;
  readonly serial?: string | undefined;
  readonly baudRate?: number | undefined;
  readonly dataBits?: 7 | 8 | undefined;
  readonly stopBits?: 1 | 2 | undefined;
  readonly parity?: "none" | "even" | "odd" | undefined;
}

/** Serial defaults are those of the standard. @see Modbus over Serial Line 1.02, section 2.5.1 */
function transportOf(c: Line): Transport {
  if (c.host !== undefined)
    return { kind: c.framing === "rtu" ? "rtu-over-tcp" : "tcp", host: c.host, port: c.port ?? 502 };
  const { baudRate = 9600, dataBits = 8, stopBits = 1, parity = "even" } = c;
  return { kind: "rtu", path: c.serial!, baudRate, dataBits, stopBits, parity };
}

export type ModbusConfig = z.output<typeof modbusConfig>;
/** As users write it. */
export type ModbusInput = z.input<typeof modbusConfig>;
export type Register = z.output<typeof register>;
