import { createHmac, hkdfSync } from "node:crypto";

/** Keys of the operators that need one. */
export interface DesensitizationKeys {
  /** @returns 32 bytes, the same for all values of a field as long as `rotationDays` last. */
  key(use: string, rotationDays: number): Uint8Array;
}

/**
 * Keys that differ by purpose, use and period: what was made for one purpose cannot be joined with what was made
 * for another, or after a rotation. Once the root is destroyed nobody can link a pseudonym to its subject.
 *
 * @param root - 32 secret bytes of the enterprise.
 * @param purpose - of the study, in the manifest's words.
 * @param nowMillis - when the run takes place, Unix milliseconds.
 * @throws {RangeError} unless the root has 32 bytes.
 * @see RFC 5869
 */
export function purposeKeys(root: Uint8Array, purpose: string, nowMillis: number): DesensitizationKeys {
  if (root.length !== 32) throw new RangeError("the root key has 32 bytes");
  const derived = new Map<string, Uint8Array>();
  return {
    key(use, rotationDays) {
      const period = Math.floor(nowMillis / (rotationDays * 86_400_000));
      const info = `fedcredit/desensitize/v1\0${use}\0${purpose}\0${rotationDays}\0${period}`;
      let key = derived.get(info);
      if (key === undefined) {
        key = new Uint8Array(hkdfSync("sha256", root, "", info, 32));
        derived.set(info, key);
      }
      return key;
    },
  };
}

/** @returns HMAC-SHA-256 over the parts, each with its length, 32 bytes. @see RFC 2104 */
export function keyedDigest(key: Uint8Array, ...parts: readonly string[]): Uint8Array {
  const mac = createHmac("sha256", key);
  for (const part of parts) {
    const bytes = Buffer.from(part, "utf8");
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    mac.update(length).update(bytes);
  }
  return mac.digest();
}
