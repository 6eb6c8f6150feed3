import { features } from "./economy.ts";

export const studyName = "sme-default-90";
const purpose = "credit risk of existing borrowers";
const label = {
  column: "credit_status",
  bad: ["overdue_31_90", "written_off"],
  good: ["normal", "grace"],
};

const common = {
  consortium: "riverbank-sme",
  purpose,
  legalBasis: "contract",
  impactAssessment: "PIA-2026-014",
  retentionDays: 1825,
  label,
  features: [...features],
  maxRowsPerParty: 20_000,
  holdout: { fraction: 0.35 },
  // A node that is killed is missed at once: this is for slow machines.
  deadlines: { stepSeconds: 60 },
} as const;

/**
 * What the demo's bank proposes first, of the enterprises' many customers: every sum bears noise for any one of them, ε = 4
 * in all of the 8 that each table has.
 */
export const privateManifest = {
  ...common,
  name: "customer-default-90",
  table: "customers",
  subject: "customer",
  algorithms: [
    { name: "range", noise: 7 },
    { name: "bins", cells: 64, noise: 2 },
    { name: "woe" },
    { name: "logistic-private" },
    { name: "evaluate", noise: 3.8 },
  ],
  privacy: {
    minCohort: 3,
    maxColluding: 1,
    unit: "subject",
    noise: { multiplier: 2.4, delta: 1e-6, dropOuts: 1, rowsPerSubject: 1 },
  },
  unprotected: [],
} as const;

/** What it proposes beside that, of their few borrowers: exact sums, which every policy has to accept. */
export const manifest = {
  ...common,
  name: studyName,
  // A borrower's months are much alike: whoever is tested on some of them is not trained on the others.
  subject: "site",
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
} as const;

const fieldsOf = (subject: string) => [
  ...features.map(({ name }) => ({ name, class: "operational", level: "C1", operator: "keep" })),
  { name: subject, class: "direct", level: "C2", operator: "pseudonym", rotationDays: 365 },
  { name: label.column, class: "sensitive", level: "C2", operator: "aggregate-only" },
];

const maxEpsilon = { lifetime: 8, delta: 1e-6 };

/** What each of the demo's enterprises allows. */
export const policy = {
  minCohort: 3,
  allow: {
    algorithms: [...new Set([...privateManifest.algorithms, ...manifest.algorithms].map(({ name }) => name))],
    purposes: [purpose],
  },
  unprotected: ["noise"],
  minRows: 8,
  subject: manifest.subject,
  scores: { send: "ask" },
  exactSums: { perTable: 500, cohortChange: "accept" },
  maxEpsilon,
  consentDays: 90,
  fields: fieldsOf(manifest.subject),
  tables: {
    [privateManifest.table]: {
      minRows: 8,
      subject: privateManifest.subject,
      exactSums: { perTable: 0, cohortChange: "refuse" },
      maxEpsilon,
      fields: fieldsOf(privateManifest.subject),
    },
  },
};
