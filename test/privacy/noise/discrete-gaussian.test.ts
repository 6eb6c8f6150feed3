import test from "ava";
import { type Random, seededRandom } from "../../../core/random.ts";
import { maxVariance, sampleDiscreteGaussian } from "../../../privacy/noise/discrete-gaussian.ts";
import { chiSquaredLimit, chiSquaredOf } from "../../support/chi-squared.ts";

const samples = process.env.SLOW ? 400_000 : 40_000;

/** P(x) from the definition, for |x| up to `reach`; what lies beyond is less than any float64. */
function probabilities(variance: number, reach: number): number[] {
  const weights = Array.from({ length: 2 * reach + 1 }, (_, i) =>
    Math.exp((-1 * (i - reach) ** 2) / (2 * variance)),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** Counts by value, those beyond ±reach with the outermost. */
function countsOf(values: Float64Array, reach: number): number[] {
  const counts = new Array<number>(2 * reach + 1).fill(0);
  for (const x of values) counts[Math.max(-reach, Math.min(reach, x)) + reach]! += 1;
  return counts;
}

for (const variance of [1, 2, 7, 9, 50])
  test(`values of variance ${variance} are as frequent as exp(-x^2/2v) says`, (t) => {
    const reach = Math.ceil(3 * Math.sqrt(variance));
    const whole = probabilities(variance, 40 * reach);
    const middle = 40 * reach;
    const inside = whole.slice(middle - reach, middle + reach + 1);
    const beyond = (1 - inside.reduce((sum, p) => sum + p, 0)) / 2;
    inside[0]! += beyond;
    inside[inside.length - 1]! += beyond;
    const values = sampleDiscreteGaussian(variance, samples, seededRandom(`variance ${variance}`));
    const statistic = chiSquaredOf(
      countsOf(values, reach),
      inside.map((p) => p * samples),
    );
    t.true(statistic < chiSquaredLimit(inside.length - 1), `${statistic}`);
  });

for (const variance of [2 ** 20 + 7, 2 ** 40, maxVariance])
  test(`sixteenths of the normal distribution at variance ${variance}`, (t) => {
    // upper ends of eighths of |x| / sigma
    const ends = [0.15731068, 0.31863936, 0.48877641, 0.67448975, 0.88714656, 1.15034938, 1.53412054];
    const values = sampleDiscreteGaussian(variance, samples, seededRandom(`large ${variance}`));
    const counts = new Array<number>(16).fill(0);
    for (const x of values) {
      const size = Math.abs(x) / Math.sqrt(variance);
      const eighth = ends.findIndex((end) => size < end);
      counts[(eighth < 0 ? 7 : eighth) + (x < 0 ? 8 : 0)]! += 1;
      t.true(Number.isInteger(x));
    }
    const statistic = chiSquaredOf(counts, new Array(16).fill(samples / 16));
    t.true(statistic < chiSquaredLimit(15), `${statistic}`);
  });

test("the same bytes give the same values, wherever they are cut", (t) => {
  const once = sampleDiscreteGaussian(2 ** 30, 500, seededRandom("repeat"));
  t.deepEqual(sampleDiscreteGaussian(2 ** 30, 500, seededRandom("repeat")), once);
  t.deepEqual(sampleDiscreteGaussian(2 ** 30, 200, seededRandom("repeat")), once.slice(0, 200));
});

test("what 24 bits do not decide is decided by further ones", (t) => {
  const stream = (bytes: readonly number[]): Random => {
    let given = false;
    return {
      bytes(length) {
        const out = new Uint8Array(length).fill(0xff);
        if (!given) out.set(bytes);
        given = true;
        return out;
      },
    };
  };
  // Variance 4 has scale 3. A first candidate of 1 is thrown away with a probability near 1/3, which begins with
  // 0x555555 and goes on so: the byte after it decides.
  const third = [0, 0, 0, 1, 0x55, 0x55, 0x55];
  const never = [0xff, 0xff, 0xff];
  const one = [...never, 0, ...never];
  t.is(sampleDiscreteGaussian(4, 1, stream([...third, 0x56, ...one]))[0], 1);
  const zero = [0, 0, 0, 0, ...never, ...one];
  t.is(sampleDiscreteGaussian(4, 1, stream([...third, 0x54, ...never, ...zero]))[0], 0);
  // and the one after that
  t.is(sampleDiscreteGaussian(4, 1, stream([...third, 0x55, 0x56, ...one]))[0], 1);
  t.is(sampleDiscreteGaussian(4, 1, stream([...third, 0x55, 0x54, ...never, ...zero]))[0], 0);
});

test("refuses a variance that is no integer in its range", (t) => {
  for (const variance of [0, -1, 0.5, 2.5, maxVariance + 1, Number.NaN, Number.POSITIVE_INFINITY])
    t.throws(() => sampleDiscreteGaussian(variance, 1, seededRandom("x")), { instanceOf: RangeError });
  t.throws(() => sampleDiscreteGaussian(1, -1, seededRandom("x")), { instanceOf: RangeError });
  t.is(sampleDiscreteGaussian(1, 0, seededRandom("x")).length, 0);
});
