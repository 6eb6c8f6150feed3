import test from "ava";
import { acceptRecoveries, type RecoveryDesk } from "../../../client-node/federation/recovery.ts";
import type { Transport } from "../../../client-node/federation/transport.ts";
import { witnessCheckpoint } from "../../../client-node/federation/witness.ts";
import { EgressLedger } from "../../../client-node/ledger/egress.ts";
import { storedRecoveries } from "../../../client-node/ledger/recoveries.ts";
import { openStore } from "../../../client-node/ledger/store.ts";
import { utf8 } from "../../../core/bytes.ts";
import { seededRandom } from "../../../core/random.ts";
import { type Reason, Refusal } from "../../../core/reasons.ts";
import { generateIdentity, publicIdentity } from "../../../privacy/identity.ts";
import { signCheckpoint } from "../../../privacy/log/checkpoint.ts";
import { entryBytes } from "../../../privacy/log/entry.ts";
import {
  appendLeaf,
  consistencyProof,
  emptyRange,
  type Hash,
  inclusionProof,
  leafHash,
  rangeRoot,
} from "../../../privacy/log/merkle.ts";
import {
  newSignerKey,
  noteSigner,
  parseNote,
  parseSignerKey,
  parseVerifierKey,
} from "../../../privacy/log/note.ts";
import { parseCheckpoint } from "../../../privacy/log/tree-head.ts";
import type { LogRecovery, Recovery } from "../../../privacy/recovery.ts";
import { openRoster, type Roster, rosterDigest, signRoster } from "../../../privacy/roster.ts";
import { Log } from "../../../proto/wire.ts";

const random = seededRandom("recovery");
const [bank, auditor] = [newSignerKey("riverbank/bank", random), newSignerKey("riverbank/auditor", random)];
const [bankSigner, auditorSigner] = [bank, auditor].map(({ keep }) => {
  const { name, seed } = parseSignerKey(keep);
  return noteSigner(name, seed);
}) as [ReturnType<typeof noteSigner>, ReturnType<typeof noteSigner>];
const identity = generateIdentity("riverbank/mill", random);
const members = [{ id: "mill", organisation: "Mill Ltd", ...publicIdentity(identity) }];

/** The log whose entries are these. */
function logOf(entries: readonly Uint8Array[]) {
  const hashes = new Map<string, Hash>();
  const read = (level: number, index: number): Hash => hashes.get(`${level}/${index}`)!;
  let range = emptyRange;
  const notes = [noteOf(0, rangeRoot(range))];
  for (const entry of entries) {
    const appended = appendLeaf(range, leafHash(entry));
    range = appended.range;
    for (const { level, index, hash } of appended.stored) hashes.set(`${level}/${index}`, hash);
    notes.push(noteOf(range.size, rangeRoot(range)));
  }
  const treeAt = (size: number) => parseCheckpoint(parseNote(notes[size]!).text);
  return { entries, notes, read, treeAt };
}
type TestLog = ReturnType<typeof logOf>;
const noteOf = (size: number, root: Hash): string =>
  signCheckpoint({ origin: bankSigner.name, size, root }, bankSigner);

const texts = (...names: readonly string[]): Uint8Array[] => names.map((name) => utf8(name));
const numbered = (count: number, name = "entry"): Uint8Array[] =>
  texts(...Array.from({ length: count }, (_, i) => `${name} ${i}`));

const rosterNote = (version: number, recoveries: readonly Recovery[]): string =>
  signRoster({ consortium: "riverbank", version, recoveries, members }, [bankSigner, auditorSigner]);
const opened = (note: string): Roster =>
  openRoster(note, parseVerifierKey(bank.send), parseVerifierKey(auditor.send));
const changed = (note: string, version: number): Uint8Array =>
  entryBytes({ type: "roster.changed", time: 1, roster: rosterDigest(note), version, members: ["mill"] });

/** A node, and the log that the bank shows it. */
function nodeAt(first: TestLog): RecoveryDesk & { show(log: TestLog): void } {
  let log = first;
  const answers: Readonly<Record<string, (request: Record<string, number>) => Promise<unknown>>> = {
    [Log.service.GetCheckpoint.path]: async () => ({ note: log.notes.at(-1) }),
    [Log.service.GetConsistency.path]: async ({ oldSize, newSize }) => {
      if (newSize! >= log.notes.length) throw new Refusal("not_found", "beyond the log's end");
      return { hashes: await consistencyProof(oldSize!, newSize!, log.read) };
    },
    [Log.service.GetInclusion.path]: async ({ index, size }) => ({
      hashes: await inclusionProof(index!, size!, log.read),
      entry: log.entries[index!],
    }),
  };
  const db = openStore(":memory:");
  return {
    db,
    ledger: new EgressLedger(db, { identity }),
    now: () => 1,
    credentials: { bankKey: bank.send, enterprise: "mill", identity },
    transport: {
      call: (method: { path: string }, request: never) => answers[method.path]!(request),
    } as unknown as Pick<Transport, "call">,
    show: (next) => {
      log = next;
    },
  };
}

const reasonOf = async (work: Promise<unknown>): Promise<Reason | undefined> => {
  try {
    await work;
  } catch (error) {
    if (error instanceof Refusal) return error.reason;
    throw error;
  }
  return undefined;
};

const keptEntries = numbered(6);
const lostLog = logOf([...keptEntries, ...numbered(4, "lost")]);
const recovery: LogRecovery = { kind: "log", kept: lostLog.treeAt(6), lost: lostLog.treeAt(10) };
const note = rosterNote(2, [recovery]);
const roster = opened(note);
/** What goes on from the backup, with the roster that says so as entry 6. */
const nextEntries = [...keptEntries, changed(note, 2)];
const nextLog = logOf([...nextEntries, ...numbered(2, "next")]);

/** A node that has seen so much of the log that was lost. */
async function seenUpTo(size: number) {
  const node = nodeAt(lostLog);
  await witnessCheckpoint(node, lostLog.notes[size]!);
  node.show(nextLog);
  return node;
}
const follow = (node: RecoveryDesk, log: TestLog) => witnessCheckpoint(node, log.notes.at(-1)!);

for (const size of [3, 6, 8, 10])
  test(`who had seen ${size} entries goes on under the recovery, once`, async (t) => {
    const node = await seenUpTo(size);
    // The control: without the recovery what is beyond the kept entries is a fork.
    t.is(await reasonOf(follow(node, nextLog)), size > 6 ? "log_forked" : undefined);
    await acceptRecoveries(node, roster, 6);
    t.is(await reasonOf(follow(node, nextLog)), undefined);
    t.is(await reasonOf(follow(node, lostLog)), "log_forked", "the branch that was lost");
    const another = logOf([...nextEntries, ...numbered(3, "another")]);
    node.show(another);
    await acceptRecoveries(node, roster, 6);
    t.is(await reasonOf(follow(node, another)), "log_forked", "a second branch under the same recovery");
    const last = node.ledger.entries(0, node.ledger.size).at(-1)?.entry;
    t.is(last?.type, "log.recovered");
  });

test("a recovery excuses no more than it names", async (t) => {
  const refusals: [string, RecoveryDesk, Roster, number][] = [];
  const bigger = logOf([...keptEntries, ...numbered(5, "lost")]);
  const beyond = nodeAt(bigger);
  await witnessCheckpoint(beyond, bigger.notes[11]!);
  beyond.show(nextLog);
  refusals.push(["more entries were shown here", beyond, roster, 6]);

  const other = logOf([...keptEntries, ...numbered(4, "other")]);
  const elsewhere = nodeAt(other);
  await witnessCheckpoint(elsewhere, other.notes[10]!);
  elsewhere.show(nextLog);
  refusals.push(["as many, of another log", elsewhere, roster, 6]);

  const before = nodeAt(other);
  const early = logOf([...numbered(2, "early"), ...keptEntries]);
  await witnessCheckpoint(before, early.notes[3]!);
  before.show(nextLog);
  refusals.push(["another beginning", before, roster, 6]);

  const silent = await seenUpTo(8);
  silent.show(logOf([...keptEntries, ...numbered(4, "silent")]));
  refusals.push(["the log does not hold the roster", silent, roster, 6]);
  refusals.push(["it is not where the bank says", await seenUpTo(8), roster, 7]);
  refusals.push(["nor in the log at all", await seenUpTo(8), roster, 99]);

  const moved = await seenUpTo(8);
  moved.show(logOf([...numbered(6, "invented"), changed(note, 2)]));
  refusals.push(["the log does not hold what was kept", moved, roster, 6]);
  for (const [why, node, shown, entry] of refusals) {
    t.is(await reasonOf(acceptRecoveries(node, shown, entry)), "log_forked", why);
    t.deepEqual(storedRecoveries(node.db), [], why);
  }
});

test("a roster that forgets a recovery, or tells another in its place, is refused", async (t) => {
  const node = await seenUpTo(8);
  await acceptRecoveries(node, roster, 6);
  t.is(await reasonOf(acceptRecoveries(node, opened(rosterNote(3, [])), 6)), "roster_mismatch");
  const another: Recovery = { ...recovery, lost: lostLog.treeAt(9) };
  t.is(await reasonOf(acceptRecoveries(node, opened(rosterNote(3, [another])), 6)), "roster_mismatch");
});

test("a backup that is older still: the second recovery goes back behind the first", async (t) => {
  const second: LogRecovery = { kind: "log", kept: lostLog.treeAt(4), lost: nextLog.treeAt(9) };
  const both = rosterNote(3, [recovery, second]);
  const last = logOf([...keptEntries.slice(0, 4), changed(both, 3), ...numbered(3, "last")]);
  for (const told of [true, false]) {
    const node = await seenUpTo(8);
    if (told) await acceptRecoveries(node, roster, 6);
    node.show(last);
    t.is(await reasonOf(follow(node, last)), "log_forked");
    await acceptRecoveries(node, opened(both), 4);
    t.is(await reasonOf(follow(node, last)), undefined);
  }
});

test("one signature, or a changed line, makes no recovery", (t) => {
  const text = { consortium: "riverbank", version: 2, recoveries: [recovery], members };
  t.throws(() => opened(signRoster(text, [bankSigner])), { message: /auditor has not signed/ });
  t.throws(() => opened(signRoster(text, [auditorSigner])), { message: /bank has not signed/ });
  t.throws(() => opened(note.replace(/^\+log 6/m, "+log 5")), { message: /signature/ });
});
