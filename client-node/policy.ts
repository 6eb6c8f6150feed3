import { z } from "zod";
import { canonicalBytes, type Digest, digestOf } from "../core/canonical.ts";
import { Refusal, refuseAll } from "../core/reasons.ts";
import { parseYaml, readText } from "../core/yaml.ts";
import { columnsRead, type StudyManifest } from "../models/study.ts";
import { anonymitySchema, fieldsSchema, outputOf } from "../privacy/desensitize/policy.ts";
import { warningConsentSchema } from "../privacy/warnings/terms.ts";

/** policy.yaml: what this enterprise allows, whatever a study asks for. Nothing here has a default. */
export const policySchema = z
  .strictObject({
    minCohort: z.int().min(2).describe("fewest enterprises, counted in organisations, in any released sum"),
    minRows: z
      .int()
      .min(2)
      .describe("fewest rows, data subjects and held-out rows that any statistic is computed over"),
    exactSums: z
      .strictObject({
        perTable: z
          .int()
          .min(0)
          .describe("sums without noise that may ever be released over one table of rows"),
        cohortChange: z
          .enum(["refuse", "accept"])
          .describe(
            "what happens where the survivors of such a sum differ from an earlier one's over the same table: subtracting the two, or a third, can show a few or one of them. With refuse, a study ends for this enterprise as soon as somebody drops out of it",
          ),
      })
      .describe("sums released without noise"),
    allow: z
      .strictObject({
        algorithms: z.array(z.string().min(1)).describe("algorithms that may run on this enterprise's rows"),
        purposes: z.array(z.string().min(1)).describe("purposes, in the words of the manifest"),
      })
      .describe("what may run, and what for"),
    unprotected: z
      .array(z.enum(["noise"]))
      .describe("layers a study may run without: sums without noise are counted by exactSums"),
    maxEpsilon: z
      .strictObject({
        lifetime: z
          .number()
          .positive()
          .describe(
            "epsilon that all sums with noise over the table may cost together, of all studies; a sum that would cost more is refused before anything is sent. Sums without noise cost no epsilon that can be stated, and are counted by exactSums",
          ),
        delta: z
          .number()
          .min(1e-12)
          .max(1e-3)
          .describe(
            "probability with which epsilon need not hold, far below one over the table's rows; without it no study with noise is taken part in",
          )
          .optional(),
      })
      .describe("privacy budget"),
    scores: z
      .strictObject({
        send: z
          .enum(["ask", "automatic"])
          .describe(
            "ask: people send each statement, or keep it; automatic: a running node sends one a month by itself, for each study whose scores were agreed to",
          ),
      })
      .optional()
      .describe(
        "statements of how this enterprise's own rows score by a study's model: the probability of bad, its grade, and names of columns, never their values; none leaves without this",
      ),
    warnings: warningConsentSchema
      .optional()
      .describe(
        "what the bank may be told of this enterprise's warnings, in coarse form; nothing without it, and nothing where the bank asks for more",
      ),
    consentDays: z.number().positive().max(3650).describe("how long a consent lasts, days"),
    fields: fieldsSchema.describe("columns a study may read; a column without a line here cannot pass"),
    anonymity: anonymitySchema
      .optional()
      .describe("what rows hold to over the fields of class quasi; needed where there are any"),
  })
  .refine(
    ({ fields, anonymity }) =>
      anonymity !== undefined ||
      !fields.some((field) => field.class === "quasi" && field.operator !== "drop"),
    { path: ["anonymity"], message: "needed: a field of class quasi may pass" },
  );

export type Policy = z.infer<typeof policySchema>;

/**
 * @returns what reads the policy as it stands on disk, each time anew; text that did not change is parsed once.
 *   It throws Refusal file_missing, file_malformed, config_invalid.
 */
export function policyAt(file: string): () => Policy {
  let last: { readonly text: string; readonly policy: Policy } | undefined;
  return () => {
    const text = readText(file);
    if (text !== last?.text) last = { text, policy: parseYaml(text, file, policySchema) };
    return last.policy;
  };
}

/** Everything that a node says names it, and {@link policyAt} gives the same object for the same text. */
const digests = new WeakMap<Policy, Digest>();

/** @returns SHA-256 of the policy's canonical JSON: comments and order of keys do not count. */
export function policyDigest(policy: Policy): Digest {
  const known = digests.get(policy);
  if (known !== undefined) return known;
  const digest = digestOf(canonicalBytes(policy));
  digests.set(policy, digest);
  return digest;
}

/** @throws Refusal policy_refuses or unprotected, naming everything that the policy forbids. */
export function checkStudy(policy: Policy, manifest: StudyManifest): void {
  const about = `study ${manifest.name}`;
  const forbidden = forbiddenBy(policy, manifest).join("; ");
  const layers = manifest.unprotected.filter((layer) => !policy.unprotected.includes(layer));
  refuseAll([
    ...(forbidden === "" ? [] : [new Refusal("policy_refuses", `${about}: ${forbidden}`)]),
    ...layers.map(
      (layer) =>
        new Refusal("unprotected", `${about} runs without ${layer}, which this policy does not list`),
    ),
  ]);
}

/**
 * @param policy - as it stands on disk: what a running node reads before each round.
 * @returns why no round of a study runs under it, a policy that cannot be read included; nothing where one does.
 */
export function whyRefused(policy: () => Policy, manifest: StudyManifest): string | undefined {
  try {
    checkStudy(policy(), manifest);
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
}

function forbiddenBy(policy: Policy, manifest: StudyManifest): string[] {
  const forbidden: string[] = [];
  if (manifest.privacy.minCohort < policy.minCohort)
    forbidden.push(
      `a cohort of ${manifest.privacy.minCohort}, where this enterprise asks for ${policy.minCohort}`,
    );
  if (!policy.allow.purposes.includes(manifest.purpose)) forbidden.push(`purpose "${manifest.purpose}"`);
  if (manifest.privacy.noise !== undefined && policy.maxEpsilon.delta === undefined)
    forbidden.push("noise, as maxEpsilon states no delta to count epsilon with");
  for (const name of new Set(manifest.algorithms.map((entry) => entry.name)))
    if (!policy.allow.algorithms.includes(name)) forbidden.push(`algorithm "${name}"`);

  const outputs = new Map(policy.fields.map((field) => [field.name, outputOf(field)]));
  const passes = (column: string): boolean => (outputs.get(column) ?? "nothing") !== "nothing";
  const { features, label, subject } = manifest;
  for (const column of [...columnsRead(manifest), ...(subject ? [subject] : [])])
    if (!passes(column)) forbidden.push(`column "${column}"`);
  for (const { name, kind } of features)
    if (outputs.get(name) === (kind === "numeric" ? "text" : "number"))
      forbidden.push(`column "${name}" as ${kind}, which its operator does not give`);
  if (passes(label.column) && outputs.get(label.column) !== "same")
    forbidden.push(`label "${label.column}", whose values an operator changes`);
  return forbidden;
}
