/** The consortium's certificate authority: who may connect, and as whom. */
import "reflect-metadata";
import { createHash, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import * as x509 from "@peculiar/x509";
import { toHex } from "../../core/bytes.ts";
import { idPattern } from "../../core/ids.ts";
import type { Random } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import { exportTlsKey, newTlsKeys, tlsKeyAlgorithm } from "../../privacy/certificate-request.ts";

export type Role = "enterprise" | "operator" | "auditor";

/** Who a certificate speaks for: `fedcredit://<consortium>/<role>/<id>`. */
export interface Identity {
  readonly role: Role;
  readonly id: string;
}

export interface KeyPair {
  readonly certificatePem: string;
  /** PKCS#8, secret. */
  readonly privateKeyPem: string;
}

const day = 86_400_000;
const certificateDays = 397;
const authorityDays = 3650;
// Clocks of the two machines may differ by a little when a new certificate is first used.
const backdateMillis = 3_600_000;

type CryptoKey = webcrypto.CryptoKey;

const serialNumber = (random: Random): string => toHex(random.bytes(16));

/** @param end - nothing outlives who signs it. */
const lifetime = (now: number, days: number, end?: Date) => ({
  notBefore: new Date(now - backdateMillis),
  notAfter: new Date(Math.min(now + days * day, end?.getTime() ?? Number.POSITIVE_INFINITY)),
});

/**
 * @param now - Unix milliseconds.
 * @param random - of the serial number; the key is by the system's own generator.
 */
export async function createAuthority(consortium: string, now: number, random: Random): Promise<KeyPair> {
  const keys = await newTlsKeys();
  const certificate = await selfSigned(`CN=FedCredit consortium ${consortium}`, keys, now, random);
  return { certificatePem: certificate.toString("pem"), privateKeyPem: await exportTlsKey(keys.privateKey) };
}

const selfSigned = async (
  name: string,
  keys: webcrypto.CryptoKeyPair,
  now: number,
  random: Random,
): Promise<x509.X509Certificate> =>
  x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(random),
    name,
    ...lifetime(now, authorityDays),
    keys,
    signingAlgorithm: tlsKeyAlgorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });

/** Signs certificates with a consortium's authority key. */
export class Authority {
  readonly consortium: string;
  #certificate: x509.X509Certificate;
  readonly #key: CryptoKey;
  readonly #random: Random;

  private constructor(consortium: string, certificate: x509.X509Certificate, key: CryptoKey, random: Random) {
    this.consortium = consortium;
    this.#certificate = certificate;
    this.#key = key;
    this.#random = random;
  }

  /** @param random - of serial numbers. */
  static async open(consortium: string, pair: KeyPair, random: Random): Promise<Authority> {
    const key = await webcrypto.subtle.importKey(
      "pkcs8",
      x509.PemConverter.decodeFirst(pair.privateKeyPem),
      tlsKeyAlgorithm,
      false,
      ["sign"],
    );
    return new Authority(consortium, new x509.X509Certificate(pair.certificatePem), key, random);
  }

  get certificatePem(): string {
    return this.#certificate.toString("pem");
  }

  /**
   * @param now - Unix milliseconds.
   * @returns the next certificate for the same name and key, PEM: whoever trusts this one can check that one.
   */
  async next(now: number): Promise<string> {
    const publicKey = await this.#certificate.publicKey.export();
    const keys = { publicKey, privateKey: this.#key };
    return (await selfSigned(this.#certificate.subject, keys, now, this.#random)).toString("pem");
  }

  /** Goes on under the next certificate. @param certificatePem - as `next` made it */
  follow(certificatePem: string): void {
    this.#certificate = new x509.X509Certificate(certificatePem);
  }

  /** SHA-256 of the authority's certificate (DER), hexadecimal: compared over another channel at enrolment. */
  get fingerprint(): string {
    return createHash("sha256").update(Buffer.from(this.#certificate.rawData)).digest("hex");
  }

  /** @param names - DNS names and IP addresses; clients look for `coordinatorName`. @param now - Unix milliseconds. */
  async issueServer(names: readonly string[], now: number): Promise<KeyPair> {
    const keys = await newTlsKeys();
    const alternatives = names.map((value) => ({
      type: isIP(value) === 0 ? ("dns" as const) : ("ip" as const),
      value,
    }));
    const certificatePem = await this.#sign(keys.publicKey, "coordinator", alternatives, "serverAuth", now);
    return { certificatePem, privateKeyPem: await exportTlsKey(keys.privateKey) };
  }

  /** For the bank's own operators: the key is made here. */
  async issueClient(identity: Identity, now: number): Promise<KeyPair> {
    const keys = await newTlsKeys();
    const certificatePem = await this.#signClient(keys.publicKey, identity, now);
    return { certificatePem, privateKeyPem: await exportTlsKey(keys.privateKey) };
  }

  /**
   * @param csrPem - PKCS#10. Only its public key is used: names come from the token, never from the caller.
   * @throws Refusal message_malformed, signature_invalid
   */
  async signRequest(csrPem: string, identity: Identity, now: number): Promise<string> {
    let request: x509.Pkcs10CertificateRequest;
    try {
      request = new x509.Pkcs10CertificateRequest(csrPem);
    } catch (cause) {
      throw new Refusal("message_malformed", "the certificate request is not PKCS#10 PEM", { cause });
    }
    if (!(await request.verify().catch(() => false)))
      throw new Refusal("signature_invalid", "the certificate request is not signed by its own key");
    return this.#signClient(request.publicKey, identity, now);
  }

  #signClient(publicKey: x509.PublicKeyType, { role, id }: Identity, now: number): Promise<string> {
    const uri = `fedcredit://${this.consortium}/${role}/${id}`;
    return this.#sign(publicKey, id, [{ type: "url", value: uri }], "clientAuth", now);
  }

  async #sign(
    publicKey: x509.PublicKeyType,
    name: string,
    names: x509.JsonGeneralNames,
    usage: "serverAuth" | "clientAuth",
    now: number,
  ): Promise<string> {
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serialNumber(this.#random),
      subject: `CN=${name}`,
      issuer: this.#certificate.subject,
      ...lifetime(now, certificateDays, this.#certificate.notAfter),
      publicKey,
      signingKey: this.#key,
      signingAlgorithm: tlsKeyAlgorithm,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage[usage]]),
        new x509.SubjectAlternativeNameExtension(names),
        await x509.AuthorityKeyIdentifierExtension.create(this.#certificate.publicKey),
      ],
    });
    return certificate.toString("pem");
  }
}

const identityUri = /^fedcredit:\/\/([^/]+)\/(enterprise|operator|auditor)\/([^/]+)$/;

/**
 * @param der - a certificate whose chain TLS has verified.
 * @throws Refusal certificate_invalid
 */
export function identityOf(der: Uint8Array, consortium: string): Identity {
  const names = new x509.X509Certificate(new Uint8Array(der)).getExtension(
    x509.SubjectAlternativeNameExtension,
  );
  const uris = names?.names.items.filter((name) => name.type === "url") ?? [];
  const match = uris.length === 1 ? identityUri.exec(uris[0]!.value) : null;
  if (match?.[1] !== consortium || !idPattern.test(match[3]!))
    throw new Refusal("certificate_invalid", "the certificate names no member of this consortium");
  return { role: match[2] as Role, id: match[3]! };
}
