import { features } from "./economy.ts";

export const studyName = "sme-default-90";
const purpose = "credit risk of existing borrowers";
const label = {
  column: "credit_status",
  bad: ["overdue_31_90", "written_off"],
  good: ["normal", "grace"],
};

/** What the demo's bank proposes. */
export const manifest = {
  consortium: "riverbank-sme",
  name: studyName,
  purpose,
  legalBasis: "contract",
  impactAssessment: "PIA-2026-014",
  retentionDays: 1825,
  // A borrower's months are much alike: whoever is tested on some of them is not trained on the others.
  subject: "site",
  label,
  features: [...features],
  maxRowsPerParty: 20_000,
  holdout: { fraction: 0.35 },
  algorithms: [
    { name: "range" },
    { name: "summary" },
    { name: "bins", cells: 512 },
    { name: "woe" },
    { name: "logistic" },
    { name: "scorecard" },
    { name: "boosting", rounds: 3 },
    { name: "neural", hidden: [16, 8], rounds: 60 },
    { name: "evaluate" },
  ],
  privacy: { minCohort: 3, maxColluding: 1, unit: "record" },
  unprotected: ["noise"],
  // A node that is killed is missed at once: this is for slow machines.
  deadlines: { stepSeconds: 60 },
} as const;

/** What each of the demo's enterprises allows. */
export const policy = {
  minCohort: 3,
  allow: { algorithms: manifest.algorithms.map(({ name }) => name), purposes: [purpose] },
  unprotected: ["noise"],
  minRows: 8,
  subject: manifest.subject,
  scores: { send: "ask" },
  exactSums: { perTable: 500, cohortChange: "accept" },
  maxEpsilon: { lifetime: 8 },
  consentDays: 90,
  fields: [
    ...features.map(({ name }) => ({ name, class: "operational", level: "C1", operator: "keep" })),
    { name: manifest.subject, class: "direct", level: "C2", operator: "pseudonym", rotationDays: 365 },
    { name: label.column, class: "sensitive", level: "C2", operator: "aggregate-only" },
  ],
};
