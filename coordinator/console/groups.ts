/** How models score groups of borrowers apart, and whom one would approve that another refuses. */
import { chart } from "../../core/pages/charts.ts";
import { type Html, html } from "../../core/pages/html.ts";
import { groupedTable, table } from "../../core/pages/parts.ts";
import type { EvaluateResult } from "../../models/algorithms/evaluate.ts";
import { numeric } from "./frame.ts";
import type { Locale } from "./locale.ts";

/** Each segment's rows by each model: what it predicts, what came, and how well it tells them apart. */
export function segmentsView(segments: NonNullable<EvaluateResult["segments"]>, locale: Locale): Html[] {
  const { words, number, fixed, percent } = locale;
  return Object.entries(segments).map(
    ([feature, levels]) => html`<h2>${words.segmentsOf(feature)}</h2>
${groupedTable(
  words.segmentsCaption,
  [
    feature,
    words.model,
    ...[words.rows, words.predicted, words.observed, "AUC", words.binsWithin, "KS"].map(numeric),
  ],
  Object.entries(levels).map(([level, { n, bad, models }]) => ({
    name: level,
    rows: Object.entries(models).map(([model, one]) => [
      model,
      number(n),
      percent(one?.predicted ?? Number.NaN),
      percent(bad / n),
      fixed(one?.auc ?? Number.NaN, 4),
      fixed(one?.aucWithin ?? Number.NaN, 4),
      fixed(one?.ks ?? Number.NaN, 3),
    ]),
  })),
)}
<p class="note">${words.segmentsNote}</p>`,
  );
}

/** At each approval rate who would be approved by one of two models alone, and how many of them were bad. */
export function swapView(
  { champion, challenger, cutOffs }: NonNullable<EvaluateResult["swap"]>,
  locale: Locale,
): Html {
  const { words, number, percent } = locale;
  const title = words.swapOf(challenger, champion);
  if (cutOffs.length === 0) return html`<h2>${title}</h2><p class="note">${words.noSwap}</p>`;
  const share = ({ n, bad }: { readonly n: number; readonly bad: number }): number => bad / n;
  const known = (value: number): number | null => (Number.isFinite(value) ? value : null);
  const rowsAndBad = (group: { readonly n: number; readonly bad: number }): string =>
    group.n === 0 ? "–" : words.rowsAndBad(number(group.n), percent(share(group)));
  const most = cutOffs.reduce((best, one) => (one.swappedIn.n > best.swappedIn.n ? one : best));
  return html`<h2>${title}</h2>
${chart({
  title: words.swapTitle,
  summary: words.swapSummary(
    percent(most.approvalRate),
    rowsAndBad(most.swappedIn),
    rowsAndBad(most.swappedOut),
  ),
  kind: "line",
  labels: cutOffs.map(({ approvalRate }) => percent(approvalRate)),
  max: 1,
  format: percent,
  words: { numbers: words.theNumbers, at: words.approved },
  series: [
    { name: words.swappedIn(challenger), values: cutOffs.map(({ swappedIn }) => known(share(swappedIn))) },
    { name: words.swappedOut(champion), values: cutOffs.map(({ swappedOut }) => known(share(swappedOut))) },
  ],
})}
${table(
  words.swapCaption,
  [
    words.approved,
    words.cutOffOf(champion),
    words.cutOffOf(challenger),
    words.approvedByBoth,
    words.swappedIn(challenger),
    words.swappedOut(champion),
    words.declinedByBoth,
  ].map(numeric),
  cutOffs.map((at) => [
    ...[at.approvalRate, at.championScore, at.challengerScore].map(percent),
    ...[at.approvedByBoth, at.swappedIn, at.swappedOut, at.declinedByBoth].map(rowsAndBad),
  ]),
)}`;
}
