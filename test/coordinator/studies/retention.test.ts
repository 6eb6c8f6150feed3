import { utimes } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { DirectStatistics } from "../../../client-node/federation/statistics.ts";
import { EgressLedger } from "../../../client-node/ledger/egress.ts";
import { openStore } from "../../../client-node/ledger/store.ts";
import { startNode } from "../../../client-node/node.ts";
import { systemClock } from "../../../coordinator/bank.ts";
import { BlobStore } from "../../../coordinator/store/blobs.ts";
import type { Database } from "../../../coordinator/store/database.ts";
import { removeOldBlobs } from "../../../coordinator/studies/retention.ts";
import { secureRandom } from "../../../core/random.ts";
import { studyArithmetic } from "../../../models/recompute.ts";
import { selectRows } from "../../../models/rows.ts";
import { reconcile } from "../../../privacy/log/reconcile.ts";
import { type Check, verifyExport } from "../../../privacy/log/verify.ts";
import { storedText } from "../../../privacy/sum/coordinator/point.ts";
import { openBfv } from "../../../privacy/sum/encryption/bfv.ts";
import { LocalBank, policyFor, startEnterprise, temporaryDirectory } from "../../../simulate/consortium.ts";
import { borrowers, scatter, studyOf } from "../../support/rows.ts";

const dayMillis = 86_400_000;
const failures = (checks: readonly Check[]): Check[] => checks.filter(({ ok }) => !ok);

test("sums and model go when retention is over and the log has said so; what is exported verifies at every moment", async (t) => {
  let ahead = 0;
  const clock = { ...systemClock, now: () => Date.now() + ahead };
  const bank = await LocalBank.start({ witnesses: { quorum: 1 } }, { clock });
  t.teardown(() => bank.stop());
  const names = ["kiln", "lathe", "mill"];
  const credentials = await bank.enrolAll(names);
  const manifest = studyOf([{ name: "income", kind: "numeric" }], [{ name: "range" }, { name: "summary" }]);
  const bfv = await openBfv();
  t.teardown(() => bfv.close());
  const tables = scatter(120, names.length, "retention").map((rows) => {
    const mine = new Set(rows);
    return selectRows(borrowers(), (row) => mine.has(row));
  });
  const ledgerPath = join(await temporaryDirectory(), "ledger.db");
  const nodes = await Promise.all([
    startNode({
      credentials: credentials.get("kiln")!,
      coordinator: bank.coordinator.address,
      policy: () => policyFor(manifest),
      rows: async () => tables[0]!,
      ledger: ledgerPath,
      bfv,
      statistics: new DirectStatistics(secureRandom),
      random: secureRandom,
      now: Date.now,
    }),
    ...["lathe", "mill"].map((name, i) =>
      startEnterprise(bank, credentials.get(name)!, manifest, tables[i + 1]!, bfv),
    ),
  ]);
  const study = await bank.operator.propose(manifest);
  await Promise.all(nodes.map((node) => node.consent(study)));
  await bank.operator.start(study);
  for await (const _ of bank.operator.follow(study));
  await Promise.all(nodes.map((node) => node.stop()));
  const db = openStore(ledgerPath);
  t.teardown(() => db.close());
  const ledger = new EgressLedger(db, credentials.get("kiln")!);
  const auditor = bank.auditor();
  let seen = await auditor.witness(undefined, Date.now());

  const verified = async (): Promise<{ failed: Check[]; said: string[] }> => {
    const checks = await verifyExport(auditor.exportLog(), bank.logPolicy(1), {
      arithmetic: studyArithmetic,
    });
    const reconciled = await reconcile(
      () => auditor.exportLog(),
      () => ledger.export(),
      bank.logPolicy(1),
    );
    return {
      failed: failures([...checks, ...reconciled]),
      said: checks.filter(({ detail }) => detail.startsWith("not checked")).map(({ detail }) => detail),
    };
  };
  t.deepEqual(await verified(), { failed: [], said: [] });

  ahead = (manifest.retentionDays - 1) * dayMillis;
  t.like(await bank.operator.prune(), { removed: [], awaited: [] }, "a day too early");
  ahead = manifest.retentionDays * dayMillis + 1000;
  t.like(await bank.operator.prune(), { removed: [], awaited: [manifest.name] }, "nobody has seen it yet");
  t.deepEqual(await verified(), { failed: [], said: [] });
  t.truthy(await bank.operator.model(study));

  seen = await auditor.witness(seen, clock.now());
  t.like(await bank.operator.prune(), { removed: [manifest.name], awaited: [] });
  const detail = "not checked for 1 study whose retention is over";
  t.deepEqual(await verified(), { failed: [], said: [detail, detail] });
  await t.throwsAsync(bank.operator.model(study), { message: /retention is over/ });
  t.like(await bank.operator.prune(), { removed: [], awaited: [] });

  // While it is exported nothing is removed: the export's own end may not know of it.
  const exporting = bank.operator.exportLog();
  await exporting.next();
  await t.throwsAsync(bank.operator.prune(), { message: /being exported/ });
  await exporting.return(undefined);
});

test("old blobs go, but for those that an unfinished attempt goes on from", async (t) => {
  const dir = await temporaryDirectory();
  const open = (name: string) => BlobStore.open(join(dir, name));
  const blobs = { uploads: await open("uploads"), published: await open("published") };
  const put = async (store: "uploads" | "published", text: string) => {
    const digest = await blobs[store].put(Buffer.from(text));
    await utimes(join(dir, store, digest.slice(0, 2), digest.slice(2)), 1, 1);
    return digest;
  };
  const [leftUpload, neededUpload] = [await put("uploads", "left"), await put("uploads", "needed")];
  const [leftSum, neededSum] = [await put("published", "left sum"), await put("published", "needed sum")];
  const young = await blobs.published.put(Buffer.from("young"));
  const point = storedText({
    at: "releasing",
    submissions: [{ party: "mill", chunks: [neededUpload] }],
    chunks: [neededSum],
  });
  const database = { sql: async () => [{ point }] } as unknown as Database;
  await removeOldBlobs({ blobs, clock: systemClock, database });
  t.deepEqual(
    [await blobs.uploads.has(leftUpload), await blobs.published.has(leftSum)],
    [false, false],
    "nobody needs them",
  );
  t.deepEqual(
    [
      await blobs.uploads.has(neededUpload),
      await blobs.published.has(neededSum),
      await blobs.published.has(young),
    ],
    [true, true, true],
  );
});
