import { z } from "zod";
import { filePath } from "../../core/paths.ts";

const unitMillis = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** A span of time as users write it (`500ms`, `1s`, `15m`, `1h`); parsed to milliseconds. */
export const duration = z
  .string()
  .regex(/^\d+(\.\d+)?(ms|s|m|h)$/, "write a duration as 500ms, 1s, 15m or 1h")
  .transform((text) => {
    const [, number, unit] = /^([\d.]+)(ms|s|m|h)$/.exec(text)!;
    return Number(number) * unitMillis[unit as keyof typeof unitMillis];
  })
  .refine((millis) => millis > 0, "must be longer than 0");

/** A secret is named, never written: a dump of the configuration shows where it comes from and not what it is. */
export const secret = z.union(
  [
    z.strictObject({ file: filePath("file that holds the secret and nothing else") }),
    z.strictObject({ env: z.string().describe("name of an environment variable") }),
  ],
  { error: "name where the secret is: { file: PATH } or { env: NAME }" },
);
export type Secret = z.infer<typeof secret>;

export const deviceId = z.string().min(1).describe("device id, unique within the enterprise");
export const metricId = z.string().min(1).describe("metric id from the catalogue");
export const ucum = z.string().min(1).describe('UCUM code of the value, "1" for dimensionless');
export const port = z.int().min(1).max(65_535).describe("TCP port");
