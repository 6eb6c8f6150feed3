import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { canonicalBytes, type Digest, digestOf } from "../core/canonical.ts";
import { idSchema } from "../core/ids.ts";
import { Refusal, refuseAll } from "../core/reasons.ts";
import { parseYaml, readText } from "../core/yaml.ts";
import { evaluate, smallestSegment } from "../models/algorithms/evaluate.ts";
import { entriesOf } from "../models/results.ts";
import { columnsRead, type StudyManifest, usualTable } from "../models/study.ts";
import { anonymitySchema, fieldsSchema, outputOf } from "../privacy/desensitize/policy.ts";
import { warningConsentSchema } from "../privacy/warnings/terms.ts";
import { requireApproved } from "./ledger/approvals.ts";

/** What is said of each table of rows. */
const tableTerms = {
  minRows: z
    .int()
    .min(2)
    .describe(
      "fewest rows, data subjects and held-out rows that any statistic is computed over, and fewest subjects by whose rows two sums without noise may differ",
    ),
  subject: z
    .string()
    .min(1)
    .describe(
      "column that names whose row it is: a study has to name it as its subject, and one with noise to count by it. Without it a study may name none, and minRows then counts the rows of one person as so many persons",
    )
    .optional(),
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
  fields: fieldsSchema.describe("columns a study may read; a column without a line here cannot pass"),
  anonymity: anonymitySchema
    .optional()
    .describe("what rows hold to over the fields of class quasi; needed where there are any"),
};

type TableTerms = z.infer<z.ZodObject<typeof tableTerms>>;

const withAnonymity = <Of extends z.ZodType<Pick<TableTerms, "fields" | "anonymity">>>(schema: Of): Of =>
  schema.refine(
    ({ fields, anonymity }) =>
      anonymity !== undefined ||
      !fields.some((field) => field.class === "quasi" && field.operator !== "drop"),
    { path: ["anonymity"], message: "needed: a field of class quasi may pass" },
  );

/** policy.yaml: what this enterprise allows, whatever a study asks for. Nothing here has a default. */
export const policySchema = withAnonymity(
  z.strictObject({
    minCohort: z.int().min(2).describe("fewest enterprises, counted in organisations, in any released sum"),
    ...tableTerms,
    allow: z
      .strictObject({
        algorithms: z.array(z.string().min(1)).describe("algorithms that may run on this enterprise's rows"),
        purposes: z.array(z.string().min(1)).describe("purposes, in the words of the manifest"),
      })
      .describe("what may run, and what for"),
    unprotected: z
      .array(z.enum(["noise"]))
      .describe("layers a study may run without: sums without noise are counted by exactSums"),
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
    people: z
      .int()
      .min(1)
      .max(2)
      .optional()
      .describe(
        "people who have to decide a consent and a change of this file on the page, each signed in by a name of their own. With 2, the command line consents to nothing, and a file that two have not approved lets no study run; 1 without it",
      ),
    consentDays: z.number().positive().max(3650).describe("how long a consent lasts, days"),
    tables: z
      .record(idSchema, withAnonymity(z.strictObject(tableTerms)))
      .describe(
        "the same for each further table of node.yaml: what stands above is of `rows`; a table without an entry here takes part in nothing",
      )
      .optional(),
  }),
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

/** The whole file that a table's policy was made of. */
const wholes = new WeakMap<Policy, Policy>();
const byTable = new WeakMap<Policy, Map<string, Policy>>();

/** @returns the policy as it is for a table's rows. @throws Refusal policy_refuses, where it says nothing of the table */
export function policyOf(whole: Policy, table: string): Policy {
  if (table === usualTable) return whole;
  const made = byTable.get(whole) ?? new Map<string, Policy>();
  byTable.set(whole, made);
  const known = made.get(table);
  if (known !== undefined) return known;
  const terms = Object.hasOwn(whole.tables ?? {}, table) ? whole.tables?.[table] : undefined;
  if (terms === undefined)
    throw new Refusal("policy_refuses", `policy.yaml says nothing of the table ${table}`, {
      hint: "say under tables what may become of its rows",
    });
  const { anonymity: _, subject: __, ...rest } = whole;
  const policy = { ...rest, ...terms };
  wholes.set(policy, whole);
  made.set(table, policy);
  return policy;
}

/** @returns what reads a policy that is in force: one that asks for two people, or follows such a one, once they approved it. */
export const approvedOnly = (db: DatabaseSync, read: () => Policy) => (): Policy => {
  const policy = read();
  requireApproved(db, { digest: policyDigest(policy), people: policy.people ?? 1 });
  return policy;
};

/** Everything that a node says names it, and {@link policyAt} gives the same object for the same text. */
const digests = new WeakMap<Policy, Digest>();

/** @returns SHA-256 of the whole policy's canonical JSON: comments and order of keys do not count. */
export function policyDigest(policy: Policy): Digest {
  const known = digests.get(policy);
  if (known !== undefined) return known;
  const digest = digestOf(canonicalBytes(wholes.get(policy) ?? policy));
  digests.set(policy, digest);
  return digest;
}

/** One thing that a policy forbids of a study. */
export type Forbidden =
  | { readonly what: "cohort" | "segments"; readonly asked: number; readonly least: number }
  | { readonly what: "purpose" | "algorithm" | "column" | "label" | "layer"; readonly name: string }
  | { readonly what: "delta" }
  | { readonly what: "subject"; readonly name: string; readonly wanted: string }
  | { readonly what: "noiseUnit"; readonly unit: string; readonly wanted: string }
  | { readonly what: "noiseOver"; readonly name: string }
  | { readonly what: "columnKind"; readonly name: string; readonly kind: string };

/** @throws Refusal policy_refuses or unprotected, naming everything that the policy forbids. */
export function checkStudy(policy: Policy, manifest: StudyManifest): void {
  const about = `study ${manifest.name}`;
  const all = forbiddenBy(policy, manifest);
  const forbidden = all.filter(({ what }) => what !== "layer").map(textOf);
  const layers = all.filter(({ what }) => what === "layer").map(textOf);
  refuseAll([
    ...(forbidden.length === 0 ? [] : [new Refusal("policy_refuses", `${about}: ${forbidden.join("; ")}`)]),
    ...layers.map((text) => new Refusal("unprotected", `${about} ${text}`)),
  ]);
}

/**
 * @param policy - as it stands on disk: what a running node reads before each round.
 * @returns why no round of a study runs under it, a policy that cannot be read included; nothing where one does.
 */
export function whyRefused(
  policy: (manifest: StudyManifest) => Policy,
  manifest: StudyManifest,
): string | undefined {
  try {
    checkStudy(policy(manifest), manifest);
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
}

/** @returns everything that a policy forbids of a study; nothing where it may run. */
export function forbiddenBy(policy: Policy, manifest: StudyManifest): Forbidden[] {
  const forbidden: Forbidden[] = [];
  if (manifest.privacy.minCohort < policy.minCohort)
    forbidden.push({ what: "cohort", asked: manifest.privacy.minCohort, least: policy.minCohort });
  if (!policy.allow.purposes.includes(manifest.purpose))
    forbidden.push({ what: "purpose", name: manifest.purpose });
  if (manifest.privacy.noise !== undefined && policy.maxEpsilon.delta === undefined)
    forbidden.push({ what: "delta" });
  for (const name of new Set(manifest.algorithms.map((entry) => entry.name)))
    if (!policy.allow.algorithms.includes(name)) forbidden.push({ what: "algorithm", name });
  for (const { params } of entriesOf(manifest.algorithms.filter(({ name }) => name === evaluate.name))) {
    const asked = smallestSegment(params);
    if (asked < policy.minRows) forbidden.push({ what: "segments", asked, least: policy.minRows });
  }

  const outputs = new Map(policy.fields.map((field) => [field.name, outputOf(field)]));
  const passes = (column: string): boolean => (outputs.get(column) ?? "nothing") !== "nothing";
  const { features, label, privacy, subject } = manifest;
  if (policy.subject !== undefined && subject !== policy.subject)
    forbidden.push({ what: "subject", name: subject ?? "", wanted: policy.subject });
  for (const name of [...columnsRead(manifest), ...(subject ? [subject] : [])])
    if (!passes(name)) forbidden.push({ what: "column", name });
  if (privacy.noise !== undefined) {
    if (policy.subject !== undefined && privacy.unit !== "subject")
      forbidden.push({ what: "noiseUnit", unit: privacy.unit, wanted: policy.subject });
    // What becomes of a row then hangs on others: one that comes or goes may change every class, and no noise is for that.
    if (policy.anonymity !== undefined)
      for (const { name, class: kind } of policy.fields)
        if (kind === "quasi" && passes(name) && columnsRead(manifest).includes(name))
          forbidden.push({ what: "noiseOver", name });
  }
  for (const { name, kind } of features)
    if (outputs.get(name) === (kind === "numeric" ? "text" : "number"))
      forbidden.push({ what: "columnKind", name, kind });
  if (passes(label.column) && outputs.get(label.column) !== "same")
    forbidden.push({ what: "label", name: label.column });
  for (const layer of manifest.unprotected)
    if (!policy.unprotected.includes(layer)) forbidden.push({ what: "layer", name: layer });
  return forbidden;
}

function textOf(one: Forbidden): string {
  switch (one.what) {
    case "cohort":
      return `a cohort of ${one.asked}, where this enterprise asks for ${one.least}`;
    case "segments":
      return `segments of ${one.asked} rows, where this enterprise asks for ${one.least}`;
    case "delta":
      return "noise, as maxEpsilon states no delta to count epsilon with";
    case "subject":
      return `${one.name === "" ? "no subject" : `subject "${one.name}"`}, where rows are counted by "${one.wanted}"`;
    case "noiseUnit":
      return `noise for one ${one.unit}, where rows are counted by "${one.wanted}"`;
    case "noiseOver":
      return `noise over column "${one.name}", whose cells are generalized with those of other rows`;
    case "columnKind":
      return `column "${one.name}" as ${one.kind}, which its operator does not give`;
    case "label":
      return `label "${one.name}", whose values an operator changes`;
    case "layer":
      return `runs without ${one.name}, which this policy does not list`;
    default:
      return `${one.what} "${one.name}"`;
  }
}
