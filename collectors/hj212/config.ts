import { z } from "zod";
import { zoneOffset } from "../file/time.ts";
import { deviceId, metricId, secret, ucum } from "../runtime/fields.ts";
import { listening } from "../terminal/listening.ts";

/** Emission monitors that dial this node: HJ 212-2017, and -2005. */
export const hj212Config = z
  .strictObject({
    ...listening,
    zone: z
      .string()
      .default("+08:00")
      .refine((name) => zoneOffset(name) !== undefined, "no such time zone: write Asia/Shanghai, or +08:00")
      .describe("of the stations' clocks"),
    stations: z
      .array(
        z.strictObject({
          mn: z
            .string()
            .regex(/^[\x21-\x3a\x3c-\x7e]{1,40}$/, "the number as the station sends it")
            .describe("the station's number (MN)"),
          password: secret.describe("where its password (PW) stands; it goes over the line as it is"),
          device: deviceId,
        }),
      )
      .min(1)
      .describe("stations not listed, or with another password, are refused"),
    readings: z
      .array(
        z.strictObject({
          factor: z
            .string()
            .regex(/^[A-Za-z0-9]{1,20}$/, "a factor's code, as w01018")
            .describe("code of the pollutant or state: w01018 COD, a21026 SO2, a34013 dust"),
          field: z
            .enum(["Rtd", "ZsRtd", "Avg", "ZsAvg", "Min", "Max", "Cou"])
            .default("Rtd")
            .describe("Rtd: now; Avg, Min, Max and Cou (amount) of minutes, hours or days; Zs…: converted"),
          of: z
            .enum(["now", "minutes", "hour", "day"])
            .default("now")
            .describe("which of the station's reports it is taken from"),
          scale: z.number().default(1).describe("value = number · scale"),
          metric: metricId,
          unit: ucum,
        }),
      )
      .min(1)
      .describe("what is taken from a report"),
  })
  .superRefine(({ stations }, context) => {
    const seen = new Set<string>();
    for (const [i, { mn }] of stations.entries()) {
      if (seen.has(mn))
        context.addIssue({ code: "custom", path: ["stations", i, "mn"], message: `${mn} is listed twice` });
      seen.add(mn);
    }
  });

export type Hj212Config = z.output<typeof hj212Config>;
