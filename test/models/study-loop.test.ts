import test from "ava";
import fc from "fast-check";
import { canonicalJson } from "../../core/canonical.ts";
import { seededRandom } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import type { LogisticResult } from "../../models/algorithms/logistic.ts";
import { StudyMemory } from "../../models/memory.ts";
import { exponentAbove, powerOfTwo } from "../../models/numerics/powers-of-two.ts";
import { roundTo } from "../../models/numerics/rounding.ts";
import { runPlain } from "../../models/plain.ts";
import { checkManifest, type StudyManifest } from "../../models/study.ts";
import {
  advanceStudy,
  parseStudyState,
  type StudyState,
  startStudy,
  studyContribute,
  studyLayout,
  studyResult,
  studySteps,
} from "../../models/study-loop.ts";
import { vectorLength } from "../../privacy/sum/layout.ts";
import { borrowerFeatures, borrowers, studyOf } from "../support/rows.ts";

const algorithms = [
  { name: "range" },
  { name: "summary" },
  { name: "standardize" },
  { name: "logistic" },
  { name: "neural", hidden: [3], rounds: 2 },
  { name: "evaluate" },
];
const study = studyOf(borrowerFeatures, algorithms);

test("a feature or level that results by name could not tell from what every object has is refused", (t) => {
  const about = (name: string, level = "a") =>
    studyOf([{ name, kind: "categorical", levels: [level, "b"] }], algorithms);
  t.notThrows(() => checkManifest(about("sector", "constructor")));
  for (const name of ["constructor", "toString", "__proto__"])
    t.like(
      t.throws(() => checkManifest(about(name))),
      { reason: "parameters_invalid" },
    );
  t.like(
    t.throws(() => checkManifest(about("sector", "__proto__"))),
    { reason: "parameters_invalid" },
  );
});

test("a state whose bins are of other features than the study's is refused", async (t) => {
  const binned = studyOf(borrowerFeatures, [{ name: "range" }, { name: "bins" }, { name: "additive" }]);
  const memory = new StudyMemory();
  let state = startStudy(binned);
  while (state.algorithm !== "additive") {
    const values = await studyContribute(binned, state, borrowers(), { random: seededRandom("p"), memory });
    state = await advanceStudy(binned, state, { values, parties: 1 });
  }
  const foreign = structuredClone(state) as StudyState & {
    readonly results: {
      readonly bins: { readonly features: unknown[]; readonly columns: Record<string, unknown> };
    };
  };
  t.notThrows(() => parseStudyState(binned, structuredClone(state)));
  const { bins } = foreign.results;
  delete bins.columns[borrowerFeatures[0]!.name];
  bins.features.shift();
  t.throws(() => parseStudyState(binned, foreign), { instanceOf: Refusal });
});

test("every state survives canonical JSON unchanged, and the study finishes with every result", async (t) => {
  const seen: StudyState[] = [];
  const random = seededRandom("p");
  const memory = new StudyMemory();
  let state = startStudy(study);
  while (studyResult(state) === undefined) {
    seen.push(state);
    const table = borrowers();
    const received = JSON.parse(canonicalJson(state)) as StudyState;
    t.deepEqual(received, state);
    const values = await studyContribute(study, received, table, { random, memory });
    t.is(values.length, vectorLength(studyLayout(study, received)));
    state = await advanceStudy(study, received, { values, parties: 1 });
  }
  t.deepEqual(JSON.parse(canonicalJson(state)), state);
  t.deepEqual(Object.keys(state.results).sort(), algorithms.map(({ name }) => name).sort());
  t.is(seen.filter(({ algorithm }) => algorithm === "standardize").length, 0);
  t.deepEqual(
    seen.filter(({ algorithm }) => algorithm === "neural").map(({ step }) => step),
    [0, 1],
  );
  t.throws(() => studyLayout(study, state), { instanceOf: RangeError });
});

test("training sees no held-out row, evaluation no other", async (t) => {
  const table = borrowers();
  for (let row = 0; row < table.rows; row += 4) table.holdout[row] = 1;
  const holding = { ...study, holdout: { fraction: 0.25 } };
  const { results } = await runPlain(holding, [table]);
  t.is((results.summary as { rows: number }).rows, 180);
  const { models } = results.evaluate as { models: Record<string, { n: number }> };
  t.deepEqual(
    Object.values(models).map(({ n }) => n),
    [60, 60],
  );
});

test("a study repeats bit by bit", async (t) => {
  t.is(
    canonicalJson((await runPlain(study, [borrowers()])).results),
    canonicalJson((await runPlain(study, [borrowers()])).results),
  );
});

const refusals: [string, { name: string; [key: string]: unknown }[], string, RegExp][] = [
  ["an unknown algorithm", [{ name: "oracle" }], "algorithm_unknown", /oracle/],
  ["an algorithm listed twice", [{ name: "range" }, { name: "range" }], "parameters_invalid", /twice/],
  ["a missing prior", [{ name: "range" }, { name: "logistic" }], "parameters_invalid", /summary/],
  [
    "evaluate without a model",
    [...algorithms.slice(0, 2), { name: "evaluate" }],
    "parameters_invalid",
    /evaluate/,
  ],
  [
    "an unknown parameter",
    [...algorithms.slice(0, 2), { name: "logistic", penalti: 1 }],
    "parameters_invalid",
    /penalti/,
  ],
  [
    "a parameter out of range",
    [...algorithms.slice(0, 2), { name: "neural", rounds: 0 }],
    "parameters_invalid",
    /neural\.rounds/,
  ],
];
for (const [what, list, reason, message] of refusals)
  test(`${what} is refused before the study starts`, (t) => {
    const error = t.throws(() => startStudy(studyOf(borrowerFeatures, list as never)));
    t.like(error, { reason });
    t.regex(error!.message, message);
  });

test("needs are found by the names that the manifest gives", async (t) => {
  const named = [
    { name: "range", as: "bounds" },
    { name: "summary", range: "bounds" },
    { name: "logistic", as: "plain", range: "bounds" },
    { name: "logistic", as: "ridge", range: "bounds", penalty: 0.1 },
    { name: "evaluate", models: ["ridge"] },
    { name: "evaluate", as: "both" },
  ];
  const { results } = await runPlain(studyOf(borrowerFeatures, named), [borrowers()]);
  const income = (as: string) => (results[as] as unknown as LogisticResult).coefficients.income!;
  t.true(Math.abs(income("ridge")) < Math.abs(income("plain")));
  const evaluated = (as: string) => Object.keys((results[as] as { models: object }).models);
  t.deepEqual([evaluated("evaluate"), evaluated("both")], [["ridge"], ["plain", "ridge"]]);
  const unnamed = studyOf(borrowerFeatures, [{ name: "range", as: "bounds" }, { name: "summary" }]);
  t.like(
    t.throws(() => startStudy(unnamed)),
    { reason: "parameters_invalid", message: "summary needs the result of range" },
  );
});

const means = () => ({ random: seededRandom("p"), memory: new StudyMemory() });

async function statesUntil(manifest: StudyManifest, most: number): Promise<StudyState[]> {
  const states = [startStudy(manifest)];
  while (states.length < most) {
    const state = states.at(-1)!;
    const values = await studyContribute(manifest, state, borrowers(), means());
    states.push(await advanceStudy(manifest, state, { values, parties: 1 }));
  }
  return states;
}

test("a study goes no further than its public bound of sums", async (t) => {
  const bounded = studyOf(borrowerFeatures, [
    { name: "range" },
    { name: "summary" },
    { name: "logistic", maxIterations: 2 },
    { name: "neural", rounds: 7 },
  ]);
  t.is(studySteps(bounded), 1 + 1 + 2 + 7);
  t.like(await t.throwsAsync(runPlain(bounded, [borrowers()])), { reason: "not_converged" });
  const three = studyOf(borrowerFeatures, [
    { name: "range" },
    { name: "summary" },
    { name: "neural", rounds: 3 },
  ]);
  const [, , first] = await statesUntil(three, 3);
  const values = await studyContribute(three, first!, borrowers(), means());
  // Whatever an algorithm thinks of its own progress.
  const late = { ...first!, step: 2 };
  t.like(await t.throwsAsync(advanceStudy(three, late, { values, parties: 1 })), {
    reason: "not_converged",
    message: "neural has come to no result in 3 sums",
  });
});

test("numbers of a state lie on the public grid: what a last bit decides is the same on any machine", async (t) => {
  const isOnGrid = (value: unknown): boolean => {
    if (typeof value === "number") return roundTo(40, value) === value && !Object.is(value, -0);
    return typeof value !== "object" || value === null || Object.values(value).every(isOnGrid);
  };
  const states: StudyState[] = [];
  const { results } = await runPlain(study, [borrowers()], { onRound: (state) => states.push(state) });
  t.true(states.length > 8);
  t.true([...states, results].every(isOnGrid));
});

test("rounding keeps so many significant bits, and is nearest", (t) => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e300, max: 1e300 }), (x) => {
      const rounded = roundTo(40, x);
      t.true(Math.abs(rounded - x) <= Math.abs(x) * 2 ** -40 || Math.abs(x) < 1e-300);
      t.is(roundTo(40, rounded), rounded);
    }),
  );
  t.is(roundTo(40, 2 ** 40 - 1), 2 ** 40 - 1);
  t.is(roundTo(40, 1 + 2 ** -50), 1);
  t.is(roundTo(28, Number.MAX_VALUE), Number.MAX_VALUE);
});

test("powers of two are exact, and the exponent above a number is the least", (t) => {
  for (let e = -1022; e <= 1023; e++) {
    t.is(powerOfTwo(e), 2 ** e);
    t.is(exponentAbove(powerOfTwo(e)), e);
    if (e < 1023) t.is(exponentAbove(powerOfTwo(e) * (1 + 2 ** -52)), e + 1);
  }
});
