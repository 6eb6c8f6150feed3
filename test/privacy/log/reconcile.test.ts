import test from "ava";
import { digestOf } from "../../../core/canonical.ts";
import { type EntryOf, parseEntry } from "../../../privacy/log/entry.ts";
import { reconcile } from "../../../privacy/log/reconcile.ts";
import {
  placeOf as at,
  type LogBuilder,
  policy,
  sampleLedger,
  sampleLog,
  statementOf,
} from "../../support/log.ts";

const said = parseEntry(sampleLog().leaves[at("score.issued")]!) as EntryOf<"score.issued">;
const claim = "every score statement the bank logged is in the ledger";

/** What the two sides come to where the lathe works' ledger has these statements. */
async function against(log: LogBuilder, statements: readonly string[]) {
  const rounds = log.items.flatMap((item) => (item.type === "header" ? [digestOf(item.bytes)] : []));
  const ledger = sampleLedger("lathe-works", rounds);
  for (const statement of statements) ledger.append({ ...said, statement });
  const [bank, own] = [await log.export(), await ledger.export([], "ledger")];
  const checks = await reconcile(
    () => [bank],
    () => [own],
    policy,
  );
  return checks.filter(({ check, ok }) => check === claim || !ok);
}

test("a statement on both sides is in order, and one that the bank did not take is said", async (t) => {
  t.deepEqual(await against(sampleLog(), [said.statement]), [
    { check: claim, ok: true, detail: "1 statements" },
  ]);
  const refused = statementOf({ model: said.model, issued: said.time, grade: "D" });
  t.deepEqual(await against(sampleLog(), [said.statement, refused]), [
    {
      check: claim,
      ok: true,
      detail: "1 statements; 1 more in the ledger, which the bank did not take",
    },
  ]);
});

test("a statement that the enterprise never made is found", async (t) => {
  // Its key signed it, as a bank would have it that stole one, or was given an old one.
  t.deepEqual(await against(sampleLog(), []), [
    { check: claim, ok: false, detail: "not there", entry: at("score.issued") },
  ]);
  const other = statementOf({ model: said.model, issued: said.time, grade: "A", probability: 0.001 });
  t.deepEqual(await against(sampleLog(), [other]), [
    { check: claim, ok: false, detail: "not there", entry: at("score.issued") },
  ]);
});
