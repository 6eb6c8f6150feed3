import { z } from "zod";
import { filePath } from "../../core/paths.ts";
import { deviceId, metricId, secret, ucum } from "../runtime/fields.ts";
import { listening } from "./listening.ts";

const metersOf = z.number().positive();

/** Units of what a report always holds; the rest is configured as items. */
export const fieldUnits = {
  position: "1",
  speed: "km/h",
  altitude: "m",
  direction: "deg",
  ignition: "1",
} as const;

const field = (names: readonly [keyof typeof fieldUnits, ...(keyof typeof fieldUnits)[]]) =>
  z.strictObject({
    from: z
      .enum(names)
      .describe("position: 1 where there is a fix; speed in km/h, altitude in m, direction in deg"),
    metric: metricId,
  });

const item = z.strictObject({
  item: z
    .int()
    .min(1)
    .max(255)
    .describe("id of the additional item: 1 odometer, 2 fuel, 6 compartment temperature"),
  offset: z.int().min(0).max(254).default(0).describe("bytes into the item"),
  type: z
    .enum(["u8", "u16", "u32", "i8", "i16", "i32", "sign16"])
    .describe("big-endian; sign16: the highest bit is a minus sign, as in item 6"),
  scale: z.number().default(1).describe("value = raw · scale"),
  metric: metricId,
  unit: ucum,
});

const shared = {
  ...listening,
  datum: z.enum(["WGS-84", "GCJ-02"]).describe("what the terminals' positions refer to"),
};

const jt808 = z
  .strictObject({
    ...shared,
    protocol: z
      .literal("jt808")
      .describe("JT/T 808-2013 and -2019: registered terminals, acknowledged reports"),
    accuracyMetres: metersOf.default(15).describe("of one position, metres"),
    authentication: z
      .union(
        [
          z.literal("none"),
          z.strictObject({
            key: secret.describe("where the secret stands from which the codes are derived"),
            registered: filePath("file that remembers which terminals have their code; made when absent"),
          }),
        ],
        { error: "write none, or { key: { file }, registered: FILE }" },
      )
      .describe(
        "none: whoever names a phone number is believed; key: a terminal registers once, by its own id, and is known by its code from then on",
      ),
    terminals: z
      .array(
        z.strictObject({
          phone: z
            .string()
            .regex(/^\d{1,20}$/, "digits, leading zeros may be left out")
            .describe("SIM number in the terminal's header; leading zeros may be left out"),
          device: deviceId,
          terminal: z
            .string()
            .regex(/^[\x21-\x7e]{1,30}$/, "the id as printed on the terminal")
            .optional()
            .describe("the maker's id of the terminal, as printed on it; needed with authentication by key"),
          issue: z
            .int()
            .min(1)
            .default(1)
            .describe(
              "raise it when the terminal has lost its code, or another may have it: it registers anew",
            ),
        }),
      )
      .min(1)
      .describe("terminals not listed are refused"),
    readings: z
      .array(z.union([field(["position", "speed", "altitude", "direction", "ignition"]), item]))
      .min(1)
      .describe("what is taken from a report")
      .default([
        { from: "position", metric: "position" },
        { from: "speed", metric: "speed" },
        { item: 1, offset: 0, type: "u32", scale: 0.1, metric: "odometer", unit: "km" },
      ]),
  })
  .superRefine(({ terminals, authentication }, context) => {
    const seen = new Set<string>();
    for (const [i, { phone, terminal }] of terminals.entries()) {
      if (authentication !== "none" && terminal === undefined)
        context.addIssue({
          code: "custom",
          path: ["terminals", i, "terminal"],
          message: "is needed to hand out a code: a phone number is no secret",
        });
      if (seen.has(bare(phone)))
        context.addIssue({
          code: "custom",
          path: ["terminals", i, "phone"],
          message: `${phone} is listed twice`,
        });
      seen.add(bare(phone));
    }
  });

const nmea = z
  .strictObject({
    ...shared,
    protocol: z.literal("nmea").describe("NMEA 0183 sentences of a receiver behind a modem"),
    device: deviceId.optional().describe("where one receiver dials this port"),
    registration: z
      .strictObject({
        prefix: z
          .string()
          .describe('what stands before the identity in the first line a modem sends, as "IMEI:"'),
        devices: z.record(z.string(), deviceId).describe("device ids by identity; others are refused"),
      })
      .optional()
      .describe("where several dial it"),
    rangeErrorMetres: metersOf.default(5).describe("accuracy = HDOP · this"),
    combined: z
      .enum(["beidou", "gps"])
      .default("gps")
      .describe("source of a position by several systems together (talker GN)"),
    readings: z
      .array(field(["position", "speed", "altitude", "direction"]))
      .min(1)
      .describe("what is taken from a fix")
      .default([
        { from: "position", metric: "position" },
        { from: "speed", metric: "speed" },
      ]),
  })
  .superRefine(({ device, registration }, context) => {
    if ((device === undefined) === (registration === undefined))
      context.addIssue({ code: "custom", path: ["device"], message: "give device, or registration" });
  });

/** Vehicle terminals that dial a port of ours. */
export const terminalConfig = z.discriminatedUnion("protocol", [jt808, nmea]);

export type TerminalConfig = z.output<typeof terminalConfig>;
export type Jt808Config = Extract<TerminalConfig, { protocol: "jt808" }>;
export type NmeaConfig = Extract<TerminalConfig, { protocol: "nmea" }>;
export type ItemField = Extract<Jt808Config["readings"][number], { item: number }>;

/** A phone number without the zeros that fill its field. */
export const bare = (phone: string): string => phone.replace(/^0+(?=\d)/, "");
