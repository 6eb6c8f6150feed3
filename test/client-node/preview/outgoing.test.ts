import { rm } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { createSecrets, enrol } from "../../../client-node/federation/enrol.ts";
import { DirectStatistics } from "../../../client-node/federation/statistics.ts";
import { Transport } from "../../../client-node/federation/transport.ts";
import { EgressLedger } from "../../../client-node/ledger/egress.ts";
import { type OutgoingKind, outgoing } from "../../../client-node/ledger/outgoing.ts";
import { openStore } from "../../../client-node/ledger/store.ts";
import { openDesk, startNode } from "../../../client-node/node.ts";
import { dryRun } from "../../../client-node/preview/dry-run.ts";
import { secureRandom } from "../../../core/random.ts";
import { selectRows } from "../../../models/rows.ts";
import { openBfv } from "../../../privacy/sum/encryption/bfv.ts";
import { Membership, Studies } from "../../../proto/wire.ts";
import { consortiumName, LocalBank, policyFor, temporaryDirectory } from "../../../simulate/consortium.ts";
import { borrowerFeatures, borrowers, scatter, studyOf } from "../../support/rows.ts";

const names = ["alder", "birch", "cedar"];
const manifest = studyOf(borrowerFeatures, [{ name: "range" }, { name: "summary" }]);
const tables = scatter(240, names.length, "outgoing").map((rows) => {
  const mine = new Set(rows);
  return selectRows(borrowers(), (row) => mine.has(row));
});

const kindsOf = (...occasions: string[]): string[] =>
  Object.entries(outgoing)
    .filter(([, occasion]) => occasions.includes(occasion))
    .map(([kind]) => kind)
    .sort();

test("what the preview shows is what real nodes' ledgers hold, from enrolment to withdrawal", async (t) => {
  const folder = await temporaryDirectory();
  const bank = await LocalBank.start();
  const bfv = await openBfv();
  t.teardown(async () => {
    await bfv.close();
    await bank.stop();
    await rm(folder, { recursive: true });
  });
  const ledgerOf = (name: string): string => join(folder, `${name}.db`);
  const credentials = await Promise.all(
    names.map(async (enterprise) => {
      const secrets = await createSecrets(consortiumName, enterprise, secureRandom);
      const db = openStore(ledgerOf(enterprise));
      const ledger = new EgressLedger(db, secrets);
      const pins = await enrol({
        consortium: consortiumName,
        enterprise,
        address: bank.coordinator.enrolmentAddress,
        token: await bank.operator.createToken(enterprise, `${enterprise} Ltd`),
        secrets,
        now: Date.now(),
        beforeSend: (departures) => ledger.recordDepartures(departures, Date.now()),
      });
      db.close();
      return { ...secrets, ...pins };
    }),
  );
  await bank.operator.admit();
  await bank.countersign();
  const nodes = await Promise.all(
    names.map((name, i) =>
      startNode({
        credentials: credentials[i]!,
        coordinator: bank.coordinator.address,
        policy: () => policyFor(manifest),
        rows: async () => tables[i]!,
        ledger: ledgerOf(name),
        statistics: new DirectStatistics(secureRandom),
        bfv,
        random: secureRandom,
        now: Date.now,
      }),
    ),
  );
  const study = await bank.operator.propose(manifest);
  for (const node of nodes) {
    await node.studies();
    await node.consent(study);
  }
  await bank.operator.start(study);
  let phase = "";
  for await (const status of bank.operator.follow(study)) phase = status.phase;
  t.is(phase, "finished");
  for (const node of nodes) {
    await node.model(study);
    await node.withdraw(study);
    await node.stop();
  }

  // fedcredit node rotate-key; that a next key is taken is tested beside the bank's.
  const desk = openDesk({
    credentials: credentials[0]!,
    coordinator: bank.coordinator.address,
    policy: () => policyFor(manifest),
    rows: async () => tables[0]!,
    ledger: ledgerOf(names[0]!),
    random: secureRandom,
    now: Date.now,
  });
  await t.throwsAsync(desk.transport.call(Membership.service.ProposeSuccession, { line: "none" }));
  desk.transport.close();
  desk.db.close();

  const recorded = new Set<string>();
  for (const [i, name] of names.entries()) {
    const db = openStore(ledgerOf(name));
    const ledger = new EgressLedger(db, credentials[i]!);
    for (const { kind } of ledger.totals()) recorded.add(kind);
    db.close();
  }
  t.deepEqual([...recorded].sort(), kindsOf("enrolment", "apart from rounds", "in a round"));

  const shown = await dryRun(manifest, tables[0]!, {
    enterprise: "alder",
    destination: bank.coordinator.address,
    bfv,
    random: secureRandom,
  });
  const kinds = (departures: readonly { kind: OutgoingKind }[]) => departures.map(({ kind }) => kind);
  const ordinary = new Set([
    ...kinds(shown.outsideRounds),
    ...shown.rounds.flatMap(({ departures }) => kinds(departures)),
  ]);
  // Nobody was away here, and no certificate near its end: what that sends is shown, and was not sent.
  const present = [...recorded].filter((kind) => kind !== "Enrolment.Enrol");
  t.deepEqual(
    [...ordinary].sort(),
    [...present, ...kindsOf("after an absence", "near a certificate's end")].sort(),
  );
  t.deepEqual(kinds(shown.onFailure).sort(), kindsOf("failure"));
});

test("a call that is not declared among what leaves is not sent", async (t) => {
  const bank = await LocalBank.start();
  t.teardown(() => bank.stop());
  let departures = 0;
  const transport = new Transport({
    address: bank.coordinator.address,
    credentials: await bank.enrol("alder"),
    now: Date.now,
    random: secureRandom,
    beforeSend: () => void departures++,
  });
  t.teardown(() => transport.close());
  const error = await t.throwsAsync(transport.call(Studies.service.Stop, { study: Buffer.alloc(32) }));
  t.true(error instanceof RangeError);
  t.regex(error!.message, /Studies\.Stop is not declared/);
  t.is(departures, 0);
});
