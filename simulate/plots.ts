/** Charts of a study as SVG files, drawn without a browser. */
import { BarChart, LineChart } from "echarts/charts";
import { GridComponent, LegendComponent, TitleComponent } from "echarts/components";
import { type EChartsCoreOption, init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { evaluate } from "../models/algorithms/evaluate.ts";
import { type WoeResult, woe } from "../models/algorithms/woe.ts";
import { binName } from "../models/binning.ts";
import type { Evaluation } from "../models/numerics/metrics.ts";
import { resultsBy, type StudyResults } from "../models/results.ts";

use([BarChart, LineChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

const colours = ["#1f6fb2", "#c2571a", "#2c7a4b", "#7d4fb0"];

/** @returns the chart as SVG text. */
export function drawing(option: EChartsCoreOption, width = 720, height = 440): string {
  const chart = init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    chart.setOption({
      animation: false,
      color: colours,
      backgroundColor: "#ffffff",
      grid: { left: 64, right: 24, top: 72, bottom: 64 },
      legend: { top: 36 },
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
  return [...woes, ...models.flatMap(([name, evaluation]) => evaluationPlots(name, evaluation))];
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
    const shown = bins.flatMap((bin, i) =>
      bin.good + bin.bad > 0 ? [{ ...bin, name: binName(binned, levels, i) }] : [],
    );
    const svg = drawing({
      title: { text: `${feature.name}: weight of evidence, IV ${iv.toFixed(3)}`, left: "center" },
      xAxis: {
        type: "category",
        data: shown.map(({ name }) => name),
        axisLabel: { rotate: 30, hideOverlap: false, width: 120, overflow: "truncate" },
      },
      yAxis: [
        axis("WOE", { min: null }),
        axis("bad rate, share of rows", { max: 1, splitLine: { show: false } }),
      ],
      grid: { left: 64, right: 64, top: 72, bottom: 110 },
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
    });
    return { name: `${as}-${fileName(feature.name)}.svg`, svg };
  });
}

const fileName = (text: string): string => text.replaceAll(/[^\w.-]+/g, "_");

function evaluationPlots(
  name: string,
  { cutOffs, calibration, auc, aucWithin, ks, bad, n }: Evaluation,
): Plot[] {
  const title = (text: string) => ({ title: { text: `${name}: ${text}`, left: "center" } });
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
  const draw = (kind: string, option: EChartsCoreOption): Plot => ({
    name: `${fileName(name)}-${kind}.svg`,
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
