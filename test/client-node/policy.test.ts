import test from "ava";
import { checkStudy, type Policy, policyDigest, policyOf, policySchema } from "../../client-node/policy.ts";
import { Refusal } from "../../core/reasons.ts";
import { parseYaml } from "../../core/yaml.ts";
import { manifestSchema, type StudyManifest } from "../../models/study.ts";

const policy: Policy = parseYaml(
  `
minCohort: 4
minRows: 3
exactSums: { perTable: 1000, cohortChange: accept }
allow: { algorithms: [logistic], purposes: [credit risk] }
unprotected: [noise]
maxEpsilon: { lifetime: 8 }
consentDays: 90
fields:
  - { name: amount, class: operational, level: C1, operator: keep }
  - { name: age, class: quasi, level: C2, operator: bins, origin: 0, width: 10 }
  - { name: month, class: quasi, level: C2, operator: truncate-time, unit: month }
  - { name: default, class: sensitive, level: C2, operator: aggregate-only }
  - { name: customer_id, class: direct, level: C2, operator: drop }
anonymity: { k: 5, l: 1, t: 1, maxSuppressionRate: 0 }
`,
  "policy.yaml",
  policySchema,
);

const manifest: StudyManifest = manifestSchema.parse({
  consortium: "riverbank",
  name: "sme",
  purpose: "credit risk",
  legalBasis: "contract",
  impactAssessment: "PIA-1",
  retentionDays: 30,
  label: { column: "default", bad: ["1"], good: ["0"] },
  features: [{ name: "amount", kind: "numeric" }],
  maxRowsPerParty: 100,
  holdout: { fraction: 0 },
  algorithms: [{ name: "logistic" }],
  privacy: { minCohort: 4, maxColluding: 1, unit: "record" },
  unprotected: ["noise"],
  deadlines: { stepSeconds: 10 },
});

test("a study within the policy passes", (t) => {
  t.notThrows(() => checkStudy(policy, manifest));
});

const column = (name: string): Partial<StudyManifest> => ({ features: [{ name, kind: "numeric" }] });
const studies: [string, Partial<StudyManifest>, string, RegExp][] = [
  ["another purpose", { purpose: "marketing" }, "policy_refuses", /purpose "marketing"/],
  ["another algorithm", { algorithms: [{ name: "neural" }] }, "policy_refuses", /algorithm "neural"/],
  [
    "segments of fewer rows",
    { algorithms: [{ name: "logistic" }, { name: "evaluate", segments: ["region"], segmentRows: 2 }] },
    "policy_refuses",
    /segments of 2 rows/,
  ],
  ["a smaller cohort", { privacy: { ...manifest.privacy, minCohort: 3 } }, "policy_refuses", /cohort of 3/],
  ["a column without a line", column("revenue"), "policy_refuses", /column "revenue"/],
  ["a dropped column", column("customer_id"), "policy_refuses", /column "customer_id"/],
  ["a subject without a line", { subject: "owner" }, "policy_refuses", /column "owner"/],
  ["text for a number", column("month"), "policy_refuses", /"month" as numeric/],
  [
    "a number for text",
    { features: [{ name: "age", kind: "categorical", levels: ["a"] }] },
    "policy_refuses",
    /"age" as categorical/,
  ],
  ["a label changed", { label: { ...manifest.label, column: "age" } }, "policy_refuses", /label "age"/],
  ["a label without a line", { label: { ...manifest.label, column: "y" } }, "policy_refuses", /column "y"/],
];
for (const [name, change, reason, message] of studies) {
  test(`a study with ${name}: ${reason}`, (t) => {
    const error = t.throws(() => checkStudy(policy, { ...manifest, ...change }), { instanceOf: Refusal });
    t.is(error?.reason, reason as never);
    t.regex(error?.message ?? "", message);
  });
}

test("where a table says whose its rows are, a study counts by that", (t) => {
  const fields = policy.fields.map((field) =>
    field.name === "customer_id" ? { ...field, operator: "pseudonym" as const, rotationDays: 365 } : field,
  );
  const counted = policySchema.parse({ ...policy, subject: "customer_id", fields });
  t.notThrows(() => checkStudy(counted, { ...manifest, subject: "customer_id" }));
  t.throws(() => checkStudy(counted, manifest), { message: /no subject, where rows are counted by/ });
  t.throws(() => checkStudy(counted, { ...manifest, subject: "amount" }), { message: /subject "amount"/ });
  t.notThrows(() => checkStudy(policy, manifest), "the control");
  const { minRows, exactSums, maxEpsilon } = policy;
  const leases = { minRows, exactSums, maxEpsilon, fields: counted.fields.slice(0, 1) };
  t.is(policyOf({ ...counted, tables: { leases } }, "leases").subject, undefined, "of its own table alone");
});

test("noise is for whom the policy counts by, and for rows of which none changes another", (t) => {
  const fields = policy.fields.map((field) =>
    field.name === "customer_id" ? { ...field, operator: "pseudonym" as const, rotationDays: 365 } : field,
  );
  const counted = policySchema.parse({
    ...policy,
    subject: "customer_id",
    maxEpsilon: { lifetime: 8, delta: 1e-6 },
    fields,
  });
  const noise = { multiplier: 4, delta: 1e-6, dropOuts: 0 };
  const study: StudyManifest = { ...manifest, subject: "customer_id", unprotected: [] };
  const byRecord = { ...study.privacy, noise };
  const bySubject = { ...byRecord, unit: "subject" as const, noise: { ...noise, rowsPerSubject: 2 } };
  t.notThrows(() => checkStudy(counted, { ...study, privacy: bySubject }));
  t.throws(() => checkStudy(counted, { ...study, privacy: byRecord }), {
    message: /noise for one record, where rows are counted by "customer_id"/,
  });
  const wide = { ...study, ...column("age") };
  t.throws(() => checkStudy(counted, { ...wide, privacy: bySubject }), {
    message: /noise over column "age", whose cells are generalized with those of other rows/,
  });
  t.notThrows(() => checkStudy(counted, { ...wide, unprotected: ["noise"] }), "the control");
});

test("a study that leaves out a layer the policy does not list: unprotected", (t) => {
  const strict = { ...policy, unprotected: [] };
  t.is(t.throws(() => checkStudy(strict, manifest), { instanceOf: Refusal })?.reason, "unprotected");
  t.notThrows(() => checkStudy(strict, { ...manifest, unprotected: [] }));
});

test("with a field of class quasi that may pass, a policy says what rows must hold to", (t) => {
  const { anonymity: _, ...rest } = policy;
  t.regex(policySchema.safeParse(rest).error?.issues[0]?.message ?? "", /quasi/);
  const fields = policy.fields.filter((field) => field.class !== "quasi");
  t.true(policySchema.safeParse({ ...rest, fields }).success);
});

test("no part of a policy has a default", (t) => {
  for (const key of Object.keys(policy)) {
    const { [key as keyof Policy]: _, ...rest } = policy;
    t.false(policySchema.safeParse(rest).success, key);
  }
});

test("each table has its own terms, under one file and one digest; a table without terms has none", (t) => {
  const { minRows, exactSums, maxEpsilon } = policy;
  const fields = policy.fields.filter(({ name }) => name === "amount" || name === "default");
  const leases = { minRows: minRows + 5, exactSums: { ...exactSums, perTable: 1 }, maxEpsilon, fields };
  const whole = policySchema.parse({ ...policy, tables: { leases } });
  const own = policyOf(whole, "leases");
  t.is(own, policyOf(whole, "leases"));
  t.deepEqual([own.minRows, own.exactSums.perTable, own.anonymity], [minRows + 5, 1, undefined]);
  t.is(own.minCohort, 4, "who takes part is said once");
  t.is(policyDigest(own), policyDigest(whole));
  t.not(policyDigest(whole), policyDigest(policy));
  t.is(policyOf(whole, "rows"), whole);
  t.notThrows(() => checkStudy(own, { ...manifest, table: "leases" }));
  const wide = { ...manifest, features: [{ name: "age", kind: "numeric" as const }] };
  t.throws(() => checkStudy(own, wide), { message: /column "age"/ }, "a column of another table");
  t.notThrows(() => checkStudy(whole, wide), "the control");
  for (const table of ["cards", "constructor", "__proto__"])
    t.throws(() => policyOf(whole, table), { message: /says nothing of the table/ }, table);
  const quasi = { ...leases, fields: policy.fields };
  t.false(policySchema.safeParse({ ...policy, tables: { leases: quasi } }).success, "anonymity is missing");
});
