import test from "ava";
import { parse } from "yaml";
import { columnsOfDictionary } from "../../../coordinator/studies/dictionary.ts";
import { columnsOfTable, studyTemplate } from "../../../coordinator/studies/template.ts";
import { csvRecords } from "../../../core/csv.ts";
import { Refusal } from "../../../core/reasons.ts";
import { manifestSchema } from "../../../models/study.ts";

const text = '\uFEFFage,"rate, in %",status\r\n31,4.5,normal\r\n';
const table = csvRecords(text, "table.csv");
const template = (): string => studyTemplate("riverbank", columnsOfTable(table, "status"));

test("a template has every field a manifest must have, and is refused until the bank has decided", (t) => {
  const written = parse(template());
  const required = Object.entries(manifestSchema.shape).filter(
    ([, field]) => !field.safeParse(undefined).success,
  );
  t.deepEqual(Object.keys(written).sort(), required.map(([key]) => key).sort());
  t.deepEqual(
    [...new Set(manifestSchema.safeParse(written).error!.issues.map(({ path }) => path.join(".")))],
    [
      ...["name", "purpose", "legalBasis", "impactAssessment", "retentionDays", "label.bad", "label.good"],
      ...["privacy.minCohort", "privacy.maxColluding", "privacy.unit"],
    ],
  );
  const decided = {
    ...written,
    name: "study",
    purpose: "credit risk",
    legalBasis: "contract",
    impactAssessment: "PIA-1",
    retentionDays: 365,
    label: { ...written.label, bad: ["overdue"], good: ["normal"] },
    privacy: { minCohort: 3, maxColluding: 1, unit: "record" },
  };
  t.true(manifestSchema.safeParse(decided).success);
});

test("columns are those of the table's header line; what a field means stands above it", (t) => {
  const text = template();
  t.deepEqual(parse(text).features, [
    { name: "age", kind: "numeric" },
    { name: "rate, in %", kind: "numeric" },
  ]);
  t.true(text.includes(`# ${manifestSchema.shape.purpose.description}\npurpose:\n`));
  t.true(text.includes(`  # ${manifestSchema.shape.label.shape.bad.description}\n  bad: []\n`));
});

test("a label that is no column is refused with the columns there are", (t) => {
  const refusal = t.throws<Refusal>(() => columnsOfTable(table, "state"), {
    instanceOf: Refusal,
  });
  t.is(refusal?.reason, "column_unknown");
  t.is(refusal?.hint, "the columns are age, rate, in %, status");
});

const dictionary = [
  "name,kind,levels,unit,description",
  "age,numeric,,years,age of the firm",
  "sector,categorical,mill | shop|yard,,",
  "owner,subject,,,who the loan is of",
  "status,label,normal|overdue|lost,,repayment at 90 days",
  "branch,unused,,,",
];
const fromDictionary = (...lines: readonly string[]) =>
  columnsOfDictionary(csvRecords(`${lines.join("\n")}\n`, "dictionary.csv"));

test("a dictionary gives kinds, levels, subject and label, and its words stand above the columns", (t) => {
  const text = studyTemplate("riverbank", fromDictionary(...dictionary));
  t.like(parse(text), {
    subject: "owner",
    label: { column: "status" },
    features: [
      { name: "age", kind: "numeric" },
      { name: "sector", kind: "categorical", levels: ["mill", "shop", "yard"] },
    ],
  });
  t.true(text.includes("  # age of the firm\n  - name: age\n"));
  t.true(text.includes("# repayment at 90 days\n  # its values: normal, overdue, lost\n"));
  t.true(text.includes("# Left out: branch: the dictionary says unused."));
});

test("everything that is wrong with a dictionary is said at once, with its line", (t) => {
  const wrong = t.throws<Refusal>(() =>
    fromDictionary(
      dictionary[0]!,
      "age,number,,,",
      "sector,categorical,,,",
      "sector,numeric,,,",
      "x,categorical,a|a,,",
    ),
  );
  t.is(wrong?.reason, "cell_malformed");
  for (const part of [
    ':2: column "age": kind "number"',
    ':3: column "sector" has no levels',
    ":4: column",
    ":5: column",
  ])
    t.true(wrong?.message.includes(part), part);
  t.true(wrong?.message.includes("no column is of kind label"));
  const none = t.throws<Refusal>(() => fromDictionary("column,type", "age,numeric"));
  t.is(none?.reason, "column_unknown");
});
