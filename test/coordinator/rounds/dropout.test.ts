import test from "ava";
import type { NodeEvent, RunningNode } from "../../../client-node/node.ts";
import { runPlain } from "../../../models/plain.ts";
import { selectRows } from "../../../models/rows.ts";
import { readExport } from "../../../privacy/log/export.ts";
import { verifyExport } from "../../../privacy/log/verify.ts";
import { openBfv } from "../../../privacy/sum/encryption/bfv.ts";
import type { RoundHeader } from "../../../privacy/sum/header.ts";
import { LocalBank, startEnterprise } from "../../../simulate/consortium.ts";
import { borrowerFeatures, borrowers, scatter, studyOf } from "../../support/rows.ts";

const names = ["dyer", "lathe", "mill", "truck", "weaver"];
const table = borrowers();
const tables = scatter(table.rows, names.length, "dropout").map((rows) => {
  const mine = new Set(rows);
  return selectRows(table, (row) => mine.has(row));
});

test("an enterprise cut off at any step is left out or counted whole, comes back, and the log says so", async (t) => {
  t.timeout(300_000);
  const bank = await LocalBank.start({ witnesses: { quorum: 1 } });
  t.teardown(() => bank.stop());
  const credentials = await bank.enrolAll(names);
  const bfv = await openBfv();
  t.teardown(() => bfv.close());
  const base = { ...studyOf(borrowerFeatures, [{ name: "range" }]), deadlines: { stepSeconds: 30 } };
  const nodes = new Map<string, RunningNode>();
  t.teardown(() => Promise.all([...nodes.values()].map((node) => node.stop())));
  /** Runs its party; cut off as soon as it reaches a phase. */
  const join = async (
    name: string,
    cutAt?: string,
    onEvent: (event: NodeEvent) => void = () => {},
  ): Promise<void> => {
    const i = names.indexOf(name);
    let cut = cutAt;
    const node = await startEnterprise(bank, credentials.get(name)!, base, tables[i]!, bfv, (event) => {
      onEvent(event);
      if (event.type !== "round" || event.phase !== cut) return;
      cut = undefined;
      nodes.get(name)!.drop();
    });
    nodes.set(name, node);
  };
  for (const name of names) if (name !== "mill") await join(name);

  /** Whether the sum that ends the round holds the one that was cut off there. */
  const phases: readonly { phase: string; counted: boolean }[] = [
    { phase: "contributing", counted: false },
    { phase: "sealing", counted: false },
    { phase: "agreed", counted: true },
    { phase: "unmasked", counted: true },
  ];
  for (const { phase, counted } of phases) {
    await join("mill", phase);
    const study = await bank.operator.propose({ ...base, name: `cut-${phase}` });
    for (const node of nodes.values()) await node.consent(study);
    await bank.operator.start(study);
    let last: { phase: string; reason: string; detail: string; attempt: number } | undefined;
    for await (const view of bank.operator.follow(study)) last = view;
    t.is(last?.phase, "finished", `${phase}: ${last?.reason} ${last?.detail}`);
    t.is(last?.attempt, 1, `${phase}: one attempt is enough`);
    const plain = await runPlain(
      base,
      tables.filter((_, i) => counted || names[i] !== "mill"),
    );
    const { model } = await bank.operator.model(study);
    t.deepEqual((model as { results: unknown }).results, plain.results, phase);
    await nodes.get("mill")!.finished.catch(() => {});
    nodes.delete("mill");
  }

  // Five are needed: without mill the attempt ends, and the next one waits until it is back.
  await join("mill", "contributing");
  const study = await bank.operator.propose({
    ...base,
    name: "all-or-nothing",
    privacy: { ...base.privacy, minCohort: names.length },
  });
  for (const node of nodes.values()) await node.consent(study);
  const { promise: aborted, resolve } = Promise.withResolvers<void>();
  nodes.get("lathe")!.drop();
  await nodes.get("lathe")!.finished.catch(() => {});
  await join("lathe", undefined, (event) => {
    if (event.type === "closed" && event.outcome === "aborted") resolve();
  });
  await nodes.get("lathe")!.consent(study);
  await bank.operator.start(study);
  await aborted;
  await nodes.get("mill")!.finished.catch(() => {});
  await join("mill");
  await nodes.get("mill")!.consent(study);
  let last: { phase: string; attempt: number } | undefined;
  for await (const view of bank.operator.follow(study)) last = view;
  t.deepEqual([last?.phase, last?.attempt], ["finished", 2]);

  const auditor = bank.auditor();
  t.teardown(() => auditor.close());
  await auditor.witness(undefined, Date.now());
  const checks = await verifyExport(auditor.exportLog(), bank.logPolicy(1));
  t.deepEqual(
    checks.filter(({ ok }) => !ok),
    [],
  );
  const { records } = await readExport(auditor.exportLog());
  let cohort: readonly string[] = [];
  for await (const record of records)
    if (record.type === "attachment" && record.attachment.kind === "header")
      cohort = (record.attachment.value as RoundHeader).cohort;
  t.deepEqual(cohort, names, "back in the cohort");
});
