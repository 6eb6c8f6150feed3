import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBConnection } from "@duckdb/node-api";
import test from "ava";
import { EgressLedger } from "../../../client-node/ledger/egress.ts";
import { openStore } from "../../../client-node/ledger/store.ts";
import { type Policy, policySchema } from "../../../client-node/policy.ts";
import { desensitizationKey } from "../../../client-node/rows/desensitization-key.ts";
import { recordDesensitization } from "../../../client-node/rows/desensitize.ts";
import { desensitizedRows } from "../../../client-node/rows/row-source.ts";
import { describeCounts, type RowCounts } from "../../../client-node/rows/rows.ts";
import { fileRecords } from "../../../client-node/rows/sources.ts";
import { secureRandom, seededRandom } from "../../../core/random.ts";
import { Refusal } from "../../../core/reasons.ts";
import { parseYaml } from "../../../core/yaml.ts";
import type { Table } from "../../../models/table.ts";
import { generateIdentity, publicIdentity } from "../../../privacy/identity.ts";
import type { Entry } from "../../../privacy/log/entry.ts";
import { parseVerifierKey } from "../../../privacy/log/note.ts";
import { verifyExport } from "../../../privacy/log/verify.ts";
import { studyOf } from "../../support/rows.ts";

const policy: Policy = parseYaml(
  `
minCohort: 2
minRows: 2
exactSums: { perTable: 1000, cohortChange: accept }
allow: { algorithms: [summary], purposes: [credit risk] }
unprotected: [noise]
maxEpsilon: { lifetime: 1 }
consentDays: 1
anonymity: { k: 2, l: 1, t: 1, maxSuppressionRate: 0 }
fields:
  - { name: owner, class: direct, level: C2, operator: pseudonym, rotationDays: 30 }
  - { name: age, class: quasi, level: C2, operator: bins, origin: 0, width: 10 }
  - { name: sector, class: quasi, level: C1, operator: aggregate-only }
  - { name: rate, class: operational, level: C1, operator: keep }
  - { name: status, class: sensitive, level: C2, operator: aggregate-only }
`,
  "policy.yaml",
  policySchema,
);
const manifest = {
  ...studyOf(
    [
      { name: "age", kind: "numeric" },
      { name: "sector", kind: "categorical", levels: ["mill", "shop"] },
      { name: "rate", kind: "numeric" },
    ],
    [{ name: "summary" }],
  ),
  holdout: { fraction: 0.5 },
  subject: "owner",
};
const csv = [
  "owner,unasked,age,sector,rate,status",
  "A,x,21,mill,0.5,0",
  "A,x,24,mill,0.25,1",
  "B,x,29,mill,0.75,0",
  "C,x,61,shop,1,1",
  "D,x,66,mill,0.125,0",
  "E,x,40,shop,1,disputed",
  "",
].join("\n");

const folder = await mkdtemp(join(tmpdir(), "fedcredit-desensitize-"));
const file = join(folder, "rows.csv");
await writeFile(file, csv);
const parquet = join(folder, "rows.parquet");
const connection = await DuckDBConnection.create();
await connection.run(`COPY (SELECT * FROM read_csv('${file}')) TO '${parquet}' (FORMAT parquet)`);
connection.closeSync();
test.after.always(() => rm(folder, { recursive: true }));

const read = (
  from: string,
  by: Policy = policy,
  seen: unknown[] = [],
  study: typeof manifest = manifest,
): Promise<Table> =>
  desensitizedRows({ read: fileRecords([from]), key: new Uint8Array(32), now: () => 0 })(study, {
    policy: by,
    salt: new Uint8Array(32),
    onRun: (run) => void seen.push(run),
  });
const reasonOf = async (work: Promise<unknown>): Promise<Refusal | undefined> => {
  try {
    await work;
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  return undefined;
};

for (const from of [file, parquet])
  test(`rows of ${from.replace(/^.*\./, "")} are what the policy makes of them`, async (t) => {
    const runs: { rowsIn: number; rowsOut: number; suppressionRate: number; reached: object }[] = [];
    const table = await read(from, policy, runs);
    t.deepEqual(table.columns.get("age"), {
      kind: "numeric",
      values: Float64Array.of(25, 25, 25, 65, 65),
    });
    // One shop and one mill of 65 years: the class of two has no common sector.
    t.deepEqual(table.columns.get("sector"), {
      kind: "categorical",
      codes: Int32Array.of(0, 0, 0, -1, -1),
      levels: ["mill", "shop"],
    });
    t.deepEqual(table.columns.get("rate"), {
      kind: "numeric",
      values: Float64Array.of(0.5, 0.25, 0.75, 1, 0.125),
    });
    t.deepEqual([...table.label], [0, 1, 0, 1, 0]);
    const [run] = runs;
    t.like(run, { rowsIn: 5, rowsOut: 5, suppressionRate: 0 });
    t.like(run?.reached, { k: 2, l: 2 });
  });

test("records that do not become rows are counted: without a label, neither good nor bad, too rare", async (t) => {
  const more = join(folder, "unlabelled.csv");
  await writeFile(more, `${csv}F,x,40,shop,1,\nG,x,41,shop,1,?\n`);
  const told: RowCounts[] = [];
  const source = desensitizedRows({ read: fileRecords([more]), key: new Uint8Array(32), now: () => 0 });
  const salt = new Uint8Array(32);
  const { rows } = await source(manifest, { policy, salt, onRun: (_, counts) => void told.push(counts) });
  t.deepEqual(told, [{ records: 8, unlabelled: 2, indeterminate: 1 }]);
  t.is(describeCounts(told[0]!, rows), "5 of 8 rows take part: 2 have no label, 1 are neither good nor bad");
  t.is(
    describeCounts({ records: 9, unlabelled: 0, indeterminate: 0 }, 7),
    "7 of 9 rows take part: 2 stand out too much",
  );
  t.is(describeCounts({ records: 9, unlabelled: 0, indeterminate: 0 }, 9), "9 of 9 rows take part");
});

test("the split goes by the subject as it is, whatever the policy makes of it", async (t) => {
  const { holdout } = await read(file);
  const plain = { ...policy, fields: [] };
  const kept: Policy = {
    ...plain,
    fields: ["owner", "age", "sector", "rate", "status"].map((name) => ({
      name,
      class: "operational",
      level: "C1",
      operator: "keep",
    })) as Policy["fields"],
  };
  t.deepEqual((await read(file, kept)).holdout, holdout);
  t.is(new Set(holdout).size, 2);
});

test("a column without a line does not pass the row source either", async (t) => {
  const fields = policy.fields.filter(({ name }) => name !== "rate");
  const refusal = await reasonOf(read(file, { ...policy, fields }));
  t.is(refusal?.reason, "policy_refuses");
  t.regex(refusal!.message, /column "rate" has no line/);
});

test("rows that cannot be anonymous enough are not given", async (t) => {
  const anonymity = { ...policy.anonymity!, k: 6 };
  t.is((await reasonOf(read(file, { ...policy, anonymity })))?.reason, "anonymity_unreachable");
});

test("the ledger tells each run, and the policy where it is another", async (t) => {
  const identity = generateIdentity("riverbank/mill", seededRandom("desensitize"));
  const db = openStore(":memory:");
  const ledger = new EgressLedger(db, { identity });
  const runs: Parameters<typeof recordDesensitization>[1][] = [];
  await read(file, policy, runs);
  const stricter = { ...policy, minCohort: 3 };
  for (const [i, by] of [policy, policy, stricter, policy].entries())
    recordDesensitization({ db, ledger, policy: by, enterprise: "mill" }, runs[0]!, i);
  const entries: Entry[] = [];
  const log = parseVerifierKey(publicIdentity(identity).verifierKey);
  const checks = await verifyExport(
    ledger.export(),
    { log, witnesses: [], quorum: { kind: "none" } },
    { onEntry: (entry) => void entries.push(entry) },
  );
  t.deepEqual(
    checks.filter(({ ok }) => !ok),
    [],
  );
  t.deepEqual(
    entries.map((entry) => `${entry.type} ${"version" in entry ? entry.version : ""}`),
    [
      ...["policy.changed 1", "desensitization.ran 1", "desensitization.ran 1"],
      ...["policy.changed 2", "desensitization.ran 2", "policy.changed 3", "desensitization.ran 3"],
    ],
  );
  t.like(entries[1], {
    enterprise: "mill",
    fields: [
      { field: "age", class: "quasi", level: "C2", operator: "bins" },
      { field: "sector", class: "quasi", level: "C1", operator: "aggregate-only" },
      { field: "rate", class: "operational", level: "C1", operator: "keep" },
      { field: "status", class: "sensitive", level: "C2", operator: "aggregate-only" },
    ],
    rowsIn: 5,
    rowsOut: 5,
    k: 2,
    l: 2,
    suppressionRate: 0,
  });
  db.close();
});

test("the root key is made once, for its owner's eyes only, and a damaged one is refused", async (t) => {
  const first = desensitizationKey(folder, secureRandom);
  t.is(first.length, 32);
  t.deepEqual(desensitizationKey(folder, secureRandom), first);
  const path = join(folder, "desensitization.key");
  t.is((await stat(path)).mode & 0o777, 0o600);
  t.is(Buffer.from(await readFile(path, "utf8"), "base64").length, 32);
  await writeFile(path, "short");
  const damaged = t.throws(() => desensitizationKey(folder, secureRandom), { instanceOf: Refusal });
  t.is(damaged?.reason, "file_malformed");
  const gone = t.throws(() => desensitizationKey(join(folder, "nowhere"), secureRandom), {
    instanceOf: Refusal,
  });
  t.is(gone?.reason, "file_missing");
});
