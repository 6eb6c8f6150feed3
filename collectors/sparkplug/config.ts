import { z } from "zod";
import { deviceId, metricId, ucum } from "../runtime/fields.ts";

/** Sparkplug B: what is collected is chosen by the metric names of the births. */
export const sparkplugConfig = z.strictObject({
  group: z
    .string()
    .regex(/^[^/+#]+$/)
    .describe("Sparkplug group id"),
  host: z
    .string()
    .regex(/^[^/+#]+$/)
    .optional()
    .describe(
      "this host's id: edges that have it as their primary host store what they measure while it is not there",
    ),
  devices: z
    .record(z.string(), deviceId)
    .default({})
    .describe("device ids by EDGE or EDGE/DEVICE; that text itself when absent"),
  metrics: z
    .array(
      z.strictObject({ name: z.string().min(1).describe("as births name it"), metric: metricId, unit: ucum }),
    )
    .min(1)
    .describe("Sparkplug metric names to collect; others are left out"),
});

export type SparkplugConfig = z.output<typeof sparkplugConfig>;
