import { type Content, html } from "../../core/pages/html.ts";
import { facts, note, table } from "../../core/pages/parts.ts";
import { mostMetrics, mostStrangers } from "../operations/live-board.ts";
import type { Operations } from "../operations/operations.ts";
import { clockTime, moment, number, percent, valueText } from "./format.ts";
import { pages, type View } from "./layout.ts";

const pageSize = 100;
/** Longer than this without a reading is shown as a gap, µs, where a metric's own grid is finer. */
const quietMicros = 180_000_000;

/** Texts by the names of the places they are shown at: what the page is rendered with, and what the stream sends. */
export type LiveTexts = Readonly<Record<string, string>>;

/** @param now - µs UTC. */
export function liveTexts(operations: Operations, page: number, now: number): LiveTexts {
  const texts: Record<string, string> = { "warnings.open": String(operations.findings.countWarnings().open) };
  texts["spool.readings"] = number(operations.spool().readings);
  texts["spool.dropped"] = number(operations.spool().dropped);
  texts["aside.readings"] = number(operations.setAside().reduce((sum, one) => sum + one.readings, 0));
  for (const { name, health } of operations.collectors()) {
    texts[`${name}\tstate`] = health.state;
    texts[`${name}\treadings`] = number(health.readings);
    texts[`${name}\terrors`] = number(health.errors);
    texts[`${name}\treconnects`] = number(health.reconnects);
    texts[`${name}\tlastError`] = health.lastError ?? "none";
  }
  for (const name of shownDevices(operations, page)) {
    const device = operations.board.device(name);
    texts[`${name}\trate`] = device === undefined ? "0" : number(device.rate);
    texts[`${name}\tlast`] = device === undefined ? "never" : clockTime(device.lastReceived);
    texts[`${name}\tgap`] = gapOf(operations, name, now);
    for (const one of device?.series ?? []) {
      const place = `${name}\t${one.metric}`;
      texts[`${place}\tvalue`] = valueText(one);
      texts[`${place}\tquality`] = one.quality === "good" ? "good" : `${one.quality}: ${one.status}`;
    }
  }
  return texts;
}

function gapOf({ board, catalogue }: Operations, name: string, now: number): string {
  const device = board.device(name);
  if (device === undefined) return "nothing since the start";
  const steps = device.series.map(({ metric }) => catalogue.metrics.get(metric)?.step ?? 0);
  const allowed = Math.max(quietMicros, 3 * Math.min(...steps) * 1_000_000);
  const silent = now - device.lastReceived;
  return silent > allowed ? `silent for ${Math.floor(silent / 60_000_000)} min` : "none";
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
export function devicesView(operations: Operations, page: number, now: number): View {
  const texts = liveTexts(operations, page, now);
  const live = (name: string): Content => html`<span data-live="${name}">${texts[name]}</span>`;
  const { board, registry } = operations;
  const gaps = new Map<string, { gaps: number; expected: number }>();
  for (const count of operations.findings.quality()?.report.counts ?? []) {
    const sum = gaps.get(count.device) ?? { gaps: 0, expected: 0 };
    sum.gaps += count.gaps;
    sum.expected += count.expected;
    gaps.set(count.device, sum);
  }
  const linesOf = (name: string): Content[][] => {
    const known = registry.device(name);
    const site = registry.siteOf(name, now) ?? "not registered";
    const counted = gaps.get(name);
    const [rate, last, gap] = ["rate", "last", "gap"].map((what) => live(`${name}\t${what}`));
    const missed =
      counted === undefined || counted.expected === 0 ? "–" : percent(counted.gaps / counted.expected);
    const about = [rate, last, gap, missed, site, known?.class ?? "–"];
    const series = board.device(name)?.series ?? [];
    if (series.length === 0) return [[name, "–", "–", "–", ...about]];
    return series.map(({ metric }) => [
      name,
      metric,
      live(`${name}\t${metric}\tvalue`),
      live(`${name}\t${metric}\tquality`),
      ...about,
    ]);
  };
  const shown = shownDevices(operations, page);
  const rows = shown.filter((name) => board.device(name) !== undefined).flatMap(linesOf);
  const unheard = shown.filter((name) => board.device(name) === undefined);
  const body = html`${facts([
    ["Devices", `${board.size} heard of ${registry.devices().length} registered`],
    ...(board.overlooked === 0
      ? []
      : [
          [
            "Not shown",
            `${number(board.overlooked)} readings of more than ${number(mostStrangers)} devices that are not registered, or ${number(mostMetrics)} metrics of one: stored, but without a line here`,
          ] as const,
        ]),
    ["Readings not yet in segments", live("spool.readings")],
    ["Readings dropped for want of room", live("spool.dropped")],
    ["Readings set aside", live("aside.readings")],
  ])}
${troubles(operations)}
<h2 id="collectors">Collectors</h2>
${table(
  "How each source is doing since the start",
  ["Collector", "State", n("Readings"), n("Errors"), n("Reconnects"), n("Time to connect"), "Last error"],
  operations
    .collectors()
    .map(({ name, health }) => [
      name,
      live(`${name}\tstate`),
      live(`${name}\treadings`),
      live(`${name}\terrors`),
      live(`${name}\treconnects`),
      health.connectMillis === undefined ? "–" : `${number(Math.round(health.connectMillis))} ms`,
      html`<span class="long">${live(`${name}\tlastError`)}</span>`,
    ]),
)}
<h2>Devices and their last values</h2>
${
  shown.length === 0
    ? note("No device is registered and none was heard.")
    : rows.length === 0
      ? note("None of these was heard since the start.")
      : table(
          `Times are UTC; now ${clockTime(now)}`,
          [
            ...["Device", "Metric", "Last value", "Quality", n("Readings/s"), "Last heard", "Gap now"],
            ...[n("Gaps in quality period"), "Site", "Class"],
          ],
          rows,
        )
}
${
  unheard.length > 0 &&
  html`<details class="card"><summary>${number(unheard.length)} registered, and not heard since the start</summary>
${table(
  "Devices that read files of the past are among them",
  ["Device", "Site", "Class"],
  unheard.map((name) => [
    name,
    registry.siteOf(name, now) ?? "not registered",
    registry.device(name)?.class ?? "–",
  ]),
)}</details>`
}
${pages("/", page, pageSize, allDevices(operations).length)}
${bindings(operations)}`;
  return { title: "Devices", body, live: `/live?page=${page}` };
}

const n = (name: string): { name: string; numeric: true } => ({ name, numeric: true });

function troubles(operations: Operations): Content {
  const found = operations.troubles();
  if (found.length === 0) return undefined;
  return html`<h2 id="wrong">What is wrong</h2>
${table(
  "Readings that are set aside or not used; fedcredit node set-aside writes out those set aside",
  ["What", n("Readings"), "What to do"],
  found.map(({ what, hint, readings }) => [
    html`<span class="long">${what}</span>`,
    readings === 0 ? "–" : number(readings),
    html`<span class="long">${hint}</span>`,
  ]),
)}`;
}

function bindings({ findings }: Operations): Content {
  const made = findings.bindings();
  if (made.length === 0) return undefined;
  return html`<h2>Moved by tag</h2>
${table(
  "Devices bound to another site on the floor",
  ["Device", "Site", "Since", "Read by"],
  made.map(({ device, site, from, by }) => [device, site, moment(from), by]),
)}`;
}
