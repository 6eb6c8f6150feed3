import type { DemoRow } from "./demo-table.ts";
import type { GroupTable } from "./groups.ts";
import type { Measured, SetTable, SettingName, Spread } from "./settings.ts";

const settingNames: readonly SettingName[] = [
  "pooled",
  "5 iid",
  "20 iid",
  "5 by group",
  "20 by group",
  "alone",
];
const spread = ({ mean, within }: Spread): string => `${mean.toFixed(4)} ± ${within.toFixed(4)}`;

/** @returns a set's table: a line for every method in every setting. */
export function setText({ name, loans, majority, groupedBy, rows }: SetTable): string {
  const lines = rows.flatMap(({ method, settings }) =>
    settingNames.flatMap((setting) => {
      const one = settings[setting];
      return one === undefined ? [] : [measuredText(method, setting, one)];
    }),
  );
  return [
    `${name}: ${loans} loans, calling every one good is right for ${majority.toFixed(4)}${groupedBy === undefined ? "" : `; groups are of ${groupedBy}`}`,
    `  ${"method".padEnd(13)}${"setting".padEnd(13)}${["AUC", "KS", "Gini", "Brier", "accuracy"].map((head) => head.padEnd(19)).join("")}models`,
    ...lines,
  ].join("\n");
}

const measuredText = (
  method: string,
  setting: string,
  { auc, ks, gini, brier, accuracy, models }: Measured,
): string =>
  `  ${method.padEnd(13)}${setting.padEnd(13)}${[auc, ks, gini, brier, accuracy].map((one) => spread(one).padEnd(19)).join("")}${models.join(" of ")}`;

export function groupText(tables: readonly GroupTable[]): string {
  return [
    "Score of each indicator group alone (log-odds of bad): mean, standard deviation, standard error; Cronbach's α",
    ...tables.flatMap(({ method, alpha, groups }) => [
      `  ${method}: α ${alpha?.toFixed(4) ?? "none"}`,
      ...groups.map(
        ({ group, mean, standardDeviation, standardError }) =>
          `    ${group.padEnd(26)}${[mean, standardDeviation, standardError].map((x) => x.toFixed(4).padStart(10)).join("")}`,
      ),
    ]),
  ].join("\n");
}

export function demoText(rows: readonly DemoRow[]): string {
  const auc = (one: Spread | null) => (one === null ? "none" : spread(one)).padEnd(19);
  return [
    "The demo's enterprises: AUC on all held-out loans",
    `  ${"method".padEnd(13)}${"sees".padEnd(20)}${"federated".padEnd(19)}each alone`,
    ...rows.map(
      ({ method, sees, federated, alone }) =>
        `  ${method.padEnd(13)}${sees.padEnd(20)}${auc(federated)}${auc(alone)}`,
    ),
  ].join("\n");
}
