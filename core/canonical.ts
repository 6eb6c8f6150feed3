import { hash } from "node:crypto";
import canonicalize from "canonicalize";
import { concatBytes, utf8, utf8Text } from "./bytes.ts";

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
export function isCanonicalText(text: string, value: unknown): boolean {
  try {
    return isWrittenBack(text, value) || text === canonicalJson(value);
  } catch {
    return false;
  }
}

/** As {@link isCanonicalText}, of its bytes. */
export function isCanonical(bytes: Uint8Array, value: unknown): boolean {
  const text = utf8Text(bytes);
  return text !== undefined && isCanonicalText(text, value);
}

/**
 * Most texts are told without being written canonically: JSON.stringify has the numbers and strings of RFC 8785, so a
 * text that it gives back can differ in the order of keys and in lone surrogates, which it escapes, alone.
 */
const isWrittenBack = (text: string, value: unknown): boolean =>
  JSON.stringify(value) === text && !text.includes("\\ud") && areKeysSorted(value);

function areKeysSorted(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (Array.isArray(value)) return value.every(areKeysSorted);
  let before: string | undefined;
  for (const [key, inner] of Object.entries(value)) {
    if ((before !== undefined && key <= before) || !areKeysSorted(inner)) return false;
    before = key;
  }
  return true;
}

// In one call, which costs a third of an object that is fed part by part.
export const sha256 = (...parts: readonly (Uint8Array | string)[]): Uint8Array =>
  hash("sha256", parts.length === 1 ? parts[0]! : concatBytes(...parts.map(bytesOf)), "buffer");

const bytesOf = (part: Uint8Array | string): Uint8Array => (typeof part === "string" ? utf8(part) : part);

export const digestOf = (...parts: readonly (Uint8Array | string)[]): Digest =>
  Buffer.from(sha256(...parts)).toString("hex");
