import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { makeDirectory, readRefusal, writeNewFiles } from "../core/files.ts";
import type { Random } from "../core/random.ts";
import { Refusal } from "../core/reasons.ts";
import { cosignatureKey } from "../privacy/log/cosignature.ts";
import { ed25519PublicKey } from "../privacy/log/ed25519.ts";
import { fingerprint, newSignerKey, parseSignerKey, parseVerifierKey } from "../privacy/log/note.ts";

/** The auditor's public half, to be handed to bank and enterprises. */
export interface AuditorKey {
  /** Signed-note verifier key: pinned by every enterprise, checks rosters. */
  readonly verifierKey: string;
  /** The same key as a witness of the log, for policy files. */
  readonly witnessKey: string;
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
  return {
    verifierKey: send,
    witnessKey: cosignatureKey(name, parseVerifierKey(send).publicKey),
    fingerprint: fingerprint(send),
  };
}

/** @returns name and secret seed of `auditor.key` in a directory. @throws Refusal file_missing, note_malformed */
export async function readAuditorKey(
  directory: string,
): Promise<{ name: string; seed: Uint8Array; publicKey: Uint8Array }> {
  const path = join(directory, secretFile);
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw readRefusal(path, cause, "make one with fedcredit audit init");
  });
  const { name, seed } = parseSignerKey(text.trimEnd());
  return { name, seed, publicKey: ed25519PublicKey(seed) };
}
