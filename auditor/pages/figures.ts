/** What the log says in numbers: ε, cohorts, attempts that came to nothing, desensitization. */
import { chart } from "../../core/pages/charts.ts";
import { type Content, html } from "../../core/pages/html.ts";
import { facts, note, table } from "../../core/pages/parts.ts";
import { epsilonOf } from "../../privacy/noise/accountant.ts";
import type { Study } from "../report/account.ts";
import { fieldsByPolicy } from "../report/fields.ts";
import type { Asked, Locale, View } from "./asked.ts";
import type { Cost, ShownLog } from "./shown-log.ts";

const shownAtOnce = 4;
/** Points of the chart: ε is worked out anew at each. */
const points = 24;

interface Spending {
  readonly enterprise: string;
  /** Of its sums with noise, in their order. */
  readonly noisy: readonly Cost[];
  readonly plain: number;
  /** Undefined where it has no noise, or no δ is stated. */
  readonly epsilon: number | undefined;
}

/** ε of each enterprise, over all studies with noise. */
export function privacyView({ log, locale }: Asked): View {
  const { words, number } = locale;
  // The strictest: what holds at a small δ holds at a larger one.
  const delta = log.deltas.size === 0 ? undefined : Math.min(...log.deltas.values());
  const spending = [...log.costs].map(([enterprise, costs]): Spending => {
    const noisy = costs.filter(({ event }) => event.mechanism !== "none");
    const epsilon = noisy.length === 0 || delta === undefined ? undefined : epsilonAt(noisy, delta);
    return { enterprise, noisy, plain: costs.length - noisy.length, epsilon };
  });
  const plain = Math.max(0, ...spending.map((one) => one.plain));
  const noisy = spending.filter((one) => one.noisy.length > 0);
  const body = html`${plain > 0 && html`<p class="warning">${words.withoutNoise(number(plain))}</p>`}
${
  noisy.length === 0
    ? note(words.noNoise)
    : delta === undefined
      ? note(words.noDelta)
      : epsilons(noisy, delta, locale)
}
${
  spending.length > 0 &&
  table(
    words.privacy,
    [
      words.enterprise,
      { name: words.noisySums, numeric: true },
      { name: words.plainSums, numeric: true },
      { name: words.epsilonNow, numeric: true },
    ],
    spending.map((one) => [
      one.enterprise,
      number(one.noisy.length),
      number(one.plain),
      one.epsilon === undefined ? "–" : epsilonText(one.epsilon, locale),
    ]),
  )
}`;
  return { title: words.privacy, body };
}

const epsilonAt = (costs: readonly Cost[], delta: number): number =>
  epsilonOf(
    costs.map(({ event }) => event),
    delta,
  );

/** Rounded up. */
const epsilonText = (epsilon: number, { words, fixed }: Locale): string =>
  Number.isFinite(epsilon) ? fixed(Math.ceil(epsilon * 100) / 100, 2) : words.unbounded;

function epsilons(noisy: readonly Spending[], delta: number, locale: Locale): Content {
  const { words, number, tag } = locale;
  const most = noisy
    .map((one) => ({ ...one, epsilon: one.epsilon! }))
    .sort((a, b) => b.epsilon - a.epsilon)
    .slice(0, shownAtOnce);
  const times = [...new Set(most.flatMap((one) => one.noisy.map(({ time }) => time)))].sort((a, b) => a - b);
  const step = Math.max(1, Math.ceil(times.length / points));
  const shown = times.filter((_, i) => (times.length - 1 - i) % step === 0);
  const at = new Intl.DateTimeFormat(tag, {
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
  });
  return html`${note(words.epsilonHint)}
${chart({
  title: `${words.epsilonTitle}, ${words.atDelta(String(delta))}`,
  summary: most
    .map((one) => words.epsilonOf(one.enterprise, epsilonText(one.epsilon, locale), number(one.noisy.length)))
    .join(" "),
  kind: "line",
  labels: shown.map((time) => at.format(time)),
  series: together(
    most.map((one) => ({
      name: one.enterprise,
      values: shown.map((time) => {
        const epsilon = epsilonAt(
          one.noisy.filter((cost) => cost.time <= time),
          delta,
        );
        return Number.isFinite(epsilon) ? epsilon : null;
      }),
    })),
  ),
  format: (value) => locale.fixed(value, 2),
  words: { numbers: words.theNumbers, at: words.at },
})}
${noisy.length > shownAtOnce && note(words.moreEnterprises(number(noisy.length)))}`;
}

interface Line {
  readonly name: string;
  readonly values: readonly (number | null)[];
}

/** Lines that run one upon the other as one of all their names: only the last would be seen. */
const together = (lines: readonly Line[]): Line[] =>
  [...Map.groupBy(lines, ({ values }) => JSON.stringify(values)).values()].map((same) => ({
    name: same.map(({ name }) => name).join(", "),
    values: same[0]!.values,
  }));

/** Cohorts, and attempts without a sum. */
export function roundsView({ log, locale }: Asked): View {
  const { words, moment } = locale;
  const { studies, ended, complaints } = log.report.account;
  const ran = [...studies.values()].filter(({ opened }) => opened > 0);
  const body = html`${ran.length === 0 ? note(words.noRounds) : ran.map((study) => cohorts(study, locale))}
<h2>${words.aborts}</h2>
${
  ended.length === 0
    ? note(words.noAborts)
    : table(
        words.aborts,
        [words.when, words.study, words.end, words.reason, words.blamed, words.entry],
        ended.map(({ at, study, kind, reason, enterprise, entries }) => [
          moment(at),
          study === undefined ? "–" : log.nameOf(study),
          words.ends[kind],
          reason === "" ? "–" : html`<code>${reason}</code>`,
          enterprise || words.nobody,
          entries.toJSON().map((index) => html`<a href="/entries/${index}">${index}</a> `),
        ]),
      )
}
${
  complaints.length > 0 &&
  html`<h2>${words.complaints}</h2>
${table(
  words.complaints,
  [words.when, words.what, words.entry],
  complaints.map(({ at, text, entries }) => [
    moment(at),
    html`<span class="long" lang="en">${text}</span>`,
    entries.toJSON().map((index) => html`<a href="/entries/${index}">${index}</a> `),
  ]),
)}`
}`;
  return { title: words.rounds, body };
}

function cohorts({ terms, opened, released }: Study, { words, number }: Locale): Content {
  const sizes = released.map(({ survivors }) => survivors.length);
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  return html`<h2>${terms.name}</h2>
${facts([
  [words.opened, number(opened)],
  [words.released, number(sizes.length)],
  [words.leastAsked, number(terms.minCohort)],
  [words.smallest, sizes.length === 0 ? "–" : number(least)],
  [words.largest, sizes.length === 0 ? "–" : number(most)],
])}
${
  sizes.length > 1 &&
  chart({
    title: words.cohorts(terms.name),
    summary: words.cohortsSummary(number(least), number(most), number(sizes.length), number(terms.minCohort)),
    kind: "line",
    labels: sizes.map((_, i) => String(i + 1)),
    series: [
      { name: words.enterprises, values: sizes },
      { name: words.leastAsked, values: sizes.map(() => terms.minCohort) },
    ],
    max: 4 * Math.ceil(most / 4),
    format: (value) => String(Math.round(value)),
    words: { numbers: words.theNumbers, at: words.at },
  })
}`;
}

/** What desensitization left out, by the ledgers that enterprises showed. */
export function desensitizationView({ log, locale }: Asked): View {
  const { words } = locale;
  const { ledgers } = log.report;
  const ran = ledgers.filter(({ desensitized }) => desensitized.length > 0);
  const body =
    ledgers.length === 0
      ? note(words.needLedgers)
      : ran.length === 0
        ? note(words.noRuns)
        : ran.map((ledger) => runs(ledger, locale));
  return { title: words.desensitization, body };
}

const runs = (
  { enterprise, desensitized }: ShownLog["report"]["ledgers"][number],
  { words, moment, number, percent, fixed }: Locale,
): Content => [
  html`<h2>${enterprise}</h2>`,
  table(
    words.runs(enterprise),
    [
      words.when,
      { name: words.policy, numeric: true },
      { name: words.rowsIn, numeric: true },
      { name: words.rowsOut, numeric: true },
      { name: "k", numeric: true },
      { name: "l", numeric: true },
      { name: "t", numeric: true },
      { name: words.suppressed, numeric: true },
    ],
    desensitized.map(({ entry }) => [
      moment(entry.time),
      number(entry.version),
      number(entry.rowsIn),
      number(entry.rowsOut),
      number(entry.k),
      number(entry.l),
      fixed(entry.t, 3),
      percent(entry.suppressionRate),
    ]),
  ),
  fieldsByPolicy(desensitized.map(({ entry }) => entry)).map(({ version, fields }) =>
    table(
      words.fieldsOf(number(version), number(fields.length)),
      [words.field, words.level, words.operator],
      fields.map(({ field, level, operator }) => [field, level, operator]),
    ),
  ),
];
