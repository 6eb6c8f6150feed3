import test from "ava";
import { openStore } from "../../../client-node/ledger/store.ts";
import { Approvals } from "../../../client-node/page/approvals.ts";
import { studyDecisions } from "../../../client-node/page/decisions.ts";
import { epsilonText } from "../../../client-node/page/format.ts";
import { type KnownStudy, studiesView } from "../../../client-node/page/studies.ts";
import { html } from "../../../core/pages/html.ts";
import { studyEvents } from "../../../models/study-loop.ts";
import { epsilonOf } from "../../../privacy/noise/accountant.ts";
import { policyFor } from "../../../simulate/consortium.ts";
import { withNoise } from "../../support/algorithms.ts";
import { localeIn } from "../../support/page.ts";
import { borrowerFeatures, studyOf } from "../../support/rows.ts";

const delta = 1e-6;
const two = [{ name: "range" }, { name: "summary" }];
const manifest = { ...withNoise(studyOf(borrowerFeatures, two), 30), name: "sme" };
const [first, second] = studyEvents(manifest);

test("a study says what it may cost; under way, what it may still cost; and once it has ended, what it cost", (t) => {
  const db = openStore(":memory:");
  t.teardown(() => db.close());
  const policy = { ...policyFor(manifest), maxEpsilon: { lifetime: 8, delta } };
  const locale = localeIn("en");
  const decisions = studyDecisions(
    { coordinator: "bank.example:8443", db, policy: () => policy },
    () => html``,
    locale,
    new Approvals(() => 0),
    "",
  );
  const costSaid = (phase: string): string => {
    const study: KnownStudy = { study: "ab", name: "sme", manifest, phase, algorithm: "range", round: 1 };
    const { body } = studiesView({ studies: [study], consents: new Map() }, 0, locale, decisions);
    return /<dt>What it costs of the privacy budget<\/dt><dd>([^<]*)</.exec(html`${body}`.text)![1]!;
  };
  const epsilon = (...events: (typeof first)[]): string =>
    epsilonText(epsilonOf(events as [], delta), locale);
  t.is(
    costSaid("proposed"),
    `Up to ε = ${epsilon(first, second)} of your 8 for this table, of which 0.00 is spent (δ = 0.000001)`,
  );
  t.is(
    costSaid("stopped"),
    "It has ended and cost ε = 0.00; all studies of this table together have cost ε = 0.00 of your 8 (δ = 0.000001)",
  );
  // Its first sum, and a sum of another study; both are known to have ended well.
  const charge = db.prepare("INSERT INTO spend VALUES (?, ?, 1, NULL, 'rows', ?, ?)");
  const seen = db.prepare("INSERT INTO chain VALUES (?, 1, '', '{}')");
  for (const study of ["ab", "cd"]) {
    charge.run(`round of ${study}`, study, 1, JSON.stringify({ ...first, count: 1 }));
    seen.run(study);
  }
  const more = epsilonOf([first!, first!, second!], delta) - epsilonOf([first!, first!], delta);
  t.is(
    costSaid("running"),
    `Up to ε = ${epsilonText(more, locale)} of your 8 for this table, of which ${epsilon(first, first)} is spent (δ = 0.000001)`,
  );
  t.is(
    costSaid("finished"),
    `It has ended and cost ε = ${epsilon(first)}; all studies of this table together have cost ε = ${epsilon(first, first)} of your 8 (δ = 0.000001)`,
  );
});
