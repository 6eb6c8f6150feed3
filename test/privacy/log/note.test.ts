import { readFileSync } from "node:fs";
import test from "ava";
import fc from "fast-check";
import { seededRandom } from "../../../core/random.ts";
import { Refusal } from "../../../core/reasons.ts";
import {
  addSignatures,
  newSignerKey,
  noteSigner,
  openNote,
  parseNote,
  parseSignature,
  parseSignerKey,
  parseVerifierKey,
  type Signer,
  signNote,
  verifierKey,
} from "../../../privacy/log/note.ts";

const vectors = JSON.parse(
  readFileSync(new URL("../../vectors/signed-notes.json", import.meta.url), "utf8"),
) as { notes: { vkey: string; note: string }[] };

const pair = (name: string): { signer: Signer; key: string } => {
  const { keep, send } = newSignerKey(name, seededRandom(name));
  return { signer: noteSigner(name, parseSignerKey(keep).seed), key: send };
};

for (const [i, { vkey, note }] of vectors.notes.entries()) {
  test(`published note ${i} opens with its key`, (t) => {
    const verifier = parseVerifierKey(vkey);
    const opened = openNote(note, [verifier]);
    t.deepEqual(opened.verifiedBy, [verifier]);
    t.true(note.startsWith(opened.text));
    t.is(verifierKey(verifier.name, verifier.publicKey), vkey);
  });

  test(`published note ${i} with another text is refused`, (t) => {
    const error = t.throws(() => openNote(`x${note}`, [parseVerifierKey(vkey)]), { instanceOf: Refusal });
    t.is(error?.reason, "signature_invalid");
  });
}

test("any well-formed text survives signing by two keys, blank lines inside it too", (t) => {
  const bank = pair("bank.example/log");
  const auditor = pair("auditor.example");
  const verifiers = [parseVerifierKey(auditor.key), parseVerifierKey(bank.key)];
  const line = fc.string({ unit: "grapheme" }).filter((s) => !/\p{Cc}/u.test(s));
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const text = lines.map((l) => `${l}\n`).join("") || "\n";
        const opened = openNote(signNote(text, [bank.signer, auditor.signer]), verifiers);
        return opened.text === text && opened.verifiedBy.length === 2;
      }),
      { numRuns: 50 },
    ),
  );
});

test("a changed character of the text or of a known signature is refused", (t) => {
  const { signer, key } = pair("bank.example/log");
  const note = signNote("one\ntwo\n", [signer]);
  const verifier = parseVerifierKey(key);
  for (let i = 0; i < note.length; i++) {
    for (const c of ["A", "x", "\n", " ", "="]) {
      if (note[i] === c) continue;
      const changed = note.slice(0, i) + c + note.slice(i + 1);
      t.throws(() => openNote(changed, [verifier]), { instanceOf: Refusal }, `character ${i} as ${c}`);
    }
  }
});

test("a signature by an unknown key is ignored, even one with a known name", (t) => {
  const bank = pair("bank.example/log");
  const { keep } = newSignerKey("bank.example/log", seededRandom("someone else"));
  const other = noteSigner("bank.example/log", parseSignerKey(keep).seed);
  const verifier = parseVerifierKey(bank.key);
  const opened = openNote(signNote("text\n", [other, bank.signer]), [verifier]);
  t.deepEqual(opened.verifiedBy, [verifier]);
  t.is(opened.signatures.length, 2);
  const error = t.throws(() => openNote(signNote("text\n", [other]), [verifier]), { instanceOf: Refusal });
  t.is(error?.reason, "signature_invalid");
});

test("a wrong signature by a known key is refused although another signed", (t) => {
  const bank = pair("bank.example/log");
  const auditor = pair("auditor.example");
  const wrong = parseSignature(signNote("other\n", [auditor.signer]).split("\n")[2]!);
  const note = addSignatures(signNote("text\n", [bank.signer]), [wrong]);
  const error = t.throws(() => openNote(note, [parseVerifierKey(bank.key), parseVerifierKey(auditor.key)]), {
    instanceOf: Refusal,
  });
  t.is(error?.reason, "signature_invalid");
});

test("malformed notes are refused", (t) => {
  const { signer } = pair("bank.example/log");
  const good = signNote("text\n", [signer]);
  const bad = {
    "no blank line": good.replace("\n\n", "\n"),
    "no last newline": good.slice(0, -1),
    "text alone": "text\n\n",
    "carriage return": good.replace("text", "te\rxt"),
    "lone surrogate": good.replace("text", "\ud800"),
    "hyphen for the em dash": good.replace("\u2014", "-"),
    "two spaces": good.replace("\u2014 ", "\u2014  "),
    "unpadded base64": good.replace(/=*\n$/, "\n"),
    "short signature": `text\n\n\u2014 name ${btoa("1234")}\n`,
    "101 signatures": good + good.slice(6).repeat(100),
  };
  for (const [name, note] of Object.entries(bad)) {
    const error = t.throws(() => parseNote(note), { instanceOf: Refusal }, name);
    t.is(error?.reason, "note_malformed", name);
  }
});

test("malformed keys are refused", (t) => {
  const { keep, send } = newSignerKey("name", seededRandom("k"));
  t.is(parseSignerKey(keep).name, "name");
  for (const key of [
    "",
    "name",
    send.replace("name", "nome"),
    send.slice(0, -4),
    send.replace(/\+[^+]*$/, "+AAAA"),
  ])
    t.is(t.throws(() => parseVerifierKey(key), { instanceOf: Refusal })?.reason, "note_malformed", key);
  for (const key of ["", send, keep.replace("name", "nome")])
    t.is(t.throws(() => parseSignerKey(key), { instanceOf: Refusal })?.reason, "note_malformed", key);
  for (const name of ["", "a b", "a+b", "a\u2003b"])
    t.throws(() => noteSigner(name, new Uint8Array(32)), { instanceOf: RangeError });
});
