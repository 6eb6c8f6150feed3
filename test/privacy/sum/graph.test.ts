import test from "ava";
import fc from "fast-check";
import { seededRandom, uniform } from "../../../core/random.ts";
import {
  failureProbabilities,
  neighbourCount,
  neighbours,
  shareThreshold,
} from "../../../privacy/sum/graph.ts";

const cohortOf = (n: number) => Array.from({ length: n }, (_, i) => `party-${i}`);
const seed = (byte: number) => new Uint8Array(32).fill(byte);

test("up to 64 parties everyone is everyone's neighbour", (t) => {
  for (const n of [1, 2, 3, 64]) {
    const graph = neighbours(cohortOf(n), seed(1));
    for (const party of cohortOf(n))
      t.deepEqual(
        graph.get(party),
        cohortOf(n)
          .filter((other) => other !== party)
          .sort(),
      );
  }
});

test("above, the graph is k-regular, symmetric, without loops, and the order of the cohort is free", (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 65, max: 400 }),
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      (n, s) => {
        const graph = neighbours(cohortOf(n), s);
        const k = neighbourCount(n);
        t.is(graph.size, n);
        for (const [party, around] of graph) {
          t.is(around.length, k);
          t.is(new Set(around).size, k);
          t.false(around.includes(party));
          t.true(around.every((other) => graph.get(other)!.includes(party)));
        }
        t.deepEqual(new Map([...neighbours(cohortOf(n).reverse(), s)].sort()), new Map([...graph].sort()));
      },
    ),
    { numRuns: process.env.SLOW ? 200 : 10 },
  );
});

test("another seed is another graph", (t) => {
  t.notDeepEqual(neighbours(cohortOf(100), seed(1)), neighbours(cohortOf(100), seed(2)));
});

test("k keeps the stated failure probabilities up to 4,096 parties", (t) => {
  t.deepEqual([65, 100, 200, 1000, 4096].map(neighbourCount), [40, 48, 56, 78, 90]);
  for (const n of [65, 100, 333, 1000, 4096]) {
    const { privacy, completeness } = failureProbabilities(n, neighbourCount(n));
    t.true(privacy <= 2 ** -40);
    t.true(completeness <= 2 ** -20);
    t.true(neighbourCount(n) <= 255, "Shamir over GF(2^8) has 255 coordinates");
  }
});

test("the bounds hold on simulated graphs small enough to fail", (t) => {
  const random = seededRandom("graph simulation");
  const [n, k, trials] = [66, 6, process.env.SLOW ? 50_000 : 4000];
  const [colluding, dropped, threshold] = [Math.floor(n / 4), Math.floor(n / 10), shareThreshold(k)];
  let exposed = 0;
  let stuck = 0;
  for (let trial = 0; trial < trials; trial++) {
    const position = Array.from({ length: n }, () => uniform(random));
    const circle = position.map((_, i) => i).sort((a, b) => position[a]! - position[b]!);
    const around = (at: number) =>
      Array.from({ length: k }, (_, d) => circle[(at + n + (d < k / 2 ? d - k / 2 : d - k / 2 + 1)) % n]!);
    const hits = (marked: number) =>
      circle.some(
        (_, at) =>
          around(at).filter((party) => party < marked).length >=
          (marked === dropped ? k - threshold + 1 : threshold),
      );
    if (hits(colluding)) exposed++;
    if (hits(dropped)) stuck++;
  }
  const { privacy, completeness } = failureProbabilities(n, k);
  t.true(exposed / trials <= privacy);
  t.true(stuck / trials <= completeness);
  t.true(stuck > 0);
});

test("T is two thirds of the neighbours, at least 2", (t) => {
  t.deepEqual([2, 3, 4, 31, 63, 90].map(shareThreshold), [2, 2, 3, 21, 42, 60]);
});

test("a party twice in the cohort is a mistake", (t) => {
  t.throws(() => neighbours(["a", "b", "a"], seed(0)), { instanceOf: RangeError });
});
