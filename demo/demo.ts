import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stringify } from "yaml";
import type { Forecast } from "../client-node/ledger/budget.ts";
import type { Evaluation } from "../models/numerics/metrics.ts";
import { interruptible } from "../simulate/interruption.ts";
import { compare, evaluationOf, withoutNoise } from "./comparison.ts";
import { startConsortium } from "./consortium.ts";
import { enterprises } from "./economy.ts";
import { Happenings } from "./happenings.ts";
import { NodeFolder } from "./node-folder.ts";
import { Nodes } from "./nodes.ts";
import { beginNoMore, endTheRest, freePorts, pairwise, run, runWith, startPlant } from "./processes.ts";
import { Refreshes } from "./refreshes.ts";
import { type DemoSummary, epsilonText } from "./report.ts";
import { decideCase, sayScores } from "./scores.ts";
import { storedOnce } from "./stored-once.ts";
import { manifest, policy, privateManifest, studyName } from "./study.ts";
import { verify } from "./verdict.ts";

const victim = enterprises[1].id;
/** A numbered source of the victim, read across its death. */
const numbered = { device: "truck-1", metric: "cargo_temperature" } as const;
/** Longest wait, after the study, for warnings that are due, where nothing keeps the machine from them. */
const warningsMillis = 45_000;
/** Refreshes that a node makes until what its devices showed by now was judged: one may be under way. */
const refreshesDue = 2;
/** On a machine however slow. */
const patienceMillis = 10 * 60_000;

export interface DemoOptions {
  /** Folder for what an auditor would take away. */
  readonly out: string;
  /** Gets progress, a line at a time. */
  readonly say: (line: string) => void;
  /**
   * Called at the end, while every process still runs.
   * @param pages - addresses by enterprise
   * @param interruption - rejects once somebody asks the demo to end.
   */
  readonly linger?: (
    summary: DemoSummary,
    pages: ReadonlyMap<string, string>,
    desks: { readonly bank: ConsoleSignIn; readonly auditor: string; readonly pagePassword: string },
    interruption: Promise<never>,
  ) => Promise<void>;
}

/** What the bank's console takes. */
export interface ConsoleSignIn {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  /** otpauth:// */
  readonly codes: string;
}

/**
 * Founds a consortium, back-fills history, reads devices, trains, warns, verifies. Every party is a process of its own;
 * all of them end before this returns.
 *
 * @throws Refusal interrupted, and those of the commands it runs.
 */
export const runDemo = (options: DemoOptions): Promise<DemoSummary> =>
  interruptible(async (interruption) => {
    await using cleanUp = new AsyncDisposableStack();
    try {
      return await Promise.race([play(options, cleanUp, interruption), interruption]);
    } finally {
      beginNoMore();
    }
  });

async function play(
  { out, say, linger }: DemoOptions,
  cleanUp: AsyncDisposableStack,
  interruption: Promise<never>,
): Promise<DemoSummary> {
  const begun = performance.now();
  const home = await mkdtemp(join(tmpdir(), "fedcredit-demo-"));
  // What a node had begun may write for a moment longer than the node lives.
  cleanUp.defer(() => rm(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));
  cleanUp.defer(endTheRest);
  const at = (...parts: string[]) => join(home, ...parts);
  const consortium = await startConsortium({ at, say, cleanUp });
  const { address, audit, enrolment, operator } = consortium;
  const now = Date.now();
  const folders = new Map(enterprises.map((one) => [one.id, new NodeFolder(at(one.id), one, now)]));

  const enrolled = pairwise(enterprises, async ({ id, organisation }) => {
    await run(
      ...["node", "init", "--dir", at(id), "--enterprise", id, "--consortium", manifest.consortium],
      ...["--coordinator", address, "--enrolment", enrolment],
    );
    await folders.get(id)!.writeHistory();
    const { token } = JSON.parse(await operator("token", id, "--organisation", organisation));
    await run("node", "enrol", "--dir", at(id), "--token", token);
    say(`${id}: enrolled`);
  });
  await Promise.all([consortium.certifyAuditor(), enrolled]);
  const founded = async (): Promise<void> => {
    await operator("admit");
    await audit("countersign", "--coordinator", address, "--yes");
    say("auditor: countersigned the roster of four enterprises");
    for (const proposed of [privateManifest, manifest]) {
      const file = at(`${proposed.name}.yaml`);
      await writeFile(file, stringify(proposed, { aliasDuplicateObjects: false }));
      await operator("propose", file);
    }
    cleanUp.defer(consortium.startWitness());
  };

  const happenings = new Happenings(
    new Map([...folders].map(([id, { plant }]) => [id, plant.happening.type])),
    say,
  );
  const pages = new Map<string, string>();
  let connected = false;
  const joined = new Set<string>();
  const refreshes = new Refreshes();
  const allJoined = Promise.withResolvers<void>();
  const nodes = new Nodes({
    victim,
    folderOf: at,
    say,
    onEvent(id, event) {
      if (event.type === "page" && pages.get(id) !== event.url) {
        pages.set(id, event.url);
        say(`${id}: page at ${event.url}`);
      }
      if (event.type === "refreshed") refreshes.count(id);
      if (connected && event.type === "connected" && joined.add(id).size === enterprises.length)
        allJoined.resolve();
      const own = folders.get(id as (typeof enterprises)[number]["id"])!.ownSites;
      if (connected && event.type === "warning" && own.includes(event.warning.site))
        happenings.onWarning(id, event.warning);
    },
  });
  cleanUp.defer(() => nodes.endAll());

  say("enterprises: read eighteen months of their borrowers' weekly reports");
  const read = pairwise(enterprises, async ({ id }) => {
    nodes.start(id);
    await Promise.race([untilHistory(folders.get(id)!), nodes.failed]);
    await nodes.end(id);
    say(`${id}: has its history`);
  });
  // A node reads what is its own whether it is admitted yet or not.
  await Promise.all([founded(), read]);

  const ports = await freePorts(2 * enterprises.length);
  const plants = await Promise.all(
    enterprises.map(async ({ id }, i) => {
      const folder = folders.get(id)!;
      const options = {
        folder: at(`${id}-plant`),
        inbox: folder.inbox,
        listen: ports[2 * i]!,
        now: Date.now(),
      };
      await mkdir(options.folder);
      const plant = await startPlant(id, options);
      cleanUp.defer(() => plant.service.end("SIGTERM"));
      await folder.connect(plant.addresses, `127.0.0.1:${ports[2 * i + 1]}`);
      return plant;
    }),
  );
  say("enterprises: their devices are connected");
  for (const [id, { plant }] of folders) say(`  on the way at ${id}: ${plant.happening.what}`);
  // Who has a password decides on the page, too.
  const pagePassword = randomBytes(12).toString("base64url");
  if (linger !== undefined)
    await pairwise(enterprises, async ({ id }) => {
      await runWith(`${pagePassword}\n`, "node", "password", "--dir", at(id));
    });
  connected = true;
  for (const { id } of enterprises) nodes.start(id);
  const failures = [consortium.failed, nodes.failed, ...plants.map(({ service }) => service.failed())];
  const orFailure = <T>(work: Promise<T>): Promise<T> => Promise.race([work, ...failures]);

  const forecasts: Forecast[] = [];
  await orFailure(
    pairwise(enterprises, async ({ id }) => {
      const { cost } = JSON.parse(
        await run("node", "consent", privateManifest.name, "--dir", at(id), "--json"),
      );
      forecasts.push(cost);
      say(
        `${id}: consented to ${privateManifest.name}: up to ε = ${epsilonText(cost.after)} of ${cost.lifetime} for its customers`,
      );
      await run("node", "consent", studyName, "--dir", at(id));
      say(`${id}: consented to ${studyName}, of exact sums`);
    }),
  );
  // The first rounds of a study that begins without a slow machine's last node are about other columns.
  await orFailure(allJoined.promise);
  say("bank: starts the study of customers, under noise");
  await orFailure(operator("start-study", privateManifest.name, "--wait"));
  const { model: noisy } = JSON.parse(await operator("model", privateManifest.name));
  const { epsilon } = noisy.protection.cost;
  say(`study: ${privateManifest.name} has cost ε = ${epsilonText(epsilon)} of each customer`);
  say("bank: starts the study of borrowers, of exact sums");
  await orFailure(operator("start-study", studyName, "--wait"));
  const { model } = JSON.parse(await operator("model", studyName));
  const said = sayScores(at, say);
  said.catch(() => {});
  // A busy machine refreshes late: warnings are counted once each node has judged what there is, and not before.
  const judged = Promise.all([
    sleep(warningsMillis, undefined, { ref: false }),
    refreshes.more(
      enterprises.map(({ id }) => id),
      refreshesDue,
    ),
  ]);
  await orFailure(
    Promise.race([happenings.allRaised, judged, sleep(patienceMillis, undefined, { ref: false })]),
  );
  const scores = await orFailure(said);
  const decided = await orFailure(decideCase(operator, say));
  for (const what of happenings.missing) say(`NOT RAISED  ${what}`);
  const answering = await Promise.all([...pages.values()].map(answers));
  say(`pages: ${answering.filter(Boolean).length} of ${enterprises.length} answer`);
  // What is stored can be counted once nobody writes to it.
  await (linger === undefined ? nodes.endAll() : nodes.end(victim));

  await audit("watch", "--once", "--coordinator", address);
  await operator("export", "--out", join(out, "log.fcexport"));
  await audit("policy", "--quorum", "1", "--out", join(out, "log.policy"));
  await writeFile(join(out, "model.json"), `${JSON.stringify(model, null, 2)}\n`);
  await writeFile(join(out, "model-under-noise.json"), `${JSON.stringify(noisy, null, 2)}\n`);
  say("demo: trains on pooled rows and on each enterprise's own, for comparison");
  const audited = async () => {
    const verdict = await verify(out, at);
    say(`auditor: ${verdict.checks} checks, ${verdict.verified ? "all hold" : "SOME FAIL"}`);
    const auditorPages = await consortium.startPages(verdict.files);
    say(`auditor: pages at ${auditorPages}`);
    return { verdict, auditorPages };
  };
  const [{ verdict, auditorPages }, stored, { pooled, alone, best, within }, exact] = await Promise.all([
    audited(),
    storedOnce(folders.get(victim)!.dataDir, numbered.device, numbered.metric),
    compare([...folders.values()]),
    withoutNoise([...folders.values()]),
  ]);
  say(`bank: console at ${consortium.consoleUrl}`);
  say(
    `${victim}: ${stored.readings} numbered readings of ${numbered.device} stored, over its death ${stored.lost} lost and ${stored.doubled} doubled`,
  );

  const evaluated = model.results.evaluate.models as Record<string, Evaluation>;
  const ofCustomers = evaluationOf(noisy.results, "logistic-private");
  const summary: DemoSummary = {
    verified: verdict.verified,
    enterprises: enterprises.map(({ id }) => id),
    rounds: noisy.lineage.rounds.length + model.lineage.rounds.length,
    underNoise: {
      algorithm: "logistic-private",
      auc: ofCustomers.auc,
      aucWithout: exact.auc,
      aucWithin: Math.max(ofCustomers.aucWithin, exact.aucWithin),
      forecast: Math.max(...forecasts.map(({ after }) => after)),
      epsilon,
      delta: privateManifest.privacy.noise.delta,
      lifetime: policy.maxEpsilon.lifetime,
    },
    models: [...pooled].map(([algorithm, pooledAuc]) => {
      const aucs = alone.get(algorithm)!;
      const aloneAuc = aucs.reduce((sum, value) => sum + value, 0) / aucs.length;
      return { algorithm, auc: evaluated[algorithm]!.auc, pooledAuc, aloneAuc };
    }),
    aucWithin: Math.max(within, ...Object.values(evaluated).map((one) => one.aucWithin)),
    bestAuc: best,
    bytesUp: verdict.bytesUp,
    warnings: happenings.raised,
    missingWarnings: happenings.missing,
    scores,
    decided,
    stored,
    pages: answering.filter(Boolean).length,
    seconds: (performance.now() - begun) / 1000,
    restarted: nodes.restarted,
    protection: model.protection,
  };
  if (linger === undefined) return summary;
  nodes.start(victim);
  const [user, password] = ["maria", randomBytes(12).toString("base64url")];
  const codes = await consortium.addUser(user, password);
  const bank = { url: consortium.consoleUrl, user, password, codes };
  await linger(summary, pages, { bank, auditor: auditorPages, pagePassword }, interruption);
  return summary;
}

async function untilHistory(folder: NodeFolder): Promise<void> {
  // The node that reads keeps this process; nothing else has to.
  while (!folder.hasHistory()) await sleep(200, undefined, { ref: false });
}

const answers = (page: string): Promise<boolean> =>
  fetch(page).then(
    ({ status }) => status === 200,
    () => false,
  );
