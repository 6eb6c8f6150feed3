import { type Content, html } from "../../core/pages/html.ts";
import { facts, note, table } from "../../core/pages/parts.ts";
import { mostMetrics, mostStrangers } from "../operations/live-board.ts";
import type { Operations } from "../operations/operations.ts";
import { clockTime, recentTime, siteMoment, valueText } from "./format.ts";
import { numeric, pages, type View } from "./layout.ts";
import type { Locale } from "./locale.ts";
import { metricsZh, troubleInChinese } from "./plant-words.ts";

const pageSize = 100;
/** Longer than this without a reading is shown as a gap, µs, where a metric's own grid is finer. */
const quietMicros = 180_000_000;

/** Texts by the names of the places they are shown at: what the page is rendered with, and what the stream sends. */
export type LiveTexts = Readonly<Record<string, string>>;

/** @param now - µs UTC. */
export function liveTexts(operations: Operations, page: number, now: number, locale: Locale): LiveTexts {
  const { words, number } = locale;
  const texts: Record<string, string> = { "warnings.open": String(operations.findings.countWarnings().open) };
  texts["spool.readings"] = number(operations.spool().readings);
  texts["spool.dropped"] = number(operations.spool().dropped);
  texts["aside.readings"] = number(operations.setAside().reduce((sum, one) => sum + one.readings, 0));
  for (const { name, health } of operations.collectors()) {
    texts[`${name}\tstate`] = words.states[health.state];
    texts[`${name}\treadings`] = number(health.readings);
    texts[`${name}\terrors`] = number(health.errors);
    texts[`${name}\treconnects`] = number(health.reconnects);
    texts[`${name}\tlastError`] = health.lastError ?? words.none;
  }
  for (const name of shownDevices(operations, page)) {
    const device = operations.board.device(name);
    texts[`${name}\trate`] = device === undefined ? "0" : number(device.rate);
    texts[`${name}\tlast`] =
      device === undefined ? words.never : recentTime(locale, device.lastReceived, now);
    texts[`${name}\tgap`] = gapOf(operations, name, now, locale);
    for (const one of device?.series ?? []) {
      const place = `${name}\t${one.metric}`;
      const quality = words.readingQuality[one.quality];
      const isState = operations.catalogue.metrics.get(one.metric)?.kind === "state";
      texts[`${place}\tvalue`] = valueText(one, isState, locale);
      texts[`${place}\tquality`] = one.quality === "good" ? quality : `${quality}: ${one.status}`;
    }
  }
  return texts;
}

function gapOf(
  { board, catalogue }: Operations,
  name: string,
  now: number,
  { words, duration }: Locale,
): string {
  const device = board.device(name);
  if (device === undefined) return words.nothingSinceStart;
  const steps = device.series.map(({ metric }) => catalogue.metrics.get(metric)?.step ?? 0);
  const allowed = Math.max(quietMicros, 3 * Math.min(...steps) * 1_000_000);
  const silent = now - device.lastReceived;
  return silent > allowed ? words.silentFor(duration(silent / 1_000_000)) : words.none;
}

/** Those heard since the start first, each part by name. */
const allDevices = ({ board, registry }: Operations): string[] => [
  ...new Set([
    ...board.names().sort(),
    ...registry
      .devices()
      .map(({ id }) => id)
      .sort(),
  ]),
];

const shownDevices = (operations: Operations, page: number): string[] =>
  allDevices(operations).slice(page * pageSize, (page + 1) * pageSize);

/** Devices as they are now. */
export function devicesView(operations: Operations, page: number, now: number, locale: Locale): View {
  const { words, number, percent } = locale;
  const texts = liveTexts(operations, page, now, locale);
  const live = (name: string): Content => html`<span data-live="${name}">${texts[name]}</span>`;
  const { board, registry } = operations;
  const gaps = new Map<string, { gaps: number; expected: number }>();
  for (const count of operations.findings.quality()?.report.counts ?? []) {
    const sum = gaps.get(count.device) ?? { gaps: 0, expected: 0 };
    sum.gaps += count.gaps;
    sum.expected += count.expected;
    gaps.set(count.device, sum);
  }
  const siteOf = (name: string): string => registry.siteOf(name, now) ?? words.notRegistered;
  const linesOf = (name: string): Content[][] => {
    const counted = gaps.get(name);
    const [rate, last, gap] = ["rate", "last", "gap"].map((what) => live(`${name}\t${what}`));
    const missed =
      counted === undefined || counted.expected === 0 ? "–" : percent(counted.gaps / counted.expected);
    const about = [rate, last, gap, missed, siteOf(name), registry.device(name)?.class ?? "–"];
    const series = board.device(name)?.series ?? [];
    const named = longName(name);
    if (series.length === 0) return [[named, "–", "–", "–", ...about]];
    return series.map(({ metric }) => [
      named,
      metricName(metric, locale),
      live(`${name}\t${metric}\tvalue`),
      live(`${name}\t${metric}\tquality`),
      ...about,
    ]);
  };
  const shown = shownDevices(operations, page);
  const rows = shown.filter((name) => board.device(name) !== undefined).flatMap(linesOf);
  const unheard = shown.filter((name) => board.device(name) === undefined);
  const body = html`${facts([
    [words.devices, words.heardOf(number(board.size), number(registry.devices().length))],
    ...(board.overlooked === 0
      ? []
      : [
          [
            words.notShown,
            words.overlooked(number(board.overlooked), number(mostStrangers), number(mostMetrics)),
          ] as const,
        ]),
    [words.notInSegments, live("spool.readings")],
    [words.dropped, live("spool.dropped")],
    [words.setAside, live("aside.readings")],
  ])}
${troubles(operations, locale)}
<h2 id="collectors">${words.collectors}</h2>
${table(
  words.collectorsCaption,
  [
    ...[words.collector, words.state, numeric(words.readings), numeric(words.errors)],
    ...[numeric(words.reconnects), numeric(words.timeToConnect), words.lastError],
  ],
  operations
    .collectors()
    .map(({ name, health }) => [
      longName(name),
      live(`${name}\tstate`),
      live(`${name}\treadings`),
      live(`${name}\terrors`),
      live(`${name}\treconnects`),
      health.connectMillis === undefined ? "–" : `${number(Math.round(health.connectMillis))} ms`,
      html`<span class="long">${live(`${name}\tlastError`)}</span>`,
    ]),
)}
<h2>${words.devicesNow}</h2>
${
  shown.length === 0
    ? note(words.noDevices)
    : rows.length === 0
      ? note(words.noneHeard)
      : table(
          words.timesOf(clockTime(locale, now)),
          [
            ...[words.device, words.metric, words.lastValue, words.quality, numeric(words.readingsPerSecond)],
            ...[words.lastHeard, words.gapNow, numeric(words.gapsInPeriod), words.site, words.class],
          ],
          rows,
        )
}
${
  unheard.length > 0 &&
  html`<details class="card"><summary>${words.unheard(number(unheard.length))}</summary>
${table(
  words.unheardCaption,
  [words.device, words.site, words.class],
  unheard.map((name) => [longName(name), siteOf(name), registry.device(name)?.class ?? "–"]),
)}</details>`
}
${pages("/", page, pageSize, allDevices(operations).length, locale)}
${bindings(operations, locale)}`;
  return { title: words.devices, body, live: `/live?page=${page}` };
}

const longName = (name: string): Content => html`<span class="long">${name}</span>`;

/** A metric as the catalogue calls it; one of the enterprise's own has the name that it was given. */
export function metricName(metric: string, { language }: Locale): string {
  const chinese = metricsZh[metric];
  if (chinese === undefined) return metric;
  return language === "zh" ? chinese : metric.replaceAll("_", " ");
}

function troubles(operations: Operations, { language, words, number }: Locale): Content {
  const found = operations.troubles();
  if (found.length === 0) return undefined;
  return html`<h2 id="wrong">${words.whatIsWrong}</h2>
${table(
  words.wrongCaption,
  [words.what, numeric(words.readings), words.whatToDo],
  found.map((one) => {
    const [what, hint] = language === "zh" ? troubleInChinese(one) : [one.what, one.hint];
    return [
      html`<span class="long">${what}</span>`,
      one.readings === 0 ? "–" : number(one.readings),
      html`<span class="long">${hint}</span>`,
    ];
  }),
)}`;
}

function bindings({ findings, sites }: Operations, locale: Locale): Content {
  const { words } = locale;
  const made = findings.bindings();
  if (made.length === 0) return undefined;
  const offsetOf = (site: string): number => sites.find(({ id }) => id === site)?.utcOffsetHours ?? 0;
  return html`<h2>${words.movedByTag}</h2>
${table(
  words.movedCaption,
  [words.device, words.site, words.since, words.readBy],
  made.map(({ device, site, from, by }) => [
    longName(device),
    site,
    siteMoment(locale, from, offsetOf(site)),
    by,
  ]),
)}`;
}
