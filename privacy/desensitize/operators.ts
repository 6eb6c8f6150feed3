import { FF1 } from "@noble/ciphers/ff1.js";
import { Refusal } from "../../core/reasons.ts";
import { keyedDigest } from "./keys.ts";

/**
 * The operators on a single value, without positions (position.ts). Pure: keys come in as arguments. A refusal
 * says what is wrong with a value and never the value.
 */

const unfit = (problem: string): Refusal => new Refusal("cell_malformed", problem);

/**
 * A pseudonym: 128 bits of HMAC-SHA-256, as 32 hexadecimal digits. Unlike a plain hash it cannot be guessed by
 * trying all identifiers.
 * @param field - column: equal values of different columns get different pseudonyms.
 */
export const pseudonym = (value: string, field: string, key: Uint8Array): string =>
  Buffer.from(keyedDigest(key, field, value)).toString("hex", 0, 16);

/** Fewer values than this of one length, and all could be tried. @see NIST SP 800-38G Rev. 1, 5.1 */
export const leastFf1Domain = 1_000_000;

/**
 * A value of the same length over the same alphabet, by FF1. Reversible by who holds the key.
 *
 * @param alphabet - at least two different characters.
 * @param key - AES key, 16, 24 or 32 bytes.
 * @param tweak - public; equal values under different tweaks differ.
 * @throws Refusal cell_malformed, where a character is not in the alphabet or fewer than
 *   {@link leastFf1Domain} values have this length.
 * @see NIST SP 800-38G, Algorithm 7
 */
export const encryptFormatPreserving = (
  value: string,
  alphabet: string,
  key: Uint8Array,
  tweak: Uint8Array,
): string => withFf1(value, alphabet, (radix, digits) => FF1(radix, key, tweak).encrypt(digits));

/**
 * Undoes {@link encryptFormatPreserving}. @throws Refusal cell_malformed, as it does
 * @internal for the tests of the forward direction
 */
export const decryptFormatPreserving = (
  value: string,
  alphabet: string,
  key: Uint8Array,
  tweak: Uint8Array,
): string => withFf1(value, alphabet, (radix, digits) => FF1(radix, key, tweak).decrypt(digits));

function withFf1(
  value: string,
  alphabet: string,
  run: (radix: number, digits: number[]) => number[],
): string {
  const characters = [...alphabet];
  const digits = [...value].map((character) => characters.indexOf(character));
  if (digits.includes(-1)) throw unfit("a character outside the alphabet");
  if (digits.length * Math.log(characters.length) < Math.log(leastFf1Domain) - 1e-9)
    throw unfit("too short: fewer than 1,000,000 values have this length");
  return run(characters.length, digits)
    .map((digit) => characters[digit]!)
    .join("");
}

/** All but the first and last characters become `*`; all do where nothing would be hidden otherwise. */
export function maskText(value: string, keepFirst: number, keepLast: number): string {
  const characters = [...value];
  const hidden = characters.length - keepFirst - keepLast;
  if (hidden <= 0) return "*".repeat(characters.length);
  return [
    ...characters.slice(0, keepFirst),
    "*".repeat(hidden),
    ...characters.slice(keepFirst + hidden),
  ].join("");
}

/** @returns the middle of the bin [origin + i·width, origin + (i+1)·width) that holds the value. */
export const binMiddle = (value: number, origin: number, width: number): number =>
  origin + (Math.floor((value - origin) / width) + 0.5) * width;

/** @returns the value, or the nearer of the two bounds where it lies outside. */
export const topBottomCode = (value: number, low: number, high: number): number =>
  Math.min(high, Math.max(low, value));
