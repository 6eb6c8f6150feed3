import test from "ava";
import { Refusal } from "../../core/reasons.ts";
import { openCheckpoint } from "../../privacy/log/checkpoint.ts";
import { cosignatureVerifier } from "../../privacy/log/cosignature.ts";
import { mlDsaPublicKey } from "../../privacy/log/ml-dsa.ts";
import { parseNote, parseSignerKey, parseVerifierKey } from "../../privacy/log/note.ts";
import { parseCheckpoint } from "../../privacy/log/tree-head.ts";
import { LocalBank } from "../../simulate/consortium.ts";

const reasonOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "none",
    (error: unknown) => (error instanceof Refusal ? error.reason : String(error)),
  );

test("the auditor cosigns a log that grows, and nothing else", async (t) => {
  const bank = await LocalBank.start();
  t.teardown(() => bank.stop());
  const auditor = bank.auditor();
  t.teardown(() => auditor.close());
  const first = await auditor.witness(undefined, Date.now());
  t.like(parseCheckpoint(parseNote(await bank.operator.checkpoint()).text), { size: 2, root: first.root });
  await bank.enrolAll(["lathe", "mill"]);
  const second = await auditor.witness(first, Date.now());
  t.true(second.size > first.size);
  const types: string[] = [];
  for await (const [index, { type }] of auditor.entries(0, second.size, second)) types[index] = type;
  t.is(types.length, second.size);
  t.is(types[0], "consortium.created");
  // Proven against the tree that was witnessed: another tree's root proves nothing.
  const forged = { ...second, note: first.note };
  t.is(await reasonOf(auditor.entries(first.size, second.size, forged).next()), "log_invalid");
  const { signatures } = parseNote(await bank.operator.checkpoint());
  t.deepEqual(
    signatures.map(({ name }) => name),
    ["riverbank/bank", "auditor"],
  );
  // The same log after it was rewound, rewritten, or replaced by a shorter one.
  const otherRoot = new Uint8Array(32).fill(7);
  t.is(await reasonOf(auditor.witness({ size: second.size, root: otherRoot }, Date.now())), "log_forked");
  t.is(await reasonOf(auditor.witness({ size: first.size, root: otherRoot }, Date.now())), "log_forked");
  t.is(await reasonOf(auditor.witness({ ...second, size: second.size + 1 }, Date.now())), "log_forked");
});

test("the bank keeps the auditor's ML-DSA-44 cosignature where its first key says whose it is; both count once", async (t) => {
  const bank = await LocalBank.start({ witnesses: { quorum: 2 } });
  t.teardown(() => bank.stop());
  const auditor = bank.auditor();
  t.teardown(() => auditor.close());
  const keys = { key: parseSignerKey(bank.auditorSigner), bankKey: parseVerifierKey(bank.bankKey) };
  const secondKey = (name: string, seed = new Uint8Array(32).fill(3)) => ({
    seed,
    witness: cosignatureVerifier(name, mlDsaPublicKey(seed), "ML-DSA-44"),
  });
  const mlDsa = secondKey("auditor");
  auditor.use({ ...keys, mlDsa });
  const { note, size } = await auditor.witness(undefined, Date.now());
  const { cosigned } = openCheckpoint(note, keys.bankKey, [mlDsa.witness]);
  t.deepEqual(
    cosigned.map(({ witness }) => witness.keyId),
    [mlDsa.witness.keyId],
  );
  t.deepEqual(
    parseNote(note).signatures.map(({ name }) => name),
    ["riverbank/bank", "auditor", "auditor"],
  );
  t.is(await reasonOf(bank.operator.exportLog().next()), "witness_quorum", "two keys are one witness");
  // Another's key, or a signature that is not the key's: nothing of what was sent is kept.
  auditor.use({ ...keys, mlDsa: secondKey("mill") });
  t.is(await reasonOf(auditor.witness(undefined, Date.now())), "note_malformed");
  auditor.use({ ...keys, mlDsa: { ...mlDsa, seed: new Uint8Array(32).fill(4) } });
  t.is(await reasonOf(auditor.witness(undefined, Date.now())), "signature_invalid");
  auditor.use(keys);
  t.is(
    (await auditor.witness({ size, root: parseCheckpoint(parseNote(note).text).root }, Date.now())).note,
    note,
  );
});
