/** The bank's own files: authority, log and roster key, and the operator's certificate. */
import { existsSync } from "node:fs";
import { chmod, readFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { makeDirectory, readRefusal, writeNewFiles } from "../../core/files.ts";
import type { Random } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import {
  newSignerKey,
  noteSigner,
  parseSignerKey,
  parseVerifierKey,
  type Signer,
} from "../../privacy/log/note.ts";
import { type CoordinatorConfig, parseConfig } from "../config.ts";
import { Authority, createAuthority, type KeyPair } from "./ca.ts";

const secret = 0o600;
const open = 0o644;

export interface InitOptions {
  /** Made if it is not there. */
  readonly dir: string;
  readonly consortium: string;
  /** The auditor's verifier key. */
  readonly auditor: string;
  /** Cosignatures a checkpoint needs to be exported. */
  readonly quorum: number;
  readonly listen: string;
  readonly enrolment: string;
  /** "embedded" or postgres://…. */
  readonly database: string;
  /** Unix milliseconds. */
  readonly now: number;
  readonly random: Random;
}

export interface Initialised {
  readonly configFile: string;
  /** The bank's verifier key: signs rosters and the log. */
  readonly bankKey: string;
  /** SHA-256 of the authority's certificate. */
  readonly caFingerprint: string;
}

/**
 * Makes a consortium: authority, bank key, operator certificate, coordinator.yaml.
 * @throws Refusal already_exists, config_invalid, note_malformed, disk_full; no key is left behind then.
 */
export async function initCoordinator(options: InitOptions): Promise<Initialised> {
  const { dir, consortium, now, random } = options;
  const configFile = join(dir, "coordinator.yaml");
  const text = stringify({
    consortium,
    listen: options.listen,
    enrolment: options.enrolment,
    database: options.database,
    dataDir: "./data",
    blobs: "./blobs",
    keys: "./keys",
    auditor: parseVerifierKey(options.auditor).key,
    witnesses: { quorum: options.quorum },
  });
  const config = parseConfig(text, configFile);
  if (existsSync(configFile)) throw new Refusal("already_exists", `${dir} holds a consortium already`);
  await makeDirectory(dir);
  await makeDirectory(config.keys, 0o700);
  await chmod(config.keys, 0o700);
  const pair = await createAuthority(consortium, now, random);
  const authority = await Authority.open(consortium, pair, random);
  const operator = await authority.issueClient({ role: "operator", id: "operator" }, now);
  const { keep, send: bankKey } = newSignerKey(`${consortium}/bank`, random);
  writeNewFiles([
    { path: join(config.keys, "ca.key"), text: pair.privateKeyPem, mode: secret },
    { path: join(config.keys, "ca.pem"), text: pair.certificatePem, mode: open },
    { path: join(config.keys, "bank.key"), text: `${keep}\n`, mode: secret },
    { path: join(config.keys, "operator.key"), text: operator.privateKeyPem, mode: secret },
    { path: join(config.keys, "operator.pem"), text: operator.certificatePem, mode: open },
    { path: join(dir, "bank.pub"), text: `${bankKey}\n`, mode: open },
    { path: configFile, text, mode: open },
  ]);
  return { configFile, bankKey, caFingerprint: authority.fingerprint };
}

/**
 * Signs the auditor's certificate request.
 * @returns the certificate and, after it, the authority's.
 * @throws Refusal file_missing, message_malformed, signature_invalid
 */
export async function certifyAuditor(
  config: CoordinatorConfig,
  requestPem: string,
  now: number,
  random: Random,
): Promise<string> {
  const authority = await openAuthority(config, random);
  const identity = { role: "auditor", id: "auditor" } as const;
  return `${await authority.signRequest(requestPem, identity, now)}\n${authority.certificatePem}\n`;
}

/** @throws Refusal file_missing */
async function readKey(config: CoordinatorConfig, name: string): Promise<string> {
  const path = join(config.keys, name);
  return readFile(path, "utf8").catch((cause: unknown) => {
    throw readRefusal(path, cause, "make the bank's keys with fedcredit coordinator init");
  });
}

export async function openAuthority(config: CoordinatorConfig, random: Random): Promise<Authority> {
  const [certificatePem, privateKeyPem] = await Promise.all([
    readKey(config, "ca.pem"),
    readKey(config, "ca.key"),
  ]);
  return Authority.open(config.consortium, { certificatePem, privateKeyPem }, random);
}

/** @returns the bank's signer and its verifier key's text. @throws Refusal file_missing, note_malformed */
export async function openBankKey(
  config: CoordinatorConfig,
): Promise<Signer & { readonly seed: Uint8Array }> {
  const { name, seed } = parseSignerKey((await readKey(config, "bank.key")).trim());
  return { ...noteSigner(name, seed), seed };
}

/** @returns what an operator's client needs. @throws Refusal file_missing */
export async function openOperator(
  config: CoordinatorConfig,
): Promise<KeyPair & { readonly authorityPem: string }> {
  const [certificatePem, privateKeyPem, authorityPem] = await Promise.all(
    ["operator.pem", "operator.key", "ca.pem"].map((name) => readKey(config, name)),
  );
  return { certificatePem: certificatePem!, privateKeyPem: privateKeyPem!, authorityPem: authorityPem! };
}
