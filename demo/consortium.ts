import { appendFile, writeFile } from "node:fs/promises";
import { run, runWith, Service } from "./processes.ts";
import { casesYaml } from "./scores.ts";
import { manifest } from "./study.ts";

export interface Consortium {
  /** host:port of the coordinator, and of its enrolment. */
  readonly address: string;
  readonly enrolment: string;
  /** Runs a command of the bank's operator. */
  readonly operator: (command: string, ...args: string[]) => Promise<string>;
  /** Lets the auditor's process reach the coordinator. */
  readonly certifyAuditor: () => Promise<void>;
  /** Runs a command of the auditor. */
  readonly audit: (command: string, ...args: string[]) => Promise<string>;
  /** Of the console. */
  readonly consoleUrl: string;
  /** Lets somebody sign in to the console. @returns the otpauth:// address of its codes. */
  readonly addUser: (user: string, password: string) => Promise<string>;
  /** @returns what ends it. */
  readonly startWitness: () => () => Promise<void>;
  /** Shows a log as the auditor's pages. @param files - export, policy and ledgers, as flags. @returns their address */
  readonly startPages: (files: readonly string[]) => Promise<string>;
  /** Rejects when the coordinator ends by itself. */
  readonly failed: Promise<never>;
}

/** Makes the auditor's key, founds the consortium and starts the bank's coordinator. */
export async function startConsortium({
  at,
  say,
  cleanUp,
}: {
  readonly at: (...parts: string[]) => string;
  readonly say: (line: string) => void;
  readonly cleanUp: AsyncDisposableStack;
}): Promise<Consortium> {
  say("auditor: makes a key");
  const auditor = JSON.parse(await run("audit", "init", "--out", at("auditor"), "--json"));
  say("bank: founds the consortium and starts its coordinator");
  const { configFile, bankKey } = JSON.parse(
    await run(
      ...["coordinator", "init", "--dir", at("bank"), "--consortium", manifest.consortium],
      ...["--quorum", "1", "--auditor-key", auditor.verifierKey],
      ...["--listen", "127.0.0.1:0", "--enrolment", "127.0.0.1:0"],
      ...["--console", "127.0.0.1:0", "--json"],
    ),
  );
  await writeFile(at("bank", "cases.yaml"), casesYaml);
  await appendFile(configFile, "cases: cases.yaml\n");
  const listening = Promise.withResolvers<{ address: string; enrolment: string; console: string }>();
  const coordinator = new Service(
    "coordinator",
    ["coordinator", "start", "--config", configFile, "--log-level", "warn", "--json"],
    (line) => listening.resolve(JSON.parse(line)),
  );
  cleanUp.defer(() => coordinator.end("SIGTERM"));
  const failed = coordinator.failed();
  failed.catch(() => {});
  const { address, enrolment, console: consoleUrl } = await Promise.race([listening.promise, failed]);
  const common = ["--config", configFile];
  const identity = ["--dir", at("auditor"), "--bank-key", bankKey];
  return {
    address,
    enrolment,
    operator: (command, ...args) =>
      run("coordinator", command, ...args, ...common, "--address", address, "--json"),
    consoleUrl,
    async addUser(user, password) {
      const flags = ["--role", "operator", ...common, "--address", address, "--json"];
      return JSON.parse(await runWith(password, "coordinator", "user", "add", user, ...flags)).address;
    },
    async certifyAuditor() {
      say("bank: certifies the auditor");
      const request = (await run("audit", "request", "--dir", at("auditor"))).trim();
      const certificate = at("auditor", "auditor.pem");
      await run("coordinator", "certify-auditor", request, ...common, "--out", certificate);
    },
    audit: (command, ...args) => run("audit", command, ...identity, ...args),
    startWitness() {
      const watch = ["audit", "watch", ...identity, "--coordinator", address, "--every", "1"];
      const witness = new Service("auditor", watch, () => {});
      return () => witness.end("SIGTERM");
    },
    async startPages(files) {
      const shown = Promise.withResolvers<string>();
      const pages = new Service(
        "auditor's pages",
        ["audit", "serve", ...files, "--listen", "127.0.0.1:0", "--json"],
        (line) => shown.resolve(JSON.parse(line).url),
      );
      cleanUp.defer(() => pages.end("SIGTERM"));
      return Promise.race([shown.promise, pages.failed()]);
    },
    failed,
  };
}
