import { type Random, uniform } from "../../core/random.ts";
import { releaseQuorum } from "./statements.ts";

/** Probability, as a power of two, with which something altered may escape everybody that signs a release. */
const escapeBits = 20;

/**
 * Honest members that check a release, at least: a coordinator that alters an aggregate need show it only to as
 * many as it needs signatures of, and `maxColluding` of these may look away.
 */
export const honestCheckers = (survivors: number, maxColluding: number): number =>
  releaseQuorum(survivors, maxColluding) - maxColluding;

/**
 * Which of some things this member looks at: all where that is cheap, otherwise each with the probability p of
 * its own for which (1 − p)^honest ≤ 2⁻²⁰.
 *
 * @param count - of the things. @param cheap - up to how many are all looked at.
 * @param honest - members that choose so, independently; at least 1.
 * @returns indices below `count`, rising.
 */
export function spotCheck(count: number, cheap: number, honest: number, random: Random): number[] {
  const all = Array.from({ length: count }, (_, i) => i);
  const p = 1 - 2 ** (-escapeBits / honest);
  return count <= cheap ? all : all.filter(() => uniform(random) < p);
}
