import { z } from "zod";
import { zoneOffset } from "../file/time.ts";
import { deviceId, duration, metricId, ucum } from "../runtime/fields.ts";

/** A substation, a switchgear or a meter concentrator that speaks IEC 60870-5-104. */
export const iec104Config = z
  .strictObject({
    name: z.string().optional().describe("shown on the page; the address when absent"),
    host: z.string().min(1).describe("name or address of the station"),
    port: z.int().min(1).max(65_535).default(2404).describe("TCP port"),
    station: z.int().min(1).max(65_534).default(1).describe("common address of its ASDUs"),
    zone: z
      .string()
      .refine(
        (name) => zoneOffset(name) !== undefined,
        "no such time zone: write UTC, Asia/Shanghai, or +08:00",
      )
      .describe("of the station's clock, which does not say it"),
    device: deviceId.describe("device id, where a point names no other"),
    interrogate: duration
      .default(15 * 60_000)
      .describe("how often the station is asked for everything, beside what it tells by itself"),
    counters: z.boolean().default(false).describe("whether it is asked for its counters, too"),
    timeout: duration.default(15_000).describe("longest wait for a connection and for an answer (T1)"),
    idle: duration.default(20_000).describe("longest silence before the line is tested (T3)"),
    points: z
      .array(
        z.strictObject({
          address: z.int().min(0).max(16_777_215).describe("information object address"),
          station: z.int().min(1).max(65_534).optional().describe("where it is another than the one above"),
          device: deviceId.optional().describe("where it is another than the one above"),
          scale: z.number().default(1).describe("value = raw · scale; a normalized value is −1 to 1"),
          metric: metricId,
          unit: ucum,
        }),
      )
      .min(1)
      .describe("what is taken; other points are left out"),
  })
  .superRefine(({ points, station }, context) => {
    const seen = new Set<string>();
    for (const [i, point] of points.entries()) {
      const key = pointKey(point.station ?? station, point.address);
      if (seen.has(key))
        context.addIssue({
          code: "custom",
          path: ["points", i, "address"],
          message: `${key} is listed twice`,
        });
      seen.add(key);
    }
  });

export const pointKey = (station: number, address: number): string => `${station}/${address}`;

export type Iec104Config = z.output<typeof iec104Config>;
