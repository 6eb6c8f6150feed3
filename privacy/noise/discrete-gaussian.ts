/**
 * Exact samples of the discrete Gaussian, P(x) ∝ exp(−x² / 2σ²) over the integers.
 *
 * Every decision compares integers: what is uniform is drawn as bits, as many as the comparison needs. Numbers that
 * are kept as float64 are integers below 2⁵³, on which + − × and remainders are exact.
 *
 * @see Canonne, Kamath, Steinke 2020, arXiv:2004.00010, algorithms 1 to 3
 */
import type { Random } from "../../core/random.ts";

/** Largest variance: products of two values below its root and of a value with 2²⁴ stay below 2⁵³. */
export const maxVariance = 2 ** 52;

/**
 * @param variance - σ², an integer in 1 … 2⁵², so that the probabilities are those of rational exponents.
 * @param count - of independent values.
 * @returns integers, shape [count].
 */
export function sampleDiscreteGaussian(variance: number, count: number, random: Random): Float64Array {
  if (!(Number.isInteger(variance) && variance >= 1 && variance <= maxVariance))
    throw new RangeError("the variance must be an integer from 1 to 2^52");
  if (!(Number.isInteger(count) && count >= 0)) throw new RangeError("count must be an integer >= 0");
  const sampler = new Sampler(variance, random);
  return Float64Array.from({ length: count }, () => sampler.next());
}

/** Bits drawn before a comparison: more are needed with a probability of about 2⁻²⁴. */
const wordBits = 24;
const word = 2 ** wordBits;
const bytesAtATime = 6144;

class Sampler {
  readonly #variance: number;
  /** t = ⌊σ⌋ + 1: the scale of the discrete Laplace distribution that candidates are of. */
  readonly #scale: number;
  /** 2σ²t². */
  readonly #divisor: bigint;
  readonly #random: Random;
  #pool: Uint8Array = new Uint8Array();
  #at = 0;

  constructor(variance: number, random: Random) {
    this.#variance = variance;
    this.#random = random;
    this.#scale = integerRoot(variance) + 1;
    this.#divisor = 2n * BigInt(variance) * BigInt(this.#scale) ** 2n;
  }

  next(): number {
    for (;;) {
      const candidate = this.#laplace();
      const distance = BigInt(this.#scale) * BigInt(Math.abs(candidate)) - BigInt(this.#variance);
      if (this.#bernoulliExp(distance * distance, this.#divisor)) return candidate;
    }
  }

  /** Algorithm 2, of scale t: P(x) ∝ exp(−|x| / t). */
  #laplace(): number {
    const t = this.#scale;
    for (;;) {
      const low = this.#below(t);
      if (!this.#bernoulliExpFraction(low, t)) continue;
      let high = 0;
      while (this.#bernoulliExpFraction(1, 1)) high++;
      const magnitude = low + t * high;
      const isNegative = (this.#byte() & 1) === 1;
      if (!(isNegative && magnitude === 0)) return isNegative ? -magnitude : magnitude;
    }
  }

  /** Algorithm 1. @returns true with probability exp(−a / b). */
  #bernoulliExp(a: bigint, b: bigint): boolean {
    for (let whole = a / b; whole > 0n; whole--) if (!this.#bernoulliExpFraction(1, 1)) return false;
    const rest = a % b;
    return this.#isOdd(Number((rest << BigInt(wordBits)) / b), rest, b);
  }

  /** The same for 0 <= a <= b < 2²⁹. */
  #bernoulliExpFraction(a: number, b: number): boolean {
    const scaled = a * word;
    return this.#isOdd((scaled - (scaled % b)) / b, a, b);
  }

  /**
   * Counts how often in a row an event of probability γ / k happens, k = 1, 2, …
   * @param scaled - ⌊γ · 2²⁴⌋, with γ = a / b in [0, 1].
   * @returns whether the first that does not is of an odd k: so with probability exp(−γ).
   */
  #isOdd(scaled: number, a: number | bigint, b: number | bigint): boolean {
    // for γ = 1 the first is certain
    for (let k = scaled === word ? 2 : 1; ; k++) if (!this.#happens(scaled, k, a, b)) return k % 2 === 1;
  }

  /** @returns true with probability a / (b · k). */
  #happens(scaled: number, k: number, a: number | bigint, b: number | bigint): boolean {
    const drawn = (this.#byte() * 256 + this.#byte()) * 256 + this.#byte();
    if ((drawn + 1) * k <= scaled) return true;
    if (drawn * k > scaled) return false;
    return this.#isBelow(BigInt(drawn), BigInt(a), BigInt(b) * BigInt(k));
  }

  /** Goes on drawing bits of a uniform number, of which `drawn` are the first 24, until it is to one side of a / b. */
  #isBelow(drawn: bigint, a: bigint, b: bigint): boolean {
    let number = drawn;
    for (let bits = BigInt(wordBits); ; bits += 8n) {
      if ((number + 1n) * b <= a << bits) return true;
      if (number * b >= a << bits) return false;
      number = (number << 8n) | BigInt(this.#byte());
    }
  }

  /** @returns a uniform integer in [0, limit), limit < 2²⁹, without bias. */
  #below(limit: number): number {
    const fair = 2 ** 32 - (2 ** 32 % limit);
    for (;;) {
      const drawn = ((this.#byte() * 256 + this.#byte()) * 256 + this.#byte()) * 256 + this.#byte();
      if (drawn < fair) return drawn % limit;
    }
  }

  #byte(): number {
    if (this.#at === this.#pool.length) {
      this.#pool = this.#random.bytes(bytesAtATime);
      this.#at = 0;
    }
    return this.#pool[this.#at++]!;
  }
}

/** @returns ⌊√n⌋ of an integer up to 2⁵². */
function integerRoot(n: number): number {
  let root = Math.floor(Math.sqrt(n));
  while (root * root > n) root--;
  while ((root + 1) * (root + 1) <= n) root++;
  return root;
}
