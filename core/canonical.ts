import { createHash } from "node:crypto";
import canonicalize from "canonicalize";

/** A SHA-256 digest as 64 lowercase hexadecimal digits. */
export type Digest = string;

/** @returns the canonical JSON of a value. @see RFC 8785 */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError("the value has no JSON form");
  return text;
}

/** @returns the canonical JSON of a value, UTF-8. */
export const canonicalBytes = (value: unknown): Uint8Array => Buffer.from(canonicalJson(value), "utf8");

export const sha256 = (...parts: readonly (Uint8Array | string)[]): Uint8Array => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

export const digestOf = (...parts: readonly (Uint8Array | string)[]): Digest =>
  Buffer.from(sha256(...parts)).toString("hex");
