import { hash } from "node:crypto";
import canonicalize from "canonicalize";
import { concatBytes, utf8, utf8Text } from "./bytes.ts";

/** A SHA-256 digest as 64 lowercase hexadecimal digits. */
export type Digest = string;

/** @returns the canonical JSON of a value. @see RFC 8785 */
export function canonicalJson(value: unknown): string {
  const sorted = keysSorted(value);
  if (sorted !== undefined) {
    const text = JSON.stringify(sorted);
    if (!mayEscapeSurrogate(text)) return text;
  }
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError("the value has no JSON form");
  return text;
}

/**
 * JSON.stringify has the numbers and strings of RFC 8785, in a tenth of the time: left are the order of keys, and what
 * JSON has no form for.
 * @returns the value with the keys of its objects in order, itself where they are; undefined for what is not made of
 *   finite numbers, strings, booleans, null, arrays and plain objects alone, or whose keys an object keeps in another order.
 */
function keysSorted(value: unknown): unknown {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value : undefined;
    case "object":
      if (value === null) return null;
      return Array.isArray(value) ? itemsSorted(value) : objectSorted(value);
    default:
      return undefined;
  }
}

function itemsSorted(items: readonly unknown[]): readonly unknown[] | undefined {
  let sorted: unknown[] | undefined;
  for (let i = 0; i < items.length; i++) {
    const item = keysSorted(items[i]);
    if (item === undefined) return undefined;
    if (item !== items[i]) sorted ??= items.slice();
    if (sorted !== undefined) sorted[i] = item;
  }
  return sorted ?? items;
}

function objectSorted(value: object): object | undefined {
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return undefined;
  const entries = Object.entries(value);
  let isSorted = true;
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i]!;
    const inner = keysSorted(entry[1]);
    if (inner === undefined) return undefined;
    if (inner !== entry[1] || (i > 0 && entries[i - 1]![0] > entry[0])) isSorted = false;
    entry[1] = inner;
  }
  if (isSorted) return value;
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  const sorted = Object.fromEntries(entries);
  return Object.keys(sorted).every((key, i) => key === entries[i]![0]) ? sorted : undefined;
}

/** A lone surrogate, which has no canonical form, is written as an escape; so is a text that looks like one. */
const mayEscapeSurrogate = (text: string): boolean => text.includes("\\ud");

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
  JSON.stringify(value) === text && !mayEscapeSurrogate(text) && keysSorted(value) === value;

// In one call, which costs a third of an object that is fed part by part.
export const sha256 = (...parts: readonly (Uint8Array | string)[]): Uint8Array =>
  hash("sha256", parts.length === 1 ? parts[0]! : concatBytes(...parts.map(bytesOf)), "buffer");

const bytesOf = (part: Uint8Array | string): Uint8Array => (typeof part === "string" ? utf8(part) : part);

export const digestOf = (...parts: readonly (Uint8Array | string)[]): Digest =>
  Buffer.from(sha256(...parts)).toString("hex");
