import { drawing } from "../../simulate/plots.ts";
import type { DemoRow } from "./demo-table.ts";
import type { SetTable, SettingName, Spread } from "./settings.ts";

const [width, height] = [1100, 420];

/** @returns one SVG page: a chart of AUC by method and setting for every set, and one of the demo's enterprises. */
export function page(sets: readonly SetTable[], demo: readonly DemoRow[]): string {
  const charts = sets.map(setChart);
  if (demo.length > 0) charts.push(demoChart(demo));
  const placed = charts.map((svg, i) => svg.replace("<svg ", `<svg y="${i * height}" `));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${charts.length * height}">${placed.join("")}</svg>\n`;
}

function chart(
  title: string,
  labels: readonly string[],
  series: readonly { name: string; data: (number | null)[] }[],
): string {
  return drawing(
    {
      title: { text: title, left: "center" },
      color: ["#1f6fb2", "#6cb2ec", "#9ccaf0", "#2c7a4b", "#76c795", "#c2571a"],
      xAxis: { type: "category", data: labels, axisLabel: { interval: 0 } },
      yAxis: { type: "value", name: "AUC", min: 0.45, scale: true },
      series: series.map((one) => ({ ...one, type: "bar" })),
    },
    width,
    height,
  );
}

const settings: readonly SettingName[] = ["pooled", "5 iid", "20 iid", "5 by group", "20 by group", "alone"];
const mean = (one: Spread | null | undefined): number | null => one?.mean ?? null;

const setChart = ({ name, loans, rows }: SetTable): string =>
  chart(
    `${name}: ${loans} loans`,
    rows.map(({ method }) => method),
    settings
      .filter((setting) => rows.some((row) => row.settings[setting] !== undefined))
      .map((setting) => ({ name: setting, data: rows.map((row) => mean(row.settings[setting]?.auc)) })),
  );

function demoChart(demo: readonly DemoRow[]): string {
  const methods = [...new Set(demo.map(({ method }) => method))];
  const kinds = [...new Set(demo.map(({ sees }) => sees))];
  const of = (method: string, sees: string) => demo.find((row) => row.method === method && row.sees === sees);
  return chart(
    "the demo's enterprises, by what a study sees",
    methods,
    kinds.flatMap((sees) => [
      { name: `${sees}, federated`, data: methods.map((method) => mean(of(method, sees)?.federated)) },
      { name: `${sees}, alone`, data: methods.map((method) => mean(of(method, sees)?.alone)) },
    ]),
  );
}
