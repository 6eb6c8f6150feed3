import { chart } from "../../core/pages/charts.ts";
import { type Content, html } from "../../core/pages/html.ts";
import { facts, note, table } from "../../core/pages/parts.ts";
import type { FindingsStore } from "../operations/findings-store.ts";
import { type PassCount, passRates } from "../operations/quality/quality.ts";
import { moment, number, percent } from "./format.ts";
import type { View } from "./layout.ts";

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

/** Quality before and after the three steps, per device and source. */
export function qualityView(findings: FindingsStore): View {
  const title = "Quality";
  const found = findings.quality();
  if (found === undefined)
    return { title, body: note("Quality has not been computed yet: it comes with the first refresh.") };
  const { counts, faults, verifications, unknownMetrics } = found.report;
  const all = passRates(counts);
  const sources = [...Map.groupBy(counts, ({ source }) => source || "–")];
  const devices = [...Map.groupBy(counts, ({ device, source }) => `${device}\0${source}`)];
  const columns = [
    n("Expected"),
    n("Delivered"),
    n("Cleaned"),
    n("Verified"),
    n("Completed"),
    n("Filled in"),
    n("Gaps"),
  ];
  const body = html`<p>From ${moment(found.period.from)} to ${moment(found.period.until)}. The check is the same at every step; values are put right, or left out, and never let through.</p>
${facts([
  ["Pass before", percent(all.delivered)],
  ["After cleaning", percent(all.cleaned)],
  ["After verifying", percent(all.verified)],
  ["After completing", percent(all.completed)],
])}
${
  sources.length > 0 &&
  chart({
    title: "Share that passes, by source",
    summary: sources
      .map(([name, of]) => {
        const rates = passRates(of);
        return `${name}: ${percent(rates.delivered)} before, ${percent(rates.completed)} after`;
      })
      .join("; "),
    kind: "bar",
    labels: sources.map(([name]) => name),
    max: 1,
    format: percent,
    series: [
      { name: "before", values: sources.map(([, of]) => finite(passRates(of).delivered)) },
      { name: "after", values: sources.map(([, of]) => finite(passRates(of).completed)) },
    ],
  })
}
<h2>By source</h2>
${table(
  "Shares of expected cells that pass",
  ["Source", ...columns],
  sources.map(([name, of]) => [name, ...rates(of)]),
)}
<h2>By device</h2>
${table(
  "Shares of expected cells that pass",
  ["Device", "Source", ...columns],
  devices.map(([, of]) => [of[0]!.device, of[0]!.source || "–", ...rates(of)]),
)}
<h2>Faults found in readings</h2>
${table(
  "Readings by fault; a reading may have several",
  ["Device", "Metric", n("Readings"), n("Used"), ...faultNames.map(n)],
  faults.map((one) => [
    one.device,
    one.metric,
    number(one.readings),
    number(one.used),
    ...faultNames.map((fault) => number(one[fault])),
  ]),
)}
<h2>Sources against each other</h2>
${
  verifications.length === 0
    ? note("No two sources speak of the same thing yet.")
    : table(
        "Cross-checks, the latest first; figures are shares of the norm, or ratios",
        ["Rule", "Site", "From", n("Expected"), n("Seen"), "Outcome"],
        verifications
          .toReversed()
          .slice(0, 100)
          .map((one) => [
            one.rule.replaceAll("_", " "),
            one.site,
            moment(one.from),
            number(one.expected),
            number(one.seen),
            one.holds
              ? html`<span class="good">holds</span>`
              : html`<span class="warning">does not hold</span>`,
          ]),
      )
}
${unknownMetrics.length > 0 && note(`Kept but used by nothing, as the catalogue does not know them: ${unknownMetrics.join(", ")}`)}
<p class="note">Computed ${moment(found.at)}.</p>`;
  return { title, body };
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

function rates(counts: readonly PassCount[]): Content[] {
  const total = (of: (count: PassCount) => number): number => counts.reduce((sum, one) => sum + of(one), 0);
  const { delivered, cleaned, verified, completed } = passRates(counts);
  return [
    number(total((one) => one.expected)),
    ...[delivered, cleaned, verified, completed].map(percent),
    number(total((one) => one.imputed)),
    number(total((one) => one.gaps)),
  ];
}

const n = (name: string): { name: string; numeric: true } => ({ name, numeric: true });
