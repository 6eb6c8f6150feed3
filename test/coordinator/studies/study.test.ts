import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import test from "ava";
import { digestOf } from "../../../core/canonical.ts";
import { openLog } from "../../../core/log.ts";
import type { EvaluateResult } from "../../../models/algorithms/evaluate.ts";
import { runPlain } from "../../../models/plain.ts";
import { studyArithmetic } from "../../../models/recompute.ts";
import { selectRows } from "../../../models/rows.ts";
import { type EntryOf, parseEntry } from "../../../privacy/log/entry.ts";
import { readExport } from "../../../privacy/log/export.ts";
import { allHold, verifyExport } from "../../../privacy/log/verify.ts";
import { chunkCount, openBfv } from "../../../privacy/sum/encryption/bfv.ts";
import { seededBytes } from "../../../privacy/sum/encryption/bfv-format.ts";
import type { RoundHeader } from "../../../privacy/sum/header.ts";
import { planPacking } from "../../../privacy/sum/layout.ts";
import { LocalBank, startEnterprise } from "../../../simulate/consortium.ts";
import { borrowerFeatures, borrowers, scatter, studyOf } from "../../support/rows.ts";

const execute = promisify(execFile);

test("a study runs from tokens to a published model, and its log verifies", async (t) => {
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  const log = openLog({ logLevel: "info", logFormat: "text" }, Date.now, write);
  const bank = await LocalBank.start({ witnesses: { quorum: 1 } }, { log });
  t.teardown(() => bank.stop());
  const names = ["kiln", "lathe", "mill", "truck"];
  const credentials = await bank.enrolAll(names);
  const manifest = studyOf(borrowerFeatures, [
    { name: "range" },
    { name: "summary" },
    { name: "standardize" },
    { name: "logistic" },
    { name: "evaluate" },
  ]);
  const study = await bank.operator.propose(manifest);
  const table = borrowers();
  const tables = scatter(table.rows, names.length, "study").map((rows) => {
    const mine = new Set(rows);
    return selectRows(table, (row) => mine.has(row));
  });
  const bfv = await openBfv();
  t.teardown(() => bfv.close());
  const nodes = await Promise.all(
    names.map((name, i) => startEnterprise(bank, credentials.get(name)!, manifest, tables[i]!, bfv)),
  );
  t.teardown(() => Promise.all(nodes.map((node) => node.stop())));
  await Promise.all(nodes.map((node) => node.consent(study)));
  await bank.operator.start(study);
  let last: { phase: string; reason: string; detail: string } | undefined;
  for await (const view of bank.operator.follow(study)) last = view;
  t.is(last?.phase, "finished", `${last?.reason}: ${last?.detail}`);
  t.true(lines.length < 100, `${lines.length} lines`);
  for (const said of ["study started", "round released", "study finished"])
    t.true(
      lines.some((line) => line.includes(said)),
      said,
    );
  const { digest, model } = await bank.operator.model(study);
  const printed = await execute(process.execPath, [
    "--no-warnings",
    join(import.meta.dirname, "../../support/coordinator-child.ts"),
    ...["model", manifest.name, "--config", join(bank.dir, "coordinator.yaml")],
    ...["--address", bank.coordinator.address],
  ]);
  t.is(digestOf(printed.stdout), digest, "what the command prints has the model's digest");
  const plain = await runPlain(manifest, tables);
  t.deepEqual((model as { results: unknown }).results, plain.results);
  const auditor = bank.auditor();
  await auditor.witness(undefined, Date.now());
  const checks = await verifyExport(auditor.exportLog(), bank.logPolicy(1), { arithmetic: studyArithmetic });
  t.deepEqual(
    checks.filter(({ ok }) => !ok),
    [],
  );
  t.false(checks.some(({ detail }) => detail.startsWith("not checked")));
  const withoutSums = await verifyExport(bank.operator.exportLog(true), bank.logPolicy(1), {
    arithmetic: studyArithmetic,
  });
  t.true(allHold(withoutSums));
  t.is(withoutSums.filter(({ detail }) => detail === "not checked: the export carries no sums").length, 2);
  const { records } = await readExport(auditor.exportLog());
  let bytes = 0;
  let submissions = 0;
  const evaluated: EntryOf<"model.evaluated">[] = [];
  for await (const record of records)
    if (record.type === "attachment" && record.attachment.kind === "header") {
      const header = record.attachment.value as RoundHeader;
      t.is(header.threshold, 3, "two thirds of four, everyone counted");
      const { slots } = planPacking(header.layout, header.cohort.length);
      bytes = chunkCount(slots) * seededBytes;
    } else if (record.type === "entry") {
      const entry = parseEntry(record.bytes);
      if (entry.type === "model.evaluated") evaluated.push(entry);
      if (entry.type !== "round.submitted") continue;
      submissions++;
      t.is(entry.bytes, bytes, "all its ciphertexts, each as long as it is");
    }
  const { n, auc, ks } = (plain.results.evaluate as EvaluateResult).models.logistic!;
  t.is(evaluated.length, 1);
  t.like(evaluated[0], { study, model: digest, algorithm: "logistic", rows: n });
  t.like(evaluated[0]!.metrics, { auc, ks });
  t.true(submissions >= 4 * names.length);
  auditor.close();
});
