import { z } from "zod";
import { canonicalBytes, type Digest, digestOf, isCanonical } from "../../../core/canonical.ts";
import { Refusal } from "../../../core/reasons.ts";
import { parsedBy } from "../../../core/schema.ts";
import type { Roster } from "../../roster.ts";
import { type PartyId, sumGraphPlan } from "../graph.ts";

/** Version of the sealed sum that epochs are opened for: part of every header, hence of every signature. */
export const epochProtocol = "fedcredit/sealed-sum/v2";

/** Sums that one epoch serves: each takes a slot, and a slot serves once. */
export const epochSlots = 64;

const digest = z.string().regex(/^[0-9a-f]{64}$/, "a SHA-256 digest is 64 lowercase hexadecimal digits");
const partyId = z.string().regex(/^[a-z0-9-]{1,63}$/, "lowercase letters, digits and hyphens");

/** What is opened. Public; every key and signature of the epoch covers its digest, the opening's id. */
export const epochHeaderSchema = z
  .strictObject({
    protocol: z.literal(epochProtocol),
    consortium: partyId,
    roster: digest,
    epoch: z.int().min(1).max(Number.MAX_SAFE_INTEGER).describe("counts up within the consortium"),
    members: z.array(partyId).min(2).max(4096).describe("sorted, none twice, one an organisation"),
    maxColluding: z.int().min(1).max(4094).describe("members that may collude with the bank"),
    degree: z.int().min(1).max(254).describe("neighbours of every member"),
    threshold: z.int().min(2).max(255).describe("T: shares and signatures needed of a neighbourhood"),
    slots: z.literal(epochSlots),
    stepSeconds: z.number().positive().max(86_400).describe("longest wait for one message, seconds"),
  })
  .refine(({ members }) => members.every((id, i) => i === 0 || members[i - 1]! < id), {
    path: ["members"],
    message: "sorted, none twice",
  });

export type EpochHeader = z.infer<typeof epochHeaderSchema>;

/** Longer headers are not read: 4,096 members of 63 letters fit. */
const longestHeader = 300_000;

/** @returns the bytes that travel and are hashed: RFC 8785. */
export const encodeEpochHeader = (header: EpochHeader): Uint8Array => canonicalBytes(header);

/** @returns SHA-256 of the canonical header. */
export const openingIdOf = (header: EpochHeader): Digest => digestOf(encodeEpochHeader(header));

/** @throws Refusal message_malformed unless the bytes are the canonical form of a valid header. */
export function parseEpochHeader(bytes: Uint8Array): EpochHeader {
  const malformed = (why: string, cause?: unknown): Refusal =>
    new Refusal("message_malformed", `epoch header: ${why}`, { cause });
  if (bytes.length > longestHeader) throw malformed("too long");
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (cause) {
    throw malformed("not JSON", cause);
  }
  const parsed = parsedBy(epochHeaderSchema, value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw malformed(`${issue?.path.join(".") || "header"}: ${issue?.message ?? "invalid"}`);
  }
  if (!isCanonical(bytes, value)) throw malformed("not canonical");
  return parsed.data;
}

/** @throws Refusal roster_mismatch unless the members are the roster's, each of another organisation. */
function checkMembers(members: readonly PartyId[], { byId }: Roster): void {
  const organisations = new Set<string>();
  for (const id of members) {
    const member = byId.get(id);
    if (member === undefined) throw new Refusal("roster_mismatch", `${id} is not of the roster`);
    if (organisations.has(member.organisation))
      throw new Refusal("roster_mismatch", `${member.organisation} is in the epoch twice`);
    organisations.add(member.organisation);
  }
}

/**
 * Coordinator: the header of an epoch for the members present, degree and T by the formula.
 * @throws Refusal cohort_too_small, cohort_too_large, roster_mismatch
 */
export function proposeEpoch(
  roster: Roster,
  subject: Pick<EpochHeader, "epoch" | "maxColluding" | "stepSeconds"> & {
    readonly members: Iterable<PartyId>;
  },
): EpochHeader {
  const members = [...subject.members].sort();
  checkMembers(members, roster);
  const plan = sumGraphPlan(members.length, subject.maxColluding);
  if (plan instanceof Refusal) throw plan;
  return {
    protocol: epochProtocol,
    consortium: roster.consortium,
    roster: roster.digest,
    epoch: subject.epoch,
    members,
    maxColluding: subject.maxColluding,
    degree: plan.degree,
    threshold: plan.threshold,
    slots: epochSlots,
    stepSeconds: subject.stepSeconds,
  };
}

/**
 * Everyone but the coordinator: the header is of this roster, and its degree and T are the formula's.
 * @throws Refusal roster_mismatch, threshold_mismatch, cohort_too_small, cohort_too_large
 */
export function checkEpochHeader(header: EpochHeader, roster: Roster): void {
  if (header.roster !== roster.digest || header.consortium !== roster.consortium)
    throw new Refusal("roster_mismatch", "the epoch is of another roster");
  checkMembers(header.members, roster);
  const plan = sumGraphPlan(header.members.length, header.maxColluding);
  if (plan instanceof Refusal) throw plan;
  if (header.degree !== plan.degree || header.threshold !== plan.threshold)
    throw new Refusal(
      "threshold_mismatch",
      `T = ${header.threshold} of ${header.degree + 1}, the formula gives ${plan.threshold} of ${plan.degree + 1}`,
    );
}
