/** Real nodes whose updates are summed group by group. */
import test from "ava";
import { DirectStatistics } from "../../../client-node/federation/statistics.ts";
import { ledgerFile, startNode } from "../../../client-node/node.ts";
import { secureRandom } from "../../../core/random.ts";
import { Refusal } from "../../../core/reasons.ts";
import { partyName, runPlain } from "../../../models/plain.ts";
import { selectRows } from "../../../models/rows.ts";
import type { StudyManifest } from "../../../models/study.ts";
import { readExport } from "../../../privacy/log/export.ts";
import { elsewhere } from "../../../privacy/log/facts.ts";
import { openBfv } from "../../../privacy/sum/encryption/bfv.ts";
import type { RoundHeader } from "../../../privacy/sum/header.ts";
import { LocalBank, policyFor, temporaryDirectory } from "../../../simulate/consortium.ts";
import { audited } from "../../support/audited.ts";
import { borrowerFeatures, borrowers, scatter, studyOf } from "../../support/rows.ts";

test("groups are summed by themselves, under policies that refuse other cohorts, and the log recomputes it", async (t) => {
  const bank = await LocalBank.start();
  t.teardown(() => bank.stop());
  const names = Array.from({ length: 9 }, (_, i) => partyName(i));
  const credentials = await bank.enrolAll(names);
  const groups = [0, 1, 2].map((g) => names.filter((_, i) => i % 3 === g));
  const manifest: StudyManifest = {
    ...studyOf(borrowerFeatures, [
      { name: "range" },
      { name: "bins", cells: 64 },
      { name: "additive", maxSteps: 2 },
      { name: "evaluate" },
    ]),
    groups,
  };
  const { operator } = bank;
  for (const [change, message] of [
    [[...groups.slice(0, 2), [...groups[2]!.slice(0, 2), "stranger"]], /stranger is not in the roster/],
    [groups.slice(0, 2), /groups/],
  ] as const)
    t.regex(
      (await t.throwsAsync(operator.propose({ ...manifest, groups: change }), { instanceOf: Refusal }))!
        .message,
      message,
    );
  const study = await operator.propose(manifest);
  const table = borrowers();
  const tables = scatter(table.rows, names.length, "groups").map((rows) => {
    const mine = new Set(rows);
    return selectRows(table, (row) => mine.has(row));
  });
  const bfv = await openBfv();
  t.teardown(() => bfv.close());
  const dirs = await Promise.all(names.map(() => temporaryDirectory()));
  const nodes = await Promise.all(
    names.map((name, i) =>
      startNode({
        credentials: credentials.get(name)!,
        coordinator: bank.coordinator.address,
        policy: () => ({ ...policyFor(manifest), exactSums: { perTable: 5, cohortChange: "refuse" } }),
        statistics: new DirectStatistics(secureRandom),
        rows: async () => tables[i]!,
        ledger: ledgerFile(dirs[i]!),
        bfv,
        random: secureRandom,
        now: Date.now,
      }),
    ),
  );
  for (const node of nodes) await node.consent(study);
  await operator.start(study);
  let last = "";
  for await (const { phase, reason, detail } of operator.follow(study)) last = `${phase} ${reason} ${detail}`;
  await Promise.all(nodes.map((node) => node.stop()));
  t.is(last.trim(), "finished");
  const { model } = await operator.model(study);
  t.deepEqual((model as { results: unknown }).results, (await runPlain(manifest, tables)).results);

  const { compared } = await audited(
    t,
    bank,
    names.map((name, i) => ({ credentials: credentials.get(name)!, file: ledgerFile(dirs[i]!) })),
  );
  // range, bins, two steps of its own group's and evaluate: as many as its policy allows.
  for (const { id, checks } of compared)
    t.true(
      checks.some(({ detail }) => detail === "5 submissions"),
      id,
    );

  const headers: RoundHeader[] = [];
  for await (const record of (await readExport(operator.exportLog())).records)
    if (record.type === "attachment" && record.attachment.kind === "header")
      headers.push(record.attachment.value as RoundHeader);
  headers.sort((a, b) => a.round - b.round);
  const additive = headers.filter(({ algorithm }) => algorithm.name === "additive");
  t.deepEqual(
    additive.map(({ cohort }) => cohort),
    [...groups, ...groups],
  );
  const [header] = additive as [RoundHeader];
  const next = { ...header, noise: undefined, among: groups[0]! };
  const chain = { state: null, digest: header.state, failed: false };
  t.is(elsewhere(header, chain, next), undefined);
  t.regex(elsewhere({ ...header, cohort: names }, chain, next)!, /not of the group whose sum comes next/);
});
