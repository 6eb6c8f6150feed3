import { chart } from "../../core/pages/charts.ts";
import { html } from "../../core/pages/html.ts";
import { note } from "../../core/pages/parts.ts";
import type { Feature, WindowKind } from "../operations/features/catalogue.ts";
import type { Operations } from "../operations/operations.ts";
import { siteDay, unitName } from "./format.ts";
import type { View } from "./layout.ts";
import type { Locale } from "./locale.ts";
import { familiesZh, featuresZh } from "./plant-words.ts";

const windows: readonly WindowKind[] = ["day", "week", "month"];
/** Windows drawn at most. */
const mostShown = 92;

export interface FeatureChoice {
  readonly site?: string;
  readonly window?: string;
  readonly family?: string;
}

/** Features of a site over time. */
export function featuresView(
  { findings, catalogue, sites }: Operations,
  choice: FeatureChoice,
  locale: Locale,
): View {
  const { words, number } = locale;
  const site = sites.find(({ id }) => id === choice.site) ?? sites[0]!;
  const window = windows.find((one) => one === choice.window) ?? "day";
  const rows = findings.features({ site: site.id, window }).slice(-mostShown);
  const present = new Set(rows.flatMap((row) => [...row.values.keys()]));
  const known = [...catalogue.features].filter(([name]) => present.has(name));
  const families = [...new Set(known.map(([, one]) => one.family))];
  const family = families.find((one) => one === choice.family) ?? families[0];
  const options = <Value extends string>(
    values: readonly Value[],
    chosen: string | undefined,
    named: (value: Value) => string,
  ) =>
    values.map(
      (value) =>
        html`<option value="${value}"${value === chosen && html` selected`}>${named(value)}</option>`,
    );
  const labels = rows.map((row) => siteDay(locale, row.from, site.utcOffsetHours));
  const body = html`<form class="row" method="get" action="/features">
<label>${words.site} <select name="site">${options(
    sites.map(({ id }) => id),
    site.id,
    (id) => id,
  )}</select></label>
<label>${words.window} <select name="window">${options(windows, window, (one) => words.windows[one])}</select></label>
<label>${words.family} <select name="family">${options(families, family, (one) => familyName(one, locale))}</select></label>
<button>${words.show}</button>
</form>
${rows.length === 0 && note(words.noFeatures(site.id, words.windows[window]))}
${known
  .filter(([, one]) => one.family === family)
  .map(([name, feature]) => {
    const values = rows.map((row) => row.values.get(name) ?? null);
    const seen = values.filter((value) => value !== null);
    return chart({
      format: number,
      title: featureTitle(name, feature, locale),
      summary: words.featureSummary(
        ...([number(seen.length), number(rows.length), number(seen.at(-1)!)] as const),
        ...([number(Math.min(...seen)), number(Math.max(...seen))] as const),
      ),
      kind: "line",
      labels,
      words: { numbers: words.theNumbers, at: words.from },
      series: [{ name: featureName(name, locale), values }],
    });
  })}`;
  return { title: words.features, body };
}

const familyName = (family: Feature["family"], { language }: Locale): string =>
  language === "zh" ? familiesZh[family] : family;

export const featureName = (name: string, { language }: Locale): string =>
  (language === "zh" ? featuresZh[name]?.[0] : undefined) ?? name.replaceAll("_", " ");

function featureTitle(name: string, { meaning, unit }: Feature, locale: Locale): string {
  const shownUnit = unitName(unit);
  const said = (locale.language === "zh" ? featuresZh[name]?.[1] : undefined) ?? meaning;
  return `${featureName(name, locale)}${shownUnit === "" ? "" : ` (${shownUnit})`}: ${said}`;
}
