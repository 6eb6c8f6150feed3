/** TLS keys and the requests for their certificates. A request names nothing that counts: the authority says who it is. */
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

/** What every certificate of a consortium is signed with. */
export const tlsKeyAlgorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

// The library names the browser's type; Node's Web Crypto has the same interface.
x509.cryptoProvider.set(webcrypto as never);

/** @returns a new TLS key, PKCS#8 PEM, secret. */
export async function generateTlsKey(): Promise<string> {
  const { privateKey } = await newTlsKeys();
  return exportTlsKey(privateKey);
}

export const newTlsKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(tlsKeyAlgorithm, true, ["sign", "verify"]);

export async function exportTlsKey(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
}

/** @returns a PKCS#10 request, PEM, for the certificate of a TLS key. */
export async function certificateRequest(tlsKeyPem: string, name: string): Promise<string> {
  const pkcs8 = x509.PemConverter.decodeFirst(tlsKeyPem);
  const privateKey = await webcrypto.subtle.importKey("pkcs8", pkcs8, tlsKeyAlgorithm, true, ["sign"]);
  const { d: _, key_ops: __, ...publicJwk } = await webcrypto.subtle.exportKey("jwk", privateKey);
  const publicKey = await webcrypto.subtle.importKey("jwk", publicJwk, tlsKeyAlgorithm, true, ["verify"]);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: `CN=${name}`,
    keys: { privateKey, publicKey },
    signingAlgorithm: tlsKeyAlgorithm,
  });
  return request.toString("pem");
}
