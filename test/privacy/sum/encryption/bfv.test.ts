import test from "ava";
import fc from "fast-check";
import initialize from "node-seal";
import { digestOf } from "../../../../core/canonical.ts";
import { Refusal } from "../../../../core/reasons.ts";
import {
  type Bfv,
  checkCiphertext,
  checkSecretKey,
  openBfv,
} from "../../../../privacy/sum/encryption/bfv.ts";
import {
  ciphertextError,
  coefficientModulus,
  fullBytes,
  parametersId,
  polynomialDegree,
  seededBytes,
} from "../../../../privacy/sum/encryption/bfv-format.ts";
import { maxParties, planPacking, quantize, T } from "../../../../privacy/sum/layout.ts";
import { addMasks } from "../../../../privacy/sum/mask.ts";
import { performFold } from "../../../../privacy/sum/work.ts";
import { chiSquared, chiSquaredLimit } from "../../../support/chi-squared.ts";
import { expandMask } from "../../../support/masks.ts";

let bfv: Bfv;
let key: Uint8Array;

test.before(async () => {
  bfv = await openBfv();
  key = await bfv.generateKey();
});
test.after.always(async () => {
  await bfv.close();
});

const slotsOf = (label: string, length: number) => expandMask(new Uint8Array(32), label, length);

async function reasonOf(call: () => unknown): Promise<string> {
  try {
    await call();
    return "accepted";
  } catch (error) {
    return error instanceof Refusal ? error.reason : String((error as Error).name);
  }
}

/** Adds a sum to itself: 2^doublings copies of one ciphertext, whose errors all have the same sign. */
async function doubled(ciphertext: Uint8Array, doublings: number): Promise<Uint8Array> {
  let sum = ciphertext;
  for (let i = 0; i < doublings; i++) {
    const fold = bfv.openSum(1);
    await fold.add([{ index: 0, ciphertext: sum }]);
    await fold.add([{ index: 0, ciphertext: sum }]);
    sum = (await fold.finish())[0]!;
  }
  return sum;
}

test("the parameters are SEAL's at 128 bits, and decryption cannot fail at 4,096 parties", async (t) => {
  const seal = await initialize();
  using parameters = new seal.EncryptionParameters(seal.SchemeType.bfv);
  using modulus = new seal.Modulus(coefficientModulus);
  using primes = seal.vecFromArrayModulus([modulus]);
  using plain = new seal.Modulus(BigInt(T));
  parameters.setPolyModulusDegree(polynomialDegree);
  parameters.setCoeffModulus(primes);
  parameters.setPlainModulus(plain);
  using context = new seal.SEALContext(parameters, true, seal.SecLevelType.tc128);
  t.true(context.parametersSet(), "SEAL accepts them at the 128-bit level");
  using first = context.firstParmsId();
  t.deepEqual([...first.values()], [...parametersId]);
  using data = context.firstContextData();
  using real = data.parms();
  using realPrimes = real.coeffModulus();
  using realPrime = realPrimes.get(0)!;
  using realPlain = real.plainModulus();
  const q = realPrime.value();
  const plainModulus = realPlain.value();
  t.is(realPrimes.size(), 1);
  t.true(realPrime.isPrime());
  t.is(q, coefficientModulus);
  t.is(plainModulus, BigInt(T));
  t.is(q % plainModulus, 1n);
  t.is(seal.CoeffModulus.MaxBitCount(polynomialDegree, seal.SecLevelType.tc128), 109);
  t.true(ciphertextError(maxParties, maxParties) < decryptionMargin(q, plainModulus));
});

/** (q/T)(1/2 − 1/γ), rounded down. */
const decryptionMargin = (q: bigint, t: bigint): number => Number((q / t - 1n) / 2n) - 1;

test("what is sealed comes back, whatever its length", async (t) => {
  for (const length of [
    1,
    2,
    polynomialDegree - 1,
    polynomialDegree,
    polynomialDegree + 1,
    3 * polynomialDegree,
  ]) {
    const slots = slotsOf(`length ${length}`, length);
    const chunks = await bfv.encrypt(key, slots);
    t.is(chunks.length, Math.ceil(length / polynomialDegree));
    t.true(chunks.every((chunk) => chunk.length === seededBytes));
    t.deepEqual(await bfv.decrypt(key, chunks, length), slots);
  }
  for (const value of [0, 1, 2 ** 32, T - 1]) {
    const slots = new Float64Array(polynomialDegree).fill(value);
    t.deepEqual(await bfv.decrypt(key, await bfv.encrypt(key, slots), polynomialDegree), slots);
  }
});

test("a chunk that is not full holds nothing of what was sealed before", async (t) => {
  await bfv.encrypt(key, slotsOf("before", polynomialDegree));
  const chunks = await bfv.encrypt(key, Float64Array.of(5));
  t.deepEqual(
    await bfv.decrypt(key, chunks, polynomialDegree),
    new Float64Array([5, ...new Array(polynomialDegree - 1).fill(0)]),
  );
});

test("equal slots are sealed differently each time, and another key gives noise", async (t) => {
  const slots = new Float64Array(polynomialDegree);
  const [[first], [second]] = [await bfv.encrypt(key, slots), await bfv.encrypt(key, slots)];
  t.notDeepEqual(first!.subarray(200, 300), second!.subarray(200, 300));
  const opened = await bfv.decrypt(await bfv.generateKey(), [first!], polynomialDegree);
  t.true(chiSquared(opened, (x) => Math.floor(x / 2 ** 36), 64) < chiSquaredLimit(63));
});

test("a sum of many parties less their masks is exact; partial sums merge", async (t) => {
  const parties = process.env.SLOW ? maxParties : 512;
  const [length, chunks] = [polynomialDegree + 5, 2];
  const plain = new Float64Array(length);
  const masks = new Float64Array(length);
  const folds = [bfv.openSum(chunks), bfv.openSum(chunks)];
  for (let party = 0; party < parties; party++) {
    const slots = slotsOf(`party ${party}`, length);
    for (let i = 0; i < length; i++) plain[i] = (plain[i]! + slots[i]!) % T;
    const mask = { seed: new Uint8Array(32).fill(1), info: `party ${party}`, sign: 1 as const };
    addMasks(masks, [mask]);
    addMasks(slots, [mask]);
    const ciphertexts = await bfv.encrypt(key, slots);
    await Promise.all(ciphertexts.map((ciphertext, index) => folds[party % 2]!.add([{ index, ciphertext }])));
  }
  const merged = bfv.openSum(chunks);
  for (const fold of folds)
    for (const [index, partial] of (await fold.finish()).entries()) {
      t.is(partial.length, fullBytes);
      await merged.add([{ index, ciphertext: partial }]);
    }
  await merged.subtract(masks);
  t.deepEqual(await bfv.decrypt(key, await merged.finish(), length), plain);
});

test("4,096 equal errors still decrypt, and the bound bites beyond", async (t) => {
  const slots = slotsOf("doubled", polynomialDegree);
  const [fresh] = await bfv.encrypt(key, slots);
  const times = (factor: number) => slots.map((slot) => Number((BigInt(slot) * BigInt(factor)) % BigInt(T)));
  t.deepEqual(await bfv.decrypt(key, [await doubled(fresh!, 12)], polynomialDegree), times(4096));
  t.notDeepEqual(await bfv.decrypt(key, [await doubled(fresh!, 16)], polynomialDegree), times(65536));
});

test("one masked submission, opened with the real key, is uniform mod T", async (t) => {
  const packing = planPacking({ blocks: [{ name: "w", length: 60_000, bound: 1, step: 2 ** -15 }] }, 32);
  const slots = quantize(new Float64Array(60_000).fill(0.25), packing);
  const bare = Float64Array.from(slots);
  addMasks(slots, [
    { seed: new Uint8Array(32).fill(1), info: "pair", sign: -1 },
    { seed: new Uint8Array(32).fill(2), info: "self", sign: 1 },
  ]);
  const opened = await bfv.decrypt(key, await bfv.encrypt(key, slots), packing.slots);
  const views = [
    (x: number) => Math.floor(x / 2 ** 36),
    (x: number) => x % 64,
    (x: number) => Math.floor(x / 2 ** 18) % 64,
  ];
  for (const bucket of views) {
    t.true(chiSquared(opened, bucket, 64) < chiSquaredLimit(63));
    t.true(chiSquared(bare, bucket, 64) > chiSquaredLimit(63), "the control: without masks it is not");
  }
});

test("a ciphertext with any header byte changed is refused before it is parsed", async (t) => {
  const [seeded] = await bfv.encrypt(key, slotsOf("malformed", polynomialDegree));
  const full = await doubled(seeded!, 1);
  for (const good of [seeded!, full]) {
    t.notThrows(() => checkCiphertext(good));
    t.notThrows(() => checkCiphertext(Buffer.from(good)));
    for (let at = 0; at < 113; at++) {
      const changed = Uint8Array.from(good);
      changed[at]! ^= 1;
      t.is(await reasonOf(() => checkCiphertext(changed)), "ciphertext_malformed", `byte ${at}`);
    }
    const bytes = (at: number, ...values: number[]) => {
      const changed = Uint8Array.from(good);
      changed.set(values, at);
      return changed;
    };
    const malformed = [
      new Uint8Array(),
      good.subarray(1),
      Uint8Array.of(...good, 0),
      new Uint8Array(good.length),
      bytes(113 + 8 * 4095, 255, 255, 255, 255, 255, 255, 255, 255),
      bytes(113, ...qBytes()),
    ];
    for (const bad of malformed) {
      t.is(await reasonOf(() => checkCiphertext(bad)), "ciphertext_malformed");
      t.is(await reasonOf(() => bfv.openSum(1).add([{ index: 0, ciphertext: bad }])), "ciphertext_malformed");
      t.is(await reasonOf(() => bfv.decrypt(key, [bad], 1)), "ciphertext_malformed");
    }
  }
  const transparent = Uint8Array.from(full);
  transparent.fill(0, full.length - 8 * polynomialDegree);
  t.is(await reasonOf(() => checkCiphertext(transparent)), "ciphertext_malformed");
  for (let at = seededBytes - 81; at < seededBytes - 64; at++) {
    const changed = Uint8Array.from(seeded!);
    changed[at]! ^= 2;
    t.is(await reasonOf(() => checkCiphertext(changed)), "ciphertext_malformed", `byte ${at}`);
  }
});

function qBytes(): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, coefficientModulus, true);
  return bytes;
}

test("whatever bytes come, the thread lives", async (t) => {
  const [good] = await bfv.encrypt(key, slotsOf("fuzz", 10));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(seededBytes - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      async (changes) => {
        const changed = Uint8Array.from(good!);
        for (const [at, value] of changes) changed[at] = value;
        const fold = bfv.openSum(1);
        const reason = await reasonOf(() => fold.add([{ index: 0, ciphertext: changed }]));
        t.true(["accepted", "ciphertext_malformed"].includes(reason));
        await fold.discard();
      },
    ),
    { numRuns: process.env.SLOW ? 2000 : 100 },
  );
  t.deepEqual(await bfv.decrypt(key, [good!], 10), slotsOf("fuzz", 10));
});

test("a malformed key is refused", async (t) => {
  t.notThrows(() => checkSecretKey(key));
  for (let at = 0; at < 88; at++) {
    const changed = Uint8Array.from(key);
    changed[at]! ^= 1;
    t.is(await reasonOf(() => checkSecretKey(changed)), "key_mismatch", `byte ${at}`);
  }
  const slots = new Float64Array(1);
  for (const bad of [key.subarray(1), new Uint8Array(), Uint8Array.from(key).fill(255, 88)])
    t.is(await reasonOf(() => bfv.encrypt(bad, slots)), "key_mismatch");
});

test("mistakes are told as such", async (t) => {
  for (const slot of [T, -1, 0.5, Number.NaN])
    t.is(await reasonOf(() => bfv.encrypt(key, Float64Array.of(slot))), "RangeError");
  const [ciphertext] = await bfv.encrypt(key, new Float64Array(1));
  const fold = bfv.openSum(2);
  await fold.add([{ index: 0, ciphertext: ciphertext! }]);
  t.is(await reasonOf(() => fold.add([{ index: 2, ciphertext: ciphertext! }])), "RangeError");
  t.is(await reasonOf(() => fold.subtract(new Float64Array(2 * polynomialDegree + 1))), "RangeError");
  t.is(await reasonOf(() => fold.finish()), "RangeError", "chunk 1 is empty");
  await fold.discard();
  t.is(await reasonOf(() => fold.finish()), "RangeError");
  t.is(await reasonOf(() => bfv.openSum(0)), "RangeError");
  t.is(await reasonOf(() => bfv.decrypt(key, [ciphertext!], polynomialDegree + 1)), "ciphertext_malformed");
});

test("a crash rejects what was under way, ends the sums it held, and the next call starts afresh", async (t) => {
  const crashing = await openBfv(new URL("../../../support/crashing-thread.ts", import.meta.url));
  const fold = crashing.openSum(1);
  t.is(await reasonOf(() => crashing.generateKey()), "internal");
  const [ciphertext] = await bfv.encrypt(key, new Float64Array(1));
  t.is(await reasonOf(() => fold.add([{ index: 0, ciphertext: ciphertext! }])), "internal");
  t.is(await reasonOf(() => fold.discard()), "accepted");
  t.deepEqual(await crashing.generateKey(), new Uint8Array([1]));
  await crashing.close();
  t.is(await reasonOf(() => crashing.generateKey()), "TypeError");
});

/** @returns a sum's ciphertext with every coefficient taken from q. */
function negated(sum: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(sum);
  const view = new DataView(bytes.buffer);
  for (let at = bytes.length - 16 * polynomialDegree; at < bytes.length; at += 8) {
    const word = view.getBigUint64(at, true);
    view.setBigUint64(at, word === 0n ? 0n : coefficientModulus - word, true);
  }
  return bytes;
}

test("a submission that SEAL refuses to add has spoiled the sum", async (t) => {
  const [first] = await bfv.encrypt(key, slotsOf("first", 10));
  const alone = bfv.openSum(1);
  await alone.add([{ index: 0, ciphertext: first! }]);
  const other = negated((await alone.finish())[0]!);
  const blobs = new Map([first!, other].map((blob) => [digestOf(blob), blob]));
  const sum = bfv.openSum(1);
  const folded = (blob: Uint8Array) =>
    performFold(
      { type: "fold", party: "p", chunks: [digestOf(blob)] },
      sum,
      async (digest) => blobs.get(digest)!,
    );
  t.is((await folded(first!)).type, "folded");
  t.like(await folded(other), { type: "foldFailed", reason: "ciphertext_malformed", spoiled: true });
  await sum.discard();
});
