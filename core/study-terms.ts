import { z } from "zod";
import { idSchema } from "./ids.ts";

const reference = z.string().min(1).max(500);

/** What a study's manifest says of itself to people, and the log repeats of it. */
export const studyTerms = {
  name: idSchema.describe("the study's name, once in a consortium"),
  purpose: reference.describe("what the model is for: policies allow purposes by this text"),
  legalBasis: reference.describe("on what legal ground rows are used"),
  impactAssessment: reference.describe("reference of the impact assessment"),
  retentionDays: z
    .int()
    .min(1)
    .describe(
      "how long sums and model are kept after the study's end, days; then the bank removes them, and the log says so. Log entries stay",
    ),
};

/** Layers of protection that a study may run without, if its manifest and every policy say so. */
export const unprotectedSchema = z.array(z.enum(["noise"]));
