import { EventEmitter } from "node:events";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Logger } from "pino";
import { reachableAddress, splitAddress } from "../core/address.ts";
import { startMonitor } from "../core/monitor.ts";
import type { Random } from "../core/random.ts";
import { readYaml } from "../core/yaml.ts";
import { endOf, isRenewalDue } from "../privacy/certificate-life.ts";
import { parseEntry } from "../privacy/log/entry.ts";
import { parseVerifierKey } from "../privacy/log/note.ts";
import { openBfv } from "../privacy/sum/encryption/bfv.ts";
import { coordinatorName } from "../proto/wire.ts";
import { adoptAuthority, renewAuthorityIfDue } from "./authority/authority-life.ts";
import type { KeyPair } from "./authority/ca.ts";
import { adoptOperator } from "./authority/certificates.ts";
import { sealOldCodes } from "./authority/code-secrets.ts";
import { openAuthority, openBankKeys } from "./authority/keys.ts";
import { currentRoster } from "./authority/membership.ts";
import { loadRestored } from "./authority/recovery.ts";
import { loadRevoked } from "./authority/revocation.ts";
import type { Bank, BankEvents, Clock, CrashPoint } from "./bank.ts";
import { casePolicySchema } from "./cases/policy.ts";
import type { ConsoleConfig, CoordinatorConfig } from "./config.ts";
import type { ConsoleParts, RunningConsole } from "./console/console.ts";
import { Participants } from "./rounds/participants.ts";
import { SharedChunks } from "./rounds/shared-chunks.ts";
import { UploadAllowance } from "./rounds/upload-allowance.ts";
import { addGauges, troublesOf } from "./service/gauges.ts";
import { HourlyLimit } from "./service/hourly-limit.ts";
import { newMeters } from "./service/meters.ts";
import { quotas } from "./service/quotas.ts";
import { registerEnrolment, registerServices } from "./service/server.ts";
import { type Listening, listen } from "./service/transport.ts";
import { BlobStore } from "./store/blobs.ts";
import { type Database, openDatabase } from "./store/database.ts";
import { LogStore } from "./store/log.ts";
import { pruneDaily, removeOldBlobs } from "./studies/retention.ts";
import { logApprovalRule } from "./studies/standing.ts";
import { StudyDriver } from "./studies/study-driver.ts";

export interface CoordinatorOptions {
  readonly config: CoordinatorConfig;
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: Random;
  /** Called where a test may stop the process for good: a promise that never settles does. */
  readonly onCrashPoint?: (point: CrashPoint) => void | Promise<void>;
}

export interface RunningCoordinator {
  /** host:port for enterprises, operator and auditor. */
  readonly address: string;
  /** host:port for enrolment. */
  readonly enrolmentAddress: string;
  /** Of /health and /metrics, where the configuration has `monitor`. */
  readonly monitorPort?: number;
  /** Of the console, where the configuration has one. */
  readonly consoleUrl?: string;
  /** Settles when the coordinator ended; rejects with the defect that ended it. */
  readonly finished: Promise<void>;
  /** Leaves the attempts under way, to be taken up or given up at the next start; closes database and threads. */
  stop(): Promise<void>;
  /** Leaves everything as it is at this moment, as kill -9 would: nothing is finished, nobody is told. */
  kill(): Promise<void>;
}

const drainMillis = 5000;

/**
 * Runs a coordinator in this process.
 * @throws Refusal port_taken, database_unavailable, database_version, disk_full, file_missing, config_invalid,
 *   log_forked when the stored log is not the one that was signed
 */
export async function startCoordinator(options: CoordinatorOptions): Promise<RunningCoordinator> {
  const { config, log, clock, random, onCrashPoint = () => {} } = options;
  const [authority, bankKeys] = await Promise.all([openAuthority(config, random), openBankKeys(config)]);
  const casePolicy =
    config.cases === undefined ? casePolicySchema.parse({}) : readYaml(config.cases, casePolicySchema);
  const cleanUp: (() => Promise<unknown>)[] = [];
  const undo = async (): Promise<void> => {
    for (const step of cleanUp.splice(0).reverse()) await step();
  };
  try {
    const database = await openDatabase({ ...config, log });
    cleanUp.push(() => database.close());
    const blobs = {
      // What is uploaded becomes durable with the survivor list it is on: before it, the attempt is given up.
      uploads: await BlobStore.open(join(config.blobs, "uploads"), { durable: false }),
      published: await BlobStore.open(join(config.blobs, "published")),
    };
    await removeOldBlobs({ blobs, clock, database });
    const privacyLog = new LogStore(database, bankKeys, () => clock.now());
    await privacyLog.verify();
    const events = new EventEmitter<BankEvents>().setMaxListeners(0);
    const closing = new AbortController();
    const bank: Bank = {
      config,
      clock,
      random,
      log,
      database,
      privacyLog,
      blobs,
      shared: new SharedChunks(),
      allowance: new UploadAllowance(),
      consents: new HourlyLimit(quotas.consentsPerHour, () => clock.now()),
      statements: new HourlyLimit(quotas.statementsPerHour, () => clock.now()),
      casePolicy,
      warningReports: new HourlyLimit(quotas.warningReportsPerHour, () => clock.now()),
      successions: new HourlyLimit(quotas.successionsPerHour, () => clock.now()),
      revoked: new Set(),
      restored: { isAwaited: false },
      exports: new Set(),
      meters: newMeters(),
      waiting: new Map(),
      authority,
      bankKeys,
      firstKeys: (await firstKeys(database)) ?? {
        bank: bankKeys[0].verifier,
        auditor: parseVerifierKey(config.auditor),
      },
      events,
      closing: closing.signal,
      crashPoint: onCrashPoint,
    };
    await createConsortium(bank);
    await logApprovalRule(bank);
    await sealOldCodes(bank);
    await adoptAuthority(bank);
    await renewAuthorityIfDue(bank);
    await adoptOperator(bank);
    await loadRevoked(bank);
    await loadRestored(bank);
    await currentRoster(bank);
    const bfv = await openBfv();
    cleanUp.push(() => bfv.close());
    const participants = new Participants(bank);
    const driver = new StudyDriver(bank, participants, bfv);
    await driver.load();
    let draining = false;
    const { main, enrolment, consoleUrl } = await openPorts(bank, participants, () => draining, cleanUp);
    cleanUp.push(pruneDaily(bank));
    addGauges(bank, participants);
    const monitor =
      config.monitor &&
      (await startMonitor(config.monitor, bank.meters.registry, () => troublesOf(bank, () => draining)));
    if (monitor) cleanUp.push(() => monitor.close());
    const finished = Promise.race([driver.run(), database.taken]);
    // Read through `finished`; until someone does it is no unhandled rejection.
    finished.catch((error: unknown) => log.fatal({ err: error }, "the coordinator ended"));
    log.info(
      { listen: main.port, enrolment: enrolment.port, consortium: config.consortium },
      "coordinator runs",
    );
    return {
      address: reachableAddress(main),
      enrolmentAddress: reachableAddress(enrolment),
      ...(consoleUrl === undefined ? {} : { consoleUrl }),
      ...(monitor === undefined ? {} : { monitorPort: monitor.port }),
      finished,
      stop: async () => {
        draining = true;
        driver.stop();
        await finished.catch(() => {});
        closing.abort();
        participants.close();
        await undo();
      },
      kill: async () => {
        // Node aborts where a session is destroyed while it reads: whoever asks may have been called from there.
        await nextTurn();
        for (const port of [main, enrolment]) port.kill();
        driver.stop();
        await undo();
      },
    };
  } catch (error) {
    await undo();
    throw error;
  }
}

async function openPorts(
  bank: Bank,
  participants: Participants,
  isDraining: () => boolean,
  cleanUp: (() => Promise<unknown>)[],
): Promise<{ main: Listening; enrolment: Listening; consoleUrl?: string }> {
  const { authority, config } = bank;
  const [address, enrolmentAddress] = [splitAddress(config.listen), splitAddress(config.enrolment)];
  const issue = (): Promise<KeyPair> =>
    authority.issueServer([coordinatorName, ...(config.console?.names ?? [])], bank.clock.now());
  const tls = { server: await issue(), authorityPem: authority.certificatePem };
  const main = await listen(address, { ...tls, clientCertificates: true }, bank.clock, (server, hangUp) =>
    registerServices(server, bank, participants, isDraining, hangUp),
  );
  cleanUp.push(() => main.close(drainMillis));
  const enrolment = await listen(
    enrolmentAddress,
    { ...tls, clientCertificates: false },
    bank.clock,
    (server, hangUp) => registerEnrolment(server, bank, hangUp),
  );
  cleanUp.push(() => enrolment.close(drainMillis));
  const pages =
    config.console && (await openConsole(config.console, { bank, participants, isDraining }, tls));
  if (pages) cleanUp.push(() => pages.close());
  const ports = [main, enrolment, ...(pages ? [pages] : [])];
  const callOff = keepCertified(bank, tls.server, issue, ports);
  cleanUp.push(async () => callOff());
  return { main, enrolment, ...(pages ? { consoleUrl: pages.url } : {}) };
}

/** Pages and charts are loaded where somebody looks at them. */
async function openConsole(
  config: ConsoleConfig,
  parts: ConsoleParts,
  { server: pair, authorityPem }: { readonly server: KeyPair; readonly authorityPem: string },
): Promise<RunningConsole> {
  const { startConsole } = await import("./console/console.ts");
  return startConsole(config, parts, { pair, authorityPem });
}

const daySeconds = 86_400;

/** Looks every day whether the certificates of server and authority are to be renewed. @returns what ends that. */
function keepCertified(
  bank: Bank,
  first: KeyPair,
  issue: () => Promise<KeyPair>,
  ports: readonly Pick<Listening, "useCertificate">[],
): () => void {
  const { authority, clock, events, log } = bank;
  let inUse = first;
  let callOff = (): void => {};
  const renew = async (): Promise<void> => {
    inUse = await issue();
    for (const port of ports) port.useCertificate(inUse, authority.certificatePem);
    log.info({ expires: new Date(endOf(inUse.certificatePem)) }, "the server's certificate was renewed");
  };
  const tell = (error: unknown): void =>
    log.error({ err: error }, "the server's certificate was not renewed");
  const onAuthority = (): void => void renew().catch(tell);
  const look = async (): Promise<void> => {
    await renewAuthorityIfDue(bank);
    if (isRenewalDue(inUse.certificatePem, clock.now())) await renew();
  };
  const wait = (): void => {
    callOff = clock.after(daySeconds, () => {
      look().catch(tell);
      wait();
    });
  };
  events.on("authority", onAuthority);
  wait();
  return () => {
    events.off("authority", onAuthority);
    callOff();
  };
}

/** @returns the keys that the log began with; undefined where it is empty. */
async function firstKeys({ sql }: Database): Promise<Bank["firstKeys"] | undefined> {
  const [row] = await sql`SELECT entry FROM log_entry WHERE index = 0`;
  if (row === undefined) return undefined;
  const entry = parseEntry(row.entry as Uint8Array);
  if (entry.type !== "consortium.created") return undefined;
  return { bank: parseVerifierKey(entry.bank), auditor: parseVerifierKey(entry.auditor) };
}

/** The log's first entry names the keys that everything after it is checked with. */
async function createConsortium(bank: Bank): Promise<void> {
  const { config, firstKeys } = bank;
  await bank.database.transaction(async (sql) => {
    const [entry] = await sql`SELECT index FROM log_entry LIMIT 1`;
    if (entry !== undefined) return;
    await bank.privacyLog.append(sql, [
      {
        type: "consortium.created",
        consortium: config.consortium,
        bank: firstKeys.bank.key,
        auditor: firstKeys.auditor.key,
      },
    ]);
  });
}
