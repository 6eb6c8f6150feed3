import { z } from "zod";
import { nameSchema } from "./parameters.ts";

export const featureSchema = z.discriminatedUnion("kind", [
  z.strictObject({ name: z.string().min(1), kind: z.literal("numeric") }),
  z.strictObject({
    name: z.string().min(1),
    kind: z.literal("categorical"),
    levels: z.array(z.string()).min(1).describe("public list of levels; a value outside it is refused"),
  }),
]);

/**
 * What a bank proposes and an enterprise consents to, as a whole, by its digest.
 * Security parameters have no default.
 */
export const manifestSchema = z.strictObject({
  consortium: nameSchema,
  name: nameSchema,
  purpose: z.string().min(1),
  legalBasis: z.string().min(1),
  impactAssessment: z.string().min(1).describe("reference of the impact assessment"),
  retentionDays: z.int().min(1).describe("how long results and log entries are kept, days"),
  subject: z
    .string()
    .min(1)
    .describe("column that names the data subject; its rows are never split over training and holdout")
    .optional(),
  label: z.strictObject({
    column: z.string().min(1),
    bad: z.array(z.string()).min(1).describe("cell values that count as bad"),
    good: z
      .array(z.string())
      .min(1)
      .describe("cell values that count as good; any other row is indeterminate and left out"),
  }),
  features: z.array(featureSchema).min(1),
  maxRowsPerParty: z.int().min(1).describe("public bound on one enterprise's rows; sizes the sealed digits"),
  holdout: z.strictObject({
    fraction: z
      .number()
      .min(0)
      .max(0.9)
      .describe("share of rows held out for evaluation; 0 evaluates on the training rows"),
    seed: z.string(),
  }),
  algorithms: z
    .array(
      z.looseObject({
        name: z.string().describe("of the algorithm"),
        as: nameSchema.describe("what its result is called; the algorithm's name by default").optional(),
      }),
    )
    .min(1)
    .describe("run in this order, each with its parameters; each sees the results before it"),
  privacy: z.strictObject({
    minCohort: z.int().min(2).describe("fewest enterprises in a released sum, counted in organisations"),
    maxColluding: z.int().min(0).describe("enterprises assumed to collude with the coordinator"),
    unit: z.enum(["record", "subject"]),
  }),
  unprotected: z
    .array(z.enum(["noise"]))
    .describe("layers this study runs without; every policy must list them too"),
  deadlines: z.strictObject({
    stepSeconds: z.number().positive().describe("longest wait for one step of a round, seconds"),
  }),
});

export type StudyManifest = z.infer<typeof manifestSchema>;
