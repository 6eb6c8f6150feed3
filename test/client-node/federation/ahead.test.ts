import test from "ava";
import { Ahead } from "../../../client-node/federation/ahead.ts";
import { StateChain } from "../../../client-node/federation/state-chain.ts";
import { DirectStatistics, type Statistics } from "../../../client-node/federation/statistics.ts";
import { storedHead } from "../../../client-node/ledger/chain.ts";
import { openStore } from "../../../client-node/ledger/store.ts";
import { canonicalJson, digestOf } from "../../../core/canonical.ts";
import { secureRandom } from "../../../core/random.ts";
import { Refusal } from "../../../core/reasons.ts";
import { borrowerFeatures, borrowers, studyOf } from "../../support/rows.ts";

const manifest = studyOf(borrowerFeatures, [{ name: "range" }, { name: "summary" }]);
const study = digestOf(canonicalJson(manifest));
const table = borrowers();

/** Statistics that count what they are asked for, and fail as often as they are told. */
function counted() {
  const direct = new DirectStatistics(secureRandom);
  const asked = { contribute: 0, advance: 0, failing: 0 };
  const fails = (): void => {
    if (asked.failing-- > 0) throw new Refusal("internal", "the thread ended");
  };
  const statistics: Pick<Statistics, "contribute" | "advance"> = {
    async contribute(...given) {
      asked.contribute++;
      fails();
      return direct.contribute(...given);
    },
    async advance(...given) {
      asked.advance++;
      fails();
      return direct.advance(...given);
    },
  };
  const db = openStore(":memory:");
  const nobody = {} as never;
  const chain = new StateChain({ db, ledger: nobody, now: Date.now, certificates: nobody, statistics });
  return { asked, chain, db, ahead: new Ahead(statistics) };
}

/** A survivor that knows the first sum, and is not told yet that its round has ended. */
async function released() {
  const all = counted();
  const first = all.chain.head(study, manifest);
  const values = await all.ahead.contribute(study, manifest, first, table);
  const sum = { values, parties: 1 };
  const next = (await all.chain.foresee(study, manifest, 1, sum))!;
  return { ...all, first, sum, next };
}

test("what follows from a sum counts for nothing before its round has ended, and is computed once", async (t) => {
  const { asked, chain, db, first, sum, next } = await released();
  t.is(chain.head(study, manifest), first);
  t.is(storedHead(db, study), undefined);
  await chain.advance(study, manifest, 1, sum);
  t.is(chain.head(study, manifest), next);
  t.is(storedHead(db, study)!.digest, next.digest);
  t.is(asked.advance, 1);
  t.is(await chain.foresee(study, manifest, 1, sum), undefined, "another sum of the step");
});

test("another sum than the one foreseen, or one whose work failed, is worked out anew", async (t) => {
  const { asked, chain, sum, next } = await released();
  const other = { ...sum, values: sum.values.map((x) => 2 * x) };
  await chain.advance(study, manifest, 1, other);
  t.is(asked.advance, 2);
  t.not(chain.head(study, manifest).digest, next.digest);
  const failed = counted();
  failed.asked.failing = 1;
  await t.throwsAsync(failed.chain.foresee(study, manifest, 1, sum));
  await failed.chain.advance(study, manifest, 1, sum);
  t.is(failed.chain.head(study, manifest).digest, next.digest);
});

test("the statistic begun ahead of its round is the one that the round asks for, once", async (t) => {
  const { asked, ahead, first, next } = await released();
  ahead.begin(study, manifest, next);
  t.is(asked.contribute, 2);
  const values = await ahead.contribute(study, manifest, next, table);
  t.is(asked.contribute, 2);
  t.deepEqual(
    values,
    await new DirectStatistics(secureRandom).contribute(study, manifest, next.state, table),
  );
  t.deepEqual(await ahead.contribute(study, manifest, next, table), values, "another attempt of the step");
  t.is(asked.contribute, 3);
  ahead.begin(study, manifest, next);
  await ahead.contribute(study, manifest, first, table);
  t.is(asked.contribute, 5, "another state than the one begun with");
  ahead.begin(study, manifest, next);
  await ahead.contribute(study, manifest, next, borrowers());
  t.is(asked.contribute, 7, "other rows than those begun with");
  await ahead.contribute(study, manifest, next, table);
  asked.failing = 1;
  ahead.begin(study, manifest, next);
  t.is(asked.contribute, 9);
  t.deepEqual(await ahead.contribute(study, manifest, next, table), values, "failed ahead of time");
  ahead.forget(study);
  ahead.begin(study, manifest, next);
  t.is(asked.contribute, 10, "nothing is begun over rows that were forgotten");
});
