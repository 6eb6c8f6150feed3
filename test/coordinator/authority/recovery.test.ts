import { rm, writeFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import test from "ava";
import { eventually } from "../../../bench/cases/within.ts";
import type { NodeEvent } from "../../../client-node/events.ts";
import { accountFor } from "../../../client-node/federation/accounting.ts";
import type { NodeCredentials } from "../../../client-node/federation/credentials.ts";
import { DirectStatistics } from "../../../client-node/federation/statistics.ts";
import { forecastOf } from "../../../client-node/ledger/budget.ts";
import { EgressLedger } from "../../../client-node/ledger/egress.ts";
import { isAccounted } from "../../../client-node/ledger/recoveries.ts";
import { exactSurvivors } from "../../../client-node/ledger/steps.ts";
import { openStore } from "../../../client-node/ledger/store.ts";
import { type RunningNode, startNode } from "../../../client-node/node.ts";
import { backUp, restore } from "../../../coordinator/restore.ts";
import { splitAddress } from "../../../core/address.ts";
import { secureRandom } from "../../../core/random.ts";
import { Refusal } from "../../../core/reasons.ts";
import { selectRows } from "../../../models/rows.ts";
import type { StudyManifest } from "../../../models/study.ts";
import { parseNote } from "../../../privacy/log/note.ts";
import { reconcile } from "../../../privacy/log/reconcile.ts";
import { type Check, verifyExport } from "../../../privacy/log/verify.ts";
import type { SeenTree } from "../../../privacy/log/witness.ts";
import { type LogRecovery, logRecoveries } from "../../../privacy/recovery.ts";
import { parseRoster } from "../../../privacy/roster.ts";
import { openBfv } from "../../../privacy/sum/encryption/bfv.ts";
import { LocalBank, policyFor, silent } from "../../../simulate/consortium.ts";
import { borrowerFeatures, borrowers, scatter, studyOf } from "../../support/rows.ts";
import { slowNetwork } from "../../support/slow-network.ts";

const names = ["lathe", "mill", "truck"];
const table = borrowers();
const tables = scatter(table.rows, names.length, "recovery").map((rows) => {
  const mine = new Set(rows);
  return selectRows(table, (row) => mine.has(row));
});
const base = studyOf(borrowerFeatures, [{ name: "range" }]);

const failed = (checks: readonly Check[]) => checks.filter(({ ok }) => !ok);
const found = (checks: readonly Check[]) =>
  checks.filter(({ finding }) => finding).map(({ detail }) => detail.replaceAll(/\d+/g, "N"));

test("backups: nothing lost, then an older one, then an enterprise's folder; each is found, none is silent", async (t) => {
  t.timeout(300_000);
  // One enterprise comes through a proxy at another address and port; the bank listens on IPv6 where there is one.
  const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
    all?.some(({ address }) => address === "::1"),
  );
  const free = hasIpv6 ? "[::1]:0" : "127.0.0.1:0";
  const bank = await LocalBank.start({ witnesses: { quorum: 1 }, listen: free, enrolment: free });
  t.teardown(() => bank.stop());
  const credentials = await bank.enrolAll(names);
  const bfv = await openBfv();
  t.teardown(() => bfv.close());
  const proxy = await slowNetwork(splitAddress(bank.coordinator.address), 0);
  t.teardown(() => proxy.close());
  const events: NodeEvent[] = [];
  const ledgerOf = (name: string): string => join(bank.dir, `${name}.db`);
  const startOne = (name: string, as: NodeCredentials, ledger = ledgerOf(name)): Promise<RunningNode> =>
    startNode({
      credentials: as,
      coordinator: name === "mill" ? `localhost:${proxy.port}` : bank.coordinator.address,
      policy: () => policyFor(base),
      rows: async () => tables[names.indexOf(name)]!,
      ledger,
      bfv,
      statistics: new DirectStatistics(secureRandom),
      random: secureRandom,
      now: Date.now,
      onEvent: (event) => void events.push(event),
    });
  const nodes = await Promise.all(names.map((name) => startOne(name, credentials.get(name)!)));
  t.teardown(() => Promise.all(nodes.map((node) => node.stop())));
  const allConnected = () =>
    eventually(() => events.filter(({ type }) => type === "connected").length >= names.length);
  const witness = async (seen?: SeenTree, fresh: readonly LogRecovery[] = []) => {
    const auditor = bank.auditor();
    return auditor.witness(seen, Date.now(), fresh).finally(() => auditor.close());
  };
  const runStudy = async (proposed: StudyManifest): Promise<string> => {
    const study = await bank.operator.propose(proposed);
    for (const node of nodes) await node.consent(study);
    await bank.operator.start(study);
    let last = "";
    for await (const { phase, reason } of bank.operator.follow(study)) last = `${phase} ${reason}`.trim();
    return last;
  };
  /** The machine of the bank is another one. */
  const restoreFrom = async (file: string): Promise<void> => {
    await bank.coordinator.stop();
    await t.throwsAsync(restore(bank.config, file, silent), { message: /holds a coordinator's tables/ });
    await rm(bank.config.dataDir, { recursive: true });
    await rm(bank.config.blobs, { recursive: true });
    events.length = 0;
    await restore(bank.config, file, silent);
    await bank.restart();
  };
  const file = join(bank.dir, "bank.fcbackup");

  t.is(await runStudy({ ...base, name: "kept" }), "finished");
  const kept = await witness();
  // Who decides about it after the backup, decides what the restored bank does not know.
  const open = await bank.operator.propose({ ...base, name: "open" });
  await nodes[0]!.consent(open);
  const { size } = await backUp(bank.operator, file);
  await restoreFrom(file);
  t.false(
    events.some(({ type }) => type === "connected"),
    "before the auditor has looked",
  );
  await witness(kept);
  await allConnected();

  await nodes[0]!.withdraw(open);
  await nodes[1]!.consent(open);
  await nodes[2]!.consent(open);
  t.is(await runStudy({ ...base, name: "lost" }), "finished");
  const lost = await witness(kept);
  await restoreFrom(file);
  await t.throwsAsync(witness(lost), { instanceOf: Refusal, message: /shrank/ });
  await t.throwsAsync(bank.operator.recover([kept.note], "", 0), { message: /nothing is lost/ });
  await t.throwsAsync(bank.operator.recover([lost.note], "", lost.size), { message: /does not go on/ });
  await t.throwsAsync(bank.operator.recover([lost.note.replace(/^\d+$/m, "999")], "", 0), {
    message: /signature/,
  });
  const note = await bank.operator.recover([lost.note, kept.note], "", 0);
  const recoveries = logRecoveries(parseRoster(parseNote(note).text).recoveries);
  t.is(recoveries[0]!.kept.size, size);
  t.false(
    events.some(({ type }) => type === "connected"),
    "before the auditor has signed",
  );
  await bank.countersign();
  await allConnected();
  await eventually(() => events.filter((event) => "decision" in event).length === names.length);
  t.deepEqual((await bank.operator.study(open)).consented, ["mill", "truck"], "told again by the nodes");
  const now = await witness(lost, recoveries);
  t.is(await runStudy({ ...base, name: "lost" }), "failed party_refused", "a step is summed once");
  const early: Uint8Array[] = [];
  for await (const chunk of bank.operator.exportLog()) early.push(chunk);

  // The folder of an enterprise is lost, while a study is proposed.
  const old = await bank.operator.propose({ ...base, name: "old" });
  await nodes[2]!.stop();
  const again = await bank.enrol("truck");
  await bank.operator.admit();
  await bank.countersign();
  nodes[2] = await startOne("truck", again, join(bank.dir, "truck-again.db"));
  await eventually(() => events.at(-1)?.type === "connected");
  await t.throwsAsync(nodes[2]!.consent(old), { message: /lost its ledger/ });
  // What it spent before counts as all there is, until the log that the auditor saw was gone through.
  const afterLoss = await bank.operator.propose({ ...base, name: "after-loss" });
  await t.throwsAsync(nodes[2]!.consent(afterLoss), { message: /not charged yet: nothing counts as left/ });
  const db = openStore(join(bank.dir, "truck-again.db"));
  const account = () => accountFor(() => bank.operator.exportLog(), { db, credentials: again }, Date.now());
  await t.throwsAsync(
    accountFor(() => early, { db, credentials: again }, Date.now()),
    { message: /does not hold what this node was shown/ },
    "an export of before the loss",
  );
  await t.throwsAsync(
    account(),
    { message: /does not hold what this node was shown/ },
    "of what the auditor saw",
  );
  await witness(now);
  const without = { ...again, bankKey: bank.bankKey.replace(/^riverbank/, "other") };
  await t.throwsAsync(
    accountFor(() => bank.operator.exportLog(), { db, credentials: without }, Date.now()),
    { instanceOf: Refusal },
  );
  t.false(isAccounted(db));
  const { exactSums, sumsWithNoise } = await account();
  const lostSums = Math.floor((lost.size - size) / 8);
  t.true(lostSums > 0);
  t.is(exactSums, 1 + lostSums, "of the study that was kept, and what the lost entries may have had");
  t.is(sumsWithNoise, lostSums);
  t.deepEqual(exactSurvivors(db, "rows")[0], [...names].sort(), "over whom it was");
  const budget = { lifetime: 1e9, delta: 1e-6 };
  t.is(forecastOf(db, "rows", budget, []).spent, Number.POSITIVE_INFINITY);
  await t.throwsAsync(account(), { message: /nothing to account for/ });
  db.close();
  t.is(await runStudy({ ...base, name: "new-ledger" }), "finished");

  await witness(now);
  const checks = await verifyExport(bank.operator.exportLog(), bank.logPolicy(1), {
    shown: [lost.note, kept.note],
  });
  t.deepEqual(failed(checks), []);
  t.deepEqual(found(checks), [
    "the bank's log after entry N: up to N entries that were shown (entry N); the ledger of truck after N entries: a new one begins (entry N)",
    "of what was lost: checkpoints of N entries",
  ]);
  await Promise.all(nodes.map((node) => node.stop()));
  for (const [name, ledger, as] of [
    ["mill", ledgerOf("mill"), credentials.get("mill")!],
    ["truck", join(bank.dir, "truck-again.db"), again],
  ] as const) {
    const db = openStore(ledger);
    const own = new EgressLedger(db, as);
    const both = await reconcile(
      () => bank.operator.exportLog(),
      () => own.export(),
      bank.logPolicy(1),
    );
    t.deepEqual(failed(both), [], name);
    t.true(found(both).length > 2, name);
    const what = name === "mill" ? /lost with the bank's log, .*: N$/ : /of a ledger that was lost, .*: N$/;
    t.true(
      found(both).some((detail) => what.test(detail)),
      name,
    );
    db.close();
  }

  const cut = join(bank.dir, "cut.fcbackup");
  await writeFile(cut, "no backup");
  await t.throwsAsync(restore(bank.config, cut, silent), { message: /no backup, or a damaged one/ });
});
