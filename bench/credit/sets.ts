import { join } from "node:path";

import { tableFromRecords } from "../../client-node/rows/rows.ts";
import { sha256 } from "../../core/canonical.ts";
import { seededRandom, shuffle } from "../../core/random.ts";
import { readRecords } from "../../core/table-file.ts";
import { inferFeatures } from "../../models/infer.ts";
import { takeRows } from "../../models/rows.ts";
import { checkManifest, type StudyManifest } from "../../models/study.ts";
import type { Table } from "../../models/table.ts";

/** One public credit data set, by its file below the data directory. */
interface CreditFile {
  readonly name: string;
  readonly file: string;
  readonly label: { readonly column: string; readonly bad: string[]; readonly good: string[] };
  /** What is known before the loan is granted; all columns but the label where absent. */
  readonly features?: readonly string[];
  /** So many rows are drawn where there are more. */
  readonly rows?: number;
}

const files: readonly CreditFile[] = [
  {
    name: "taiwan",
    file: "credit_taiwan/taiwan_default.csv.gz",
    label: { column: "default.payment.next.month", bad: ["1"], good: ["0"] },
  },
  {
    name: "german",
    file: "credit_german/german.csv",
    label: { column: "default", bad: ["1"], good: ["0"] },
  },
  { name: "hmeq", file: "credit_hmeq/hmeq.csv.gz", label: { column: "BAD", bad: ["1"], good: ["0"] } },
  {
    name: "lc-16k",
    file: "credit_lc_15pct_36m/lc_15pct_36m.csv.gz",
    label: { column: "loan_status", bad: ["Default", "Delinquent"], good: ["Normal"] },
    features: [
      "loan_amnt",
      "int_rate",
      "dti",
      "annual_inc",
      "delinq_2yrs",
      "open_acc",
      "grade",
      "home_ownership",
      "collections_12_mths_ex_med",
      "revol_bal",
      "total_acc",
    ],
    rows: 16_000,
  },
  {
    name: "sba",
    file: "credit_sba_national/sba_national_22k.csv.gz",
    label: { column: "MIS_Status", bad: ["CHGOFF"], good: ["P I F"] },
    features: [
      "State",
      "Zip",
      "NAICS",
      "ApprovalFY",
      "NoEmp",
      "NewExist",
      "CreateJob",
      "RetainedJob",
      "FranchiseCode",
      "UrbanRural",
      "RevLineCr",
      "LowDoc",
      "DisbursementGross",
      "GrAppv",
      "SBA_Appv",
    ],
  },
];

/** A set's rows, and a manifest that reads its columns and holds nothing out. */
export interface CreditSet {
  readonly name: string;
  readonly manifest: StudyManifest;
  readonly table: Table;
}

export const creditSetNames: readonly string[] = files.map(({ name }) => name);

/** @param dir - of the data sets. @throws Refusal file_missing | file_malformed */
export async function readCreditSet(dir: string, name: string): Promise<CreditSet> {
  const { file, label, features, rows } = files.find((one) => one.name === name)!;
  const records = await readRecords(join(dir, file));
  const manifest = checkManifest({
    consortium: "bench",
    name,
    purpose: "benchmark",
    legalBasis: "none",
    impactAssessment: "none",
    retentionDays: 1,
    label,
    features: [...inferFeatures(records, [label.column], features).features],
    maxRowsPerParty: records.atMost,
    holdout: { fraction: 0 },
    algorithms: [{ name: "range" }],
    privacy: { minCohort: 3, maxColluding: 1, unit: "record" },
    unprotected: ["noise"],
    deadlines: { stepSeconds: 60 },
  });
  const whole = tableFromRecords([records], manifest, sha256("bench"));
  const drawn = shuffle([...Array(whole.rows).keys()], seededRandom(`42 ${name}`)).slice(0, rows);
  return { name, manifest, table: takeRows(whole, drawn) };
}
