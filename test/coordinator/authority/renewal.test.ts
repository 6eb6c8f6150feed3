import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connect } from "node:tls";
import test from "ava";
import { connect as connectAuditor } from "../../../auditor/connection.ts";
import { createAuditorKey } from "../../../auditor/keys.ts";
import { eventually, within } from "../../../bench/cases/within.ts";
import type { NodeEvent } from "../../../client-node/events.ts";
import { checkCertificate } from "../../../client-node/federation/credentials.ts";
import { DirectStatistics } from "../../../client-node/federation/statistics.ts";
import { startNode } from "../../../client-node/node.ts";
import { openAuthority, recertifyOperator } from "../../../coordinator/authority/keys.ts";
import { serialOf } from "../../../coordinator/authority/revocation.ts";
import { readConfig } from "../../../coordinator/config.ts";
import { Operator } from "../../../coordinator/operator.ts";
import { secureRandom } from "../../../core/random.ts";
import type { Refusal } from "../../../core/reasons.ts";
import { selectRows } from "../../../models/rows.ts";
import { endOf, isRenewable, isRenewalDue } from "../../../privacy/certificate-life.ts";
import { certificateRequest } from "../../../privacy/certificate-request.ts";
import { parseEntry } from "../../../privacy/log/entry.ts";
import { readExport } from "../../../privacy/log/export.ts";
import { allHold, verifyExport } from "../../../privacy/log/verify.ts";
import { openBfv } from "../../../privacy/sum/encryption/bfv.ts";
import { WireClient } from "../../../proto/client.ts";
import { Health, Membership, protocolVersion, refusalOf, Studies } from "../../../proto/wire.ts";
import { LocalBank, policyFor, temporaryDirectory } from "../../../simulate/consortium.ts";
import { borrowerFeatures, borrowers, scatter, studyOf } from "../../support/rows.ts";

const day = 86_400_000;

/**
 * A clock that lags behind the real one by some days, which TLS goes by: what it signed then is valid now, and near its
 * end. Timers of a day or an hour fire when the test says so.
 */
function laggingClock(days: number) {
  let lag = days * day;
  const held = new Set<() => void>();
  return {
    now: (): number => Date.now() - lag,
    after: (seconds: number, fire: () => void): (() => void) => {
      if (seconds >= 3600) {
        held.add(fire);
        return () => void held.delete(fire);
      }
      const timer = setTimeout(fire, seconds * 1000);
      return () => clearTimeout(timer);
    },
    /** Lets the lag shrink, and long timers fire. */
    catchUp(to: number): void {
      lag = to * day;
      const due = [...held];
      held.clear();
      for (const fire of due) fire();
    },
  };
}

const bank = await LocalBank.start();
test.after.always(() => bank.stop());

const refusalBy = async (work: Promise<unknown>): Promise<Refusal> => {
  try {
    await work;
  } catch (error) {
    return refusalOf(error);
  }
  throw new Error("nothing was refused");
};

interface Keys {
  readonly certificate: string;
  readonly tlsKey: string;
  readonly ca: string;
}

const clientOf = (bank: LocalBank, { ca, certificate, tlsKey }: Keys): WireClient =>
  new WireClient(bank.coordinator.address, {
    authorityPem: ca,
    certificatePem: certificate,
    privateKeyPem: tlsKey,
  });

const renewalOf = async (client: WireClient, { tlsKey }: Keys): Promise<string> => {
  const csrPem = await certificateRequest(tlsKey, "whoever");
  return (await client.call(Membership.service.RenewCertificate, { csrPem })).certificatePem;
};

async function entriesOf(bank: LocalBank) {
  const entries = [];
  for await (const record of (await readExport(bank.operator.exportLog())).records)
    if (record.type === "entry") entries.push(parseEntry(record.bytes));
  return entries;
}

test.serial(
  "renewal is due after two thirds of a certificate's life, and given in its second half",
  async (t) => {
    const authority = await openAuthority(bank.config, secureRandom);
    const issued = Date.UTC(2026, 0, 1);
    const { certificatePem } = await authority.issueClient({ role: "operator", id: "maria" }, issued);
    t.is(endOf(certificatePem), issued + 397 * day);
    t.deepEqual(
      [0, 198, 199, 264, 265, 397, 500].map((days) => [
        isRenewable(certificatePem, issued + days * day),
        isRenewalDue(certificatePem, issued + days * day),
      ]),
      [
        [false, false],
        [false, false],
        [true, false],
        [true, false],
        [true, true],
        [true, true],
        [true, true],
      ],
    );
    // Nothing outlives the authority.
    const late = await authority.issueClient({ role: "operator", id: "maria" }, Date.now() + 3600 * day);
    t.true(endOf(late.certificatePem) <= endOf(authority.certificatePem));
  },
);

test.serial(
  "nodes renew in the middle of a study, which goes on; the log verifies and shows it",
  async (t) => {
    const clock = laggingClock(300);
    const bank = await LocalBank.start({}, { clock });
    const bfv = await openBfv();
    t.teardown(async () => {
      await bfv.close();
      await bank.stop();
    });
    const names = ["alder", "birch", "cedar"];
    const credentials = await bank.enrolAll(names);
    const manifest = studyOf(borrowerFeatures, [
      { name: "range" },
      { name: "summary" },
      { name: "logistic" },
    ]);
    const kept = new Map<string, string>();
    const events: NodeEvent[] = [];
    let rounds = 0;
    let before = 0;
    const nodes = await Promise.all(
      scatter(240, names.length, "renewal").map((rows, i) => {
        const mine = new Set(rows);
        const table = selectRows(borrowers(), (row) => mine.has(row));
        return startNode({
          credentials: credentials.get(names[i]!)!,
          coordinator: bank.coordinator.address,
          policy: () => ({ ...policyFor(manifest), consentDays: 400 }),
          rows: async () => table,
          ledger: ":memory:",
          bfv,
          statistics: new DirectStatistics(secureRandom),
          random: secureRandom,
          now: clock.now,
          after: clock.after,
          keepCertificate: (certificate) => void kept.set(names[i]!, certificate),
          onEvent: (event) => {
            events.push(event);
            // In the middle of the second round three hundred days go by.
            if (event.type === "round" && event.phase === "unmasked" && ++rounds === names.length + 1) {
              before = events.length;
              clock.catchUp(0);
            }
          },
        });
      }),
    );
    t.teardown(() => {
      for (const node of nodes) node.drop();
    });
    t.is(kept.size, 0, "not due at the start");
    const study = await bank.operator.propose(manifest);
    for (const node of nodes) await node.consent(study);
    await bank.operator.start(study);
    let last = "";
    for await (const { phase, reason } of bank.operator.follow(study)) last = `${phase} ${reason}`.trim();
    t.is(last, "finished");
    await eventually(
      () => kept.size === names.length,
      () => `renewals, after those of ${[...kept.keys()]}`,
    );
    t.deepEqual(
      events.slice(before).filter(({ type }) => type === "disconnected"),
      [],
      "nobody's stream was cut",
    );
    t.false(events.some((event) => event.type === "closed" && event.outcome !== "released"));
    for (const name of names) {
      const pins = { ...credentials.get(name)!, certificate: kept.get(name)! };
      checkCertificate(pins, pins, Date.now() + 300 * day);
      t.throws(() => checkCertificate(credentials.get(name)!, pins, Date.now() + 300 * day));
    }
    const renewals = events.filter((event) => event.type === "certificate");
    t.deepEqual(
      renewals.map(({ reason }) => reason),
      names.map(() => undefined),
      "once each, and taken into use",
    );
    // Calls go on with the next certificate.
    t.is((await nodes[0]!.studies()).length, 1);
    for (const node of nodes) await node.stop();
    const views = await bank.operator.enterprises();
    t.deepEqual(
      views.map(({ certificates }) => certificates.length),
      [2, 2, 2],
      "the old ones stay valid to their end",
    );
    const issued = (await entriesOf(bank)).filter((entry) => entry.type === "certificate.issued");
    for (const name of names) {
      const [first, next] = issued.filter(({ holder }) => holder === name);
      t.like(next, { role: "enterprise", replaces: first!.serial, serial: serialOf(kept.get(name)!) });
      t.is(first!.replaces, undefined);
    }
    t.true(allHold(await verifyExport(bank.operator.exportLog(), bank.logPolicy())));
  },
);

test.serial("a node that slept past its end is refused on both sides, with what it can do", async (t) => {
  const clock = laggingClock(390);
  const bank = await LocalBank.start({}, { clock });
  const bfv = await openBfv();
  t.teardown(async () => {
    await bfv.close();
    await bank.stop();
  });
  const mill = (await bank.enrolAll(["mill", "kiln"])).get("mill")!;
  const client = clientOf(bank, mill);
  t.teardown(() => client.close());
  await client.call(Health.service.Check, { protocolVersion });
  clock.catchUp(-10);
  const atBank = await refusalBy(client.call(Health.service.Check, { protocolVersion }));
  t.is(atBank.reason, "certificate_invalid", "also on a connection that began in time");
  t.regex(atBank.message, /expired on/);
  t.is((await refusalBy(renewalOf(client, mill))).reason, "certificate_invalid", "never renewed then");
  const manifest = studyOf(borrowerFeatures, [{ name: "range" }]);
  const atNode = await refusalBy(
    startNode({
      credentials: mill,
      coordinator: bank.coordinator.address,
      policy: () => policyFor(manifest),
      rows: async () => borrowers(),
      ledger: ":memory:",
      bfv,
      statistics: new DirectStatistics(secureRandom),
      random: secureRandom,
      now: clock.now,
    }),
  );
  t.is(atNode.reason, "certificate_invalid");
  t.regex(atNode.message, /this node's certificate expired on/);
  t.regex(atNode.hint, /ask the bank for a new enrolment token/);
});

test.serial(
  "renewal is refused early, too often, and for a revoked certificate in whatever order",
  async (t) => {
    const clock = laggingClock(300);
    const bank = await LocalBank.start({}, { clock });
    t.teardown(() => bank.stop());
    const all = await bank.enrolAll(["mill", "kiln", "loom"]);
    const [mill, kiln, loom] = ["mill", "kiln", "loom"].map((name) => all.get(name)!);
    const clients = [mill!, kiln!, loom!].map((keys) => clientOf(bank, keys));
    t.teardown(() => {
      for (const client of clients) client.close();
    });
    clock.catchUp(250);
    const early = await refusalBy(renewalOf(clients[0]!, mill!));
    t.is(early.reason, "rate_limited");
    clock.catchUp(0);
    // The first was at enrolment, long ago by the clock.
    for (let i = 0; i < 5; i++) await renewalOf(clients[0]!, mill!);
    t.is((await refusalBy(renewalOf(clients[0]!, mill!))).reason, "rate_limited", "the sixth in an hour");
    t.is(
      (await refusalBy(clients[1]!.call(Membership.service.RenewCertificate, { csrPem: "no" }))).reason,
      "message_malformed",
    );

    // Somebody else's certificate is not to be had: the name comes from the one that is shown.
    const own = await renewalOf(clients[1]!, kiln!);
    checkCertificate({ ...kiln!, certificate: own }, kiln!, clock.now());

    await bank.operator.revoke("kiln");
    t.is((await refusalBy(renewalOf(clients[1]!, kiln!))).reason, "certificate_invalid");
    const next = clientOf(bank, { ...kiln!, certificate: own });
    t.teardown(() => next.close());
    const revoked = await refusalBy(next.call(Studies.service.List, {}));
    t.is(revoked.reason, "certificate_invalid", "the next one went with it");
    t.regex(revoked.hint, /new enrolment token/);

    // Asked for at the moment of the revocation: one is before the other, and none is left.
    const asked = Array.from({ length: 4 }, () => renewalOf(clients[2]!, loom!).catch(() => ""));
    const [, ...given] = await Promise.all([bank.operator.revoke("loom"), ...asked]);
    const valid = (await bank.operator.enterprises()).find(({ enterprise }) => enterprise === "loom");
    t.deepEqual(valid?.certificates, []);
    for (const certificate of given.filter((pem) => pem !== "")) {
      const client = clientOf(bank, { ...loom!, certificate });
      t.is(
        (await refusalBy(client.call(Health.service.Check, { protocolVersion }))).reason,
        "certificate_invalid",
      );
      client.close();
    }
    t.true(allHold(await verifyExport(bank.operator.exportLog(), bank.logPolicy())));
  },
);

/** @returns when the certificate that a port shows ends, Unix milliseconds. */
const shownBy = (address: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(`https://${address}`);
    const socket = connect({
      host: hostname,
      port: Number(port),
      rejectUnauthorized: false,
      ALPNProtocols: ["h2"],
    });
    socket.once("error", reject).once("secureConnect", () => {
      resolve(Date.parse(socket.getPeerCertificate().valid_to));
      socket.destroy();
    });
  });

test.serial("the server's certificate is renewed while it runs, on both ports; streams go on", async (t) => {
  const clock = laggingClock(390);
  const bank = await LocalBank.start({}, { clock });
  t.teardown(() => bank.stop());
  const { address, enrolmentAddress } = bank.coordinator;
  const before = await shownBy(address);
  t.true(before < Date.now() + 8 * day, "the control: it ends in a week");
  const study = await bank.operator.propose(studyOf(borrowerFeatures, [{ name: "range" }]));
  const follow = bank.operator.follow(study);
  await follow.next();
  clock.catchUp(200);
  t.is(await shownBy(address), before, "not due yet");
  clock.catchUp(0);
  const renewed = async (): Promise<void> => {
    while ((await shownBy(address)) === before);
  };
  await within(() => "a new certificate", renewed());
  t.true((await shownBy(address)) > Date.now() + 390 * day);
  t.true((await shownBy(enrolmentAddress)) > Date.now() + 390 * day);
  const next = follow.next();
  await bank.operator.stop(study);
  t.is((await next).value?.phase, "stopped", "on the connection from before");
  await bank.enrol("mill");
});

test.serial(
  "a second operator has a certificate of their own; a removed one is out at once and for good",
  async (t) => {
    const { makeOperatorFolder } = await import("../../../coordinator/authority/keys.ts");
    const dir = join(bank.dir, "maria");
    const make = (id: string, to: string) =>
      makeOperatorFolder(bank.config, to, (csrPem) => bank.operator.addOperator(id, csrPem));
    t.is((await refusalBy(make("No Name", dir))).reason, "parameters_invalid");
    t.false(existsSync(join(dir, "operator.key")));
    await make("maria", dir);
    t.is((await refusalBy(make("maria", join(bank.dir, "again")))).reason, "already_exists");
    t.is((await refusalBy(make("petra", dir))).reason, "already_exists", "the folder is hers");
    const maria = await Operator.connect(readConfig(join(dir, "coordinator.yaml")), bank.coordinator.address);
    t.teardown(() => maria.close());
    const held = async () => (await bank.operator.operators()).map(({ operator }) => operator);
    t.deepEqual(await held(), ["maria", "operator"]);
    const study = await maria.propose(studyOf(borrowerFeatures, [{ name: "range" }]));
    const follow = maria.follow(study);
    await follow.next();
    t.is((await refusalBy(maria.removeOperator("maria"))).reason, "parameters_invalid");
    t.is((await refusalBy(bank.operator.removeOperator("petra"))).reason, "not_found");
    const cut = refusalBy(follow.next());
    t.is((await bank.operator.removeOperator("maria")).length, 1);
    t.is((await cut).reason, "certificate_invalid", "its stream ended");
    t.is((await refusalBy(maria.studies())).reason, "certificate_invalid");
    await bank.coordinator.stop();
    await bank.restart();
    t.is((await refusalBy(maria.studies())).reason, "certificate_invalid", "for good");
    t.deepEqual(await held(), ["operator"]);
    const kinds = (await entriesOf(bank)).filter(({ type }) => /certificate|operator/.test(type));
    t.deepEqual(
      kinds.map((entry) => [
        entry.type,
        "holder" in entry ? entry.holder : "operator" in entry && entry.operator,
      ]),
      [
        ["certificate.issued", "operator"],
        ["certificate.issued", "maria"],
        ["operator.removed", "maria"],
      ],
    );
  },
);

test.serial(
  "an operator's certificate renews itself with use, and beside the authority's key after its end",
  async (t) => {
    const { keys } = bank.config;
    const authority = await openAuthority(bank.config, secureRandom);
    const give = async (days: number): Promise<void> => {
      const pair = await authority.issueClient({ role: "operator", id: "operator" }, Date.now() - days * day);
      await writeFile(join(keys, "operator.pem"), pair.certificatePem);
      await writeFile(join(keys, "operator.key"), pair.privateKeyPem);
    };
    const connectOperator = async (): Promise<Operator> => {
      const operator = await Operator.connect(bank.config, bank.coordinator.address);
      t.teardown(() => operator.close());
      return operator;
    };
    await give(100);
    t.is(await (await connectOperator()).renewIfDue(Date.now()), undefined);
    await give(300);
    const old = await readFile(join(keys, "operator.pem"), "utf8");
    const operator = await connectOperator();
    t.true((await operator.renewIfDue(Date.now()))! > Date.now() + 390 * day);
    t.not(await readFile(join(keys, "operator.pem"), "utf8"), old);
    t.true((await operator.operators()).length > 0, "and goes on with it");
    await give(400);
    const ended = await refusalBy((await connectOperator()).studies());
    t.is(ended.reason, "certificate_invalid");
    t.regex(ended.hint, /fedcredit coordinator operator renew/);
    await recertifyOperator(bank.config, Date.now(), secureRandom);
    t.true((await (await connectOperator()).operators()).length > 0);
  },
);

test.serial(
  "the auditor's certificate renews itself with use; after its end the hint says how",
  async (t) => {
    const dir = await temporaryDirectory();
    t.teardown(() => rm(dir, { recursive: true }));
    await mkdir(dir, { recursive: true });
    await createAuditorKey(dir, "auditor", secureRandom);
    const authority = await openAuthority(bank.config, secureRandom);
    const give = async (days: number): Promise<void> => {
      const pair = await authority.issueClient({ role: "auditor", id: "auditor" }, Date.now() - days * day);
      await writeFile(join(dir, "auditor.pem"), `${pair.certificatePem}\n${authority.certificatePem}\n`);
      await writeFile(join(dir, "tls.key"), pair.privateKeyPem);
    };
    const flags = { dir, coordinator: bank.coordinator.address, bankKey: bank.bankKey };
    await give(300);
    const old = await readFile(join(dir, "auditor.pem"), "utf8");
    const auditor = await connectAuditor(flags);
    t.teardown(() => auditor.close());
    const next = await readFile(join(dir, "auditor.pem"), "utf8");
    t.not(next, old);
    t.true(endOf(next) > Date.now() + 390 * day);
    t.is((await refusalBy(auditor.pendingRoster())).reason, "not_found", "it speaks with it");
    await give(400);
    const ended = await refusalBy(connectAuditor(flags));
    t.is(ended.reason, "certificate_invalid");
    t.regex(ended.hint, /fedcredit audit request/);
  },
);
