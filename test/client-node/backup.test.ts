import { appendFile, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import test from "ava";
import { backUpNode, restoreNode } from "../../client-node/backup.ts";
import { readSecrets } from "../../client-node/federation/credentials.ts";
import { configFile, initNode, policyFile } from "../../client-node/init.ts";
import { forecastOf } from "../../client-node/ledger/budget.ts";
import { splitSalt } from "../../client-node/ledger/chain.ts";
import { EgressLedger } from "../../client-node/ledger/egress.ts";
import { lastBackup, storeConsent, storedConsent } from "../../client-node/ledger/records.ts";
import { isAccounted, memorySince, undecided } from "../../client-node/ledger/recoveries.ts";
import { exactSumsOf, lockStep, type Step } from "../../client-node/ledger/steps.ts";
import { openStore } from "../../client-node/ledger/store.ts";
import { ledgerFile } from "../../client-node/node.ts";
import { seededRandom } from "../../core/random.ts";
import { type Reason, Refusal } from "../../core/reasons.ts";
import { publicIdentity } from "../../privacy/identity.ts";
import { readExport } from "../../privacy/log/export.ts";
import { temporaryDirectory } from "../../simulate/consortium.ts";

const random = seededRandom("node backup");
const digest = (digit: string): string => digit.repeat(64);
const exactSums = { perTable: 10, cohortChange: "refuse" } as const;
const step: Step = {
  roundId: digest("1"),
  study: digest("a"),
  round: 1,
  state: digest("b"),
  table: "rows",
  survivors: ["mill", "truck"],
  organisations: ["Mill", "Truck"],
  exact: true,
  follows: undefined,
  among: ["mill"],
  threshold: 1,
};

const home = await temporaryDirectory();
test.after.always(() => rm(home, { recursive: true, force: true }));

/** A node's folder that has been lived in. */
async function livedIn(name: string) {
  const dir = join(home, name);
  const addresses = { coordinator: "127.0.0.1:1", enrolment: "127.0.0.1:2", rows: undefined };
  const { dataDir } = await initNode(
    dir,
    { enterprise: "mill", consortium: "riverbank", ...addresses },
    random,
  );
  await mkdir(join(dataDir, "segments"));
  await mkdir(join(dataDir, "days"));
  await writeFile(join(dataDir, "segments", "2026-03-01.parquet"), "readings");
  await writeFile(join(dataDir, "days", "2026-03-01"), "computed anew");
  await writeFile(join(dataDir, "pins.json"), "{}");
  const db = openStore(ledgerFile(dataDir));
  lockStep(db, step, exactSums);
  storeConsent(db, { study: step.study, manifest: "{}", expiresMillis: 9e15, withdrawn: false });
  const ledger = new EgressLedger(db, readSecrets(dataDir));
  ledger.append([{ type: "policy.changed", time: 1, enterprise: "mill", policy: digest("c"), version: 1 }]);
  const salt = splitSalt(db, "rows", random.bytes(32));
  db.close();
  return { dir, dataDir, salt, identity: readSecrets(dataDir).identity };
}

const reasonOf = async (work: Promise<unknown>): Promise<Reason | undefined> =>
  work.then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof Refusal) return error.reason;
      throw error;
    },
  );

test("a backup holds what was spent and no key; restored, the node is one that has lost its ledger", async (t) => {
  const { dir, dataDir, salt, identity } = await livedIn("mill");
  const out = join(home, "mill-backup");
  await backUpNode(dir, out, 1234);
  const held = await readdir(out, { recursive: true });
  t.true(held.includes(join("data", "segments", "2026-03-01.parquet")));
  t.true(held.includes(join("folder", "policy.yaml")));
  for (const left of ["identity.key", "tls.key", "pins.json", "2026-03-01"])
    t.false(
      held.some((path) => path.endsWith(`/${left}`)),
      left,
    );
  t.is((await stat(out)).mode & 0o777, 0o700);
  const { kind, records } = await readExport([await readFile(join(out, "ledger.fcexport"))]);
  t.is(kind, "ledger");
  let entries = 0;
  for await (const { type } of records) if (type === "entry") entries++;
  t.is(entries, 1);
  const running = openStore(ledgerFile(dataDir));
  t.is(lastBackup(running), 1234);
  running.close();

  const again = join(home, "mill-again");
  const { backup, identityKey } = await restoreNode(out, again, random);
  t.is(backup.time, 1234);
  t.not(identityKey, publicIdentity(identity).verifierKey);
  t.deepEqual(await readFile(policyFile(again)), await readFile(policyFile(dir)));
  const restored = join(again, "data");
  t.is(publicIdentity(readSecrets(restored).identity).verifierKey, identityKey);
  const db = openStore(ledgerFile(restored));
  t.teardown(() => db.close());
  t.is(new EgressLedger(db, readSecrets(restored)).size, 0);
  t.is(storedConsent(db, step.study), undefined);
  t.deepEqual(splitSalt(db, "rows", new Uint8Array(32)), salt, "nobody changes sides");
  t.is(exactSumsOf(db, "rows"), 1, "what was spent stays spent");
  t.is(memorySince(db), undecided);
  t.is(lastBackup(db), undefined);
  t.false(isAccounted(db));
  const other = { ...step, roundId: digest("2"), study: digest("d") };
  t.throws(() => lockStep(db, other, exactSums), { message: /nothing counts as left/ });
  const budget = { lifetime: 8, delta: 1e-6 };
  t.throws(() => forecastOf(db, "rows", budget, []), { message: /nothing counts as left/ });
  // The control: with its ledger it may.
  const own = openStore(ledgerFile(dataDir));
  lockStep(own, other, exactSums);
  own.close();
});

test("a backup of a node that writes on is of one moment", async (t) => {
  const { dir, dataDir } = await livedIn("busy");
  // Two tables that always hold the same number, changed in one transaction as fast as the disk lets it.
  const writer = new Worker(
    `const { workerData, parentPort } = require("node:worker_threads");
     const { DatabaseSync } = require("node:sqlite");
     const db = new DatabaseSync(workerData, { timeout: 10000 });
     db.exec("PRAGMA journal_mode = WAL; CREATE TABLE one (n INTEGER); CREATE TABLE other (n INTEGER, pad TEXT)");
     for (let n = 0; ; n++) {
       db.exec("BEGIN IMMEDIATE");
       db.prepare("INSERT INTO one VALUES (?)").run(n);
       db.prepare("INSERT INTO other VALUES (?, ?)").run(n, "x".repeat(2000));
       db.exec("COMMIT");
       if (n === 300) parentPort.postMessage("far");
     }`,
    { eval: true, workerData: join(dataDir, "spool.db") },
  );
  t.teardown(() => writer.terminate());
  await new Promise((resolve) => writer.once("message", resolve));
  const out = join(home, "busy-backup");
  await backUpNode(dir, out, 1);
  const db = openStore(join(out, "data", "spool.db"));
  t.teardown(() => db.close());
  const count = (table: string): number => Number(db.prepare(`SELECT count(*) AS n FROM ${table}`).get()!.n);
  t.true(count("one") > 300);
  t.is(count("one"), count("other"));
});

test("what is not whole, or would overwrite something, is refused and leaves nothing", async (t) => {
  const { dir } = await livedIn("careful");
  const out = join(home, "careful-backup");
  t.is(await reasonOf(backUpNode(dir, join(dir, "backup"), 1)), "usage");
  t.is(await reasonOf(backUpNode(join(home, "nowhere"), out, 1)), "file_missing");
  t.deepEqual(await reasonOf(stat(out)).catch(() => "gone"), "gone");
  await backUpNode(dir, out, 1);
  t.is(await reasonOf(backUpNode(dir, out, 1)), "already_exists");
  t.is(await reasonOf(restoreNode(out, dir, random)), "already_exists");
  const target = join(home, "careful-again");
  t.is(await reasonOf(restoreNode(dir, target, random)), "file_missing");
  const ledger = join(out, "data", "ledger.db");
  const whole = await readFile(ledger);
  await appendFile(ledger, "x");
  t.is(await reasonOf(restoreNode(out, target, random)), "file_malformed");
  await writeFile(ledger, whole);
  const contents = JSON.parse(await readFile(join(out, "backup.json"), "utf8"));
  const astray = { ...contents, files: { ...contents.files, "../../careful/node.yaml": digest("0") } };
  await writeFile(join(out, "backup.json"), JSON.stringify(astray));
  t.is(await reasonOf(restoreNode(out, target, random)), "file_malformed");
  await writeFile(join(out, "backup.json"), JSON.stringify(contents));
  t.deepEqual(await reasonOf(stat(target)).catch(() => "gone"), "gone");
  await restoreNode(out, target, random);
  t.truthy(await readFile(configFile(target)));
});
