/** Which section speaks to which duty, and what of the duty no log can show. */

export const sections = {
  findings: "Findings",
  verification: "Verification",
  participants: "Participants and keys",
  studies: "Studies, purposes and consents",
  privacy: "Privacy cost",
  rounds: "Rounds and cohorts",
  aborts: "Attempts without a sum",
  desensitization: "Desensitization and policies",
  departures: "What left the enterprises",
  models: "Model inventory",
  entries: "Entries by kind",
} as const;
export type Section = keyof typeof sections;

export interface Duty {
  readonly framework: string;
  readonly place: string;
  readonly asks: string;
  readonly shownIn: readonly Section[];
  /** What must be shown by other means. */
  readonly elsewhere: string;
}

export const duties: readonly Duty[] = [
  {
    framework: "PIPL (CN)",
    place: "art. 51",
    asks: "classified handling, encryption, de-identification and access limits",
    shownIn: ["desensitization", "privacy", "participants"],
    elsewhere: "training of staff and incident plans",
  },
  {
    framework: "PIPL (CN)",
    place: "art. 54; measures on compliance audits, in force since 2025-05-01",
    asks: "regular compliance audits by the handler or a professional body",
    shownIn: ["verification", "findings"],
    elsewhere: "who commissioned the audit, how often, and the auditor's qualification",
  },
  {
    framework: "PIPL (CN)",
    place: "arts. 55, 56",
    asks: "an impact assessment before automated decisions and before providing data to others; records kept for three years or more",
    shownIn: ["studies", "rounds"],
    elsewhere: "the assessment itself: the log holds its reference",
  },
  {
    framework: "Data Security Law (CN)",
    place: "art. 21",
    asks: "classified and graded protection of data",
    shownIn: ["desensitization"],
    elsewhere: "the catalogue of important data",
  },
  {
    framework: "GB/T 35273",
    place: "consent, minimum necessity, de-identification",
    asks: "purpose and consent for each use, and no more than it needs",
    shownIn: ["studies", "desensitization", "departures"],
    elsewhere: "how consent was explained to natural persons",
  },
  {
    framework: "GB/T 45574-2025",
    place: "sensitive personal information",
    asks: "sensitive fields named, with separate consent and stricter protection",
    shownIn: ["desensitization", "studies"],
    elsewhere: "separate consents of natural persons",
  },
  {
    framework: "JR/T 0171-2020",
    place: "classes C1 to C3",
    asks: "every field classified; C3 never leaves",
    shownIn: ["desensitization", "findings"],
    elsewhere: "whether each field was given the right class",
  },
  {
    framework: "JR/T 0196-2020",
    place: "operation logs and traceability",
    asks: "computations among several parties logged so that each can be traced",
    shownIn: ["rounds", "aborts", "verification", "entries"],
    elsewhere: "logs of the operating systems",
  },
  {
    framework: "GDPR",
    place: "art. 30",
    asks: "a record of processing: purposes, recipients, retention",
    shownIn: ["studies", "departures"],
    elsewhere: "contact details of controllers and representatives",
  },
  {
    framework: "GDPR",
    place: "art. 35",
    asks: "a data protection impact assessment",
    shownIn: ["studies", "privacy"],
    elsewhere: "the assessment itself: the log holds its reference",
  },
  {
    framework: "EU AI Act",
    place: "Annex III 5(b); arts. 9, 10",
    asks: "for creditworthiness of natural persons: risk management and data governance",
    shownIn: ["findings", "desensitization", "models"],
    elsewhere: "the risk management system as a whole",
  },
  {
    framework: "EU AI Act",
    place: "arts. 11–15",
    asks: "documentation, records, transparency, human oversight, accuracy and robustness",
    shownIn: ["models", "entries", "aborts"],
    elsewhere: "instructions for use and the persons who oversee",
  },
  {
    framework: "Regulation B (US)",
    place: "12 CFR 1002.9",
    asks: "specific reasons with each adverse action",
    shownIn: ["models"],
    elsewhere: "the notices that were sent",
  },
  {
    framework: "NIST SP 800-226",
    place: "unit, ε, δ, trust model",
    asks: "a statement of differential privacy that can be checked",
    shownIn: ["privacy"],
    elsewhere: "nothing where noise was added; without noise there is no such statement",
  },
  {
    framework: "SR 26-2 (US)",
    place: "model inventory and materiality",
    asks: "an inventory of models with lineage and validation",
    shownIn: ["models"],
    elsewhere: "the materiality of each use at the bank",
  },
];
