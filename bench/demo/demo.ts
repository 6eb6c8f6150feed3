import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import type { Evaluation } from "../../models/metrics.ts";
import { seededRandom } from "../../privacy/random.ts";
import { interruptible } from "../interruption.ts";
import { compare } from "./comparison.ts";
import { run, Service } from "./processes.ts";
import type { DemoSummary } from "./report.ts";
import { manifest, policy, studyName } from "./study.ts";
import { enterprises, generateRows } from "./world.ts";

/** Killed in the middle of neural training; comes back while it goes on. */
const victim = enterprises[1].id;
const killInNeuralRound = 10;
const roundsAway = 8;

/**
 * Founds a consortium, trains, verifies. Every party is a process of its own; all of them end before this returns.
 * @param out - folder for what an auditor would take away.
 * @param say - gets progress, a line at a time.
 * @throws Refusal interrupted, and those of the commands it runs.
 */
export const runDemo = (out: string, say: (line: string) => void): Promise<DemoSummary> =>
  interruptible(async (interruption) => {
    await using cleanUp = new AsyncDisposableStack();
    return await Promise.race([play(out, say, cleanUp), interruption]);
  });

async function play(
  out: string,
  say: (line: string) => void,
  cleanUp: AsyncDisposableStack,
): Promise<DemoSummary> {
  const begun = performance.now();
  const home = await mkdtemp(join(tmpdir(), "fedcredit-demo-"));
  // The embedded database may run under another account.
  await chmod(home, 0o711);
  cleanUp.defer(() => rm(home, { recursive: true, force: true }));
  const at = (...parts: string[]) => join(home, ...parts);

  say("auditor: makes a key");
  const auditor = JSON.parse(await run("audit", "init", "--out", at("auditor"), "--json"));
  say("bank: founds the consortium and starts its coordinator");
  const { configFile, bankKey } = JSON.parse(
    await run(
      ...["coordinator", "init", "--dir", at("bank"), "--consortium", manifest.consortium, "--quorum", "1"],
      ...[
        "--auditor-key",
        auditor.verifierKey,
        "--listen",
        "127.0.0.1:0",
        "--enrolment",
        "127.0.0.1:0",
        "--json",
      ],
    ),
  );
  const listening = Promise.withResolvers<{ address: string; enrolment: string }>();
  const coordinator = new Service(
    "coordinator",
    ["coordinator", "start", "--config", configFile, "--log-level", "warn", "--json"],
    (line) => listening.resolve(JSON.parse(line)),
  );
  cleanUp.defer(() => coordinator.end("SIGTERM"));
  const { address, enrolment } = await Promise.race([listening.promise, coordinator.failed()]);
  const operator = (command: string, ...args: string[]) =>
    run("coordinator", command, ...args, "--config", configFile, "--address", address, "--json");

  say("bank: certifies the auditor");
  const request = (await run("audit", "request", "--dir", at("auditor"))).trim();
  await run(
    "coordinator",
    "certify-auditor",
    request,
    "--config",
    configFile,
    "--out",
    at("auditor", "auditor.pem"),
  );
  const audit = (command: string, ...args: string[]) =>
    run("audit", command, "--dir", at("auditor"), "--bank-key", bankKey, ...args);

  const generated = enterprises.map((enterprise) =>
    generateRows(enterprise, seededRandom(`demo ${enterprise.id}`)),
  );
  await pairwise(enterprises, async ({ id, organisation }, i) => {
    const rows = at(`${id}.csv`);
    await writeFile(rows, generated[i]!.csv);
    await run(
      ...["node", "init", "--dir", at(id), "--enterprise", id, "--consortium", manifest.consortium],
      ...["--coordinator", address, "--enrolment", enrolment, "--rows", rows],
    );
    await writeFile(at(id, "policy.yaml"), stringify(policy));
    const { token } = JSON.parse(await operator("token", id, "--organisation", organisation));
    await run("node", "enrol", "--dir", at(id), "--token", token);
    say(`${id}: enrolled`);
  });

  await operator("admit");
  await audit("countersign", "--coordinator", address, "--yes");
  say("auditor: countersigned the roster of four enterprises");
  await writeFile(at("study.yaml"), stringify(manifest));
  await operator("propose", at("study.yaml"));
  await pairwise(enterprises, async ({ id }) => {
    await run("node", "consent", studyName, "--dir", at(id));
    say(`${id}: consented to ${studyName}`);
  });

  const witness = new Service(
    "auditor",
    [
      "audit",
      "watch",
      "--dir",
      at("auditor"),
      "--bank-key",
      bankKey,
      "--coordinator",
      address,
      "--every",
      "1",
    ],
    () => {},
  );
  cleanUp.defer(() => witness.end("SIGTERM"));
  const watch = new KillAndReturn(
    say,
    (id, onLine) => new Service(id, ["node", "start", "--dir", at(id), "--json"], onLine),
  );
  cleanUp.defer(() => watch.endAll());
  for (const { id } of enterprises) watch.start(id);
  say("bank: starts the study");
  await Promise.race([operator("start-study", studyName, "--wait"), coordinator.failed(), watch.failed]);

  const { model } = JSON.parse(await operator("model", studyName));
  await run(
    "audit",
    "watch",
    "--once",
    "--dir",
    at("auditor"),
    "--bank-key",
    bankKey,
    "--coordinator",
    address,
  );
  await operator("export", "--out", join(out, "log.fcexport"));
  await audit("policy", "--quorum", "1", "--out", join(out, "log.policy"));
  await writeFile(join(out, "model.json"), `${JSON.stringify(model, null, 2)}\n`);
  await watch.endAll();
  const verdict = await verify(out, at);
  say(`auditor: ${verdict.checks} checks, ${verdict.verified ? "all hold" : "SOME FAIL"}`);

  say("demo: trains on pooled rows and on each enterprise's own, for comparison");
  const { pooled, alone, best } = await compare(generated);
  const evaluated = model.results.evaluate.models as Record<string, Evaluation>;
  return {
    verified: verdict.verified,
    enterprises: enterprises.map(({ id }) => id),
    rounds: model.lineage.rounds.length,
    models: [...pooled].map(([algorithm, pooledAuc]) => {
      const aucs = alone.get(algorithm)!;
      const aloneAuc = aucs.reduce((sum, value) => sum + value, 0) / aucs.length;
      return { algorithm, auc: evaluated[algorithm]!.auc, pooledAuc, aloneAuc };
    }),
    bestAuc: best,
    bytesUp: verdict.bytesUp,
    seconds: (performance.now() - begun) / 1000,
    restarted: watch.restarted,
    protection: model.protection,
  };
}

/** Exports every ledger, verifies the bank's log and reconciles the two. */
async function verify(out: string, at: (...parts: string[]) => string) {
  const log = join(out, "log.fcexport");
  const logPolicy = join(out, "log.policy");
  const reports = [JSON.parse(await run("audit", "verify", log, "--policy", logPolicy, "--json"))];
  let bytesUp = 0;
  for (const { id } of enterprises) {
    const ledger = join(out, `${id}.fcexport`);
    await run("node", "ledger", "--dir", at(id), "--out", ledger);
    reports.push(JSON.parse(await run("audit", "reconcile", log, ledger, "--policy", logPolicy, "--json")));
    bytesUp += await sentBytes(ledger);
  }
  return {
    verified: reports.every(({ verified }) => verified),
    checks: reports.reduce((sum, { checks }) => sum + checks.length, 0),
    bytesUp,
  };
}

/** What a ledger says left the machine, bytes. */
async function sentBytes(ledger: string): Promise<number> {
  const lines = (await readFile(ledger, "utf8")).trimEnd().split("\n");
  return lines
    .map((line) => JSON.parse(line).entry)
    .reduce((sum, entry) => sum + (entry?.type === "egress.sent" ? entry.bytes : 0), 0);
}

/** Two at a time: as many as the smallest machine has cores. */
async function pairwise<T>(
  items: readonly T[],
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const queue = [...items.entries()];
  const worker = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) await work(next[1], next[0]);
  };
  await Promise.all([worker(), worker()]);
}

/** The enterprises' processes; one of them is killed on the way and started again. */
class KillAndReturn {
  readonly restarted: string[] = [];
  readonly failed: Promise<never>;
  readonly #services = new Map<string, Service>();
  readonly #say: (line: string) => void;
  readonly #spawn: (id: string, onLine: (line: string) => void) => Service;
  readonly #fail: (reason: unknown) => void;
  #seen = "";
  #neuralRound = 0;
  #lastRound = 0;
  #ending = false;

  constructor(say: (line: string) => void, spawn: (id: string, onLine: (line: string) => void) => Service) {
    this.#say = say;
    this.#spawn = spawn;
    const { promise, reject } = Promise.withResolvers<never>();
    this.failed = promise;
    this.failed.catch(() => {});
    this.#fail = reject;
  }

  start(id: string): void {
    const service = this.#spawn(id, (line) => this.#onEvent(id, JSON.parse(line)));
    this.#services.set(id, service);
    service.failed().catch((reason) => {
      if (!this.#ending && this.#services.get(id) === service) this.#fail(reason);
    });
  }

  async endAll(): Promise<void> {
    this.#ending = true;
    await Promise.all([...this.#services.values()].map((service) => service.end("SIGTERM")));
    this.#services.clear();
  }

  #onEvent(
    id: string,
    event: { type: string; algorithm?: string; round?: number; attempt?: number; phase?: string },
  ): void {
    if (event.type !== "round") return;
    const round = `${event.algorithm} round ${event.round}, attempt ${event.attempt}`;
    if (round !== this.#seen && event.phase === "advertised") {
      this.#seen = round;
      if (event.algorithm === "neural" && event.round !== this.#lastRound) this.#neuralRound++;
      this.#lastRound = event.round ?? 0;
      if (event.algorithm !== "neural" || this.#neuralRound % 10 === 1) this.#say(`study: ${round}`);
      if (this.#neuralRound === killInNeuralRound + roundsAway && !this.#services.has(victim))
        this.#bringBack();
    }
    const doomed = id === victim && this.#neuralRound === killInNeuralRound && this.restarted.length === 0;
    if (doomed && event.phase === "submitted") this.#kill();
  }

  #kill(): void {
    const service = this.#services.get(victim)!;
    this.#services.delete(victim);
    this.restarted.push(victim);
    this.#say(`${victim}: KILLED (kill -9) while it submits; the others go on`);
    void service.end("SIGKILL");
  }

  #bringBack(): void {
    this.start(victim);
    this.#say(`${victim}: started again; joins the next round`);
  }
}
