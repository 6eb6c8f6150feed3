import { rm } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import { eventually } from "../../bench/cases/within.ts";
import type { NodeEvent } from "../../client-node/events.ts";
import type { NodeCredentials } from "../../client-node/federation/credentials.ts";
import { DirectStatistics } from "../../client-node/federation/statistics.ts";
import { EgressLedger } from "../../client-node/ledger/egress.ts";
import { openStore } from "../../client-node/ledger/store.ts";
import { startNode } from "../../client-node/node.ts";
import type { Policy } from "../../client-node/policy.ts";
import { systemClock } from "../../coordinator/bank.ts";
import { quotas } from "../../coordinator/service/quotas.ts";
import { digestOf } from "../../core/canonical.ts";
import { secureRandom } from "../../core/random.ts";
import { noteSigner } from "../../privacy/log/note.ts";
import { reconcile } from "../../privacy/log/reconcile.ts";
import { type Check, verifyExport } from "../../privacy/log/verify.ts";
import { openBfv } from "../../privacy/sum/encryption/bfv.ts";
import { reportBytes, signStatement, termsDigest } from "../../privacy/warnings/report.ts";
import { periodOf, type RaisedWarning, type WarningTerms } from "../../privacy/warnings/terms.ts";
import { WireClient } from "../../proto/client.ts";
import { Warnings } from "../../proto/wire.ts";
import { consortiumName, LocalBank, policyFor, temporaryDirectory } from "../../simulate/consortium.ts";
import { borrowerFeatures, studyOf } from "../support/rows.ts";

const failures = (checks: readonly Check[]): Check[] => checks.filter(({ ok }) => !ok);
const dayMillis = 86_400_000;

const terms: WarningTerms = {
  purpose: "early warning of borrowers",
  leastSeverity: "warning",
  period: "week",
  keepDays: 30,
  places: true,
};
const consent: NonNullable<Policy["warnings"]> = {
  purpose: terms.purpose,
  leastSeverity: "warning",
  period: "day",
  keepDays: 365,
  places: { "hall-1": "north" },
  until: "2999-12-31",
};

let ahead = 0;
let bank: LocalBank;
let credentials: Map<string, NodeCredentials>;
test.before(async () => {
  const clock = { ...systemClock, now: () => Date.now() + ahead };
  bank = await LocalBank.start({ warnings: terms }, { clock });
  credentials = await bank.enrolAll(["mill", "kiln"]);
});
test.after.always(() => bank?.stop());

async function exported(): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for await (const piece of bank.operator.exportLog()) pieces.push(piece);
  return pieces;
}

test.serial(
  "what is told is type, severity, week and the place's own name; ledger and log hold it, and nothing twice",
  async (t) => {
    const folder = await temporaryDirectory();
    t.teardown(() => rm(folder, { recursive: true }));
    const bfv = await openBfv();
    t.teardown(() => bfv.close());
    let policy: Policy = policyFor(studyOf(borrowerFeatures, []));
    const raised: RaisedWarning[] = [
      { type: "stoppage", severity: "alarm", site: "hall-1", known: Date.now() - 3 * dayMillis },
    ];
    const events: NodeEvent[] = [];
    const turns: (() => void)[] = [];
    const ledger = join(folder, "ledger.db");
    const node = await startNode({
      credentials: credentials.get("mill")!,
      coordinator: bank.coordinator.address,
      policy: () => policy,
      rows: async () => Promise.reject(new Error("no rows")),
      warnings: (since) => raised.filter(({ known }) => known >= since),
      ledger,
      bfv,
      statistics: new DirectStatistics(secureRandom),
      random: secureRandom,
      now: Date.now,
      after: (_, run) => {
        turns.push(run);
        return () => {};
      },
      onEvent: (event) => void events.push(event),
    });
    t.teardown(() => node.stop(1));
    const departures = (): string[] => {
      const db = openStore(ledger);
      try {
        return new EgressLedger(db, credentials.get("mill")!)
          .entries(0, 10_000)
          .flatMap(({ entry }) => (entry.type === "egress.sent" ? [entry.kind] : []));
      } finally {
        db.close();
      }
    };
    const told = () => events.flatMap((event) => (event.type === "warnings" ? [event] : []));
    /** What warnings come to once the time to tell has come. */
    const tell = async () => {
      const before = told().length;
      turns.length = 0;
      node.tellWarnings();
      for (const turn of turns.splice(0)) turn();
      await eventually(() => told().length > before);
      return told().at(-1)!;
    };

    raised.push({ type: "stoppage", severity: "alarm", site: "hall-1", known: Date.now() });
    t.false(
      departures().some((kind) => kind.startsWith("Warnings.")),
      "without consent not even the terms are asked for",
    );

    // What the bank asks for beyond the consent: nothing is told, and each thing is named.
    for (const [less, why] of [
      [{ ...consent, purpose: "pricing" }, /purpose "early warning/],
      [{ ...consent, leastSeverity: "alarm" as const }, /severity warning/],
      [{ ...consent, period: "month" as const }, /the week/],
      [{ ...consent, keepDays: 7 }, /kept 30 days/],
      [{ ...consent, places: undefined }, /places/],
      [{ ...consent, until: "2020-01-01" }, /ended with 2020-01-01/],
    ] as const) {
      policy = { ...policy, warnings: less };
      const outcome = await tell();
      t.is(outcome.told, 0);
      t.regex(outcome.message!, why);
    }
    t.false(departures().includes("Warnings.Report"));
    t.deepEqual(await bank.operator.warnings({ limit: 10 }), []);

    policy = { ...policy, warnings: consent };
    // The first look finds what was known before the consent: none of it is told.
    turns.length = 0;
    node.tellWarnings();
    for (const turn of turns.splice(0)) turn();
    await eventually(() => departures().filter((kind) => kind === "Warnings.GetTerms").length >= 7);
    const soon = Date.now() + 60_000;
    raised.push(
      { type: "order_loss", severity: "warning", site: "hall-1", known: soon },
      { type: "order_loss", severity: "warning", site: "hall-1", known: soon },
      { type: "anomaly", severity: "notice", site: "hall-1", known: soon },
      { type: "stoppage", severity: "alarm", site: "secret lab", known: soon },
    );
    t.is((await tell()).told, 1);
    const shown = (await bank.operator.warnings({ enterprise: "mill", limit: 10 })).map(
      ({ receivedMillis: _, ...rest }) => rest,
    );
    const week = periodOf(soon, "week");
    t.deepEqual(shown, [
      { enterprise: "mill", type: "order_loss", severity: "warning", from: week, place: "north" },
    ]);
    t.true(departures().includes("Warnings.Report"), "the ledger has it");

    // Told once, also by a node that forgot.
    const size = (await exported()).length;
    const db = openStore(ledger);
    db.exec("DELETE FROM warning_told");
    db.close();
    t.is((await tell()).told, 1);
    t.is((await bank.operator.warnings({ limit: 10 })).length, 1);
    const entries: string[] = [];
    const checks = await verifyExport(await exported(), bank.logPolicy(), {
      onEntry: (entry) => {
        if (entry.type === "warning.raised") entries.push(JSON.stringify(entry));
      },
    });
    t.deepEqual(failures(checks), []);
    t.is(entries.length, 1);
    t.true(size > 0);
    t.notRegex(entries[0]!, /order_loss|north|hall|week/, "the log holds digests alone");

    const own: Uint8Array[] = [];
    const store = openStore(ledger);
    for await (const piece of new EgressLedger(store, credentials.get("mill")!).export()) own.push(piece);
    store.close();
    const log = await exported();
    const both = await reconcile(
      () => log,
      () => own,
      bank.logPolicy(),
    );
    t.deepEqual(failures(both), []);
    t.deepEqual(
      both
        .filter(({ check }) => check.includes("report of warnings"))
        .map(({ detail }) => detail.slice(0, 30)),
      ["1 reports", "2 reports, 1 of them not: they"],
      "the one that told nothing new left no entry",
    );
  },
);

test.serial("reports that are forged, foreign, flooding or beyond what was asked are refused", async (t) => {
  const kiln = credentials.get("kiln")!;
  const wire = new WireClient(bank.coordinator.address, {
    authorityPem: kiln.ca,
    certificatePem: kiln.certificate,
    privateKeyPem: kiln.tlsKey,
  });
  t.teardown(() => wire.close());
  const signer = noteSigner(kiln.identity.name, kiln.identity.signingSeed);
  const week = periodOf(Date.now(), "week");
  const good = { type: "stoppage", severity: "alarm", from: week, place: "north" };
  type Change = {
    warnings?: unknown[];
    enterprise?: string;
    consortium?: string;
    terms?: string;
    report?: string;
  };
  const send = (change: Change = {}) => {
    const report = reportBytes({
      salt: Buffer.from(secureRandom.bytes(16)).toString("hex"),
      warnings: (change.warnings ?? [good]) as never,
    });
    const note = signStatement(
      {
        consortium: change.consortium ?? consortiumName,
        enterprise: change.enterprise ?? "kiln",
        terms: change.terms ?? termsDigest(terms),
        report: change.report ?? digestOf(report),
      },
      signer,
    );
    return wire.call(Warnings.service.Report, { note, report: Buffer.from(report) });
  };
  const at = (days: number): string => periodOf(Date.now() + days * dayMillis, "week");
  const refused: [Change, string][] = [
    [{ enterprise: "mill" }, "signature_invalid"],
    [{ consortium: "other" }, "signature_invalid"],
    [{ terms: "ab".repeat(32) }, "manifest_changed"],
    [{ report: "ab".repeat(32) }, "digest_mismatch"],
    [{ warnings: [] }, "message_malformed"],
    [{ warnings: Array.from({ length: 201 }, () => good) }, "message_malformed"],
    [{ warnings: [{ ...good, type: "bankruptcy" }] }, "message_malformed"],
    [{ warnings: [{ ...good, severity: "notice" }] }, "message_malformed"],
    [{ warnings: [{ ...good, place: "<script>alert(1)</script>" }] }, "message_malformed"],
    [{ warnings: [{ ...good, place: "north\u001b[2J" }] }, "message_malformed"],
    [{ warnings: [{ ...good, place: "x".repeat(41) }] }, "message_malformed"],
    [{ warnings: [{ ...good, device: "press-1" }] }, "message_malformed"],
    [{ warnings: [{ ...good, from: at(14) }] }, "message_malformed"],
    [{ warnings: [{ ...good, from: at(-120) }] }, "message_malformed"],
    [{ warnings: [{ ...good, from: "2026-02-30" }] }, "message_malformed"],
    [
      { warnings: [{ ...good, from: new Date(Date.parse(week) + dayMillis).toISOString().slice(0, 10) }] },
      "message_malformed",
    ],
  ];
  for (const [change, reason] of refused) {
    const error = await t.throwsAsync(send(change), undefined, JSON.stringify(change).slice(0, 200));
    t.is((error as { reason?: string }).reason, reason, JSON.stringify(change).slice(0, 200));
  }
  t.is((await bank.operator.warnings({ enterprise: "kiln", limit: 10 })).length, 0);
  t.deepEqual(await send(), { taken: 1 });
  t.deepEqual(await send(), { taken: 0 });

  // More places than any enterprise has: bounded for a period, and each report counts against the hour.
  ahead += 3_600_001;
  const crowd = (n: number) =>
    Array.from({ length: 200 }, (_, i) => ({ ...good, place: `place ${n * 200 + i}` }));
  await send({ warnings: crowd(0) });
  await send({ warnings: crowd(1) });
  const many = await t.throwsAsync(send({ warnings: crowd(2) }));
  t.is((many as { reason?: string }).reason, "rate_limited");
  t.is(
    (await bank.operator.warnings({ enterprise: "kiln", limit: 1000 })).length,
    401,
    "all of a report or none of it",
  );
  let taken = 3;
  while (
    await send().then(
      () => true,
      () => false,
    )
  )
    taken++;
  t.is(taken, quotas.warningReportsPerHour);

  await bank.operator.prune();
  t.is((await bank.operator.warnings({ limit: 1000 })).length, 402, "one of the mill, 401 of the kiln");
  ahead += 31 * dayMillis;
  await bank.operator.prune();
  t.is((await bank.operator.warnings({ limit: 1000 })).length, 0, "kept no longer than was stated");
});
