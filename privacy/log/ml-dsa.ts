/** ML-DSA-44 (FIPS 204), where this machine's cryptography has it: OpenSSL 3.5 and later; browsers do without. */
import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { concatBytes, fromHex } from "../../core/bytes.ts";

export const mlDsaPublicKeyLength = 1312;
export const mlDsaSignatureLength = 2420;

// RFC 9881: the DER that stands before a raw public key, and before a private key that is its seed alone.
const spkiPrefix = fromHex("30820532300b06096086480165030403110382052100")!;
const pkcs8Prefix = fromHex("3034020100300b060960864801650304031104228020")!;

const der = (prefix: Uint8Array, key: Uint8Array): Buffer => concatBytes(prefix, key) as Buffer;

const publicKeyOf = (publicKey: Uint8Array) =>
  createPublicKey({ key: der(spkiPrefix, publicKey), format: "der", type: "spki" });

function privateKeyOf(seed: Uint8Array) {
  if (seed.length !== 32) throw new RangeError("an ML-DSA seed has 32 bytes");
  return createPrivateKey({ key: der(pkcs8Prefix, seed), format: "der", type: "pkcs8" });
}

let isThere: boolean | undefined;

/** @returns whether signatures can be made and checked here. */
export function hasMlDsa(): boolean {
  try {
    isThere ??= publicKeyOf(new Uint8Array(mlDsaPublicKeyLength)) !== undefined;
  } catch {
    isThere = false;
  }
  return isThere;
}

/** @param seed - 32 bytes. @returns the raw public key, 1312 bytes. */
export const mlDsaPublicKey = (seed: Uint8Array): Uint8Array =>
  new Uint8Array(
    createPublicKey(privateKeyOf(seed)).export({ format: "der", type: "spki" }).subarray(spkiPrefix.length),
  );

/** @param seed - 32 bytes. @returns the signature, 2420 bytes; hedged: another each time. */
export const mlDsaSign = (seed: Uint8Array, message: Uint8Array): Uint8Array =>
  new Uint8Array(sign(null, message, privateKeyOf(seed)));

/** @returns whether the signature is by this key; false for a key that is none. */
export function mlDsaVerify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== mlDsaPublicKeyLength || signature.length !== mlDsaSignatureLength) return false;
  return verify(null, message, publicKeyOf(publicKey), signature);
}
