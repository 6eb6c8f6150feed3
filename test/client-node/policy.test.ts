import test from "ava";
import { parseConfig } from "../../client-node/config.ts";
import { checkStudy, type Policy, policySchema } from "../../client-node/policy.ts";
import { manifestSchema, type StudyManifest } from "../../models/study.ts";
import { Refusal } from "../../proto/reasons.ts";

const policy: Policy = parseConfig(
  `
minCohort: 4
allow: { algorithms: [logistic], purposes: [credit risk] }
unprotected: [noise]
maxEpsilon: { lifetime: 8 }
consentDays: 90
fields:
  - { name: amount, operator: keep }
  - { name: default, operator: keep }
  - { name: customer_id, operator: drop }
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
  holdout: { fraction: 0, seed: "s" },
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
  ["a smaller cohort", { privacy: { ...manifest.privacy, minCohort: 3 } }, "policy_refuses", /cohort of 3/],
  ["a column without a line", column("revenue"), "policy_refuses", /column "revenue"/],
  ["a dropped column", column("customer_id"), "policy_refuses", /column "customer_id"/],
  ["a label without a line", { label: { ...manifest.label, column: "y" } }, "policy_refuses", /column "y"/],
];
for (const [name, change, reason, message] of studies) {
  test(`a study with ${name}: ${reason}`, (t) => {
    const error = t.throws(() => checkStudy(policy, { ...manifest, ...change }), { instanceOf: Refusal });
    t.is(error?.reason, reason as never);
    t.regex(error?.message ?? "", message);
  });
}

test("a study that leaves out a layer the policy does not list: unprotected", (t) => {
  const strict = { ...policy, unprotected: [] };
  t.is(t.throws(() => checkStudy(strict, manifest), { instanceOf: Refusal })?.reason, "unprotected");
  t.notThrows(() => checkStudy(strict, { ...manifest, unprotected: [] }));
});

test("no part of a policy has a default", (t) => {
  for (const key of Object.keys(policy)) {
    const { [key as keyof Policy]: _, ...rest } = policy;
    t.false(policySchema.safeParse(rest).success, key);
  }
});
