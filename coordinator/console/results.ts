/** What a published model came to: figures, curves, coefficients, scorecards. */
import { z } from "zod";
import { chart } from "../../core/pages/charts.ts";
import { type Html, html } from "../../core/pages/html.ts";
import { note, table } from "../../core/pages/parts.ts";
import { evaluate } from "../../models/algorithms/evaluate.ts";
import { logistic } from "../../models/algorithms/logistic.ts";
import { scorecard } from "../../models/algorithms/scorecard.ts";
import { woe } from "../../models/algorithms/woe.ts";
import { type Evaluation, ksAt } from "../../models/numerics/metrics.ts";
import { resultsBy, type StudyResults, studyResultsSchema } from "../../models/results.ts";
import {
  type Stability,
  type StabilityIndex,
  stabilityAt,
  stabilityOf,
  type Thresholds,
} from "../studies/stability.ts";
import { scorecardView, woeView } from "./bins.ts";
import { numeric } from "./frame.ts";
import { segmentsView, swapView } from "./groups.ts";
import type { Locale } from "./locale.ts";

/** What the pages read of a model document. */
export const documentSchema = studyResultsSchema.extend({
  lineage: z.looseObject({ rounds: z.array(z.unknown()) }),
  protection: z.looseObject({ smallestCohort: z.int(), unprotected: z.array(z.string()) }),
});

export type ModelDocument = z.output<typeof documentSchema>;

/** Whether every sum of the study bore noise, those that its figures are taken from among them. */
export const carriesNoise = ({ protection }: Pick<ModelDocument, "protection">): boolean =>
  !protection.unprotected.includes("noise");

/** @param isFolded - whether of several models' curves and tables each is shown on demand. */
export function resultsView(
  document: StudyResults & Partial<ModelDocument>,
  thresholds: Thresholds,
  locale: Locale,
  isFolded = false,
): Html {
  const { words, number, fixed, percent } = locale;
  const evaluations = [...resultsBy(evaluate, document).values()];
  const evaluated = evaluations.flatMap(({ models }) => Object.entries(models));
  return html`<h2>${words.howWell}</h2>
${
  evaluated.length === 0
    ? note(words.notEvaluated)
    : table(
        words.howWellCaption,
        [
          words.model,
          ...[words.rows, words.badShare, "AUC", words.binsWithin, "KS", "Gini", "Brier", words.accuracy].map(
            numeric,
          ),
        ],
        evaluated.map(([name, one]) => [
          name,
          number(one.n),
          percent(one.bad / one.n),
          fixed(one.auc, 4),
          fixed(one.aucWithin, 4),
          ...[one.ks, one.gini, one.brier].map((value) => fixed(value, 3)),
          percent(one.accuracy),
        ]),
      )
}
${document.protection !== undefined && carriesNoise({ protection: document.protection }) && evaluated.length > 0 && note(words.noisyFigures)}
${evaluated.length > 0 && rocChart(evaluated, locale)}
${evaluated.map(([name, one]) =>
  isFolded && evaluated.length > 1
    ? html`<details class="card"><summary>${name}: AUC ${aucText(one, locale)}, KS ${fixed(one.ks, 3)}</summary>${evaluationView(name, one, locale)}</details>`
    : evaluationView(name, one, locale),
)}
${evaluations.map(({ segments, swap }) => [
  segments !== undefined && segmentsView(segments, locale),
  swap !== undefined && swapView(swap, locale),
])}
${[...stabilityOf(document)].map(([name, found]) => stabilityView(name, found, thresholds, locale))}
${[...resultsBy(logistic, document)].map(
  ([name, { intercept, coefficients, ...rest }]) => html`<h2>${words.coefficientsOf(name)}</h2>
${table(
  words.coefficientsCaption,
  [words.column, ...[words.coefficient, words.standardError, "z", "p"].map(numeric)],
  [["intercept", intercept] as const, ...Object.entries(coefficients)].map(([column, value]) => [
    column === "intercept" ? words.intercept : column,
    number(value),
    ...[rest.standardErrors, rest.z].map((of) => number(of?.[column] ?? Number.NaN)),
    chanceText(rest.p?.[column] ?? Number.NaN, locale),
  ]),
)}
${!rest.converged && html`<p class="warning">${words.notConverged}</p>`}`,
)}
${[...resultsBy(scorecard, document)].map(([name, card]) => scorecardView(name, card, locale))}
${[...resultsBy(woe, document)].map(([name, found]) => woeView(name, found, locale))}`;
}

const stabilityKinds = { stable: "good", watch: "warning", shifted: "alarm" } as const;

export const stabilityBadge = (
  stability: Stability,
  { watch, alarm }: Thresholds,
  { words, number }: Locale,
): Html =>
  html`<span class="badge ${stabilityKinds[stability]}">${words.shifts[stability](number(stability === "shifted" ? alarm : watch))}</span>`;

/** How far scores and columns moved since the model was learned. */
function stabilityView(
  name: string,
  indices: readonly StabilityIndex[],
  thresholds: Thresholds,
  locale: Locale,
): Html {
  const { words, fixed } = locale;
  return html`<h2>${words.stabilityOf(name)}</h2>
${table(
  words.stabilityCaption,
  [words.column, numeric(words.stabilityIndex), words.standing],
  indices.map(({ kind, name: what, index }) => [
    kind === "scores" ? words.scoresOf(what) : what,
    fixed(index, 3),
    stabilityBadge(stabilityAt(index, thresholds), thresholds, locale),
  ]),
)}`;
}

const leastChance = 0.0001;

/** A chance, or that it is smaller than anybody needs to know. */
const chanceText = (p: number, { fixed }: Locale): string =>
  p < leastChance ? `< ${fixed(leastChance, 4)}` : fixed(p, 4);

const tableWords = ({ words }: Locale) => ({ numbers: words.theNumbers, at: words.at });

/** An AUC, and how far that of the rows may be from it, where that can be seen in three digits. */
export const aucText = (
  { auc, aucWithin }: Pick<Evaluation, "auc" | "aucWithin">,
  { fixed }: Locale,
): string => (aucWithin < 0.0005 ? fixed(auc, 3) : `${fixed(auc, 3)} ± ${fixed(aucWithin, 3)}`);

/** At most as many curves as colours can be told apart. */
export const mostCurves = 4;

/** @returns the models to draw: the best of each digest by turns, so that none is missing; in their order. */
export function bestOfEach<One extends { readonly digest: string; readonly one: Evaluation }>(
  evaluated: readonly One[],
): One[] {
  const ranks = [...Map.groupBy(evaluated, ({ digest }) => digest).values()].flatMap((side) =>
    side.toSorted((a, b) => b.one.auc - a.one.auc).map((of, rank) => ({ of, rank })),
  );
  const drawn = ranks.toSorted((a, b) => a.rank - b.rank).slice(0, mostCurves);
  return evaluated.filter((one) => drawn.some(({ of }) => of === one));
}

export function rocChart(evaluated: readonly (readonly [string, Evaluation])[], locale: Locale): Html {
  const { words, percent } = locale;
  const shown = evaluated.slice(0, mostCurves);
  const xs = [
    ...new Set([0, 1, ...shown.flatMap(([, { cutOffs }]) => cutOffs.map(({ goodRefused }) => goodRefused))]),
  ].sort((a, b) => a - b);
  return chart({
    title: words.roc,
    summary: shown
      .map(([name, { auc, aucWithin }]) => `${name}: AUC ${aucText({ auc, aucWithin }, locale)}`)
      .join("; "),
    kind: "line",
    labels: xs.map(percent),
    at: xs,
    max: 1,
    format: percent,
    words: tableWords(locale),
    series: shown.map(([name, { cutOffs }]) => ({ name, values: xs.map((x) => rocAt(cutOffs, x)) })),
  });
}

/** Between the curve's points the value of the straight line. */
function rocAt(cutOffs: Evaluation["cutOffs"], x: number): number {
  const points = [
    { x: 0, y: 0 },
    ...cutOffs.map(({ goodRefused, badRefused }) => ({ x: goodRefused, y: badRefused })),
    { x: 1, y: 1 },
  ].sort((a, b) => a.x - b.x || a.y - b.y);
  const after = points.findIndex((point) => point.x >= x);
  const [a, b] = [points[Math.max(0, after - 1)]!, points[after]!];
  // Several points above each other: the highest.
  if (b.x === x) return Math.max(...points.filter((point) => point.x === x).map(({ y }) => y));
  return a.y + ((b.y - a.y) * (x - a.x)) / (b.x - a.x);
}

function evaluationView(name: string, one: Evaluation, locale: Locale): Html {
  const { words, fixed, percent, number } = locale;
  const base = one.bad / one.n;
  const groups = one.calibration;
  const labels = groups.map(({ from, to }) => `${percent(from)}–${percent(to)}`);
  const cuts = one.cutOffs.toSorted((a, b) => a.score - b.score);
  const shared = { words: tableWords(locale) };
  return html`<h2>${name}</h2>
${chart({
  ...shared,
  title: words.ksOf(name),
  summary: words.ksSummary(fixed(one.ks, 3)),
  kind: "line",
  labels: cuts.map(({ score }) => percent(score)),
  max: 1,
  format: percent,
  series: [
    { name: words.badRefused, values: cuts.map(({ badRefused }) => badRefused) },
    { name: words.goodRefused, values: cuts.map(({ goodRefused }) => goodRefused) },
  ],
})}
${chart({
  ...shared,
  title: words.calibrationOf(name),
  summary: words.calibrationSummary(
    percent(Math.max(0, ...groups.map(({ predicted, observed }) => Math.abs(predicted - observed)))),
  ),
  kind: "bar",
  labels,
  format: percent,
  series: [
    { name: words.predicted, values: groups.map(({ predicted }) => predicted) },
    { name: words.observed, values: groups.map(({ observed }) => observed) },
  ],
})}
${chart({
  ...shared,
  title: words.liftOf(name),
  summary: words.liftSummary(number((groups.at(-1)?.observed ?? 0) / base)),
  kind: "bar",
  labels: labels.toReversed(),
  format: number,
  series: [{ name: words.lift, values: groups.map(({ observed }) => observed / base).toReversed() }],
})}
${table(
  words.cutOffCaption(name),
  [words.score, words.approved, words.badAmong, "KS", words.badRefused, words.goodRefused].map(numeric),
  cuts.map((at) =>
    [at.score, at.approvalRate, at.badRate, ksAt(at), at.badRefused, at.goodRefused].map(percent),
  ),
)}`;
}
