import test from "ava";
import fc from "fast-check";
import { seededRandom, uniform, uniformInteger } from "../../../core/random.ts";
import { Refusal } from "../../../core/reasons.ts";
import {
  categoricalSensitive,
  measureAnonymity,
  type QuasiColumn,
  rankedColumn,
  type SensitiveColumn,
} from "../../../privacy/desensitize/anonymity.ts";
import { anonymize } from "../../../privacy/desensitize/mondrian.ts";
import { readVectors } from "../../support/vectors.ts";

interface AnonymityCase {
  readonly age: readonly number[];
  readonly region: readonly number[];
  readonly illness: readonly number[];
  readonly ordered: boolean;
  readonly k: number;
  readonly l: number;
  readonly t: number;
}
const { anonymity: cases } = readVectors("desensitize.json") as {
  readonly anonymity: readonly AnonymityCase[];
};

for (const [i, { age, region, illness, ordered, ...expected }] of cases.entries())
  test(`k, l and t of vector ${i + 1}`, (t) => {
    const quasi: QuasiColumn[] = [
      { kind: "numeric", values: Float64Array.from(age) },
      { kind: "categorical", codes: Int32Array.from(region) },
    ];
    const sensitive = [{ codes: Int32Array.from(illness), ordered }];
    const reached = measureAnonymity(quasi, sensitive, age.length);
    t.is(reached.k, expected.k);
    t.is(reached.l, expected.l);
    t.true(Math.abs(reached.t - expected.t) < 1e-12, `${reached.t}`);
  });

test("the two classes of Li et al.: 3k–5k and 6k, 8k, 11k against nine salaries", (t) => {
  // Li, Li and Venkatasubramanian 2007, section 4.2: distances 0.375 and 0.167.
  const salaries = Float64Array.from([3, 4, 5, 6, 11, 8, 7, 9, 10]);
  const classOf = (inFirst: readonly number[]): QuasiColumn[] => [
    { kind: "categorical", codes: Int32Array.from(salaries, (x) => (inFirst.includes(x) ? 0 : 1)) },
  ];
  const distance = (inFirst: readonly number[]): number => {
    const rows = [...salaries.keys()].filter((row) => inFirst.includes(salaries[row]!));
    const column = rankedColumn(salaries);
    const three = measureAnonymity(classOf(inFirst), [column], 9);
    t.is(three.k, rows.length);
    return three.t;
  };
  t.is(distance([3, 4, 5]).toFixed(3), "0.375");
  // Its complement is nearer to the whole, so the class of three decides.
  t.is(distance([6, 8, 11]).toFixed(3), "0.167");
});

test("missing is a value; without quasi-identifiers all are one class", (t) => {
  const quasi: QuasiColumn[] = [{ kind: "numeric", values: Float64Array.of(1, Number.NaN, Number.NaN, 1) }];
  t.is(measureAnonymity(quasi, [], 4).k, 2);
  const sensitive = [categoricalSensitive(Int32Array.of(-1, 0, 0, 1))];
  t.deepEqual(measureAnonymity([], sensitive, 4), { k: 4, l: 3, t: 0 });
  t.throws(() => measureAnonymity([], [], 0), { instanceOf: RangeError });
});

type Pair = readonly QuasiColumn[] & readonly [{ values: Float64Array }, { codes: Int32Array }];
const table = fc
  .record({
    rows: fc.integer({ min: 30, max: 160 }),
    seed: fc.string(),
    k: fc.integer({ min: 2, max: 8 }),
    l: fc.integer({ min: 1, max: 2 }),
    t: fc.double({ min: 0.2, max: 1, noNaN: true }),
    maxSuppressionRate: fc.constantFrom(0, 0.05, 0.2),
  })
  .map(({ rows, seed, ...policy }) => {
    const random = seededRandom(seed);
    const numbers = Float64Array.from({ length: rows }, () =>
      uniform(random) < 0.1 ? Number.NaN : Math.round(100 * uniform(random) ** 3),
    );
    const codes = Int32Array.from({ length: rows }, () => uniformInteger(random, 5) - 1);
    const label = Int32Array.from({ length: rows }, () => (uniform(random) < 0.4 ? 1 : 0));
    label.set([0, 1]);
    const quasi: QuasiColumn[] = [
      { kind: "numeric", values: numbers },
      { kind: "categorical", codes },
    ];
    const sensitive: SensitiveColumn[] = [{ codes: label, ordered: false }];
    return { rows, policy, quasi, sensitive };
  });

test("what is left out is a share that the policy's own number can be compared with", (t) => {
  // 1 − 133/140 is more than 0.05; 7/140 is not.
  const values = Float64Array.from({ length: 140 }, (_, row) => (row < 7 ? 1000 + row : row % 2));
  const policy = { k: 8, l: 1, t: 1, maxSuppressionRate: 0.05 };
  const { suppressionRate } = anonymize([{ kind: "numeric", values }], [], 140, policy);
  t.is(suppressionRate, 0.05);
});

test("Mondrian holds to the policy, by generalizing within classes and leaving out no more than allowed", (t) => {
  fc.assert(
    fc.property(table, ({ rows, policy, quasi, sensitive }) => {
      const {
        kept,
        quasi: generalized,
        reached,
        suppressionRate,
      } = anonymize(quasi, sensitive, rows, policy);
      t.true(reached.k >= policy.k && reached.l >= policy.l && reached.t <= policy.t + 1e-9);
      t.true(suppressionRate <= policy.maxSuppressionRate);
      t.is(kept.length, Math.round(rows * (1 - suppressionRate)));
      const left = sensitive.map(({ codes, ordered }) => ({
        codes: Int32Array.from(kept, (row) => codes[row]!),
        ordered,
      }));
      t.deepEqual(measureAnonymity(generalized, left, kept.length), reached);
      const [numbers, codes] = quasi as readonly QuasiColumn[] as Pair;
      const [means, categories] = generalized as Pair;
      for (const [i, row] of kept.entries()) {
        const category = categories.codes[i]!;
        t.true(category === -1 || category === codes.codes[row]);
        t.false(Number.isNaN(numbers.values[row]!) && !Number.isNaN(means.values[i]!));
      }
    }),
    { numRuns: process.env.SLOW ? 2000 : 60 },
  );
});

test("cuts are made where they can be: ages in fours around their means", (t) => {
  const values = Float64Array.of(20, 21, 22, 23, 60, 61, 62, 63, 40, 41, 42, 43, 80, 81, 82, 83);
  const { quasi, reached, suppressionRate } = anonymize([{ kind: "numeric", values }], [], 16, {
    k: 4,
    l: 1,
    t: 1,
    maxSuppressionRate: 0,
  });
  const means = [21.5, 61.5, 41.5, 81.5].flatMap((mean) => [mean, mean, mean, mean]);
  t.deepEqual(quasi, [{ kind: "numeric", values: Float64Array.from(means) }]);
  t.is(reached.k, 4);
  t.is(suppressionRate, 0);
});

test("one record in the way is left out, if that is allowed, and else nobody's category stays", (t) => {
  const codes = Int32Array.from({ length: 21 }, (_, row) => (row === 20 ? 1 : 0));
  const run = (maxSuppressionRate: number) =>
    anonymize([{ kind: "categorical", codes }], [], 21, { k: 3, l: 1, t: 1, maxSuppressionRate });
  const without = run(0.05);
  t.is(without.suppressionRate, 1 / 21);
  t.deepEqual(without.quasi, [{ kind: "categorical", codes: new Int32Array(20) }]);
  t.deepEqual(run(0).quasi, [{ kind: "categorical", codes: new Int32Array(21).fill(-1) }]);
});

const unreachable: [string, number, Int32Array][] = [
  ["fewer rows than k", 4, Int32Array.of(0, 1, 0, 1)],
  ["one sensitive value where l is 2", 8, new Int32Array(8)],
];
for (const [name, rows, codes] of unreachable)
  test(`${name}: anonymity_unreachable`, (t) => {
    const quasi: QuasiColumn[] = [{ kind: "numeric", values: new Float64Array(rows) }];
    const policy = { k: 5, l: 2, t: 1, maxSuppressionRate: 0 };
    const error = t.throws(() => anonymize(quasi, [{ codes, ordered: false }], rows, policy), {
      instanceOf: Refusal,
    });
    t.is(error?.reason, "anonymity_unreachable");
  });
