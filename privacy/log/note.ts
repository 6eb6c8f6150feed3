import { concatBytes, fromBase64, fromHex, toBase64, toHex, utf8 } from "../../core/bytes.ts";
import { sha256 } from "../../core/canonical.ts";
import type { Random } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import { ed25519PublicKey, ed25519Sign, ed25519Verify } from "./ed25519.ts";

/** Who may have signed a note. `verifierKey` and `cosignatureVerifier` make them. */
export interface Verifier {
  readonly name: string;
  /** First 4 bytes of SHA-256(name ‖ 0A ‖ type ‖ public key), 8 lowercase hexadecimal digits. */
  readonly keyId: string;
  /** @returns whether `signature` (without the key id) is this key's over the note's text. */
  verify(text: string, signature: Uint8Array): boolean;
}

/** A verifier whose signature covers the note's text as it is (C2SP signature type 01). */
export interface NoteVerifier extends Verifier {
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** `name+keyId+base64(01‖public key)`. */
  readonly key: string;
}

export interface Signer {
  readonly name: string;
  readonly keyId: string;
  /** @returns the signature over the note's text, without the key id. */
  sign(text: string): Uint8Array;
}

/** A signer whose signatures can be checked beside it. */
export interface KnownSigner extends Signer {
  readonly verifier: NoteVerifier;
}

/** One signature line, whoever made it. */
export interface NoteSignature {
  readonly name: string;
  readonly keyId: string;
  readonly signature: Uint8Array;
}

export interface OpenedNote {
  /** The signed text, ending in a newline. */
  readonly text: string;
  /** Those of the given verifiers whose signature is there and valid, in the note's order; at least one. */
  readonly verifiedBy: readonly Verifier[];
  /** Every signature line, unknown keys included. */
  readonly signatures: readonly NoteSignature[];
}

const ed25519Type = 1;
const signatureLine = /^\u2014 ([^ ]+) ([^ ]+)$/;
// Limits of golang.org/x/mod/sumdb/note, so that what is accepted here is accepted there.
const maxNoteLength = 1_000_000;
const maxSignatures = 100;

const malformed = (message: string): Refusal => new Refusal("note_malformed", message);

const isKeyName = (name: string): boolean => name !== "" && name.isWellFormed() && !/[\s+\u0085]/u.test(name);

function checkKeyName(name: string): void {
  if (!isKeyName(name)) throw new RangeError("a key name is not empty and holds neither space nor plus");
}

/** @returns the key id of a named key of a C2SP signature type. */
export const noteKeyId = (name: string, type: number, publicKey: Uint8Array): string =>
  toHex(sha256(utf8(`${name}\n`), Uint8Array.of(type), publicKey).subarray(0, 4));

/**
 * @param publicKey - Ed25519, 32 bytes.
 * @returns `name+keyId+base64(01‖public key)`.
 * @see C2SP signed-note, verifier keys
 */
export function verifierKey(name: string, publicKey: Uint8Array): string {
  checkKeyName(name);
  if (publicKey.length !== 32) throw new RangeError("an Ed25519 public key has 32 bytes");
  const typed = concatBytes(Uint8Array.of(ed25519Type), publicKey);
  return `${name}+${noteKeyId(name, ed25519Type, publicKey)}+${toBase64(typed)}`;
}

/** @throws Refusal note_malformed */
export function parseVerifierKey(key: string): NoteVerifier {
  const [name = "", keyId = "", ...rest] = key.split("+");
  const typed = fromBase64(rest.join("+"));
  if (!isKeyName(name) || typed?.length !== 33 || typed[0] !== ed25519Type)
    throw malformed("not an Ed25519 verifier key (name+id+base64)");
  const publicKey = typed.subarray(1);
  if (keyId !== noteKeyId(name, ed25519Type, publicKey))
    throw malformed(`the verifier key of ${name} does not have the id it states`);
  return {
    name,
    keyId,
    publicKey,
    key,
    verify: (text, signature) => ed25519Verify(publicKey, utf8(text), signature),
  };
}

/** @returns SHA-256 of a verifier key's public key, in groups of four digits: what people compare aloud. */
export const fingerprint = (key: string): string =>
  toHex(sha256(parseVerifierKey(key).publicKey))
    .match(/.{4}/g)!
    .join(" ");

/** @param seed - Ed25519 private seed, 32 bytes. */
export function noteSigner(name: string, seed: Uint8Array): Signer {
  checkKeyName(name);
  return {
    name,
    keyId: noteKeyId(name, ed25519Type, ed25519PublicKey(seed)),
    sign: (text) => ed25519Sign(seed, utf8(text)),
  };
}

/** A new key pair: `keep` is the secret signer key, `send` the verifier key of the same name. */
export function newSignerKey(name: string, random: Random): { keep: string; send: string } {
  const seed = random.bytes(32);
  return { keep: signerKey(name, seed), send: verifierKey(name, ed25519PublicKey(seed)) };
}

/** @returns `PRIVATE+KEY+name+keyId+base64(01‖seed)`, the form golang.org/x/mod/sumdb/note reads. */
function signerKey(name: string, seed: Uint8Array): string {
  checkKeyName(name);
  const keyId = noteKeyId(name, ed25519Type, ed25519PublicKey(seed));
  return `PRIVATE+KEY+${name}+${keyId}+${toBase64(concatBytes(Uint8Array.of(ed25519Type), seed))}`;
}

/** @param name, seed - as `parseSignerKey` gives them. */
export const knownSigner = (name: string, seed: Uint8Array): KnownSigner => ({
  ...noteSigner(name, seed),
  verifier: parseVerifierKey(verifierKey(name, ed25519PublicKey(seed))),
});

/** @returns the name and the 32-byte seed of a signer key. @throws Refusal note_malformed */
export function parseSignerKey(key: string): { name: string; seed: Uint8Array } {
  const [word, kind, name = "", keyId = "", ...rest] = key.split("+");
  const typed = fromBase64(rest.join("+"));
  if (
    word !== "PRIVATE" ||
    kind !== "KEY" ||
    !isKeyName(name) ||
    typed?.length !== 33 ||
    typed[0] !== ed25519Type
  )
    throw malformed("not an Ed25519 signer key");
  const seed = typed.subarray(1);
  if (keyId !== noteKeyId(name, ed25519Type, ed25519PublicKey(seed)))
    throw malformed(`the signer key of ${name} does not have the id it states`);
  return { name, seed };
}

/** @returns `— name base64(keyId‖signature)` with its newline. */
export function formatSignature({ name, keyId, signature }: NoteSignature): string {
  const id = fromHex(keyId);
  if (id?.length !== 4) throw new RangeError("a key id has 8 hexadecimal digits");
  return `\u2014 ${name} ${toBase64(concatBytes(id, signature))}\n`;
}

/** @throws Refusal note_malformed, unless the line (with or without its newline) is a signature line. */
export function parseSignature(line: string): NoteSignature {
  const [, name = "", encoded = ""] = signatureLine.exec(line.replace(/\n$/, "")) ?? [];
  const bytes = fromBase64(encoded);
  if (!isKeyName(name) || bytes === undefined || bytes.length < 5)
    throw malformed("malformed signature line");
  return { name, keyId: toHex(bytes.subarray(0, 4)), signature: bytes.subarray(4) };
}

/**
 * @param text - UTF-8 without control characters other than newline, ending in a newline.
 * @returns text, blank line, one signature line for each signer.
 * @see C2SP signed-note
 */
export function signNote(text: string, signers: readonly Signer[]): string {
  if (!text.endsWith("\n") || hasForbiddenCharacter(text))
    throw new RangeError("a note's text ends in a newline and holds no other control character");
  return addSignatures(
    `${text}\n`,
    signers.map((signer) => ({ name: signer.name, keyId: signer.keyId, signature: signer.sign(text) })),
  );
}

/** @returns the note with more signature lines at its end. */
export const addSignatures = (note: string, signatures: readonly NoteSignature[]): string =>
  note + signatures.map(formatSignature).join("");

/** @returns the note with its first signature alone: a log's own stands before those of its witnesses. */
export function ownNote(note: string): string {
  const { text, signatures } = parseNote(note);
  return addSignatures(`${text}\n`, signatures.slice(0, 1));
}

/**
 * Splits a note at its last blank line. Verifies nothing.
 * @throws Refusal note_malformed
 */
export function parseNote(note: string): { text: string; signatures: readonly NoteSignature[] } {
  if (note.length > maxNoteLength) throw malformed("the note is longer than 1 MB");
  if (hasForbiddenCharacter(note)) throw malformed("the note holds a control character");
  const split = note.lastIndexOf("\n\n");
  if (split < 0 || !note.endsWith("\n")) throw malformed("the note has no blank line before its signatures");
  const lines = note.slice(split + 2, -1).split("\n");
  if (lines.length > maxSignatures) throw malformed("the note has more than 100 signatures");
  return { text: note.slice(0, split + 1), signatures: lines.map(parseSignature) };
}

/**
 * Splits a note and checks every signature by a given verifier; lines by other keys are ignored.
 *
 * @throws Refusal note_malformed
 * @throws Refusal signature_invalid, if a given verifier's signature is wrong or none of them signed.
 * @see C2SP signed-note; golang.org/x/mod/sumdb/note Open
 */
export function openNote(note: string, verifiers: readonly Verifier[]): OpenedNote {
  const known = new Map<string, Verifier>();
  for (const verifier of verifiers) {
    const id = `${verifier.name}+${verifier.keyId}`;
    if (known.has(id)) throw new RangeError(`two verifiers are ${id}`);
    known.set(id, verifier);
  }
  const { text, signatures } = parseNote(note);
  const verifiedBy = new Set<Verifier>();
  for (const { name, keyId, signature } of signatures) {
    const verifier = known.get(`${name}+${keyId}`);
    if (verifier === undefined) continue;
    if (!verifier.verify(text, signature))
      throw new Refusal("signature_invalid", `the signature of ${name} is wrong`);
    verifiedBy.add(verifier);
  }
  if (verifiedBy.size === 0) throw new Refusal("signature_invalid", "no known key signed the note");
  return { text, verifiedBy: [...verifiedBy], signatures };
}

function hasForbiddenCharacter(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the specification forbids exactly these.
  return /[\u0000-\u0009\u000b-\u001f]/.test(text) || !text.isWellFormed();
}
