import { z } from "zod";
import { Refusal } from "../../core/reasons.ts";
import { agreed } from "./rounding.ts";

/** Bins of scores 0…1: of equal width in asin √score, so that they are narrow where good models score, near 0 and 1. */
export const scoreBins = 1024;

export const binOf = (score: number): number =>
  Math.min(scoreBins - 1, Math.floor((scoreBins * 2 * Math.asin(Math.sqrt(score))) / Math.PI));

/** @returns the score at `bin` bins from 0; a half is a bin's middle. */
export function scoreAt(bin: number): number {
  const root = Math.sin((bin * Math.PI) / (2 * scoreBins));
  return agreed(root * root);
}

const calibrationGroups = 10;

export interface ScoreCounts {
  /** Rows per score bin and class, shape [scoreBins]. */
  readonly good: Float64Array;
  readonly bad: Float64Array;
  /** Rows that score 0.5 or more. */
  readonly goodCalledBad: number;
  readonly badCalledBad: number;
  /** Σ (score − label)². */
  readonly squaredError: number;
}

const share = z.number().min(0).max(1);
const rowCount = z.int().min(0);

/** A group of about equal size by score. */
const calibrationGroup = z.strictObject({
  from: share,
  to: share,
  n: rowCount,
  bad: rowCount,
  /** Mean score, to half a bin. */
  predicted: share,
  observed: share,
});

const cutOffSteps = 20;

/** What refusing from a score on would have done to these rows. */
const cutOff = z.strictObject({
  /** Rows that score less are approved. */
  score: share,
  approvalRate: share,
  /** Of the approved rows. */
  badRate: share,
  /** Of all bad rows and of all good ones, those refused; their difference is what KS is the largest of. */
  badRefused: share,
  goodRefused: share,
});

export const evaluationSchema = z.strictObject({
  n: rowCount,
  bad: rowCount,
  /** Area under the ROC curve; a pair of rows in one bin counts as a tie. */
  auc: share,
  /** How far `auc` can be from the area without bins. */
  aucWithin: share,
  /** Kolmogorov–Smirnov: largest distance of the two classes' distribution functions at a bin's edge. */
  ks: share,
  gini: z.number().min(-1).max(1),
  /** Mean squared error of the score. */
  brier: z.number().min(0),
  /** At a cut-off of 0.5. */
  accuracy: share,
  /** Accuracy of calling every row the more frequent class. */
  majority: share,
  confusion: z.strictObject({
    trueBad: rowCount,
    falseBad: rowCount,
    trueGood: rowCount,
    falseGood: rowCount,
  }),
  calibration: z.array(calibrationGroup).max(calibrationGroups),
  /** By about equal steps of the approval rate: 0.5 is rarely where a bank would refuse. */
  cutOffs: z.array(cutOff).max(cutOffSteps - 1),
});

export type Evaluation = Readonly<z.output<typeof evaluationSchema>>;
type CutOff = Readonly<z.output<typeof cutOff>>;

/** How far a cut-off tells the classes apart: the largest over all scores is the KS statistic. */
export const ksAt = ({ badRefused, goodRefused }: CutOff): number => Math.abs(badRefused - goodRefused);
type CalibrationGroup = Readonly<z.output<typeof calibrationGroup>>;

/** How well scores tell two classes apart; undefined where one of them has no row. */
export interface Separation {
  readonly auc: number;
  readonly aucWithin: number;
  readonly ks: number;
}

/** @param good,bad - rows per score bin. */
export function separationOf(good: ArrayLike<number>, bad: ArrayLike<number>): Separation | undefined {
  const [allGood, allBad] = [total(good), total(bad)];
  if (allGood === 0 || allBad === 0) return undefined;
  let goodBelow = 0;
  let badBelow = 0;
  let ordered = 0;
  let tied = 0;
  let ks = 0;
  for (let bin = 0; bin < scoreBins; bin++) {
    ordered += bad[bin]! * goodBelow;
    tied += bad[bin]! * good[bin]!;
    goodBelow += good[bin]!;
    badBelow += bad[bin]!;
    ks = Math.max(ks, Math.abs(goodBelow / allGood - badBelow / allBad));
  }
  const pairs = allGood * allBad;
  return { auc: (ordered + tied / 2) / pairs, aucWithin: tied / 2 / pairs, ks };
}

/** @throws Refusal rows_missing | single_class */
export function metricsFrom(counts: ScoreCounts): Evaluation {
  const good = total(counts.good);
  const bad = total(counts.bad);
  const n = good + bad;
  if (n === 0) throw new Refusal("rows_missing", "no party has rows for evaluation");
  const separation = separationOf(counts.good, counts.bad);
  if (separation === undefined)
    throw new Refusal("single_class", `all ${n} labels of the evaluated rows are equal`);
  const { auc, aucWithin, ks } = separation;
  const { goodCalledBad: falseBad, badCalledBad: trueBad } = counts;
  return {
    n,
    bad,
    auc,
    aucWithin,
    ks,
    gini: 2 * auc - 1,
    brier: counts.squaredError / n,
    accuracy: (trueBad + good - falseBad) / n,
    majority: Math.max(good, bad) / n,
    confusion: { trueBad, falseBad, trueGood: good - falseBad, falseGood: bad - trueBad },
    calibration: calibrationOf(counts, n),
    cutOffs: cutOffsOf(counts, good, bad),
  };
}

function calibrationOf(counts: ScoreCounts, n: number): CalibrationGroup[] {
  const groups: CalibrationGroup[] = [];
  let first = 0;
  let rows = 0;
  let bad = 0;
  let scores = 0;
  let seen = 0;
  for (let bin = 0; bin < scoreBins; bin++) {
    const inBin = counts.good[bin]! + counts.bad[bin]!;
    rows += inBin;
    seen += inBin;
    bad += counts.bad[bin]!;
    scores += inBin * scoreAt(bin + 0.5);
    const full = seen >= ((groups.length + 1) * n) / calibrationGroups;
    if (rows > 0 && (full || bin === scoreBins - 1)) {
      groups.push({
        from: scoreAt(first),
        to: scoreAt(bin + 1),
        n: rows,
        bad,
        predicted: scores / rows,
        observed: bad / rows,
      });
      first = bin + 1;
      rows = bad = scores = 0;
    }
  }
  return groups;
}

function cutOffsOf(counts: ScoreCounts, good: number, bad: number): CutOff[] {
  const cutOffs: CutOff[] = [];
  let [goodBelow, badBelow] = [0, 0];
  for (let bin = 0; bin + 1 < scoreBins; bin++) {
    const before = goodBelow + badBelow;
    goodBelow += counts.good[bin]!;
    badBelow += counts.bad[bin]!;
    const approved = goodBelow + badBelow;
    const stepsAt = (rows: number) => Math.floor((rows * cutOffSteps) / (good + bad));
    if (stepsAt(approved) === stepsAt(before) || approved === good + bad) continue;
    cutOffs.push({
      score: scoreAt(bin + 1),
      approvalRate: approved / (good + bad),
      badRate: badBelow / approved,
      badRefused: 1 - badBelow / bad,
      goodRefused: 1 - goodBelow / good,
    });
  }
  return cutOffs;
}

const total = (values: ArrayLike<number>): number => Array.from(values).reduce((sum, x) => sum + x, 0);
