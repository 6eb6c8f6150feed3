import test from "ava";
import { parse } from "yaml";
import { studyTemplate } from "../../../coordinator/studies/template.ts";
import { csvRecords } from "../../../core/csv.ts";
import { Refusal } from "../../../core/reasons.ts";
import { manifestSchema } from "../../../models/study.ts";

const text = '\uFEFFage,"rate, in %",status\r\n31,4.5,normal\r\n';
const table = csvRecords(text, "table.csv");
const options = { consortium: "riverbank", table, label: "status" };

test("a template has every field a manifest must have, and is refused until the bank has decided", (t) => {
  const written = parse(studyTemplate(options));
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
  const text = studyTemplate(options);
  t.deepEqual(parse(text).features, [
    { name: "age", kind: "numeric" },
    { name: "rate, in %", kind: "numeric" },
  ]);
  t.true(text.includes(`# ${manifestSchema.shape.purpose.description}\npurpose:\n`));
  t.true(text.includes(`  # ${manifestSchema.shape.label.shape.bad.description}\n  bad: []\n`));
});

test("a label that is no column is refused with the columns there are", (t) => {
  const refusal = t.throws<Refusal>(() => studyTemplate({ ...options, label: "state" }), {
    instanceOf: Refusal,
  });
  t.is(refusal?.reason, "column_unknown");
  t.is(refusal?.hint, "the columns are age, rate, in %, status");
});
