import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fromHex, toHex } from "../core/bytes.ts";
import { makeDirectory, readRefusal, writeNewFiles } from "../core/files.ts";
import type { Random } from "../core/random.ts";
import { Refusal } from "../core/reasons.ts";
import { type CosignatureVerifier, cosignatureKey, cosignatureVerifier } from "../privacy/log/cosignature.ts";
import { ed25519PublicKey } from "../privacy/log/ed25519.ts";
import { hasMlDsa, mlDsaPublicKey } from "../privacy/log/ml-dsa.ts";
import {
  fingerprint,
  type NoteVerifier,
  newSignerKey,
  parseSignerKey,
  parseVerifierKey,
  verifierKey,
} from "../privacy/log/note.ts";

/** The auditor's public half, to be handed to bank and enterprises. */
export interface AuditorKey {
  /** Signed-note verifier key: pinned by every enterprise, checks rosters. */
  readonly verifierKey: string;
  /** The same key as a witness of the log, for policy files. */
  readonly witnessKey: string;
  /** Its second key as a witness, ML-DSA-44; absent where this machine's cryptography has none. */
  readonly mlDsaWitnessKey?: string;
  /** SHA-256 of the public key, in groups of four digits: to be compared over another channel. */
  readonly fingerprint: string;
}

const secretFile = "auditor.key";
const publicFile = "auditor.pub";

/**
 * Makes the auditor's key: `auditor.key` (secret, only its owner reads it) and `auditor.pub` in a directory.
 * @throws Refusal already_exists, rather than replace a key; disk_full, or file_missing, where it cannot be written.
 */
export async function createAuditorKey(directory: string, name: string, random: Random): Promise<AuditorKey> {
  if (existsSync(join(directory, secretFile)))
    throw new Refusal("already_exists", `${directory} already holds ${secretFile}`, {
      hint: "choose another directory: a key in use is never replaced",
    });
  const { keep, send } = newSignerKey(name, random);
  await makeDirectory(directory);
  writeNewFiles([
    { path: join(directory, secretFile), text: `${keep}\n`, mode: 0o600 },
    { path: join(directory, publicFile), text: `${send}\n`, mode: 0o644 },
  ]);
  const second = await openMlDsaKey(directory, name, random);
  return {
    verifierKey: send,
    witnessKey: cosignatureKey(name, parseVerifierKey(send).publicKey),
    ...(second === undefined ? {} : { mlDsaWitnessKey: second.witness.key }),
    fingerprint: fingerprint(send),
  };
}

/** The auditor's own key, with its secret. */
export interface OwnKey {
  readonly name: string;
  readonly seed: Uint8Array;
  readonly publicKey: Uint8Array;
}

/** @returns `auditor.key` of a directory: the first of its keys. @throws Refusal file_missing, note_malformed */
export const readAuditorKey = (directory: string): Promise<OwnKey> =>
  readOwn(join(directory, secretFile), "make one with fedcredit audit init");

async function readOwn(path: string, hint: string): Promise<OwnKey> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw readRefusal(path, cause, hint);
  });
  const { name, seed } = parseSignerKey(text.trimEnd());
  return { name, seed, publicKey: ed25519PublicKey(seed) };
}

/** The auditor's second key: cosigns beside the first, and nothing else. */
export interface MlDsaKey {
  readonly seed: Uint8Array;
  readonly witness: CosignatureVerifier;
}

const mlDsaFile = "auditor-ml-dsa-44.key";

/**
 * @returns the auditor's ML-DSA-44 key, made where it has none yet; undefined where this machine has no ML-DSA.
 * @throws Refusal file_malformed, disk_full, file_missing
 */
export async function openMlDsaKey(
  directory: string,
  name: string,
  random: Random,
): Promise<MlDsaKey | undefined> {
  if (!hasMlDsa()) return undefined;
  const path = join(directory, mlDsaFile);
  if (!existsSync(path))
    writeNewFiles([{ path, text: `ML-DSA-44 ${toHex(random.bytes(32))}\n`, mode: 0o600 }]);
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw readRefusal(path, cause);
  });
  const seed = fromHex(/^ML-DSA-44 ([0-9a-f]{64})\n$/.exec(text)?.[1] ?? "");
  if (seed?.length !== 32)
    throw new Refusal("file_malformed", `${path} is damaged`, {
      hint: "restore it, or remove it: another is made, and policies that name it have to be written again",
    });
  return { seed, witness: cosignatureVerifier(name, mlDsaPublicKey(seed), "ML-DSA-44") };
}

const laterFile = (keyId: string): string => `auditor-${keyId}.key`;

/** @returns the key of a directory that has this verifier key. @throws Refusal file_missing, note_malformed */
export async function readKeyOf(directory: string, { key, keyId }: NoteVerifier): Promise<OwnKey> {
  const first = await readAuditorKey(directory);
  if (verifierKey(first.name, first.publicKey) === key) return first;
  return readOwn(
    join(directory, laterFile(keyId)),
    "restore it: the roster says that it is the auditor's key in force",
  );
}

/** Makes a key that may follow the auditor's. @returns it and its verifier key @throws Refusal disk_full, file_missing */
export async function makeNextKey(
  directory: string,
  random: Random,
): Promise<OwnKey & { readonly verifierKey: string }> {
  const { name } = await readAuditorKey(directory);
  const { keep, send } = newSignerKey(name, random);
  const path = join(directory, laterFile(parseVerifierKey(send).keyId));
  writeNewFiles([{ path, text: `${keep}\n`, mode: 0o600 }]);
  return { ...(await readOwn(path, "run it again")), verifierKey: send };
}
