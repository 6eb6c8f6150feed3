import test from "ava";
import { readCatalogue } from "../../../client-node/operations/features/catalogue.ts";
import type { FeatureRow } from "../../../client-node/operations/features/features.ts";
import type { Operations } from "../../../client-node/operations/operations.ts";
import type { Warning } from "../../../client-node/operations/warnings/warning.ts";
import { featuresView } from "../../../client-node/page/features.ts";
import { escapeHtml, html } from "../../../core/pages/html.ts";
import type { Language } from "../../../core/pages/locale.ts";
import { localeIn } from "../../support/page.ts";

const day = 86_400_000_000;
const monday = Date.parse("2026-03-02T00:00:00Z") * 1000;
const hostile = "<img src=x>";
/** Working days alike but for noise, and one that fell on the last. */
const rates = [0.74, 0.76, 0.75, 0.74, 0.76, 0.75, 0.75, 0.74, 0.76, 0.31];

/** Two sites, the second at half the rate; the first has a warning. */
function plant(): Operations {
  const rows = (site: string): FeatureRow[] =>
    rates.map((rate, i) => {
      const from = monday + (i + 2 * Math.floor(i / 5)) * day;
      const values = new Map([
        ["operating_rate", site === "hall" ? rate : rate / 2],
        ["energy_total", 1000 * rate],
      ]);
      return { site, window: "day", from, until: from + day, values };
    });
  const last = rows("hall").at(-1)!;
  const warning = { type: "operating_rate_fall", site: "hall", onset: last.from, detected: last.until };
  return {
    catalogue: readCatalogue(),
    specialDays: [],
    sites: ["hall", hostile].map((id) => ({ id, industry: "machining", utcOffsetHours: 0, norms: {} })),
    findings: {
      features: ({ site }: { site: string }) => rows(site),
      warningsSince: () => [warning as unknown as Warning],
    },
  } as unknown as Operations;
}

const shown = (choice: Record<string, string>, language: Language = "en"): string =>
  html`${featuresView(plant(), choice, localeIn(language)).body}`.text;

test("a chart says what was usual, marks where it was warned, and names the unit", (t) => {
  const text = shown({ site: "hall", family: "production" });
  t.regex(text, /<li class="band">Usual range<\/li><li class="mark">Warning<\/li>/);
  t.regex(text, /1 outside the usual, 1 with a warning/);
  // Both drawings have the diamond; the table names the warning beside its day.
  t.is(text.match(/<path[^>]*fill="#080808"/g)?.length, 2);
  t.is(text.match(/operating rate fell/g)?.length, 1);
  t.regex(text, /11 Mar 2026[\s\S]*31\.0%[\s\S]*operating rate fell|13 Mar 2026[\s\S]*operating rate fell/);
  t.true(text.includes('fill="#070707"'));
  // The first days have nothing before them that they could be held against.
  t.regex(text, /2 Mar 2026<\/th><td class="n">74\.0%<\/td><td class="n">–<\/td>/);
  const energy = shown({ site: "hall", family: "energy" });
  t.regex(energy, />kWh<\/text>/);
  t.notRegex(energy, /class="mark"/, "another feature has no part in the warning");
  t.regex(shown({ site: "hall", family: "production" }, "zh"), /开工率下降/);
});

test("all sites stand side by side on axes of one scale, whatever they are called", (t) => {
  const text = shown({ site: "*", family: "production" });
  t.is(text.match(/<figure>/g)?.length, 2);
  t.is(text.match(/<svg/g)?.length, 2, "one drawing each");
  t.true(text.includes(`<figcaption>${escapeHtml(hostile)}</figcaption>`));
  t.false(text.includes("<img"));
  t.is(text.match(/class="mark"/g)?.length, 1);
  const axes = [...text.matchAll(/<svg[\s\S]*?<\/svg>/g)].map(([svg]) =>
    [...svg.matchAll(/>([\d.]+)%<\/text>/g)].map(([, label]) => label).join(" "),
  );
  t.is(axes[0], axes[1]);
  // Lines at equal distances, and a legend for all of them.
  const marks = axes[0]!.split(" ").map(Number);
  t.true(marks.length >= 3, axes[0]);
  t.is(new Set(marks.slice(1).map((mark, i) => Math.abs(mark - marks[i]!).toFixed(6))).size, 1, axes[0]);
  t.is(text.match(/<ul class="legend">/g)?.length, 1);
  t.regex(text, /<a href="\/features\?site=\*|<a href="\/features\?site=%2A/);
});
