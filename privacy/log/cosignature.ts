import { concatBytes, fromBase64, toBase64, utf8 } from "../../core/bytes.ts";
import { Refusal } from "../../core/reasons.ts";
import { ed25519PublicKey, ed25519Sign, ed25519Verify } from "./ed25519.ts";
import {
  mlDsaPublicKey,
  mlDsaPublicKeyLength,
  mlDsaSign,
  mlDsaSignatureLength,
  mlDsaVerify,
} from "./ml-dsa.ts";
import { formatSignature, noteKeyId, type Signer, type Verifier } from "./note.ts";
import { parseCheckpoint } from "./tree-head.ts";

/** How a witness signs: C2SP's signature type, and how long keys and signatures are, bytes. */
const algorithms = {
  Ed25519: { type: 4, keyLength: 32, signatureLength: 64 },
  "ML-DSA-44": { type: 6, keyLength: mlDsaPublicKeyLength, signatureLength: mlDsaSignatureLength },
} as const;

export type CosignatureAlgorithm = keyof typeof algorithms;

/** A witness: its signature says that the largest tree of the log it saw, as of a time, has this root. */
export interface CosignatureVerifier extends Verifier {
  readonly algorithm: CosignatureAlgorithm;
  /** 32 bytes, of ML-DSA-44 1312. */
  readonly publicKey: Uint8Array;
  /** `name+keyId+base64(type‖public key)`. */
  readonly key: string;
}

export interface Cosigned {
  readonly witness: CosignatureVerifier;
  /** Unix seconds, by the witness's clock. */
  readonly timeSeconds: number;
}

const u64 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
};

/** opaque <1..2^8-1> */
function opaque(text: string): Uint8Array {
  const bytes = utf8(text);
  if (bytes.length < 1 || bytes.length > 255) throw new RangeError("a name has 1 to 255 bytes");
  return concatBytes(Uint8Array.of(bytes.length), bytes);
}

/** @see C2SP tlog-cosignature, Ed25519 signed message and ML-DSA-44 signed message */
function signedMessage(
  { algorithm, name }: Pick<CosignatureVerifier, "algorithm" | "name">,
  text: string,
  timeSeconds: number,
): Uint8Array {
  if (algorithm === "Ed25519") return utf8(`cosignature/v1\ntime ${timeSeconds}\n${text}`);
  const { origin, size, root } = parseCheckpoint(text);
  // struct { uint8 label[12]; opaque cosigner_name; uint64 timestamp; opaque log_origin; uint64 start, end; uint8 hash[32]; }
  const label = utf8("subtree/v1\n\0");
  return concatBytes(label, opaque(name), u64(timeSeconds), opaque(origin), u64(0), u64(size), root);
}

/** @returns the cosignature's time, Unix seconds, or undefined where it is malformed. */
export function cosignatureTime(signature: Uint8Array): number | undefined {
  const { length } = signature;
  if (!Object.values(algorithms).some(({ signatureLength }) => length === 8 + signatureLength))
    return undefined;
  const time = new DataView(signature.buffer, signature.byteOffset, 8).getBigUint64(0);
  return time <= Number.MAX_SAFE_INTEGER ? Number(time) : undefined;
}

/** @returns the witness's key in verifier-key form. */
export function cosignatureKey(
  name: string,
  publicKey: Uint8Array,
  algorithm: CosignatureAlgorithm = "Ed25519",
): string {
  const { type } = algorithms[algorithm];
  return `${name}+${noteKeyId(name, type, publicKey)}+${toBase64(concatBytes(Uint8Array.of(type), publicKey))}`;
}

/** @param publicKey - 32 bytes, of ML-DSA-44 1312. */
export function cosignatureVerifier(
  name: string,
  publicKey: Uint8Array,
  algorithm: CosignatureAlgorithm = "Ed25519",
): CosignatureVerifier {
  const { keyLength, signatureLength, type } = algorithms[algorithm];
  if (publicKey.length !== keyLength)
    throw new RangeError(`a public key of ${algorithm} has ${keyLength} bytes`);
  return {
    algorithm,
    name,
    keyId: noteKeyId(name, type, publicKey),
    publicKey,
    key: cosignatureKey(name, publicKey, algorithm),
    verify(text, signature) {
      const timeSeconds = cosignatureTime(signature);
      if (timeSeconds === undefined || signature.length !== 8 + signatureLength) return false;
      const message = signedMessage({ algorithm, name }, text, timeSeconds);
      const isBy = algorithm === "Ed25519" ? ed25519Verify : mlDsaVerify;
      return isBy(publicKey, message, signature.subarray(8));
    },
  };
}

/** @returns how people are told of a witness: by its name, and by the algorithm where that is not Ed25519. */
export const witnessName = ({ name, algorithm }: CosignatureVerifier): string =>
  algorithm === "Ed25519" ? name : `${name} (${algorithm})`;

/** @throws Refusal note_malformed */
export function parseCosignatureKey(key: string): CosignatureVerifier {
  const [name = "", , ...rest] = key.split("+");
  const typed = fromBase64(rest.join("+"));
  for (const [algorithm, { type, keyLength }] of Object.entries(algorithms)) {
    if (name === "" || typed?.length !== 1 + keyLength || typed[0] !== type) continue;
    const verifier = cosignatureVerifier(name, typed.subarray(1), algorithm as CosignatureAlgorithm);
    if (verifier.key === key) return verifier;
  }
  throw new Refusal(
    "note_malformed",
    "not a cosignature key (name+id+base64, type 04 for Ed25519 or 06 for ML-DSA-44)",
  );
}

/**
 * A witness at one moment.
 * @param seed - private seed, 32 bytes.
 * @param timeSeconds - Unix seconds.
 */
export function cosigner(
  name: string,
  seed: Uint8Array,
  timeSeconds: number,
  algorithm: CosignatureAlgorithm = "Ed25519",
): Signer {
  if (!Number.isSafeInteger(timeSeconds) || timeSeconds < 0) throw new RangeError("time is in whole seconds");
  const [publicKeyOf, sign] =
    algorithm === "Ed25519" ? [ed25519PublicKey, ed25519Sign] : [mlDsaPublicKey, mlDsaSign];
  return {
    name,
    keyId: noteKeyId(name, algorithms[algorithm].type, publicKeyOf(seed)),
    // timestamped_signature { u64 timestamp; opaque signature[…]; }
    sign: (text) =>
      concatBytes(u64(timeSeconds), sign(seed, signedMessage({ algorithm, name }, text, timeSeconds))),
  };
}

/** @returns one signature line over a checkpoint's text, to be sent to the log. */
export const cosign = (checkpointText: string, { name, keyId, sign }: Signer): string =>
  formatSignature({ name, keyId, signature: sign(checkpointText) });
