import { rm } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { pino } from "pino";
import { within } from "../../bench/cases/within.ts";
import { startEmbedded } from "../../coordinator/store/embedded.ts";
import { runPlain } from "../../models/plain.ts";
import { selectRows } from "../../models/rows.ts";
import { verifyExport } from "../../privacy/log/verify.ts";
import { openBfv } from "../../privacy/sum/encryption/bfv.ts";
import { LocalBank, silent, startEnterprise, temporaryDirectory } from "../../simulate/consortium.ts";
import { borrowerFeatures, borrowers, scatter, studyOf } from "../support/rows.ts";

const names = ["lathe", "mill", "truck"];

test("the database goes away in the middle of a round and comes back: the study goes on", async (t) => {
  const dir = await temporaryDirectory();
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  const cluster = join(dir, "cluster");
  let server = await startEmbedded(cluster, silent);
  t.teardown(() => server.stop());
  const database = `postgres://${server.user}@localhost/postgres?host=${encodeURIComponent(server.socketDirectory)}`;

  // It goes when the survivors are stored, and comes back once the coordinator has noticed.
  let goes = true;
  const noticed = Promise.withResolvers<void>();
  const write = (line: string): void => {
    if (line.includes("the coordinator waits")) noticed.resolve();
  };
  const bank = await LocalBank.start(
    { database, witnesses: { quorum: 1 } },
    {
      log: pino({ level: "error" }, { write }),
      onCrashPoint: async (point) => {
        if (point !== "agreeing-stored" || !goes) return;
        goes = false;
        await server.stop();
        void noticed.promise.then(async () => {
          server = await startEmbedded(cluster, silent);
        });
      },
    },
  );
  t.teardown(() => bank.stop());
  const credentials = await bank.enrolAll(names);
  const bfv = await openBfv();
  t.teardown(() => bfv.close());
  const manifest = studyOf(borrowerFeatures, [{ name: "range" }, { name: "summary" }]);
  const table = borrowers();
  const tables = scatter(table.rows, names.length, "gone").map((rows) => {
    const mine = new Set(rows);
    return selectRows(table, (row) => mine.has(row));
  });
  const study = await bank.operator.propose(manifest);
  const nodes = await Promise.all(
    names.map((name, i) => startEnterprise(bank, credentials.get(name)!, manifest, tables[i]!, bfv)),
  );
  t.teardown(() => Promise.all(nodes.map((node) => node.stop())));
  await Promise.all(nodes.map((node) => node.consent(study)));
  const finished = Promise.withResolvers<void>();
  let last = "nothing yet";
  await bank.operator.start(study);
  void (async () => {
    // A stream that the lost database ends is opened again.
    for (;;)
      try {
        for await (const { phase } of bank.operator.follow(study)) {
          last = phase;
          if (phase === "finished") return finished.resolve();
        }
      } catch {
        await noticed.promise;
      }
  })();
  await within(
    () => `the study's end (${last}; the database ${goes ? "never went" : "went"})`,
    finished.promise,
  );
  t.false(goes);
  const { model } = await bank.operator.model(study);
  t.deepEqual((model as { results: unknown }).results, (await runPlain(manifest, tables)).results);
  const auditor = bank.auditor();
  await auditor.witness(undefined, Date.now());
  const checks = await verifyExport(auditor.exportLog(), bank.logPolicy(1));
  t.deepEqual(
    checks.filter(({ ok }) => !ok),
    [],
  );
  auditor.close();
});
