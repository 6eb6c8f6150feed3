/** Sums of groups whose members and whose bank are killed in the middle of a step. */
import test from "ava";
import { DirectStatistics } from "../../../client-node/federation/statistics.ts";
import { ledgerFile, type RunningNode, startNode } from "../../../client-node/node.ts";
import { secureRandom } from "../../../core/random.ts";
import { partyName, runPlain } from "../../../models/plain.ts";
import { selectRows } from "../../../models/rows.ts";
import type { StudyManifest } from "../../../models/study.ts";
import { readExport } from "../../../privacy/log/export.ts";
import { openBfv } from "../../../privacy/sum/encryption/bfv.ts";
import { LocalBank, policyFor, temporaryDirectory } from "../../../simulate/consortium.ts";
import { audited } from "../../support/audited.ts";
import { borrowerFeatures, borrowers, scatter, studyOf } from "../../support/rows.ts";

const names = Array.from({ length: 10 }, (_, i) => partyName(i));
/** The first group can do without one; the others need all of their three. */
const groups = [0, 1, 2].map((g) => names.filter((_, i) => i % 3 === g));
const manifest: StudyManifest = {
  // Of so few rows each, one alone might lack a value of the others.
  ...studyOf(borrowerFeatures.slice(0, 2), [
    { name: "range" },
    { name: "bins", cells: 64 },
    { name: "additive", maxSteps: 2 },
    { name: "evaluate" },
  ]),
  deadlines: { stepSeconds: 30 },
  groups,
};
const table = borrowers();
const tables = scatter(table.rows, names.length, "cut groups").map((rows) => {
  const mine = new Set(rows);
  return selectRows(table, (row) => mine.has(row));
});

/** Where a member is cut off in its group's first sum, whether that sum holds it, and whether it comes back. */
const cuts = new Map([
  [names[0]!, { phase: "agreed", counted: true, returns: false }],
  [names[1]!, { phase: "sealing", counted: false, returns: true }],
  [names[2]!, { phase: "unmasked", counted: true, returns: true }],
]);
/** The survivor list with which the bank is killed: after those of range, bins and the first group, of sums that nobody else leaves. */
const doomed = 4;

test("groups whose members and bank are killed in the middle of a step come to the medians of who was there", async (t) => {
  t.timeout(600_000);
  const killed = Promise.withResolvers<void>();
  let stored = 0;
  const bank = await LocalBank.start(
    {},
    {
      onCrashPoint: (point) => {
        if (point !== "agreeing-stored" || ++stored !== doomed) return undefined;
        killed.resolve();
        return new Promise<void>(() => {});
      },
    },
  );
  t.teardown(() => bank.stop());
  const credentials = await bank.enrolAll(names);
  const bfv = await openBfv();
  t.teardown(() => bfv.close());
  const dirs = await Promise.all(names.map(() => temporaryDirectory()));
  const nodes = new Map<string, RunningNode>();
  t.teardown(() => Promise.all([...nodes.values()].map((node) => node.stop())));
  const cut = new Set<string>();
  const join = async (name: string): Promise<void> => {
    const i = names.indexOf(name);
    const node = await startNode({
      credentials: credentials.get(name)!,
      coordinator: bank.coordinator.address,
      policy: () => policyFor(manifest),
      statistics: new DirectStatistics(secureRandom),
      rows: async () => tables[i]!,
      ledger: ledgerFile(dirs[i]!),
      bfv,
      random: secureRandom,
      now: Date.now,
      onEvent(event) {
        const how = cuts.get(name);
        if (event.type !== "round" || event.algorithm !== "additive" || event.phase !== how?.phase) return;
        if (cut.has(name)) return;
        cut.add(name);
        nodes.delete(name);
        node.drop();
        const back = node.finished.catch(() => {}).then(() => (how.returns ? join(name) : undefined));
        back.catch((error) => t.fail(String(error)));
      },
    });
    nodes.set(name, node);
  };
  for (const name of names) await join(name);
  const study = await bank.operator.propose(manifest);
  for (const node of nodes.values()) await node.consent(study);
  await bank.operator.start(study);
  await killed.promise;
  await bank.coordinator.kill();
  await bank.restart();
  let last = "";
  for await (const { phase, reason, detail } of bank.operator.follow(study))
    last = `${phase} ${reason} ${detail}`;
  t.is(last.trim(), "finished");
  t.deepEqual([...cut].sort(), [...cuts.keys()]);
  await Promise.all([...nodes.values()].map((node) => node.stop()));
  nodes.clear();

  const survivors = new Map<string, readonly string[]>();
  const released: (readonly string[])[] = [];
  for await (const record of (await readExport(bank.operator.exportLog())).records) {
    if (record.type !== "entry") continue;
    const entry = record.value as { type: string; roundId: string; survivors: readonly string[] };
    if (entry.type === "round.survivors") survivors.set(entry.roundId, entry.survivors);
    if (entry.type === "round.released") released.push(survivors.get(entry.roundId)!);
  }
  t.deepEqual(released.slice(2, 5), groups, "each group's first sum holds all who are counted");
  t.deepEqual(released[5], groups[0]!.slice(1));
  let sums = -1;
  const { results } = await runPlain(manifest, tables, {
    isPresent: (party) => released[sums]!.includes(names[party]!),
    onRound: () => sums++,
  });
  const { model } = await bank.operator.model(study);
  t.deepEqual((model as { results: unknown }).results, results);
  await audited(
    t,
    bank,
    names.map((name, i) => ({ credentials: credentials.get(name)!, file: ledgerFile(dirs[i]!) })),
  );
});
