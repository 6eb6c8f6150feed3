/** What holds for every algorithm of the registry. No algorithm is known by name here. */
import test from "ava";
import fc from "fast-check";
import { canonicalJson } from "../../core/canonical.ts";
import { type Reason, Refusal } from "../../core/reasons.ts";
import type { Json } from "../../models/algorithm.ts";
import { runPlain } from "../../models/plain.ts";
import { algorithmNamed, algorithmNames } from "../../models/registry.ts";
import { modelsOf, resultsBy, studyResultsSchema } from "../../models/results.ts";
import { takeRows } from "../../models/rows.ts";
import {
  advanceStudy,
  checkAlgorithms,
  parseStudyState,
  type StudyState,
  startStudy,
  studyLayout,
  studyNext,
  studySensitivity,
  studySteps,
} from "../../models/study-loop.ts";
import type { NumericColumn, Table } from "../../models/table.ts";
import { dequantizeSum, planPacking, quantize } from "../../privacy/sum/layout.ts";
import { roundingVariance } from "../../privacy/sum/noise-terms.ts";
import {
  byBlock,
  contributionOf,
  modelNames,
  statesOf,
  studyAbout,
  sumOf,
  withNoise,
} from "../support/algorithms.ts";
import { borrowerFeatures, borrowers, scatter, studyOf } from "../support/rows.ts";
import { sealedSumOf } from "../support/sealed-study.ts";

const all = borrowers();

const parted = (parties: number, seed: string): Table[] =>
  scatter(all.rows, parties, seed).map((rows) => takeRows(all, rows));

function withValue(column: string, value: number): Table {
  const values = (all.columns.get(column) as NumericColumn).values.slice();
  values[17] = value;
  return { ...all, columns: new Map(all.columns).set(column, { kind: "numeric", values }) };
}

async function refused(run: () => unknown): Promise<Refusal> {
  try {
    await run();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

/** @returns the value with one part of it changed to what no state holds there. */
function* brokenVersions(value: Json): Generator<Json> {
  if (typeof value === "number") yield "7";
  else if (typeof value === "string") yield* [7, `${value}AAAA`];
  else if (typeof value === "boolean") yield "yes";
  else if (Array.isArray(value)) {
    yield* ["7", [...value, value[0] ?? 0]];
    if (value.length > 0)
      for (const part of brokenVersions(value[0] as Json)) yield [part, ...value.slice(1)];
  } else if (typeof value === "object" && value !== null) {
    yield* [[], "7", { ...value, another: 1 }];
    for (const [key, inner] of Object.entries(value)) {
      const { [key]: _, ...rest } = value as Record<string, Json>;
      yield rest;
      for (const part of brokenVersions(inner)) yield { ...value, [key]: part };
    }
  }
}

for (const name of algorithmNames) {
  const study = studyAbout(name);
  const finished = runPlain(study, parted(3, "finished"));

  test(`${name}: comes to a result in no more sums than it says, the same each time`, async (t) => {
    const { results, rounds } = await finished;
    t.deepEqual(Object.keys(results).sort(), study.algorithms.map((entry) => entry.name).sort());
    t.true(rounds <= studySteps(study));
    t.is(canonicalJson((await runPlain(study, parted(3, "finished"))).results), canonicalJson(results));
  });

  test(`${name}: a result is what its schema says, and survives its text`, async (t) => {
    const { results } = await finished;
    const { result } = algorithmNamed(name);
    t.deepEqual(result.parse(JSON.parse(canonicalJson(results[name]))), results[name]);
  });

  test(`${name}: an unknown parameter is refused with a hint`, async (t) => {
    const { reason, hint } = await refused(() => algorithmNamed(name).configure({ nonsense: 1 }));
    t.is(reason, "parameters_invalid" satisfies Reason);
    t.true(hint.length > 0);
  });

  test(`${name}: what it needs must stand before it`, async (t) => {
    const { needs } = algorithmNamed(name).configure({});
    const alone = studyOf(borrowerFeatures, [{ name }]);
    if (needs.length === 0) t.notThrows(() => checkAlgorithms(alone));
    else t.is((await refused(() => startStudy(alone))).reason, "parameters_invalid" satisfies Reason);
  });

  test(`${name}: runs twice in one study under names of its own`, async (t) => {
    const twice = {
      ...study,
      algorithms: [...study.algorithms, { ...study.algorithms.at(-1)!, as: "second" }],
    };
    const { results } = await runPlain(twice, [all]);
    // What draws rows draws others the second time.
    if (algorithmNamed(name).configure({}).samplingRate < 1) t.true(Object.hasOwn(results, "second"));
    else t.deepEqual(results.second, (await runPlain(study, [all])).results[name]);
  });
}

const summing = algorithmNames.filter((name) => algorithmNamed(name).configure({}).maxSteps > 0);

for (const name of summing) {
  const study = studyAbout(name);
  const states = statesOf(study, all, 2);
  const first = states.then(([state]) => state!);

  test(`${name}: the order of the parties changes nothing`, async (t) => {
    const state = await first;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 6 }), fc.string(), async (parties, seed) => {
        const tables = parted(parties, seed);
        t.deepEqual(await sumOf(study, state, tables.toReversed()), await sumOf(study, state, tables));
      }),
      { numRuns: 5 },
    );
  });

  test(`${name}: splitting a party's rows changes nothing beyond the grid`, async (t) => {
    const state = await first;
    const whole = byBlock(study, state, await sumOf(study, state, [all]));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 6 }), fc.string(), async (parties, seed) => {
        const split = byBlock(study, state, await sumOf(study, state, parted(parties, seed)));
        for (const [b, { name: blockName, block, values }] of whole.entries())
          for (const [i, value] of values.entries()) {
            const apart = Math.abs(split[b]!.values[i]! - value);
            const most =
              block.kind === "count"
                ? 0
                : block.kind === "exact"
                  ? 1e-15 * block.bound
                  : (parties + 1) * block.step + 1e-12 * block.bound;
            t.true(apart <= most, `${blockName}[${i}]: ${apart}`);
          }
      }),
      { numRuns: 5 },
    );
  });

  test(`${name}: a party without rows is harmless`, async (t) => {
    const state = await first;
    t.deepEqual(await sumOf(study, state, [takeRows(all, []), all]), await sumOf(study, state, [all]));
  });

  test(`${name}: sealed, the sum is the same to the last bit`, async (t) => {
    const state = await first;
    const tables = parted(3, "sealed");
    t.deepEqual(await sealedSumOf(study, state, tables), await sumOf(study, state, tables));
  });

  test(`${name}: a contribution is finite and within its layout, also with missing values`, async (t) => {
    const state = await first;
    const packing = planPacking(studyLayout(study, state), 2);
    const vector = await contributionOf(study, state, withValue("share", Number.NaN));
    t.is(vector.length, packing.length);
    t.notThrows(() => quantize(vector, packing));
  });

  for (const value of [Infinity, -Infinity])
    test(`${name}: ${value} is refused with the column's name`, async (t) => {
      const state = await first;
      const { reason, message } = await refused(() => sumOf(study, state, [withValue("age", value)]));
      t.is(reason, "value_not_finite" satisfies Reason);
      t.regex(message, /\bage\b/);
    });

  test(`${name}: a value out of bounds is refused with the column's name, or does no harm`, async (t) => {
    const state = await first;
    try {
      await sumOf(study, state, [withValue("income", 1e300)]);
      // Whoever is bounded by values could not have taken it. A bound is the rows', or the power of two above them.
      for (const { block } of byBlock(study, state, await sumOf(study, state, [all])))
        t.true(block.kind === "count" || block.bound <= 2 * study.maxRowsPerParty);
    } catch (error) {
      const { reason, message } = error as Refusal;
      t.is(reason, "value_out_of_bounds" satisfies Reason);
      t.regex(message, /\bincome\b/);
    }
  });

  test(`${name}: more rows than the study's bound are refused`, async (t) => {
    const state = await first;
    const rows = Array.from({ length: 301 }, (_, i) => i % all.rows);
    const { reason } = await refused(() => sumOf(study, state, [takeRows(all, rows)]));
    t.is(reason, "value_out_of_bounds" satisfies Reason);
  });

  test(`${name}: an absent column is refused with its name`, async (t) => {
    const state = await first;
    const columns = new Map(all.columns);
    columns.delete("sector");
    const { reason, message } = await refused(() => sumOf(study, state, [{ ...all, columns }]));
    t.is(reason, "column_unknown" satisfies Reason);
    t.regex(message, /sector/);
  });

  test(`${name}: a state comes back from its text; one that is not of the schema is refused`, async (t) => {
    for (const state of await states) {
      t.deepEqual(parseStudyState(study, JSON.parse(canonicalJson(state))), state);
      for (const algorithmState of [null, ...brokenVersions(state.algorithmState)]) {
        const { reason } = await refused(() => parseStudyState(study, { ...state, algorithmState }));
        t.is(reason, "state_invalid" satisfies Reason, canonicalJson(algorithmState).slice(0, 200));
      }
      const { maxSteps } = algorithmNamed(name).configure({});
      const misplaced: Partial<StudyState>[] = [
        { index: state.index + 1 },
        { index: 1e6 },
        { step: maxSteps },
        { algorithm: "another" },
        { results: { ...state.results, another: 1 } },
        ...Object.keys(state.results).map((as) => ({ results: { ...state.results, [as]: { another: 1 } } })),
      ];
      for (const change of misplaced) {
        const { reason } = await refused(() => parseStudyState(study, { ...state, ...change }));
        t.is(reason, "state_invalid" satisfies Reason, canonicalJson(change).slice(0, 200));
      }
    }
  });

  test(`${name}: the state after a sum follows from manifest, state and sum alone`, async (t) => {
    const state = await first;
    const sum = { values: await sumOf(study, state, parted(3, "follows")), parties: 3 };
    const received = parseStudyState(study, JSON.parse(canonicalJson(state)));
    const next = await advanceStudy(study, state, sum);
    t.is(canonicalJson(await advanceStudy(study, received, sum)), canonicalJson(next));
    t.deepEqual(JSON.parse(canonicalJson(next)), next);
  });

  test(`${name}: no record moves a block by more than its sensitivity says`, async (t) => {
    for (const state of await states) {
      const sensitivity = studySensitivity(study, state);
      // Without one, no noise can be added: nothing to hold.
      if (sensitivity === undefined) return t.pass();
      const whole = byBlock(study, state, await contributionOf(study, state, all));
      t.deepEqual(Object.keys(sensitivity).sort(), whole.map(({ name: block }) => block).sort());
      for (let row = 0; row < all.rows; row += 9) {
        const others = Array.from({ length: all.rows }, (_, i) => i).filter((i) => i !== row);
        const without = byBlock(study, state, await contributionOf(study, state, takeRows(all, others)));
        for (const [b, { name: block, values }] of whole.entries()) {
          const moved = Math.hypot(...values.map((value, i) => value - without[b]!.values[i]!));
          t.true(moved <= sensitivity[block]! * (1 + 1e-9) + 1e-9, `${block}: ${moved}`);
        }
      }
    }
  });
}

for (const name of summing.filter((one) => algorithmNamed(one).takesNoise)) {
  const study = withNoise(studyAbout(name), 0.1);
  const states = statesOf(study, all, 2);

  test(`${name}: with noise, no record moves a sum by more than is charged, whatever it holds`, async (t) => {
    for (const state of await states) {
      const { layout, noise } = studyNext(study, state);
      const packing = planPacking(layout, 2);
      const steps = async (table: Table): Promise<Float64Array> =>
        dequantizeSum(quantize(await contributionOf(study, state, table), packing), packing, 1);
      for (const [table, row] of extremes()) {
        const others = takeRows(
          table,
          [...Array(table.rows).keys()].filter((i) => i !== row),
        );
        const [whole, without] = [await steps(table), await steps(others)];
        let squares = 0;
        let at = 0;
        for (const [b, { length, step }] of layout.blocks.entries())
          for (const end = at + length; at < end; at++)
            squares += ((whole[at]! - without[at]!) / step) ** 2 / (noise!.variances[b]! - roundingVariance);
        t.true(
          Math.sqrt(squares) <= noise!.sensitivity * (1 + 1e-9),
          `${Math.sqrt(squares)} of ${noise!.sensitivity}`,
        );
      }
    }
  });

  test(`${name}: with noise it comes to a result`, async (t) => {
    const { results } = await runPlain(study, parted(3, "noisy"));
    t.true(Object.hasOwn(results, name));
  });
}

/** Tables with the place of a row each that somebody made up to do the most that it can. */
function* extremes(): Generator<readonly [Table, number]> {
  for (let row = 0; row < all.rows; row += 29) yield [all, row];
  for (const value of [1e15, -1e15, 1e-300, Number.NaN])
    for (const label of [0, 1]) {
      const columns = new Map(all.columns);
      for (const [name, column] of columns)
        columns.set(
          name,
          column.kind === "numeric"
            ? { ...column, values: column.values.with(17, value) }
            : { ...column, codes: column.codes.with(17, value > 0 ? 2 : -1) },
        );
      const [labels, outcomes] = [all.label.with(17, label), all.outcome.with(17, label)];
      yield [{ ...all, columns, label: labels, outcome: outcomes }, 17];
    }
}

for (const name of modelNames) {
  const study = studyAbout(name);
  const evaluated = { ...study, algorithms: [...study.algorithms, { name: "evaluate" }] };
  const published = runPlain(evaluated, parted(3, "finished")).then(({ results }) =>
    studyResultsSchema.parse(JSON.parse(canonicalJson({ algorithms: evaluated.algorithms, results }))),
  );
  const model = published.then((document) => modelsOf(document).get(name)!);

  test(`${name}: evaluation finds it, and what learned scores better than a coin`, async (t) => {
    const found = Object.entries((await published).results).flatMap(([, result]) =>
      Object.entries((result as { models?: Record<string, { auc: number }> }).models ?? {}),
    );
    t.deepEqual(
      found.map(([as]) => as),
      [name],
    );
    // Of a scorecard that takes no sum nothing follows for these rows: it learned nothing of them.
    const { auc } = found[0]![1];
    if (algorithmNamed(name).configure({}).maxSteps > 0) t.true(auc > 0.6);
    else t.true(auc >= 0 && auc <= 1);
  });

  test(`${name}: a score is a probability of the row alone, label or not`, async (t) => {
    const { score } = await model;
    const scores = score(all);
    t.is(scores.length, all.rows);
    t.true(scores.every((p) => p >= 0 && p <= 1));
    const backwards = Array.from({ length: all.rows }, (_, i) => all.rows - 1 - i);
    const turned = score({ ...takeRows(all, backwards), label: new Uint8Array(all.rows) });
    t.true(turned.every((p, i) => Math.abs(p - scores[all.rows - 1 - i]!) < 1e-6));
    t.is(score(takeRows(all, [])).length, 0);
  });

  test(`${name}: scores what training never saw, but nothing infinite`, async (t) => {
    const { score } = await model;
    const unknown = {
      kind: "categorical",
      codes: new Int32Array(all.rows).fill(-1),
      levels: ["textile", "trade", "transport"],
    } as const;
    for (const table of [
      withValue("age", Number.NaN),
      withValue("income", 1e300),
      { ...all, columns: new Map(all.columns).set("sector", unknown) },
    ])
      t.true(score(table).every((p) => p >= 0 && p <= 1));
    const { reason, message } = await refused(() => score(withValue("age", Infinity)));
    t.is(reason, "value_not_finite" satisfies Reason);
    t.regex(message, /age/);
  });

  test(`${name}: what was published gives the scores of what was trained`, async (t) => {
    const { results } = await runPlain(study, parted(3, "finished"));
    const trained = modelsOf({ ...study, results }).get(name)!;
    t.deepEqual((await model).score(all), trained.score(all));
    for (const broken of brokenVersions(results[name]!)) {
      if (typeof broken === "object" && broken !== null && !Array.isArray(broken)) continue;
      const document = { ...study, results: { ...results, [name]: broken } };
      t.is((await refused(() => modelsOf(document))).reason, "state_invalid" satisfies Reason);
    }
  });

  test(`${name}: reasons, where it gives them, add up to the difference of any two rows`, async (t) => {
    const { explain, score } = await model;
    if (explain === undefined) return t.pass();
    const scores = Array.from(score(all), (p) => Math.log(p / (1 - p)));
    const sums = explain(all).map((factors) => {
      t.deepEqual(
        factors.map(({ feature }) => feature),
        borrowerFeatures.map((feature) => feature.name),
      );
      return factors.reduce((sum, { effect }) => sum + effect, 0);
    });
    for (let row = 1; row < all.rows; row++)
      t.true(Math.abs(sums[row]! - sums[0]! - (scores[row]! - scores[0]!)) < 1e-8);
  });

  test(`${name}: each of its formats writes files`, async (t) => {
    for (const [format, files] of (await model).exports) {
      const written = await files();
      t.true(written.length > 0, format);
      for (const { name: file, bytes } of written) t.true(/^[\w.-]+$/.test(file) && bytes.length > 0);
    }
    t.pass();
  });
}

test("a study's results are found by their algorithm", async (t) => {
  const study = studyAbout(modelNames[0]!);
  const { results } = await runPlain(study, [all]);
  for (const name of algorithmNames)
    t.is(resultsBy(algorithmNamed(name), { ...study, results }).size, Object.hasOwn(results, name) ? 1 : 0);
});
