import test from "ava";
import type { Period } from "../../auditor/report/account.ts";
import { reportDocument } from "../../auditor/report/document.ts";
import { Entries } from "../../auditor/report/entries.ts";
import { thresholds } from "../../auditor/report/findings.ts";
import { duties, sections } from "../../auditor/report/frameworks.ts";
import { reportOf } from "../../auditor/report/gather.ts";
import { digestOf } from "../../core/canonical.ts";
import type { Entry } from "../../privacy/log/entry.ts";
import { type LogBuilder, policy, sampleLedger, sampleLog, study } from "../support/log.ts";

const entriesOf = ({ leaves }: LogBuilder): Entry[] =>
  leaves.map((leaf) => JSON.parse(Buffer.from(leaf).toString()) as Entry);

async function report(log: LogBuilder, period: Period = {}, ledgers: readonly LogBuilder[] = []) {
  const bytes = await log.export();
  const shown = await Promise.all(ledgers.map((ledger) => ledger.export([], "ledger")));
  return reportOf(
    () => [bytes],
    shown.map((ledger) => () => [ledger]),
    policy,
    period,
    0,
  );
}

test("every figure of a report is that of the entries it names", async (t) => {
  const entries = entriesOf(sampleLog());
  const at = (type: Entry["type"]): number[] =>
    entries.flatMap((entry, index) => (entry.type === type ? [index] : []));
  const { account, checks, findings } = await report(sampleLog());
  t.true(checks.every(({ ok }) => ok));
  for (const [type, named] of account.byType) t.deepEqual([...named.toJSON()], at(type), type);
  t.is(
    [...account.byType.values()].reduce((sum, { count }) => sum + count, 0),
    entries.length,
  );
  const ours = account.studies.get(study)!;
  t.deepEqual([...ours.releases.toJSON()], at("round.released"));
  t.deepEqual([...ours.proposed.toJSON()], at("study.proposed"));
  t.is(ours.opened, at("round.opened").length);
  const released = new Set(
    entries.flatMap((entry) => (entry.type === "round.released" ? [entry.roundId] : [])),
  );
  const survivors = entries.flatMap((entry) =>
    entry.type === "round.survivors" && released.has(entry.roundId) ? [entry.survivors] : [],
  );
  t.deepEqual(
    ours.released.map((one) => one.survivors),
    survivors,
  );
  for (const [enterprise, sums] of ours.sumsOf)
    t.is(sums, survivors.filter((list) => list.includes(enterprise)).length, enterprise);
  t.false(findings.some(({ weight }) => weight === "violation"));
  t.true(findings.some(({ text }) => text.includes("carry no noise")));
});

test("a forged log is reported as what it is", async (t) => {
  const forged = sampleLog({
    entry: (entry) => (entry.type === "privacy.spent" ? [{ ...entry, unit: "subject" }] : [entry]),
  });
  const made = await report(forged);
  const [grave] = made.findings;
  t.is(grave?.weight, "violation");
  const index = grave!.entries.toJSON()[0]!;
  t.is(entriesOf(forged)[index]?.type, "privacy.spent");
  const text = reportDocument(made);
  t.true(text.includes("FAILS"));
  t.regex(text, /checks of the log fail/);
});

test("a period counts what happened in it, and knows who was there before", async (t) => {
  const entries = entriesOf(sampleLog());
  const first = entries.findIndex(({ type }) => type === "round.opened");
  const from = entries[first]!.time;
  const whole = await report(sampleLog());
  const late = await report(sampleLog(), { from });
  const early = await report(sampleLog(), { until: from - 1 });
  t.is(late.account.members.size, whole.account.members.size);
  t.is(late.account.byType.get("consortium.created"), undefined);
  const sums = ({ account }: typeof whole): number => account.studies.get(study)?.released.length ?? 0;
  t.is(sums(late), sums(whole));
  t.is(sums(early), 0);
  t.is(
    early.account.byType.get("round.opened")?.count ?? 0,
    entries.filter(({ type, time }) => type === "round.opened" && time < from).length,
  );
});

test("a ledger is compared with the log, and what left by it is counted", async (t) => {
  const log = sampleLog();
  const foreign = sampleLedger("cold-chain", [digestOf("a"), digestOf("b")]);
  const { ledgers, findings } = await report(log, {}, [foreign]);
  t.is(ledgers[0]?.enterprise, "cold-chain");
  t.false(ledgers[0]!.reconciles);
  const sent = entriesOf(foreign).filter(({ type }) => type === "egress.sent");
  const counted = [...ledgers[0]!.departures.values()].reduce((sum, { messages }) => sum + messages, 0);
  t.is(counted, sent.length);
  t.true(
    findings.some(({ weight, text }) => weight === "violation" && text.includes("the ledger of cold-chain")),
  );
});

test("a level C3 field that did not stop at the enterprise is a violation, and much suppression is told", async (t) => {
  const log = sampleLog();
  const ledger = sampleLedger("cold-chain", []);
  ledger.append({
    type: "desensitization.ran",
    time: 1,
    enterprise: "cold-chain",
    policy: digestOf("p"),
    version: 1,
    fields: [
      { field: "card number", class: "direct", level: "C3", operator: "mask" },
      { field: "pin", class: "direct", level: "C3", operator: "drop" },
    ],
    rowsIn: 100,
    rowsOut: 90,
    k: 5,
    l: 2,
    t: 0.1,
    suppressionRate: thresholds.suppressionRate + 0.05,
  });
  const { findings } = await report(log, {}, [ledger]);
  t.true(findings.some(({ weight, text }) => weight === "violation" && text.includes("card number")));
  t.false(findings.some(({ text }) => text.includes("the field pin")));
  t.true(findings.some(({ weight, text }) => weight === "note" && text.includes("10.0 % of 100 rows")));
});

test("the document escapes what others wrote, needs nothing from elsewhere, and every duty points at a section", async (t) => {
  const made = await report(sampleLog());
  const hostile = '<script>alert("x")</script>';
  const ours = made.account.studies.get(study)!;
  made.account.studies.set(study, {
    ...ours,
    terms: { ...ours.terms, purpose: hostile, legalBasis: hostile },
  });
  const text = reportDocument(made);
  t.false(text.includes("<script"));
  t.true(text.includes("&lt;script&gt;"));
  t.notRegex(text, /(?:src|href)="(?!#)/);
  for (const { shownIn } of duties)
    for (const section of shownIn) {
      t.true(section in sections);
      t.true(text.includes(`<section id="${section}">`));
    }
});

test("entries are named one by one as long as there are few", (t) => {
  t.is(Entries.of().toString(), "no entry");
  t.is(Entries.of(7).toString(), "entry 7");
  t.is(Entries.of(7, 9).toString(), "entries 7, 9");
  t.is(Entries.of(1, 2, 3, 4, 5, 6, 40).toString(), "7 entries, 1 to 40");
});
