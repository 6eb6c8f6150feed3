/** What a published model says of its columns bin by bin: weights of evidence, and a scorecard's points. */
import { chart } from "../../core/pages/charts.ts";
import { type Html, html } from "../../core/pages/html.ts";
import { groupedTable, table } from "../../core/pages/parts.ts";
import type { ScorecardResult } from "../../models/algorithms/scorecard.ts";
import type { WoeColumn, WoeResult } from "../../models/algorithms/woe.ts";
import { type BinContent, type Binned, binContent, binCount, cutDigits } from "../../models/binning.ts";
import type { FeatureSchema } from "../../models/table.ts";
import { numeric } from "./frame.ts";
import type { Locale } from "./locale.ts";

/** As everywhere on the pages, where these keep the cuts apart. */
const usualDigits = 4;

/** @returns what falls into each bin, in the reader's words and numbers. */
export function binTexts(feature: FeatureSchema, binned: Binned, { tag, words }: Locale): string[] {
  const digits = cutDigits(binned, usualDigits);
  const written = (value: number): string => value.toLocaleString(tag, { maximumSignificantDigits: digits });
  const end = (cut: number | undefined): string | undefined => (cut === undefined ? undefined : written(cut));
  const levels = feature.kind === "categorical" ? feature.levels : [];
  const said = (of: BinContent): string => {
    switch (of.is) {
      case "missing":
        return words.binMissing;
      case "levels":
        return of.levels.join(words.or);
      case "special":
        return words.binCode(written(of.value));
      case "range":
        return words.binRange(end(of.from), end(of.to));
    }
  };
  return Array.from({ length: binCount(binned) }, (_, bin) => said(binContent(binned, levels, bin)));
}

interface Told {
  readonly name: string;
  readonly column: WoeColumn;
  readonly texts: readonly string[];
  /** Bins that hold rows: the others say nothing. */
  readonly held: readonly number[];
}

const toldOf = ({ features, columns }: Pick<WoeResult, "features" | "columns">, locale: Locale): Told[] =>
  features
    .map((feature) => ({ feature, column: columns[feature.name]! }))
    .map(({ feature, column }) => ({
      name: feature.name,
      column,
      texts: binTexts(feature, column.binned, locale),
      held: column.bins.flatMap(({ good, bad }, i) => (good + bad > 0 ? [i] : [])),
    }))
    .sort((a, b) => b.column.iv - a.column.iv);

/** How strong each column is, and which of its bins are good and which bad. */
export function woeView(name: string, result: WoeResult, locale: Locale): Html {
  const { words, number, fixed, percent } = locale;
  const told = toldOf(result, locale);
  return html`<h2>${words.woeOf(name)}</h2>
${table(
  words.woeCaption,
  [words.column, numeric(words.informationValue), numeric(words.bins)],
  told.map(({ name, column, held }) => [name, fixed(column.iv, 3), number(held.length)]),
)}
<div class="small-charts">${told.map(({ name, column: { bins, iv }, texts, held }) =>
    chart({
      title: words.woeTitle(name, fixed(iv, 3)),
      summary: words.woeSummary(
        ...([held[0], held.at(-1)].map((bin) => texts[bin ?? 0]!) as [string, string]),
        ...([held[0], held.at(-1)].map((bin) => fixed(bins[bin ?? 0]!.woe, 2)) as [string, string]),
      ),
      kind: "bar",
      labels: held.map((bin) => texts[bin]!),
      series: [{ name: "WOE", values: held.map((bin) => bins[bin]!.woe) }],
      format: number,
      words: { numbers: words.theNumbers, at: words.bin },
      isSmall: true,
    }),
  )}</div>
<details class="card"><summary>${words.allBins}</summary>${groupedTable(
    words.allBins,
    [words.column, words.bin, ...[words.rows, words.badShare, "WOE"].map(numeric)],
    told.map(({ name, column: { bins }, texts, held }) => ({
      name,
      rows: held.map((bin) => {
        const { good, bad, woe } = bins[bin]!;
        return [texts[bin], number(good + bad), percent(bad / (good + bad)), fixed(woe, 3)];
      }),
    })),
  )}</details>`;
}

/** The points of every bin, those without rows too: somebody to be scored may fall into them. */
export function scorecardView(name: string, card: ScorecardResult, locale: Locale): Html {
  const { words, number, fixed, percent } = locale;
  return html`<h2>${words.scorecardOf(name)}</h2>
${groupedTable(
  words.scorecardCaption,
  [words.column, words.bin, ...[words.rows, words.badShare, "WOE", words.points].map(numeric)],
  toldOf(card, locale)
    .filter((one) => card.points[one.name] !== undefined)
    .map(({ name, column: { bins }, texts }) => ({
      name,
      rows: bins.map(({ good, bad, woe }, bin) => [
        texts[bin],
        number(good + bad),
        percent(bad / (good + bad)),
        fixed(woe, 3),
        number(card.points[name]![bin]!),
      ]),
    })),
)}
${card.againstExpectation.length > 0 && html`<p class="warning">${words.againstExpectation(card.againstExpectation.join(words.and))}</p>`}`;
}
