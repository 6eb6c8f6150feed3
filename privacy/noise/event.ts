import { z } from "zod";

/**
 * What a table's rows took part in, as an accountant counts it. Events are data: appended, never changed, and what
 * they add up to is a function of them alone.
 */
export const privacyEventSchema = z.strictObject({
  mechanism: z
    .enum(["gaussian", "none"])
    .describe("noise of a sum: discrete Gaussian on the sum's grid, or none, for which no epsilon is finite"),
  unit: z.enum(["record", "subject"]).describe("whose presence the sensitivity speaks of"),
  sensitivity: z
    .number()
    .min(0)
    .describe(
      "L2 norm of the most that one unit changes in the sum, what rounding adds to it included; in the units of sigma",
    ),
  sigma: z.number().min(0).describe("standard deviation that honest parties alone reach; 0 without noise"),
  samplingRate: z
    .number()
    .positive()
    .max(1)
    .describe("probability with which each unit is in the sum, on its own and secretly; 1 where all are"),
  count: z.int().min(1).max(1e9).describe("such sums"),
});

export type PrivacyEvent = Readonly<z.output<typeof privacyEventSchema>>;
