import { powerOfTwo } from "./powers-of-two.ts";

/**
 * Significant bits of a number that went through an elementary function (exp, sin, …), whose last digits ECMAScript
 * leaves to the implementation.
 */
const elementaryBits = 28;

/**
 * @param bits - 1…52.
 * @returns the nearest number with so many significant bits; by IEEE 754 alone, so that it is the same everywhere.
 * @see Veltkamp 1968; Dekker 1971, doi:10.1007/BF01397083, 5.7
 */
export function roundTo(bits: number, x: number): number {
  const scaled = x * (powerOfTwo(53 - bits) + 1);
  return Number.isFinite(scaled) ? scaled - (scaled - x) : x;
}

/** @returns the result of an elementary function, to the digits that every implementation agrees on. */
export const agreed = (x: number): number => roundTo(elementaryBits, x);
