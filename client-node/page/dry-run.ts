/** What a study would make of the enterprise's rows and send, before any of it is sent. */
import { type Html, html } from "../../core/pages/html.ts";
import { facts, table } from "../../core/pages/parts.ts";
import type { Departure } from "../ledger/egress.ts";
import type { Preview, PreviewedColumn } from "../preview/preview.ts";
import { numeric, type View } from "./layout.ts";
import type { Locale } from "./locale.ts";

export function dryRunView(
  { name, columns, counts, desensitization, dryRun }: Preview,
  locale: Locale,
): View {
  const { words, number, fixed, percent } = locale;
  const { rowsOut, k, l, t, suppressionRate, policy } = desensitization;
  const { records, unlabelled, indeterminate } = counts;
  const { rounds, outsideRounds, onFailure, stopped } = dryRun;
  const departures = (caption: string, those: readonly Departure[]): Html =>
    table(
      caption,
      [words.kind, words.destination, numeric(words.bytes), "SHA-256"],
      those.map(({ kind, destination, bytes, digest }) => [
        words.kinds[kind] ?? kind,
        destination,
        number(bytes),
        html`<code class="digest">${digest.slice(0, 16)}…</code>`,
      ]),
    );
  return {
    title: words.dryRunTitle,
    body: html`<p><a href="/studies">${words.studies}</a> · ${name}</p>
<p>${words.dryRunIntro}</p>
${facts([
  [words.rowsTakePart, words.rowsOf(number(rowsOut), number(records))],
  [words.unlabelled, number(unlabelled)],
  [words.indeterminate, number(indeterminate)],
  [words.standOut, number(records - unlabelled - indeterminate - rowsOut)],
  [words.anonymity, `k ${k}, l ${l}, t ${fixed(t, 3)}`],
  [words.leftOut, percent(suppressionRate)],
  [words.policyDigest, html`<code>${policy.slice(0, 12)}</code>`],
])}
<h2>${words.columnsBeforeAfter}</h2>
${table(
  words.columnsCaption,
  [words.column, words.becomes, words.sample],
  columns.map((one) => [one.name, ...becomes(one, locale)]),
)}
<h2>${words.wouldLeave}</h2>
${rounds.map(({ algorithm, entries, slots, departures: those }) =>
  departures(words.aRoundOf(algorithm, number(entries), number(slots)), those),
)}
${stopped !== undefined && html`<p class="warning">${words.comesToNothing(stopped.algorithm)} <code>${stopped.reason}</code></p>`}
${departures(words.apartFromRounds, outsideRounds)}
<details class="card"><summary>${words.onFailure}</summary>
${departures(words.onFailure, onFailure)}</details>`,
  };
}

function becomes(column: PreviewedColumn, { words }: Locale): (Html | string)[] {
  if (!column.passes) return [words.cannotPass[column.why], ""];
  const shown = column.sample.map(
    ({ before, after }) => `${before || "–"} → ${after === null ? words.leftOut : after || "–"}`,
  );
  return [
    html`<code>${column.class} ${column.level} ${column.operator}</code>`,
    html`<span class="long">${shown.join("; ")}</span>`,
  ];
}
