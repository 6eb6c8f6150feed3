/** The bank's own files: authority, log and roster key, and the operator's certificate. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, readdir, readFile, rename } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { isLoopback, splitAddress } from "../../core/address.ts";
import { makeDirectory, readRefusal, writeNewFiles, writeWhole } from "../../core/files.ts";
import type { Random } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import { certificateRequest, generateTlsKey } from "../../privacy/certificate-request.ts";
import {
  type KnownSigner,
  knownSigner,
  type NoteVerifier,
  newSignerKey,
  parseSignerKey,
  parseVerifierKey,
} from "../../privacy/log/note.ts";
import { type CoordinatorConfig, parseConfig } from "../config.ts";
import { Authority, createAuthority, identityOf, type KeyPair } from "./ca.ts";

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
  /** host:port of the console; none without it. */
  readonly console?: string;
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
 * Makes a consortium: authority, bank key, operator certificate, coordinator.yaml; bank.pub, for the auditor.
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
    ...(options.console === undefined ? {} : { console: consoleAt(options.console) }),
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

/** What never leaves this machine needs no TLS; elsewhere it is the coordinator's, for the name of this machine. */
function consoleAt(listen: string) {
  const { host } = splitAddress(listen);
  if (isLoopback(host)) return { listen, tls: "proxy" };
  return { listen, tls: "coordinator", names: [isAny(host) ? hostname() : host] };
}

const isAny = (host: string): boolean => host === "0.0.0.0" || host === "::";

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

/** `bank.key` is the first; each that follows one has its id in the file's name. */
const bankKeyFile = /^bank(-[0-9a-f]{8})?\.key$/;

/**
 * @returns the bank's keys, the first one first: which of them is in force, the log says.
 * @throws Refusal file_missing, note_malformed
 */
export async function openBankKeys(config: CoordinatorConfig): Promise<[KnownSigner, ...KnownSigner[]]> {
  const files = await readdir(config.keys).catch(() => ["bank.key"]);
  const names = files.filter((file) => bankKeyFile.test(file)).sort((a, b) => a.length - b.length);
  const [first, ...rest] = names.length === 0 ? ["bank.key"] : names;
  const opened = async (file: string) => bankSigner((await readKey(config, file)).trim());
  return [await opened(first!), ...(await Promise.all(rest.map(opened)))];
}

function bankSigner(text: string): KnownSigner {
  const { name, seed } = parseSignerKey(text);
  return knownSigner(name, seed);
}

/** Makes a key that may follow the one in force. @throws Refusal disk_full, file_missing */
export function makeBankKey(config: CoordinatorConfig, random: Random): KnownSigner {
  const { keep } = newSignerKey(`${config.consortium}/bank`, random);
  const signer = bankSigner(keep);
  writeNewFiles([{ path: join(config.keys, `bank-${signer.keyId}.key`), text: `${keep}\n`, mode: secret }]);
  return signer;
}

/** @returns the bank's key of a verifier key. @throws Refusal file_missing, where the keys' folder does not hold it */
export function signerOf(keys: readonly KnownSigner[], { keyId }: Pick<NoteVerifier, "keyId">): KnownSigner {
  const signer = keys.find((key) => key.keyId === keyId);
  if (signer !== undefined) return signer;
  throw new Refusal(
    "file_missing",
    `the bank's key ${keyId}, which is in force, is not in the keys' folder`,
    {
      hint: `restore bank-${keyId}.key (or bank.key, where it was the first) from the copy of the keys`,
    },
  );
}

const nextOperatorKey = "operator-next.key";

/** @returns what an operator's client needs. @throws Refusal file_missing */
export async function openOperator(
  config: CoordinatorConfig,
): Promise<KeyPair & { readonly authorityPem: string }> {
  const [certificatePem, privateKeyPem, authorityPem] = await Promise.all(
    ["operator.pem", "operator.key", "ca.pem"].map((name) => readKey(config, name)),
  );
  const isFor = (keyPem: string): boolean =>
    new X509Certificate(certificatePem!).checkPrivateKey(createPrivateKey(keyPem));
  const next = join(config.keys, nextOperatorKey);
  // Its certificate was replaced, and the process ended before its key was.
  if (existsSync(next) && !isFor(privateKeyPem!)) {
    const nextKeyPem = await readKey(config, nextOperatorKey);
    if (isFor(nextKeyPem)) {
      await rename(next, join(config.keys, "operator.key"));
      return { certificatePem: certificatePem!, privateKeyPem: nextKeyPem, authorityPem: authorityPem! };
    }
  }
  return { certificatePem: certificatePem!, privateKeyPem: privateKeyPem!, authorityPem: authorityPem! };
}

/** @returns the key that the operator's next certificate is for, made where there is none yet; durable. */
export async function operatorsNextKey(config: CoordinatorConfig): Promise<string> {
  const path = join(config.keys, nextOperatorKey);
  if (!existsSync(path)) writeNewFiles([{ path, text: await generateTlsKey(), mode: secret }]);
  return readKey(config, nextOperatorKey);
}

/** Puts the authority's next certificate in the place of the one before. @throws Refusal disk_full, file_missing */
export const replaceAuthorityCertificate = (
  config: CoordinatorConfig,
  certificatePem: string,
): Promise<void> => writeWhole(join(config.keys, "ca.pem"), certificatePem);

/** Puts the operator's next certificate in the place of the one before. @throws Refusal disk_full, file_missing */
export const replaceOperatorCertificate = (
  config: CoordinatorConfig,
  certificatePem: string,
): Promise<void> => writeWhole(join(config.keys, "operator.pem"), certificatePem);

/**
 * Signs the certificate of the operator in the bank's own folder anew, for the key that is there. Needs no coordinator
 * and no valid certificate: the authority's key is what counts.
 * @returns the certificate. @throws Refusal file_missing
 */
export async function recertifyOperator(
  config: CoordinatorConfig,
  now: number,
  random: Random,
): Promise<string> {
  const { certificatePem, privateKeyPem } = await openOperator(config);
  const authority = await openAuthority(config, random);
  const identity = identityOf(new X509Certificate(certificatePem).raw, config.consortium);
  const request = await certificateRequest(privateKeyPem, identity.id);
  const next = await authority.signRequest(request, identity, now);
  await replaceOperatorCertificate(config, next);
  return next;
}

/**
 * Makes the folder of one more operator: its key, certificate, and a configuration to point commands at.
 * @param certify - asks the running coordinator.
 * @throws Refusal already_exists, disk_full, file_missing, and what `certify` throws; nothing is left behind then
 */
export async function makeOperatorFolder(
  config: CoordinatorConfig,
  dir: string,
  certify: (csrPem: string) => Promise<string>,
): Promise<void> {
  const file = join(dir, "coordinator.yaml");
  if (existsSync(file)) throw new Refusal("already_exists", `${dir} is an operator's folder already`);
  const { authorityPem } = await openOperator(config);
  const privateKeyPem = await generateTlsKey();
  await makeDirectory(dir, 0o700);
  const certificatePem = await certify(await certificateRequest(privateKeyPem, "operator"));
  const { address, consortium, listen, enrolment, auditor, witnesses } = config;
  const database = "embedded";
  const places = { dataDir: "./data", blobs: "./blobs", keys: "." };
  const reached = address === undefined ? {} : { address };
  const text = stringify({
    consortium,
    listen,
    ...reached,
    enrolment,
    database,
    ...places,
    auditor,
    witnesses,
  });
  writeNewFiles([
    { path: join(dir, "operator.key"), text: privateKeyPem, mode: secret },
    { path: join(dir, "operator.pem"), text: certificatePem, mode: open },
    { path: join(dir, "ca.pem"), text: authorityPem, mode: open },
    { path: file, text, mode: open },
  ]);
}
