import { z } from "zod";

export const range = z
  .tuple([z.number(), z.number()])
  .refine(([low, high]) => low < high, "low end first")
  .describe("values outside are not physical and never used");
export const metricName = z.string().regex(/^[a-z][a-z0-9_]*$/, "lowercase letters, digits and _");

/** What is known of a quantity wherever it is measured. */
export const metricSchema = z
  .strictObject({
    kind: z
      .enum(["gauge", "counter", "delta", "state"])
      .describe(
        "a level now, a total that only rises, an amount since the last reading, one of a few values",
      ),
    unit: z.string().describe("UCUM code"),
    step: z.int().positive().describe("grid on which it is completed and summarised, seconds"),
    range,
    rate: z.number().positive().optional().describe("largest plausible change, unit per second"),
    stuck: z.int().positive().optional().describe("longest believable constant value, seconds"),
    spike: z.number().positive().optional().describe("deviation that is never a spike, unit"),
    event: z.literal(true).optional().describe("comes when something happens: its absence is no gap"),
    fill: z
      .tuple([z.int().min(0), z.int().min(0)])
      .describe("longest gap that is interpolated, and that is filled by season, seconds"),
    meaning: z.string().min(1).describe("for people"),
  })
  .refine((metric) => metric.stuck === undefined || metric.stuck >= 2 * metric.step, {
    message: "stuck must span at least two steps",
  });

export type Metric = z.infer<typeof metricSchema>;
