import test from "ava";
import fc from "fast-check";
import {
  accumulate,
  accumulateSquare,
  joinLimbs,
  limbBlocks,
  ratio,
  splitIntoLimbs,
} from "../../../models/numerics/exact-sum.ts";
import { dequantizeSum, planPacking, quantize, T } from "../../../privacy/sum/layout.ts";

/** @returns x · 2^200, exactly; |x| is 0 or at least 2^-100. */
const fixed = (x: number): bigint => BigInt(x * 2 ** 150) << 50n;

const entry = fc.integer({ min: -(2 ** 50), max: 2 ** 50 }).map((units) => units * 2 ** -50);

test("sums and sums of squares over parties are right to 100 bits", (t) => {
  const party = fc.array(entry, { maxLength: 30 });
  const bound = 32;
  fc.assert(
    fc.property(fc.array(party, { minLength: 1, maxLength: 20 }), (parties) => {
      const packing = planPacking(
        { blocks: [...limbBlocks("sum", 1, bound), ...limbBlocks("squares", 1, bound)] },
        parties.length,
      );
      const total = new Float64Array(packing.slots);
      for (const values of parties) {
        const [sum, squares] = [
          { high: 0, low: 0 },
          { high: 0, low: 0 },
        ];
        for (const x of values) {
          accumulate(sum, x);
          accumulateSquare(squares, x);
        }
        const vector = Float64Array.of(...splitIntoLimbs([sum], bound), ...splitIntoLimbs([squares], bound));
        for (const [s, slot] of quantize(vector, packing).entries()) total[s] = (total[s]! + slot) % T;
      }
      const seen = dequantizeSum(total, packing, parties.length);
      const all = parties.flat();
      const exact = [
        all.reduce((sum, x) => sum + fixed(x), 0n),
        all.reduce((sum, x) => sum + (fixed(x) * fixed(x)) / 2n ** 200n, 0n),
      ];
      for (const [i, expected] of exact.entries()) {
        const { units, exponent } = joinLimbs(seen.subarray(3 * i, 3 * i + 3), 1, 0, bound);
        const apart = (units << BigInt(200 + exponent)) - expected;
        // 2^-95 of sums up to 600, in units of 2^-200.
        t.true((apart < 0n ? -apart : apart) < 2n ** 105n, `${i}: ${apart}`);
      }
    }),
    { numRuns: process.env.SLOW ? 2000 : 100 },
  );
});

test("a ratio of large integers is rounded once", (t) => {
  t.is(ratio(1n, 3n), 1 / 3);
  t.is(ratio(-(10n ** 60n), 3n * 10n ** 60n), -1 / 3);
  t.is(ratio(0n, 7n), 0);
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1 }), (a, b) => {
      t.true(Math.abs(ratio(BigInt(a), BigInt(b)) - a / b) <= Math.abs(a / b) * 2 ** -52);
    }),
  );
});
