import { join } from "node:path";
import test from "ava";
import { fillDisk } from "../../bench/cases/small-disk.ts";
import { within } from "../../bench/cases/within.ts";
import type { NodeEvent } from "../../client-node/events.ts";
import { DirectStatistics } from "../../client-node/federation/statistics.ts";
import { startNode } from "../../client-node/node.ts";
import { secureRandom } from "../../core/random.ts";
import { selectRows } from "../../models/rows.ts";
import { openBfv } from "../../privacy/sum/encryption/bfv.ts";
import { LocalBank, policyFor } from "../../simulate/consortium.ts";
import { borrowerFeatures, borrowers, scatter, studyOf } from "../support/rows.ts";
import { tinyDisk } from "../support/tiny-disk.ts";

const names = ["lathe", "mill", "truck"];
const sums = 8;
const manifest = studyOf(
  borrowerFeatures,
  Array.from({ length: sums }, (_, i) => ({ name: "range" as const, as: `range-${i + 1}` })),
);

test("a node's disk fills up in a study, and has room again: the node is in the study's next sums", async (t) => {
  const disk = await tinyDisk(t, 16 * 1024);
  if (disk === undefined) return t.pass();
  const bank = await LocalBank.start();
  t.teardown(() => bank.stop());
  const credentials = await bank.enrolAll(names);
  const bfv = await openBfv();
  t.teardown(() => bfv.close());
  const study = await bank.operator.propose(manifest);
  let free: (() => void) | undefined;
  const reasons: string[] = [];
  /** Of the mill: full in its second sum, until it has lost its connection for it. */
  const onEvent = (event: NodeEvent): void => {
    if (event.type === "round" && event.round === 2) free ??= fillDisk(disk);
    if (event.type !== "disconnected") return;
    reasons.push(event.reason);
    free?.();
  };
  const table = borrowers();
  const parts = scatter(table.rows, names.length, "full").map((rows) => new Set(rows));
  const nodes = await Promise.all(
    names.map((name, i) =>
      startNode({
        credentials: credentials.get(name)!,
        coordinator: bank.coordinator.address,
        policy: () => policyFor(manifest),
        rows: async () => selectRows(table, (row) => parts[i]!.has(row)),
        ledger: name === "mill" ? join(disk, "mill.db") : ":memory:",
        statistics: new DirectStatistics(secureRandom),
        bfv,
        random: secureRandom,
        now: Date.now,
        onEvent: name === "mill" ? onEvent : () => {},
      }),
    ),
  );
  t.teardown(() => Promise.all(nodes.map((node) => node.stop())));
  for (const node of nodes) await node.consent(study);
  await bank.operator.start(study);
  let last = "";
  const ended = (async () => {
    for await (const { phase, reason } of bank.operator.follow(study)) last = `${phase} ${reason}`.trim();
  })();
  await within(() => `the study's end: ${last}`, ended);
  t.is(last, "finished");
  t.is(reasons[0], "disk_full");
  const { model } = await bank.operator.model(study);
  const { rounds } = (model as { lineage: { rounds: { parties: number }[] } }).lineage;
  t.is(rounds.length, sums);
  t.deepEqual(
    rounds.slice(-3).map(({ parties }) => parties),
    [3, 3, 3],
  );
});
