import { concatBytes, fromBase64, toBase64, utf8 } from "../../core/bytes.ts";
import { Refusal } from "../../core/reasons.ts";
import { ed25519PublicKey, ed25519Sign, ed25519Verify } from "./ed25519.ts";
import { formatSignature, noteKeyId, type Signer, type Verifier } from "./note.ts";

const cosignatureType = 4;

/** A witness: its signature says that the largest tree of the log it saw, as of a time, has this root. */
export interface CosignatureVerifier extends Verifier {
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** `name+keyId+base64(04‖public key)`. */
  readonly key: string;
}

export interface Cosigned {
  readonly witness: CosignatureVerifier;
  /** Unix seconds, by the witness's clock. */
  readonly timeSeconds: number;
}

const signedMessage = (text: string, timeSeconds: number): Uint8Array =>
  utf8(`cosignature/v1\ntime ${timeSeconds}\n${text}`);

/** @returns the cosignature's time, Unix seconds, or undefined where it is malformed. */
export function cosignatureTime(signature: Uint8Array): number | undefined {
  if (signature.length !== 72) return undefined;
  const time = new DataView(signature.buffer, signature.byteOffset, 8).getBigUint64(0);
  return time <= Number.MAX_SAFE_INTEGER ? Number(time) : undefined;
}

/** @returns the witness's key in verifier-key form, signature type 04. */
export const cosignatureKey = (name: string, publicKey: Uint8Array): string =>
  `${name}+${noteKeyId(name, cosignatureType, publicKey)}+${toBase64(concatBytes(Uint8Array.of(cosignatureType), publicKey))}`;

/** @param publicKey - Ed25519, 32 bytes. */
export function cosignatureVerifier(name: string, publicKey: Uint8Array): CosignatureVerifier {
  if (publicKey.length !== 32) throw new RangeError("an Ed25519 public key has 32 bytes");
  return {
    name,
    keyId: noteKeyId(name, cosignatureType, publicKey),
    publicKey,
    key: cosignatureKey(name, publicKey),
    verify(text, signature) {
      const timeSeconds = cosignatureTime(signature);
      if (timeSeconds === undefined) return false;
      return ed25519Verify(publicKey, signedMessage(text, timeSeconds), signature.subarray(8));
    },
  };
}

/** @throws Refusal note_malformed */
export function parseCosignatureKey(key: string): CosignatureVerifier {
  const [name = "", , ...rest] = key.split("+");
  const typed = fromBase64(rest.join("+"));
  if (name !== "" && typed?.length === 33 && typed[0] === cosignatureType) {
    const verifier = cosignatureVerifier(name, typed.subarray(1));
    if (verifier.key === key) return verifier;
  }
  throw new Refusal("note_malformed", "not an Ed25519 cosignature key (name+id+base64, type 04)");
}

/**
 * A witness at one moment.
 * @param seed - Ed25519 private seed, 32 bytes.
 * @param timeSeconds - Unix seconds.
 * @see C2SP tlog-cosignature, Ed25519 signed message
 */
export function cosigner(name: string, seed: Uint8Array, timeSeconds: number): Signer {
  if (!Number.isSafeInteger(timeSeconds) || timeSeconds < 0) throw new RangeError("time is in whole seconds");
  return {
    name,
    keyId: noteKeyId(name, cosignatureType, ed25519PublicKey(seed)),
    sign(text) {
      // timestamped_signature { u64 timestamp; opaque ed25519_signature[64]; }
      const timestamp = new Uint8Array(8);
      new DataView(timestamp.buffer).setBigUint64(0, BigInt(timeSeconds));
      return concatBytes(timestamp, ed25519Sign(seed, signedMessage(text, timeSeconds)));
    },
  };
}

/** @returns one signature line over a checkpoint's text, to be sent to the log. */
export const cosign = (checkpointText: string, { name, keyId, sign }: Signer): string =>
  formatSignature({ name, keyId, signature: sign(checkpointText) });
