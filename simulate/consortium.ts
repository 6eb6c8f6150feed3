/** A bank, an auditor and enterprises in one process, over real mutual TLS on loopback. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { AuditorClient, type AuditorKeys } from "../auditor/client.ts";
import type { NodeCredentials } from "../client-node/federation/credentials.ts";
import { createSecrets, enrol } from "../client-node/federation/enrol.ts";
import { DirectStatistics } from "../client-node/federation/statistics.ts";
import { type NodeOptions, type RunningNode, startNode } from "../client-node/node.ts";
import type { Policy } from "../client-node/policy.ts";
import { scoreOf } from "../client-node/rows/own-score.ts";
import type { Authority, KeyPair } from "../coordinator/authority/ca.ts";
import { initCoordinator, openAuthority } from "../coordinator/authority/keys.ts";
import { systemClock } from "../coordinator/bank.ts";
import type { CoordinatorConfig } from "../coordinator/config.ts";
import { readConfig } from "../coordinator/config.ts";
import {
  type CoordinatorOptions,
  type RunningCoordinator,
  startCoordinator,
} from "../coordinator/coordinator.ts";
import { Operator } from "../coordinator/operator.ts";
import { secureRandom } from "../core/random.ts";
import { columnsRead, type StudyManifest } from "../models/study.ts";
import type { Table } from "../models/table.ts";
import { cosignatureVerifier } from "../privacy/log/cosignature.ts";
import { newSignerKey, parseSignerKey, parseVerifierKey } from "../privacy/log/note.ts";
import { formatPolicy, type LogPolicy, parsePolicy } from "../privacy/log/policy.ts";
import type { Bfv } from "../privacy/sum/encryption/bfv.ts";

export const silent = pino({ level: process.env.LOG_LEVEL ?? "silent" });

export const consortiumName = "riverbank";

export const temporaryDirectory = (): Promise<string> => mkdtemp(join(tmpdir(), "fedcredit-"));

const removeDirectory = (dir: string): Promise<void> => rm(dir, { recursive: true, force: true });

const onThisMachine = { log: silent, clock: systemClock, random: secureRandom };

export class LocalBank {
  readonly dir: string;
  readonly config: CoordinatorConfig;
  readonly bankKey: string;
  readonly auditorSigner: string;
  coordinator: RunningCoordinator;
  operator: Operator;
  readonly #authority: Authority;
  readonly #auditorTls: KeyPair;

  private constructor(
    made: Pick<LocalBank, "dir" | "config" | "bankKey" | "auditorSigner" | "coordinator" | "operator">,
    authority: Authority,
    auditorTls: KeyPair,
  ) {
    this.dir = made.dir;
    this.config = made.config;
    this.bankKey = made.bankKey;
    this.auditorSigner = made.auditorSigner;
    this.coordinator = made.coordinator;
    this.operator = made.operator;
    this.#authority = authority;
    this.#auditorTls = auditorTls;
  }

  /** @param overrides - of the config; by default everything is local, ports are free ones. */
  static async start(
    overrides: Partial<CoordinatorConfig> = {},
    options: Partial<CoordinatorOptions> = {},
  ): Promise<LocalBank> {
    await using undo = new AsyncDisposableStack();
    const dir = undo.adopt(await temporaryDirectory(), removeDirectory);
    const { keep: auditorSigner, send: auditor } = newSignerKey("auditor", secureRandom);
    const { configFile, bankKey } = await initCoordinator({
      dir,
      consortium: consortiumName,
      auditor,
      quorum: 0,
      listen: "127.0.0.1:0",
      enrolment: "127.0.0.1:0",
      database: "embedded",
      now: Date.now(),
      random: secureRandom,
    });
    const config = { ...readConfig(configFile), ...overrides };
    const authority = await openAuthority(config, secureRandom);
    const auditorTls = await authority.issueClient({ role: "auditor", id: "auditor" }, Date.now());
    const coordinator = await startCoordinator({ ...onThisMachine, config, ...options });
    const operator = await Operator.connect(config, coordinator.address);
    undo.move();
    return new LocalBank(
      { dir, config, bankKey, auditorSigner, coordinator, operator },
      authority,
      auditorTls,
    );
  }

  /** @param keys - those in force, where others followed the first. */
  auditor(keys: Partial<AuditorKeys> = {}): AuditorClient {
    return new AuditorClient({
      address: this.coordinator.address,
      certificatePem: this.#auditorTls.certificatePem,
      privateKeyPem: this.#auditorTls.privateKeyPem,
      authorityPem: this.#authority.certificatePem,
      key: parseSignerKey(this.auditorSigner),
      bankKey: parseVerifierKey(this.bankKey),
      ...keys,
    });
  }

  /** What an auditor's policy file says. */
  logPolicy(quorum = 0): LogPolicy {
    const { name, publicKey } = parseVerifierKey(this.config.auditor);
    return parsePolicy(
      formatPolicy(parseVerifierKey(this.bankKey), [cosignatureVerifier(name, publicKey)], quorum),
    );
  }

  /** Enrols enterprises, one organisation each, and has bank and auditor admit them. */
  async enrolAll(names: readonly string[]): Promise<Map<string, NodeCredentials>> {
    const credentials = new Map<string, NodeCredentials>();
    for (const enterprise of names) credentials.set(enterprise, await this.enrol(enterprise));
    await this.operator.admit();
    await this.countersign();
    return credentials;
  }

  async enrol(enterprise: string): Promise<NodeCredentials> {
    const token = await this.operator.createToken(enterprise, `${enterprise} Ltd`);
    const secrets = await createSecrets(consortiumName, enterprise, secureRandom);
    const address = this.coordinator.enrolmentAddress;
    const pins = await enrol({
      consortium: consortiumName,
      enterprise,
      address,
      token,
      secrets,
      now: Date.now(),
      // These nodes begin their ledgers when they start.
      beforeSend() {},
    });
    return { ...secrets, ...pins };
  }

  /** @param keys - those in force, where others followed the first. */
  async countersign(keys: Partial<AuditorKeys> = {}): Promise<void> {
    const auditor = this.auditor(keys);
    try {
      await auditor.countersign((await auditor.pendingRoster()).note);
    } finally {
      auditor.close();
    }
  }

  /** Starts the coordinator again over what the last one left, at the same addresses. */
  async restart(options: Partial<CoordinatorOptions> = {}): Promise<void> {
    const config = {
      ...this.config,
      listen: this.coordinator.address,
      enrolment: this.coordinator.enrolmentAddress,
    };
    this.coordinator = await startCoordinator({ ...onThisMachine, config, ...options });
    this.operator.close();
    this.operator = await Operator.connect(config, this.coordinator.address);
  }

  async stop(): Promise<void> {
    this.operator.close();
    await this.coordinator.stop();
    await removeDirectory(this.dir);
  }
}

/** A policy that allows what a manifest asks for. */
export const policyFor = (manifest: StudyManifest): Policy => ({
  minCohort: 2,
  minRows: 2,
  exactSums: { perTable: 100_000, cohortChange: "accept" },
  allow: { algorithms: manifest.algorithms.map(({ name }) => name), purposes: [manifest.purpose] },
  unprotected: manifest.unprotected,
  maxEpsilon: { lifetime: 1e6, delta: manifest.privacy.noise?.delta ?? 1e-6 },
  scores: { send: "ask" },
  consentDays: 1,
  fields: [
    ...new Set([...columnsRead(manifest), ...(manifest.subject === undefined ? [] : [manifest.subject])]),
  ].map((name) => ({ name, class: "operational", level: "C1", operator: "keep" })),
});

/**
 * @param bank - or the address by which it is reached.
 * @internal for tests over real sockets
 */
export const startEnterprise = (
  bank: LocalBank | string,
  credentials: NodeCredentials,
  manifest: StudyManifest,
  rows: Table,
  bfv: Bfv,
  onEvent: NonNullable<NodeOptions["onEvent"]> = () => {},
): Promise<RunningNode> =>
  startNode({
    credentials,
    coordinator: typeof bank === "string" ? bank : bank.coordinator.address,
    policy: () => policyFor(manifest),
    rows: async () => rows,
    ownScore: async (model) => scoreOf(model, rows, 0),
    ledger: ":memory:",
    bfv,
    statistics: new DirectStatistics(secureRandom),
    random: secureRandom,
    now: Date.now,
    onEvent,
  });
