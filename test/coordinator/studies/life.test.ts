import { setTimeout as delay } from "node:timers/promises";
import test, { type ExecutionContext } from "ava";
import { within } from "../../../bench/cases/within.ts";
import type { RunningNode } from "../../../client-node/node.ts";
import type { CrashPoint } from "../../../coordinator/bank.ts";
import { type Reason, Refusal } from "../../../core/reasons.ts";
import { runPlain } from "../../../models/plain.ts";
import { studyArithmetic } from "../../../models/recompute.ts";
import { selectRows } from "../../../models/rows.ts";
import type { StudyManifest } from "../../../models/study.ts";
import { parseEntry } from "../../../privacy/log/entry.ts";
import { readExport } from "../../../privacy/log/export.ts";
import { verifyExport } from "../../../privacy/log/verify.ts";
import { openBfv } from "../../../privacy/sum/encryption/bfv.ts";
import { LocalBank, startEnterprise } from "../../../simulate/consortium.ts";
import { borrowerFeatures, borrowers, scatter, studyOf } from "../../support/rows.ts";

const names = ["lathe", "mill", "truck", "weaver"];
const algorithms = [{ name: "range" }, { name: "summary" }, { name: "standardize" }];

/** A bank with four enterprises, and what happens at a point of an attempt. */
class Stage {
  readonly bank: LocalBank;
  readonly nodes: Map<string, RunningNode>;
  readonly tables: ReturnType<typeof selectRows>[];
  readonly base: StudyManifest;
  at: { point: CrashPoint; act: () => Promise<unknown> } | undefined;

  private constructor(bank: LocalBank, base: StudyManifest, tables: Stage["tables"], nodes: Stage["nodes"]) {
    this.bank = bank;
    this.base = base;
    this.tables = tables;
    this.nodes = nodes;
  }

  static readonly point =
    (stage: () => Stage | undefined) =>
    async (point: CrashPoint): Promise<void> => {
      const at = stage()?.at;
      if (at?.point !== point) return;
      stage()!.at = undefined;
      await at.act();
    };

  static async start(t: ExecutionContext): Promise<Stage> {
    let stage: Stage | undefined;
    const bank = await LocalBank.start(
      { witnesses: { quorum: 1 } },
      { onCrashPoint: Stage.point(() => stage) },
    );
    t.teardown(() => bank.stop());
    const credentials = await bank.enrolAll(names);
    const base = studyOf(borrowerFeatures, algorithms);
    const table = borrowers();
    const tables = scatter(table.rows, names.length, "life").map((rows) => {
      const mine = new Set(rows);
      return selectRows(table, (row) => mine.has(row));
    });
    const bfv = await openBfv();
    t.teardown(() => bfv.close());
    const nodes = new Map<string, RunningNode>();
    for (const [i, name] of names.entries())
      nodes.set(name, await startEnterprise(bank, credentials.get(name)!, base, tables[i]!, bfv));
    t.teardown(() => Promise.all([...nodes.values()].map((node) => node.stop().catch(() => {}))));
    stage = new Stage(bank, base, tables, nodes);
    return stage;
  }

  async propose(name: string, change: Partial<StudyManifest> = {}): Promise<string> {
    const study = await this.bank.operator.propose({ ...this.base, ...change, name });
    // A node that the bank's restart cut off connects again in its own time.
    const consent = async (node: RunningNode): Promise<void> => {
      for (;;)
        try {
          return await node.consent(study);
        } catch (error) {
          if (!(error instanceof Refusal) || error.reason !== "unavailable") throw error;
          await delay(100);
        }
    };
    for (const node of this.nodes.values()) await within(() => "consents", consent(node));
    return study;
  }

  until(study: string, ...phases: string[]): Promise<{ phase: string; detail: string; round: number }> {
    const reach = async () => {
      for await (const view of this.bank.operator.follow(study)) if (phases.includes(view.phase)) return view;
      throw new Error("it ended elsewhere");
    };
    return within(() => `study in ${phases.join(" or ")}`, reach());
  }

  /** Enterprises come back one by one. */
  async allHere(study: string): Promise<void> {
    const all = async () => {
      for (;;) if ((await this.bank.operator.inspect(study)).cohort === names.length) return;
    };
    await within(() => "all enterprises", all());
  }

  async results(study: string): Promise<unknown> {
    return ((await this.bank.operator.model(study)).model as { results: unknown }).results;
  }

  /** What the log says of orders. */
  async ordersOf(study: string): Promise<string[]> {
    const { records } = await readExport(this.bank.operator.exportLog());
    const orders: string[] = [];
    for await (const record of records) {
      if (record.type !== "entry") continue;
      const entry = parseEntry(record.bytes);
      if (entry.type === "study.ordered" && entry.study === study) orders.push(entry.order);
    }
    return orders;
  }

  async verified(t: ExecutionContext): Promise<void> {
    const auditor = this.bank.auditor();
    await auditor.witness(undefined, Date.now());
    const checks = await verifyExport(auditor.exportLog(), this.bank.logPolicy(1), {
      arithmetic: studyArithmetic,
    });
    auditor.close();
    t.deepEqual(
      checks.filter(({ ok }) => !ok),
      [],
    );
  }
}

const refused = async (t: ExecutionContext, reason: Reason, message: RegExp, work: Promise<unknown>) => {
  const error = await t.throwsAsync(work, { instanceOf: Refusal, message });
  t.is((error as Refusal | undefined)?.reason, reason);
};

test("a study is paused, retried and stopped at every moment, and no step is summed twice", async (t) => {
  t.timeout(300_000);
  const stage = await Stage.start(t);
  const { bank } = stage;
  const plain = (await runPlain(stage.base, stage.tables)).results;

  const paused = await stage.propose("paused-in-an-attempt");
  stage.at = { point: "unmasking-stored", act: () => bank.operator.pause(paused) };
  await bank.operator.start(paused);
  await stage.until(paused, "paused");
  // The sum under way is finished, and nothing after it begun.
  const rests = async () => {
    for (;;) {
      const found = await bank.operator.inspect(paused);
      if (found.round === 2) return found;
    }
  };
  const resting = await within(() => "the attempt to end", rests());
  t.like(resting, { phase: "paused", sums: 1, mostSums: 2, attempt: 0, cohort: 4, leastCohort: 3 });
  t.deepEqual(
    resting.members.map(({ enterprise, connected, consent }) => ({ enterprise, connected, consent })),
    names.map((enterprise) => ({ enterprise, connected: true, consent: "given" })),
  );
  t.is((await bank.operator.pause(paused)).phase, "paused", "a second order to pause says the same");
  await refused(t, "message_unexpected", /is paused/, bank.operator.start(paused));

  // A coordinator that ends meanwhile forgets nothing.
  await bank.coordinator.kill();
  await bank.restart({ onCrashPoint: Stage.point(() => stage) });
  t.is((await bank.operator.study(paused)).phase, "paused");
  await stage.allHere(paused);
  await bank.operator.retry(paused);
  await stage.until(paused, "finished");
  t.deepEqual(await stage.results(paused), plain);
  await refused(t, "message_unexpected", /is finished/, bank.operator.retry(paused));
  await refused(t, "message_unexpected", /is finished/, bank.operator.stop(paused));

  const stopped = await stage.propose("stopped-in-unmask");
  stage.at = { point: "unmasking-stored", act: () => bank.operator.stop(stopped) };
  await bank.operator.start(stopped);
  await stage.until(stopped, "stopped");
  await refused(t, "message_unexpected", /is stopped/, bank.operator.retry(stopped));
  await refused(t, "not_found", /published no model/, bank.operator.model(stopped));

  const killed = await stage.propose("killed-before-it-published");
  let sums = 0;
  stage.at = undefined;
  const atEnd = Promise.withResolvers<void>();
  const dying = {
    point: "released" as const,
    act: async () => {
      if (++sums < 2) stage.at = dying;
      else {
        atEnd.resolve();
        await new Promise(() => {});
      }
    },
  };
  stage.at = dying;
  await bank.operator.start(killed);
  await within(() => "the last sum", atEnd.promise);
  await bank.coordinator.kill();
  await bank.restart();
  await stage.until(killed, "finished");
  t.deepEqual(await stage.results(killed), plain, "the model follows from the sums that were stored");
  await stage.verified(t);

  const orders = await stage.propose("two-operators");
  await bank.operator.start(orders);
  const { pause, retry, stop } = bank.operator;
  const asked = [pause, retry, pause, stop, retry, pause].map((order) => order.call(bank.operator, orders));
  for (const outcome of await Promise.allSettled(asked))
    if (outcome.status === "rejected") t.is((outcome.reason as Refusal).reason, "message_unexpected");
  t.is((await stage.until(orders, "stopped")).phase, "stopped", "a stop is for good");

  const removed = await stage.propose("member-removed");
  await bank.operator.start(removed);
  await bank.operator.pause(removed);
  await bank.operator.remove("weaver", "left");
  await bank.countersign();
  if ((await bank.operator.study(removed)).phase === "paused") await bank.operator.retry(removed);
  await stage.until(removed, "finished");
  await stage.verified(t);
  t.deepEqual(await stage.ordersOf(paused), ["paused", "retried"]);
  t.deepEqual(await stage.ordersOf(stopped), ["stopped"]);

  const { privacy } = stage.base;
  const tooMany = { ...stage.base, name: "too-many", privacy: { ...privacy, minCohort: 4 } };
  const waiting = await bank.operator.propose(tooMany);
  const short = /3 organisations in the roster, and minCohort is 4/;
  await refused(t, "cohort_too_small", short, bank.operator.start(waiting));
});

test("everything that is wrong with a manifest is said at once, and what it would cost", async (t) => {
  t.timeout(300_000);
  const bank = await LocalBank.start();
  t.teardown(() => bank.stop());
  await bank.enrolAll(names.slice(0, 3));
  const base = studyOf(borrowerFeatures, [{ name: "range" }, { name: "summary" }, { name: "logistic" }]);
  const good = await bank.operator.check(base);
  t.deepEqual(good.problems, []);
  t.is(good.organisations, 3);
  t.deepEqual(
    good.costs.map(({ name, mostSums }) => [name, mostSums]),
    [
      ["range", 1],
      ["summary", 1],
      ["logistic", 40],
    ],
  );
  t.true(good.costs.every(({ bytesUp }) => bytesUp > 30_000));
  // Half a second a sum at least, and what its rows take as timed here.
  t.true(good.costs.every(({ seconds }) => seconds > 0.5));
  t.deepEqual(await bank.operator.studies(), [], "nothing is stored");

  const bad = {
    ...base,
    consortium: "another",
    unprotected: [],
    features: [
      ...base.features,
      base.features[0]!,
      base.features[0]!,
      { name: base.label.column, kind: "numeric" },
    ],
    algorithms: [{ name: "logistic", penalty: -1 }, { name: "guess" }, { name: "guess" }],
    privacy: { minCohort: 9, maxColluding: 1, unit: "record" },
  };
  const { problems } = await bank.operator.check(bad);
  const all = problems.map(({ message }) => message).join("\n");
  t.deepEqual(problems, [...new Map(problems.map((one) => [one.message, one])).values()], "each once");
  for (const part of [
    /another/,
    /no noise/,
    /twice/,
    /label .* is among/,
    /penalty/,
    /guess/,
    /minCohort is 9/,
  ])
    t.regex(all, part);
  const error = await t.throwsAsync(bank.operator.propose(bad));
  for (const { reason, message } of problems)
    t.is(error?.message.includes(message), reason !== "cohort_too_small", message);
  const shapeless = await bank.operator.check({ name: "x" });
  for (const field of ["consortium", "purpose", "features", "privacy"])
    t.true(shapeless.problems[0]!.message.includes(`${field}: `), field);

  const wide = Array.from({ length: 2100 }, (_, i) => ({ name: `x${i}`, kind: "numeric" as const }));
  const tooWide = await bank.operator.check({ ...base, features: wide });
  t.regex(tooWide.problems.map(({ message }) => message).join(), /logistic would sum \d+ numbers a step/);
});
