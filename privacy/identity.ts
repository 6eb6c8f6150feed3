/** The keys an enterprise is known by: Ed25519 to sign, X25519 to receive sealed secrets. */
import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  hkdfSync,
  type KeyObject,
} from "node:crypto";
import { fromBase64, toBase64 } from "../core/bytes.ts";
import type { Random } from "../core/random.ts";
import { Refusal } from "../core/reasons.ts";
import { ed25519PublicKey, ed25519Sign, ed25519Verify } from "./log/ed25519.ts";
import { verifierKey } from "./log/note.ts";

/** A raw X25519 key pair, 32 bytes each. */
export interface X25519Pair {
  readonly secretKey: Uint8Array;
  readonly publicKey: Uint8Array;
}

/** An enterprise's long-lived secrets. They leave the process only through `exportIdentity`. */
export interface Identity {
  /** The name of the signing key: `<consortium>/<party>`. */
  readonly name: string;
  /** Ed25519 private seed, 32 bytes. */
  readonly signingSeed: Uint8Array;
  readonly hpke: X25519Pair;
}

/** What others know of an identity. */
export interface PublicIdentity {
  /** Signed-note verifier key `name+id+base64`. */
  readonly verifierKey: string;
  /** X25519, 32 bytes. */
  readonly hpkeKey: Uint8Array;
}

// RFC 8410 §7: the DER that stands before a raw 32-byte X25519 key.
const pkcs8Prefix = Buffer.from("302e020100300506032b656e04220420", "hex");
const spkiPrefix = Buffer.from("302a300506032b656e032100", "hex").toString("base64");

/** As text: given bytes, the library first takes them for a key object, fails, and pays for its own exceptions. */
const readPublic = (publicKey: Uint8Array): KeyObject =>
  createPublicKey(
    `-----BEGIN PUBLIC KEY-----\n${spkiPrefix}${Buffer.from(publicKey).toString("base64")}\n-----END PUBLIC KEY-----\n`,
  );

/** A secret key as the library holds it, and what it agreed on with each public key so far (by its bytes). */
interface ReadSecret {
  readonly key: KeyObject;
  readonly agreed: Map<string, Uint8Array>;
}

// A party derives several keys with each neighbour. What is known of a secret is forgotten with it.
const readSecrets = new WeakMap<Uint8Array, ReadSecret>();

function readSecret(secretKey: Uint8Array): ReadSecret {
  if (secretKey.length !== 32) throw new RangeError("an X25519 secret key has 32 bytes");
  const known = readSecrets.get(secretKey);
  if (known !== undefined) return known;
  const der = Buffer.concat([pkcs8Prefix, secretKey]);
  const read = { key: createPrivateKey({ key: der, format: "der", type: "pkcs8" }), agreed: new Map() };
  readSecrets.set(secretKey, read);
  return read;
}

/** @returns 32 bytes. @throws Refusal message_malformed */
function sharedSecret(secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array {
  if (publicKey.length !== 32) throw new Refusal("message_malformed", "an X25519 public key has 32 bytes");
  const { key: privateKey, agreed } = readSecret(secretKey);
  const name = Buffer.from(publicKey).toString("latin1");
  const known = agreed.get(name);
  if (known !== undefined) return known;
  try {
    const shared = diffieHellman({ privateKey, publicKey: readPublic(publicKey) });
    agreed.set(name, shared);
    return shared;
  } catch (cause) {
    throw new Refusal("message_malformed", "the X25519 public key is of low order", { cause });
  }
}

/** Erases a secret and what was agreed with it. */
export function forgetSecret(secretKey: Uint8Array): void {
  for (const shared of readSecrets.get(secretKey)?.agreed.values() ?? []) shared.fill(0);
  readSecrets.delete(secretKey);
  secretKey.fill(0);
}

/** @returns the pair of a 32-byte secret. @see RFC 7748 §6.1 */
export function x25519Pair(secretKey: Uint8Array): X25519Pair {
  const { x } = createPublicKey(readSecret(secretKey).key).export({ format: "jwk" });
  return { secretKey, publicKey: new Uint8Array(Buffer.from(x!, "base64url")) };
}

/**
 * @returns a 32-byte key that only the two ends know, bound to its use.
 * @param salt - what the key is for this once, e.g. a roundId.
 * @param info - which key of that use it is.
 * @throws Refusal message_malformed when the public key is not a point that gives a secret.
 */
export function agreeKey(
  secretKey: Uint8Array,
  publicKey: Uint8Array,
  salt: string,
  info: string,
): Uint8Array {
  const shared = createSecretKey(sharedSecret(secretKey, publicKey));
  return new Uint8Array(hkdfSync("sha256", shared, salt, info, 32));
}

/** @param name - `<consortium>/<party>`: the name of the verifier key. */
export const generateIdentity = (name: string, random: Random): Identity => ({
  name,
  signingSeed: new Uint8Array(random.bytes(32)),
  hpke: x25519Pair(new Uint8Array(random.bytes(32))),
});

export const publicIdentity = (identity: Identity): PublicIdentity => ({
  verifierKey: verifierKey(identity.name, ed25519PublicKey(identity.signingSeed)),
  hpkeKey: identity.hpke.publicKey,
});

/** @returns the secrets as text, for a file that only its owner can read. */
export const exportIdentity = (identity: Identity): string =>
  [
    "FEDCREDIT-IDENTITY-1",
    identity.name,
    toBase64(identity.signingSeed),
    toBase64(identity.hpke.secretKey),
    "",
  ].join("\n");

/** @throws Refusal file_malformed */
export function importIdentity(text: string): Identity {
  const [kind, name = "", seed = "", secret = "", end, ...rest] = text.split("\n");
  const signingSeed = fromBase64(seed);
  const secretKey = fromBase64(secret);
  if (
    kind !== "FEDCREDIT-IDENTITY-1" ||
    name === "" ||
    signingSeed?.length !== 32 ||
    secretKey?.length !== 32 ||
    end !== "" ||
    rest.length > 0
  )
    throw new Refusal("file_malformed", "not an identity file");
  return { name, signingSeed, hpke: x25519Pair(secretKey) };
}

/** p = 2²⁵⁵ − 19, little-endian. */
const fieldPrime = Buffer.from(`ed${"ff".repeat(30)}7f`, "hex");

/** @returns whether 32 little-endian bytes are below p. */
function isBelowPrime(bytes: Uint8Array): boolean {
  for (let i = 31; i >= 0; i--) if (bytes[i] !== fieldPrime[i]) return bytes[i]! < fieldPrime[i]!;
  return false;
}

/**
 * Every u below p whose point, on the curve or its twist, has an order that divides 8: agreeing with it gives
 * zero, whatever the secret.
 * @see https://cr.yp.to/ecdh.html, "How do I validate Curve25519 public keys?"; the same list is in libsodium,
 * crypto_scalarmult/curve25519/ref10/x25519_ref10.c, has_small_order
 */
const x25519LowOrder = new Set([
  "00".repeat(32),
  `01${"00".repeat(31)}`,
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  `ec${"ff".repeat(30)}7f`,
]);

/**
 * A key that somebody can have made by multiplying the base point: the one encoding of a point that gives
 * secrets. A second encoding would be the same key twice without equal bytes.
 * @throws Refusal message_malformed, key_low_order naming `party`
 */
export function checkX25519Key(publicKey: Uint8Array, party?: string): void {
  const blame = party === undefined ? {} : { party };
  if (publicKey.length !== 32)
    throw new Refusal("message_malformed", "an X25519 public key has 32 bytes", blame);
  if (!isBelowPrime(publicKey))
    throw new Refusal("key_low_order", "the X25519 public key is not canonical", blame);
  if (x25519LowOrder.has(Buffer.from(publicKey).toString("hex")))
    throw new Refusal("key_low_order", "the X25519 public key is of low order", blame);
}

/**
 * Every y below p of a point whose order divides 8: where a verifier takes such a key, one signature fits many
 * messages, and verifiers differ on it.
 * @see libsodium, crypto_core/ed25519/ref10/ed25519_ref10.c, ge25519_has_small_order
 */
const ed25519LowOrder = new Set([
  "00".repeat(32),
  `01${"00".repeat(31)}`,
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  `ec${"ff".repeat(30)}7f`,
]);

/** @throws Refusal message_malformed, key_low_order */
export function checkEd25519Key(publicKey: Uint8Array): void {
  if (publicKey.length !== 32) throw new Refusal("message_malformed", "an Ed25519 public key has 32 bytes");
  const y = Uint8Array.from(publicKey);
  y[31]! &= 0x7f; // the highest bit is the sign of x
  if (!isBelowPrime(y) || ed25519LowOrder.has(Buffer.from(y).toString("hex")))
    throw new Refusal("key_low_order", "the Ed25519 public key is of low order or not canonical");
}

/** What a signature is for: no signature of one purpose verifies as another's. */
export type SignaturePurpose =
  | "epoch-join"
  | "epoch-share"
  | "epoch-complaint"
  | "epoch-answer"
  | "epoch-dealt"
  | "epoch-confirmed"
  | "submit"
  | "agree"
  | "unmask"
  | "release"
  | "invalid"
  | "renounce"
  | "refuse";

/** purpose ‖ 00 ‖ payload, under a prefix that no signed note, certificate or other protocol starts with. */
const signedBytes = (purpose: SignaturePurpose, payload: Uint8Array): Uint8Array =>
  Buffer.concat([Buffer.from(`fedcredit/v1/${purpose}\0`), payload]);

export const signFor = (purpose: SignaturePurpose, identity: Identity, payload: Uint8Array): Uint8Array =>
  ed25519Sign(identity.signingSeed, signedBytes(purpose, payload));

/** @param publicKey - Ed25519, 32 bytes. */
export const verifyFor = (
  purpose: SignaturePurpose,
  publicKey: Uint8Array,
  payload: Uint8Array,
  signature: Uint8Array,
): boolean => ed25519Verify(publicKey, signedBytes(purpose, payload), signature);
