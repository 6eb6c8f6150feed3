import test from "ava";
import { digestOf } from "../../../core/canonical.ts";
import { type Entry, type EntryOf, parseEntry } from "../../../privacy/log/entry.ts";
import { reconcile } from "../../../privacy/log/reconcile.ts";
import {
  placeOf as at,
  type LogBuilder,
  policy,
  sampleLedger,
  sampleLog,
  statementOf,
  warningEntry,
} from "../../support/log.ts";

const said = parseEntry(sampleLog().leaves[at("score.issued")]!) as EntryOf<"score.issued">;
const claim = "every score statement the bank logged is in the ledger";

/** What the two sides come to where an enterprise's ledger has these entries besides: these checks, and what fails. */
async function compared(log: LogBuilder, enterprise: string, entries: readonly Entry[], claims: string[]) {
  const rounds = log.items.flatMap((item) => (item.type === "header" ? [digestOf(item.bytes)] : []));
  const ledger = sampleLedger(enterprise, rounds);
  for (const entry of entries) ledger.append(entry);
  const [bank, own] = [await log.export(), await ledger.export([], "ledger")];
  const checks = await reconcile(
    () => [bank],
    () => [own],
    policy,
  );
  return checks.filter(({ check, ok }) => claims.includes(check) || !ok);
}

/** What the two sides come to where the lathe works' ledger has these statements. */
const against = (log: LogBuilder, statements: readonly string[]) =>
  compared(
    log,
    "lathe-works",
    statements.map((statement) => ({ ...said, statement })),
    [claim],
  );

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

const loggedReports = "every report of warnings the bank logged is in the ledger";
const ledgerReports = "every report of warnings in the ledger is in the bank's log";

/** What the two sides come to where bank and the cold chain's ledger hold these reports of warnings. */
function warned(logged: readonly EntryOf<"warning.raised">[], own: readonly EntryOf<"warning.raised">[]) {
  const log = sampleLog({
    entry: (honest) => (honest.type === "study.withdrawn" ? [...logged, honest] : [honest]),
  });
  return compared(log, "cold-chain", own, [loggedReports, ledgerReports]);
}

const toldAt = at("study.withdrawn");
const reportTime = parseEntry(sampleLog().leaves[toldAt]!).time;
const reportOf = (report: string, warnings: number) =>
  warningEntry(reportTime, { signedReport: digestOf(report), warnings });

test("reports of warnings are matched one by one: the bank logs no more of each than was told", async (t) => {
  const [first, second] = [reportOf("first", 3), reportOf("second", 1)];
  const holds = [
    { check: loggedReports, ok: true, detail: "2 reports" },
    { check: ledgerReports, ok: true, detail: "2 reports" },
  ];
  t.deepEqual(await warned([first, second], [first, second]), holds);
  // Two of the three were known to the bank before.
  t.deepEqual(await warned([reportOf("first", 1), second], [first, second]), holds);
});

test("a report that the bank made up, counts higher or logs twice is found, at its entry", async (t) => {
  const [first, second] = [reportOf("first", 3), reportOf("second", 1)];
  const made = (entry: number) => ({ check: loggedReports, ok: false, detail: "not there", entry });
  const told = (reports: number) => ({ check: ledgerReports, ok: true, detail: `${reports} reports` });
  // Its key signed it, as a bank would have it that stole one.
  t.deepEqual(await warned([first, second], [first]), [made(toldAt + 1), told(1)]);
  t.deepEqual(await warned([first], []), [made(toldAt), told(0)]);
  t.deepEqual(await warned([reportOf("first", 4)], [first]), [made(toldAt), told(1)]);
  t.deepEqual(await warned([first, reportOf("first", 1)], [first]), [made(toldAt + 1), told(1)]);
});

test("a report in the ledger that the bank's log lacks is told, for people to judge", async (t) => {
  const [first, second] = [reportOf("first", 3), reportOf("second", 1)];
  t.deepEqual(await warned([second], [first, second]), [
    { check: loggedReports, ok: true, detail: "1 reports" },
    {
      check: ledgerReports,
      ok: true,
      detail: "2 reports, 1 of them not: they did not arrive, told nothing new, or were left out",
      finding: true,
    },
  ]);
});

const covers = "every checkpoint the bank logged is of this ledger";

/** What fails, or is for people to judge, between a log and the first so many entries of the cold chain's ledger. */
async function found(log: LogBuilder, entries = Number.POSITIVE_INFINITY, shown?: string) {
  const rounds = sampleLog().items.flatMap((item) => (item.type === "header" ? [digestOf(item.bytes)] : []));
  const whole = sampleLedger("cold-chain", rounds);
  const ledger = sampleLedger("cold-chain", []);
  for (const leaf of whole.leaves.slice(0, entries)) ledger.append(parseEntry(leaf));
  if (shown !== undefined) {
    const last = parseEntry(whole.leaves.at(-1)!) as EntryOf<"egress.sent">;
    ledger.append({ ...last, checkpoint: shown });
  }
  const [bank, own] = [await log.export(), await ledger.export([], "ledger")];
  const checks = await reconcile(
    () => [bank],
    () => [own],
    policy,
  );
  return checks.filter(({ ok, finding }) => !ok || finding);
}

test("a ledger that is older than the log, and a log that is older than the ledger, say what to ask for", async (t) => {
  t.deepEqual(await found(sampleLog()), []);
  const old = await found(sampleLog(), 10);
  t.true(old.length > 2);
  for (const { check, detail } of old)
    t.regex(
      detail,
      /^not there: this ledger ends at 10 entries, and the log knows of 23: ask the enterprise/,
      check,
    );
  const longer = sampleLog();
  longer.append(warningEntry(reportTime + 1e6, { signedReport: digestOf("later"), warnings: 1 }));
  const cut = (await found(sampleLog(), undefined, longer.checkpoint())).filter(({ ok }) => !ok);
  t.deepEqual(
    cut.map(({ check }) => check),
    ["every checkpoint in the ledger is of the bank's log"],
  );
  t.regex(
    cut[0]!.detail,
    /this log ends at \d+ entries, and the enterprise was shown \d+: it is an older export, or cut/,
  );
});

test("what no checkpoint that the bank logged covers stands on the enterprise's word, and that is said", async (t) => {
  const silent = sampleLog({ entry: (honest) => (honest.type === "ledger.reported" ? [] : [honest]) });
  t.deepEqual(await found(silent), [
    {
      check: covers,
      ok: true,
      detail:
        "0 checkpoints; 19 departures of rounds after the last of them stand on the enterprise's word alone",
      finding: true,
    },
  ]);
});
