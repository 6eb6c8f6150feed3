/** What private algorithms rest on: lengths that hold for any row, and draws that nobody foresees. */
import test from "ava";
import fc from "fast-check";
import { exactAuc } from "../../../bench/credit/split.ts";
import { keyedUniforms, seededRandom, uniform } from "../../../core/random.ts";
import type { RangeResult } from "../../../models/algorithms/range.ts";
import { StudyMemory } from "../../../models/memory.ts";
import { clippedGradient } from "../../../models/network/clipped-gradient.ts";
import { logOddsOf } from "../../../models/network/in-double.ts";
import { initialWeights, networkOf, rectified } from "../../../models/network/mlp.ts";
import { clipTo } from "../../../models/numerics/clip.ts";
import { eigenOf, solveFloored } from "../../../models/numerics/eigen.ts";
import { mostOfResidualAndWeight } from "../../../models/numerics/logistic-sums.ts";
import { runPlain } from "../../../models/plain.ts";
import { modelsOf } from "../../../models/results.ts";
import { takeRows } from "../../../models/rows.ts";
import type { StudyManifest } from "../../../models/study.ts";
import { manifestFaults, studyContribute, studyEvents, studyNext } from "../../../models/study-loop.ts";
import { roundingVariance } from "../../../privacy/sum/noise-terms.ts";
import { statesOf, studyAbout, withNoise } from "../../support/algorithms.ts";
import { borrowers } from "../../support/rows.ts";

const lengthOf = (vector: ArrayLike<number>): number => Math.hypot(...Array.from(vector));

test("a residual and a curvature are together never longer than their bound", (t) => {
  let most = 0;
  for (let p = 0; p <= 1; p += 1e-4) most = Math.max(most, (1 - p) ** 2 + (4 * p * (1 - p)) ** 2);
  t.true(most <= mostOfResidualAndWeight && most > mostOfResidualAndWeight - 2e-4, `${most}`);
});

test("whatever a vector holds, it is no longer than its bound once it is clipped; a short one stays as it is", (t) => {
  const any = fc.oneof(fc.double(), fc.constantFrom(1e308, -1e308, 5e-324, Number.NaN, Infinity, -Infinity));
  fc.assert(
    fc.property(
      fc.array(any, { minLength: 1, maxLength: 8 }),
      fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
      (values, norm) => {
        const clipped = Float64Array.from(values);
        clipTo(clipped, norm);
        t.true(lengthOf(clipped) <= norm * (1 + 1e-12));
      },
    ),
  );
  const short = Float64Array.of(0.3, -0.4);
  clipTo(short, 0.5);
  t.deepEqual([...short], [0.3, -0.4]);
  const long = Float64Array.of(3, -4);
  clipTo(long, 1);
  t.true(Math.abs(long[0]! - 0.6) < 1e-15 && Math.abs(long[1]! + 0.8) < 1e-15);
  t.throws(() => clipTo(long, 0), { instanceOf: RangeError });
});

test("eigenvalues and vectors make up the matrix again; small and negative ones are raised", (t) => {
  const n = 7;
  const random = seededRandom("eigen");
  const matrix = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) matrix[i * n + j] = matrix[j * n + i] = uniform(random) - 0.5;
  const { values, vectors } = eigenOf(matrix, n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += values[k]! * vectors[i * n + k]! * vectors[j * n + k]!;
      t.true(Math.abs(sum - matrix[i * n + j]!) < 1e-12);
    }
  t.deepEqual(
    [...solveFloored(Float64Array.of(2, 0, 0, -5), Float64Array.of(4, 3), 1)].map((x) => Math.round(x)),
    [2, 3],
  );
  t.throws(() => solveFloored(matrix, new Float64Array(n), 0), { instanceOf: RangeError });
});

test("a row's gradient is that of its log-loss, shortened; many add up", (t) => {
  const network = networkOf(3, rectified([4, 3]));
  const weights = Float64Array.from(initialWeights(network, "gradient"), (w) => w + 0.05);
  const random = seededRandom("rows");
  const rows = 6;
  const matrix = Float64Array.from({ length: 3 * rows }, () => 4 * uniform(random) - 2);
  const label = Uint8Array.of(0, 1, 1, 0, 1, 0);
  const lossOf = (of: Float64Array, row: number): number => {
    const [logOdds] = logOddsOf(network, of, matrix.slice(3 * row, 3 * row + 3));
    return Math.log1p(Math.exp(label[row] === 1 ? -logOdds! : logOdds!));
  };
  const norm = 0.7;
  const total = new Float64Array(network.length);
  for (let row = 0; row < rows; row++) {
    const slope = weights.map((_, i) => {
      const [up, down] = [1e-5, -1e-5].map((by) => lossOf(weights.with(i, weights[i]! + by), row));
      return (up! - down!) / 2e-5;
    });
    const share = Math.min(1, norm / lengthOf(slope));
    const own = clippedGradient(network, weights, matrix, label, [row], norm);
    t.true(
      own.every((x, i) => Math.abs(x - share * slope[i]!) < 1e-6),
      `row ${row}`,
    );
    t.true(lengthOf(own) <= norm * (1 + 1e-12));
    for (const [i, x] of own.entries()) total[i]! += x;
  }
  const together = clippedGradient(network, weights, matrix, label, [...label.keys()], norm);
  t.true(together.every((x, i) => Math.abs(x - total[i]!) < 1e-12));
});

test("no row, and no weights, make a gradient longer than its bound", (t) => {
  const network = networkOf(2, rectified([3]));
  const huge = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(1e308, -1e308, 1e-308),
  );
  fc.assert(
    fc.property(
      fc.array(huge, { minLength: network.length, maxLength: network.length }),
      fc.tuple(huge, huge),
      fc.constantFrom(0, 1),
      (weights, row, label) => {
        const own = clippedGradient(network, weights, Float64Array.from(row), Uint8Array.of(label), [0], 1);
        t.true(lengthOf(own) <= 1 + 1e-12, `${lengthOf(own)}`);
      },
    ),
  );
});

test("draws follow from key and name alone, are even, and those of one key say nothing of another's", (t) => {
  const names = new Uint8Array(16 * 20_000);
  for (let i = 0; i < 20_000; i++) new DataView(names.buffer).setUint32(16 * i, i);
  const [one, same, other] = ["a", "a", "b"].map((key) => keyedUniforms(seededRandom(key).bytes(32), names));
  t.deepEqual(one, same);
  const below = one!.filter((x) => x < 0.05).length / 20_000;
  t.true(Math.abs(below - 0.05) < 5 * Math.sqrt((0.05 * 0.95) / 20_000), `${below}`);
  const both = one!.filter((x, i) => x < 0.05 && other![i]! < 0.05).length / 20_000;
  t.true(Math.abs(both - 0.0025) < 5 * Math.sqrt(0.0025 / 20_000), `${both}`);
});

test("rows are drawn anew for each sum, each on its own", async (t) => {
  const study = withNoise(studyAbout("neural-private"), 0.1);
  const [state] = await statesOf(study, borrowers(), 1);
  const means = { random: seededRandom("draws"), memory: new StudyMemory() };
  const [first, second] = [
    await studyContribute(study, state!, borrowers(), means),
    await studyContribute(study, state!, borrowers(), means),
  ];
  t.notDeepEqual(first, second);
  t.is(studyNext(study, state!).noise!.samplingRate, 0.05);
  // of a subject's three rows any may be drawn
  const subjects = {
    ...study,
    privacy: {
      ...study.privacy,
      unit: "subject" as const,
      noise: { ...study.privacy.noise!, rowsPerSubject: 3 },
    },
  };
  t.true(Math.abs(studyNext(subjects, state!).noise!.samplingRate - 0.15) < 1e-12);
  t.true(studyEvents(subjects).some(({ samplingRate }) => Math.abs(samplingRate - 0.15) < 1e-12));
});

test("a unit is what one row can change: subjects are named, and no row leaves others out", (t) => {
  const study = withNoise(studyAbout("logistic-private"), 1);
  const { noise } = study.privacy;
  const about = (change: object): string[] =>
    manifestFaults({ ...study, ...change }).map(({ message }) => message);
  t.deepEqual(about({}), []);
  const bySubject = { ...study.privacy, unit: "subject", noise: { ...noise!, rowsPerSubject: 3 } };
  t.regex(about({ privacy: bySubject }).join(), /privacy.unit is subject, and nothing says whose a row is/);
  t.deepEqual(about({ privacy: bySubject, subject: "owner" }), []);
  const late = { holdout: { fraction: 0, outOfTime: { column: "granted", from: "2015-07" } } };
  t.deepEqual(about(late), [], "each row is its own");
  t.deepEqual(about({ ...late, privacy: bySubject, subject: "owner" }), []);
  t.regex(about({ ...late, subject: "owner" }).join(), /leaves out rows of a subject for another one/);
});

test("noise is as much more as a subject has rows: no bucket that noise alone fills stretches a column", async (t) => {
  const exact = await boundsOf(studyAbout("range"));
  const study = withNoise(studyAbout("range"), 0.1);
  const noise = { ...study.privacy.noise!, rowsPerSubject: 10 };
  const noisy = await boundsOf({
    ...study,
    privacy: { ...study.privacy, unit: "subject", noise },
    subject: "owner",
  });
  for (const [name, { low, high }] of Object.entries(noisy.columns)) {
    const within = exact.columns[name]!;
    t.true(within.low <= low && low <= high && high <= within.high, `${name}: ${low} to ${high}`);
  }
  t.true(Object.values(noisy.columns).some(({ low, high }) => low < high));
});

const boundsOf = async (study: StudyManifest): Promise<RangeResult> =>
  (await runPlain(study, [borrowers()])).results.range as RangeResult;

for (const name of ["additive-private", "logistic-private", "boosting"])
  test(`${name}: with little noise it ranks nearly as without, with much it does not`, async (t) => {
    const rows = borrowers();
    const aucAt = async (multiplier: number): Promise<number> => {
      const study = multiplier === 0 ? studyAbout(name) : withNoise(studyAbout(name), multiplier);
      const { results } = await runPlain(study, [rows]);
      return exactAuc(
        modelsOf({ ...study, results })
          .get(name)!
          .score(rows),
        rows.label,
      );
    };
    const [exact, little, much] = [await aucAt(0), await aucAt(0.1), await aucAt(30)];
    t.true(little > exact - 0.1, `${exact} ${little}`);
    t.true(much < exact - 0.1, `${exact} ${much}`);
  });

test("where every row is drawn, one made up to do the most does nearly what a private network is charged for, and no more", async (t) => {
  const plan = withNoise(studyAbout("neural-private"), 0.1);
  const algorithms = plan.algorithms.map((one) =>
    one.name === "neural-private" ? { ...one, rowShare: 1 } : one,
  );
  const study = { ...plan, algorithms };
  const [state] = await statesOf(study, borrowers(), 1);
  const whole = borrowers();
  const columns = new Map(whole.columns);
  for (const [name, column] of columns)
    if (column.kind === "numeric") columns.set(name, { ...column, values: column.values.with(17, 1e12) });
  const others = takeRows(
    whole,
    [...Array(whole.rows).keys()].filter((row) => row !== 17),
  );
  const sums: Float64Array[] = [];
  for (const table of [{ ...whole, columns, label: whole.label.with(17, 1) }, others])
    sums.push(
      await studyContribute(study, state!, table, { random: seededRandom("all"), memory: new StudyMemory() }),
    );
  const moved = lengthOf(sums[0]!.map((x, i) => x - sums[1]![i]!));
  const { layout, noise } = studyNext(study, state!);
  const [step, variance] = [layout.blocks[0]!.step, noise!.variances[0]!];
  const charged = noise!.sensitivity * Math.sqrt(variance - roundingVariance) * step;
  t.true(moved <= charged && moved > 0.5 * charged, `${moved} of ${charged}`);
});
