import test from "ava";
import fc from "fast-check";
import { epsilonOf } from "../../../privacy/noise/accountant.ts";
import { gaussianDelta, gaussianEpsilon, gaussianMu } from "../../../privacy/noise/analytic.ts";
import type { PrivacyEvent } from "../../../privacy/noise/event.ts";
import { transform } from "../../../privacy/noise/fourier.ts";
import { type Step, subsampledEpsilon } from "../../../privacy/noise/loss-distribution.ts";
import { renyiEpsilon } from "../../../privacy/noise/rdp.ts";
import { readVectors } from "../../support/vectors.ts";

interface Vectors {
  readonly delta: number;
  readonly cases: readonly {
    readonly name: string;
    readonly steps: readonly Step[];
    readonly epsilon: number;
    readonly renyi: number;
    readonly analytic?: number;
  }[];
}

const { delta, cases } = readVectors("accountant.json") as Vectors;
const deep = ["training, rare rows", "training, little noise", "two trainings and sums"];
const numRuns = process.env.SLOW ? 500 : 50;

const eventOf = ({ noiseMultiplier, samplingRate, count }: Step): PrivacyEvent => ({
  mechanism: "gaussian",
  unit: "record",
  sensitivity: 2,
  sigma: 2 * noiseMultiplier,
  samplingRate,
  count,
});

for (const { name, steps, epsilon, renyi, analytic } of cases.filter(
  ({ name }) => process.env.SLOW || !deep.includes(name),
))
  test(`${name}: as dp-accounting, never below`, (t) => {
    const own = epsilonOf(steps.map(eventOf), delta);
    // the exact value where there is one, to the digits that float64 keeps of it; theirs is a bound itself
    if (analytic !== undefined) t.true(Math.abs(own / analytic - 1) < 1e-9, `${own} ${analytic}`);
    else t.true(own >= epsilon, `${own} ${epsilon}`);
    t.true(own <= 1.01 * epsilon, `${own} ${epsilon}`);
    const bound = renyiEpsilon(steps, delta);
    t.true(Math.abs(bound / renyi - 1) < 1e-9, `${bound} ${renyi}`);
    t.true(own <= bound);
  });

test("loss distributions give what the analytic formula gives, from above", (t) => {
  for (const mu of [0.1, 0.237, 0.838, 1.532, 4]) {
    const step = { noiseMultiplier: 1 / mu, samplingRate: 1, count: 1 };
    const exact = gaussianEpsilon(mu, delta);
    const own = subsampledEpsilon([step], delta);
    t.true(own >= exact && own <= 1.001 * exact, `${mu}: ${own} ${exact}`);
  }
});

test("μ of an ε at δ = 1e-6, and back", (t) => {
  for (const [epsilon, mu] of [
    [1, 0.237],
    [2, 0.448],
    [4, 0.838],
    [8, 1.532],
  ] as const) {
    t.true(Math.abs(gaussianMu(epsilon, 1e-6) - mu) < 0.0005, `${gaussianMu(epsilon, 1e-6)}`);
    t.true(gaussianDelta(gaussianMu(epsilon, 1e-6), epsilon) <= 1e-6);
  }
});

test("sums over all rows count as one, in any order and grouping", (t) => {
  const noise = fc.double({ min: 0.5, max: 100, noNaN: true });
  const step = fc.record({
    noiseMultiplier: noise,
    samplingRate: fc.constant(1),
    count: fc.integer({ min: 1, max: 40 }),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 6 }), (steps) => {
      const events = steps.map(eventOf);
      const whole = epsilonOf(events, delta);
      const split = events.flatMap((event) =>
        Array.from({ length: event.count }, () => ({ ...event, count: 1 })),
      );
      t.true(Math.abs(epsilonOf(split.reverse(), delta) - whole) <= 1e-9 * whole);
      t.true(epsilonOf([...events, events[0]!], delta) >= whole);
      t.true(epsilonOf(events, delta * 10) <= whole);
      t.true(whole <= renyiEpsilon(steps, delta) * (1 + 1e-9));
    }),
    { numRuns },
  );
});

test("no finite ε where a sum had no noise, or speaks of another unit", (t) => {
  const [one] = [eventOf({ noiseMultiplier: 10, samplingRate: 1, count: 1 })];
  t.is(epsilonOf([one!, { ...one!, mechanism: "none", sigma: 0 }], delta), Number.POSITIVE_INFINITY);
  t.is(epsilonOf([{ ...one!, sigma: 0 }], delta), Number.POSITIVE_INFINITY);
  t.is(epsilonOf([one!], delta, "subject"), Number.POSITIVE_INFINITY);
  t.is(epsilonOf([{ ...one!, unit: "subject" }], delta, "subject"), epsilonOf([one!], delta));
  t.is(epsilonOf([{ ...one!, unit: "subject" }], delta), epsilonOf([one!], delta));
  t.is(epsilonOf([], delta), 0);
  t.is(epsilonOf([{ ...one!, sensitivity: 0, mechanism: "none", sigma: 0 }], delta), 0);
  for (const bad of [0, 1, -1, Number.NaN])
    t.throws(() => epsilonOf([one!], bad), { instanceOf: RangeError });
});

test("the transform is that of its definition, and its inverse undoes it", (t) => {
  const n = 16;
  const re = Float64Array.from({ length: n }, (_, i) => Math.sin(3 * i) + i / 7);
  const im = Float64Array.from({ length: n }, (_, i) => Math.cos(5 * i));
  const own = { re: Float64Array.from(re), im: Float64Array.from(im) };
  transform(own);
  for (let k = 0; k < n; k++) {
    let [x, y] = [0, 0];
    for (let i = 0; i < n; i++) {
      const angle = (-2 * Math.PI * i * k) / n;
      x += re[i]! * Math.cos(angle) - im[i]! * Math.sin(angle);
      y += re[i]! * Math.sin(angle) + im[i]! * Math.cos(angle);
    }
    t.true(Math.abs(x - own.re[k]!) < 1e-12 && Math.abs(y - own.im[k]!) < 1e-12);
  }
  transform(own, true);
  t.true(re.every((value, i) => Math.abs(own.re[i]! / n - value) < 1e-14));
  t.throws(() => transform({ re: new Float64Array(3), im: new Float64Array(3) }), { instanceOf: RangeError });
});
