import { type Content, type Html, html } from "../../core/pages/html.ts";
import { facts, note, table } from "../../core/pages/parts.ts";
import { orUndefined } from "../../core/reasons.ts";
import { openCheckpoint } from "../../privacy/log/checkpoint.ts";
import { witnessName } from "../../privacy/log/cosignature.ts";
import { followingPolicy } from "../../privacy/succession.ts";
import { checkInChinese } from "../report/checks-zh.ts";
import type { Entries } from "../report/entries.ts";
import type { Asked, Locale, View } from "./asked.ts";
import { verifier } from "./entry.ts";
import type { ShownLog } from "./shown-log.ts";

/** Whether the log verifies, who witnessed it, and what an auditor should look at. */
export function verificationView({ log, locale }: Asked): View {
  const { language, words, number } = locale;
  const { checks, findings, ledgers, exportDigest, log: of } = log.report;
  const failed = checks.filter(({ ok }) => !ok).length;
  const body = html`${
    failed === 0
      ? html`<p class="good">${words.allHold(number(checks.length), number(log.entries.length))}</p>`
      : html`<p class="alarm">${words.someFail(number(failed), number(checks.length))}</p>`
  }
${facts([
  [words.log, of.origin],
  [words.entries, number(of.size)],
  [words.root, html`<code>${of.root}</code>`],
  [words.exportDigest, html`<code>${exportDigest}</code>`],
])}
<p><a class="button" href="/log.fcexport">${words.downloadExport}</a> <a class="button" href="/log.policy">${words.downloadPolicy}</a></p>
<h2>${words.findings}</h2>
${
  findings.length === 0
    ? note(words.noFindings)
    : table(
        words.findings,
        [words.weight, words.finding, words.restsOn],
        findings.map(({ weight, text, zh, entries }) => [
          html`<span class="${weight === "violation" ? "alarm" : weight === "attention" ? "warning" : ""}">${words.weights[weight]}</span>`,
          html`<span class="long">${language === "zh" ? zh : text}</span>`,
          entriesText(entries, locale),
        ]),
      )
}
<h2>${words.witnesses}</h2>
${witnesses(log, locale)}
<h2>${words.members}</h2>
${note(words.membersHint)}
${enterprises(log, locale)}
<h2>${words.ledgers}</h2>
${
  ledgers.length === 0
    ? note(words.ledgersNone)
    : table(
        words.ledgers,
        [words.enterprise, words.result, words.detail],
        ledgers.map(({ enterprise, reconciles, checks: own }) => [
          enterprise,
          reconciles ? words.reconciles : html`<span class="alarm">${words.reconcilesNot}</span>`,
          html`<span class="long" lang="en">${own
            .filter(({ ok }) => !ok)
            .map(({ check, detail }) => `${check}: ${detail}`)
            .join("; ")}</span>`,
        ]),
      )
}
<h2>${words.checks}</h2>
${table(
  words.checks,
  [words.check, words.result, words.detail],
  checks.map(({ check, ok, finding, detail, entry }) => [
    html`<span class="long">${language === "zh" ? checkInChinese(check) : check}</span>`,
    ok ? (finding ? words.note : words.ok) : html`<span class="alarm">${words.fail}</span>`,
    html`<span class="long" lang="en">${detail}${entry !== undefined && html` <a href="/entries/${entry}">${words.entryTitle(String(entry))}</a>`}</span>`,
  ]),
)}`;
  return { title: words.verification, body };
}

/** A few entries are named, each where it can be read; of many, how many, and the first and the last. */
function entriesText(entries: Entries, { words, number }: Locale): Content {
  const indices = entries.toJSON();
  const link = (index: number): Html => html`<a href="/entries/${index}">${number(index)}</a>`;
  if (indices.length === 0) return "–";
  if (indices.length <= 6) return indices.map((index, i) => [i > 0 && ", ", link(index)]);
  return [words.entryCount(number(indices.length)), link(indices[0]!), " … ", link(indices.at(-1)!)];
}

function witnesses(log: ShownLog, { words, moment, duration }: Locale): Content {
  const { policy } = log.files;
  const now = followingPolicy(policy, log.report.account.successions);
  // Where it does not open, the checks say why.
  const { cosigned = [] } = orUndefined(() => openCheckpoint(log.note, now.log, now.witnesses)) ?? {};
  const last = log.entries.findLast(({ entry }) => entry !== undefined)?.entry?.time ?? 0;
  return table(
    words.witnessesCaption,
    [words.witness, words.cosignedAt, words.lag],
    now.witnesses.map((one) => {
      const name = witnessName(one);
      const line = cosigned.find(({ witness }) => witness === one);
      if (line === undefined) return [name, html`<span class="alarm">${words.notCosigned}</span>`, "–"];
      const at = line.timeSeconds * 1000;
      return [name, moment(at), duration(Math.max(0, at - last) / 1000)];
    }),
  );
}

const enterprises = (
  { report: { account }, entries }: ShownLog,
  { words, moment, number }: Locale,
): Content =>
  table(
    words.members,
    [
      words.enterprise,
      { name: words.reports, numeric: true },
      words.lastReport,
      { name: words.lag, numeric: true },
    ],
    [...account.members.values()].map(({ enterprise, reports }) => {
      const last = reports.toJSON().at(-1);
      const entry = last === undefined ? undefined : entries[last]?.entry;
      return [
        enterprise,
        number(reports.count),
        entry === undefined ? "–" : moment(entry.time),
        last === undefined ? "–" : number(entries.length - 1 - last),
      ];
    }),
  );

/** A receipt that somebody was handed, verified without it leaving the browser. */
export const receiptsView = ({ locale }: Asked): View => ({
  title: locale.words.receipts,
  body: verifier(locale),
  module: "/verify.js",
});

export const reportView = ({ locale: { words } }: Asked): View => ({
  title: words.report,
  body: html`${note(words.reportHint)}
<form method="get" action="/report.html" class="narrow-form">
<div class="field"><label for="from">${words.from}</label><input id="from" name="from" type="date" aria-describedby="day-hint"></div>
<div class="field"><label for="until">${words.until}</label><input id="until" name="until" type="date" aria-describedby="day-hint"></div>
<p class="note" id="day-hint">${words.dayHint}</p>
<button class="main">${words.makeReport}</button>
</form>`,
});
