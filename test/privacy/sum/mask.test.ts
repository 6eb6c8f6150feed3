import { createCipheriv, hkdfSync } from "node:crypto";
import test from "ava";
import fc from "fast-check";
import { seededRandom, uniformInteger } from "../../../core/random.ts";
import { addMasks, type MaskTerm, T } from "../../../privacy/sum/mask.ts";
import { chiSquared, chiSquaredLimit } from "../../support/chi-squared.ts";
import { addInPlace, expandMask } from "../../support/masks.ts";
import vectors from "../../vectors/sealed-sum.json" with { type: "json" };

const numRuns = process.env.SLOW ? 500 : 40;
const seedOf = (byte: number) => new Uint8Array(32).fill(byte);

/** The definition, word by word in big integers. */
function maskByDefinition(seed: Uint8Array, info: string, length: number): number[] {
  const key = Buffer.from(hkdfSync("sha256", seed, "", `fedcredit/mask\0${info}`, 32));
  const stream = createCipheriv("aes-256-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(16 * length));
  const words: number[] = [];
  for (let block = 0; words.length < length; block++) {
    const low = stream.readBigUInt64LE(16 * block);
    const high = stream.readBigUInt64LE(16 * block + 8);
    const bits = low | (high << 64n);
    for (let w = 0n; w < 3n; w++) words.push(Number((bits >> (42n * w)) & (2n ** 42n - 1n)));
  }
  return words.slice(0, length);
}

test("a mask is 42-bit words of AES-256-CTR keystream under HKDF", (t) => {
  for (const length of [0, 1, 2, 3, 4, 6143, 6144, 6145, 6146, 20_000])
    t.deepEqual([...expandMask(seedOf(7), "round", length)], maskByDefinition(seedOf(7), "round", length));
});

test("vector of another implementation", (t) => {
  const { seed, info, words } = vectors.mask;
  t.deepEqual([...expandMask(Buffer.from(seed, "hex"), info, words.length)], words);
});

test("another seed, another round or another use is another mask", (t) => {
  const mask = expandMask(seedOf(1), "a", 100);
  for (const other of [expandMask(seedOf(2), "a", 100), expandMask(seedOf(1), "b", 100)])
    t.true(mask.every((word, i) => word !== other[i]));
  t.deepEqual(expandMask(seedOf(1), Buffer.from("a"), 100), mask);
});

test("masks added by one end and subtracted by the other cancel", (t) => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.integer({ min: 2, max: 9 }),
      fc.integer({ min: 1, max: 7000 }),
      (info, parties, length) => {
        const random = seededRandom(`${info}/${parties}/${length}`);
        const pairSeeds = new Map<string, Uint8Array>();
        const sum = new Float64Array(length);
        let plain = 0;
        for (let i = 0; i < parties; i++) {
          const value = uniformInteger(random, T);
          const slots = new Float64Array(length).fill(value);
          plain = (plain + value) % T;
          const masks: MaskTerm[] = [];
          for (let j = 0; j < parties; j++) {
            if (i === j) continue;
            const pair = [i, j].sort().join();
            const seed = pairSeeds.get(pair) ?? random.bytes(32);
            pairSeeds.set(pair, seed);
            masks.push({ seed, info, sign: i < j ? 1 : -1 });
          }
          addMasks(slots, masks);
          t.true(slots.every((slot) => slot >= 0 && slot < T));
          addInPlace(sum, slots, 1);
        }
        t.true(sum.every((slot) => slot === plain));
      },
    ),
    { numRuns },
  );
});

test("many masks at once equal one after the other", (t) => {
  const masks = Array.from(
    { length: 2100 },
    (_, i): MaskTerm => ({ seed: seedOf(i & 255), info: `${i}`, sign: i % 3 ? 1 : -1 }),
  );
  const slots = new Float64Array(10).fill(T - 1);
  const oneByOne = Float64Array.from(slots);
  addMasks(slots, masks);
  for (const { seed, info, sign } of masks) addInPlace(oneByOne, expandMask(seed, info, 10), sign);
  t.deepEqual(slots, oneByOne);
});

test("the highest and the lowest bits of a mask are uniform", (t) => {
  const mask = expandMask(seedOf(3), "uniform", 200_000);
  for (const bucket of [(x: number) => Math.floor(x / 2 ** 34), (x: number) => x % 256])
    t.true(chiSquared(mask, bucket, 256) < chiSquaredLimit(255));
});

test("a seed of another length is a mistake", (t) => {
  t.throws(() => expandMask(new Uint8Array(31), "", 1), { instanceOf: RangeError });
});
