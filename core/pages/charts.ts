import { BarChart, LineChart } from "echarts/charts";
import { GridComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { Html, html } from "./html.ts";
import { table } from "./parts.ts";

use([BarChart, LineChart, GridComponent, SVGRenderer]);

export interface Chart {
  readonly title: string;
  /** What it shows, in a sentence: read out instead of the picture. */
  readonly summary: string;
  readonly kind: "line" | "bar";
  readonly labels: readonly string[];
  /** A missing value is a gap. At most four series: that many colours can be told apart. */
  readonly series: readonly { readonly name: string; readonly values: readonly (number | null)[] }[];
  readonly max?: number;
  readonly format: (value: number) => string;
  /** Where each label is on an axis of 0…1; by default labels stand at equal distances. */
  readonly at?: readonly number[];
  /** What is usual at each label, drawn as a band behind the lines; a missing one is a gap. */
  readonly band?: { readonly name: string; readonly ranges: readonly (readonly [number, number] | null)[] };
  /** What happened at a label, drawn on the first line. */
  readonly marks?: { readonly name: string; readonly at: readonly (string | undefined)[] };
  /** Name of the values' unit, above the axis. */
  readonly unit?: string;
  /** Least and greatest value of the axis and the distance of its lines, where several charts share one. */
  readonly range?: readonly [least: number, greatest: number, step: number];
  /** One small drawing, for many beside each other. */
  readonly isSmall?: true;
  /** Of the table beneath, in the page's language. */
  readonly words?: { readonly numbers: string; readonly at: string };
}

const english = { numbers: "The numbers", at: "At" };

/** Stand-ins that the style sheet gives their colours, light and dark. */
const ink = "#010101";
const line = "#020202";
const series = ["#030303", "#040404", "#050505", "#060606"];
const bandColour = "#070707";
const markColour = "#080808";

/** A chart as SVG, in a wide and a narrow drawing, with its numbers as a table beneath. */
export function chart(of: Chart): Html {
  const { format, band, marks, words = english } = of;
  const isMarked = isMarkedIn(of);
  const drawing =
    of.isSmall === true
      ? draw(of, 340, 180)
      : html`<div class="wide">${draw(of, 1100, 280)}</div><div class="narrow">${draw(of, 340, 240)}</div>`;
  return html`<figure>
<figcaption>${of.title}</figcaption>
${of.isSmall !== true && legend([of])}<div role="img" aria-label="${of.summary}">${drawing}</div>
<details><summary>${words.numbers}</summary>
${table(
  of.title,
  [
    words.at,
    ...of.series.map(({ name }) => ({ name, numeric: true }) as const),
    ...(band === undefined ? [] : [{ name: band.name, numeric: true } as const]),
    ...(isMarked ? [marks!.name] : []),
  ],
  of.labels.map((label, i) => [
    label,
    ...of.series.map(({ values }) => {
      const value = values[i];
      return value === null || value === undefined ? "–" : format(value);
    }),
    ...(band === undefined ? [] : [band.ranges[i]?.map(format).join(" – ") ?? "–"]),
    ...(isMarked ? [marks!.at[i] ?? ""] : []),
  ]),
)}
</details>
</figure>`;
}

const isMarkedIn = ({ marks }: Chart): boolean => marks?.at.some((one) => one !== undefined) === true;

/** What is drawn, by colour; of small charts beside each other once, above them. @param of - charts of the same series */
export function legend(of: readonly Chart[]): Html | false {
  const [first] = of;
  const band = of.find((one) => one.band !== undefined)?.band;
  const marks = of.find(isMarkedIn)?.marks;
  return (
    first !== undefined &&
    (first.series.length > 1 || band !== undefined || marks !== undefined) &&
    html`<ul class="legend">${first.series.map(({ name }) => html`<li>${name}</li>`)}${band !== undefined && html`<li class="band">${band.name}</li>`}${marks !== undefined && html`<li class="mark">${marks.name}</li>`}</ul>
`
  );
}

function draw(of: Chart, width: number, height: number): Html {
  const drawing = init(null, null, { renderer: "svg", ssr: true, width, height });
  const { format, at } = of;
  // Labels stay below the drawing where values are below zero.
  const shared = { axisLine: { onZero: false, lineStyle: { color: line } }, axisTick: { show: false } };
  const axisLabel = { color: ink, hideOverlap: true };
  try {
    drawing.setOption({
      animation: false,
      silent: true,
      color: series,
      grid: {
        left: 8,
        right: 12,
        top: of.unit === undefined ? 12 : 30,
        bottom: 4,
        outerBoundsMode: "same",
        outerBoundsContain: "axisLabel",
      },
      xAxis:
        at === undefined
          ? {
              type: "category",
              data: [...of.labels],
              ...shared,
              // Labels of a line stand within it: the first and the last would be cut off.
              axisLabel:
                of.kind === "line"
                  ? {
                      ...axisLabel,
                      alignMinLabel: "left",
                      alignMaxLabel: "right",
                      showMinLabel: true,
                      showMaxLabel: true,
                      interval: spaced(of.labels, width - axisWidth),
                    }
                  : axisLabel,
            }
          : {
              type: "value",
              min: 0,
              max: 1,
              splitLine: { show: false },
              ...shared,
              axisLabel: { ...axisLabel, formatter: format },
            },
      yAxis: {
        type: "value",
        ...(of.unit === undefined
          ? {}
          : { name: of.unit, nameTextStyle: { color: ink, align: "left" }, nameGap: 12 }),
        ...(of.range === undefined ? {} : { min: of.range[0], max: of.range[1], interval: of.range[2] }),
        ...(of.max === undefined ? {} : { min: 0, max: of.max, interval: of.max / 4 }),
        scale: of.kind === "line" && of.max === undefined,
        splitNumber: of.isSmall === true ? 2 : 4,
        splitLine: { lineStyle: { color: line } },
        axisLabel: { color: ink, formatter: format },
      },
      series: [
        ...bandSeries(of),
        ...of.series.map(({ name, values }) => ({
          name,
          type: of.kind,
          data: values.map((value, i) => (at === undefined ? (value ?? "-") : [at[i]!, value ?? "-"])),
          silent: true,
          ...(of.kind === "line"
            ? {
                symbol: "circle",
                symbolSize: known(values) > 60 ? 0 : 5,
                showAllSymbol: true,
                lineStyle: { width: 2 },
              }
            : { barMaxWidth: 36 }),
        })),
        ...markSeries(of),
      ],
    });
    return new Html(plainSvg(drawing.renderToSVGString()));
  } finally {
    drawing.dispose();
  }
}

/** Room of a letter and of the gap between two labels, in pixels; a Chinese sign has the room of two letters. */
const letterWidth = 7;
const labelGap = 16;
/** Of the values' axis, about. */
const axisWidth = 60;

/** @returns which labels stand: the first and the last, and at equal distances as many as have room between them. */
function spaced(labels: readonly string[], width: number): (index: number) => boolean {
  const letters = (label: string): number =>
    [...label].reduce((sum, sign) => sum + (sign > "\u2e7f" ? 2 : 1), 0);
  const widest = labels.reduce((most, label) => Math.max(most, letters(label)), 1) * letterWidth;
  // The first label begins and the last ends below its point, where the others have their middle there.
  const step = Math.ceil((labels.length * (1.5 * widest + labelGap)) / width);
  const last = labels.length - 1;
  return (index) => index === last || (index % step === 0 && last - index >= step);
}

/** Two lines that are not drawn, and what lies between them. */
function bandSeries({ band }: Chart): object[] {
  if (band === undefined) return [];
  const line = (values: readonly (number | "-")[]): object => ({
    ...{ type: "line", stack: "band", stackStrategy: "all", symbol: "none", silent: true, data: values },
    ...{ lineStyle: { width: 0 }, color: bandColour },
  });
  return [
    line(band.ranges.map((one) => one?.[0] ?? "-")),
    {
      ...line(band.ranges.map((one) => (one ? one[1] - one[0] : "-"))),
      areaStyle: { color: bandColour, opacity: 1 },
    },
  ];
}

/** Diamonds on the first line, which are told from its points without colour. */
function markSeries({ marks, series: [first] }: Chart): object[] {
  if (marks === undefined || first === undefined) return [];
  const data = first.values.map((value, i) => (marks.at[i] === undefined ? "-" : (value ?? "-")));
  return [
    {
      ...{ type: "line", symbol: "diamond", symbolSize: 15, showAllSymbol: true, silent: true, z: 5, data },
      ...{ lineStyle: { width: 0 }, color: markColour, itemStyle: { color: markColour } },
    },
  ];
}

/** Few points get a mark each: a lone one between gaps has no line to be seen by. */
const known = (values: readonly (number | undefined | null)[]): number =>
  values.filter((value) => value != null).length;

/** Without inline styles, which the page's content security policy forbids, and without the drawer's own marks. */
const plainSvg = (svg: string): string =>
  svg
    .replace(/<style[\s\S]*?<\/style>/g, "")
    .replace(/ (?:style|ecmeta_\w+|class)="[^"]*"/g, "")
    .replace(
      /^<svg width="(\d+)" height="(\d+)"/,
      '<svg aria-hidden="true" focusable="false" width="$1" height="$2"',
    );
