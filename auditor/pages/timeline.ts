import { type Content, type Html, html } from "../../core/pages/html.ts";
import { table } from "../../core/pages/parts.ts";
import type { EntryType } from "../../privacy/log/entry.ts";
import type { Asked, Locale, View } from "./asked.ts";
import type { ShownEntry, ShownLog } from "./shown-log.ts";

const onAPage = 100;

/** The log's entries, the newest first, by what they are about. */
export function timelineView({ log, locale, query }: Asked): View {
  const { words, number } = locale;
  const { enterprise = "", study = "", round = "", kind = "" } = query;
  const found = log.entries.filter(
    (one) =>
      (enterprise === "" || one.enterprises.includes(enterprise)) &&
      (study === "" || one.study === study) &&
      (round === "" || String(one.round?.round) === round) &&
      (kind === "" || one.entry?.type === kind),
  );
  const last = Math.max(0, Math.ceil(found.length / onAPage) - 1);
  const page = Math.min(last, /^\d{1,9}$/.test(query.page ?? "") ? Number(query.page) : 0);
  const shown = found.toReversed().slice(page * onAPage, (page + 1) * onAPage);
  const { checks } = log.report;
  const failed = checks.filter(({ ok }) => !ok).length;
  const verdict =
    failed === 0
      ? html`<p class="good">${words.allHold(number(checks.length), number(log.entries.length))}</p>`
      : html`<p class="alarm"><a href="/verification">${words.someFail(number(failed), number(checks.length))}</a></p>`;
  const body = html`${verdict}
${filters(log, locale, { enterprise, study, round, kind })}
<p class="note">${words.found(number(found.length), number(log.entries.length))}</p>
${table(
  words.entries,
  [{ name: words.entry, numeric: true }, words.kind, words.study, words.round, words.concerns, words.when],
  shown.map((one) => row(one, log, locale)),
)}
${last > 0 && pages({ enterprise, study, round, kind }, page, last, locale)}`;
  return { title: words.timeline, body };
}

const row = (of: ShownEntry, log: ShownLog, { words, moment, number }: Locale): Content[] => [
  html`<a href="/entries/${of.index}">${of.index}</a>`,
  of.entry === undefined
    ? html`<span class="alarm">${words.notValid}</span>`
    : html`${words.kinds[of.entry.type]} <span class="aside">${of.entry.type}</span>`,
  of.study === undefined ? "–" : log.nameOf(of.study),
  of.round === undefined ? "–" : words.roundIs(number(of.round.round), number(of.round.attempt)),
  html`<span class="long">${of.enterprises.join(", ") || "–"}</span>`,
  of.entry === undefined ? "–" : moment(of.entry.time),
];

interface Filters {
  readonly enterprise: string;
  readonly study: string;
  readonly round: string;
  readonly kind: string;
}

function filters(log: ShownLog, { words }: Locale, chosen: Filters): Html {
  const { members, studies, byType } = log.report.account;
  const kinds = [...byType.keys()].sort();
  return html`<form method="get" action="/timeline" class="card filters" aria-label="${words.filter}">
${choice(
  "enterprise",
  words.enterprise,
  words.all,
  chosen.enterprise,
  [...members.keys()].sort().map((id) => [id, id]),
)}
${choice(
  "study",
  words.study,
  words.all,
  chosen.study,
  [...studies.values()].map(({ study, terms }) => [study, terms.name]),
)}
<div class="field"><label for="round">${words.round}</label><input id="round" name="round" inputmode="numeric" autocomplete="off" value="${chosen.round}" aria-describedby="round-hint"><p class="note" id="round-hint">${words.roundHint}</p></div>
${choice(
  "kind",
  words.kind,
  words.all,
  chosen.kind,
  kinds.map((kind: EntryType) => [kind, words.kinds[kind]]),
)}
<button class="main">${words.show}</button>
</form>`;
}

const choice = (
  name: string,
  label: string,
  all: string,
  chosen: string,
  options: readonly (readonly [value: string, text: string])[],
): Html =>
  html`<div class="field"><label for="${name}">${label}</label><select id="${name}" name="${name}"><option value="">${all}</option>${options.map(
    ([value, text]) => html`<option value="${value}"${value === chosen && html` selected`}>${text}</option>`,
  )}</select></div>`;

function pages(filters: Filters, page: number, last: number, { words, number }: Locale): Html {
  const to = (wanted: number): string =>
    `/timeline?${new URLSearchParams({ ...filters, page: String(wanted) }).toString()}`;
  return html`<nav class="pages" aria-label="${words.more}">
${page > 0 && html`<a rel="prev" href="${to(page - 1)}">${words.newer}</a>`}
<span>${number(page + 1)} / ${number(last + 1)}</span>
${page < last && html`<a rel="next" href="${to(page + 1)}">${words.older}</a>`}
</nav>`;
}
