import { X509Certificate } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { type TOTP, URI } from "otpauth";
import { auditCommand } from "../../../auditor/cli.ts";
import { connect, lookAt } from "../../../auditor/connection.ts";
import { eventually } from "../../../bench/cases/within.ts";
import type { NodeEvent } from "../../../client-node/events.ts";
import {
  type IdentityFiles,
  identityFiles,
  makeNextIdentity,
  readSecrets,
  secretFiles,
} from "../../../client-node/federation/credentials.ts";
import { DirectStatistics } from "../../../client-node/federation/statistics.ts";
import { EgressLedger } from "../../../client-node/ledger/egress.ts";
import { openStore } from "../../../client-node/ledger/store.ts";
import { type NodeOptions, openDesk, startNode } from "../../../client-node/node.ts";
import { openCodes, sealOldCodes } from "../../../coordinator/authority/code-secrets.ts";
import { openAuthority, openOperator } from "../../../coordinator/authority/keys.ts";
import { takeCode } from "../../../coordinator/authority/users.ts";
import { type Bank, systemClock } from "../../../coordinator/bank.ts";
import { Operator } from "../../../coordinator/operator.ts";
import { backUp, restore } from "../../../coordinator/restore.ts";
import { openDatabase } from "../../../coordinator/store/database.ts";
import { writeNewFiles } from "../../../core/files.ts";
import { secureRandom } from "../../../core/random.ts";
import { Refusal } from "../../../core/reasons.ts";
import { selectRows } from "../../../models/rows.ts";
import { followsAuthority } from "../../../privacy/certificate-life.ts";
import { generateIdentity, type Identity, publicIdentity } from "../../../privacy/identity.ts";
import { openCheckpoint } from "../../../privacy/log/checkpoint.ts";
import { cosignatureVerifier } from "../../../privacy/log/cosignature.ts";
import {
  knownSigner,
  noteSigner,
  parseNote,
  parseSignerKey,
  parseVerifierKey,
} from "../../../privacy/log/note.ts";
import { reconcile } from "../../../privacy/log/reconcile.ts";
import { type Check, verifyExport } from "../../../privacy/log/verify.ts";
import { openRoster, parseRoster } from "../../../privacy/roster.ts";
import { signSuccession, successionLine, successionsSince } from "../../../privacy/succession.ts";
import { openBfv } from "../../../privacy/sum/encryption/bfv.ts";
import { Membership } from "../../../proto/wire.ts";
import {
  consortiumName,
  LocalBank,
  policyFor,
  silent,
  temporaryDirectory,
} from "../../../simulate/consortium.ts";
import { borrowerFeatures, borrowers, scatter, studyOf } from "../../support/rows.ts";

const names = ["lathe", "mill", "truck"];
const table = borrowers();
const tables = scatter(table.rows, names.length, "rotation").map((rows) => {
  const mine = new Set(rows);
  return selectRows(table, (row) => mine.has(row));
});
const base = studyOf(borrowerFeatures, [{ name: "range" }]);
const failed = (checks: readonly Check[]) => checks.filter(({ ok }) => !ok);
const bankKeyIn = (note: string) => {
  const { successions = [] } = parseRoster(parseNote(note).text);
  return parseVerifierKey(successions.findLast(({ holder }) => holder === "bank")!.to);
};
const signerIds = (note: string): string[] => parseNote(note).signatures.map(({ keyId }) => keyId);

test("keys of bank, auditor and an enterprise change while studies go on; old entries verify, an old backup too", async (t) => {
  t.timeout(300_000);
  const bank = await LocalBank.start({ witnesses: { quorum: 1 } });
  t.teardown(() => bank.stop());
  const credentials = await bank.enrolAll(names);
  const bfv = await openBfv();
  t.teardown(() => bfv.close());
  const events: NodeEvent[] = [];
  const next: Identity = generateIdentity(`${consortiumName}/mill`, secureRandom);
  const millsKeys: Identity[] = [credentials.get("mill")!.identity, next];
  const identities: IdentityFiles = { read: () => millsKeys, adopt: (identity) => t.is(identity, next) };
  const optionsOf = (name: string): Omit<NodeOptions, "bfv" | "statistics"> => ({
    credentials: credentials.get(name)!,
    coordinator: bank.coordinator.address,
    policy: () => policyFor(base),
    rows: async () => tables[names.indexOf(name)]!,
    ledger: join(bank.dir, `${name}.db`),
    random: secureRandom,
    now: Date.now,
    ...(name === "mill" ? { identities } : {}),
    onEvent: (event) => void events.push(event),
  });
  const startOne = (name: string) =>
    startNode({ ...optionsOf(name), bfv, statistics: new DirectStatistics(secureRandom) });
  const nodes = await Promise.all(names.map(startOne));
  t.teardown(() => Promise.all(nodes.map((node) => node.stop())));
  const runStudy = async (name: string): Promise<string> => {
    const study = await bank.operator.propose({ ...base, name });
    for (const node of nodes) await node.consent(study);
    await bank.operator.start(study);
    let last = "";
    for await (const { phase, reason } of bank.operator.follow(study)) last = `${phase} ${reason}`.trim();
    return last;
  };
  let keys: NonNullable<Parameters<LocalBank["auditor"]>[0]> = {};
  const witness = () => {
    const auditor = bank.auditor(keys);
    return auditor.witness(undefined, Date.now()).finally(() => auditor.close());
  };
  const verified = async (): Promise<Check[]> => {
    await witness();
    return verifyExport(bank.operator.exportLog(), bank.logPolicy(1), { shown: [shownBefore] });
  };

  t.is(await runStudy("before"), "finished");
  const { note: shownBefore } = await witness();
  const file = join(bank.dir, "bank.fcbackup");
  await backUp(bank.operator, file);

  // The bank's: twice proposed, in force once signed, and killed at that moment.
  const abandoned = bankKeyIn(await bank.operator.rotateBankKey());
  const bankKey = bankKeyIn(await bank.operator.rotateBankKey());
  t.not(bankKey.key, abandoned.key);
  const signers = signerIds(await bank.operator.checkpoint());
  t.true(signers.includes(parseVerifierKey(bank.bankKey).keyId), "the old one is in force");
  t.false(signers.includes(bankKey.keyId));
  await bank.countersign();
  events.length = 0;
  await bank.coordinator.kill();
  await bank.restart();
  const isConnected = ({ type }: NodeEvent): boolean => type === "connected";
  await eventually(() => events.filter(isConnected).length >= names.length);
  keys = { bankKey };
  t.true(signerIds(await bank.operator.checkpoint()).includes(bankKey.keyId));
  const stale = bank.auditor();
  await t.throwsAsync(stale.witness(undefined, Date.now()), { instanceOf: Refusal });
  stale.close();
  t.is(await runStudy("after-bank"), "finished");
  t.deepEqual(failed(await verified()), []);

  // The auditor's.
  const old = knownSigner(...(Object.values(parseSignerKey(bank.auditorSigner)) as [string, Uint8Array]));
  const fresh = { name: old.name, seed: new Uint8Array(secureRandom.bytes(32)) };
  const freshSigner = knownSigner(fresh.name, fresh.seed);
  const line = successionLine(
    signSuccession(
      consortiumName,
      { holder: "auditor", from: old.verifier.key, to: freshSigner.verifier.key },
      old,
      freshSigner,
    ),
  );
  const proposing = bank.auditor(keys);
  await t.throwsAsync(proposing.proposeSuccession(line.replace("auditor", "bank")), { instanceOf: Refusal });
  await proposing.proposeSuccession(line);
  await t.throwsAsync(proposing.countersign((await proposing.pendingRoster()).note), {
    instanceOf: Refusal,
    message: /has not signed/,
  });
  proposing.close();
  await bank.countersign({ ...keys, key: fresh });
  const stillOld = bank.auditor(keys);
  await t.throwsAsync(stillOld.witness(undefined, Date.now()), { instanceOf: Refusal, message: /not by/ });
  stillOld.close();
  keys = { ...keys, key: fresh };
  t.is(await runStudy("after-auditor"), "finished");

  // An enterprise's, by itself.
  const desk = openDesk(optionsOf("mill"));
  const [before, { verifierKey: to, hpkeKey }] = [millsKeys[0]!, publicIdentity(next)];
  const propose = (holder: string) =>
    desk.transport.call(Membership.service.ProposeSuccession, {
      line: successionLine(
        signSuccession(
          consortiumName,
          { holder, from: publicIdentity(before).verifierKey, to, hpkeKey },
          noteSigner(before.name, before.signingSeed),
          noteSigner(next.name, next.signingSeed),
        ),
      ),
    });
  await t.throwsAsync(propose("truck"), { instanceOf: Refusal, message: /a key of truck/ });
  await propose("mill");
  desk.transport.close();
  desk.db.close();
  await bank.countersign(keys);
  events.length = 0;
  t.is(await runStudy("after-mill"), "finished");
  t.is(credentials.get("mill")!.identity, next, "the node went on with it");
  t.false(
    events.some(({ type }) => type === "refused"),
    JSON.stringify(events.filter(({ type }) => type === "refused")),
  );

  // Who joins later pins the keys of now, and can check what was signed before.
  names.push("kiln");
  tables.push(tables[0]!);
  credentials.set("kiln", await bank.enrol("kiln"));
  t.is(credentials.get("kiln")!.bankKey, bankKey.key);
  await bank.operator.admit();
  await bank.countersign(keys);
  nodes.push(await startOne("kiln"));
  t.is(await runStudy("with-kiln"), "finished");

  const checks = await verified();
  t.deepEqual(failed(checks), []);
  t.regex(
    checks.find(({ check }) => check === "keys that follow others, signed by both")!.detail,
    /^bank has a new key: .*; auditor has a new key: .*; mill has a new key: /,
  );
  await Promise.all(nodes.map((node) => node.stop()));
  const db = openStore(join(bank.dir, "mill.db"));
  const both = await reconcile(
    () => bank.operator.exportLog(),
    () => new EgressLedger(db, { identity: next }).export(),
    bank.logPolicy(1),
  );
  t.deepEqual(failed(both), []);
  db.close();

  // A backup of before: the bank's old key signs on until bank and auditor have said what is lost, keys included.
  const lost = await witness();
  const roster = await bank.operator.roster();
  await bank.coordinator.stop();
  await rm(bank.config.dataDir, { recursive: true });
  await rm(bank.config.blobs, { recursive: true });
  await restore(bank.config, file, silent);
  await bank.restart();
  t.deepEqual(signerIds(await bank.operator.checkpoint())[0], signerIds(shownBefore)[0]);
  await bank.operator.recover([lost.note], roster, 0);
  await bank.countersign(keys);
  t.true(signerIds(await bank.operator.checkpoint()).includes(bankKey.keyId));
  events.length = 0;
  nodes[1] = await startOne("mill");
  await eventually(() => events.some(({ type }) => type === "connected"));
});

/** What an auditor types while the bank's key and its own change. */
async function auditorsCommands(t: ExecutionContext, bank: LocalBank): Promise<void> {
  const dir = join(bank.dir, "auditor");
  await mkdir(dir);
  const authority = await openAuthority(bank.config, secureRandom);
  const pair = await authority.issueClient({ role: "auditor", id: "auditor" }, Date.now());
  await writeFile(join(dir, "auditor.key"), `${bank.auditorSigner}\n`);
  await writeFile(join(dir, "auditor.pem"), `${pair.certificatePem}\n${authority.certificatePem}\n`);
  await writeFile(join(dir, "tls.key"), pair.privateKeyPem);
  const flags = ["--dir", dir, "--coordinator", bank.coordinator.address, "--json"];
  const audit = (...words: string[]) => auditCommand().parseAsync([...words, ...flags], { from: "user" });
  const look = async () => {
    const client = await connect({ dir, coordinator: bank.coordinator.address });
    return lookAt(client, dir).finally(() => client.close());
  };
  await bank.operator.admit();
  await audit("countersign", "--yes", "--bank-key", bank.bankKey);
  await look();
  const before = await readFile(join(dir, "roster.note"), "utf8");

  const key = bankKeyIn(await bank.operator.rotateBankKey());
  await t.throwsAsync(audit("countersign", "--yes"), { instanceOf: Refusal, message: /--accept-key/ });
  await audit("countersign", "--yes", "--accept-key");
  t.true(signerIds((await look()).note).includes(key.keyId));
  // The answer to its signature was lost: the roster in force, which it signed, is what it goes by.
  await writeFile(join(dir, "roster.note"), before);
  t.true(signerIds((await look()).note).includes(key.keyId));
  t.not(await readFile(join(dir, "roster.note"), "utf8"), before);

  await audit("rotate-key");
  await audit("countersign", "--yes", "--accept-key");
  await bank.operator.createToken("late", "Late Ltd");
  await bank.enrol("late");
  const { note } = await look();
  const { auditor } = openRoster(
    await readFile(join(dir, "roster.note"), "utf8"),
    parseVerifierKey(bank.bankKey),
    parseVerifierKey(bank.config.auditor),
  );
  t.not(auditor.key, bank.config.auditor);
  const cosigned = openCheckpoint(note, key, [cosignatureVerifier(auditor.name, auditor.publicKey)]).cosigned;
  t.is(cosigned.length, 1, "by its next key");
  // A bank that shows another succession of the key that it gave up.
  const old = knownSigner(
    ...(Object.values(
      parseSignerKey((await readFile(join(bank.config.keys, "bank.key"), "utf8")).trim()),
    ) as [string, Uint8Array]),
  );
  const other = knownSigner(old.name, new Uint8Array(secureRandom.bytes(32)));
  const { successions = [], ...text } = parseRoster(
    parseNote(await readFile(join(dir, "roster.note"), "utf8")).text,
  );
  const forked = signSuccession(
    consortiumName,
    { holder: "bank", from: old.verifier.key, to: other.verifier.key },
    old,
    other,
  );
  const refusal = t.throws(() => successionsSince(successions, [forked]), { instanceOf: Refusal });
  t.true(refusal.message.includes(successionLine(forked)), text.consortium);
}

test("an operator's key and the authority's certificate change, whole or not at all", async (t) => {
  const bank = await LocalBank.start();
  t.teardown(() => bank.stop());
  const { keys } = bank.config;
  const before = await openOperator(bank.config);
  const { revoked } = await bank.operator.rotateKey();
  t.is(revoked.length, 1);
  t.not((await openOperator(bank.config)).privateKeyPem, before.privateKeyPem);
  await bank.operator.studies();
  const old = { ...bank.config, keys: join(bank.dir, "old") };
  await t.throwsAsync(
    async () => {
      await mkdir(old.keys);
      await writeFile(join(old.keys, "operator.pem"), before.certificatePem);
      await writeFile(join(old.keys, "operator.key"), before.privateKeyPem);
      await writeFile(join(old.keys, "ca.pem"), before.authorityPem);
      const operator = await Operator.connect(old, bank.coordinator.address);
      await operator.studies().finally(() => operator.close());
    },
    { instanceOf: Refusal, message: /revoked/ },
  );
  // Killed between certificate and key: the pair that belongs together is used.
  const now = await openOperator(bank.config);
  await writeFile(join(keys, "operator-next.key"), now.privateKeyPem);
  await writeFile(join(keys, "operator.key"), before.privateKeyPem);
  t.is((await openOperator(bank.config)).privateKeyPem, now.privateKeyPem);
  t.is(await readFile(join(keys, "operator.key"), "utf8"), now.privateKeyPem);

  const enrolled = await bank.enrol("mill");
  await auditorsCommands(t, bank);
  await bank.operator.renewAuthority();
  const pem = await readFile(join(keys, "ca.pem"), "utf8");
  t.true(followsAuthority(enrolled.ca, pem));
  t.false(followsAuthority(pem, enrolled.ca), "never back");
  // Killed before the file was written: the database knows which is in force.
  await bank.coordinator.kill();
  await writeFile(join(keys, "ca.pem"), enrolled.ca);
  await bank.restart();
  t.is(
    new X509Certificate(await readFile(join(keys, "ca.pem"))).serialNumber,
    new X509Certificate(pem).serialNumber,
  );
  t.true((await bank.enrol("kiln")).ca.length > 0, "under the next one");
  const desk = openDesk({
    credentials: enrolled,
    coordinator: bank.coordinator.address,
    policy: () => policyFor(base),
    rows: async () => tables[0]!,
    ledger: ":memory:",
    random: secureRandom,
    now: Date.now,
  });
  await desk.transport.checkHealth();
  desk.transport.close();
  const checks = await verifyExport(bank.operator.exportLog(), bank.logPolicy(0));
  t.deepEqual(failed(checks), []);
});

test("a dump of the database signs nobody in, and what an earlier version kept open is sealed", async (t) => {
  const bank = await LocalBank.start();
  t.teardown(() => bank.stop());
  const address = await bank.operator.addUser("maria", "operator", "a long enough password");
  const totp = URI.parse(address) as TOTP;
  await bank.coordinator.stop();
  const database = await openDatabase({ ...bank.config, log: silent });
  try {
    const clock = { ...systemClock, now: () => 1_800_000_000_000 };
    const at = { config: bank.config, database, random: secureRandom, log: silent, clock } as unknown as Bank;
    const code = (step: number) => totp.generate({ timestamp: clock.now() + step * 30_000 });
    const stored = async (): Promise<string> =>
      (await database.sql`SELECT totp_secret FROM console_user`)[0]!.totp_secret;
    const sealed = await stored();
    t.false(sealed.includes(totp.secret.base32));
    t.is(await takeCode(at, "maria", code(0)), "operator");
    // The thief has the dump, and a keys' folder of its own.
    const elsewhere = { ...at, config: { ...bank.config, keys: join(bank.dir, "thief") } } as Bank;
    await mkdir(elsewhere.config.keys);
    t.is(await takeCode(elsewhere, "maria", code(1)), undefined);
    await t.throwsAsync(openCodes(at, "nora", sealed), { instanceOf: Refusal, message: /of nora/ });
    t.is(await takeCode(at, "maria", code(1)), "operator", "the control");

    await database.transaction(
      (sql) => sql`UPDATE console_user SET totp_secret = ${totp.secret.base32}, totp_step = 0`,
    );
    t.is(await takeCode(at, "maria", code(0)), undefined, "open secrets are none");
    await sealOldCodes(at);
    t.regex(await stored(), /^aes-256-gcm /);
    t.is(await takeCode(at, "maria", code(0)), "operator");
    const again = await stored();
    await sealOldCodes(at);
    t.is(await stored(), again);
  } finally {
    await database.close();
  }
  await bank.restart();
});

test("an identity that waits is made once, and put in force by a rename", async (t) => {
  const dir = await temporaryDirectory();
  t.teardown(() => rm(dir, { recursive: true }));
  const identity = generateIdentity("riverbank/mill", secureRandom);
  writeNewFiles(secretFiles(dir, { tlsKey: "none", identity }));
  const waiting = identityFiles(dir);
  t.deepEqual(waiting.read(), [identity]);
  const next = makeNextIdentity(dir, identity.name, secureRandom);
  t.deepEqual(makeNextIdentity(dir, identity.name, secureRandom), next);
  waiting.adopt(identity);
  t.deepEqual(waiting.read(), [identity, next], "the one of now stays until the other is in force");
  waiting.adopt(next);
  t.deepEqual(waiting.read(), [next]);
  t.deepEqual(readSecrets(dir).identity, next);
  waiting.adopt(next);
});
