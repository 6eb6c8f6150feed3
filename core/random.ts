import { createCipheriv, hkdfSync, randomBytes } from "node:crypto";

/** A source of uniform random bytes. Passed in everywhere, so that a test or a simulation can repeat a run. */
export interface Random {
  /** @returns `length` fresh uniform bytes. */
  bytes(length: number): Uint8Array;
}

/** The operating system's generator: the only one a process that protects anything may use. */
export const secureRandom: Random = { bytes: (length) => randomBytes(length) };

/**
 * A repeatable generator for simulations and tests: AES-256-CTR keystream under HKDF-SHA-256(seed).
 * @param seed - any text; equal seeds give equal streams.
 */
export const seededRandom = (seed: string): Random =>
  keyedRandom(Buffer.from(seed, "utf8"), "fedcredit/seeded-random");

/**
 * What a secret expands to, for whoever is shown it later: AES-256-CTR keystream under HKDF-SHA-256(secret, info).
 * @param info - says what for: another text gives an independent stream.
 */
export function keyedRandom(secret: Uint8Array, info: string): Random {
  const key = Buffer.from(hkdfSync("sha256", secret, "", info, 32));
  const stream = createCipheriv("aes-256-ctr", key, Buffer.alloc(16));
  let pool = Buffer.alloc(0);
  return {
    bytes(length) {
      if (pool.length < length)
        pool = Buffer.concat([pool, stream.update(Buffer.alloc(Math.max(4096, length - pool.length)))]);
      const taken = pool.subarray(0, length);
      pool = pool.subarray(length);
      return taken;
    },
  };
}

/**
 * Numbers that follow from names, one each: whoever has not the key cannot tell them from drawn ones.
 * @param key - 32 secret bytes, for this purpose alone.
 * @param names - 16 bytes each, no two alike.
 * @returns uniform numbers in [0, 1) with 48 random bits: AES-256 of each name.
 */
export function keyedUniforms(key: Uint8Array, names: Uint8Array): Float64Array {
  const cipher = createCipheriv("aes-256-ecb", key, null).setAutoPadding(false);
  const blocks = cipher.update(names);
  return Float64Array.from({ length: names.length / 16 }, (_, i) => blocks.readUIntBE(16 * i, 6) / 2 ** 48);
}

/** @returns a uniform number in [0, 1) with 53 random bits. */
export function uniform(random: Random): number {
  const b = random.bytes(7);
  let high = b[0]! & 0x1f;
  for (let i = 1; i < 7; i++) high = high * 256 + b[i]!;
  return high / 2 ** 53;
}

/** @returns a uniform integer in [0, below), without bias. `below` is an integer in 1…2⁴⁸. */
export function uniformInteger(random: Random, below: number): number {
  if (!(Number.isInteger(below) && below >= 1 && below <= 2 ** 48))
    throw new RangeError("below must be 1…2^48");
  const limit = 2 ** 48 - (2 ** 48 % below);
  for (;;) {
    const b = random.bytes(6);
    let word = 0;
    for (let i = 0; i < 6; i++) word = word * 256 + b[i]!;
    if (word < limit) return word % below;
  }
}

/** @returns a shuffled copy (Fisher–Yates). */
export function shuffle<T>(items: readonly T[], random: Random): T[] {
  const out = [...items];
  for (let i = out.length - 1; i > 0; i--) {
    const j = uniformInteger(random, i + 1);
    [out[i], out[j]] = [out[j]!, out[i]!];
  }
  return out;
}
