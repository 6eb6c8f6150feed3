import test from "ava";
import { StateChain } from "../../../client-node/federation/state-chain.ts";
import { openStore } from "../../../client-node/ledger/store.ts";
import { Refusal } from "../../../core/reasons.ts";
import type { StudyManifest } from "../../../models/study.ts";
import { mostEntries, startStudy, studyLayout } from "../../../models/study-loop.ts";
import { vectorLength } from "../../../privacy/sum/layout.ts";
import { borrowerFeatures, studyOf } from "../../support/rows.ts";

test("a node computes no vector that would fill its memory, whatever the bank let pass", (t) => {
  const db = openStore(":memory:");
  const chain = new StateChain({
    db,
    ledger: {} as never,
    now: Date.now,
    certificates: {} as never,
    statistics: {} as never,
  });
  const of = (columns: number): StudyManifest => ({
    ...studyOf(borrowerFeatures, [{ name: "range" }]),
    features: Array.from({ length: columns }, (_, i) => ({ name: `x${i}`, kind: "numeric" as const })),
  });
  const layoutOf = (manifest: StudyManifest) => studyLayout(manifest, startStudy(manifest));
  t.is(chain.next("ab".repeat(32), of(20))?.round, 1, "the control");
  const wide = of(20_000);
  t.true(vectorLength(layoutOf(wide)) > mostEntries);
  const error = t.throws(() => chain.next("cd".repeat(32), wide), { instanceOf: Refusal });
  t.is(error?.reason, "layout_overflow");
  db.close();
});
