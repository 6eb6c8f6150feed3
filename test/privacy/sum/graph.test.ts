import test from "ava";
import fc from "fast-check";
import { seededRandom, uniform } from "../../../core/random.ts";
import { Refusal } from "../../../core/reasons.ts";
import {
  checkFeasible,
  dropOutsSurvived,
  type GraphPlan,
  graphFailures,
  neighbours,
  sumGraphPlan,
  thresholdOf,
} from "../../../privacy/sum/graph.ts";

const cohortOf = (n: number) => Array.from({ length: n }, (_, i) => `party-${i}`);
const degreeOf = (n: number): number => (sumGraphPlan(n, Math.floor(n / 20)) as GraphPlan).degree;
const seed = (byte: number) => new Uint8Array(32).fill(byte);

test("of a complete graph everyone is everyone's neighbour", (t) => {
  for (const n of [1, 2, 3, 64]) {
    const graph = neighbours(cohortOf(n), seed(1), n - 1);
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
        const k = degreeOf(n);
        const graph = neighbours(cohortOf(n), s, k);
        t.is(graph.size, n);
        for (const [party, around] of graph) {
          t.is(around.length, k);
          t.is(new Set(around).size, k);
          t.false(around.includes(party));
          t.true(around.every((other) => graph.get(other)!.includes(party)));
        }
        t.deepEqual(new Map([...neighbours(cohortOf(n).reverse(), s, k)].sort()), new Map([...graph].sort()));
      },
    ),
    { numRuns: process.env.SLOW ? 200 : 10 },
  );
});

test("another seed is another graph", (t) => {
  t.notDeepEqual(neighbours(cohortOf(100), seed(1), 32), neighbours(cohortOf(100), seed(2), 32));
});

test("the bounds hold on simulated graphs small enough to fail", (t) => {
  const random = seededRandom("graph simulation");
  const [n, k, trials] = [66, 6, process.env.SLOW ? 50_000 : 4000];
  const [colluding, dropped, threshold] = [Math.floor(n / 4), Math.floor(n / 10), 4];
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
  const { privacy, completeness } = graphFailures(n, colluding, { degree: k, threshold });
  t.true(exposed / trials <= privacy);
  t.true(stuck / trials <= completeness);
  t.true(stuck > 0);
});

test("a party twice in the cohort is a mistake", (t) => {
  t.throws(() => neighbours(["a", "b", "a"], seed(0), 2), { instanceOf: RangeError });
});

// The table of protocol.md: n, c, T, drop-outs survived.
const table: [number, number, number, number][] = [
  [3, 1, 3, 0],
  [4, 1, 3, 1],
  [4, 2, 4, 0],
  [5, 1, 4, 1],
  [5, 2, 4, 1],
  [8, 1, 6, 2],
  [8, 2, 6, 2],
  [64, 1, 43, 21],
  [64, 2, 43, 21],
];

test("T and the drop-outs survived are the design's table", (t) => {
  for (const [n, c, threshold, dropOuts] of table)
    t.deepEqual(
      checkFeasible({ members: n, minCohort: c + 2, maxColluding: c }),
      { degree: n - 1, threshold, dropOuts },
      `n = ${n}, c = ${c}`,
    );
});

test("two lists of T signatures share an honest signer, whoever c are", (t) => {
  for (let m = 3; m <= 255; m++)
    for (let c = 1; c <= m - 2; c++) {
      const threshold = thresholdOf(m, c);
      t.true(2 * threshold - m > c);
      t.true(threshold >= (2 * m) / 3);
      // and no higher than one of the two asks for
      t.true(2 * (threshold - 1) - m <= c || threshold - 1 < (2 * m) / 3);
    }
});

test("what cannot work is refused with the table's words", (t) => {
  const refused = (members: number, minCohort: number, maxColluding: number) =>
    t.throws(() => checkFeasible({ members, minCohort, maxColluding }), { instanceOf: Refusal }) as Refusal;
  t.like(refused(3, 4, 2), {
    reason: "cohort_too_small",
    message: "n = 3, c = 2: 3 members cannot be a cohort of minCohort = 4",
  });
  t.like(refused(5, 3, 2), { message: "n = 5, c = 2: minCohort is 3, at least c + 2 = 4 is needed" });
  t.like(refused(1000, 400, 300), { reason: "cohort_too_large" });
  t.like(sumGraphPlan(3, 3), { reason: "cohort_too_small" });
  t.like(sumGraphPlan(1, 1), { reason: "cohort_too_small" });
  t.is(dropOutsSurvived(8, { degree: 7, threshold: 6 }, 7), 1);
});

test("with T = ⌈3m/4⌉ at n = 1,000 the privacy bound needs k = 70 for c = 50, k = 350 for c = 250", (t) => {
  const leastDegree = (c: number): number => {
    for (let degree = 2; ; degree += 2) {
      const threshold = Math.ceil((3 * (degree + 1)) / 4);
      if (graphFailures(1000, c, { degree, threshold }).privacy <= 2 ** -40) return degree;
    }
  };
  t.is(leastDegree(50), 70);
  t.is(leastDegree(250), 350);
  // the first version's degree for a quarter colluding
  t.true(graphFailures(1000, 250, { degree: 78, threshold: 60 }).privacy > 2 ** -40);
});

test("a regular graph keeps both bounds, with the least degree; up to 64 it is complete", (t) => {
  const plans: [number, number, number, number][] = [
    [64, 5, 63, 43],
    [65, 2, 20, 14],
    [100, 2, 32, 22],
    [100, 25, 72, 62],
    [200, 5, 50, 34],
    [1000, 50, 106, 75],
    [1000, 250, 240, 190],
    [4096, 200, 122, 86],
  ];
  for (const [n, c, degree, threshold] of plans) {
    const plan = sumGraphPlan(n, c);
    t.deepEqual(plan, { degree, threshold }, `n = ${n}, c = ${c}`);
    if (plan instanceof Refusal || n <= 64) continue;
    const { privacy, completeness } = graphFailures(n, c, plan);
    t.true(privacy <= 2 ** -40);
    t.true(completeness <= 2 ** -20);
    t.true(threshold >= (2 * (degree + 1)) / 3);
    for (let lower = Math.ceil((2 * (degree - 1)) / 3); lower <= degree - 2; lower++) {
      const failures = graphFailures(n, c, { degree: degree - 2, threshold: lower });
      t.true(failures.privacy > 2 ** -40 || failures.completeness > 2 ** -20);
    }
  }
});

test("the bounds against split views hold on simulated graphs small enough to fail", (t) => {
  const random = seededRandom("split views");
  const [n, colluding, trials] = [66, 12, process.env.SLOW ? 50_000 : 4000];
  const plan = { degree: 10, threshold: 8 };
  const [side, twice, fromSide] = [
    plan.degree / 2,
    2 * plan.threshold - (plan.degree + 1),
    plan.threshold - 1 - plan.degree / 2,
  ];
  let split = 0;
  for (let trial = 0; trial < trials; trial++) {
    const position = Array.from({ length: n }, () => uniform(random));
    const circle = position.map((_, i) => i).sort((a, b) => position[a]! - position[b]!);
    const bad = (at: number) => (circle[(at + n) % n]! < colluding ? 1 : 0);
    const among = (first: number, last: number): number => {
      let count = 0;
      for (let at = first; at <= last; at++) count += bad(at);
      return count;
    };
    const isSplit = (at: number) =>
      bad(at) === 0 &&
      (among(at - side, at + side) >= twice ||
        among(at - side, at - 1) >= fromSide ||
        among(at + 1, at + side) >= fromSide);
    if (circle.some((_, at) => isSplit(at))) split++;
  }
  const { privacy } = graphFailures(n, colluding, plan);
  t.true(split > 0);
  // the tails are of one vertex, times n: an upper bound
  t.true(split / trials <= privacy, `${split / trials} of at most ${privacy}`);
});

test("a graph of a given degree is that degree's", (t) => {
  const graph = neighbours(cohortOf(100), seed(3), 32);
  for (const [party, around] of graph) {
    t.is(new Set(around).size, 32);
    t.true(around.every((other) => graph.get(other)!.includes(party)));
  }
});
