import { z } from "zod";
import { canonicalBytes, canonicalJson, type Digest, digestOf, isCanonical } from "../../core/canonical.ts";
import { Refusal } from "../../core/reasons.ts";
import { parsedBy } from "../../core/schema.ts";
import { unprotectedSchema } from "../../core/study-terms.ts";
import { noiseTermsSchema } from "./noise-terms.ts";
import { layersOff, protectionOf, protectionSchema } from "./protection.ts";

/** Version of the sealed sum: part of every header, hence of every key and signature. */
export const sumProtocol = "fedcredit/sealed-sum/v2";

const digest = z.string().regex(/^[0-9a-f]{64}$/, "a SHA-256 digest is 64 lowercase hexadecimal digits");
const partyId = z.string().regex(/^[a-z0-9-]{1,63}$/, "lowercase letters, digits and hyphens");

/**
 * What one attempt of one round is. Public; every key derivation and every signature of the attempt covers
 * its digest, so that parties shown different headers cannot complete a sum together.
 */
export const roundHeaderSchema = z
  .strictObject({
    protocol: z.literal(sumProtocol),
    consortium: partyId,
    study: digest.describe("of the manifest"),
    round: z.int().min(1).describe("the step to be summed: steps finished over the study, plus one"),
    attempt: z.int().min(1).describe("counts up within the round"),
    algorithm: z.strictObject({
      index: z.int().min(0).describe("place in the manifest's list"),
      name: z.string().min(1),
      step: z.int().min(0).describe("rounds this algorithm has finished"),
    }),
    state: digest.describe("of the state before the step, which every party computed itself"),
    roster: digest,
    epoch: digest.describe("of the key epoch, as all its members signed it"),
    slot: z.int().min(0).describe("of the epoch: serves this attempt alone"),
    cohort: z
      .array(partyId)
      .min(2)
      .max(4096)
      .describe("who contributes: members of the epoch, sorted, none twice"),
    minCohort: z.int().min(2).describe("fewest organisations in a released sum"),
    threshold: z.int().min(2).describe("T of the epoch: shares and agreement signatures needed"),
    layout: z.strictObject({
      blocks: z
        .array(
          z.strictObject({
            name: z.string(),
            length: z.int().min(0),
            bound: z.number().positive(),
            step: z.number().positive(),
          }),
        )
        .min(1),
    }),
    protection: protectionSchema,
    unprotected: unprotectedSchema.describe("layers this sum runs without"),
    noise: noiseTermsSchema.optional().describe("that is added before the sum; absent without"),
    follows: z
      .strictObject({
        kind: z
          .enum(["rerun", "half"])
          .describe("without a bad sharer; one half of an invalid sum's survivors"),
        of: digest.describe("roundId of the attempt that was unmasked"),
      })
      .nullable()
      .describe("the attempt whose vectors are summed again"),
    checkpoint: z.string().describe("the bank's signed log checkpoint, a note"),
    stepSeconds: z.number().positive().describe("longest wait for one step, seconds"),
  })
  .refine(({ cohort }) => cohort.every((id, i) => i === 0 || cohort[i - 1]! < id), {
    path: ["cohort"],
    message: "sorted, none twice",
  })
  .refine(
    ({ protection, unprotected, noise }) =>
      protection.noise === protectionOf(noise).noise &&
      canonicalJson(unprotected) === canonicalJson(layersOff(protection)),
    { path: ["protection"], message: "other layers than those that run" },
  )
  .refine(({ layout, noise }) => noise === undefined || noise.variances.length === layout.blocks.length, {
    path: ["noise"],
    message: "of each block of the layout",
  });

export type RoundHeader = z.infer<typeof roundHeaderSchema>;

/** @returns the bytes that travel and are hashed: RFC 8785. */
export const encodeHeader = (header: RoundHeader): Uint8Array => canonicalBytes(header);

/** @returns SHA-256 of the canonical header. */
export const roundIdOf = (header: RoundHeader): Digest => digestOf(encodeHeader(header));

/** @throws Refusal message_malformed unless the bytes are the canonical form of a valid header. */
export function parseHeader(bytes: Uint8Array): RoundHeader {
  const malformed = (why: string): Refusal => new Refusal("message_malformed", `round header: ${why}`);
  let value: unknown;
  const text = Buffer.from(bytes).toString("utf8");
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Refusal("message_malformed", "round header: not JSON", { cause });
  }
  const parsed = parsedBy(roundHeaderSchema, value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw malformed(`${issue?.path.join(".") || "header"}: ${issue?.message ?? "invalid"}`);
  }
  if (!isCanonical(bytes, value)) throw malformed("not canonical");
  return parsed.data;
}
