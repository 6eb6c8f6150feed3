/** What the benches that kill processes share: a consortium of processes, and a look at how its studies go on. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { stringify } from "yaml";
import { readConfig } from "../../coordinator/config.ts";
import { Operator, type StudyView } from "../../coordinator/operator.ts";
import type { Digest } from "../../core/canonical.ts";
import type { Random } from "../../core/random.ts";
import { Refusal, reasons } from "../../core/reasons.ts";
import { freePorts, run, Service } from "../../demo/processes.ts";
import { runPlain } from "../../models/plain.ts";
import type { StudyManifest } from "../../models/study.ts";
import type { Table } from "../../models/table.ts";
import { policyFor } from "../../simulate/consortium.ts";
import { type Figure, noted } from "../bench.ts";
import { consortiumName, csvOf, manifestOf, tableOf } from "./mills.ts";
import { sumsOf, whys } from "./sums.ts";

const restartMillis = 100;
const pollMillis = 100;
const tellingMillis = 60_000;

export const counted = (name: string, value: number): Figure => noted(name, value, "");
export const held = (name: string, holds: boolean): Figure => ({
  name,
  value: holds ? "yes" : "NO",
  unit: "",
  target: "yes",
  holds,
});

/** How long each step took. */
export class Watch {
  /** Seconds. */
  readonly steps: number[] = [];
  /** Of each step, what came after the last kill in it. */
  readonly undisturbed: number[] = [];
  /** What the study waits for, as it says itself. */
  waits = "";
  #round = 0;
  #since = 0;
  #killed = 0;

  begin(): void {
    this.#round = 1;
    this.#since = performance.now();
  }

  at(round: number): void {
    if (round <= this.#round) return;
    this.#round = round;
    this.#step();
  }

  killed(): void {
    this.#killed = performance.now();
  }

  end(): void {
    this.#step();
  }

  #step(): void {
    const now = performance.now();
    this.steps.push((now - this.#since) / 1000);
    this.undisturbed.push((now - Math.max(this.#since, this.#killed)) / 1000);
    this.#since = now;
  }
}

export const nameOf = (party: number): string => `mill-${party + 1}`;

export interface ConsortiumOptions {
  /** A folder for everything. */
  readonly home: string;
  readonly random: Random;
  readonly parties: number;
  /** How many logistic regressions a study has, after range and summary. */
  readonly models: number;
  /** Seconds a step may take. */
  readonly stepSeconds: number;
  /** "embedded" or postgres://… */
  readonly database: string;
}

/** Coordinator and nodes as processes of their own, started again as a supervisor would. */
export class Consortium implements AsyncDisposable {
  readonly configFile: string;
  /** Processes that ended by themselves: each with what it said. */
  readonly ended: string[] = [];
  readonly #options: ConsortiumOptions;
  readonly #home: string;
  readonly #address: string;
  readonly #identity: readonly string[];
  readonly #tables: readonly Table[];
  readonly #nodes = new Map<number, Service>();
  readonly #removed = new Set<number>();
  #coordinator: Service | undefined;
  #stopped = false;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(
    options: ConsortiumOptions,
    configFile: string,
    address: string,
    identity: readonly string[],
    tables: readonly Table[],
  ) {
    this.#options = options;
    this.#home = options.home;
    this.configFile = configFile;
    this.#address = address;
    this.#identity = identity;
    this.#tables = tables;
  }

  static async found(options: ConsortiumOptions): Promise<Consortium> {
    const { home, random, parties, database } = options;
    const at = (...parts: string[]) => join(home, ...parts);
    const [port, enrolment] = (await freePorts(2)).map((free) => `127.0.0.1:${free}`) as [string, string];
    const auditor = JSON.parse(await run("audit", "init", "--out", at("auditor"), "--json"));
    const { configFile, bankKey } = JSON.parse(
      await run(
        ...["coordinator", "init", "--dir", at("bank"), "--consortium", consortiumName],
        ...["--quorum", "1", "--auditor-key", auditor.verifierKey, "--database", database],
        ...["--listen", port, "--enrolment", enrolment, "--json"],
      ),
    );
    const tables = Array.from({ length: parties }, () => tableOf(random));
    const identity = ["--dir", at("auditor"), "--bank-key", bankKey];
    const made = new Consortium(options, configFile, port, identity, tables);
    await made.#startCoordinator();
    const request = (await run("audit", "request", "--dir", at("auditor"))).trim();
    const certificate = at("auditor", "auditor.pem");
    await made.operate("certify-auditor", request, "--out", certificate);
    for (const [party, table] of tables.entries()) {
      const dir = at(nameOf(party));
      await writeFile(at(`${nameOf(party)}.csv`), csvOf(table));
      await run(
        ...["node", "init", "--dir", dir, "--enterprise", nameOf(party), "--consortium", consortiumName],
        ...["--coordinator", port, "--enrolment", enrolment, "--rows", at(`${nameOf(party)}.csv`)],
      );
      await writeFile(join(dir, "policy.yaml"), stringify(policyFor(made.#manifest(1))));
      const token = await made.operate("token", nameOf(party), "--organisation", `${nameOf(party)} Ltd`);
      await run("node", "enrol", "--dir", dir, "--token", token.trim());
    }
    await made.operate("admit");
    await run("audit", "countersign", ...identity, "--coordinator", port, "--yes");
    for (let party = 0; party < parties; party++) made.#startNode(party);
    return made;
  }

  /** Those that are members. */
  get parties(): number[] {
    return this.#tables.map((_, party) => party).filter((party) => !this.#removed.has(party));
  }

  #manifest(number: number): StudyManifest {
    return manifestOf(number, this.#options.models, this.#options.stepSeconds);
  }

  operate(command: string, ...args: string[]): Promise<string> {
    return run("coordinator", command, ...args, "--config", this.configFile);
  }

  /** Proposes a study that everybody consents to, and starts it: whatever is dead meanwhile is waited for. */
  async begin(number: number): Promise<Digest> {
    const file = join(this.#home, `study-${number}.yaml`);
    const manifest = this.#manifest(number);
    await writeFile(file, stringify(manifest));
    await untilDone(() => this.operate("propose", file));
    return this.#agree(manifest.name);
  }

  /** All members consent, and the study starts. */
  async #agree(name: string): Promise<Digest> {
    for (const party of this.parties)
      await untilDone(() => run("node", "consent", name, "--dir", join(this.#home, nameOf(party)))).catch(
        (error: unknown) => {
          // Removed just now.
          if (!this.#removed.has(party)) throw error;
        },
      );
    return untilDone(async () => {
      const operator = await this.#operator();
      try {
        const { study } = await operator.find(name);
        await operator.start(study);
        return study;
      } finally {
        operator.close();
      }
    });
  }

  /** Looks at the study until it has ended, whoever is dead meanwhile. @returns how it did */
  async follow(study: Digest, watch: Watch): Promise<string> {
    watch.begin();
    const end = await this.endOf(study, ({ round, detail }) => {
      watch.at(round);
      watch.waits = detail;
    });
    watch.end();
    return end;
  }

  /** @returns how a study ended, "finished" or why not, once it has. */
  async endOf(study: Digest, look: (view: StudyView) => void = () => {}): Promise<string> {
    let operator: Operator | undefined;
    try {
      for (;;) {
        try {
          operator ??= await this.#operator();
          const view = await operator.study(study);
          look(view);
          const { phase, reason, detail } = view;
          // The backup that was restored is from before its consents.
          if (phase === "proposed") await this.#agree(view.name);
          else if (phase !== "running") return `${phase} ${reason} ${detail}`.trim();
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
          operator?.close();
          operator = undefined;
          // It was proposed after the backup that was restored.
          if (error.reason === "not_found") return `lost with the log: ${error.message}`;
        }
        await sleep(pollMillis);
      }
    } finally {
      operator?.close();
    }
  }

  async killCoordinator(): Promise<void> {
    const service = this.#coordinator;
    this.#coordinator = undefined;
    await service?.end("SIGKILL");
    await sleep(restartMillis);
    void this.#startCoordinator();
  }

  /** The bank takes a member out, and the auditor agrees. */
  async remove(party: number): Promise<void> {
    this.#removed.add(party);
    await untilDone(() =>
      this.operate("enterprise", "remove", nameOf(party), "--reason", "left the programme"),
    );
    await untilDone(() =>
      run("audit", "countersign", ...this.#identity, "--coordinator", this.#address, "--yes"),
    );
  }

  /**
   * Starts a second coordinator with the same configuration.
   * @returns what it said when it ended; undefined where it runs, and was ended.
   */
  async startAnother(): Promise<string | undefined> {
    const runs = Promise.withResolvers<undefined>();
    const second = new Service(
      "second coordinator",
      ["coordinator", "start", "--config", this.configFile, "--log-level", "error"],
      () => runs.resolve(undefined),
    );
    const refused = second.failed().catch((error: Error) => error.message);
    const said = await Promise.race([refused, runs.promise]);
    await second.end("SIGKILL");
    return said;
  }

  /** Every kind of certificate is made anew, and taken into use: an operator's, the auditor's, a node's. */
  async renewCertificates(party: number): Promise<void> {
    await run("coordinator", "operator", "renew", "--config", this.configFile);
    const dir = join(this.#home, "auditor");
    const request = (await run("audit", "request", "--dir", dir)).trim();
    await this.operate("certify-auditor", request, "--out", join(dir, "auditor.pem"));
    await untilDone(async () => {
      const token = await this.operate("token", nameOf(party), "--organisation", `${nameOf(party)} Ltd`);
      await run("node", "enrol", "--dir", join(this.#home, nameOf(party)), "--token", token.trim());
    });
    await this.killNode(party);
  }

  /** Backs the running coordinator up. */
  async backUp(file: string): Promise<void> {
    await untilDone(() => this.operate("backup", "--out", file));
  }

  /**
   * The coordinator's machine is lost: another one is filled from a backup.
   * @param empty - makes the database empty. @returns what bank and auditor had to sign as lost.
   */
  restoreFrom(file: string, empty: () => Promise<void>): Promise<string> {
    return this.#alone(() => this.#restored(file, empty));
  }

  async #restored(file: string, empty: () => Promise<void>): Promise<string> {
    await untilDone(() => this.#look());
    const service = this.#coordinator;
    this.#coordinator = undefined;
    await service?.end("SIGKILL");
    await empty();
    await untilDone(() => this.operate("restore", file));
    void this.#startCoordinator();
    const consistent = await untilDone(() => this.#look()).then(
      () => true,
      (error: unknown) => {
        if (error instanceof Refusal && error.reason === "log_forked") return false;
        throw error;
      },
    );
    if (consistent) return "nothing was lost";
    const [seen, roster] = ["seen.note", "roster.note"].map((name) => join(this.#home, "auditor", name));
    const shown: string[] = [];
    for (const party of this.parties) {
      const note = join(this.#home, `${nameOf(party)}.note`);
      const said = await run("node", "checkpoint", "--dir", join(this.#home, nameOf(party))).catch(() => "");
      if (said === "") continue;
      await writeFile(note, said);
      shown.push(note);
    }
    await untilDone(() => this.operate("recover", "--checkpoint", seen!, ...shown, "--roster", roster!));
    await untilDone(() =>
      run(
        ...["audit", "countersign", ...this.#identity, "--coordinator", this.#address],
        ...["--yes", "--accept-loss"],
      ),
    );
    await untilDone(() => this.#look());
    return "bank and auditor signed what was lost";
  }

  #look(): Promise<string> {
    return run("audit", "watch", "--once", ...this.#identity, "--coordinator", this.#address);
  }

  async killNode(party: number): Promise<void> {
    const service = this.#nodes.get(party);
    this.#nodes.delete(party);
    await service?.end("SIGKILL");
    await sleep(restartMillis);
    this.#startNode(party);
  }

  /** @returns whether the bank's log verifies as it is now, and every node's ledger agrees with it; no study runs. */
  agrees(): Promise<boolean> {
    return this.#alone(() => this.#reconciled());
  }

  async #reconciled(): Promise<boolean> {
    // A node's last report of its ledger is on its way.
    await sleep(2000);
    // One that is killed meanwhile reports again: its ledger is asked for anew, as an auditor would.
    for (let tries = 1; tries < 3; tries++) if (await this.#compared()) return true;
    return this.#compared();
  }

  async #compared(): Promise<boolean> {
    const at = (...parts: string[]) => join(this.#home, ...parts);
    const ledgers = await Promise.all(
      this.#tables.map(async (_, party) => {
        const ledger = at(`${nameOf(party)}.fcexport`);
        await untilDone(() => run("node", "ledger", "--dir", at(nameOf(party)), "--out", ledger));
        return ledger;
      }),
    );
    // The export ends where the auditor has looked: that has to be after the ledgers do.
    await untilDone(() => this.#look());
    await untilDone(() => this.operate("export", "--out", at("log.fcexport")));
    await run("audit", "policy", ...this.#identity, "--quorum", "1", "--out", at("policy.txt"));
    return holds("reconcile", at("log.fcexport"), ...ledgers, "--policy", at("policy.txt"));
  }

  /** One after the other: a log that is being restored agrees with nothing. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work, work);
    this.#turn = mine.catch(() => {});
    return mine;
  }

  /** What the auditor finds afterwards, and whether the model is that of the same cohorts undisturbed. */
  async verdict(studies: readonly Digest[]): Promise<Figure[]> {
    const at = (...parts: string[]) => join(this.#home, ...parts);
    const services = [...this.#nodes.values()];
    this.#nodes.clear();
    for (const service of services) await service.end("SIGTERM");
    const reconciled = await this.agrees();
    const verified = await holds("verify", at("log.fcexport"), "--policy", at("policy.txt"));
    const operator = await this.#operator();
    const sums = await sumsOf(at("log.fcexport"));
    const same: boolean[] = [];
    for (const study of studies) {
      const { model } = await operator.model(study);
      const own = sums.get(study)!;
      let round = 0;
      const undisturbed = await runPlain(this.#manifest(1), this.#tables, {
        onRound: (_, number) => {
          round = number;
        },
        isPresent: (party) => own[round]!.survivors.has(nameOf(party)),
      });
      const { results } = model as { results: unknown };
      same.push(isDeepStrictEqual(results, undisturbed.results) && own.length === undisturbed.rounds);
    }
    operator.close();
    const all = [...sums.values()].flat();
    return [
      held("one sum a step: audit verify holds", verified),
      held("audit reconcile holds for every node", reconciled),
      held("every model is that of the same cohorts undisturbed", same.every(Boolean)),
      counted("sums", all.length),
      ...this.#tables.flatMap((_, party) => {
        const found = all.flatMap(({ missing }) => missing.get(nameOf(party)) ?? []);
        const times = (why: (typeof whys)[number]): number => found.filter((one) => one === why).length;
        return [
          counted(`sums without ${nameOf(party)}`, found.length),
          ...whys
            .filter((why) => times(why) > 0)
            .map((why) => counted(`sums without ${nameOf(party)}: it ${why}`, times(why))),
        ];
      }),
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await Promise.all([...this.#nodes.values()].map((service) => service.end("SIGKILL")));
    await this.#coordinator?.end("SIGTERM");
  }

  #operator(): Promise<Operator> {
    return Operator.connect(readConfig(this.configFile), this.#address);
  }

  async #startCoordinator(): Promise<void> {
    const listening = Promise.withResolvers<void>();
    const service = new Service(
      "coordinator",
      ["coordinator", "start", "--config", this.configFile, "--log-level", "error", "--json"],
      () => listening.resolve(),
    );
    this.#coordinator = service;
    // As a supervisor does.
    service.failed().catch(async (error: Error) => {
      if (this.#stopped || this.#coordinator !== service) return;
      this.ended.push(error.message);
      listening.resolve();
      await sleep(1000);
      if (!this.#stopped && this.#coordinator === service) void this.#startCoordinator();
    });
    await listening.promise;
  }

  #startNode(party: number): void {
    const dir = join(this.#home, nameOf(party));
    const service = new Service(nameOf(party), ["node", "start", "--dir", dir, "--json"], () => {});
    this.#nodes.set(party, service);
    service.failed().catch(async (error: Error) => {
      if (this.#stopped || this.#nodes.get(party) !== service || this.#removed.has(party)) return;
      this.ended.push(error.message);
      await sleep(1000);
      if (!this.#stopped && this.#nodes.get(party) === service) this.#startNode(party);
    });
  }
}

const holds = async (command: string, ...args: string[]): Promise<boolean> =>
  run("audit", command, ...args, "--json").then(
    (report) => (JSON.parse(report) as { verified: boolean }).verified,
    (error: unknown) => {
      console.error(error);
      return false;
    },
  );

/** Tries again what a killed process could not do; each minute it says what it meets. */
async function untilDone<T>(work: () => Promise<T>): Promise<T> {
  let told = performance.now();
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Refusal) || !reasons[error.reason].retry) throw error;
      if (performance.now() - told > tellingMillis) {
        console.error(`tried again and again: ${error.reason}: ${error.message}`);
        told = performance.now();
      }
      await sleep(pollMillis);
    }
  }
}
