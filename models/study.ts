import { z } from "zod";

const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "lowercase letters, digits and hyphens");

const column = z.string().min(1).describe("column, as in the header line of the enterprises' tables");

const feature = z.discriminatedUnion("kind", [
  z.strictObject({
    name: column,
    kind: z.literal("numeric").describe("a number; empty where it is missing"),
  }),
  z.strictObject({
    name: column,
    kind: z.literal("categorical").describe("one of a list of levels; empty where it is missing"),
    levels: z.array(z.string()).min(1).describe("public list of levels; a value outside it is refused"),
  }),
]);

/**
 * What a bank proposes and an enterprise consents to, as a whole, by its digest.
 * Security parameters have no default.
 */
export const manifestSchema = z.strictObject({
  consortium: name.describe("id of the consortium"),
  name: name.describe("of the study; never used twice"),
  purpose: z.string().min(1).describe("what the model is for; every policy has to list it in these words"),
  legalBasis: z.string().min(1).describe("on which rows may be used: contract, consent, legal duty"),
  impactAssessment: z.string().min(1).describe("reference of the impact assessment"),
  retentionDays: z
    .int()
    .min(1)
    .describe(
      "how long results and log entries are kept, days; stated, and not yet acted on: nothing is deleted by itself",
    ),
  subject: z
    .string()
    .min(1)
    .describe("column that names the data subject; its rows are never split over training and holdout")
    .optional(),
  label: z
    .strictObject({
      column: z.string().min(1).describe("column that tells good from bad"),
      bad: z.array(z.string()).min(1).describe("cell values that count as bad"),
      good: z
        .array(z.string())
        .min(1)
        .describe("cell values that count as good; any other row is indeterminate and left out"),
    })
    .describe("what is to be predicted"),
  features: z.array(feature).min(1).describe("columns that models may use"),
  maxRowsPerParty: z.int().min(1).describe("public bound on one enterprise's rows; sizes the sealed digits"),
  holdout: z
    .strictObject({
      fraction: z
        .number()
        .min(0)
        .max(0.9)
        .describe("share of rows held out for evaluation; 0 evaluates on the training rows"),
      seed: z.string().describe("draws the rows held out; public"),
    })
    .describe("rows kept from training"),
  algorithms: z
    .array(z.looseObject({ name: z.string().describe("of the algorithm; its parameters stand beside it") }))
    .min(1)
    .describe("run in this order; each sees the results before it"),
  privacy: z
    .strictObject({
      minCohort: z.int().min(2).describe("fewest enterprises in a released sum, counted in organisations"),
      maxColluding: z
        .int()
        .min(0)
        .describe("enterprises assumed to collude with the coordinator; stated, and not yet acted on"),
      unit: z
        .enum(["record", "subject"])
        .describe(
          "what one unit of privacy is: a row, or all rows of a data subject; stated, and not yet acted on",
        ),
    })
    .describe("how the sums are protected"),
  unprotected: z
    .array(z.enum(["noise"]))
    .describe("layers this study runs without; every policy must list them too"),
  deadlines: z
    .strictObject({
      stepSeconds: z.number().positive().describe("longest wait for one step of a round, seconds"),
    })
    .describe("how long is waited"),
});

export type StudyManifest = z.infer<typeof manifestSchema>;
