import { z } from "zod";
import { Refusal } from "../../core/reasons.ts";
import { type Severity, severities, type WarningType, warningTypes } from "../../core/warning-types.ts";

/** Lengths of time by which a warning's moment is told, from the finest on. */
export const periods = ["day", "week", "month"] as const;
export type Period = (typeof periods)[number];

const termsShape = {
  purpose: z.string().min(1).max(200).describe("what the warnings are for; the same words on both sides"),
  leastSeverity: z.enum(severities).describe("less grave ones are not told"),
  period: z.enum(periods).describe("of a warning's time, its day, its week or its month is told; UTC"),
  keepDays: z.int().min(1).max(3660).describe("the bank removes them after so many days"),
};

/** What a bank asks of every enterprise, as coordinator.yaml states it. */
export const warningTermsSchema = z.strictObject({
  ...termsShape,
  places: z.boolean().describe("whether the place is asked for, under the name that the enterprise gives it"),
});
export type WarningTerms = z.infer<typeof warningTermsSchema>;

/** A name for a place that says no more than an enterprise wants to. */
const placeSchema = z
  .string()
  .regex(/^[\p{L}\p{N}][\p{L}\p{N} .,'()-]{0,39}$/u, "letters, numbers, spaces and . , ' ( ) -, 40 at most");

/** What an enterprise lets its bank know at most, as policy.yaml states it. */
export const warningConsentSchema = z.strictObject({
  ...termsShape,
  types: z
    .array(z.enum(warningTypes))
    .min(1)
    .optional()
    .describe("kinds of warnings that may be told; all when absent"),
  places: z
    .record(z.string().min(1), placeSchema)
    .optional()
    .describe(
      "by site, what the bank may call the place; a site without a line is not told of, no place at all without this",
    ),
  until: z.iso.date().describe("the consent ends with this day, UTC"),
});
export type WarningConsent = z.infer<typeof warningConsentSchema>;

/** A warning as the bank may know it. */
export const coarseWarningSchema = z.strictObject({
  type: z.enum(warningTypes),
  severity: z.enum(severities),
  /** First day of the period. */
  from: z.iso.date(),
  place: placeSchema.optional(),
});
export interface CoarseWarning {
  readonly type: WarningType;
  readonly severity: Severity;
  readonly from: string;
  readonly place?: string | undefined;
}

const dayMillis = 86_400_000;

/**
 * Says everything that a bank asks for beyond what an enterprise consents to.
 * @param now - Unix milliseconds.
 * @throws Refusal policy_refuses, consent_expired
 */
export function checkTerms(asked: WarningTerms, consent: WarningConsent, now: number): void {
  const beyond: string[] = [];
  if (asked.purpose !== consent.purpose) beyond.push(`purpose "${asked.purpose}"`);
  if (severities.indexOf(asked.leastSeverity) < severities.indexOf(consent.leastSeverity))
    beyond.push(`severity ${asked.leastSeverity}, where ${consent.leastSeverity} is the least`);
  if (periods.indexOf(asked.period) < periods.indexOf(consent.period))
    beyond.push(`the ${asked.period}, where the ${consent.period} may be told`);
  if (asked.places && consent.places === undefined) beyond.push("places");
  if (asked.keepDays > consent.keepDays)
    beyond.push(`to be kept ${asked.keepDays} days, where ${consent.keepDays} are allowed`);
  if (beyond.length > 0)
    throw new Refusal("policy_refuses", `warnings: the bank asks for ${beyond.join("; ")}`);
  if (now >= Date.parse(consent.until) + dayMillis)
    throw new Refusal("consent_expired", `the consent to tell warnings ended with ${consent.until}`);
}

/** @returns the first day of the period that holds a moment, UTC. @param millis - Unix milliseconds */
export function periodOf(millis: number, period: Period): string {
  const day = new Date(millis);
  day.setUTCHours(0, 0, 0, 0);
  // Weeks begin on Monday.
  if (period === "week") day.setUTCDate(day.getUTCDate() - ((day.getUTCDay() + 6) % 7));
  if (period === "month") day.setUTCDate(1);
  return day.toISOString().slice(0, 10);
}

/** A warning as the enterprise knows it: what of it could be told. */
export interface RaisedWarning {
  readonly type: WarningType;
  readonly severity: Severity;
  readonly site: string;
  /** When it was known, by the node's own clock, Unix milliseconds: a device's clock decides nothing here. */
  readonly known: number;
}

/** @returns what of the warnings is told under these terms and this consent, each thing once. */
export function coarsen(
  raised: readonly RaisedWarning[],
  asked: WarningTerms,
  consent: WarningConsent,
): CoarseWarning[] {
  const told = new Map<string, CoarseWarning>();
  const least = Math.max(severities.indexOf(asked.leastSeverity), severities.indexOf(consent.leastSeverity));
  for (const { type, severity, site, known } of raised) {
    if (severities.indexOf(severity) < least) continue;
    if (consent.types !== undefined && !consent.types.includes(type)) continue;
    const { places } = consent;
    const place = places !== undefined && Object.hasOwn(places, site) ? places[site] : undefined;
    if (places !== undefined && place === undefined) continue;
    const from = periodOf(known, asked.period);
    const one: CoarseWarning = { type, severity, from, ...(asked.places ? { place } : {}) };
    told.set(coarseKey(one), one);
  }
  return [...told.values()];
}

export const coarseKey = ({ type, severity, from, place = "" }: CoarseWarning): string =>
  [from, type, severity, place].join("\t");
