import test from "ava";
import {
  dueStatements,
  keepStatement,
  makeStatement,
  type StatementDesk,
  sendDue,
} from "../../../client-node/federation/statements.ts";
import { headOf, storeHead } from "../../../client-node/ledger/chain.ts";
import { knownStatements, storeScoreConsent } from "../../../client-node/ledger/statements.ts";
import { openStore } from "../../../client-node/ledger/store.ts";
import { scoreOf } from "../../../client-node/rows/own-score.ts";
import { canonicalJson, digestOf } from "../../../core/canonical.ts";
import { Refusal } from "../../../core/reasons.ts";
import type { Model } from "../../../models/algorithm.ts";
import { runPlain } from "../../../models/plain.ts";
import { usualGrades } from "../../../models/scoring/grades.ts";
import { policyFor } from "../../../simulate/consortium.ts";
import { borrowerFeatures, borrowers, studyOf } from "../../support/rows.ts";

const manifest = studyOf(borrowerFeatures, [{ name: "range" }, { name: "summary" }, { name: "logistic" }]);
const text = canonicalJson(manifest);
const study = digestOf(text);
const { results } = await runPlain(manifest, [borrowers()]);
const ended = { index: manifest.algorithms.length, algorithm: null, step: 0, algorithmState: null, results };
const now = Date.parse("2026-11-27T00:00:00Z");

/** A node that followed the study, and a bank that shows it a model. */
function deskOf(shown: object, grades = usualGrades, send: "ask" | "automatic" = "ask") {
  const db = openStore(":memory:");
  storeHead(db, study, headOf(9, ended));
  const document = canonicalJson({
    algorithms: manifest.algorithms,
    lineage: { rounds: [] },
    results: shown,
  });
  const asked: string[] = [];
  const desk = {
    db,
    now: () => now,
    policy: () => ({ ...policyFor(manifest), scores: { send } }),
    credentials: { consortium: "riverbank", enterprise: "mill" },
    ownScore: async (model: Model) => scoreOf(model, borrowers(), 0),
    transport: {
      async call({ path }: { path: string }) {
        asked.push(path.replace(/^.*\./, ""));
        return path.endsWith("Get")
          ? { manifest: { canonicalJson: Buffer.from(text) } }
          : {
              canonicalJson: Buffer.from(document),
              digest: Buffer.from(digestOf(document), "hex"),
              inUse: "",
              grades,
            };
      },
    },
  } as unknown as StatementDesk;
  return { desk, asked };
}

test("a statement is made by the model that the node's own sums come to, and says names alone", async (t) => {
  const said = await makeStatement(deskOf(results).desk, study);
  t.deepEqual([said.from, said.until, said.result], ["2026-10-01", "2026-11-01", "logistic"]);
  t.true(said.reasons.every((reason) => borrowerFeatures.some(({ name }) => name === reason)));
  t.is(said.probability, Number(said.probability.toFixed(4)));
});

test("a model that the bank made up scores nothing, nor does a scale whose grades are no names", async (t) => {
  const { coefficients, ...rest } = results.logistic as { coefficients: Record<string, number> };
  // It would say the first column's mean.
  const telling = Object.fromEntries(Object.keys(coefficients).map((name, i) => [name, i === 0 ? 1 : 0]));
  const madeUp = { ...results, logistic: { ...rest, coefficients: telling } };
  const refused = await t.throwsAsync(makeStatement(deskOf(madeUp).desk, study), { instanceOf: Refusal });
  t.is(refused?.reason, "state_mismatch");
  for (const grades of ["<img src=x>:1", "A:0.5", ""])
    await t.throwsAsync(makeStatement(deskOf(results, grades).desk, study), { instanceOf: Refusal }, grades);
});

test("nothing is due without a consent, after a withdrawal, or once the month was sent or kept", async (t) => {
  const { desk, asked } = deskOf(results, usualGrades, "automatic");
  const { db } = desk;
  t.deepEqual(dueStatements(desk), []);
  storeScoreConsent(db, { study, expiresMillis: now - 1, withdrawn: false });
  t.deepEqual(dueStatements(desk), [], "it has expired");
  storeScoreConsent(db, { study, expiresMillis: now + 1, withdrawn: true });
  t.deepEqual(dueStatements(desk), []);
  storeScoreConsent(db, { study, expiresMillis: now + 1, withdrawn: false });
  t.deepEqual(dueStatements(desk), [study]);
  keepStatement(desk, study);
  t.deepEqual(dueStatements(desk), []);
  await sendDue(desk, () => t.fail("nothing is due"));
  t.deepEqual(asked, [], "nobody was asked");
  t.is(knownStatements(db)[0]?.what, "kept");
});

test("where people are asked, a node sends nothing by itself", async (t) => {
  const { desk, asked } = deskOf(results);
  storeScoreConsent(desk.db, { study, expiresMillis: now + 1, withdrawn: false });
  await sendDue(desk, () => t.fail("it was not asked to"));
  t.deepEqual(asked, []);
});
