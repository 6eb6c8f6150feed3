import test from "ava";
import fc from "fast-check";
import { Refusal } from "../../../core/reasons.ts";
import { type Block, dequantizeSum, planPacking, quantize, T } from "../../../privacy/sum/layout.ts";

const block = (bound: number, step: number, length = 1, name = "x"): Block => ({ name, length, bound, step });

const numRuns = process.env.SLOW ? 5000 : 300;

function addSlots(parties: readonly Float64Array[]): Float64Array {
  const sum = new Float64Array(parties[0]!.length);
  for (const slots of parties) for (let i = 0; i < sum.length; i++) sum[i] = (sum[i]! + slots[i]!) % T;
  return sum;
}

const reasonOf = (error: Error | undefined) => (error instanceof Refusal ? error.reason : error?.name);

/** The sum of round(x / step), in exact integers, then one conversion to float64. */
function exactSum(values: readonly number[], step: number): number {
  return Number(values.reduce((sum, x) => sum + BigInt(Math.round(x / step)), 0n)) * step;
}

test("two 16-bit digits of 32 parties share a slot", (t) => {
  const packing = planPacking({ blocks: [block(32767, 1, 5)] }, 32);
  t.is(packing.blocks[0]!.digitWidth, 21);
  t.is(packing.slots, 1 + 3);
  // offset 32767, digits low first: 1 → 32768, -2 → 32765; the fifth entry is alone in its slot
  const slots = quantize(Float64Array.of(1, -2, 0, 0, 3), packing);
  t.deepEqual([...slots], [1, 32768 + 32765 * 2 ** 21, 32767 + 32767 * 2 ** 21, 32770]);
});

test("a value of 128 bits lies in limbs and comes back exactly", (t) => {
  const layout = { blocks: [block(2 ** 66, 2 ** -60, 3)] };
  const packing = planPacking(layout, 4096);
  t.is(packing.blocks[0]!.limbs, Math.ceil(128 / 30));
  const vector = Float64Array.of(-(2 ** 66), 2 ** -60, 1 / 3);
  t.deepEqual(
    dequantizeSum(quantize(vector, packing), packing, 1),
    Float64Array.of(-(2 ** 66), 2 ** -60, 1 / 3),
  );
});

const blocks = fc.record({
  bound: fc.double({ min: 2 ** -20, max: 2 ** 40, noNaN: true }),
  stepBits: fc.integer({ min: 1, max: 90 }),
  length: fc.integer({ min: 0, max: 7 }),
});

test("the sum is the exact integer sum, rounded once", (t) => {
  fc.assert(
    fc.property(
      fc.array(blocks, { maxLength: 4 }),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 0, max: 4087 }),
      fc.infiniteStream(fc.double({ min: -1, max: 1, noNaN: true })),
      (shapes, parties, more, stream) => {
        const layout = {
          blocks: shapes.map(({ bound, stepBits, length }, i) =>
            block(bound, 2 ** (Math.floor(Math.log2(bound)) - stepBits), length, `b${i}`),
          ),
        };
        const packing = planPacking(layout, parties + more);
        const bounds = layout.blocks.flatMap((b) => new Array<number>(b.length).fill(b.bound));
        const steps = layout.blocks.flatMap((b) => new Array<number>(b.length).fill(b.step));
        const vectors = Array.from({ length: parties }, () =>
          Float64Array.from(bounds, (bound) => stream.next().value! * bound),
        );
        const slots = vectors.map((vector) => quantize(vector, packing));
        for (const party of slots)
          t.true(party.every((slot) => slot >= 0 && slot < T && Number.isInteger(slot)));
        const sum = dequantizeSum(addSlots(slots), packing, parties);
        for (let i = 0; i < sum.length; i++) {
          const expected = exactSum(
            vectors.map((vector) => vector[i]!),
            steps[i]!,
          );
          t.is(sum[i], expected + 0);
        }
      },
    ),
    { numRuns },
  );
});

test("nMax parties at their bounds never overflow", (t) => {
  for (const nMax of [1, 2, 3, 31, 32, 33, 1000, 4096])
    for (const bound of [1, 3, 511, 512, 32767, 2 ** 30, 2 ** 60])
      for (const sign of [1, -1]) {
        const packing = planPacking({ blocks: [block(bound, 1, 7)] }, nMax);
        const party = quantize(new Float64Array(7).fill(sign * bound), packing);
        const slots = party.map((slot) => slot * nMax);
        t.true(slots.every((slot) => slot < T));
        t.deepEqual(dequantizeSum(slots, packing, nMax), new Float64Array(7).fill(sign * bound * nMax));
      }
});

test("nMax limbs of ones never overflow", (t) => {
  for (const nMax of [1, 2, 3, 1000, 4095, 4096]) {
    const packing = planPacking({ blocks: [block(2 ** 50, 1)] }, nMax);
    const value = 2 ** packing.blocks[0]!.digitWidth - 1 - 2 ** 50;
    const slots = quantize(Float64Array.of(value), packing).map((slot) => slot * nMax);
    t.true(slots.every((slot) => slot < T));
    t.deepEqual(dequantizeSum(slots, packing, nMax), Float64Array.of(Number(BigInt(value) * BigInt(nMax))));
  }
});

test("values that are no number or beyond the bound are refused with the block's name", (t) => {
  const packing = planPacking({ blocks: [block(1, 1, 1, "first"), block(2, 0.5, 2, "second")] }, 4);
  const refused = (value: number) => t.throws(() => quantize(Float64Array.of(0, 0, value), packing));
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
    t.is(reasonOf(refused(value)), "value_not_finite");
  const beyond = refused(2.0000001);
  t.is(reasonOf(beyond), "value_out_of_bounds");
  t.regex(beyond!.message, /second/);
});

test("a layout that could overflow is refused before it is used", (t) => {
  const plan = (bound: number, step: number, nMax: number) =>
    reasonOf(t.throws(() => planPacking({ blocks: [block(bound, step)] }, nMax)));
  t.is(plan(1, 1, 4097), "layout_overflow");
  t.is(plan(2 ** 200, 2 ** -60, 2), "layout_overflow");
  t.is(plan(Number.MAX_VALUE, 2 ** 1000, 2), "layout_overflow");
  t.is(plan(1, 0.3, 2), "RangeError");
  t.is(plan(1, 2, 2), "RangeError");
  t.is(plan(1, 1, 0), "RangeError");
});

test("a sum that no such parties can have is refused", (t) => {
  const packing = planPacking({ blocks: [block(3, 1, 3, "narrow"), block(2 ** 50, 1, 1, "wide")] }, 8);
  const good = addSlots([
    quantize(Float64Array.of(1, 2, 3, 4), packing),
    quantize(new Float64Array(4), packing),
  ]);
  t.deepEqual(dequantizeSum(good, packing, 2), Float64Array.of(1, 2, 3, 4));
  const changed = (slot: number, value: number, parties = 2) => {
    const slots = Float64Array.from(good);
    slots[slot] = value;
    return reasonOf(t.throws(() => dequantizeSum(slots, packing, parties)));
  };
  t.is(changed(0, 3), "release_invalid", "another count");
  t.is(changed(0, 1), "release_invalid", "another count");
  t.is(changed(1, 13), "release_invalid", "a digit above 2 × 6");
  t.is(changed(1, good[1]! + 2 ** 41), "release_invalid", "bits above the last digit");
  t.is(changed(2, 2 ** 40 - 1), "release_invalid", "a limb above what two parties can have");
  t.is(changed(3, 2 ** 13 + 1), "release_invalid", "a value above what two parties can have");
  t.is(changed(1, 0.5), "release_invalid");
  t.is(changed(1, T), "release_invalid");
  t.is(changed(1, -1), "release_invalid");
  t.is(reasonOf(t.throws(() => dequantizeSum(good.subarray(1), packing, 2))), "release_invalid");
  t.is(reasonOf(t.throws(() => dequantizeSum(good, packing, 9))), "RangeError");
});
