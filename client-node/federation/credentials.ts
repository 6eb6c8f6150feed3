import { createPrivateKey, X509Certificate } from "node:crypto";
import { existsSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type NewFile, readRefusal, replaceSecret, writeNewFiles } from "../../core/files.ts";
import type { Random } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import { parseYaml } from "../../core/yaml.ts";
import { exportIdentity, generateIdentity, type Identity, importIdentity } from "../../privacy/identity.ts";
import { parseVerifierKey } from "../../privacy/log/note.ts";

/** What `node init` makes and nothing ever sends. */
export interface NodeSecrets {
  /** Private key of the TLS client certificate, PKCS#8 PEM. */
  readonly tlsKey: string;
  readonly identity: Identity;
}

/** What enrolment brought back; the node trusts these keys and no others from then on. */
export interface Pins {
  readonly enterprise: string;
  readonly consortium: string;
  /** TLS client certificate, PEM. */
  readonly certificate: string;
  /** The consortium's authority, PEM: the only root of the node's connections. */
  readonly ca: string;
  /** Signed-note verifier keys. */
  readonly bankKey: string;
  readonly auditorKey: string;
}

/** One object for all of a node: what follows its keys in the roster, or the authority, is seen everywhere. */
export interface NodeCredentials extends NodeSecrets, Pins {
  identity: Identity;
  ca: string;
}

const files = {
  tlsKey: "tls.key",
  identity: "identity.key",
  nextIdentity: "identity-next.key",
  pins: "pins.json",
} as const;

/** What a backup of the data directory leaves out: who restores it gets keys and pins of its own. */
export const credentialFiles: readonly string[] = Object.values(files);

const pinsSchema = z.strictObject({
  enterprise: z.string(),
  consortium: z.string(),
  certificate: z.string(),
  ca: z.string(),
  bankKey: z.string(),
  auditorKey: z.string(),
});

/** The files of a node's keys, in a directory that only its user enters. */
export const secretFiles = (dataDir: string, secrets: NodeSecrets): NewFile[] => [
  { path: join(dataDir, files.tlsKey), text: secrets.tlsKey, mode: 0o600 },
  { path: join(dataDir, files.identity), text: exportIdentity(secrets.identity), mode: 0o600 },
];

/** @throws Refusal file_missing before `node init`. */
export function readSecrets(dataDir: string): NodeSecrets {
  return {
    tlsKey: readOrRefuse(join(dataDir, files.tlsKey), "run fedcredit node init"),
    identity: importIdentity(readOrRefuse(join(dataDir, files.identity), "run fedcredit node init")),
  };
}

/** All of it or nothing: an interrupted enrolment leaves no half-written pins. */
export function writePins(dataDir: string, pins: Pins): void {
  replaceSecret(join(dataDir, files.pins), `${JSON.stringify(pins, undefined, 2)}\n`);
}

/** Puts the next certificate in the place of the one before, and the authority's; everything else stays pinned. */
export function renewPins(dataDir: string, certificate: string, ca: string): void {
  writePins(dataDir, { ...readPins(dataDir), certificate, ca });
}

/** A node's identities on disk: the one of now, and one that shall follow it. */
export interface IdentityFiles {
  /** What another process has put in force meanwhile is seen, too. */
  read(): readonly Identity[];
  /** Puts an identity that was read in force, whole or not at all. */
  adopt(identity: Identity): void;
}

export const identityFiles = (dataDir: string): IdentityFiles => {
  const next = join(dataDir, files.nextIdentity);
  const readNext = () => (existsSync(next) ? [importIdentity(readOrRefuse(next, "run it again"))] : []);
  return {
    read: () => [readSecrets(dataDir).identity, ...readNext()],
    adopt({ signingSeed }) {
      // A rename is whole or not at all, and the key itself was on disk before anybody heard of it.
      if (readNext().some((identity) => Buffer.from(identity.signingSeed).equals(signingSeed)))
        renameSync(next, join(dataDir, files.identity));
    },
  };
};

/** @returns the identity that shall follow this node's, made where there is none yet; durable. */
export function makeNextIdentity(dataDir: string, name: string, random: Random): Identity {
  const path = join(dataDir, files.nextIdentity);
  if (!existsSync(path))
    writeNewFiles([{ path, text: exportIdentity(generateIdentity(name, random)), mode: 0o600 }]);
  return importIdentity(readOrRefuse(path, "run it again"));
}

export const isEnrolled = (dataDir: string): boolean => existsSync(join(dataDir, files.pins));

/** @throws Refusal file_missing before `node enrol`, certificate_invalid once the certificate has expired. */
export function readCredentials(dataDir: string, nowMillis: number): NodeCredentials {
  const secrets = readSecrets(dataDir);
  const pins = readPins(dataDir);
  checkCertificate(pins, secrets, nowMillis);
  return { ...secrets, ...pins };
}

/** @throws Refusal file_missing, file_malformed, note_malformed */
function readPins(dataDir: string): Pins {
  const path = join(dataDir, files.pins);
  const pins = parseYaml(readOrRefuse(path, "run fedcredit node enrol --token TOKEN"), path, pinsSchema);
  for (const key of [pins.bankKey, pins.auditorKey]) parseVerifierKey(key);
  return pins;
}

/** The SAN URI that makes a certificate this enterprise's. */
const enterpriseUri = ({ consortium, enterprise }: Pick<Pins, "consortium" | "enterprise">): string =>
  `fedcredit://${consortium}/enterprise/${enterprise}`;

/** @throws Refusal certificate_invalid unless the certificate is in force, by the pinned authority, for this key and name. */
export function checkCertificate(pins: Pins, { tlsKey }: NodeSecrets, nowMillis: number): void {
  const refuse = (why: string): Refusal =>
    new Refusal("certificate_invalid", `this node's certificate ${why}`, {
      hint: "ask the bank for a new enrolment token, then run fedcredit node enrol --token TOKEN; ledger, consents and place in the roster stay. Where this machine's clock is wrong, set it right instead",
    });
  const certificate = parseCertificate(pins.certificate);
  const ca = parseCertificate(pins.ca);
  if (!certificate.checkIssued(ca) || !certificate.verify(ca.publicKey))
    throw refuse("is not by the consortium's authority");
  if (!certificate.checkPrivateKey(createPrivateKey(tlsKey))) throw refuse("is for another key");
  if (certificate.subjectAltName !== `URI:${enterpriseUri(pins)}`) throw refuse("names someone else");
  if (nowMillis >= Date.parse(certificate.validTo)) throw refuse(`expired on ${certificate.validTo}`);
  if (nowMillis < Date.parse(certificate.validFrom))
    throw new Refusal("clock_skew", `this node's certificate is valid from ${certificate.validFrom} on`);
}

/** @throws Refusal certificate_invalid */
export function parseCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new Refusal("certificate_invalid", "not a certificate", { cause });
  }
}

function readOrRefuse(path: string, hint: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw readRefusal(path, cause, hint);
  }
}
