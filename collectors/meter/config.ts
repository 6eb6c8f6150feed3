import { z } from "zod";
import { deviceId, duration, metricId, port, ucum } from "../runtime/fields.ts";

/** Where the meters' bus is reached. */
export type Transport =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "serial"; readonly path: string; readonly baudRate: number };

const identifier = z
  .string()
  .transform((text) => text.replaceAll(" ", "").toLowerCase())
  .refine((text) => /^[0-9a-f]{8}$/.test(text), "write a data identifier as in the standard: 00 01 00 00");

const register = z.strictObject({
  identifier: identifier.describe("data identifier, highest byte first: 00 01 00 00 is active energy drawn"),
  bytes: z.int().min(1).max(8).default(4).describe("length of the value: energy 4, power 3, voltage 2"),
  decimals: z.int().min(0).max(8).default(2).describe("digits after the point: energy 2, power 4, voltage 1"),
  signed: z.boolean().default(false).describe("whether the highest bit is a minus sign: power, current"),
  scale: z.number().default(1).describe("value = reading · scale, as for current transformers"),
  metric: metricId,
  unit: ucum,
  every: duration.default(60_000).describe("polling interval"),
});

/** Electricity, water and gas meters that speak DL/T 645-2007 on one bus or behind one gateway. */
export const meterConfig = z
  .strictObject({
    name: z.string().optional().describe("shown on the page; the address when absent"),
    host: z.string().optional().describe("gateway (serial server) on the network"),
    port: port.optional(),
    serial: z.string().optional().describe("device path of a serial port"),
    baudRate: z.int().positive().optional().describe("bits per second; 2400 when absent"),
    preambles: z
      .int()
      .min(0)
      .max(16)
      .default(4)
      .describe("FE bytes ahead of a request, to wake the receiver"),
    timeout: duration.default(2_000).describe("longest wait for a connection and for an answer"),
    pause: duration.optional().describe("rest between two requests, where a bus needs one"),
    meters: z
      .array(
        z.strictObject({
          address: z
            .string()
            .regex(/^\d{1,12}$/, "digits as printed on the meter; leading zeros may be left out")
            .transform((text) => text.padStart(12, "0"))
            .describe("digits as printed on the meter; leading zeros may be left out"),
          device: deviceId.optional().describe("the address when absent"),
          registers: z.array(register).min(1).describe("what is read"),
        }),
      )
      .min(1)
      .describe("meters on the bus or behind the gateway"),
  })
  .superRefine((c, context) => {
    const problem = (path: PropertyKey[], message: string) =>
      context.addIssue({ code: "custom", path, message });
    if ((c.host === undefined) === (c.serial === undefined)) problem(["host"], "give host, or serial");
    if ((c.host === undefined) !== (c.port === undefined)) problem(["port"], "goes with host");
    if (c.serial === undefined && c.baudRate !== undefined) problem(["baudRate"], "goes with serial");
    const seen = new Set<string>();
    for (const [i, { address }] of c.meters.entries()) {
      if (seen.has(address)) problem(["meters", i, "address"], `${address} is listed twice`);
      seen.add(address);
    }
  })
  .transform(({ host, port, serial, baudRate = 2400, ...c }) => ({
    ...c,
    transport: (host === undefined
      ? { kind: "serial", path: serial!, baudRate }
      : { kind: "tcp", host, port: port! }) as Transport,
  }));

export type MeterConfig = z.output<typeof meterConfig>;
export type MeterRegister = MeterConfig["meters"][number]["registers"][number];
