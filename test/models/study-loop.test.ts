import test from "ava";
import { canonicalJson } from "../../core/canonical.ts";
import { seededRandom } from "../../core/random.ts";
import { StudyMemory } from "../../models/memory.ts";
import { runPlain } from "../../models/plain.ts";
import {
  advanceStudy,
  type StudyState,
  startStudy,
  studyContribute,
  studyLayout,
  studyResult,
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
