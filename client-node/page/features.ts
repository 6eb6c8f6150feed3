import { type Chart, chart, legend } from "../../core/pages/charts.ts";
import { type Html, html } from "../../core/pages/html.ts";
import { note } from "../../core/pages/parts.ts";
import type { WarningType } from "../../core/warning-types.ts";
import type { Site } from "../operations/device-registry.ts";
import type { Feature, WindowKind } from "../operations/features/catalogue.ts";
import type { FeatureRow } from "../operations/features/features.ts";
import type { Operations } from "../operations/operations.ts";
import { baseline } from "../operations/warnings/baseline.ts";
import { spreadsOfAFall } from "../operations/warnings/feature-rules.ts";
import type { Warning } from "../operations/warnings/warning.ts";
import { siteDay, unitName } from "./format.ts";
import type { View } from "./layout.ts";
import type { Locale } from "./locale.ts";
import { familiesZh, featuresZh } from "./plant-words.ts";

const windows: readonly WindowKind[] = ["day", "week", "month"];
/** Windows drawn at most. */
const mostShown = 92;
/** Sites beside each other at most. */
const mostSites = 24;
const everySite = "*";

export interface FeatureChoice {
  readonly site?: string;
  readonly window?: string;
  readonly family?: string;
  readonly feature?: string;
}

/** What each warning from features is about. */
const featuresOf: Readonly<Partial<Record<WarningType, readonly string[]>>> = {
  operating_rate_fall: ["operating_rate"],
  idle_operation: ["real_capacity", "idle_ratio"],
  energy_production_mismatch: ["energy_ratio"],
  partial_shutdown: ["energy_ratio"],
  full_shutdown: ["energy_ratio", "water_ratio", "gas_ratio"],
  declared_revenue_gap: ["revenue_gap"],
  order_loss: ["order_delay_rate", "inventory_turnover"],
  revenue_fall: ["flow_revenue", "sales_total"],
  sales_mismatch: ["payment_cover", "stock_cover"],
  low_conversion: ["conversion_rate"],
};

/** A site's windows, and the warnings that are about them. */
interface Told {
  readonly site: Site;
  /** All that are known: what is shown is compared with what was before. */
  readonly history: readonly FeatureRow[];
  readonly shown: readonly FeatureRow[];
  readonly warnings: readonly Warning[];
}

/** Features over time: of one site, or one feature of all sites side by side. */
export function featuresView(operations: Operations, choice: FeatureChoice, locale: Locale): View {
  const { findings, catalogue, sites } = operations;
  const { words, number } = locale;
  const window = windows.find((one) => one === choice.window) ?? "day";
  const isEvery = choice.site === everySite && sites.length > 1;
  const chosen = isEvery
    ? warnedFirst(operations).slice(0, mostSites)
    : [sites.find(({ id }) => id === choice.site) ?? sites[0]!];
  const told = chosen.map((site): Told => {
    const history = findings.features({ site: site.id, window });
    const shown = history.slice(-mostShown);
    const warnings = findings
      .warningsSince(shown[0]?.from ?? Number.MAX_SAFE_INTEGER)
      .filter((one) => one.site === site.id && featuresOf[one.type] !== undefined);
    return { site, history, shown, warnings };
  });
  const present = new Set(told.flatMap(({ shown }) => shown.flatMap((row) => [...row.values.keys()])));
  const known = [...catalogue.features].filter(([name]) => present.has(name));
  const families = [...new Set(known.map(([, one]) => one.family))];
  const family = families.find((one) => one === choice.family) ?? families[0];
  const options = <Value extends string>(
    values: readonly Value[],
    now: string | undefined,
    named: (value: Value) => string,
  ) =>
    values.map(
      (value) => html`<option value="${value}"${value === now && html` selected`}>${named(value)}</option>`,
    );
  const ofFamily = known.filter(([, one]) => one.family === family);
  const [first] = told;
  const body = html`<form class="row" method="get" action="/features">
<label>${words.site} <select name="site">${options(
    [...sites.map(({ id }) => id), ...(sites.length > 1 ? [everySite] : [])],
    isEvery ? everySite : first!.site.id,
    (id) => (id === everySite ? words.allSites : id),
  )}</select></label>
<label>${words.window} <select name="window">${options(windows, window, (one) => words.windows[one])}</select></label>
<label>${words.family} <select name="family">${options(families, family, (one) => familyName(one, locale))}</select></label>
<button>${words.show}</button>
</form>
${known.length === 0 && note(words.noFeatures(isEvery ? words.allSites : first!.site.id, words.windows[window]))}
${
  isEvery
    ? sideBySide(operations, told, ofFamily, { ...choice, window, family }, locale)
    : ofFamily.map(([name, feature]) =>
        chart(drawn(operations, first!, name, feature, featureTitle(name, feature, locale), locale)),
      )
}
${isEvery && sites.length > mostSites && note(words.firstSites(number(mostSites), number(sites.length)))}`;
  return { title: words.features, body };
}

/** Every site, those first that something was warned about. */
function warnedFirst({ findings, sites }: Operations): Site[] {
  const warned = new Set(findings.warningsSince(0).map(({ site }) => site));
  return sites.toSorted((a, b) => Number(warned.has(b.id)) - Number(warned.has(a.id)));
}

/** One feature at every site, on axes of one scale. */
function sideBySide(
  operations: Operations,
  told: readonly Told[],
  known: readonly (readonly [string, Feature])[],
  choice: { readonly window: string; readonly family: string | undefined; readonly feature?: string },
  locale: Locale,
): Html | undefined {
  const found = known.find(([name]) => name === choice.feature) ?? known[0];
  if (found === undefined) return undefined;
  const [name, feature] = found;
  const charts = told
    .map((one) => drawn(operations, one, name, feature, one.site.id, locale))
    .filter(({ series }) => series[0]!.values.some((value) => value !== null));
  const values = charts.flatMap(({ series, band }) => [
    ...series[0]!.values.filter((value) => value !== null),
    ...(band?.ranges ?? []).flatMap((one) => one ?? []),
  ]);
  const range = rounded(Math.min(...values), Math.max(...values));
  const address = (of: string): string =>
    `/features?${new URLSearchParams({ site: everySite, window: choice.window, family: choice.family ?? "", feature: of })}`;
  return html`<nav aria-label="${locale.words.feature}"><ul>${known.map(
    ([one]) =>
      html`<li><a href="${address(one)}"${one === name && html` aria-current="true"`}>${featureName(one, locale)}</a></li>`,
  )}</ul></nav>
<h2>${featureTitle(name, feature, locale)}</h2>
${legend(charts)}<div class="small-charts">${charts.map((one) => chart({ ...one, range, isSmall: true }))}</div>`;
}

/** Steps of an axis: these times a power of ten. */
const steps = [1, 2, 2.5, 5, 10];
const mostSteps = 4;

/** @returns an axis that both values lie within, on round numbers. */
function rounded(low: number, high: number): NonNullable<Chart["range"]> {
  const least = Math.max(high - low, Math.abs(high) / 100, 1e-9) / (mostSteps - 1);
  const power = 10 ** Math.floor(Math.log10(least));
  const step = steps.map((one) => one * power).find((one) => one >= least)!;
  // Multiples of a step, without what a sum of them would leave behind.
  const at = (count: number): number => Number((count * step).toPrecision(12));
  const [from, to] = [Math.floor(low / step), Math.ceil(high / step)];
  return [at(from), at(Math.max(to, from + 1)), step];
}

/** A feature of a site: its windows, what is usual for each, and the warnings about it. */
function drawn(
  { specialDays }: Pick<Operations, "specialDays">,
  { site, history, shown, warnings }: Told,
  name: string,
  feature: Feature,
  title: string,
  locale: Locale,
): Chart {
  const { words } = locale;
  const number = isShare(feature) ? locale.percent : locale.number;
  const values = shown.map((row) => row.values.get(name) ?? null);
  const seen = values.filter((value) => value !== null);
  const ranges = shown.map((row) => {
    const usual = baseline(history, row, name, site, specialDays);
    if (usual === undefined) return null;
    const { level, spread } = usual;
    return [level - spreadsOfAFall * spread, level + spreadsOfAFall * spread] as const;
  });
  const marks = shown.map((row) => {
    const about = warnings.filter(
      ({ type, onset }) => featuresOf[type]!.includes(name) && row.from <= onset && onset < row.until,
    );
    return about.length === 0 ? undefined : about.map(({ type }) => words.warningTypes[type]).join(words.and);
  });
  const outside = values.filter((value, i) => {
    const range = ranges[i];
    return value !== null && range != null && (value < range[0] || value > range[1]);
  }).length;
  const warned = marks.filter((one) => one !== undefined).length;
  const shownUnit = unitName(feature.unit, locale);
  return {
    format: number,
    title,
    summary: `${words.featureSummary(
      ...([locale.number(seen.length), locale.number(shown.length)] as const),
      number(seen.at(-1) ?? Number.NaN),
      ...([number(Math.min(...seen)), number(Math.max(...seen))] as const),
    )}${words.outside(locale.number(outside), locale.number(warned))}`,
    kind: "line",
    labels: shown.map((row) => siteDay(locale, row.from, site.utcOffsetHours)),
    words: { numbers: words.theNumbers, at: words.from },
    series: [{ name: featureName(name, locale), values }],
    ...(ranges.some((one) => one !== null) ? { band: { name: words.usually, ranges } } : {}),
    marks: { name: words.warned, at: marks },
    ...(shownUnit === "" ? {} : { unit: shownUnit }),
  };
}

const familyName = (family: Feature["family"], { language }: Locale): string =>
  language === "zh" ? familiesZh[family] : family;

const featureName = (name: string, { language }: Locale): string =>
  (language === "zh" ? featuresZh[name]?.[0] : undefined) ?? capital(name.replaceAll("_", " "));

const capital = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;

/** Shares of a whole are read in percent. */
const isShare = ({ unit, range }: Feature): boolean => unit === "1" && range[0] === 0 && range[1] === 1;

function featureTitle(name: string, { meaning, unit }: Feature, locale: Locale): string {
  const shownUnit = unitName(unit, locale);
  const said = (locale.language === "zh" ? featuresZh[name]?.[1] : undefined) ?? meaning;
  return `${featureName(name, locale)}${shownUnit === "" ? "" : ` (${shownUnit})`}: ${said}`;
}
