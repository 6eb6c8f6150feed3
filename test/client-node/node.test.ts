import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import test from "ava";
import { stringify } from "yaml";
import { within } from "../../bench/cases/within.ts";
import type { NodeEvent } from "../../client-node/events.ts";
import { DirectStatistics } from "../../client-node/federation/statistics.ts";
import { EgressLedger } from "../../client-node/ledger/egress.ts";
import { rememberCheckpoint, storedConsent } from "../../client-node/ledger/records.ts";
import { openStore } from "../../client-node/ledger/store.ts";
import { type NodeOptions, type RunningNode, startNode } from "../../client-node/node.ts";
import { type Policy, policyAt, policyDigest, whyRefused } from "../../client-node/policy.ts";
import { digestOf } from "../../core/canonical.ts";
import { shortDigest } from "../../core/ids.ts";
import { secureRandom } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import { selectRows } from "../../models/rows.ts";
import type { StudyManifest } from "../../models/study.ts";
import { parseVerifierKey } from "../../privacy/log/note.ts";
import { reconcile } from "../../privacy/log/reconcile.ts";
import { openBfv } from "../../privacy/sum/encryption/bfv.ts";
import { LocalBank, policyFor, temporaryDirectory } from "../../simulate/consortium.ts";
import { borrowerFeatures, borrowers, scatter, studyOf } from "../support/rows.ts";
import { testConsortium } from "../support/wire-server.ts";

const names = ["alder", "birch", "cedar", "dogwood"];
const manifest = studyOf(borrowerFeatures, [{ name: "range" }, { name: "summary" }]);
const tables = scatter(240, names.length, "node").map((rows) => {
  const mine = new Set(rows);
  return selectRows(borrowers(), (row) => mine.has(row));
});

const bank = await LocalBank.start();
const credentials = await bank.enrolAll(names);
const bfv = await openBfv();
const folder = await temporaryDirectory();
test.after.always(async () => {
  await bfv.close();
  await bank.stop();
  await rm(folder, { recursive: true });
});

const ledgerOf = (name: string): string => join(folder, `${name}.db`);
const optionsFor = (name: string, change: Partial<NodeOptions> = {}): NodeOptions => ({
  credentials: credentials.get(name)!,
  coordinator: bank.coordinator.address,
  policy: () => policyFor(manifest),
  statistics: new DirectStatistics(secureRandom),
  rows: async () => tables[names.indexOf(name)]!,
  ledger: ledgerOf(name),
  bfv,
  random: secureRandom,
  now: Date.now,
  ...change,
});

/** Runs a study to its end. @returns its last phase and reason. */
async function runStudy(nodes: readonly RunningNode[], proposed: StudyManifest): Promise<string> {
  const study = await bank.operator.propose(proposed);
  for (const node of nodes) await node.consent(study);
  await bank.operator.start(study);
  let last = "";
  for await (const { phase, reason } of bank.operator.follow(study)) last = `${phase} ${reason}`;
  return last.trim();
}

test.serial(
  "after a study every submission is in the bank's log and in the node's ledger, and nothing else is",
  async (t) => {
    const events: NodeEvent[] = [];
    const nodes = await Promise.all(
      names.map((name) => startNode(optionsFor(name, { onEvent: (event) => void events.push(event) }))),
    );
    t.is(await runStudy(nodes, manifest), "finished");
    const [view] = await nodes[0]!.studies();
    t.is(view?.phase, "finished");
    t.true(view!.consentExpires! > Date.now());
    const { digest, text } = await nodes[0]!.model(view!.study);
    t.is(digestOf(text), digest);
    t.true(events.some((event) => event.type === "closed" && event.outcome === "released"));
    t.deepEqual(
      events.filter(({ type }) => type === "refused"),
      [],
    );
    await Promise.all(nodes.map((node) => node.stop()));
    for (const name of names) {
      const db = openStore(ledgerOf(name));
      const ledger = new EgressLedger(db, credentials.get(name)!);
      const checks = await reconcile(
        () => bank.operator.exportLog(),
        () => ledger.export(),
        bank.logPolicy(),
      );
      t.deepEqual(
        checks.filter(({ ok }) => !ok),
        [],
        name,
      );
      t.true(
        checks.some(({ detail }) => detail === "2 submissions"),
        name,
      );
      db.close();
    }
  },
);

test.serial(
  "what policy, rows or manifest forbid is not consented to, and nothing is stored of it",
  async (t) => {
    const refusing: [string, Partial<NodeOptions>, Partial<StudyManifest>][] = [
      ["policy_refuses", { policy: () => ({ ...policyFor(manifest), fields: [] }) }, {}],
      ["unprotected", { policy: () => ({ ...policyFor(manifest), unprotected: [] }) }, {}],
      ["single_class", { rows: () => Promise.reject(new Refusal("single_class", "all good")) }, {}],
    ];
    const study = await bank.operator.propose({ ...manifest, name: "refused" });
    for (const [reason, change] of refusing) {
      const node = await startNode(optionsFor("alder", { ...change, ledger: join(folder, `${reason}.db`) }));
      const error = await t.throwsAsync(node.consent(study), { instanceOf: Refusal });
      t.is(error?.reason, reason as never);
      await node.stop();
      const db = openStore(join(folder, `${reason}.db`));
      t.is(storedConsent(db, study), undefined);
      db.close();
    }
    t.deepEqual((await bank.operator.study(study)).consented, []);
  },
);

/** What is written to policy.yaml while the node is in a round, in which phase, and what it then refuses for. */
const forbidding: [phase: string, text: (policy: Policy) => string, reason: string][] = [
  [
    "contributing",
    (policy) => stringify({ ...policy, allow: { ...policy.allow, algorithms: [] } }),
    "policy_refuses",
  ],
  ["sealing", (policy) => stringify({ ...policy, unprotected: [] }), "unprotected"],
  ["agreed", (policy) => stringify({ ...policy, minCohort: 9 }), "policy_refuses"],
  ["unmasked", () => "minCohort: [2", "file_malformed"],
];

test.serial("the policy on disk is the one in force: what forbids stops the node at once", async (t) => {
  const rounds = 3 * forbidding.length + 1;
  const algorithms = Array.from({ length: rounds }, (_, i) => ({ name: "range", as: `range-${i}` }));
  const proposed: StudyManifest = { ...manifest, name: "policy", algorithms };
  const file = join(folder, "policy.yaml");
  const allowing = Array.from({ length: rounds }, (_, i) => ({ ...policyFor(proposed), consentDays: i + 1 }));
  writeFileSync(file, stringify(allowing[0]));
  const refused: string[] = [];
  const views: (string | undefined)[] = [];
  let inRound = 0;
  // Forbidden in rounds 2, 5, 8 …, while alder is in them; allowed again in the round after, while birch is.
  const onAlder = (event: NodeEvent): void => {
    if (event.type === "refused") refused.push(`${inRound} ${event.reason}`);
    if (event.type !== "round") return;
    inRound = event.round;
    const [phase, text] = forbidding[(event.round - 2) / 3] ?? [];
    if (event.phase !== phase) return;
    writeFileSync(file, text!(policyFor(proposed)));
    views.push(whyRefused(policyAt(file), proposed));
  };
  const onBirch = (event: NodeEvent): void => {
    if (event.type === "round" && event.round % 3 === 0)
      writeFileSync(file, stringify(allowing[event.round / 3]));
  };
  const watched: Record<string, Partial<NodeOptions>> = {
    alder: { policy: policyAt(file), onEvent: onAlder },
    birch: { onEvent: onBirch },
  };
  const nodes = await Promise.all(
    names.map((name) => startNode(optionsFor(name, { policy: () => policyFor(proposed), ...watched[name] }))),
  );
  t.is(await runStudy(nodes, proposed), "finished");
  const [view] = (await nodes[0]!.studies()).filter(({ name }) => name === "policy");
  t.is(view?.refusedBecause, undefined);
  await Promise.all(nodes.map((node) => node.stop()));
  // The round under way first, then the next one as it is opened.
  t.deepEqual([...new Set(refused)].slice(0, 1), ["2 policy_refuses"]);
  for (const [i, [, , reason]] of forbidding.entries())
    t.true(refused.includes(`${3 * i + 2} ${reason}`), reason);
  t.true(views.every((why) => why !== undefined));

  const db = openStore(ledgerOf("alder"));
  const checks = await reconcile(
    () => bank.operator.exportLog(),
    () => new EgressLedger(db, credentials.get("alder")!).export(),
    bank.logPolicy(),
  );
  db.close();
  t.deepEqual(
    checks.filter(({ ok }) => !ok),
    [],
  );
  const submitted = ["round 1", "round 4", "rounds 7–8", "rounds 10–11", "round 13"];
  t.deepEqual(
    // The first is of the study before.
    checks.filter(({ check }) => check.startsWith("rows by policy")).slice(1),
    submitted.map((rounds, i) => ({
      check: `rows by policy ${shortDigest(policyDigest(allowing[i]!))}`,
      ok: true,
      detail: `study ${shortDigest(view!.study)} ${rounds}`,
    })),
  );
});

test.serial("a withdrawn consent is no consent, and a dropped node is gone at once", async (t) => {
  const nodes = await Promise.all(names.map((name) => startNode(optionsFor(name))));
  const study = await bank.operator.propose({ ...manifest, name: "withdrawn" });
  for (const node of nodes) await node.consent(study);
  await nodes[0]!.withdraw(study);
  t.deepEqual((await bank.operator.study(study)).consented, ["birch", "cedar", "dogwood"]);
  const [view] = (await nodes[0]!.studies()).filter((each) => each.study === study);
  t.is(view?.consentExpires, undefined);
  nodes[0]!.drop();
  await nodes[0]!.finished;
  await bank.operator.start(study);
  let last = "";
  for await (const { phase } of bank.operator.follow(study)) last = phase;
  t.is(last, "finished");
  await Promise.all(nodes.slice(1).map((node) => node.stop()));
});

test.serial("a node that was shown another log refuses, says so and ends; the others go on", async (t) => {
  const db = openStore(ledgerOf("cedar"));
  const other = { size: 2, root: new Uint8Array(32).fill(7) };
  rememberCheckpoint(db, parseVerifierKey(bank.bankKey).name, other, "");
  db.close();
  const nodes = await Promise.all(names.map((name) => startNode(optionsFor(name))));
  const ended = nodes[2]!.finished.then(
    () => "ended",
    (error: Refusal) => error.reason,
  );
  t.is(await runStudy(nodes, { ...manifest, name: "forked" }), "finished");
  t.is(await ended, "log_forked");
  await Promise.all(nodes.filter((_, i) => i !== 2).map((node) => node.stop()));
});

const beginnings: [string, Partial<NodeOptions>, string][] = [
  ["a clock off by a day", { now: () => Date.now() + 86_400_000 }, "clock_skew"],
  ["a ledger that cannot be opened", { ledger: join(folder, "nowhere", "ledger.db") }, "file_missing"],
];
for (const [name, change, reason] of beginnings) {
  test.serial(`${name}: ${reason}, at once`, async (t) => {
    const error = await t.throwsAsync(startNode(optionsFor("alder", change)), { instanceOf: Refusal });
    t.is(error?.reason, reason as never);
  });
}

test.serial("a node whose statistic never returns stops in the time it is given", async (t) => {
  const asked = Promise.withResolvers<void>();
  const never = new Promise<never>(() => {});
  const stuck = new DirectStatistics(secureRandom);
  stuck.contribute = () => {
    asked.resolve();
    return never;
  };
  const proposed = { ...manifest, name: "never" };
  const nodes = await Promise.all(
    names.map((name) =>
      startNode(
        optionsFor(name, {
          ledger: ":memory:",
          policy: () => policyFor(proposed),
          ...(name === "alder" ? { statistics: stuck } : {}),
        }),
      ),
    ),
  );
  const study = await bank.operator.propose(proposed);
  for (const node of nodes) await node.consent(study);
  await bank.operator.start(study);
  await within(() => "the statistic is asked for", asked.promise);
  await within(() => "the node stops", nodes[0]!.stop(0.05));
  await bank.operator.stop(study);
  await Promise.all(nodes.slice(1).map((node) => node.stop()));
  t.pass();
});

test.serial("a certificate of another consortium does not get in", async (t) => {
  const { credentials: foreign } = await testConsortium();
  const { ca } = credentials.get("alder")!;
  const error = await t.throwsAsync(
    startNode(optionsFor("alder", { credentials: { ...foreign, ca }, ledger: ":memory:" })),
    { instanceOf: Refusal },
  );
  t.is(error?.reason, "certificate_invalid");
});

test.serial("a node starts before its coordinator, and stops while it waits", async (t) => {
  const events: NodeEvent[] = [];
  const node = await startNode(
    optionsFor("alder", {
      coordinator: "127.0.0.1:1",
      ledger: ":memory:",
      onEvent: (event) => void events.push(event),
    }),
  );
  t.like(events[0], { type: "disconnected", reason: "unavailable" });
  await node.stop();
});

test("a node that loses its bank while it rests between refusals lives on to connect again", async (t) => {
  t.timeout(120_000);
  const child = fileURLToPath(new URL("../support/resting-child.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ["--no-warnings", child]);
  t.is(stdout, "lives on\n");
});
