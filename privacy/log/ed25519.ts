import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { concatBytes, fromHex } from "../../core/bytes.ts";

// RFC 8410 §7: the DER that stands before a raw 32-byte key.
const spkiPrefix = fromHex("302a300506032b6570032100")!;
const pkcs8Prefix = fromHex("302e020100300506032b657004220420")!;

// Reading a key costs as much as signing with it. A seed read once is known as long as whoever holds it does.
const knownSeeds = new WeakMap<Uint8Array, KeyObject>();

function privateKeyOf(seed: Uint8Array): KeyObject {
  if (seed.length !== 32) throw new RangeError("an Ed25519 seed has 32 bytes");
  const known = knownSeeds.get(seed);
  if (known !== undefined) return known;
  const key = createPrivateKey({ key: der(pkcs8Prefix, seed), format: "der", type: "pkcs8" });
  knownSeeds.set(seed, key);
  return key;
}

// Node takes any bytes here; its types ask for a Buffer, which a browser does not have.
const der = (prefix: Uint8Array, key: Uint8Array): Buffer => concatBytes(prefix, key) as Buffer;

// A roster's members and the log's signers: who verifies for more of them reads keys anew.
const mostPublicKeys = 8192;
const knownPublicKeys = new Map<string, KeyObject>();

function publicKeyOf(publicKey: Uint8Array): KeyObject {
  const name = String.fromCharCode(...publicKey);
  const known = knownPublicKeys.get(name);
  if (known !== undefined) return known;
  const key = createPublicKey({ key: der(spkiPrefix, publicKey), format: "der", type: "spki" });
  if (knownPublicKeys.size >= mostPublicKeys) knownPublicKeys.clear();
  knownPublicKeys.set(name, key);
  return key;
}

/** @returns the 32-byte public key of a 32-byte private seed. @see RFC 8032 §5.1.5 */
export const ed25519PublicKey = (seed: Uint8Array): Uint8Array =>
  new Uint8Array(createPublicKey(privateKeyOf(seed)).export({ format: "der", type: "spki" }).subarray(-32));

/** @returns the 64-byte signature. */
export const ed25519Sign = (seed: Uint8Array, message: Uint8Array): Uint8Array =>
  new Uint8Array(sign(null, message, privateKeyOf(seed)));

/** @returns whether the signature is the key's over the message; false for a key or signature of another length. */
export function ed25519Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  let key: KeyObject;
  try {
    key = publicKeyOf(publicKey);
  } catch {
    return false;
  }
  return verify(null, message, key, signature);
}
