import { execFile } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import test from "ava";
import { rememberManifest } from "../../../client-node/ledger/records.ts";
import { openStore } from "../../../client-node/ledger/store.ts";
import { ledgerFile } from "../../../client-node/node.ts";
import { type Policy, policySchema } from "../../../client-node/policy.ts";
import { type Preview, previewStudy } from "../../../client-node/preview/preview.ts";
import { describePreview } from "../../../client-node/preview/preview-text.ts";
import { canonicalJson, digestOf } from "../../../core/canonical.ts";
import { csvRecords } from "../../../core/csv.ts";
import { secureRandom, seededRandom, uniform } from "../../../core/random.ts";
import { Refusal } from "../../../core/reasons.ts";
import type { StudyManifest } from "../../../models/study.ts";
import { purposeKeys } from "../../../privacy/desensitize/keys.ts";
import { openBfv } from "../../../privacy/sum/encryption/bfv.ts";
import { seededBytes } from "../../../privacy/sum/encryption/bfv-format.ts";
import { temporaryDirectory } from "../../../simulate/consortium.ts";
import { studyOf } from "../../support/rows.ts";

const policyText = {
  minCohort: 3,
  allow: { algorithms: ["range", "summary", "logistic", "neural", "evaluate"], purposes: ["credit risk"] },
  unprotected: ["noise"],
  minRows: 2,
  exactSums: { perTable: 1000, cohortChange: "accept" },
  maxEpsilon: { lifetime: 1 },
  consentDays: 1,
  anonymity: { k: 3, l: 1, t: 1, maxSuppressionRate: 0.1 },
  fields: [
    { name: "owner", class: "direct", level: "C2", operator: "pseudonym", rotationDays: 30 },
    { name: "phone", class: "direct", level: "C2", operator: "drop" },
    { name: "age", class: "quasi", level: "C2", operator: "bins", origin: 0, width: 10 },
    { name: "sector", class: "quasi", level: "C1", operator: "aggregate-only" },
    { name: "spare", class: "operational", level: "C1", operator: "keep" },
    { name: "risk", class: "operational", level: "C1", operator: "keep" },
    { name: "status", class: "sensitive", level: "C2", operator: "aggregate-only" },
  ],
};
const policy: Policy = policySchema.parse(policyText);
const manifest: StudyManifest = {
  ...studyOf(
    [
      { name: "age", kind: "numeric" },
      { name: "sector", kind: "categorical", levels: ["mill", "shop", "rare"] },
    ],
    [{ name: "range" }, { name: "summary" }, { name: "neural", hidden: [4], rounds: 200 }],
  ),
  privacy: { minCohort: 3, maxColluding: 0, unit: "record" },
  subject: "owner",
};

const random = seededRandom("preview");
const csv = `owner,phone,age,sector,spare,note,risk,status\n${Array.from({ length: 90 }, (_, i) => {
  const sector = i === 1 ? "rare" : i % 2 === 0 ? "mill" : "shop";
  const status = i === 0 ? "disputed" : i % 3 === 0 ? 1 : 0;
  return `o${i},139${i},${20 + Math.floor(40 * uniform(random))},${sector},${i},n${i},${status},${status}`;
}).join("\n")}\n`;

const bfv = await openBfv();
const folder = await temporaryDirectory();
test.after.always(async () => {
  await bfv.close();
  await rm(folder, { recursive: true });
});
const previewOf = (study: StudyManifest = manifest, by: Policy = policy): Promise<Preview> =>
  previewStudy(study, [csvRecords(csv, "rows.csv")], {
    policy: by,
    salt: new Uint8Array(32),
    keys: purposeKeys(new Uint8Array(32), study.purpose, 0),
    enterprise: "mill",
    destination: "bank.example:8443",
    bfv,
    random: secureRandom,
    sampleRows: 3,
    nowMillis: 5,
  });

test("columns before and after, and why each other one cannot pass", async (t) => {
  const { columns, desensitization, study } = await previewOf();
  t.is(study, digestOf(canonicalJson(manifest)));
  const lines = csv.split("\n").map((line) => line.split(","));
  const age = columns.find(({ name }) => name === "age");
  t.true(age?.passes);
  if (!age?.passes) return;
  // The first record's label is indeterminate, the second one's sector too rare for a class.
  t.deepEqual(
    age.sample.map(({ before }) => before),
    [2, 3, 4].map((line) => lines[line]![2]!),
  );
  t.is(age.sample[0]?.after, null);
  t.true(age.sample.slice(1).every(({ before, after }) => after !== null && after !== before));
  const status = columns.find(({ name }) => name === "status");
  t.deepEqual(status?.passes && status.sample.map(({ before, after }) => `${before} ${after}`), [
    "0 null",
    "0 good",
    "1 bad",
  ]);
  t.deepEqual(
    columns.flatMap((column) => (column.passes ? [] : [`${column.name}: ${column.why}`])),
    [
      ...["owner: only parts the held-out rows", "phone: dropped", "spare: not in the study"],
      ...["note: no line", "risk: not in the study"],
    ],
  );
  t.like(desensitization, { enterprise: "mill", time: 5, rowsIn: 89, rowsOut: 88 });
  t.true(desensitization.k >= 3);
});

test("all that would leave, a round of each algorithm: kinds, sizes, destination", async (t) => {
  const { dryRun } = await previewOf();
  t.deepEqual(
    dryRun.rounds.map(({ algorithm }) => algorithm),
    ["range", "summary", "neural"],
  );
  t.is(dryRun.stopped, undefined);
  for (const { departures, layout, entries, slots } of dryRun.rounds) {
    t.is(
      entries,
      layout.blocks.reduce((sum, { length }) => sum + length, 0),
    );
    t.true(slots > 0 && slots <= entries * 8 + 1);
    t.deepEqual(
      departures.map(({ kind }) => kind.replace("Rounds.Participate/", "")),
      ["submission", "submit", "agree", "unmask", "Blobs.Fetch", "released"],
    );
    t.true(departures.every(({ destination }) => destination === "bank.example:8443"));
    t.true(departures.every(({ digest }) => /^[0-9a-f]{64}$/.test(digest)));
    t.is(departures.find(({ kind }) => kind === "submission")?.bytes, seededBytes);
  }
  const again = await previewOf();
  const sizes = ({ dryRun: { rounds, outsideRounds } }: Preview) =>
    [...rounds.flatMap(({ departures }) => departures), ...outsideRounds]
      // Its signature is ECDSA in DER: of one length or another by a few bytes.
      .filter(({ kind }) => kind !== "Membership.RenewCertificate")
      .map(({ bytes }) => bytes);
  t.deepEqual(sizes(again), sizes({ dryRun } as Preview));
  const text = describePreview(again).join("\n");
  t.regex(text, /phone +cannot pass: dropped/);
  t.regex(text, /a round of neural: /);
});

test("an algorithm that comes to no result alone is named, and what precedes it is shown", async (t) => {
  const alone = await previewOf({
    ...manifest,
    features: [{ name: "risk", kind: "numeric" }],
    algorithms: [{ name: "range" }, { name: "summary" }, { name: "logistic" }, { name: "evaluate" }],
  });
  const { rounds, stopped } = alone.dryRun;
  t.deepEqual(
    rounds.map(({ algorithm }) => algorithm),
    ["range", "summary", "logistic"],
  );
  t.like(stopped, { algorithm: "logistic", reason: "separation" });
  t.regex(
    describePreview(alone).join("\n"),
    /logistic comes to no result with these rows alone \(separation\)/,
  );
});

const refusals: [string, Partial<StudyManifest>, Partial<Policy>, string][] = [
  ["a column without a line", { features: [{ name: "note", kind: "numeric" }] }, {}, "policy_refuses"],
  ["a purpose", { purpose: "marketing" }, {}, "policy_refuses"],
  ["too many rows", { maxRowsPerParty: 10 }, {}, "value_out_of_bounds"],
  [
    "too few rows for k",
    {},
    { anonymity: { k: 90, l: 1, t: 1, maxSuppressionRate: 0 } },
    "anonymity_unreachable",
  ],
];
for (const [name, study, change, reason] of refusals)
  test(`${name}: ${reason}, as consent would be`, async (t) => {
    const error = await t.throwsAsync(previewOf({ ...manifest, ...study }, { ...policy, ...change }), {
      instanceOf: Refusal,
    });
    t.is(error?.reason, reason as never);
  });

test("the command shows it for a study seen before, connects nowhere and writes nothing to the ledger", async (t) => {
  let connections = 0;
  const bank = createServer(() => void connections++);
  t.teardown(() => void bank.close());
  await new Promise<void>((resolve) => bank.listen(0, "127.0.0.1", resolve));
  const address = bank.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const dataDir = join(folder, "data");
  await mkdir(dataDir);
  await writeFile(join(folder, "rows.csv"), csv);
  await writeFile(
    join(folder, "node.yaml"),
    JSON.stringify({
      enterprise: "mill",
      consortium: "riverbank",
      dataDir: "data",
      rows: { files: ["rows.csv"] },
      coordinator: `127.0.0.1:${port}`,
      enrolment: `127.0.0.1:${port}`,
    }),
  );
  await writeFile(join(folder, "policy.yaml"), JSON.stringify(policyText));
  const text = canonicalJson(manifest);
  const db = openStore(ledgerFile(dataDir));
  t.teardown(() => db.close());
  rememberManifest(db, digestOf(text), text);

  const cli = fileURLToPath(new URL("../../../cli.ts", import.meta.url));
  const preview = (...args: string[]) =>
    promisify(execFile)(process.execPath, [
      "--no-warnings",
      cli,
      "node",
      "preview",
      "--dir",
      folder,
      ...args,
    ]);
  const { stdout } = await preview("study", "--json", "--rows", "1");
  const shown = JSON.parse(stdout) as Preview;
  t.is(shown.study, digestOf(text));
  t.is(shown.dryRun.rounds[0]?.departures[0]?.destination, `127.0.0.1:${port}`);
  const unknown = await t.throwsAsync<Error & { code: number; stderr: string }>(preview("other"));
  t.is(unknown?.code, 1);
  t.regex(unknown?.stderr ?? "", /\(not_found\)\nhint: run fedcredit node studies/);
  t.is(connections, 0);
  t.is(db.prepare("SELECT count(*) AS entries FROM entry").get()?.entries, 0);
});
