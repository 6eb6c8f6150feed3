import test from "ava";
import type { Transport } from "../../../client-node/federation/transport.ts";
import { cosignatureOf, type Witness, witnessCheckpoint } from "../../../client-node/federation/witness.ts";
import { seenCheckpoint } from "../../../client-node/ledger/records.ts";
import { openStore } from "../../../client-node/ledger/store.ts";
import { utf8 } from "../../../core/bytes.ts";
import { seededRandom } from "../../../core/random.ts";
import { type Reason, Refusal } from "../../../core/reasons.ts";
import { generateIdentity } from "../../../privacy/identity.ts";
import { signCheckpoint } from "../../../privacy/log/checkpoint.ts";
import { cosignatureVerifier } from "../../../privacy/log/cosignature.ts";
import { ed25519PublicKey } from "../../../privacy/log/ed25519.ts";
import {
  appendLeaf,
  consistencyProof,
  emptyRange,
  type Hash,
  leafHash,
  rangeRoot,
} from "../../../privacy/log/merkle.ts";
import { newSignerKey, noteSigner, parseSignature, parseSignerKey } from "../../../privacy/log/note.ts";

const random = seededRandom("witness");
const bank = newSignerKey("riverbank/bank", random);
const { name, seed } = parseSignerKey(bank.keep);
const identity = generateIdentity("riverbank/mill", random);

/** A log whose entries are these texts. */
function logOf(entries: readonly string[]) {
  const hashes = new Map<string, Hash>();
  let range = emptyRange;
  const notes = [signCheckpoint({ origin: name, size: 0, root: rangeRoot(range) }, noteSigner(name, seed))];
  for (const entry of entries) {
    const appended = appendLeaf(range, leafHash(utf8(entry)));
    range = appended.range;
    for (const { level, index, hash } of appended.stored) hashes.set(`${level}/${index}`, hash);
    const checkpoint = { origin: name, size: range.size, root: rangeRoot(range) };
    notes.push(signCheckpoint(checkpoint, noteSigner(name, seed)));
  }
  const prove = (oldSize: number, newSize: number) =>
    consistencyProof(oldSize, newSize, (level, index) => hashes.get(`${level}/${index}`)!);
  return { notes, prove };
}

type Answer = (oldSize: number, newSize: number) => Promise<Hash[]>;

/** A node that asks `answer` for consistency proofs. */
function witness(answer: Answer): Witness & { asked: number } {
  const node = {
    db: openStore(":memory:"),
    asked: 0,
    credentials: { bankKey: bank.send, enterprise: "mill", identity },
    transport: {
      call: async (_: { path: string }, { oldSize, newSize }: { oldSize: number; newSize: number }) => {
        node.asked++;
        return { hashes: await answer(oldSize, newSize) };
      },
    } as unknown as Transport,
  };
  return node;
}

const entries = Array.from({ length: 9 }, (_, i) => `entry ${i}`);
const honest = logOf(entries);
const forked = logOf(entries.map((entry, i) => (i === 4 ? "another" : entry)));

const reasonOf = async (work: Promise<unknown>): Promise<Reason | undefined> => {
  try {
    await work;
  } catch (error) {
    if (error instanceof Refusal) return error.reason;
    throw error;
  }
  return undefined;
};

test("a log that grows is followed; an older part of it is no fork", async (t) => {
  const node = witness(honest.prove);
  for (const [size, largest] of [
    [0, 0],
    [3, 3],
    [7, 7],
    [5, 7],
    [7, 7],
    [9, 9],
  ] as const) {
    t.is((await witnessCheckpoint(node, honest.notes[size]!)).size, size);
    t.is(seenCheckpoint(node.db, name)?.size, largest);
  }
});

test("a proof that comes with the header saves asking where it begins at what was seen, and is checked", async (t) => {
  const growth = async (since: number, size: number, log = honest) => ({
    since,
    hashes: await log.prove(since, size),
  });
  const node = witness(honest.prove);
  await witnessCheckpoint(node, honest.notes[3]!, await growth(2, 3));
  t.is(node.asked, 0);
  await witnessCheckpoint(node, honest.notes[7]!, await growth(3, 7));
  t.is(node.asked, 0);
  await witnessCheckpoint(node, honest.notes[9]!, await growth(5, 9));
  t.is(node.asked, 1, "it saw 7, not 5");
  const shown = await growth(3, 9, forked);
  const other = witness(forked.prove);
  await witnessCheckpoint(other, honest.notes[3]!);
  t.is(await reasonOf(witnessCheckpoint(other, honest.notes[9]!, shown)), "log_forked");
});

test("every other log of any size is a fork, and the log seen stays what it was", async (t) => {
  for (const size of [5, 7, 9]) {
    const node = witness(forked.prove);
    await witnessCheckpoint(node, honest.notes[7]!);
    t.is(await reasonOf(witnessCheckpoint(node, forked.notes[size]!)), "log_forked", `${size}`);
    t.is(seenCheckpoint(node.db, name)?.size, 7);
  }
});

test("a bank that gives no proof has forked; one that cannot be reached has not", async (t) => {
  for (const [refusal, expected] of [
    ["not_found", "log_forked"],
    ["internal", "log_forked"],
    ["unavailable", "unavailable"],
    ["deadline", "deadline"],
  ] as const) {
    const node = witness(() => Promise.reject(new Refusal(refusal, "no")));
    await witnessCheckpoint(node, honest.notes[3]!);
    t.is(await reasonOf(witnessCheckpoint(node, honest.notes[9]!)), expected);
  }
});

test("a checkpoint by another key is not looked at", async (t) => {
  const node = witness(honest.prove);
  const other = parseSignerKey(newSignerKey(name, random).keep);
  const checkpoint = { origin: name, size: 0, root: rangeRoot(emptyRange) };
  const note = signCheckpoint(checkpoint, noteSigner(name, other.seed));
  t.is(await reasonOf(witnessCheckpoint(node, note)), "signature_invalid");
  t.is(seenCheckpoint(node.db, name), undefined);
});

test("a cosignature says who saw which tree when", async (t) => {
  const node = witness(honest.prove);
  const seen = await witnessCheckpoint(node, honest.notes[5]!);
  const { size, line } = cosignatureOf(node.credentials, seen, 1_700_000_000_999);
  t.is(size, 5);
  const verifier = cosignatureVerifier("mill", ed25519PublicKey(identity.signingSeed));
  t.true(verifier.verify(seen.text, parseSignature(line).signature));
});
