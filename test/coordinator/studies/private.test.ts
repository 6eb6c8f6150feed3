/** A study whose sums all bear noise, with real nodes: its cost is one number, whoever adds it up. */
import test from "ava";
import type { NodeEvent } from "../../../client-node/events.ts";
import { DirectStatistics } from "../../../client-node/federation/statistics.ts";
import { spentEvents } from "../../../client-node/ledger/budget.ts";
import { ledgerFile, startNode } from "../../../client-node/node.ts";
import { secureRandom } from "../../../core/random.ts";
import { Refusal } from "../../../core/reasons.ts";
import { selectRows } from "../../../models/rows.ts";
import type { StudyManifest } from "../../../models/study.ts";
import { studyEvents } from "../../../models/study-loop.ts";
import { costInWords } from "../../../privacy/log/spend.ts";
import { epsilonOf } from "../../../privacy/noise/accountant.ts";
import { openBfv } from "../../../privacy/sum/encryption/bfv.ts";
import { LocalBank, policyFor, temporaryDirectory } from "../../../simulate/consortium.ts";
import { audited } from "../../support/audited.ts";
import { borrowerFeatures, borrowers, scatter, studyOf } from "../../support/rows.ts";

const names = ["kiln", "lathe", "mill", "orchard", "truck"];
const delta = 1e-6;
const manifest: StudyManifest = {
  ...studyOf(borrowerFeatures, [
    { name: "range", noise: 3 },
    { name: "bins", cells: 64, noise: 2 },
    { name: "additive-private", sums: 2 },
    { name: "evaluate", noise: 3 },
  ]),
  privacy: {
    minCohort: 3,
    maxColluding: 1,
    unit: "record",
    noise: { multiplier: 4, delta, dropOuts: 1 },
  },
  unprotected: [],
};
const planned = epsilonOf(studyEvents(manifest), delta);

test("log, ledgers, model and accountant come to the same ε, and who has too little left takes no part", async (t) => {
  const bank = await LocalBank.start();
  t.teardown(() => bank.stop());
  const credentials = await bank.enrolAll(names);
  const study = await bank.operator.propose(manifest);
  const bfv = await openBfv();
  t.teardown(() => bfv.close());
  const table = borrowers();
  const dealt = scatter(table.rows, names.length, "private").map((rows) => new Set(rows));
  const dirs = await Promise.all(names.map(() => temporaryDirectory()));
  /** The last one's falls after it has consented. */
  const lifetimes = [...names.slice(1).map(() => planned), planned * 1.001];
  const refused: NodeEvent[] = [];
  const policyOf = (i: number) => ({
    ...policyFor(manifest),
    exactSums: { perTable: 0, cohortChange: "refuse" as const },
    maxEpsilon: { lifetime: lifetimes[i]!, delta },
  });
  const nodes = await Promise.all(
    names.map((name, i) =>
      startNode({
        credentials: credentials.get(name)!,
        coordinator: bank.coordinator.address,
        policy: () => policyOf(i),
        statistics: new DirectStatistics(secureRandom),
        rows: async () => selectRows(table, (row) => dealt[i]!.has(row)),
        ledger: ledgerFile(dirs[i]!),
        bfv,
        random: secureRandom,
        now: Date.now,
        onEvent: (event) => {
          if (event.type === "refused") refused.push(event);
        },
      }),
    ),
  );
  lifetimes[0] = planned * 0.999;
  const short = await t.throwsAsync(nodes[0]!.consent(study), { instanceOf: Refusal });
  t.is((short as Refusal).reason, "budget_exhausted");
  lifetimes[0] = planned;
  for (const node of nodes) await node.consent(study);
  lifetimes[names.length - 1] = 0.01;
  await bank.operator.start(study);
  let last = "";
  for await (const { phase, reason, detail } of bank.operator.follow(study))
    last = `${phase} ${reason} ${detail}`;
  await Promise.all(nodes.map((node) => node.stop()));
  t.is(last.trim(), "finished");
  t.true(
    refused.length > 0 && refused.every((event) => "reason" in event && event.reason === "budget_exhausted"),
  );

  const { checks, databases } = await audited(
    t,
    bank,
    names.map((name, i) => ({ credentials: credentials.get(name)!, file: ledgerFile(dirs[i]!) })),
  );
  const spent = databases.map((db) => epsilonOf(spentEvents(db, "rows"), delta));
  t.is(spent.pop(), 0, "who refused is charged nothing");
  const { model } = await bank.operator.model(study);
  const { cost } = (model as { protection: { cost: { epsilon: number; delta: number } } }).protection;
  for (const epsilon of spent) t.is(epsilon, cost.epsilon);
  const inWords = `ε = ${(Math.ceil(cost.epsilon * 1e4) / 1e4).toFixed(4)} at δ = ${delta}`;
  t.true(checks.some(({ detail }) => detail.includes(`${manifest.name}: 5 sums, ${inWords}`)));
  // Rounding to the grid is in the events of sums, and not in what is planned: never more than that.
  t.true(cost.epsilon <= planned && cost.epsilon > 0.99 * planned, `${cost.epsilon} of ${planned}`);
});

test("of groups, those of one enterprise are counted, and of an invalid sum's halves both", (t) => {
  const [event] = studyEvents(manifest);
  const named = { name: manifest.name, privacy: manifest.privacy };
  const said = (lists: readonly (readonly string[])[]): string =>
    costInWords({
      studies: new Map([
        ["s", { manifest: named, spends: lists.map((members) => ({ event: event!, members })) }],
      ]),
    });
  const of = (sums: number): string =>
    (Math.ceil(epsilonOf([{ ...event!, count: sums }], delta) * 1e4) / 1e4).toFixed(4);
  t.true(
    said([
      ["a", "b"],
      ["c", "d"],
      ["a", "b"],
    ]).includes(`3 sums, ε = ${of(2)} at`),
  );
  t.true(said([["a", "b"], ["a", "b", "c"], ["c"]]).includes(`3 sums, ε = ${of(2)} at`));
  t.true(said([["a"], ["a"], ["a"]]).includes(`3 sums, ε = ${of(3)} at`));
});
