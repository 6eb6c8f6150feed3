import { setTimeout as delay } from "node:timers/promises";
import test from "ava";
import { selectRows } from "../../../models/rows.ts";
import { type Bfv, openBfv } from "../../../privacy/sum/encryption/bfv.ts";
import { LocalBank, startEnterprise } from "../../../simulate/consortium.ts";
import { encryptingBy } from "../../support/encrypting.ts";
import { borrowerFeatures, borrowers, scatter, studyOf } from "../../support/rows.ts";

const names = ["dyer", "lathe", "mill", "truck", "weaver"];
const late = ["mill", "truck"];
const stepSeconds = 2;

test("lateness that leaves fewer than minCohort is forgiven: the study goes on", async (t) => {
  t.timeout(120_000);
  const bank = await LocalBank.start();
  t.teardown(() => bank.stop());
  const credentials = await bank.enrolAll(names);
  const bfv = await openBfv();
  t.teardown(() => bfv.close());
  const base = studyOf(borrowerFeatures, [{ name: "range" }, { name: "summary" }]);
  const manifest = {
    ...base,
    privacy: { ...base.privacy, minCohort: 4, maxColluding: 0 },
    deadlines: { stepSeconds },
  };
  const table = borrowers();
  const tables = scatter(table.rows, names.length, "late").map((rows) => {
    const mine = new Set(rows);
    return selectRows(table, (row) => mine.has(row));
  });
  const slowOnce = (): Bfv => {
    let pause = 2 * stepSeconds * 1000;
    return encryptingBy(bfv, async (key, slots) => {
      await delay(pause);
      pause = 0;
      return bfv.encrypt(key, slots);
    });
  };
  const nodes = await Promise.all(
    names.map((name, i) => {
      const own = late.includes(name) ? slowOnce() : bfv;
      return startEnterprise(bank, credentials.get(name)!, manifest, tables[i]!, own);
    }),
  );
  t.teardown(() => Promise.all(nodes.map((node) => node.stop())));
  const study = await bank.operator.propose(manifest);
  for (const node of nodes) await node.consent(study);
  await bank.operator.start(study);
  let attempts = 0;
  let last = "";
  for await (const { phase, round, attempt } of bank.operator.follow(study)) {
    last = phase;
    if (round === 1) attempts = Math.max(attempts, attempt);
  }
  t.is(last, "finished");
  t.true(attempts > 1, "they were late");
});
