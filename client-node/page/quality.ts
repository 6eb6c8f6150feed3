import { chart } from "../../core/pages/charts.ts";
import { type Content, html } from "../../core/pages/html.ts";
import { facts, note, table } from "../../core/pages/parts.ts";
import type { FindingsStore } from "../operations/findings-store.ts";
import { type PassCount, passRates, type Verification } from "../operations/quality/quality.ts";
import { metricName } from "./devices.ts";
import { listed } from "./format.ts";
import { numeric, type View } from "./layout.ts";
import type { Locale } from "./locale.ts";
import { rulesZh } from "./plant-words.ts";

const faultNames = [
  "unit",
  "absent",
  "quality",
  "clock",
  "range",
  "drift",
  "duplicate",
  "spike",
  "rate",
] as const;

/** Rows of a table that are shown at once. */
const mostRows = 20;

/** A table whose first rows are shown, and the rest on demand: a plant may have hundreds. */
const folded = (
  caption: string,
  columns: Parameters<typeof table>[1],
  rows: readonly (readonly Content[])[],
  { words, number }: Locale,
): Content => [
  table(caption, columns, rows.slice(0, mostRows)),
  rows.length > mostRows &&
    html`<details class="card"><summary>${words.moreRows(number(rows.length - mostRows))}</summary>${table(caption, columns, rows.slice(mostRows))}</details>`,
];

/** Quality before and after the three steps, per device and source. */
export function qualityView(findings: FindingsStore, locale: Locale): View {
  const { words, number, percent } = locale;
  const moment = (micros: number) => locale.moment(micros / 1000);
  const title = words.quality;
  const found = findings.quality();
  if (found === undefined) return { title, body: note(words.noQuality) };
  const { counts, faults, verifications, unknownMetrics } = found.report;
  const all = passRates(counts);
  const sources = [...Map.groupBy(counts, ({ source }) => source || "–")];
  // The worst first: what nobody heard of at all, then what passed least.
  const passed = (of: readonly PassCount[]): number => finite(passRates(of).completed) ?? -1;
  const devices = [...Map.groupBy(counts, ({ device, source }) => `${device}\0${source}`).values()]
    .map((of) => ({ of, passed: passed(of) }))
    .toSorted((a, b) => a.passed - b.passed);
  const faultsOf = (one: (typeof faults)[number]): number =>
    faultNames.reduce((sum, fault) => sum + one[fault], 0);
  const columns = [
    ...[words.expected, words.delivered, words.cleaned, words.verified, words.completed],
    ...[words.filledIn, words.gaps],
  ].map(numeric);
  const body = html`<p>${moment(found.period.from)} – ${moment(found.period.until)}. ${words.period}</p>
${facts([
  [words.passBefore, percent(all.delivered)],
  [words.afterCleaning, percent(all.cleaned)],
  [words.afterVerifying, percent(all.verified)],
  [words.afterCompleting, percent(all.completed)],
])}
${
  sources.length > 0 &&
  chart({
    title: words.shareBySource,
    summary: listed(
      locale,
      sources.map(([name, of]) => {
        const { delivered, completed } = passRates(of);
        return words.sourceSummary(name, percent(delivered), percent(completed));
      }),
    ),
    kind: "bar",
    labels: sources.map(([name]) => name),
    max: 1,
    format: percent,
    words: { numbers: words.theNumbers, at: words.source },
    series: [
      { name: words.before, values: sources.map(([, of]) => finite(passRates(of).delivered)) },
      { name: words.after, values: sources.map(([, of]) => finite(passRates(of).completed)) },
    ],
  })
}
<h2>${words.bySource}</h2>
${table(
  words.sharesCaption,
  [words.source, ...columns],
  sources.map(([name, of]) => [name, ...rates(of, locale)]),
)}
<h2>${words.byDevice}</h2>
${folded(
  words.sharesCaption,
  [words.device, words.source, ...columns],
  devices.map(({ of }) => [of[0]!.device, of[0]!.source || "–", ...rates(of, locale)]),
  locale,
)}
<h2>${words.faultsFound}</h2>
${folded(
  words.faultsCaption,
  [
    ...[words.device, words.metric, numeric(words.readings), numeric(words.used)],
    ...faultNames.map((fault) => numeric(words.faults[fault])),
  ],
  faults
    .toSorted((a, b) => faultsOf(b) - faultsOf(a))
    .map((one) => [
      one.device,
      metricName(one.metric, locale),
      number(one.readings),
      number(one.used),
      ...faultNames.map((fault) => number(one[fault])),
    ]),
  locale,
)}
<h2>${words.against}</h2>
${
  verifications.length === 0
    ? note(words.noAgainst)
    : table(
        words.againstCaption,
        [words.rule, words.site, words.from, numeric(words.expected), numeric(words.seen), words.outcome],
        verifications
          .toReversed()
          .slice(0, 100)
          .map((one) => [
            ruleName(one.rule, locale),
            one.site,
            moment(one.from),
            number(one.expected),
            number(one.seen),
            one.holds
              ? html`<span class="good">${words.holds}</span>`
              : html`<span class="warning">${words.holdsNot}</span>`,
          ]),
      )
}
${unknownMetrics.length > 0 && note(words.unknownMetrics(listed(locale, unknownMetrics)))}
<p class="note">${words.computed} ${moment(found.at)}</p>`;
  return { title, body };
}

const ruleName = (rule: Verification["rule"], { language }: Locale): string =>
  language === "zh" ? rulesZh[rule] : rule.replaceAll("_", " ");

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

function rates(counts: readonly PassCount[], { number, percent }: Locale): Content[] {
  const total = (of: (count: PassCount) => number): number => counts.reduce((sum, one) => sum + of(one), 0);
  const { delivered, cleaned, verified, completed } = passRates(counts);
  return [
    number(total((one) => one.expected)),
    ...[delivered, cleaned, verified, completed].map(percent),
    number(total((one) => one.imputed)),
    number(total((one) => one.gaps)),
  ];
}
