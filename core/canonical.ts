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

/**
 * Whether a text is the one canonical form of the value that it was parsed to. What a peer may send has none at all
 * where it holds a lone surrogate, or brackets deeper than functions call themselves.
 */
export function isCanonical(text: Uint8Array, value: unknown): boolean {
  try {
    return Buffer.compare(text, canonicalBytes(value)) === 0;
  } catch {
    return false;
  }
}

export const sha256 = (...parts: readonly (Uint8Array | string)[]): Uint8Array => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

export const digestOf = (...parts: readonly (Uint8Array | string)[]): Digest =>
  Buffer.from(sha256(...parts)).toString("hex");
