import test from "ava";
import type { Bank } from "../../../coordinator/bank.ts";
import type { Transaction } from "../../../coordinator/store/sql.ts";
import { publishModel } from "../../../coordinator/studies/model-registry.ts";
import { digestOf } from "../../../core/canonical.ts";
import { startStudy } from "../../../models/study-loop.ts";
import { type Entry, entryBytes, lineageDigest, parseEntry } from "../../../privacy/log/entry.ts";
import { borrowerFeatures, studyOf } from "../../support/rows.ts";

test("a study of as many rounds as a manifest allows publishes its model", async (t) => {
  const rounds = 10_000;
  const study = digestOf("study");
  const manifest = studyOf(borrowerFeatures, [{ name: "range" }]);
  const rows = Array.from({ length: rounds }, (_, i) => ({
    round_id: digestOf(`round ${i}`),
    algorithm: "neural",
    survivors: 3 + (i % 2),
    digest: digestOf(`certificate ${i}`),
    state: digestOf(`state ${i}`),
  }));
  const documents: string[] = [];
  const sql = (async (parts: TemplateStringsArray, ...values: unknown[]) => {
    if (parts[0]!.includes("SELECT")) return rows;
    documents.push(values[2] as string);
    return [];
  }) as unknown as Transaction;
  const entries: Entry[] = [];
  const bank = {
    clock: { now: () => 1000 },
    privacyLog: {
      // As the log stores them: a leaf that fits its schema and its length.
      append: async (_: Transaction, all: readonly object[]) =>
        entries.push(...all.map((entry) => parseEntry(entryBytes({ ...entry, time: 1 } as Entry)))),
    },
  } as unknown as Bank;
  const model = await publishModel(bank, sql, study, manifest, startStudy(manifest));
  t.is(digestOf(documents[0]!), model);
  t.like(entries[0], {
    type: "model.published",
    rounds,
    smallestCohort: 3,
    lineage: lineageDigest(rows.map(({ round_id }) => round_id)),
  });
  // One message has to hold it: GetModel's answer.
  t.true(documents[0]!.length < 16 * 1024 * 1024);
});
