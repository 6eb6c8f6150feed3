/**
 * What released sums say of one record to whoever knows all other records, every state, and what a colluding member added.
 * Sums are taken in memory: to the last bit what the sealed sum releases, noise included.
 */
import { normalTail } from "../../core/normal.ts";
import { type Random, secureRandom, uniform } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import { decodeSums } from "../../models/blocks.ts";
import { StudyMemory } from "../../models/memory.ts";
import type { FixedPoint } from "../../models/numerics/exact-sum.ts";
import { takeRows } from "../../models/rows.ts";
import { checkManifest, type StudyManifest } from "../../models/study.ts";
import {
  advanceStudy,
  runningIn,
  type StudyState,
  startStudy,
  studyContribute,
  studyEvents,
  studyNext,
} from "../../models/study-loop.ts";
import type { NumericColumn, Table } from "../../models/table.ts";
import { epsilonOf } from "../../privacy/noise/accountant.ts";
import { gaussianMu } from "../../privacy/noise/analytic.ts";
import { dequantizeSum, planPacking, quantize, T } from "../../privacy/sum/layout.ts";
import { addNoiseFrom, drawNoise } from "../../privacy/sum/noise.ts";
import { packingOf, roundingVariance } from "../../privacy/sum/noise-terms.ts";
import { sharedOut } from "../dp/plan.ts";
import type { Attack } from "./attack.ts";
import { gainOf } from "./stage.ts";

const delta = 1e-6;
const rows = 150;
/** Victim's enterprise, another, and a friend of the attacker's whose noise is known: it counts for nothing. */
const parties = 3;

/** The victim is the last row of the first table: unlike all others, which is the worst for it. */
function tablesOf(random: Random): Table[] {
  return Array.from({ length: parties }, () => {
    const column = (): NumericColumn => ({
      kind: "numeric",
      values: Float64Array.from({ length: rows }, (_, row) =>
        row === rows - 1 ? 6 : 1 + 2 * uniform(random),
      ),
    });
    const label = Uint8Array.from({ length: rows }, (_, row) =>
      row === rows - 1 || uniform(random) < 0.3 ? 1 : 0,
    );
    return {
      rows,
      columns: new Map(["x1", "x2", "x3"].map((name) => [name, column()])),
      label,
      outcome: label,
      subject: Int32Array.from({ length: rows }, (_, row) => row),
      holdout: new Uint8Array(rows),
    };
  });
}

const exactStudy: StudyManifest = checkManifest({
  consortium: "attack",
  name: "membership",
  purpose: "attack",
  legalBasis: "none",
  impactAssessment: "none",
  retentionDays: 1,
  label: { column: "bad", bad: ["1"], good: ["0"] },
  features: ["x1", "x2", "x3"].map((name) => ({ name, kind: "numeric" })),
  maxRowsPerParty: rows,
  holdout: { fraction: 0 },
  algorithms: [{ name: "range" }, { name: "bins" }, { name: "additive-private", sums: 2 }],
  privacy: { minCohort: 3, maxColluding: 1, unit: "record" },
  unprotected: ["noise"],
  deadlines: { stepSeconds: 10 },
});

/** @returns the same study at an ε, all its sums counted; without noise where it is infinite. */
function studyAt(epsilon: number): StudyManifest {
  if (epsilon === Number.POSITIVE_INFINITY) return exactStudy;
  const shares = exactStudy.algorithms.map((entry, i) => ({ entry, share: [0.2, 0.4, 0.4][i]! }));
  const study = sharedOut(exactStudy, shares, { epsilon, delta, dropOuts: 0 });
  const cost = epsilonOf(studyEvents(study), delta);
  if (!(cost <= epsilon * (1 + 1e-9))) throw new RangeError(`the study costs ${cost}`);
  return study;
}

/** One released sum as the attacker sees it, in steps, and what it would be in each of two worlds. */
interface Seen {
  readonly state: StudyState;
  /** The sums themselves: as released, and without the victim's enterprise holding the victim. */
  readonly sums: readonly [Float64Array, Float64Array];
  readonly released: Float64Array;
  readonly worlds: readonly [Float64Array, Float64Array];
  /** Of each entry's noise, the friend's taken away; 0 without noise. */
  readonly variances: Float64Array;
}

/**
 * Runs a study on the first world's tables or the second's.
 * @param worlds - what the victim's enterprise may hold. @param truth - which it holds.
 */
async function watched(
  study: StudyManifest,
  worlds: readonly [Table, Table],
  others: readonly Table[],
  truth: 0 | 1,
): Promise<Seen[]> {
  const seen: Seen[] = [];
  let state = startStudy(study);
  while (state.algorithm !== null) {
    const { layout, noise } = studyNext(study, state);
    const cohort = Array.from({ length: parties }, (_, i) => `party-${i}`);
    const header = { layout, noise, cohort, minCohort: parties, follows: null };
    const packing = noise === undefined ? planPacking(layout, parties) : packingOf(header);
    const slotsOf = async (of: StudyState, table: Table) =>
      quantize(
        await studyContribute(study, of, table, { random: secureRandom, memory: new StudyMemory() }),
        packing,
      );
    const sumOf = (parts: readonly Float64Array[]): Float64Array => {
      const total = new Float64Array(packing.slots);
      for (const part of parts) for (let s = 0; s < total.length; s++) total[s] = (total[s]! + part[s]!) % T;
      return dequantizeSum(total, packing, parties);
    };
    const rest = await Promise.all(others.map((table) => slotsOf(state, table)));
    const both = await Promise.all(worlds.map((table) => slotsOf(state, table)));
    const released = [both[truth]!, ...rest].map((slots) => slots.slice());
    // The friend draws none, and the two others reach σ² without it.
    for (const slots of released.slice(0, parties - 1))
      addNoiseFrom(0, slots, packing, drawNoise("", header, [], secureRandom).parts);
    const values = sumOf(released);
    const steps = layout.blocks.flatMap(({ length, step }) => new Array<number>(length).fill(step));
    const inSteps = (of: Float64Array): Float64Array => of.map((x, i) => x / steps[i]!);
    const known = [sumOf([both[0]!, ...rest]), sumOf([both[1]!, ...rest])] as const;
    seen.push({
      state,
      sums: [values, known[0]],
      released: inSteps(values),
      worlds: [inSteps(known[0]), inSteps(known[1])],
      variances: Float64Array.from(
        layout.blocks.flatMap(({ length }, b) =>
          new Array<number>(length).fill(noise === undefined ? 0 : noise.variances[b]! + roundingVariance),
        ),
      ),
    });
    try {
      state = await advanceStudy(study, state, { values, parties });
    } catch (error) {
      // Noise may leave no result: the study ends, and its sums are what they are.
      if (!(error instanceof Refusal)) throw error;
      break;
    }
  }
  return seen;
}

/** @returns how much likelier all sums are in the second world: the best test that there is, by Neyman and Pearson. */
const evidence = (seen: readonly Seen[]): number =>
  seen.reduce((sum, { released, worlds, variances }) => {
    let own = 0;
    for (let i = 0; i < released.length; i++)
      own +=
        ((released[i]! - worlds[0][i]!) ** 2 - (released[i]! - worlds[1][i]!) ** 2) /
        Math.max(1e-9, 2 * variances[i]!);
    return sum + own;
  }, 0);

/** @returns a share of right guesses, of two: 0 is a coin, 1 is certainty. */
async function advantage(
  epsilon: number,
  trials: number,
  worldsOf: (victims: Table) => readonly [Table, Table],
): Promise<number> {
  const study = studyAt(epsilon);
  const [victims, ...others] = tablesOf(secureRandom) as [Table, ...Table[]];
  const worlds = worldsOf(victims);
  let right = 0;
  for (let trial = 0; trial < trials; trial++) {
    const truth = trial % 2 === 0 ? 0 : 1;
    if (evidence(await watched(study, worlds, others, truth)) > 0 === (truth === 1)) right++;
  }
  return (2 * right) / trials - 1;
}

const withAndWithout = (table: Table): readonly [Table, Table] => [
  takeRows(
    table,
    Array.from({ length: rows - 1 }, (_, row) => row),
  ),
  table,
];

const goodAndBad = (table: Table): readonly [Table, Table] => {
  const label = table.label.with(rows - 1, 0);
  return [{ ...table, label, outcome: label }, table];
};

/** @returns the largest advantage that any test can have against a Gaussian mechanism: 2 Φ(μ ÷ 2) − 1. */
const most = (mu: number): number => 1 - 2 * normalTail(mu / 2);

/** Three standard deviations of a share of right guesses. */
const byChance = (trials: number): number => 3 / Math.sqrt(trials);

/** @returns how well the numbers of a row are read off sums over tables that differ by it. */
async function readOff(epsilon: number, trials: number): Promise<number> {
  const summed: StudyManifest = { ...exactStudy, algorithms: [{ name: "range" }, { name: "summary" }] };
  const shares = summed.algorithms.map((entry) => ({ entry, share: 0.5 }));
  const study =
    epsilon === Number.POSITIVE_INFINITY
      ? summed
      : sharedOut(summed, shares, { epsilon, delta, dropOuts: 0 });
  const names = [...exactStudy.features.map(({ name }) => name)];
  const [guess, truth]: [number[], number[]] = [[], []];
  for (let trial = 0; trial < trials; trial++) {
    const [whole, ...others] = tablesOf(secureRandom) as [Table, ...Table[]];
    const own = names.map(() => 1 + 2 * uniform(secureRandom));
    const columns = new Map(whole.columns);
    for (const [f, name] of names.entries()) {
      const { values } = columns.get(name) as NumericColumn;
      columns.set(name, { kind: "numeric", values: values.with(rows - 1, own[f]!) });
    }
    const victims = { ...whole, columns };
    const seen = await watched(study, withAndWithout(victims), others, 1);
    // Without the row's part the sum is known: what is over is the row.
    const { state, sums } = seen.at(-1)!;
    const blocks = runningIn(study, state).blocks(state.algorithmState);
    const fine = 2 ** -20;
    const steps = study.privacy.noise === undefined ? undefined : { sum: fine, squares: fine };
    const [released, known] = sums.map(
      (values) => decodeSums(blocks, values, steps).sum as unknown as readonly FixedPoint[],
    );
    for (const [f, value] of own.entries()) {
      guess.push(numberOf(released![f]!) - numberOf(known![f]!));
      truth.push(value);
    }
  }
  return gainOf(guess, Float64Array.from(truth));
}

const numberOf = ({ units, exponent }: FixedPoint): number => Number(units) * 2 ** exponent;

const epsilons = [8, 4, 2, 1] as const;
const trials = 600;
const certainly = 0.99;
const rounded = (x: number): number => Math.round(1e3 * x) / 1e3;

/** The control of each is the same attack at ε = ∞: the sums as they are. */
export const membershipAttacks: readonly Attack[] = epsilons.flatMap((epsilon): Attack[] => {
  const mu = gaussianMu(epsilon, delta);
  const at = (control: boolean): number => (control ? Number.POSITIVE_INFINITY : epsilon);
  const tried = (control: boolean): number => (control ? 20 : trials);
  return [
    {
      name: `membership of one record from all sums of a study at epsilon ${epsilon}`,
      unit: "advantage over a coin",
      guessing: rounded(most(mu) + byChance(trials)),
      success: certainly,
      quick: false,
      play: (_, control) => advantage(at(control), tried(control), withAndWithout),
    },
    {
      name: `the label of a known record from all sums of a study at epsilon ${epsilon}`,
      unit: "advantage over a coin",
      // Another label is one record less and one more.
      guessing: rounded(most(2 * mu) + byChance(trials)),
      success: certainly,
      quick: false,
      play: (_, control) => advantage(at(control), tried(control), goodAndBad),
    },
    {
      name: `a record's numbers from a sum over others that are known, at epsilon ${epsilon}`,
      unit: "correlation",
      guessing: 0.2,
      success: certainly,
      quick: epsilon === 8,
      play: (_, control) => readOff(at(control), 80),
    },
  ];
});
