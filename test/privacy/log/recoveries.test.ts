import test from "ava";
import { seededRandom } from "../../../core/random.ts";
import { generateIdentity, publicIdentity } from "../../../privacy/identity.ts";
import { signCheckpoint } from "../../../privacy/log/checkpoint.ts";
import { parseEntry } from "../../../privacy/log/entry.ts";
import { type KnownSigner, knownSigner, noteSigner } from "../../../privacy/log/note.ts";
import { verifyExport } from "../../../privacy/log/verify.ts";
import type { Recovery } from "../../../privacy/recovery.ts";
import { type Member, rosterDigest, signRoster } from "../../../privacy/roster.ts";
import { type Succession, signSuccession } from "../../../privacy/succession.ts";
import {
  auditor,
  bank,
  consortium,
  identities,
  type LogBuilder,
  policy,
  roster,
  sampleLog,
} from "../../support/log.ts";

const check = "what was lost, as bank and auditor signed it";
const time = 1_800_000_000_000;
const root = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const signers = [bank, auditor].map(({ name, signingSeed }) => noteSigner(name, signingSeed));
const newKeys = publicIdentity(generateIdentity(`${consortium}/cold-chain`, seededRandom("new keys")));

/** The sample log, and a roster after it. */
function changedTo(
  recoveries: readonly Recovery[],
  members: readonly Member[] = roster.members,
  before = sampleLog(),
) {
  const note = signRoster({ consortium, version: 2, recoveries, members }, signers);
  before.attach({ type: "roster", note });
  const ids = members.map(({ id }) => id);
  before.append({ type: "roster.changed", time, roster: rosterDigest(note), version: 2, members: ids });
  return before;
}
const outcomeOf = async (log: LogBuilder, shown: readonly string[] = []) => {
  const checks = await verifyExport([await log.export()], policy, { shown });
  return { found: checks.find((one) => one.check === check)!, failed: checks.filter(({ ok }) => !ok) };
};

const sample = sampleLog();
const kept = sample.state();
const lost = { size: kept.size + 5, root: root(5) };
const ofLog: Recovery = { kind: "log", kept, lost };
const shownTree = (size: number, hash: Uint8Array): string =>
  signCheckpoint({ origin: bank.name, size, root: hash }, signers[0]!);

test("a log that lost entries verifies, and says what: for people to judge", async (t) => {
  const shown = [shownTree(lost.size, lost.root), shownTree(lost.size - 1, root(4))];
  const { found, failed } = await outcomeOf(changedTo([ofLog]), shown);
  t.deepEqual(failed, []);
  t.true(found.finding);
  t.regex(found.detail, new RegExp(`after entry ${kept.size}: up to 5 entries`));
  // The control: the same checkpoints, and no recovery.
  const { failed: without } = await outcomeOf(sampleLog(), shown);
  t.deepEqual(
    without.map(({ check: name }) => name),
    ["every checkpoint shown is of this log"],
  );
});

test("what a recovery does not name is no excuse for a checkpoint shown elsewhere", async (t) => {
  for (const [size, hash] of [
    [lost.size, root(6)],
    [lost.size + 1, root(5)],
    [kept.size, root(1)],
    [2, root(1)],
  ] as const) {
    const { failed } = await outcomeOf(changedTo([ofLog]), [shownTree(size, hash)]);
    t.is(failed.length, 1, `${size}`);
  }
});

const withKey = roster.members.map((member) =>
  member.id === "cold-chain" ? { ...member, ...newKeys } : member,
);
const reported = sample.leaves
  .map(parseEntry)
  .findLast((entry) => entry.type === "ledger.reported" && entry.enterprise === "cold-chain");

test("a member whose ledger is lost has another key, and the roster says so", async (t) => {
  if (reported?.type !== "ledger.reported") throw new Error("the sample reports no ledger");
  const tree = { size: reported.size, root: Buffer.from(reported.root, "hex") };
  const begun: Recovery = { kind: "ledger", enterprise: "cold-chain", lost: tree };
  const { found, failed } = await outcomeOf(changedTo([begun], withKey));
  t.deepEqual(failed, []);
  t.regex(found.detail, /the ledger of cold-chain/);
  for (const [recoveries, why] of [
    [[], "no recovery says so"],
    [[{ ...begun, lost: { ...tree, size: tree.size + 1 } }], "another size"],
    [[{ ...begun, enterprise: "lathe-works" }], "another enterprise's"],
  ] as const)
    t.false((await outcomeOf(changedTo(recoveries, withKey))).found.ok, why);
});

test("a log that did not go on from what its roster says was kept is told", async (t) => {
  const other: Recovery = { ...ofLog, kept: { size: kept.size, root: root(9) } };
  t.false((await outcomeOf(changedTo([other]))).found.ok);
  const later: Recovery = {
    kind: "log",
    kept: { size: kept.size + 9, root: root(9) },
    lost: { size: 999, root: root(1) },
  };
  t.false((await outcomeOf(changedTo([later]))).found.ok);
});

test("a later roster that forgets a recovery is told", async (t) => {
  const log = changedTo([ofLog]);
  const note = signRoster({ consortium, version: 3, members: roster.members }, signers);
  log.attach({ type: "roster", note });
  const members = [...identities.keys()].sort();
  log.append({ type: "roster.changed", time, roster: rosterDigest(note), version: 3, members });
  t.false((await outcomeOf(log)).found.ok);
});

const [oldKey, auditorKey] = [bank, auditor].map(({ name, signingSeed }) =>
  knownSigner(name, signingSeed),
) as [KnownSigner, KnownSigner];
const [nextKey, thirdKey] = ["next", "third"].map((seed) =>
  knownSigner(bank.name, seededRandom(seed).bytes(32)),
) as [KnownSigner, KnownSigner];
const follow = (old: KnownSigner, next: KnownSigner): Succession =>
  signSuccession(consortium, { holder: "bank", from: old.verifier.key, to: next.verifier.key }, old, next);
const rotated = follow(oldKey, nextKey);

/** The sample log, and the bank's key another from then on. */
function rotatedLog({
  successions = [rotated],
  signedBy = [nextKey, auditorKey],
  told = [rotated],
  signer = nextKey,
  log = sampleLog(),
  version = 2,
}: {
  successions?: readonly Succession[];
  signedBy?: readonly KnownSigner[];
  told?: readonly Succession[];
  signer?: KnownSigner;
  log?: LogBuilder;
  version?: number;
} = {}): LogBuilder {
  const note = signRoster({ consortium, version, successions, members: roster.members }, signedBy);
  log.attach({ type: "roster", note });
  const members = roster.members.map(({ id }) => id);
  const digest = rosterDigest(note);
  log.append({ type: "roster.changed", time, roster: digest, version, members });
  for (const { holder, from, to } of told)
    log.append({ type: "key.rotated", time, holder, from, to, roster: digest });
  log.signer = signer;
  return log;
}
const failing = async (log: LogBuilder, by = policy, shown: readonly string[] = []): Promise<string[]> =>
  (await verifyExport([await log.export()], by, { shown })).filter(({ ok }) => !ok).map((line) => line.check);

test("a log whose bank changed its key verifies by the policy of before and by the one of now", async (t) => {
  const shown = [sample.checkpoint(), rotatedLog().checkpoint()];
  t.deepEqual(await failing(rotatedLog(), policy, shown), []);
  t.deepEqual(await failing(rotatedLog(), { ...policy, log: nextKey.verifier }, shown), []);
  t.deepEqual(await failing(rotatedLog(), { ...policy, log: thirdKey.verifier }), [
    "consortium created first, with the policy's keys",
    "checkpoint signed by the log",
    "root recomputed from the entries",
    "cosignatures valid",
    "witness quorum reached",
  ]);
  const checks = await verifyExport([await rotatedLog().export()], policy);
  const { detail, finding } = checks.find(
    ({ check }) => check === "keys that follow others, signed by both",
  )!;
  t.true(finding);
  t.regex(detail, /^bank has a new key: /);
});

test("a key that follows no other, or not as the log says, is told", async (t) => {
  const signed = "checkpoint signed by the log";
  const follows = "keys that follow others, signed by both";
  const logged = "every change of a key in the log";
  const rosters = "rosters signed by bank and auditor";
  const cases: [string, LogBuilder, string][] = [
    ["the old key signs on", rotatedLog({ signer: oldKey }), signed],
    [
      "the new key signs without a roster",
      rotatedLog({ successions: [], signedBy: [oldKey, auditorKey], told: [] }),
      signed,
    ],
    ["no entry says so", rotatedLog({ told: [] }), logged],
    ["an entry says another", rotatedLog({ told: [follow(oldKey, thirdKey)] }), follows],
    ["an entry says one more", rotatedLog({ told: [rotated, rotated] }), follows],
    ["the bank alone", rotatedLog({ signedBy: [nextKey] }), rosters],
    ["of a key that was not in force", rotatedLog({ successions: [follow(thirdKey, nextKey)] }), rosters],
    [
      "a second successor later",
      rotatedLog({
        log: rotatedLog(),
        successions: [follow(oldKey, thirdKey)],
        signedBy: [thirdKey, auditorKey],
        told: [],
        version: 3,
      }),
      follows,
    ],
    [
      "forgotten later",
      rotatedLog({
        log: rotatedLog(),
        successions: [],
        signedBy: [nextKey, auditorKey],
        told: [],
        version: 3,
      }),
      follows,
    ],
  ];
  for (const [why, log, check] of cases) {
    const found = await failing(log);
    t.true(found.includes(check), `${why}: ${found.join(", ")}`);
  }
});
