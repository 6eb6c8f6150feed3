import { rm } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { DirectStatistics } from "../../../client-node/federation/statistics.ts";
import { startNode } from "../../../client-node/node.ts";
import type { Policy } from "../../../client-node/policy.ts";
import { secureRandom } from "../../../core/random.ts";
import { selectRows } from "../../../models/rows.ts";
import { openBfv } from "../../../privacy/sum/encryption/bfv.ts";
import { LocalBank, policyFor, temporaryDirectory } from "../../../simulate/consortium.ts";
import { borrowerFeatures, borrowers, scatter, studyOf } from "../../support/rows.ts";

const names = ["dyer", "lathe", "mill", "truck"];

test("who connects after the first sum is left out where others keep to their cohort", async (t) => {
  t.timeout(120_000);
  const bank = await LocalBank.start();
  t.teardown(() => bank.stop());
  const credentials = await bank.enrolAll(names);
  const bfv = await openBfv();
  t.teardown(() => bfv.close());
  const base = studyOf(borrowerFeatures, [{ name: "range" }, { name: "summary" }, { name: "logistic" }]);
  const manifest = { ...base, privacy: { ...base.privacy, minCohort: 3, maxColluding: 1 } };
  const table = borrowers();
  const tables = scatter(table.rows, names.length, "newcomer").map((rows) => {
    const mine = new Set(rows);
    return selectRows(table, (row) => mine.has(row));
  });
  const folder = await temporaryDirectory();
  t.teardown(() => rm(folder, { recursive: true }));
  const policy: Policy = { ...policyFor(manifest), exactSums: { perTable: 100, cohortChange: "refuse" } };
  const start = (name: string) =>
    startNode({
      credentials: credentials.get(name)!,
      coordinator: bank.coordinator.address,
      policy: () => policy,
      // Within the bounds that the first sum found.
      rows: async () => tables[name === "truck" ? 0 : names.indexOf(name)]!,
      ledger: join(folder, `${name}.db`),
      bfv,
      statistics: new DirectStatistics(secureRandom),
      random: secureRandom,
      now: Date.now,
    });
  const nodes = await Promise.all(names.map(start));
  t.teardown(() => Promise.all(nodes.map((node) => node.stop())));
  const study = await bank.operator.propose(manifest);
  for (const node of nodes) await node.consent(study);
  await nodes[3]!.stop();
  await bank.operator.start(study);
  for await (const { round } of bank.operator.follow(study)) if (round > 1) break;
  await bank.operator.pause(study);
  for await (const { phase } of bank.operator.follow(study)) if (phase === "paused") break;
  nodes[3] = await start("truck");
  await bank.operator.retry(study);
  let last = "";
  for await (const { phase, reason, detail } of bank.operator.follow(study))
    last = `${phase} ${reason} ${detail}`.trim();
  t.is(last, "finished");
  const { members } = await bank.operator.inspect(study);
  t.deepEqual(
    members.filter(({ leftOut }) => leftOut).map(({ enterprise }) => enterprise),
    ["truck"],
  );
});
