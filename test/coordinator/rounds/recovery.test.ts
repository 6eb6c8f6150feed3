import test from "ava";
import type { CrashPoint } from "../../../coordinator/bank.ts";
import { runPlain } from "../../../models/plain.ts";
import { selectRows } from "../../../models/rows.ts";
import { readExport } from "../../../privacy/log/export.ts";
import { verifyExport } from "../../../privacy/log/verify.ts";
import { openBfv } from "../../../privacy/sum/encryption/bfv.ts";
import { LocalBank, startEnterprise } from "../../../simulate/consortium.ts";
import { borrowerFeatures, borrowers, scatter, studyOf } from "../../support/rows.ts";

const names = ["lathe", "mill", "truck"];
const table = borrowers();
const tables = scatter(table.rows, names.length, "recovery").map((rows) => {
  const mine = new Set(rows);
  return selectRows(table, (row) => mine.has(row));
});
const base = studyOf(borrowerFeatures, [{ name: "range" }, { name: "summary" }]);

/** Before the survivor list is stored an attempt is given up; from then on it is finished from what is stored. */
const points: readonly { point: CrashPoint; attempts: number }[] = [
  { point: "epoch-stored", attempts: 1 },
  { point: "attempt-opened", attempts: 2 },
  { point: "uploads-synced", attempts: 2 },
  { point: "agreeing-stored", attempts: 1 },
  { point: "unmasking-stored", attempts: 1 },
  { point: "unmask-stored", attempts: 1 },
  { point: "aggregate-stored", attempts: 1 },
  { point: "released", attempts: 1 },
];

/** Which nodes have said that they are connected. */
class Connections {
  readonly #count: number;
  readonly #connected = new Set<string>();
  #settle = Promise.withResolvers<void>();

  constructor(count: number) {
    this.#count = count;
  }

  listener(name: string): (event: { type: string }) => void {
    return ({ type }) => {
      if (type === "connected") this.#connected.add(name);
      if (this.#connected.size === this.#count) this.#settle.resolve();
    };
  }

  forget(): void {
    this.#connected.clear();
    this.#settle = Promise.withResolvers();
  }

  all(): Promise<void> {
    return this.#settle.promise;
  }
}

/** Stops the process for good the first time a point is reached. */
function crashAt(wanted: CrashPoint) {
  const { promise: reached, resolve } = Promise.withResolvers<void>();
  const onCrashPoint = (point: CrashPoint): void | Promise<void> => {
    if (point !== wanted) return;
    resolve();
    return new Promise<void>(() => {});
  };
  return { reached, onCrashPoint };
}

test("killed at any point and started again: the study goes on, no sum is released twice or lost", async (t) => {
  t.timeout(300_000);
  const bank = await LocalBank.start({ witnesses: { quorum: 1 } });
  t.teardown(() => bank.stop());
  const credentials = await bank.enrolAll(names);
  const bfv = await openBfv();
  t.teardown(() => bfv.close());
  const connections = new Connections(names.length);
  const nodes = await Promise.all(
    names.map((name, i) =>
      startEnterprise(bank, credentials.get(name)!, base, tables[i]!, bfv, connections.listener(name)),
    ),
  );
  t.teardown(() => Promise.all(nodes.map((node) => node.stop())));
  const plain = await runPlain(base, tables);

  for (const { point, attempts } of points) {
    connections.forget();
    await bank.coordinator.stop();
    const { reached, onCrashPoint } = crashAt(point);
    await bank.restart({ onCrashPoint });
    const manifest = { ...base, name: `study-${point}` };
    const study = await bank.operator.propose(manifest);
    await connections.all();
    await Promise.all(nodes.map((node) => node.consent(study)));
    await bank.operator.start(study);
    await reached;
    await bank.coordinator.kill();
    await bank.restart();

    let last: { phase: string; reason: string; detail: string } | undefined;
    for await (const view of bank.operator.follow(study)) last = view;
    t.is(last?.phase, "finished", `${point}: ${last?.reason} ${last?.detail}`);
    const { model } = await bank.operator.model(study);
    t.deepEqual((model as { results: unknown }).results, plain.results, point);
    const opened = await countEntries(
      bank,
      (entry) => entry.type === "round.opened" && entry.study === study,
    );
    t.is(opened - (manifest.algorithms.length - 1), attempts, `${point}: attempts of the first round`);
  }

  const auditor = bank.auditor();
  await auditor.witness(undefined, Date.now());
  const checks = await verifyExport(auditor.exportLog(), bank.logPolicy(1));
  t.deepEqual(
    checks.filter(({ ok }) => !ok),
    [],
  );
  auditor.close();
});

async function countEntries(
  bank: LocalBank,
  matches: (entry: { type: string; study?: string }) => boolean,
): Promise<number> {
  // An export ends where the log was last witnessed.
  const auditor = bank.auditor();
  await auditor.witness(undefined, Date.now());
  auditor.close();
  const { records } = await readExport(bank.operator.exportLog());
  let count = 0;
  for await (const record of records)
    if (record.type === "entry" && matches(JSON.parse(Buffer.from(record.bytes).toString()))) count++;
  return count;
}
