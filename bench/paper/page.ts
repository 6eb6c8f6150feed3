import { drawing } from "../../simulate/plots.ts";
import type { DemoRow } from "./demo-table.ts";
import type { SetTable, SettingName } from "./settings.ts";

const [width, height] = [1100, 420];

/** @returns one SVG page: a chart of AUC by method and setting for every set, and one of the demo's enterprises. */
export function page(sets: readonly SetTable[], demo: readonly DemoRow[]): string {
  const charts = sets.map(setChart);
  if (demo.length > 0) charts.push(demoChart(demo));
  const placed = charts.map((svg, i) => svg.replace("<svg ", `<svg y="${i * height}" `));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${charts.length * height}">${placed.join("")}</svg>\n`;
}

interface Bars {
  readonly name: string;
  readonly colour: string;
  /** By method. */
  readonly values: ReadonlyMap<string, number>;
}

/** Methods without a model stand nowhere, and so do settings. */
function chart(of: string, methods: readonly string[], bars: readonly Bars[]): string {
  const shown = methods.filter((method) => bars.some(({ values }) => values.has(method)));
  const series = bars.filter(({ values }) => values.size > 0);
  return drawing(
    {
      of,
      color: series.map(({ colour }) => colour),
      xAxis: { type: "category", data: shown, axisLabel: { interval: 0 } },
      yAxis: { type: "value", name: "AUC", min: 0.45, scale: true },
      series: series.map(({ name, values }) => ({
        name,
        type: "bar",
        data: shown.map((method) => values.get(method) ?? null),
      })),
    },
    width,
    height,
  );
}

const settings: Readonly<Record<SettingName, string>> = {
  pooled: "#1f6fb2",
  "5 iid": "#6cb2ec",
  "20 iid": "#9ccaf0",
  "5 by group": "#2c7a4b",
  "20 by group": "#76c795",
  alone: "#c2571a",
};

const setChart = ({ name, loans, rows }: SetTable): string =>
  chart(
    `${name}: ${loans} loans`,
    rows.map(({ method }) => method),
    Object.entries(settings).map(([setting, colour]) => ({
      name: setting,
      colour,
      values: new Map(
        rows.flatMap((row) => {
          const measured = row.settings[setting as SettingName];
          return measured === undefined ? [] : [[row.method, measured.auc.mean] as const];
        }),
      ),
    })),
  );

/** Of federated models and of those that each has alone. */
const demoColours: Readonly<Record<DemoRow["sees"], readonly [string, string]>> = {
  "financial ratios": ["#1f6fb2", "#9ccaf0"],
  "operating features": ["#2c7a4b", "#a4d9b9"],
  both: ["#c2571a", "#f0b48f"],
};

const demoChart = (demo: readonly DemoRow[]): string =>
  chart(
    "the demo's enterprises, by what a study sees",
    [...new Set(demo.map(({ method }) => method))],
    Object.entries(demoColours).flatMap(([sees, colours]) =>
      (["federated", "alone"] as const).map((setting, i) => ({
        name: `${sees}, ${setting}`,
        colour: colours[i]!,
        values: new Map(
          demo.flatMap((row) => {
            const auc = row.sees === sees ? row[setting] : null;
            return auc === null ? [] : [[row.method, auc.mean] as const];
          }),
        ),
      })),
    ),
  );
