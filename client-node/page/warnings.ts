import { type Html, html } from "../../core/pages/html.ts";
import { note } from "../../core/pages/parts.ts";
import type { Operations } from "../operations/operations.ts";
import type { Warning } from "../operations/warnings/warning.ts";
import { listed, siteMoment } from "./format.ts";
import { pages, type View } from "./layout.ts";
import type { Locale } from "./locale.ts";
import { numbersZh, warnedInChinese } from "./plant-words.ts";

const pageSize = 50;

/** Warnings, open ones first, each with what it rests on. */
export function warningsView({ findings, sites }: Operations, page: number, locale: Locale): View {
  const { words, number } = locale;
  const { open, all } = findings.countWarnings();
  const offsets = new Map(sites.map((site) => [site.id, site.utcOffsetHours]));
  const shown = findings.warnings(pageSize, page * pageSize);
  const card = (warning: Warning): Html => {
    const moment = (micros: number): Html => siteMoment(locale, micros, offsets.get(warning.site) ?? 0);
    const isOpen = warning.closed === undefined;
    const numbers = Object.entries(warning.numbers).map(
      ([name, value]) => `${numberName(name, locale)} ${number(value)}`,
    );
    return html`<article class="card">
<h3>${words.warningTypes[warning.type]} ${severity(warning, locale)} <span class="badge">${isOpen ? words.open : words.closed}</span></h3>
<p>${explanation(warning, locale)}</p>
<p class="note">${warning.device === undefined ? warning.site : listed(locale, [warning.device, warning.site])}. ${words.began} ${moment(warning.onset)}${words.and}${words.known} ${moment(warning.detected)}${
      warning.closed !== undefined && html`${words.and}${words.ended} ${moment(warning.closed)}`
    }.</p>
${numbers.length > 0 && html`<p class="note">${listed(locale, numbers)}</p>`}
</article>`;
  };
  const body = html`<p><span data-live="warnings.open" aria-live="polite">${open}</span> ${words.warningCounts(number(all))} ${words.warningsStay} <code>warnings</code>${words.warningsTold}</p>
${all === 0 && note(words.noWarnings)}
${shown.some(isOpenWarning) && html`<h2>${words.openOnes}</h2>`}
${shown.filter(isOpenWarning).map(card)}
${shown.some((one) => !isOpenWarning(one)) && html`<h2>${words.closedOnes}</h2>`}
${folded(shown.filter((one) => !isOpenWarning(one))).map((alike) => {
  const [first] = alike;
  if (alike.length === 1) return card(first!);
  const places = new Set(alike.map(placeOf)).size;
  return html`<details class="card"><summary>${words.warningTypes[first!.type]} ${severity(first!, locale)} ${words.closedAlike(number(alike.length), number(places))}</summary>
${alike.map(card)}
</details>`;
})}
${pages("/warnings", page, pageSize, all, locale)}`;
  return { title: words.warnings, body };
}

const severity = (of: Warning, { words }: Locale): Html =>
  html`<span class="badge ${of.severity}">${words.severities[of.severity]}</span>`;

const explanation = (warning: Warning, { language, number, percent }: Locale): string =>
  language === "zh" ? warnedInChinese(warning, number, percent) : warning.explanation;

/** Closed warnings of one kind, which came of one thing more often than not, take one line until it is opened. */
const folded = (warnings: readonly Warning[]): Warning[][] => [
  ...Map.groupBy(warnings, ({ type, severity }) => `${type} ${severity}`).values(),
];

const placeOf = ({ device, site }: Warning): string => device ?? site;

const isOpenWarning = ({ closed }: Warning): boolean => closed === undefined;

const numberName = (name: string, { language }: Locale): string =>
  (language === "zh" ? numbersZh[name] : undefined) ??
  name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
