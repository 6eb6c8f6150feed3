/** A model that somebody poisoned is not published: enterprises look at it at home. */
import test from "ava";
import fc from "fast-check";
import { exactAuc } from "../../bench/credit/split.ts";
import { seededRandom, uniform } from "../../core/random.ts";
import { type Reason, Refusal } from "../../core/reasons.ts";
import { aucsApart } from "../../models/gate.ts";
import { StudyMemory } from "../../models/memory.ts";
import { runPlain } from "../../models/plain.ts";
import { checkManifest, type StudyManifest } from "../../models/study.ts";
import { checkAlgorithms, type StudyState, studyContribute, studyNext } from "../../models/study-loop.ts";
import type { Table } from "../../models/table.ts";
import { studyOf, tableOf } from "../support/rows.ts";

test("how far two AUCs are apart is their difference, with the error of a difference", (t) => {
  const score = fc.constantFrom(0, 0.25, 0.5, 0.75, 1);
  const rows = fc.array(fc.tuple(score, score, fc.constantFrom(0, 1)), { minLength: 6, maxLength: 40 });
  fc.assert(
    fc.property(rows, (drawn) => {
      const label = Uint8Array.from([0, 0, 1, 1, ...drawn.map(([, , own]) => own)]);
      const scores = ([0, 1] as const).map((of) =>
        Float64Array.from([0, 0.5, 0.5, 1, ...drawn.map((row) => row[of])]),
      );
      const apart = aucsApart(scores[0]!, scores[1]!, label)!;
      const difference = exactAuc(scores[1]!, label) - exactAuc(scores[0]!, label);
      t.true(Math.abs(apart.difference - difference) < 1e-12);
      t.is(aucsApart(scores[0]!, scores[0]!, label)!.standardError, 0);
    }),
  );
  t.is(aucsApart(Float64Array.of(1, 2, 3), Float64Array.of(1, 2, 3), Uint8Array.of(0, 1, 1)), undefined);
});

const parties = 6;
const tables: Table[] = Array.from({ length: parties }, (_, party) => {
  const random = seededRandom(`gate ${party}`);
  const draw = () => Array.from({ length: 400 }, () => 2 * uniform(random) - 1);
  const [x, y] = [draw(), draw()];
  const bad = x.map((own, row) => Number(1 / (1 + Math.exp(-3 * own - 2 * y[row]!)) > uniform(random)));
  return { ...tableOf({ x, y }, bad), holdout: Uint8Array.from(bad, (_, row) => Number(row % 2)) };
});
const study: StudyManifest = {
  ...studyOf(
    [
      { name: "x", kind: "numeric" },
      { name: "y", kind: "numeric" },
    ],
    [{ name: "range" }, { name: "bins", cells: 64 }, { name: "additive", maxSteps: 3 }, { name: "evaluate" }],
    400,
  ),
  holdout: { fraction: 0.5 },
};
const gateWith = (result: unknown) => ({
  model: "additive",
  champion: { algorithm: "additive", result },
  within: 0.005,
});
const champion = runPlain(study, tables).then(({ results }) => results.additive);

/** @returns how many enterprises refuse to evaluate the model that these contributions lead to. */
async function rejections(sent: (x: number) => number, poisoners: number): Promise<number> {
  let evaluating: StudyState | undefined;
  const stop = new Error("enough");
  await runPlain(study, tables, {
    onContribution(party, values, state) {
      if (party >= poisoners || state.algorithm !== "additive") return values;
      const [gradient] = studyNext(study, state).layout.blocks;
      return values.map((x, i) => (i < gradient!.length ? sent(x) : x));
    },
    onRound(state) {
      if (state.algorithm !== "evaluate") return;
      evaluating = state;
      throw stop;
    },
  }).catch((error: unknown) => {
    if (error !== stop) throw error;
  });
  const gated = { ...study, gate: gateWith(await champion) };
  let rejected = 0;
  for (const table of tables.slice(poisoners))
    await studyContribute(gated, evaluating!, table, {
      random: seededRandom("gate"),
      memory: new StudyMemory(),
    }).catch((error: unknown) => {
      if (!(error instanceof Refusal) || error.reason !== ("model_rejected" satisfies Reason)) throw error;
      rejected++;
    });
  return rejected;
}

test("nobody refuses a model as good as the champion; nearly all refuse one that one or two of six have poisoned", async (t) => {
  t.is(await rejections((x) => x, 0), 0);
  for (const poisoners of [1, 2]) {
    // As far as the bounds of an entry let a poisoner go: gradients against the truth, of nearly all rows that it may have.
    const rejected = await rejections((x) => -Math.sign(x) * 300, poisoners);
    t.true(rejected >= parties - poisoners - 1, `${rejected} of ${parties - poisoners}`);
  }
  // A thousand times as much goes beyond them.
  const beyond = await t.throwsAsync(
    rejections((x) => 1000 * x, 1),
    { instanceOf: Refusal },
  );
  t.is(beyond.reason, "value_out_of_bounds" satisfies Reason);
});

test("a gate that compares nothing is refused when the study is proposed", async (t) => {
  const gate = gateWith(await champion);
  const faulty: [Partial<StudyManifest>, RegExp][] = [
    [{ holdout: { fraction: 0 } }, /no rows are held out/],
    [{ gate: { ...gate, model: "nobody" } }, /no model of the study is called nobody/],
    [{ algorithms: study.algorithms.slice(0, 3) }, /no sum comes after additive/],
    [{ features: study.features.slice(0, 1) }, /reads y, which is no feature/],
    [
      { gate: { ...gate, champion: { algorithm: "range", result: { columns: {} } } } },
      /range makes no models/,
    ],
    [{ gate: { ...gate, champion: { ...gate.champion, result: {} } } }, /result of additive|additive\./],
  ];
  t.notThrows(() => checkAlgorithms(checkManifest({ ...study, gate })));
  for (const [change, message] of faulty)
    t.throws(() => checkAlgorithms({ ...study, gate, ...change }), { instanceOf: Refusal, message });
});
