import test from "ava";
import { runPlain } from "../../../models/plain.ts";
import { selectRows } from "../../../models/rows.ts";
import { type EntryOf, parseEntry } from "../../../privacy/log/entry.ts";
import { readExport } from "../../../privacy/log/export.ts";
import { verifyExport } from "../../../privacy/log/verify.ts";
import { openBfv } from "../../../privacy/sum/encryption/bfv.ts";
import type { RoundHeader } from "../../../privacy/sum/header.ts";
import { LocalBank, startEnterprise } from "../../../simulate/consortium.ts";
import { borrowerFeatures, borrowers, scatter, studyOf } from "../../support/rows.ts";

test("two studies run at once under one key epoch, and one that waits for members says so", async (t) => {
  t.timeout(300_000);
  const bank = await LocalBank.start({ witnesses: { quorum: 1 } });
  t.teardown(() => bank.stop());
  const names = ["lathe", "mill", "truck"];
  const credentials = await bank.enrolAll([...names, "weaver"]);
  const base = studyOf(borrowerFeatures, [{ name: "range" }, { name: "summary" }]);
  const { privacy } = base;
  const table = borrowers();
  const tables = scatter(table.rows, names.length, "several").map((rows) => {
    const mine = new Set(rows);
    return selectRows(table, (row) => mine.has(row));
  });
  const bfv = await openBfv();
  t.teardown(() => bfv.close());
  const nodes = await Promise.all(
    names.map((name, i) => startEnterprise(bank, credentials.get(name)!, base, tables[i]!, bfv)),
  );
  t.teardown(() => Promise.all(nodes.map((node) => node.stop())));
  const manifests = [
    { ...base, name: "first" },
    { ...base, name: "second" },
    { ...base, name: "all-four", privacy: { ...privacy, minCohort: 4 } },
  ];
  const studies = await Promise.all(manifests.map((manifest) => bank.operator.propose(manifest)));
  for (const node of nodes) for (const study of studies) await node.consent(study);
  for (const study of studies) await bank.operator.start(study);

  const plain = await runPlain(base, tables);
  for (const study of studies.slice(0, 2)) {
    for await (const view of bank.operator.follow(study)) t.not(view.phase, "failed", view.detail);
    const { model } = await bank.operator.model(study);
    t.deepEqual((model as { results: unknown }).results, plain.results);
  }
  for await (const { phase, reason, detail } of bank.operator.follow(studies[2]!)) {
    t.is(phase, "running");
    if (reason === "") continue;
    t.is(reason, "cohort_too_small");
    t.regex(detail, /3 of at least 4 organisations/);
    break;
  }

  const auditor = bank.auditor();
  await auditor.witness(undefined, Date.now());
  const checks = await verifyExport(auditor.exportLog(), bank.logPolicy(1));
  t.deepEqual(
    checks.filter(({ ok }) => !ok),
    [],
  );
  const slots: number[] = [];
  const underWay = new Set<string>();
  const published: number[] = [];
  const epochs: EntryOf<"key.epoch">[] = [];
  const { records } = await readExport(auditor.exportLog());
  for await (const record of records)
    if (record.type === "attachment" && record.attachment.kind === "header")
      slots.push((record.attachment.value as RoundHeader).slot);
    else if (record.type === "entry") {
      const entry = parseEntry(record.bytes);
      if (entry.type === "key.epoch") epochs.push(entry);
      if (entry.type === "round.opened") underWay.add(entry.study);
      if (entry.type === "model.published") published.push(underWay.size);
    }
  auditor.close();
  t.deepEqual(published, [2, 2], "the second began before the first had ended");
  t.is(epochs.length, 1);
  t.deepEqual(epochs[0]!.members, names);
  t.deepEqual(slots, [...slots.keys()], "each attempt has the next slot");
});
