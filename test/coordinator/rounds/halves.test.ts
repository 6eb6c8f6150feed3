/** A sum with noise that is no sum of valid vectors: its survivors are summed by halves, and who is away then pays as well. */
import test from "ava";
import { ShownLog } from "../../../auditor/pages/shown-log.ts";
import { DirectStatistics } from "../../../client-node/federation/statistics.ts";
import { isCharged, spentEvents } from "../../../client-node/ledger/budget.ts";
import { EgressLedger } from "../../../client-node/ledger/egress.ts";
import { openStore } from "../../../client-node/ledger/store.ts";
import { ledgerFile, type RunningNode, startNode } from "../../../client-node/node.ts";
import { secureRandom } from "../../../core/random.ts";
import { selectRows } from "../../../models/rows.ts";
import type { StudyManifest } from "../../../models/study.ts";
import { epsilonOf } from "../../../privacy/noise/accountant.ts";
import { type Bfv, openBfv } from "../../../privacy/sum/encryption/bfv.ts";
import { LocalBank, policyFor, temporaryDirectory } from "../../../simulate/consortium.ts";
import { audited } from "../../support/audited.ts";
import { encryptingBy } from "../../support/encrypting.ts";
import { borrowerFeatures, borrowers, scatter, studyOf } from "../../support/rows.ts";

const names = ["dyer", "kiln", "lathe", "mill", "truck", "weaver"];
const delta = 1e-6;
const manifest: StudyManifest = {
  ...studyOf(borrowerFeatures, [{ name: "range", noise: 3 }]),
  privacy: { minCohort: 3, maxColluding: 1, unit: "record", noise: { multiplier: 4, delta, dropOuts: 1 } },
  deadlines: { stepSeconds: 30 },
  unprotected: [],
};
const table = borrowers();
const tables = scatter(table.rows, names.length, "halves").map((rows) => {
  const mine = new Set(rows);
  return selectRows(table, (row) => mine.has(row));
});

/** Counts one too many, until it is found out: the sum of everybody is invalid, and both halves are valid. */
const spoiling = (bfv: Bfv, until: () => boolean): Bfv =>
  encryptingBy(bfv, (key, slots) => {
    const sent = slots.slice();
    if (!until()) sent[0] = (sent[0]! + 1) % 2 ** 42;
    return bfv.encrypt(key, sent);
  });

test("who survived an invalid sum and is away when a half of it is summed pays for both, as the log counts", async (t) => {
  t.timeout(300_000);
  const split = Promise.withResolvers<readonly string[][]>();
  const goOn = Promise.withResolvers<void>();
  t.teardown(() => goOn.resolve());
  let isSplit = false;
  const bank = await LocalBank.start(
    {},
    {
      onCrashPoint: async (point) => {
        if (point !== "ended" || isSplit) return;
        const { entries } = await ShownLog.open(filesOf(bank), Date.now());
        const last = entries.findLast(({ entry }) => entry?.type === "round.split")?.entry;
        if (last?.type !== "round.split") return;
        isSplit = true;
        split.resolve(last.halves);
        await goOn.promise;
      },
    },
  );
  t.teardown(() => bank.stop());
  const credentials = await bank.enrolAll(names);
  const bfv = await openBfv();
  t.teardown(() => bfv.close());
  const study = await bank.operator.propose(manifest);
  const dirs = new Map(
    await Promise.all(names.map(async (name) => [name, await temporaryDirectory()] as const)),
  );
  const nodes = new Map<string, RunningNode>();
  t.teardown(() => Promise.all([...nodes.values()].map((node) => node.stop())));
  const join = async (name: string): Promise<void> => {
    nodes.set(
      name,
      await startNode({
        credentials: credentials.get(name)!,
        coordinator: bank.coordinator.address,
        policy: () => policyFor(manifest),
        rows: async () => tables[names.indexOf(name)]!,
        ledger: ledgerFile(dirs.get(name)!),
        bfv: name === "dyer" ? spoiling(bfv, () => isSplit) : bfv,
        statistics: new DirectStatistics(secureRandom),
        random: secureRandom,
        now: Date.now,
      }),
    );
  };
  for (const name of names) await join(name);
  for (const node of nodes.values()) await node.consent(study);
  await bank.operator.start(study);
  const opened = (name: string) => openStore(ledgerFile(dirs.get(name)!));
  const epsilonIn = (name: string): number => {
    const db = opened(name);
    const epsilon = epsilonOf(spentEvents(db, "rows"), delta);
    db.close();
    return epsilon;
  };
  const ended = (async () => {
    let last = "";
    for await (const { phase, reason, detail } of bank.operator.follow(study))
      last = `${phase} ${reason} ${detail}`;
    return last.trim();
  })();
  const halves = await Promise.race([split.promise, ended]);
  if (typeof halves === "string") return t.fail(`without halves: ${halves}`);
  const away = halves[1]!.at(-1)!;
  nodes.get(away)!.drop();
  await nodes.get(away)!.finished.catch(() => {});
  nodes.delete(away);
  const before = epsilonIn(away);
  goOn.resolve();
  t.is(await ended, "finished");

  const present = names.filter((name) => name !== away);
  const charged = epsilonIn(present[0]!);
  t.is(before, charged, "from the moment it may be away on");
  t.is(epsilonIn(away), charged);
  await join(away);
  const half = (await ShownLog.open(filesOf(bank), Date.now())).entries.findLast(
    ({ entry }) => entry?.type === "round.released",
  )!.entry as { roundId: string };
  const db = opened(away);
  t.true(isCharged(db, half.roundId), "the proven sum is in its ledger as soon as it is back");
  db.close();
  for (const node of nodes.values()) await node.stop();
  nodes.clear();

  const { checks } = await audited(
    t,
    bank,
    names.map((name) => ({ credentials: credentials.get(name)!, file: ledgerFile(dirs.get(name)!) })),
  );
  const { costs } = await ShownLog.open(filesOf(bank), Date.now());
  for (const name of names) {
    t.is(epsilonIn(name), charged, name);
    t.is(
      epsilonOf(
        costs.get(name)!.map(({ event }) => event),
        delta,
      ),
      charged,
      name,
    );
    const ledger = new EgressLedger(opened(name), credentials.get(name)!);
    t.is(ledger.spendingOverTime("rows", delta).at(-1)?.epsilon, charged, name);
  }
  const said = `2 sums, ε = ${(Math.ceil(charged * 1e4) / 1e4).toFixed(4)} at δ = ${delta}`;
  t.is(checks.find(({ check }) => check === "privacy spend adds up")?.detail, `study: ${said}`);
});

const filesOf = (bank: LocalBank) => ({
  bank: () => bank.operator.exportLog(),
  ledgers: [],
  policy: bank.logPolicy(),
  policyText: "",
});
