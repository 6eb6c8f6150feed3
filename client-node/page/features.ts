import { chart } from "../../core/pages/charts.ts";
import { html } from "../../core/pages/html.ts";
import { note } from "../../core/pages/parts.ts";
import type { WindowKind } from "../operations/features/catalogue.ts";
import type { Operations } from "../operations/operations.ts";
import { clockTime, number, unitName } from "./format.ts";
import type { View } from "./layout.ts";

const windows: readonly WindowKind[] = ["day", "week", "month"];
/** Windows drawn at most. */
const mostShown = 92;

export interface FeatureChoice {
  readonly site?: string;
  readonly window?: string;
  readonly family?: string;
}

/** Features of a site over time. */
export function featuresView({ findings, catalogue, sites }: Operations, choice: FeatureChoice): View {
  const site = sites.find(({ id }) => id === choice.site) ?? sites[0]!;
  const window = windows.find((one) => one === choice.window) ?? "day";
  const rows = findings.features({ site: site.id, window }).slice(-mostShown);
  const present = new Set(rows.flatMap((row) => [...row.values.keys()]));
  const known = [...catalogue.features].filter(([name]) => present.has(name));
  const families = [...new Set(known.map(([, one]) => one.family))];
  const family = families.find((one) => one === choice.family) ?? families[0];
  const options = (values: readonly string[], chosen: string | undefined) =>
    values.map((value) => html`<option${value === chosen && html` selected`}>${value}</option>`);
  const labels = rows.map((row) => clockTime(row.from, site.utcOffsetHours).slice(0, 10));
  const body = html`<form class="row" method="get" action="/features">
<label>Site <select name="site">${options(
    sites.map(({ id }) => id),
    site.id,
  )}</select></label>
<label>Window <select name="window">${options(windows, window)}</select></label>
<label>Family <select name="family">${options(families, family)}</select></label>
<button>Show</button>
</form>
${rows.length === 0 && note(`Nothing is known of ${site.id} by the ${window} yet: features come with the first refresh after readings.`)}
${known
  .filter(([, one]) => one.family === family)
  .map(([name, { meaning, unit }]) => {
    const values = rows.map((row) => row.values.get(name) ?? null);
    const seen = values.filter((value) => value !== null);
    const shownUnit = unitName(unit);
    return chart({
      format: number,
      title: `${name.replaceAll("_", " ")}${shownUnit === "" ? "" : ` (${shownUnit})`}: ${meaning}`,
      summary: `${seen.length} of ${rows.length} windows; last ${number(seen.at(-1)!)}, lowest ${number(
        Math.min(...seen),
      )}, highest ${number(Math.max(...seen))}`,
      kind: "line",
      labels,
      series: [{ name, values }],
    });
  })}`;
  return { title: "Features", body };
}
