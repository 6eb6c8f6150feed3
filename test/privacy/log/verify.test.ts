import test from "ava";
import fc from "fast-check";
import { toHex } from "../../../core/bytes.ts";
import { canonicalBytes, digestOf } from "../../../core/canonical.ts";
import { studyArithmetic } from "../../../models/recompute.ts";
import { publicIdentity } from "../../../privacy/identity.ts";
import { type Consent, signConsent } from "../../../privacy/log/consent.ts";
import { cosign, cosigner } from "../../../privacy/log/cosignature.ts";
import { checkEntry, type Entry, type EntryOf, type EntryType } from "../../../privacy/log/entry.ts";
import { writeExport } from "../../../privacy/log/export.ts";
import { noteSigner, parseVerifierKey } from "../../../privacy/log/note.ts";
import { parsePolicy } from "../../../privacy/log/policy.ts";
import { type Checkpoint, formatCheckpoint } from "../../../privacy/log/tree-head.ts";
import { allHold, type Check, verifyExport } from "../../../privacy/log/verify.ts";
import {
  placeOf as at,
  auditor,
  bank,
  collect,
  consortium,
  type Forgery,
  identities,
  LogBuilder,
  manifest,
  policy,
  policyText,
  sampleLedger,
  sampleLog,
  statementOf,
  study,
  warningEntry,
} from "../../support/log.ts";

const failures = (checks: readonly Check[]): Check[] => checks.filter(({ ok }) => !ok);

test("a log with warnings that were told verifies", async (t) => {
  const log = sampleLog({ entry: before("study.withdrawn", ({ time }) => warningEntry(time)) });
  t.deepEqual(
    failures(await verifyExport([await log.export()], policy, { arithmetic: studyArithmetic })),
    [],
  );
});

test("an honest log verifies", async (t) => {
  const seen: string[] = [];
  const checks = await verifyExport([await sampleLog().export()], policy, {
    arithmetic: studyArithmetic,
    onEntry: ({ type }) => seen.push(type),
  });
  t.deepEqual(failures(checks), []);
  t.is(seen.length, sampleLog().range.size);
  t.true(checks.length > 40);
});

test("an honest ledger verifies against its enterprise's key", async (t) => {
  const ledger = sampleLedger("cold-chain", [digestOf("a"), digestOf("b")]);
  const key = publicIdentity(identities.get("cold-chain")!).verifierKey;
  const checks = await verifyExport(
    [await ledger.export([], "ledger")],
    parsePolicy(`log ${key}\nquorum none\n`),
  );
  t.deepEqual(failures(checks), []);
});

test("an export cut into pieces of any size verifies", async (t) => {
  const bytes = await sampleLog().export();
  for (const size of [1, 7, 4096]) {
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
    t.true(allHold(await verifyExport(pieces, policy)), `pieces of ${size}`);
  }
});

test("a change of any single byte makes an export fail", async (t) => {
  const bytes = await sampleLog().export();
  await t.notThrowsAsync(() =>
    fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const changed = bytes.slice();
        changed[at]! ^= flip;
        return !allHold(await verifyExport([changed], policy));
      }),
      { numRuns: process.env.SLOW ? 5000 : 150 },
    ),
  );
});

test("an export that is cut off, or continued, fails", async (t) => {
  const bytes = await sampleLog().export();
  for (const cut of [0, 1, 100, bytes.length - 1])
    t.false(allHold(await verifyExport([bytes.subarray(0, cut)], policy)), `${cut} bytes`);
  t.false(allHold(await verifyExport([bytes, Buffer.from('{"entry":{}}\n')], policy)));
});

test("a removed, doubled or moved entry fails the root", async (t) => {
  const honest = sampleLog();
  for (const items of [
    honest.items.filter((_, i) => i !== 8),
    honest.items.flatMap((item, i) => (i === 8 ? [item, item] : [item])),
    honest.items.with(8, honest.items[9]!).with(9, honest.items[8]!),
  ]) {
    const log = sampleLog();
    log.items.splice(0, log.items.length, ...items);
    const checks = await verifyExport([await log.export()], policy);
    t.true(failures(checks).some(({ check }) => check === "root recomputed from the entries"));
  }
});

test("a checkpoint without enough cosignatures fails the quorum and nothing else", async (t) => {
  const checks = await verifyExport([await sampleLog().export([auditor])], policy);
  t.deepEqual(
    failures(checks).map(({ check }) => check),
    ["witness quorum reached"],
  );
});

test("another log's key fails the signature", async (t) => {
  const key = publicIdentity(auditor).verifierKey;
  const other = parsePolicy(policyText.replace(parseVerifierKey(publicIdentity(bank).verifierKey).key, key));
  const checks = await verifyExport([await sampleLog().export()], other);
  t.true(failures(checks).some(({ check }) => check === "checkpoint signed by the log"));
});

/** Changes fields of the nth entry of a type. */
const change =
  <T extends EntryType>(
    type: T,
    fields: Partial<EntryOf<T>> | ((entry: EntryOf<T>) => object),
    at = 0,
  ): NonNullable<Forgery["entry"]> =>
  (entry, nth) => {
    if (entry.type !== type || nth !== at) return [entry];
    const changes = typeof fields === "function" ? fields(entry as unknown as EntryOf<T>) : fields;
    return [{ ...entry, ...changes }];
  };
const drop =
  (type: EntryType, at = 0): NonNullable<Forgery["entry"]> =>
  (entry, nth) =>
    entry.type === type && nth === at ? [] : [entry];
const twice =
  (type: EntryType, at = 0): NonNullable<Forgery["entry"]> =>
  (entry, nth) =>
    entry.type === type && nth === at ? [entry, entry] : [entry];
const before =
  (type: EntryType, insert: (entry: Entry) => object | object[], at = 0): NonNullable<Forgery["entry"]> =>
  (entry, nth) =>
    entry.type === type && nth === at ? [insert(entry), entry].flat() : [entry];

/** What a bank says of its model: approvals that one needs, who approved it, how it is used. */
const registered = (...said: (number | [by: string] | "champion" | "challenger" | "retired")[]) =>
  before("score.issued", (entry) => {
    const { time, model } = entry as EntryOf<"score.issued">;
    const about = { time, model, result: "naive-bayes", reason: "read its card" };
    return said.map((one) => {
      if (typeof one === "number") return { type: "models.ruled", time, approvals: one };
      if (typeof one === "string") return { type: "model.standing", ...about, standing: one, by: "maria" };
      return { type: "model.approved", ...about, by: one[0] };
    });
  });

const stranger = digestOf("stranger");
const retentionMillis = manifest.retentionDays * 86_400_000;
/** The sample's study is pruned at the log's end, so long after its model was published and evaluated. */
const prunedAfter =
  (millis: number, fields: object = {}): NonNullable<Forgery["entry"]> =>
  (entry) => {
    if (entry.type !== "study.withdrawn") return [entry];
    // `study.withdrawn` is seven seconds after the last entry of rounds and models.
    const time = entry.time - 7000 + millis;
    return [entry, { type: "study.pruned", study, sums: 3, time, ...fields } as Entry];
  };
const consentOf = (id: string, fields: Partial<Consent>): string =>
  signConsent(
    { consortium, enterprise: id, study, expires: 1_800_000_000_000, ...fields },
    noteSigner(identities.get(id)!.name, identities.get(id)!.signingSeed),
  );
const expired = (id: string): string => consentOf(id, { expires: 5 });

function releaseOfAborted(): Forgery {
  let aborted = "";
  return {
    entry(entry, nth) {
      if (entry.type === "round.aborted") aborted = entry.roundId;
      return entry.type === "round.released" && nth === 1 ? [entry, { ...entry, roundId: aborted }] : [entry];
    },
  };
}

// Forgers leave out, double or move entries: where the failing one then stands is told from the honest log.
const forgeries: [name: string, check: string, entry: number, Forgery][] = [
  [
    "a field that is not in the schema",
    "entries fit their schema",
    at("round.submitted", 3),
    { entry: change("round.submitted", { amount: 5 } as object, 3) },
  ],
  [
    "an unknown entry type",
    "entries fit their schema",
    at("study.proposed"),
    { entry: before("study.proposed", ({ time }) => ({ type: "raw.value", time })) },
  ],
  [
    "a clock set back",
    "time never goes back",
    at("round.submitted"),
    { entry: change("round.submitted", { time: 1 }) },
  ],
  [
    "a log that starts without its consortium",
    "consortium created first, with the policy's keys",
    at("consortium.created"),
    { entry: drop("consortium.created") },
  ],
  [
    "an auditor the bank made up",
    "consortium created first, with the policy's keys",
    at("consortium.created"),
    { entry: change("consortium.created", ({ bank: key }) => ({ auditor: key })) },
  ],
  [
    "a roster the auditor did not sign",
    "rosters signed by bank and auditor",
    at("roster.changed"),
    { rosterSigners: [bank] },
  ],
  [
    "a member that is not in the roster",
    "rosters signed by bank and auditor",
    at("roster.changed"),
    { entry: change("roster.changed", { members: ["cold-chain", "ghost"] }) },
  ],
  [
    "a roster that goes back",
    "rosters signed by bank and auditor",
    at("key.epoch"),
    { entry: twice("roster.changed") },
  ],
  [
    "a key of another roster",
    "key epochs dealt to the roster",
    at("key.epoch"),
    { entry: change("key.epoch", { roster: stranger }) },
  ],
  [
    "a dealer outside the roster",
    "key epochs dealt to the roster",
    at("key.epoch"),
    { entry: change("key.epoch", { dealer: "ghost" }) },
  ],
  [
    "an epoch dealt twice",
    "key epochs dealt to the roster",
    at("study.proposed"),
    { entry: twice("key.epoch") },
  ],
  [
    "a purpose that is not the manifest's",
    "manifests as proposed",
    at("study.proposed"),
    { entry: change("study.proposed", { purpose: "marketing" }) },
  ],
  [
    "a cohort that is not the manifest's",
    "manifests as proposed",
    at("study.proposed"),
    { entry: change("study.proposed", { minCohort: 2 }) },
  ],
  [
    "a manifest that is not in the export",
    "manifests as proposed",
    at("study.proposed"),
    { entry: change("study.proposed", { study: stranger }) },
  ],
  [
    "a consent the enterprise did not sign",
    "consents signed by the enterprises",
    at("study.consented", 1),
    { entry: change("study.consented", () => ({ consent: expired("cold-chain") }), 1) },
  ],
  [
    "a consent stretched in time",
    "consents signed by the enterprises",
    at("study.consented"),
    { entry: change("study.consented", { expires: 1_900_000_000_000 }) },
  ],
  [
    "a withdrawal of nothing",
    "consents signed by the enterprises",
    at("study.withdrawn") - 1,
    { entry: drop("study.consented") },
  ],
  [
    "a round before its consent",
    "consent before every round",
    at("study.consented", 3),
    { entry: drop("study.consented", 2) },
  ],
  [
    "a round after a consent expired",
    "consent before every round",
    at("round.opened"),
    { entry: change("study.consented", () => ({ consent: expired("cold-chain"), expires: 5 })) },
  ],
  [
    "a round after a withdrawal",
    "consent before every round",
    at("round.submitted", 4),
    {
      entry: before(
        "round.opened",
        ({ time }) => ({ type: "study.withdrawn", time, study, enterprise: "lathe-works" }),
        1,
      ),
    },
  ],
  [
    "a round of another study",
    "rounds as their headers say",
    at("round.opened"),
    { header: (h, n) => (n === 0 ? { ...h, study: stranger } : h) },
  ],
  [
    "a round with another number than its header",
    "rounds as their headers say",
    at("round.opened"),
    { entry: change("round.opened", { attempt: 2 }) },
  ],
  [
    "an attempt opened twice",
    "rounds as their headers say",
    at("round.submitted"),
    { entry: twice("round.opened") },
  ],
  [
    "a round with a key that was never dealt",
    "key epoch before use",
    at("study.consented", 3),
    { entry: drop("key.epoch") },
  ],
  [
    "a round with another key than was dealt",
    "key epoch before use",
    at("round.opened"),
    { header: (h, n) => (n === 0 ? { ...h, epoch: stranger } : h) },
  ],
  [
    "a round that allows a smaller cohort",
    "minimum cohort kept, in organisations",
    at("round.opened"),
    { header: (h, n) => (n === 0 ? { ...h, minCohort: 2 } : h) },
  ],
  [
    "a cohort too small",
    "minimum cohort kept, in organisations",
    at("round.opened"),
    { header: (h, n) => (n === 0 ? { ...h, cohort: h.cohort.slice(0, 2) } : h) },
  ],
  [
    "too few survivors",
    "minimum cohort kept, in organisations",
    at("round.survivors", 2),
    { entry: change("round.survivors", { survivors: ["cold-chain"] }, 2) },
  ],
  [
    "enterprises that were shown another log",
    "enterprises were shown this log",
    at("round.opened", 1),
    { header: (h, n) => (n === 1 ? { ...h, checkpoint: otherCheckpoint(16) } : h) },
  ],
  [
    "enterprises that were shown a log of the future",
    "enterprises were shown this log",
    at("round.opened", 1),
    { header: (h, n) => (n === 1 ? { ...h, checkpoint: otherCheckpoint(40) } : h) },
  ],
  [
    "a round skipped",
    "rounds and attempts count up",
    at("round.opened", 1),
    { header: (h, n) => (n === 1 ? { ...h, round: 3 } : h), entry: change("round.opened", { round: 3 }, 1) },
  ],
  [
    "an attempt repeated",
    "rounds and attempts count up",
    at("round.opened", 2),
    {
      header: (h, n) => (n === 2 ? { ...h, attempt: 1 } : h),
      entry: change("round.opened", { attempt: 1 }, 2),
    },
  ],
  [
    "a second attempt beside an open one",
    "rounds and attempts count up",
    at("round.aborted"),
    { entry: drop("round.aborted") },
  ],
  [
    "a submission to a round that was not opened",
    "round steps in order",
    at("round.submitted"),
    { entry: change("round.submitted", { roundId: stranger }) },
  ],
  [
    "a submission after the survivors were fixed",
    "round steps in order",
    at("privacy.spent"),
    {
      entry: before("privacy.spent", ({ time, ...spent }) => ({
        type: "round.submitted",
        time,
        roundId: "roundId" in spent ? spent.roundId : stranger,
        enterprise: "cold-chain",
        digest: stranger,
        commitment: stranger,
        bytes: 1,
        layers: ["mask", "encryption"],
        signature: "A".repeat(86).concat("=="),
      })),
    },
  ],
  [
    "a release without survivors",
    "round steps in order",
    at("round.survivors"),
    { entry: drop("round.survivors") },
  ],
  [
    "a submission by an outsider",
    "submissions match the survivors",
    at("round.submitted"),
    { entry: change("round.submitted", { enterprise: "ghost" }) },
  ],
  [
    "a submission twice",
    "submissions match the survivors",
    at("round.submitted", 1),
    { entry: twice("round.submitted") },
  ],
  [
    "a survivor that submitted nothing",
    "submissions match the survivors",
    at("round.submitted", 3),
    { entry: drop("round.submitted", 1) },
  ],
  [
    "bytes that a submission does not have",
    "submissions match the survivors",
    at("round.survivors"),
    { entry: change("round.submitted", { bytes: 1 }) },
  ],
  [
    "a submission said to have noise",
    "missing protection declared",
    at("round.submitted"),
    { entry: change("round.submitted", { layers: ["mask", "encryption", "noise"] }) },
  ],
  [
    "a submission exchanged after the agreement",
    "submissions match the survivors",
    at("round.survivors"),
    { entry: change("round.submitted", { digest: stranger }, 2) },
  ],
  [
    "a sum released twice",
    "at most one release a round",
    at("round.opened", 1),
    { entry: twice("round.released") },
  ],
  [
    "a sum signed by a minority",
    "sums released by a quorum of survivors",
    at("round.released"),
    { entry: change("round.released", { signers: ["cold-chain", "lathe-works"] }) },
  ],
  [
    "a sum signed by a stranger",
    "sums released by a quorum of survivors",
    at("round.released", 1),
    { entry: change("round.released", { signers: ["cold-chain", "corner-shops", "textile-mill"] }, 1) },
  ],
  [
    "a model state exchanged between rounds",
    "model states follow each other",
    at("round.opened", 1),
    { header: (h, n) => (n > 0 ? { ...h, state: stranger } : h) },
  ],
  [
    "a step skipped",
    "model states follow each other",
    at("round.opened", 2),
    { header: (h, n) => (n === 2 ? { ...h, algorithm: { ...h.algorithm, step: 5 } } : h) },
  ],
  [
    "a submission without masks",
    "missing protection declared",
    at("round.submitted"),
    { entry: change("round.submitted", { layers: ["encryption"] }) },
  ],
  [
    "a model silent on its missing noise",
    "missing protection declared",
    at("model.published"),
    { entry: change("model.published", { unprotected: [] }) },
  ],
  [
    "a release without a spend",
    "privacy spend adds up",
    at("privacy.spent"),
    { entry: drop("privacy.spent") },
  ],
  ["a spend twice", "privacy spend adds up", at("round.released"), { entry: twice("privacy.spent") }],
  [
    "a spend that does not add up",
    "privacy spend adds up",
    at("privacy.spent", 1),
    { entry: change("privacy.spent", { cumulativeSteps: 1 }, 1) },
  ],
  [
    "a spend of another unit",
    "privacy spend adds up",
    at("privacy.spent"),
    { entry: change("privacy.spent", { unit: "subject" }) },
  ],
  [
    "a model from a round never released",
    "model lineage",
    at("model.published"),
    { entry: change("model.published", ({ rounds }) => ({ rounds: rounds + 1 })) },
  ],
  [
    "a model of other rounds",
    "model lineage",
    at("model.published"),
    { entry: change("model.published", { lineage: stranger }) },
  ],
  [
    "a model that overstates its cohort",
    "model lineage",
    at("model.published"),
    { entry: change("model.published", { smallestCohort: 4 }) },
  ],
  [
    "an evaluation of an unpublished model",
    "model lineage",
    at("model.evaluated"),
    { entry: change("model.evaluated", { model: stranger }) },
  ],
  [
    "a decision about an unpublished model",
    "model lineage",
    at("study.withdrawn"),
    {
      entry: before("study.withdrawn", ({ time }) => ({
        type: "model.standing",
        time,
        model: stranger,
        result: "logistic",
        standing: "champion",
        reason: "better",
        by: "maria",
      })),
    },
  ],
  [
    "a champion that one person approved twice",
    "models used as approved",
    at("score.issued") + 2,
    { entry: registered(2, ["li"], ["li"], "champion") },
  ],
  [
    "a challenger with an approval too few",
    "models used as approved",
    at("score.issued") + 2,
    { entry: registered(2, ["li"], "challenger") },
  ],
  [
    "a champion from before the rule that comes back without approvals",
    "models used as approved",
    at("score.issued") + 4,
    { entry: registered("champion", 1, "challenger", "retired", "champion") },
  ],
  [
    "a consent to score statements that is one to a study",
    "consents signed by the enterprises",
    at("score.consented"),
    {
      entry: change("score.consented", ({ expires }) => ({
        consent: signConsent(
          { consortium, enterprise: "lathe-works", study, expires },
          noteSigner(`${consortium}/lathe-works`, identities.get("lathe-works")!.signingSeed),
        ),
      })),
    },
  ],
  [
    "a score statement without consent",
    "consent before every score statement",
    at("score.issued") - 1,
    { entry: drop("score.consented") },
  ],
  [
    "a score statement after its consent",
    "consent before every score statement",
    at("score.issued") + 1,
    {
      entry: before("score.issued", ({ time }) => ({
        ...{ type: "score.withdrawn", study, enterprise: "lathe-works", time },
      })),
    },
  ],
  [
    "a score statement that another enterprise signed",
    "score statements signed by the enterprises",
    at("score.issued"),
    {
      entry: change("score.issued", ({ model, time }) => ({
        statement: statementOf({ model, issued: time }, "cold-chain"),
      })),
    },
  ],
  [
    "a score statement of an unpublished model",
    "score statements signed by the enterprises",
    at("score.issued"),
    {
      entry: change("score.issued", ({ time }) => ({
        ...{ model: stranger, statement: statementOf({ model: stranger, issued: time }) },
      })),
    },
  ],
  [
    "a grade that the enterprise did not say",
    "score statements signed by the enterprises",
    at("score.issued"),
    { entry: change("score.issued", { grade: "G" }) },
  ],
  [
    "a score statement that is recorded a day after it was made",
    "score statements signed by the enterprises",
    at("score.issued"),
    {
      entry: change("score.issued", ({ model, time }) => ({
        statement: statementOf({ model, issued: time - 86_400_000 }),
      })),
    },
  ],
  [
    "a score statement that is recorded again",
    "score statements signed by the enterprises",
    at("score.issued") + 1,
    { entry: twice("score.issued") },
  ],
  [
    "a case about what is not in the log",
    "cases raised, decided and overridden in order",
    at("case.raised"),
    { entry: change("case.raised", { entry: 3 }) },
  ],
  [
    "a case about a model that was not published there",
    "cases raised, decided and overridden in order",
    at("case.raised"),
    {
      entry: change("case.raised", {
        ...{ enterprise: undefined, model: "ab".repeat(32), cause: "shift", entry: at("model.published") },
      }),
    },
  ],
  [
    "a case about an enterprise and a model",
    "cases raised, decided and overridden in order",
    at("case.raised"),
    { entry: change("case.raised", { model: "ab".repeat(32) }) },
  ],
  [
    "a case that takes another's number",
    "cases raised, decided and overridden in order",
    at("case.raised"),
    { entry: change("case.raised", { case: 2 }) },
  ],
  [
    "a suggestion that is overridden without a reason",
    "cases raised, decided and overridden in order",
    at("case.decided"),
    {
      entry: (entry) => {
        if (entry.type !== "case.decided") return [entry];
        const { reason: _, ...unsaid } = entry;
        return [unsaid];
      },
    },
  ],
  [
    "a case that is decided twice",
    "cases raised, decided and overridden in order",
    at("case.decided") + 1,
    { entry: twice("case.decided") },
  ],
  [
    "a comment in a case that was decided",
    "cases raised, decided and overridden in order",
    at("case.decided") + 1,
    {
      entry: (entry) =>
        entry.type === "case.decided"
          ? [entry, { type: "case.commented", time: entry.time, case: 1, comment: stranger, by: "li" }]
          : [entry],
    },
  ],
  [
    "an order to a study that was stopped for good",
    "no order after a study was stopped",
    at("study.withdrawn") + 1,
    {
      entry: (entry) =>
        entry.type === "study.withdrawn"
          ? [
              { type: "study.ordered", time: entry.time, study, order: "stopped" },
              { type: "study.ordered", time: entry.time, study, order: "retried" },
              entry,
            ]
          : [entry],
    },
  ],
  ...(
    [
      ["warnings told by a stranger", { enterprise: "stranger" }],
      ["warnings of another enterprise", { signer: "textile-mill" }],
      ["another report than the one that was signed", { report: stranger }],
      ["other terms than those that were signed", { terms: stranger }],
      ["a report of another consortium", { consortium: "other" }],
    ] as const
  ).map(([what, forged]): [name: string, check: string, entry: number, Forgery] => [
    what,
    "warnings are told by who signed for them",
    at("study.withdrawn"),
    { entry: before("study.withdrawn", ({ time }) => warningEntry(time, forged)) },
  ]),
  [
    "a model evaluated twice",
    "model lineage",
    at("model.evaluated") + 1,
    { entry: twice("model.evaluated") },
  ],
  [
    "a ledger reported with another root",
    "egress ledgers only grow",
    at("ledger.reported"),
    { entry: change("ledger.reported", { root: stranger }) },
  ],
  [
    "a ledger that shrank",
    "egress ledgers only grow",
    at("model.published"),
    { entry: (e) => (e.type === "ledger.reported" ? [e, { ...e, ...shorterLedger() }] : [e]) },
  ],
  [
    "a policy that goes back",
    "policies count up",
    at("round.submitted"),
    {
      entry: (e, n) =>
        e.type === "round.opened" && n === 0 ? [policyEntry(e.time), policyEntry(e.time), e] : [e],
    },
  ],
  [
    "a consortium created twice",
    "consortium created first, with the policy's keys",
    at("roster.changed"),
    { entry: twice("consortium.created") },
  ],
  [
    "a bank's key that is not the log's",
    "consortium created first, with the policy's keys",
    at("consortium.created"),
    { entry: change("consortium.created", ({ auditor: key }) => ({ bank: key })) },
  ],
  [
    "a roster with another version",
    "rosters signed by bank and auditor",
    at("roster.changed"),
    { entry: change("roster.changed", { version: 2 }) },
  ],
  [
    "a roster of another consortium",
    "rosters signed by bank and auditor",
    at("roster.changed"),
    { entry: change("consortium.created", { consortium: "other" }) },
  ],
  [
    "a study proposed twice",
    "manifests as proposed",
    at("study.consented"),
    { entry: twice("study.proposed") },
  ],
  [
    "protection that is not the manifest's",
    "manifests as proposed",
    at("study.proposed"),
    { entry: change("study.proposed", { unprotected: [] }) },
  ],
  [
    "a consent to another study",
    "consents signed by the enterprises",
    at("study.consented"),
    { entry: change("study.consented", () => ({ consent: consentOf("cold-chain", { study: stranger }) })) },
  ],
  [
    "a consent of another consortium",
    "consents signed by the enterprises",
    at("study.consented"),
    {
      entry: change("study.consented", () => ({ consent: consentOf("cold-chain", { consortium: "other" }) })),
    },
  ],
  [
    "a header that is not in the export",
    "rounds as their headers say",
    at("round.opened"),
    { entry: change("round.opened", { roundId: stranger }) },
  ],
  [
    "a round of another algorithm",
    "rounds as their headers say",
    at("round.opened"),
    { entry: change("round.opened", { algorithm: "neural" }) },
  ],
  [
    "a round silent on its missing noise",
    "rounds as their headers say",
    at("round.opened"),
    { entry: change("round.opened", { unprotected: [] }) },
  ],
  [
    "a round without noise under a manifest that asks for it",
    "missing protection declared",
    at("round.opened"),
    { manifest: { unprotected: [] } },
  ],
  [
    "a spend without noise under a manifest that asks for it",
    "privacy spend adds up",
    at("privacy.spent"),
    { manifest: { unprotected: [] } },
  ],
  [
    "a spend of another study",
    "privacy spend adds up",
    at("privacy.spent"),
    { entry: change("privacy.spent", { study: stranger }) },
  ],
  [
    "a sum of an attempt that was given up",
    "at most one release a round",
    at("round.released", 1) + 1,
    releaseOfAborted(),
  ],
  [
    "an algorithm that runs again",
    "model states follow each other",
    at("round.opened", 3),
    { header: (h, n) => (n === 3 ? { ...h, algorithm: { ...h.algorithm, index: 0 } } : h) },
  ],
  [
    "an algorithm that starts in the middle",
    "model states follow each other",
    at("round.opened", 1),
    { header: (h, n) => (n === 1 ? { ...h, algorithm: { ...h.algorithm, step: 5 } } : h) },
  ],
  [
    "a study pruned before its retention is over",
    "studies pruned after their retention",
    at("study.withdrawn") + 1,
    { entry: prunedAfter(retentionMillis - 1) },
  ],
  [
    "a study pruned of other sums than were released",
    "studies pruned after their retention",
    at("study.withdrawn") + 1,
    { entry: prunedAfter(retentionMillis, { sums: 2 }) },
  ],
  [
    "a study pruned that nobody proposed",
    "studies pruned after their retention",
    at("study.withdrawn") + 1,
    { entry: prunedAfter(retentionMillis, { study: stranger }) },
  ],
  [
    "a study pruned of another's model",
    "studies pruned after their retention",
    at("study.withdrawn") + 1,
    { entry: prunedAfter(retentionMillis, { model: stranger }) },
  ],
  ["a model published twice", "model lineage", at("model.evaluated"), { entry: twice("model.published") }],
  [
    "two ledgers of one size",
    "egress ledgers only grow",
    at("model.published"),
    { entry: (e) => (e.type === "ledger.reported" ? [e, { ...e, ...otherLedger() }] : [e]) },
  ],
  [
    "more rows out than in",
    "policies count up",
    at("round.opened"),
    {
      entry: before("round.opened", ({ time }) => ({
        type: "desensitization.ran",
        time,
        enterprise: "cold-chain",
        policy: stranger,
        version: 1,
        fields: [],
        rowsIn: 1,
        rowsOut: 2,
        k: 1,
        l: 1,
        t: 0,
        suppressionRate: 0,
      })),
    },
  ],
];

function otherCheckpoint(size: number): string {
  const log = new LogBuilder(bank);
  for (let i = 0; i < size; i++) log.append({ other: i });
  return log.checkpoint();
}

const otherState = (): Checkpoint => ({ ...new LogBuilder(bank).state(), size: 7 });

const shorterLedger = (): object => reportOf(sampleLedger("cold-chain", [stranger]));
const otherLedger = (): object =>
  reportOf(sampleLedger("cold-chain", [stranger, digestOf("1"), digestOf("2")]));

function reportOf(ledger: LogBuilder): object {
  const { size, root } = ledger.state();
  return { size, root: toHex(root), checkpoint: ledger.checkpoint() };
}

const policyEntry = (time: number): object => ({
  type: "policy.changed",
  time,
  enterprise: "cold-chain",
  policy: stranger,
  version: 1,
});

const verifyForgery = async (forgery: Forgery): Promise<Check[]> =>
  verifyExport([await sampleLog(forgery).export()], policy, { arithmetic: studyArithmetic });

test("models come into use with the approvals that the bank's own rule asks for", async (t) => {
  for (const entry of [
    registered("champion", "retired"),
    registered(2, ["li"], ["maria"], "challenger", "champion", "retired", "champion"),
    // In use before the rule: it may make room, and a rule that is taken back binds nobody.
    registered("champion", 2, "challenger", "retired", 0, "champion"),
  ])
    t.deepEqual(failures(await verifyForgery({ entry })), []);
});

for (const [name, check, entry, forgery] of forgeries) {
  test(`fails and names the entry: ${name}`, async (t) => {
    const checks = await verifyForgery(forgery);
    const failed = checks.find((line) => line.check === check);
    t.is(failed?.ok, false, JSON.stringify(failures(checks), null, 1));
    t.is(failed?.entry, entry, failed?.detail);
  });
}

const spoilt = "A".repeat(86).concat("==");

const certified = { role: "enterprise", holder: "cold-chain", expires: 1 } as const;

/** Those that rest on nothing but what the members have signed, and the rules that find them: no others do. */
const signedForgeries: [name: string, checks: readonly string[], entry: number, Forgery][] = [
  [
    "an expelled member in a later roster",
    ["expelled members in no later roster"],
    at("roster.changed") + 1,
    {
      entry: before("roster.changed", ({ time }) => ({
        type: "member.expelled",
        time,
        enterprise: "cold-chain",
        roster: 1,
      })),
    },
  ],
  [
    "a certificate renewed by one that was revoked",
    ["no revoked certificate renewed"],
    at("roster.changed") + 2,
    {
      entry: before("roster.changed", ({ time }) => [
        { type: "certificate.issued", time, ...certified, serial: "0a" },
        { type: "certificate.revoked", time, enterprise: "cold-chain", serial: "0a" },
        { type: "certificate.issued", time, ...certified, serial: "0b", replaces: "0a" },
      ]),
    },
  ],
  [
    "a certificate issued twice",
    ["no revoked certificate renewed"],
    at("roster.changed") + 1,
    {
      entry: before("roster.changed", ({ time }) => [
        { type: "certificate.issued", time, ...certified, serial: "0a" },
        { type: "certificate.issued", time, ...certified, serial: "0a" },
      ]),
    },
  ],
  [
    "an epoch that one member has not confirmed",
    ["key epochs signed by all their members"],
    at("key.epoch"),
    { record: (r) => ({ ...r, confirmations: r.confirmations.slice(1) }) },
  ],
  [
    "an epoch that one member confirmed with another's signature",
    ["key epochs signed by all their members"],
    at("key.epoch"),
    {
      record: (r) => ({
        ...r,
        confirmations: r.confirmations.map((c) => ({ ...c, signature: r.confirmations[0]!.signature })),
      }),
    },
  ],
  [
    "an epoch of more slots than the members signed",
    ["key epochs signed by all their members"],
    at("key.epoch"),
    { entry: change("key.epoch", { slots: 128 }) },
  ],
  [
    "an epoch of fewer shares than the formula asks for",
    [
      "key epochs signed by all their members",
      "thresholds and degrees by the formula",
      "rounds under their epoch's threshold and members",
    ],
    at("key.epoch"),
    { entry: change("key.epoch", { threshold: 2 }) },
  ],
  [
    "a complaint whose evidence is invented",
    ["complaints settled as their evidence shows"],
    at("study.proposed"),
    {
      entry: before("study.proposed", ({ time }) => ({
        type: "epoch.complaint",
        time,
        opening: stranger,
        accuser: "cold-chain",
        accused: "lathe-works",
        kind: "share",
        guilty: "lathe-works",
        evidence: stranger,
      })),
    },
  ],
  [
    "a round of a lower threshold than its epoch",
    ["rounds under their epoch's threshold and members"],
    at("round.opened", 1),
    { header: (h, n) => (n === 1 ? { ...h, threshold: 2 } : h) },
  ],
  [
    "a slot that serves twice",
    ["each slot of an epoch serves one attempt"],
    at("round.opened", 2),
    { header: (h, n) => (n === 2 ? { ...h, slot: 1 } : h) },
  ],
  [
    "a slot that the epoch does not have",
    ["each slot of an epoch serves one attempt"],
    at("round.opened", 1),
    { header: (h, n) => (n === 1 ? { ...h, slot: 64 } : h) },
  ],
  [
    "a step summed after an attempt that too few renounced",
    ["one sum a step"],
    at("round.opened", 2),
    { renouncing: 2 },
  ],
  [
    "a step summed again for an attempt that does not ask for it",
    ["one sum a step"],
    at("round.opened", 1),
    { header: (h, n) => (n === 1 ? { ...h, follows: { kind: "rerun", of: stranger } } : h) },
  ],
  [
    "a submission that its enterprise has not signed",
    ["submissions signed by the enterprises"],
    at("round.submitted", 2),
    { entry: change("round.submitted", { signature: spoilt }, 2) },
  ],
  [
    "an unmasking that its enterprise has not signed",
    ["unmasking signed by members of the epoch"],
    at("round.unmasked", 1),
    { entry: change("round.unmasked", { revealed: stranger }, 1) },
  ],
  [
    "an unmasking twice",
    ["unmasking signed by members of the epoch"],
    at("round.unmasked") + 1,
    { entry: twice("round.unmasked") },
  ],
  [
    "a renunciation that its enterprise has not signed",
    ["renunciations signed by members of the epoch"],
    at("round.aborted"),
    {
      renouncing: 4,
      entry: change("round.aborted", ({ renounced }) => ({
        renounced: renounced!.map((r, i) => (i === 0 ? { ...r, signature: spoilt } : r)),
      })),
    },
  ],
  [
    "a re-run whose evidence is invented",
    ["re-runs and splits as their evidence allows", "one sum a step"],
    at("round.aborted"),
    {
      entry: (e) =>
        e.type === "round.aborted"
          ? [
              {
                type: "round.rerun",
                time: e.time,
                roundId: e.roundId,
                without: ["cold-chain"],
                evidence: stranger,
              },
            ]
          : [e],
    },
  ],
  [
    "a sum that is not the certificate's",
    ["sum certificates as recorded"],
    at("round.released"),
    { entry: change("round.released", { sum: stranger }) },
  ],
  [
    "a certificate of other survivors",
    ["sum certificates as recorded", "sum certificates signed by quorums"],
    at("round.released"),
    { certificate: (c, n) => (n === 0 ? { ...c, survivors: c.survivors.slice(1) } : c) },
  ],
  [
    "a sum of the bank's own making",
    ["sum certificates signed by quorums"],
    at("round.released"),
    { certificate: (c, n) => (n === 0 ? { ...c, sum: otherSum(c.sum) } : c) },
  ],
  [
    "survivors that fewer than T agreed on",
    ["sum certificates signed by quorums"],
    at("round.released", 1),
    { certificate: (c, n) => (n === 1 ? { ...c, agreed: c.agreed.slice(1) } : c) },
  ],
  [
    "a release with one signature under three names",
    ["sum certificates signed by quorums"],
    at("round.released"),
    {
      certificate: (c, n) =>
        n === 0
          ? { ...c, released: c.released.map((r) => ({ ...r, signature: c.released[0]!.signature })) }
          : c,
    },
  ],
  [
    "a layout that is not the algorithm's",
    ["model states recomputed from manifest and sums"],
    at("round.opened", 1),
    { header: (h, n) => (n === 1 ? { ...h, layout: { blocks: h.layout.blocks.slice(0, 1) } } : h) },
  ],
  [
    "states of the bank's own making, that all members signed for",
    ["model states recomputed from manifest and sums", "published models recomputed from manifest and sums"],
    at("round.released"),
    {
      header: (h, n) => (n === 1 || n === 2 ? { ...h, state: stranger } : h),
      entry: change("round.released", { state: stranger }),
    },
  ],
  [
    "a model of other results",
    ["published models recomputed from manifest and sums"],
    at("model.published"),
    { model: (document) => ({ ...document, results: { ...(document.results as object), range: {} } }) },
  ],
  [
    "a model of another study",
    ["published models recomputed from manifest and sums"],
    at("model.published"),
    { model: (document) => ({ ...document, study: stranger }) },
  ],
  ...(
    [
      ["another format", { format: "x" }],
      ["another purpose", { purpose: "marketing" }],
      ["other algorithms", { algorithms: [{ name: "range" }] }],
      ["a word of its own", { approved: "by the auditor" }],
      ["a date to come", { publishedMillis: 1_800_000_000_000 }],
      ["noise that was none", { protection: { noise: "discrete-gaussian", unprotected: [] } }],
      ["a larger cohort", { protection: { smallestCohort: 4 } }],
      ["a cost of noise that was none", { protection: { cost: { delta: 1e-6, epsilon: 0.5 } } }],
    ] as const
  ).map(([what, said]): (typeof signedForgeries)[number] => [
    `a model that says ${what}`,
    ["published models recomputed from manifest and sums"],
    at("model.published"),
    {
      model: (document) => ({
        ...document,
        ...said,
        ...("protection" in said
          ? { protection: { ...(document.protection as object), ...said.protection } }
          : {}),
      }),
    },
  ]),
  [
    "a release that names one who has not signed the sum",
    ["sum certificates signed by quorums"],
    at("round.released"),
    {
      certificate: (c, n) =>
        n === 0 ? { ...c, released: c.released.map((r, i) => (i === 0 ? { ...r, signature: "" } : r)) } : c,
    },
  ],
  [
    "an agreement that names one who has not signed it",
    ["sum certificates signed by quorums"],
    at("round.released"),
    {
      certificate: (c, n) =>
        n === 0 ? { ...c, agreed: c.agreed.map((r, i) => (i === 0 ? { ...r, signature: "" } : r)) } : c,
    },
  ],
  [
    "an evaluation that is not the model's",
    ["published models recomputed from manifest and sums"],
    at("model.evaluated"),
    { entry: change("model.evaluated", { metrics: { auc: 0.99 } }) },
  ],
];

/** @returns a sum of as many slots, with the last changed. */
function otherSum(sum: string): string {
  const bytes = Buffer.from(sum, "base64");
  bytes[bytes.length - 6]! ^= 1;
  return bytes.toString("base64");
}

for (const [name, checks, entry, forgery] of signedForgeries) {
  test(`fails there and nowhere else: ${name}`, async (t) => {
    const failed = failures(await verifyForgery(forgery));
    t.deepEqual(failed.map(({ check }) => check).sort(), [...checks].sort(), JSON.stringify(failed, null, 1));
    t.is(Math.min(...failed.map((line) => line.entry ?? 0)), entry, JSON.stringify(failed, null, 1));
  });
}

const recomputed = (checks: readonly Check[]): string[] =>
  checks.filter(({ check }) => check.includes("recomputed from manifest")).map(({ detail }) => detail);

test("an export without sums verifies, and says what was not checked", async (t) => {
  const checks = await verifyForgery({ without: ["certificate", "model"] });
  t.deepEqual(failures(checks), []);
  const detail = "not checked: the export carries no sums";
  t.deepEqual(recomputed(checks), [detail, detail]);
  const noArithmetic = await verifyExport([await sampleLog().export()], policy);
  t.deepEqual(failures(noArithmetic), []);
  t.true(recomputed(noArithmetic).every((said) => said.startsWith("not checked: no arithmetic")));
  t.deepEqual(recomputed(await verifyForgery({})), ["", ""]);
});

test("a study whose retention is over may be without its sums and model, all of them or none", async (t) => {
  const entry = prunedAfter(retentionMillis);
  t.deepEqual(failures(await verifyForgery({ entry })), [], "they may still be there");
  const checks = await verifyForgery({ entry, without: ["certificate", "model"] });
  t.deepEqual(failures(checks), []);
  const detail = "not checked for 1 study whose retention is over";
  t.deepEqual(recomputed(checks), [detail, detail]);
  const half = failures(await verifyForgery({ entry, without: ["model"] }));
  t.deepEqual(
    half.map(({ check }) => check),
    ["published models recomputed from manifest and sums"],
  );
});

test("an export that leaves out one sum or one model of several fails", async (t) => {
  for (const [type, check, entry] of [
    ["certificate", "sum certificates as recorded", at("round.released", 2)],
    ["model", "published models recomputed from manifest and sums", at("model.published")],
  ] as const) {
    const log = sampleLog();
    log.items.splice(
      log.items.findLastIndex((item) => item.type === type),
      1,
    );
    const checks = await verifyExport([await log.export()], policy, { arithmetic: studyArithmetic });
    t.is(failures(checks)[0]?.check, check, type);
    t.is(failures(checks)[0]?.entry, entry, type);
  }
  const first = sampleLog();
  first.items.splice(
    first.items.findIndex(({ type }) => type === "certificate"),
    1,
  );
  const checks = await verifyExport([await first.export()], policy, { arithmetic: studyArithmetic });
  t.is(failures(checks)[0]?.check, "sum certificates as recorded");
});

test("a log that was cut does not reach a checkpoint that was shown, and a fork has another root", async (t) => {
  const whole = sampleLog();
  const cut = new LogBuilder();
  const firstRound = whole.items.findIndex(({ type }) => type === "header");
  for (const item of whole.items.slice(0, firstRound))
    if (item.type === "entry") cut.appendBytes(item.bytes);
    else cut.attach(item);
  const check = "every checkpoint shown is of this log";
  const verified = async (log: LogBuilder, shown: string[]): Promise<string[]> =>
    failures(await verifyExport([await log.export()], policy, { shown })).map((line) => line.check);
  t.deepEqual(await verified(cut, [cut.checkpoint()]), []);
  t.deepEqual(await verified(whole, [cut.checkpoint(), whole.checkpoint()]), []);
  t.deepEqual(await verified(cut, [whole.checkpoint()]), [check]);
  t.deepEqual(await verified(whole, [otherCheckpoint(5)]), [check]);
  t.deepEqual(await verified(whole, [sampleLedger("cold-chain", [stranger]).checkpoint()]), [check]);
});

test("every rule has a forgery", async (t) => {
  const checks = await verifyExport([await sampleLog().export()], policy);
  const structural = new Set([
    "file complete and well-formed",
    "nothing beside what the entries name",
    "checkpoint signed by the log",
    "root recomputed from the entries",
    "cosignatures valid",
    "witness quorum reached",
    // Their forgeries need a second roster: recoveries.test.ts.
    "what was lost, as bank and auditor signed it",
    "keys that follow others, signed by both",
    "every change of a key in the log",
  ]);
  const forged = new Set([
    ...forgeries.map(([, check]) => check),
    ...signedForgeries.flatMap(([, names]) => names),
  ]);
  t.deepEqual(
    checks.map(({ check }) => check).filter((check) => !structural.has(check) && !forged.has(check)),
    [],
  );
});

test("a document that no entry names fails", async (t) => {
  const log = sampleLog();
  log.attach({ type: "manifest", bytes: canonicalBytes({ other: true }) });
  const checks = await verifyExport([await log.export()], policy);
  t.deepEqual(
    failures(checks).map(({ check }) => check),
    ["nothing beside what the entries name"],
  );
});

test("a wrong cosignature by a known witness fails although the quorum is there", async (t) => {
  const log = sampleLog();
  const line = cosign(
    formatCheckpoint(otherState()),
    cosigner(`${consortium}/lathe-works`, identities.get("lathe-works")!.signingSeed, 5),
  );
  const text = Buffer.from(await log.export()).toString();
  const { checkpoint } = JSON.parse(text.split("\n")[1]!) as { checkpoint: string };
  const bytes = await collect(writeExport("log", checkpoint + line, log.items));
  t.deepEqual(
    failures(await verifyExport([bytes], policy)).map(({ check }) => check),
    ["cosignatures valid", "witness quorum reached"],
  );
});

const changed = (version: number, policy: string) => ({
  type: "policy.changed",
  time: 1,
  enterprise: "cold-chain",
  policy: digestOf(policy),
  version,
});

const ledgerForgeries: [
  name: string,
  check: string,
  entry: number,
  leaves: (honest: object[]) => object[],
][] = [
  [
    "a submission before its spend",
    "privacy spend before its submission",
    0,
    ([spent, sent]) => [sent!, spent!],
  ],
  [
    "a submission without its round",
    "privacy spend before its submission",
    1,
    ([spent, sent]) => [spent!, { ...sent, roundId: undefined }],
  ],
  ["a spend twice", "privacy spend adds up", 1, ([spent]) => [spent!, spent!]],
  [
    "a spend left out",
    "privacy spend adds up",
    0,
    (leaves) => leaves.slice(leaves.findLastIndex((leaf) => "cumulativeSteps" in leaf)),
  ],
  [
    "a submission by a policy that is not the last one recorded",
    "submissions under the policy recorded last",
    2,
    ([spent, sent]) => [changed(1, "one"), spent!, { ...sent, policy: digestOf("two") }],
  ],
  [
    "a submission that leaves its policy out, after one that named it",
    "submissions under the policy recorded last",
    4,
    (leaves) => {
      const [spent, sent] = leaves;
      const [again, then] = leaves.slice(leaves.findLastIndex((leaf) => "cumulativeSteps" in leaf));
      return [changed(1, "one"), spent!, { ...sent, policy: digestOf("one") }, again!, then!];
    },
  ],
  ["a policy's version twice", "policies count up", 1, () => [changed(1, "one"), changed(1, "two")]],
  [
    "an entry of the bank's log",
    "only a ledger's entries",
    0,
    () => [{ type: "roster.changed", time: 1, roster: digestOf("roster"), version: 1, members: [] }],
  ],
];

for (const [name, check, entry, forge] of ledgerForgeries) {
  test(`a ledger fails and names the entry: ${name}`, async (t) => {
    const honest = sampleLedger("cold-chain", [digestOf("a"), digestOf("b")]);
    const ledger = new LogBuilder(identities.get("cold-chain")!);
    for (const leaf of forge(
      honest.leaves.map((bytes) => JSON.parse(Buffer.from(bytes).toString()) as object),
    ))
      ledger.append(leaf);
    const key = publicIdentity(identities.get("cold-chain")!).verifierKey;
    const ownPolicy = parsePolicy(`log ${key}\nquorum none\n`);
    const checks = await verifyExport([await ledger.export([], "ledger")], ownPolicy);
    const failed = checks.find((line) => line.check === check);
    t.is(failed?.ok, false, JSON.stringify(failures(checks), null, 1));
    t.is(failed?.entry, entry, failed?.detail);
  });
}

test("every sample entry fits its schema", (t) => {
  for (const leaf of sampleLog().leaves)
    t.notThrows(() => checkEntry(JSON.parse(Buffer.from(leaf).toString())));
});

test("lines that no reader should swallow are refused by line", async (t) => {
  const start = `{"kind":"log","version":1}\n{"checkpoint":"x"}\n`;
  const bad: Record<string, string> = {
    "an endless line": `${start}"${"x".repeat(17 * 2 ** 20)}`,
    "deep nesting": `${start}${"[".repeat(100_000)}${"]".repeat(100_000)}\n`,
    "a second checkpoint": `${start}{"checkpoint":"y"}\n`,
    "no checkpoint": `{"kind":"log","version":1}\n{"end":{"chain":"","entries":0}}\n`,
    "an unknown record": `${start}{"secret":1}\n`,
    "another version": `{"kind":"log","version":2}\n`,
    "a number with no canonical form": `${start}{"entry":{"n":1e999}}\n`,
    spaces: `${start}{"entry": {}}\n`,
  };
  for (const [name, text] of Object.entries(bad)) {
    const checks = await verifyExport([Buffer.from(text)], policy);
    const [file] = checks;
    t.is(file?.check, "file complete and well-formed", name);
    t.false(file?.ok, name);
    t.regex(file?.detail ?? "", /line \d/, name);
  }
});
