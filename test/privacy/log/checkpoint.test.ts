import { createHash, createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import test from "ava";
import fc from "fast-check";
import { concatBytes, toHex, utf8 } from "../../../core/bytes.ts";
import { seededRandom } from "../../../core/random.ts";
import { Refusal } from "../../../core/reasons.ts";
import { openCheckpoint, signCheckpoint } from "../../../privacy/log/checkpoint.ts";
import {
  cosign,
  cosignatureVerifier,
  cosigner,
  parseCosignatureKey,
} from "../../../privacy/log/cosignature.ts";
import { ed25519PublicKey } from "../../../privacy/log/ed25519.ts";
import {
  appendLeaf,
  emptyRange,
  type Hash,
  inclusionProof,
  leafHash,
  rangeRoot,
} from "../../../privacy/log/merkle.ts";
import { mlDsaPublicKey } from "../../../privacy/log/ml-dsa.ts";
import { noteSigner, parseSignature, parseVerifierKey, verifierKey } from "../../../privacy/log/note.ts";
import { formatPolicy, parsePolicy, quorumReached } from "../../../privacy/log/policy.ts";
import { formatReceipt, parseReceipt, verifyReceipt } from "../../../privacy/log/proof.ts";
import { openSecondKey, signSecondKey } from "../../../privacy/log/second-key.ts";
import { formatCheckpoint, parseCheckpoint } from "../../../privacy/log/tree-head.ts";

const vectors = JSON.parse(
  readFileSync(new URL("../../vectors/signed-notes.json", import.meta.url), "utf8"),
) as { notes: { vkey: string; note: string }[] };

const origin = "riverbank-sme/bank";
const seedOf = (name: string): Uint8Array => seededRandom(name).bytes(32);
const log = noteSigner(origin, seedOf(origin));
const logKey = parseVerifierKey(verifierKey(origin, ed25519PublicKey(seedOf(origin))));
const witness = (name: string) => cosignatureVerifier(name, ed25519PublicKey(seedOf(name)));
const names = ["w1", "w2", "w3"];
const root = leafHash(utf8("root"));
const note = signCheckpoint({ origin, size: 3, root }, log);
const text = formatCheckpoint({ origin, size: 3, root });
const cosigned = (...by: string[]): string =>
  note + by.map((name) => cosign(text, cosigner(name, seedOf(name), 1_700_000_000))).join("");

const reasonOf = (run: () => unknown): string | undefined => {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error.reason;
    throw error;
  }
};

test("a real public checkpoint opens and is written as it was read", (t) => {
  const { vkey, note: real } = vectors.notes[2]!;
  const parsed = parseCheckpoint(real.slice(0, real.indexOf("\n\n") + 1));
  t.is(parsed.origin, "go.sum database tree");
  t.true(parsed.size > 1_000_000);
  t.true(real.startsWith(`${formatCheckpoint(parsed)}\n`));
  // Its origin is not its key's name, which is what Go's own reader allows for this one log.
  t.is(
    reasonOf(() => openCheckpoint(real, parseVerifierKey(vkey))),
    "signature_invalid",
  );
});

test("a checkpoint opens with the log's key, whoever else signed", (t) => {
  const opened = openCheckpoint(cosigned("w1", "stranger"), logKey, [witness("w1"), witness("w2")]);
  t.is(opened.checkpoint.size, 3);
  t.is(toHex(opened.checkpoint.root), toHex(root));
  t.deepEqual(
    opened.cosigned.map(({ witness: { name }, timeSeconds }) => [name, timeSeconds]),
    [["w1", 1_700_000_000]],
  );
});

test("a cosignature over another text, time or key is refused", (t) => {
  const wrong = [
    cosign(formatCheckpoint({ origin, size: 4, root }), cosigner("w1", seedOf("w1"), 5)),
    cosign(text, { ...cosigner("w1", seedOf("w1"), 5), sign: cosigner("w1", seedOf("w2"), 5).sign }),
    cosign(text, { ...cosigner("w1", seedOf("w1"), 5), sign: () => new Uint8Array(72) }),
    cosign(text, { ...cosigner("w1", seedOf("w1"), 5), sign: () => new Uint8Array(64) }),
    cosign(text, {
      ...cosigner("w1", seedOf("w1"), 5),
      sign: (signed) => cosigner("w1", seedOf("w1"), 5).sign(signed).with(7, 6),
    }),
  ];
  for (const line of wrong)
    t.is(
      reasonOf(() => openCheckpoint(note + line, logKey, [witness("w1")])),
      "signature_invalid",
    );
  t.is(
    reasonOf(() => openCheckpoint(note, witness("w1"))),
    "signature_invalid",
  );
});

const mlDsaSeed = seededRandom("w1 of ML-DSA").bytes(32);
const mlDsaWitness = cosignatureVerifier("w1", mlDsaPublicKey(mlDsaSeed), "ML-DSA-44");
const mlDsaCosigner = (timeSeconds: number, name = "w1", seed = mlDsaSeed) =>
  cosigner(name, seed, timeSeconds, "ML-DSA-44");

test("an ML-DSA-44 cosignature is over the message that C2SP writes down", (t) => {
  const { signature } = parseSignature(cosign(text, mlDsaCosigner(1_679_315_147)));
  t.is(signature.length, 8 + 2420);
  const message = [
    "737562747265652f76310a00", // subtree/v1\n\0
    "027731", // w1
    "000000006418 50cb", // 1679315147
    `12${Buffer.from(origin).toString("hex")}`,
    "0000000000000000", // from the first leaf
    "0000000000000003", // to the third
    toHex(root),
  ];
  const spki = concatBytes(
    Buffer.from("30820532300b06096086480165030403110382052100", "hex"),
    mlDsaWitness.publicKey,
  );
  const key = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
  t.is(key.asymmetricKeyType, "ml-dsa-44");
  const bytes = Buffer.from(message.join("").replaceAll(" ", ""), "hex");
  t.true(verify(null, bytes, key, signature.subarray(8)));
  // SHA-256(name ‖ 0A ‖ 06 ‖ key), first four bytes.
  const id = createHash("sha256").update("w1\n\x06").update(mlDsaWitness.publicKey).digest("hex");
  t.is(mlDsaWitness.keyId, id.slice(0, 8));
  t.is(parseCosignatureKey(mlDsaWitness.key).keyId, mlDsaWitness.keyId);
});

test("an ML-DSA-44 cosignature over another tree, log, time, name or key is refused", (t) => {
  const open = (line: string): string | undefined =>
    reasonOf(() => openCheckpoint(note + line, logKey, [mlDsaWitness]));
  const honest = mlDsaCosigner(5);
  t.is(open(cosign(text, honest)), undefined);
  const signedBy = (sign: (text: string) => Uint8Array): string => cosign(text, { ...honest, sign });
  for (const line of [
    cosign(formatCheckpoint({ origin, size: 4, root }), honest),
    cosign(formatCheckpoint({ origin: "other", size: 3, root }), honest),
    cosign(formatCheckpoint({ origin, size: 3, root: leafHash(utf8("other")) }), honest),
    signedBy((signed) => honest.sign(signed).with(7, 6)),
    signedBy(mlDsaCosigner(5, "w2").sign),
    signedBy(mlDsaCosigner(5, "w1", seedOf("w2")).sign),
    signedBy(cosigner("w1", seedOf("w1"), 5).sign),
    signedBy(() => new Uint8Array(2428)),
  ])
    t.is(open(line), "signature_invalid");
  // Whoever does not know the key goes on without it.
  const both = cosigned("w1") + cosign(text, honest);
  t.is(openCheckpoint(both, logKey, [witness("w1")]).cosigned.length, 1);
});

test("two keys of one witness count once, and either counts", (t) => {
  const written = formatPolicy(logKey, [witness("w1"), mlDsaWitness, witness("w2")], 2);
  const policy = parsePolicy(written);
  t.is(policy.witnesses.length, 3);
  const reached = (signed: string): boolean =>
    quorumReached(policy, openCheckpoint(signed, policy.log, policy.witnesses).cosigned);
  const second = cosign(text, mlDsaCosigner(7));
  t.false(reached(cosigned("w1") + second));
  t.true(reached(cosigned("w1", "w2")));
  t.true(reached(cosigned("w2") + second));
  t.true(reached(cosigned("w1", "w2") + second));
  t.throws(() => formatPolicy(logKey, [witness("w1"), mlDsaWitness], 2), { instanceOf: RangeError });
});

test("a second key is its witness's own, by its first", (t) => {
  const first = noteSigner("w1", seedOf("w1"));
  const known = parseVerifierKey(verifierKey("w1", ed25519PublicKey(seedOf("w1"))));
  t.is(openSecondKey(signSecondKey(mlDsaWitness.key, first), known).key, mlDsaWitness.key);
  const other = parseVerifierKey(verifierKey("w1", ed25519PublicKey(seedOf("w2"))));
  t.is(
    reasonOf(() => openSecondKey(signSecondKey(mlDsaWitness.key, first), other)),
    "signature_invalid",
  );
  const elsewhere = cosignatureVerifier("w2", mlDsaWitness.publicKey, "ML-DSA-44").key;
  for (const key of [witness("w1").key, elsewhere, "", `${mlDsaWitness.key}\nmore`])
    t.is(
      reasonOf(() => openSecondKey(signSecondKey(key, first), known)),
      "note_malformed",
    );
});

test("malformed checkpoints and cosignature keys are refused", (t) => {
  for (const bad of [
    "",
    "origin\n1\n",
    text.replace("3", "03"),
    text.replace("3", "-3"),
    text.replace("3", "99999999999999999999"),
    text.replace("=", ""),
    `${text}extension\n`,
    text.slice(0, -1),
    `\n${text}`,
  ])
    t.is(
      reasonOf(() => parseCheckpoint(bad)),
      "note_malformed",
      bad,
    );
  const { key } = witness("w1");
  t.deepEqual(parseCosignatureKey(key).publicKey, witness("w1").publicKey);
  for (const bad of ["", key.replace("w1", "w2"), key.slice(0, -4), logKey.key])
    t.is(
      reasonOf(() => parseCosignatureKey(bad)),
      "note_malformed",
      bad,
    );
  t.throws(() => signCheckpoint({ origin: "other", size: 3, root }, log), { instanceOf: RangeError });
});

test("a written policy reads back and counts its quorum", (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.nat(3), fc.subarray(names), (quorum, present) => {
        const policy = parsePolicy(formatPolicy(logKey, names.map(witness), quorum));
        const opened = openCheckpoint(cosigned(...present), policy.log, policy.witnesses);
        return quorumReached(policy, opened.cosigned) === present.length >= quorum;
      }),
      { numRuns: 30 },
    ),
  );
});

test("a quorum no number of witnesses can reach is a programming mistake", (t) => {
  for (const quorum of [4, -1, 1.5])
    t.throws(() => formatPolicy(logKey, names.map(witness), quorum), { instanceOf: RangeError });
});

const lines = names.map((name) => `witness ${name} ${witness(name).key}`).join("\n");

test("groups of groups, comments and blank lines as the tlog-policy specification has them", (t) => {
  const policy = parsePolicy(
    `# a comment\n\n\t log ${logKey.key} https://log.example/\n${lines} \ngroup a any w1 w2\ngroup b all a w3\nquorum b\n`,
  );
  const reached = (...by: string[]): boolean =>
    quorumReached(policy, openCheckpoint(cosigned(...by), policy.log, policy.witnesses).cosigned);
  t.true(reached("w1", "w3"));
  t.true(reached("w2", "w3"));
  t.false(reached("w1", "w2"));
  t.false(reached("w3"));
});

test("policies that say nothing clear are refused by line", (t) => {
  const head = `log ${logKey.key}\n${lines}\n`;
  const bad: Record<string, string> = {
    "no log": "quorum none\n",
    "no quorum": head,
    "two logs": `${head}log ${logKey.key}\nquorum none\n`,
    "two quorums": `${head}quorum none\nquorum w1\n`,
    "unknown keyword": `${head}witnesses w1\nquorum none\n`,
    "unknown name": `${head}quorum w9\n`,
    "defined later": `${head}group a any b\ngroup b any w1\nquorum a\n`,
    "name taken": `${head}group w1 any w2\nquorum w1\n`,
    "name none": `${head}group none any w2\nquorum none\n`,
    "member twice": `${head}group a any w1\ngroup b any w1\nquorum a\n`,
    "too many": `${head}group a 3 w1 w2\nquorum a\n`,
    "threshold 0": `${head}group a 0 w1 w2\nquorum a\n`,
    "no members": `${head}group a any\nquorum a\n`,
    "one key, two names": `${head}witness w4 ${witness("w1").key}\nquorum none\n`,
    "a log's key as a witness": `${head}witness w4 ${logKey.key}\nquorum none\n`,
  };
  for (const [name, policy] of Object.entries(bad))
    t.is(
      reasonOf(() => parsePolicy(policy)),
      "file_malformed",
      name,
    );
  t.throws(() => parsePolicy(`${head}quorum w9\n`), { message: /line 5: w9/ });
});

test("a receipt proves one entry and no other", async (t) => {
  const stored = new Map<string, Hash>();
  const entries = Array.from({ length: 11 }, (_, i) => utf8(`entry ${i}`));
  let range = emptyRange;
  for (const entry of entries) {
    const step = appendLeaf(range, leafHash(entry));
    range = step.range;
    for (const { level, index, hash } of step.stored) stored.set(`${level}/${index}`, hash);
  }
  const checkpoint = { origin, size: 11, root: rangeRoot(range) };
  const signed =
    signCheckpoint(checkpoint, log) + cosign(formatCheckpoint(checkpoint), cosigner("w1", seedOf("w1"), 9));
  const policy = parsePolicy(formatPolicy(logKey, [witness("w1")], 1));
  for (const [index, entry] of entries.entries()) {
    const proof = await inclusionProof(index, 11, (level, i) => stored.get(`${level}/${i}`)!);
    const receipt = formatReceipt({ index, proof, entry, checkpoint: signed });
    t.is(formatReceipt(parseReceipt(receipt)), receipt);
    t.is(parseReceipt(receipt).index, index);
    const proved = verifyReceipt(receipt, policy);
    t.deepEqual([proved.checkpoint.size, proved.index, proved.entry], [11, index, entry]);
    const other = formatReceipt({ index, proof, entry: utf8("other"), checkpoint: signed });
    t.is(
      reasonOf(() => verifyReceipt(other, policy)),
      "log_invalid",
    );
    t.is(
      reasonOf(() => verifyReceipt(receipt.replace(/index \d+/, "index 12"), policy)),
      "log_invalid",
    );
    const alone = formatReceipt({ index, proof, entry, checkpoint: signCheckpoint(checkpoint, log) });
    t.is(
      reasonOf(() => verifyReceipt(alone, policy)),
      "witness_quorum",
    );
  }
  for (const bad of [
    "",
    "c2sp.org/tlog-proof@v1\n",
    "c2sp.org/tlog-proof@v1\nindex 1\n\nx",
    "c2sp.org/tlog-proof@v1\nextra ?\nindex 1\n\nx",
    "c2sp.org/tlog-proof@v1\nextra AAAA\nindex 01\n\nx",
    "c2sp.org/tlog-proof@v1\nextra AAAA\nindex 1\nAA==\n\nx",
  ])
    t.is(
      reasonOf(() => parseReceipt(bad)),
      "file_malformed",
      bad,
    );
});
