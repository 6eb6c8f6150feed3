/** The sum certificate: all that convinces somebody who was away, or an auditor, of the one sum of a step. */
import { z } from "zod";
import { roundHeaderSchema } from "./header.ts";

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const signatures = z.array(z.strictObject({ party: z.string(), signature: z.base64() }));

export const certificateSchema = z.strictObject({
  format: z.literal("fedcredit/sum-certificate/v1"),
  header: roundHeaderSchema,
  survivors: z.array(z.strictObject({ party: z.string(), digest, commitment: digest })),
  agreed: signatures,
  unmasking: digest.describe("of the secrets that the aggregate was unmasked with"),
  aggregate: digest.describe("of the aggregate's chunk digests"),
  salt: digest.describe("of the sum's digest"),
  sum: z.base64().describe("the slots, 6 bytes each"),
  released: signatures,
});

export type SumCertificate = z.infer<typeof certificateSchema>;
