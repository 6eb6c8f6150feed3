import test from "ava";
import fc from "fast-check";
import { seededRandom, uniform } from "../../../core/random.ts";
import type { Json } from "../../../models/algorithm.ts";
import { type LogisticResult, logistic } from "../../../models/algorithms/logistic.ts";
import { StudyMemory } from "../../../models/memory.ts";
import { runPlain, runPooled } from "../../../models/plain.ts";
import { takeRows } from "../../../models/rows.ts";
import { advanceStudy, startStudy, studyContribute } from "../../../models/study-loop.ts";
import type { FeatureSchema, Table } from "../../../models/table.ts";
import { borrowerFeatures, borrowers, scatter, studyOf, tableOf } from "../../support/rows.ts";
import { readVectors } from "../../support/vectors.ts";

type Named = Record<string, number>;
interface Vectors {
  readonly logistic: {
    readonly coefficients: Named;
    readonly standardErrors: Named;
    readonly z: Named;
    readonly p: Named;
    readonly logLikelihood: number;
  };
  readonly penalized: readonly {
    readonly penalty: number;
    readonly l1Ratio: number;
    readonly intercept: number;
    readonly coefficients: Named;
  }[];
}
const vectors = readVectors("models.json") as Vectors;

async function estimate(features: readonly FeatureSchema[], tables: readonly Table[], params = {}) {
  const study = studyOf(features, [{ name: "range" }, { name: "summary" }, { name: "logistic", ...params }]);
  return (await runPlain(study, tables)).results.logistic as LogisticResult;
}

const parted = (parties: number, seed: string): Table[] =>
  scatter(240, parties, seed).map((rows) => takeRows(borrowers(), rows));

function farthest(seen: Named, expected: Named): number {
  return Math.max(...Object.entries(expected).map(([name, x]) => Math.abs(seen[name]! / x - 1)));
}

test("federated equals pooled maximum likelihood in the data's own units", async (t) => {
  const seen = await estimate(borrowerFeatures, parted(5, "maximum likelihood"));
  const { coefficients, standardErrors, z, p, logLikelihood } = vectors.logistic;
  t.deepEqual(Object.keys(seen.coefficients).sort(), [
    "age",
    "income",
    "sector=trade",
    "sector=transport",
    "share",
    "share=missing",
  ]);
  t.true(farthest({ intercept: seen.intercept, ...seen.coefficients }, coefficients) < 1e-9);
  t.true(farthest(seen.standardErrors!, standardErrors) < 1e-9);
  t.true(farthest(seen.z!, z) < 1e-9);
  t.true(farthest(seen.p!, p) < 1e-8);
  t.true(Math.abs(seen.logLikelihood - logLikelihood) < 1e-9);
  t.true(seen.iterations <= 10);
});

for (const { penalty, l1Ratio, intercept, coefficients } of vectors.penalized)
  test(`penalty ${penalty}, l1Ratio ${l1Ratio}: the pooled objective's minimum`, async (t) => {
    const seen = await estimate(borrowerFeatures, parted(4, "penalty"), { penalty, l1Ratio });
    for (const [name, x] of Object.entries(coefficients))
      t.true(
        Math.abs(seen.coefficients[name]! - x) <= 1e-7 * Math.abs(x),
        `${name}: ${seen.coefficients[name]}`,
      );
    t.true(Math.abs(seen.intercept - intercept) < 1e-6);
    t.is(seen.standardErrors, undefined);
  });

test("any partition gives the pooled coefficients", async (t) => {
  const study = studyOf(borrowerFeatures, [{ name: "range" }, { name: "summary" }, { name: "logistic" }]);
  const pooled = (await runPooled(study, [borrowers()])).results.logistic as LogisticResult;
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 9 }), fc.string(), async (parties, seed) => {
      const seen = await estimate(borrowerFeatures, parted(parties, seed));
      t.true(farthest(seen.coefficients, pooled.coefficients) < 1e-9);
      t.true(farthest(seen.standardErrors!, pooled.standardErrors!) < 1e-9);
    }),
    { numRuns: process.env.SLOW ? 100 : 8 },
  );
});

test("a step that lowers the likelihood is halved until it does not, and the estimate is the same", async (t) => {
  const study = studyOf(borrowerFeatures, [{ name: "range" }, { name: "summary" }, { name: "logistic" }]);
  const means = { random: seededRandom(""), memory: new StudyMemory() };
  type Own = { readonly weights: readonly number[]; readonly halvings: number };
  let state = startStudy(study);
  let halvings = 0;
  while (state.algorithm !== null) {
    const values = await studyContribute(study, state, borrowers(), means);
    state = await advanceStudy(study, state, { values, parties: 1 });
    if (state.algorithm !== "logistic") continue;
    const own = state.algorithmState as Own & { readonly [key: string]: Json };
    halvings = Math.max(halvings, own.halvings);
    // The first step far too long.
    if (state.step === 1)
      state = { ...state, algorithmState: { ...own, weights: own.weights.map((w) => 40 * w) } };
  }
  t.true(halvings >= 2);
  const { intercept, coefficients } = state.results.logistic as LogisticResult;
  t.true(farthest({ intercept, ...coefficients }, vectors.logistic.coefficients) < 1e-9);
});

const numeric = (...names: string[]): FeatureSchema[] => names.map((name) => ({ name, kind: "numeric" }));
const noise = (seed: string, n = 80): number[] => {
  const random = seededRandom(seed);
  return Array.from({ length: n }, () => uniform(random));
};
const coin = (seed: string): number[] => noise(seed).map((x) => (x < 0.4 ? 1 : 0));

interface Aliasing {
  readonly levels: Readonly<Record<string, string[]>>;
  readonly rows: Readonly<Record<string, (number | null)[]>>;
  readonly label: number[];
  readonly aliased: string[];
  readonly logistic: {
    readonly coefficients: Named;
    readonly standardErrors: Named;
    readonly logLikelihood: number;
    readonly scores: readonly number[];
  };
}
const aliasing = readVectors("aliasing.json") as Aliasing;
const aliasingFeatures = Object.keys(aliasing.rows).map(
  (name): FeatureSchema =>
    Object.hasOwn(aliasing.levels, name)
      ? { name, kind: "categorical", levels: aliasing.levels[name]! }
      : { name, kind: "numeric" },
);
const aliasingTable = tableOf(
  Object.fromEntries(
    Object.entries(aliasing.rows).map(([name, cells]) => [
      name,
      Object.hasOwn(aliasing.levels, name)
        ? { codes: cells.map(Number), levels: aliasing.levels[name]! }
        : cells.map((x) => x ?? Number.NaN),
    ]),
  ),
  aliasing.label,
);

test("columns that follow from those before them are aliased as R's glm does, whoever holds which rows", async (t) => {
  const { aliased, logistic: expected } = aliasing;
  for (const parties of [1, 5]) {
    const tables = scatter(aliasingTable.rows, parties, "aliased").map((rows) =>
      takeRows(aliasingTable, rows),
    );
    const seen = await estimate(aliasingFeatures, tables);
    t.deepEqual(seen.aliased, aliased);
    const { intercept, coefficients } = seen;
    t.deepEqual(
      Object.keys({ intercept, ...coefficients }).sort(),
      Object.keys(expected.coefficients).sort(),
    );
    t.true(farthest({ intercept, ...coefficients }, expected.coefficients) < 1e-8);
    t.true(farthest(seen.standardErrors!, expected.standardErrors) < 1e-8);
    t.true(Math.abs(seen.logLikelihood - expected.logLikelihood) < 1e-9);
    const scores = logistic.model(seen)!.score(aliasingTable);
    t.true(Math.max(...expected.scores.map((p, row) => Math.abs(p - scores[row]!))) < 1e-9);
  }
});

test("under a penalty nothing but a column of one value is left out", async (t) => {
  const seen = await estimate(aliasingFeatures, [aliasingTable], { penalty: 0.01 });
  t.deepEqual(seen.aliased, ["flat"]);
  t.true(Math.abs(seen.coefficients["debt=missing"]!) > 0);
});

test("a column that becomes dependent when a party leaves gives what it said to those it follows from", async (t) => {
  const a = noise("a");
  const b = noise("b");
  const c = a.map((x, i) => (i < 60 ? 2 * x - b[i]! : noise("c")[i]!));
  const table = tableOf({ a, b, c }, coin("label"));
  const kept = Array.from({ length: 60 }, (_, row) => row);
  const tables = [
    takeRows(table, kept),
    takeRows(
      table,
      Array.from({ length: 20 }, (_, i) => 60 + i),
    ),
  ];
  const study = studyOf(numeric("a", "b", "c"), [
    { name: "range" },
    { name: "summary" },
    { name: "logistic" },
  ]);
  let round = 0;
  const isPresent = (party: number) => party === 0 || round < 4;
  const { results } = await runPlain(study, tables, { isPresent, onRound: (_, now) => (round = now) });
  const seen = results.logistic as LogisticResult;
  const alone = await estimate(numeric("a", "b"), [tables[0]!]);
  t.deepEqual(seen.aliased, ["c"]);
  t.true(farthest(seen.coefficients, alone.coefficients) < 1e-8);
  t.true(Math.abs(seen.logLikelihood - alone.logLikelihood) < 1e-9);
});

test("of values that are missing together one indicator is enough: the other is aliased", async (t) => {
  const gone = (values: number[]) => values.map((x, i) => (i % 7 === 3 ? Number.NaN : x));
  const a = gone(noise("a"));
  const b = gone(noise("b"));
  const present = b.filter((x) => !Number.isNaN(x));
  const mean = present.reduce((sum, x) => sum + x, 0) / present.length;
  const label = coin("label");
  const both = await estimate(numeric("a", "b"), [tableOf({ a, b }, label)]);
  const filled = b.map((x) => (Number.isNaN(x) ? mean : x));
  const one = await estimate(numeric("a", "b"), [tableOf({ a, b: filled }, label)]);
  const [{ aliased, coefficients, ...first }, second] = [both, one];
  t.deepEqual(aliased, ["b=missing"]);
  t.false(Object.hasOwn(coefficients, "b=missing"));
  t.true(Math.abs(first.standardErrors!.intercept! - second.standardErrors!.intercept!) < 1e-9);
  t.false(Object.hasOwn(first.standardErrors!, "b=missing"));
  for (const name of ["a", "a=missing", "b"]) {
    t.true(Math.abs(coefficients[name]! - second.coefficients[name]!) < 1e-9, name);
    t.true(Math.abs(first.standardErrors![name]! - second.standardErrors![name]!) < 1e-9, name);
  }
  t.false("aliased" in second);
});

test("values that lie close together and far from zero give the coefficients and errors that they have near zero", async (t) => {
  const near = { a: noise("a").map((x) => Math.round(1e6 * x) / 2 ** 20), b: noise("b") };
  const far = { ...near, a: near.a.map((x) => x + 2 ** 32) };
  const [there, here] = await Promise.all(
    [far, near].map((columns) => estimate(numeric("a", "b"), [tableOf(columns, coin("label"))])),
  );
  t.true(farthest(there!.coefficients, here!.coefficients) < 1e-9);
  const errors = ({ standardErrors }: LogisticResult) => ({
    a: standardErrors!.a!,
    b: standardErrors!.b!,
  });
  t.true(farthest(errors(there!), errors(here!)) < 1e-9);
});

test("columns of one value are left out and named; where all are, they are refused", async (t) => {
  const flat = noise("a").map(() => 0.1);
  const kind = { codes: noise("a").map(() => 1), levels: ["x", "y", "z"] };
  const features: FeatureSchema[] = [
    ...numeric("a", "flat"),
    { name: "kind", kind: "categorical", levels: kind.levels },
  ];
  const label = coin("label");
  const seen = await estimate(features, [tableOf({ a: noise("a"), flat, kind }, label)]);
  t.deepEqual(seen.aliased, ["flat", "kind"]);
  const alone = await estimate(numeric("a"), [tableOf({ a: noise("a") }, label)]);
  t.true(farthest(seen.coefficients, alone.coefficients) < 1e-12);
  const error = await t.throwsAsync(estimate(features.slice(1), [tableOf({ flat, kind }, label)]));
  t.like(error, { reason: "column_constant" });
});

test("complete separation is refused by name, and a penalty resolves it", async (t) => {
  const sharp = noise("s");
  const table = tableOf(
    { a: noise("a"), sharp },
    sharp.map((x) => (x > 0.5 ? 1 : 0)),
  );
  const error = await t.throwsAsync(estimate(numeric("a", "sharp"), [table]));
  t.like(error, { reason: "separation" });
  t.regex(error!.message, /column sharp/);
  const seen = await estimate(numeric("a", "sharp"), [table], { penalty: 0.1 });
  t.true(seen.coefficients.sharp! > 0);
});

test("quasi-complete separation by a level is refused with the level's name", async (t) => {
  const codes = noise("k").map((x) => (x < 0.1 ? 2 : x < 0.5 ? 1 : 0));
  const label = coin("label").map((y, i) => (codes[i] === 2 ? 1 : y));
  const features: FeatureSchema[] = [
    ...numeric("a"),
    { name: "kind", kind: "categorical", levels: ["x", "y", "z"] },
  ];
  const kind = { codes, levels: ["x", "y", "z"] };
  const error = await t.throwsAsync(estimate(features, [tableOf({ a: noise("a"), kind }, label)]));
  t.like(error, { reason: "separation" });
  t.regex(error!.message, /kind=z/);
});

test("every level that holds one class only is named at once, the first and a missing one too", async (t) => {
  const label = coin("label");
  const codes = noise("k").map((x) => (x < 0.1 ? 2 : x < 0.2 ? 0 : 1));
  const other = noise("o").map((x) => (x < 0.1 ? -1 : x < 0.5 ? 1 : 0));
  const pure = label.map((y, i) => (codes[i] === 2 ? 1 : codes[i] === 0 || other[i] === -1 ? 0 : y));
  const levels = ["x", "y", "z"];
  const features: FeatureSchema[] = [
    ...numeric("a"),
    { name: "kind", kind: "categorical", levels },
    { name: "other", kind: "categorical", levels },
  ];
  const columns = { a: noise("a"), kind: { codes, levels }, other: { codes: other, levels } };
  const error = await t.throwsAsync(estimate(features, [tableOf(columns, pure)]));
  t.like(error, { reason: "separation" });
  t.regex(error!.message, /^columns kind=z, other=missing, kind=x separate/);
});

test("labels of one class are refused", async (t) => {
  const table = tableOf(
    { a: noise("a") },
    noise("a").map(() => 1),
  );
  t.like(await t.throwsAsync(estimate(numeric("a"), [table])), { reason: "single_class" });
});

test("no rows at all are refused", async (t) => {
  t.like(await t.throwsAsync(estimate(numeric("a"), [tableOf({ a: [] }, [])])), { reason: "rows_missing" });
});

test("a cohort that changes for good in the middle still ends at its own maximum likelihood", async (t) => {
  const tables = parted(4, "leaves");
  // Without missing values: what they stand at would still be the mean over all four.
  const features = borrowerFeatures.filter(({ name }) => name !== "share");
  const study = studyOf(features, [{ name: "range" }, { name: "summary" }, { name: "logistic" }]);
  let round = 0;
  const isPresent = (party: number) => party !== 0 || round < 5;
  const { results } = await runPlain(study, tables, { isPresent, onRound: (_, now) => (round = now) });
  const seen = results.logistic as LogisticResult;
  const rest = await estimate(features, tables.slice(1));
  t.true(seen.converged);
  t.true(farthest(seen.coefficients, rest.coefficients) < 1e-8);
});

test("a cohort that never stays the same is reported as not converged, never as an estimate like others", async (t) => {
  const tables = parted(4, "comes and goes");
  const study = studyOf(borrowerFeatures, [
    { name: "range" },
    { name: "summary" },
    { name: "logistic", maxIterations: 12 },
  ]);
  let round = 0;
  const isPresent = (party: number) => round < 2 || party !== round % 4;
  const { results } = await runPlain(study, tables, { isPresent, onRound: (_, now) => (round = now) });
  const seen = results.logistic as LogisticResult;
  t.false(seen.converged);
  const pooled = await estimate(borrowerFeatures, tables);
  t.true(pooled.converged);
});
