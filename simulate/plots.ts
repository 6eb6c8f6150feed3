/** Charts of a study as SVG files, drawn without a browser. */
import { BarChart, LineChart } from "echarts/charts";
import { GridComponent, LegendComponent, TitleComponent } from "echarts/components";
import { type EChartsCoreOption, init, setPlatformAPI, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { evaluate } from "../models/algorithms/evaluate.ts";
import { type WoeResult, woe } from "../models/algorithms/woe.ts";
import { shortBinNames } from "../models/binning.ts";
import type { Evaluation } from "../models/numerics/metrics.ts";
import { resultsBy, type StudyResults } from "../models/results.ts";

use([BarChart, LineChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

/** Without a browser nobody knows which font a text will have: of a narrower guess, texts run into each other. */
setPlatformAPI({
  measureText(text, font = "") {
    const size = Number(/([\d.]+)px/.exec(font)?.[1] ?? 12);
    const each = font.includes("bold") ? 0.7 : 0.62;
    const letters = [...text].reduce((sum, letter) => sum + (letter > "\u2e7f" ? 1 : each), 0);
    return { width: size * letters };
  },
});

const colours = ["#1f6fb2", "#c2571a", "#2c7a4b", "#7d4fb0"];

interface Drawing extends EChartsCoreOption {
  /** What the chart is of, cut off where it is too long, and beneath it what it says of that. */
  readonly of: string;
  readonly says?: string;
}

/** @returns the chart as SVG text. */
export function drawing({ of, says, ...option }: Drawing, width = 720, height = 440): string {
  const chart = init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    chart.setOption({
      animation: false,
      color: colours,
      backgroundColor: "#ffffff",
      title: {
        text: of,
        ...(says === undefined ? {} : { subtext: says, subtextStyle: { color: "#333333", fontSize: 13 } }),
        left: "center",
        itemGap: 6,
        textStyle: { fontSize: 16, width: 0.9 * width, overflow: "truncate" },
      },
      grid: { left: 64, right: 24, top: 92, bottom: 64 },
      legend: { top: says === undefined ? 34 : 54, itemGap: 18, width: 0.9 * width },
      ...option,
    });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}

export interface Plot {
  readonly name: string;
  readonly svg: string;
}

/** @returns a chart of every WOE column and four of every evaluated model. */
export function plotsOf(study: StudyResults): Plot[] {
  const woes = [...resultsBy(woe, study)].flatMap(([as, result]) => woePlots(as, result));
  const models = [...resultsBy(evaluate, study).values()].flatMap(({ models }) => Object.entries(models));
  return named([...woes, ...models.flatMap(([name, evaluation]) => evaluationPlots(name, evaluation))]);
}

/** @returns the charts under names that files can have, each its own, whatever columns are called. */
function named(plots: readonly Plot[]): Plot[] {
  const taken = new Set<string>();
  return plots.map(({ name, svg }) => {
    const letters = name.replaceAll(/[^\p{L}\p{N}_.-]+/gu, "_");
    // A file's name has 255 bytes, of which a letter takes up to four.
    const short = [...letters].slice(0, 56).join("");
    let own = short;
    // A file system may not tell small letters from large ones.
    for (let count = 2; taken.has(own.toLowerCase()); count++) own = `${short}-${count}`;
    taken.add(own.toLowerCase());
    return { name: `${own}.svg`, svg };
  });
}

const axis = (name: string, more: object = {}) => ({
  type: "value",
  name,
  nameLocation: "middle",
  nameGap: 36,
  min: 0,
  ...more,
});

function woePlots(as: string, { features, columns }: WoeResult): Plot[] {
  return features.map((feature) => {
    const { binned, bins, iv } = columns[feature.name]!;
    const levels = feature.kind === "categorical" ? feature.levels : [];
    const rows = bins.reduce((sum, { good, bad }) => sum + good + bad, 0);
    // A bin that nobody is in says nothing.
    const names = shortBinNames(binned, levels);
    const shown = bins.flatMap((bin, i) => (bin.good + bin.bad > 0 ? [{ ...bin, name: names[i]! }] : []));
    const option = {
      of: feature.name,
      says: `weight of evidence, IV ${iv.toFixed(3)}`,
      xAxis: {
        type: "category",
        data: shown.map(({ name }) => name),
        axisLabel: { interval: 0, rotate: 30, width: 200, overflow: "truncate" },
      },
      yAxis: [
        axis("WOE", { min: null }),
        axis("bad rate, share of rows", { max: 1, splitLine: { show: false } }),
      ],
      grid: { left: 120, right: 64, top: 92, bottom: 130 },
      series: [
        { name: "WOE", type: "bar", data: shown.map((bin) => bin.woe) },
        {
          name: "bad rate",
          type: "line",
          yAxisIndex: 1,
          data: shown.map(({ good, bad }) => bad / (good + bad)),
        },
        {
          name: "share of rows",
          type: "line",
          yAxisIndex: 1,
          data: shown.map(({ good, bad }) => (good + bad) / rows),
        },
      ],
    };
    const width = Math.max(720, 184 + 32 * shown.length);
    return { name: `${as}-${feature.name}`, svg: drawing(option, width) };
  });
}

function evaluationPlots(
  name: string,
  { cutOffs, calibration, auc, aucWithin, ks, bad, n }: Evaluation,
): Plot[] {
  const title = (says: string) => ({ of: name, says });
  const points = cutOffs.toReversed();
  const roc = [[0, 0], ...points.map((at) => [at.goodRefused, at.badRefused]), [1, 1]];
  const curve = (text: string, data: readonly (readonly number[])[], more: object = {}) => ({
    name: text,
    type: "line",
    symbolSize: 5,
    data,
    ...more,
  });
  const dashed = { lineStyle: { type: "dashed" }, symbol: "none" };
  const draw = (kind: string, option: Drawing): Plot => ({
    name: `${name}-${kind}`,
    svg: drawing(option),
  });
  return [
    draw("roc", {
      ...title(`ROC, AUC ${auc.toFixed(4)} ± ${aucWithin.toFixed(4)}`),
      xAxis: axis("good refused", { max: 1 }),
      yAxis: axis("bad refused", { max: 1 }),
      series: [
        curve("model", roc),
        curve(
          "chance",
          [
            [0, 0],
            [1, 1],
          ],
          dashed,
        ),
      ],
    }),
    draw("ks", {
      ...title(`share refused from a score on, KS ${ks.toFixed(4)}`),
      xAxis: axis("score: probability of bad", { max: null }),
      yAxis: axis("refused", { max: 1 }),
      series: [
        curve(
          "bad",
          points.map((at) => [at.score, at.badRefused]),
        ),
        curve(
          "good",
          points.map((at) => [at.score, at.goodRefused]),
        ),
      ],
    }),
    draw("calibration", {
      ...title("what was predicted, and what came"),
      xAxis: axis("mean score of a tenth of the rows"),
      yAxis: axis("share of bad rows"),
      series: [
        curve(
          "tenths",
          calibration.map((group) => [group.predicted, group.observed]),
        ),
        curve(
          "as predicted",
          calibration.map((group) => [group.predicted, group.predicted]),
          dashed,
        ),
      ],
    }),
    draw("lift", {
      ...title(`bad among the refused, against ${((100 * bad) / n).toFixed(1)} % of all`),
      xAxis: axis("share of rows refused", { max: 1 }),
      yAxis: axis("times the average"),
      series: [
        curve(
          "lift",
          points.map((at) => [1 - at.approvalRate, at.badRefused / (1 - at.approvalRate)]),
        ),
      ],
    }),
  ];
}
