import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { forecastOf, isCharged, spentEvents } from "../../../client-node/ledger/budget.ts";
import { headOf, storeHead } from "../../../client-node/ledger/chain.ts";
import { type Departure, EgressLedger } from "../../../client-node/ledger/egress.ts";
import { consentedManifests, knowsRound, storeConsent } from "../../../client-node/ledger/records.ts";
import { LedgerFailure, openStore, transact } from "../../../client-node/ledger/store.ts";
import { secureRandom, seededRandom, uniform } from "../../../core/random.ts";
import { Refusal } from "../../../core/reasons.ts";
import { generateIdentity, publicIdentity } from "../../../privacy/identity.ts";
import { openCheckpoint } from "../../../privacy/log/checkpoint.ts";
import type { Entry, EntryOf } from "../../../privacy/log/entry.ts";
import { parseVerifierKey } from "../../../privacy/log/note.ts";
import { spentEvent } from "../../../privacy/log/spend.ts";
import { verifyExport } from "../../../privacy/log/verify.ts";
import { epsilonOf } from "../../../privacy/noise/accountant.ts";
import type { RoundHeader } from "../../../privacy/sum/header.ts";
import type { PartyRecord } from "../../../privacy/sum/party/party.ts";

const identity = generateIdentity("riverbank/mill", seededRandom("egress"));
const verifier = parseVerifierKey(publicIdentity(identity).verifierKey);
const study = "aa".repeat(32);
const departure: Departure = {
  destination: "[::1]:8443",
  kind: "Studies.List",
  bytes: 3,
  digest: "cd".repeat(32),
};

const headerOf = (round: number, attempt: number): RoundHeader =>
  ({ study, round, attempt, epoch: "ee".repeat(32), slot: 8 * round + attempt }) as RoundHeader;
const roundIdOf = (round: number, attempt: number): string =>
  Buffer.alloc(32, 16 * round + attempt).toString("hex");

function recordOf(kind: "open" | "submission" | "release", round: number, attempt = 1): PartyRecord {
  const header = headerOf(round, attempt);
  const roundId = roundIdOf(round, attempt);
  const digest = "bb".repeat(32);
  switch (kind) {
    case "open":
      return { kind, roundId, header, contributes: true };
    case "submission":
      return { kind, roundId, header, digest, chunks: [digest], bytes: 40_000 };
    case "release":
      return { kind, roundId, header, digest, aggregate: digest, survivors: ["mill"] };
  }
}
const charged = { table: "rows", unit: "record", budget: { lifetime: 1, delta: 1e-6 } } as const;
const step = {
  destination: "bank.example:8443",
  nowMillis: 5,
  charged,
  enterprise: "mill",
  policy: "f0".repeat(32),
} as const;

async function entriesOf(ledger: EgressLedger): Promise<Entry[]> {
  const entries: Entry[] = [];
  const policy = { log: verifier, witnesses: [], quorum: { kind: "none" } } as const;
  const checks = await verifyExport(ledger.export(), policy, {
    onEntry: (entry) => void entries.push(entry),
  });
  const failed = checks.filter(({ ok }) => !ok);
  if (failed.length > 0) throw new Error(JSON.stringify(failed));
  return entries;
}

const folder = await mkdtemp(join(tmpdir(), "fedcredit-ledger-"));
test.after.always(() => rm(folder, { recursive: true }));

test("a ledger verifies like any log, also after a restart and with two writers", async (t) => {
  const path = join(folder, "two.db");
  const [first, second] = [openStore(path), openStore(path)];
  const ledgers = [first, second].map((db) => new EgressLedger(db, { identity }));
  for (let i = 0; i < 5; i++) ledgers[i % 2]!.recordDepartures([departure, departure], i);
  first.close();
  second.close();
  const db = openStore(path);
  const ledger = new EgressLedger(db, { identity });
  ledger.recordDepartures([departure], 9);
  const entries = await entriesOf(ledger);
  t.is(entries.length, 11);
  t.deepEqual(entries.at(-1), { type: "egress.sent", time: 9, ...departure, destination: "ip6:::1:8443" });
  t.is(openCheckpoint(ledger.checkpoint(), verifier).checkpoint.size, 11);
  db.close();
});

test("the spend of a submission stands before it, and adds up over attempts", async (t) => {
  const db = openStore(":memory:");
  const ledger = new EgressLedger(db, { identity });
  for (const record of [
    recordOf("open", 1),
    recordOf("submission", 1),
    recordOf("open", 1, 2),
    recordOf("submission", 1, 2),
    recordOf("release", 1, 2),
  ])
    ledger.recordStep(record, step);
  const entries = await entriesOf(ledger);
  t.deepEqual(
    entries.map(({ type }) => type),
    ["policy.changed", "privacy.spent", "egress.sent", "privacy.spent", "egress.sent"],
  );
  t.like(entries[3], { cumulativeSteps: 2, mechanism: "none", unit: "record" });
});

test("ciphertexts are counted once: in their submission, unless they leave again", async (t) => {
  const ledger = new EgressLedger(openStore(":memory:"), { identity });
  ledger.recordStep(recordOf("open", 1), step);
  ledger.recordStep(recordOf("submission", 1), step);
  const chunk: Departure = { ...departure, kind: "Blobs.Upload", digest: "bb".repeat(32) };
  ledger.recordDepartures([chunk], 6);
  t.is((await entriesOf(ledger)).length, 3);
  ledger.recordDepartures([chunk, departure], 7);
  t.is((await entriesOf(ledger)).length, 5);
});

test("an attempt is joined once, and its slot serves no other", (t) => {
  const db = openStore(":memory:");
  const ledger = new EgressLedger(db, { identity });
  const reasonOf = (round: number, attempt: number) =>
    t.throws(() => ledger.recordStep(recordOf("open", round, attempt), step), { instanceOf: Refusal })
      ?.reason;
  ledger.recordStep(recordOf("open", 2, 2), step);
  t.true(knowsRound(db, roundIdOf(2, 2)));
  t.false(knowsRound(db, roundIdOf(2, 1)));
  t.is(reasonOf(2, 2), "round_replayed");
  t.is(reasonOf(2, 1), "slot_spent");
  t.false(knowsRound(db, roundIdOf(2, 1)));
  t.notThrows(() => ledger.recordStep(recordOf("open", 3, 1), step));
});

test("a consent counts until it expires or is withdrawn", (t) => {
  const db = openStore(":memory:");
  t.deepEqual(consentedManifests(db, 1), []);
  storeConsent(db, { study, manifest: "{}", expiresMillis: 10, withdrawn: false });
  t.deepEqual(consentedManifests(db, 9), ["{}"]);
  t.deepEqual(consentedManifests(db, 10), []);
  storeConsent(db, { study, manifest: "{}", expiresMillis: 10, withdrawn: true });
  t.deepEqual(consentedManifests(db, 9), []);
});

test("a full disk: disk_full, and nothing of the entry stays", async (t) => {
  const db = openStore(join(folder, "full.db"));
  const ledger = new EgressLedger(db, { identity });
  ledger.recordDepartures([departure], 1);
  const { page_count: pages } = db.prepare("PRAGMA page_count").get() as { page_count: number };
  db.exec(`PRAGMA max_page_count = ${pages}`);
  const many = Array.from({ length: 1000 }, () => departure);
  const error = t.throws(() => ledger.recordDepartures(many, 2), { instanceOf: LedgerFailure });
  t.is(error?.reason, "disk_full");
  t.is((await entriesOf(ledger)).length, 1);
  t.notThrows(() => transact(db, () => undefined));
  db.close();
});

test("a locked ledger: ledger_locked; a damaged one: file_malformed; no folder: file_missing", async (t) => {
  const path = join(folder, "locked.db");
  const other = openStore(path);
  const db = openStore(path, 10);
  other.exec("BEGIN EXCLUSIVE");
  const ledger = new EgressLedger(db, { identity });
  const reason = (run: () => unknown) => t.throws(run, { instanceOf: LedgerFailure })?.reason;
  t.is(
    reason(() => ledger.recordDepartures([departure], 1)),
    "ledger_locked",
  );
  other.exec("ROLLBACK");
  t.notThrows(() => ledger.recordDepartures([departure], 1));
  db.close();
  other.close();

  const damaged = join(folder, "damaged.db");
  await writeFile(damaged, "not a database, but long enough to have a header of one hundred bytes".repeat(3));
  t.is(
    reason(() => openStore(damaged)),
    "file_malformed",
  );
  t.is(
    reason(() => openStore(join(folder, "nowhere", "ledger.db"))),
    "file_missing",
  );
});

/** A sum with noise, of which one costs about ε = 0.52 at δ = 1e-6. */
function noisyRecord(kind: "open" | "submission", round: number, attempt = 1, follows: string | null = null) {
  const record = recordOf(kind, round, attempt);
  const noise = { colluding: 1, dropOuts: 1, samplingRate: 1, sensitivity: 0.13, variances: [400] };
  const header = {
    ...record.header,
    noise,
    follows: follows && { kind: "half", of: follows },
  } as RoundHeader;
  return { ...record, header };
}

test("every step with noise is charged once, what follows an unmasked attempt again, and no more than maxEpsilon", async (t) => {
  const db = openStore(":memory:");
  const ledger = new EgressLedger(db, { identity });
  const submit = (...of: [number, number?, (string | null)?]): void => {
    ledger.recordStep(noisyRecord("open", ...of), step);
    ledger.recordStep(noisyRecord("submission", ...of), step);
  };
  submit(1);
  submit(1, 2);
  submit(1, 3, roundIdOf(1, 2));
  const event = { mechanism: "gaussian", unit: "record", sensitivity: 0.13, sigma: 1, samplingRate: 1 };
  t.deepEqual(spentEvents(db, "rows"), [{ ...event, count: 2 }] as never);
  const spends = (await entriesOf(ledger)).filter(({ type }) => type === "privacy.spent");
  t.like(spends[0], event);
  t.like(spends[1], { ...event, counted: roundIdOf(1, 1), cumulativeSteps: 2 });
  t.false("counted" in spends[2]!);
  // what the ledger says, accounted by somebody else
  const counted = spends.filter((spend) => !("counted" in spend)) as EntryOf<"privacy.spent">[];
  const epsilon = epsilonOf(counted.map(spentEvent), 1e-6);
  t.is(epsilon, forecastOf(db, "rows", charged.budget, []).spent);

  submit(2);
  // until it is known how a step ended, a half of it may have been summed again without this node
  t.deepEqual(spentEvents(db, "rows"), [{ ...event, count: 4 }] as never);
  const asked = { study, round: 2 };
  t.deepEqual(spentEvents(db, "rows", asked), [{ ...event, count: 3 }] as never, "it is not its own doubt");
  t.is(ledger.spendingOverTime("rows", 1e-6)[0]?.sums, 4);
  storeHead(db, study, headOf(2, null));
  t.deepEqual(spentEvents(db, "rows"), [{ ...event, count: 3 }] as never);
  const size = ledger.size;
  const left = forecastOf(db, "rows", charged.budget, [{ ...event, count: 1 } as never]);
  t.true(left.spent < 1 && left.after > 1, `${left.spent} ${left.after}`);
  ledger.recordStep(noisyRecord("open", 3), step);
  t.throws(() => ledger.recordStep(noisyRecord("submission", 3), step), { message: /more than ε = 1/ });
  t.is(ledger.size, size, "nothing of what was refused is in the ledger");
  t.is(forecastOf(db, "rows", charged.budget, []).spent, left.spent);
  // a policy without δ counts no ε
  const silent = { ...step, charged: { ...charged, budget: { lifetime: 100 } } };
  t.throws(() => ledger.recordStep(noisyRecord("submission", 3), silent), { message: /maxEpsilon.delta/ });

  // the other half's sum is charged whatever is left, once
  ledger.recordBystander(roundIdOf(4, 2), noisyRecord("open", 4, 2, roundIdOf(4, 1)).header, charged, 9);
  ledger.recordBystander(roundIdOf(4, 2), noisyRecord("open", 4, 2, roundIdOf(4, 1)).header, charged, 9);
  t.deepEqual(spentEvents(db, "rows"), [{ ...event, count: 4 }] as never);
  t.is(ledger.spendingOverTime("rows", 1e-6).length, 1);
  await entriesOf(ledger);
});

/** Kills a process that charges and sends, at a random moment. @returns what left it. */
async function sentUntilKilled(path: string, manner: string): Promise<string[]> {
  const child = spawn(
    process.execPath,
    ["--no-warnings", fileURLToPath(new URL("../../support/ledger-child.ts", import.meta.url)), path, manner],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let said = "";
  let isDoomed = false;
  child.stdout.on("data", (bytes: Buffer) => {
    said += bytes;
    if (isDoomed || manner === "careless") return;
    isDoomed = true;
    // Anywhere in the milliseconds that a sum takes.
    setTimeout(() => child.kill("SIGKILL"), 40 * uniform(secureRandom));
  });
  await once(child, "close");
  return said.split("\n").filter((line) => line.length === 64);
}

const uncharged = (path: string, sent: readonly string[]): string[] => {
  const db = openStore(path);
  const missing = sent.filter((roundId) => !isCharged(db, roundId));
  const [event] = spentEvents(db, "rows");
  db.close();
  // Of no one it is known how it ended: each counts as one that was summed again.
  if (event!.count < 2 * (sent.length - missing.length))
    throw new Error(`${event!.count} events of ${sent.length}`);
  return missing;
};

const kills = process.env.SLOW ? 200 : 4;

test(`killed ${kills} times between charge and send, a ledger counts no sum too few`, async (t) => {
  if (process.env.SLOW) t.timeout(30 * 60_000);
  const path = join(folder, "killed.db");
  const sent: string[] = [];
  for (let kill = 0; kill < kills; kill++) {
    sent.push(...(await sentUntilKilled(path, "careful")));
    t.deepEqual(uncharged(path, sent), []);
  }
  t.true(sent.length >= kills);
  // What sends first and charges then is found out.
  const careless = join(folder, "careless.db");
  t.is(uncharged(careless, await sentUntilKilled(careless, "careless")).length, 1);
});
