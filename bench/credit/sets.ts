import { join } from "node:path";

import { tableFromRecords } from "../../client-node/rows/rows.ts";
import { sha256 } from "../../core/canonical.ts";
import { numberOf, textOf } from "../../core/cell.ts";
import { columnAt, type Records } from "../../core/csv.ts";
import { seededRandom, shuffle } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
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
  /** Rows of which these columns hold these numbers. */
  readonly where?: Readonly<Record<string, number>>;
  /** Levels, or empty cells, so rare that one customer of a node may have one alone, which it refuses: column, cell, and what it becomes. */
  readonly joined?: readonly (readonly [column: string, level: string, into: string])[];
  /** Column by which enterprises would naturally have their rows. */
  readonly groupedBy?: string;
}

const files: readonly CreditFile[] = [
  {
    name: "taiwan",
    file: "credit_taiwan/taiwan_default.csv.gz",
    groupedBy: "EDUCATION",
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
    joined: [
      ["home_ownership", "OTHER", "RENT"],
      ["grade", "G", "E"],
      ["grade", "F", "E"],
      ["delinq_2yrs", "", "0"],
      ["collections_12_mths_ex_med", "", "0"],
      ["open_acc", "", "0"],
      ["total_acc", "", "0"],
      ["annual_inc", "", "0"],
    ],
    groupedBy: "grade",
  },
  {
    name: "lc-2007",
    file: "credit_lc_2007_2011/lc_2007_2011.csv.gz",
    label: { column: "default", bad: ["1"], good: ["0"] },
    where: { term: 36, policy_ok: 1 },
    features: [
      "loan_amnt",
      "int_rate",
      "installment",
      "grade",
      "emp_length",
      "home_ownership",
      "annual_inc",
      "verification_status",
      "purpose",
      "addr_state",
      "dti",
      "delinq_2yrs",
      "inq_last_6mths",
      "mths_since_last_delinq",
      "mths_since_last_record",
      "open_acc",
      "pub_rec",
      "revol_bal",
      "revol_util",
      "total_acc",
      "pub_rec_bankruptcies",
    ],
    groupedBy: "purpose",
  },
  {
    name: "lc-status",
    file: "credit_lc_status_mix/lc_status_mix.csv.gz",
    label: {
      column: "loan_status",
      bad: ["Charged Off", "Default", "Late (31-120 days)", "Late (16-30 days)", "In Grace Period"],
      good: ["Current", "Fully Paid"],
    },
    where: { policy_ok: 1 },
    features: [
      "loan_amnt",
      "term",
      "int_rate",
      "installment",
      "grade",
      "emp_length",
      "home_ownership",
      "annual_inc",
      "verification_status",
      "purpose",
      "addr_state",
      "dti",
      "delinq_2yrs",
      "earliest_cr_year",
      "open_acc",
      "total_acc",
      "pub_rec_bankruptcies",
    ],
    groupedBy: "purpose",
  },
  {
    name: "sba",
    file: "credit_sba_national/sba_national_22k.csv.gz",
    label: { column: "MIS_Status", bad: ["CHGOFF"], good: ["P I F"] },
    features: [
      "State",
      "BankState",
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
    groupedBy: "State",
  },
];

/** A set's rows, and a manifest that reads its columns and holds nothing out. */
export interface CreditSet {
  readonly name: string;
  readonly manifest: StudyManifest;
  readonly table: Table;
  /** What each row holds in the column that enterprises would divide by, and its name. */
  readonly groups?: readonly string[];
  readonly groupedBy?: string;
}

export const creditSetNames: readonly string[] = files.map(({ name }) => name);

/**
 * @param dir - of the data sets.
 * @param mostRows - drawn where there are more.
 * @param seed - of the draw.
 * @throws Refusal not_found | file_missing | file_malformed
 */
export async function readCreditSet(
  dir: string,
  name: string,
  mostRows = Infinity,
  seed = "42",
): Promise<CreditSet> {
  const set = files.find((one) => one.name === name);
  if (set === undefined)
    throw new Refusal("not_found", `no data set is called ${name}`, { hint: creditSetNames.join(", ") });
  const { file, label, features, rows = Infinity, where = {}, joined = [], groupedBy } = set;
  const records = joining(only(await readRecords(join(dir, file)), where), joined);
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
  const drawn = shuffle([...Array(whole.rows).keys()], seededRandom(`${seed} ${name}`)).slice(
    0,
    Math.min(rows, mostRows),
  );
  const table = takeRows(whole, drawn);
  if (groupedBy === undefined) return { name, manifest, table };
  const groups = valuesOf(records, groupedBy, label);
  return { name, manifest, table, groupedBy, groups: drawn.map((row) => groups[row]!) };
}

/** @returns the records of which the columns hold the numbers. */
function only(records: Records, where: Readonly<Record<string, number>>): Records {
  const wanted = Object.entries(where).map(([column, value]) => [columnAt(records, column), value] as const);
  return {
    ...records,
    each: (visit) =>
      records.each((cells, line) => {
        if (wanted.every(([at, value]) => numberOf(cells[at]) === value)) visit(cells, line);
      }),
  };
}

/** @returns the records with some levels written as others. */
function joining(records: Records, joined: NonNullable<CreditFile["joined"]>): Records {
  const changes = joined.map(([column, level, into]) => ({ at: columnAt(records, column), level, into }));
  return {
    ...records,
    each: (visit) =>
      records.each((cells, line) => {
        const change = (row: typeof cells, { at, level, into }: (typeof changes)[number]) =>
          textOf(row[at]) === level ? row.with(at, into) : row;
        visit(changes.reduce(change, cells), line);
      }),
  };
}

/** @returns a column's texts, of the rows that have a label. */
function valuesOf(
  records: Records,
  column: string,
  { column: label, bad, good }: CreditFile["label"],
): string[] {
  const [at, labelAt] = [columnAt(records, column), columnAt(records, label)];
  const values: string[] = [];
  records.each((cells) => {
    if ([...bad, ...good].includes(textOf(cells[labelAt]))) values.push(textOf(cells[at]));
  });
  return values;
}
