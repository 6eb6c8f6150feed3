import { seededRandom, shuffle } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import { runPlain } from "../../models/plain.ts";
import { modelsOf } from "../../models/results.ts";
import { takeRows } from "../../models/rows.ts";
import type { StudyManifest } from "../../models/study.ts";
import type { Table } from "../../models/table.ts";
import { partitionRows } from "../../simulate/partition.ts";
import type { CreditSet } from "../credit/sets.ts";
import { exactAuc } from "../credit/split.ts";
import { listOf, type Method } from "./methods.ts";

/** Over repeats: the mean and half its 95 % interval. */
export interface Spread {
  readonly mean: number;
  readonly within: number;
  /** What they are of, repeat after repeat. */
  readonly values: readonly number[];
}

export interface Measured {
  readonly auc: Spread;
  readonly ks: Spread;
  readonly gini: Spread;
  readonly brier: Spread;
  readonly accuracy: Spread;
  /** Trainings that gave a model, of those tried. */
  readonly models: readonly [number, number];
}

export type SettingName = "pooled" | "5 iid" | "20 iid" | "5 by group" | "20 by group" | "alone";

export interface SetTable {
  readonly name: string;
  readonly rows: readonly {
    readonly method: string;
    readonly settings: Partial<Record<SettingName, Measured>>;
  }[];
  readonly loans: number;
  /** Accuracy of calling every loan good. */
  readonly majority: number;
  readonly groupedBy: string | undefined;
}

interface Scored {
  readonly auc: number;
  readonly ks: number;
  readonly brier: number;
  readonly accuracy: number;
}

/** Trains every method in every setting on each fold's training rows, and scores the fold. */
export async function compare(
  set: CreditSet,
  used: readonly Method[],
  folds: number,
  progress: (line: string) => void,
): Promise<SetTable> {
  const found = new Map<string, (Scored | undefined)[]>();
  const settingNames: SettingName[] = ["pooled", "5 iid", "20 iid"];
  for (const [parties, setting] of [
    [5, "5 by group"],
    [20, "20 by group"],
  ] as const)
    if (groupsOf(set) >= parties) settingNames.push(setting);
  const begun = performance.now();
  const steps = folds * (settingNames.length + 1);
  let done = 0;
  const tick = (what: string): void => {
    done++;
    const left = ((performance.now() - begun) / done / 1000) * (steps - done);
    progress(`${what}; about ${Math.ceil(left)} s left`);
  };
  for (const [fold, { training, test }] of foldsOf(set.table, folds, set.name).entries()) {
    const rows = takeRows(set.table, training);
    const heldOut = takeRows(set.table, test);
    const groups = set.groups && training.map((row) => set.groups![row]!);
    const keep = (setting: SettingName, models: ReadonlyMap<string, Scored>): void => {
      for (const { name } of used) {
        const list = found.get(`${name} ${setting}`) ?? [];
        found.set(`${name} ${setting}`, [...list, models.get(name)]);
      }
    };
    for (const setting of settingNames) {
      const tables = setting === "pooled" ? [rows] : dealtTo(setting, rows, groups, `${set.name} ${fold}`);
      keep(setting, await trained(set.manifest, used, tables, heldOut));
      tick(`fold ${fold + 1}, ${setting}`);
    }
    for (const own of dealtTo("5 iid", rows, groups, `${set.name} ${fold}`))
      keep("alone", await trained(set.manifest, used, [own], heldOut));
    tick(`fold ${fold + 1}, alone`);
  }
  const bad = set.table.label.reduce((sum, label) => sum + label, 0);
  return {
    name: set.name,
    loans: set.table.rows,
    majority: Math.max(bad, set.table.rows - bad) / set.table.rows,
    groupedBy: set.groupedBy,
    rows: used.map(({ name: method }) => ({
      method,
      settings: Object.fromEntries(
        [...settingNames, "alone" as const].flatMap((setting) => {
          const measured = measuredOf(found.get(`${method} ${setting}`)!, folds);
          return measured === undefined ? [] : [[setting, measured] as const];
        }),
      ),
    })),
  };
}

/** Rows of a group that are in every fold's training with near certainty. */
const leastOfGroup = 30;

/** @returns how many groups enterprises could be made of. */
function groupsOf({ groups = [] }: CreditSet): number {
  return [...Map.groupBy(groups, (group) => group).values()].filter((own) => own.length >= leastOfGroup)
    .length;
}

function dealtTo(
  setting: SettingName,
  rows: Table,
  groups: readonly string[] | undefined,
  seed: string,
): Table[] {
  const parties = Number.parseInt(setting, 10);
  const partition =
    setting.endsWith("group") && groups !== undefined
      ? ({ kind: "by", column: "" } as const)
      : ({ kind: "iid" } as const);
  return partitionRows(partition, parties, rows.label, groups ?? [], seededRandom(seed)).map((own) =>
    takeRows(rows, own),
  );
}

/** @returns how every method scores the held-out rows; those that came to no model are not there. */
export async function trained(
  manifest: StudyManifest,
  used: readonly Method[],
  tables: readonly Table[],
  heldOut: Table,
): Promise<Map<string, Scored>> {
  const models = await modelsFrom(manifest, used, tables);
  return new Map([...models].map(([name, model]) => [name, scoredBy(model.score(heldOut), heldOut.label)]));
}

/** One study of all methods; where one cannot be fitted to these rows, each has a study of its own. */
export async function modelsFrom(
  manifest: StudyManifest,
  used: readonly Method[],
  tables: readonly Table[],
): Promise<ReturnType<typeof modelsOf>> {
  const algorithms = listOf(
    used,
    tables.reduce((sum, { rows }) => sum + rows, 0),
  );
  const maxRowsPerParty = Math.max(...tables.map(({ rows }) => rows));
  try {
    const { results } = await runPlain({ ...manifest, maxRowsPerParty, algorithms }, tables);
    return modelsOf({ algorithms, results });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (used.length === 1) return new Map();
    const each = [];
    for (const one of used) each.push(await modelsFrom(manifest, [one], tables));
    return new Map(each.flatMap((models) => [...models]));
  }
}

function scoredBy(scores: Float64Array, label: Uint8Array): Scored {
  let [squared, right] = [0, 0];
  for (const [row, score] of scores.entries()) {
    squared += (score - label[row]!) ** 2;
    if (score >= 0.5 === (label[row] === 1)) right++;
  }
  return {
    auc: exactAuc(scores, label),
    ks: ksOf(scores, label),
    brier: squared / label.length,
    accuracy: right / label.length,
  };
}

function ksOf(scores: Float64Array, label: Uint8Array): number {
  const bad = label.reduce((sum, one) => sum + one, 0);
  const order = [...scores.keys()].sort((a, b) => scores[a]! - scores[b]!);
  let [most, goodBelow, badBelow] = [0, 0, 0];
  for (const [i, row] of order.entries()) {
    if (label[row] === 1) badBelow++;
    else goodBelow++;
    if (scores[order[i + 1] ?? -1] === scores[row]) continue;
    most = Math.max(most, Math.abs(goodBelow / (label.length - bad) - badBelow / bad));
  }
  return most;
}

/** @returns stratified folds: of each the rows outside and inside. */
export function foldsOf(table: Table, folds: number, seed: string): { training: number[]; test: number[] }[] {
  const random = seededRandom(`paper folds ${seed}`);
  const foldOf = new Int32Array(table.rows);
  for (const label of [0, 1]) {
    const own = shuffle(
      [...table.label.keys()].filter((row) => table.label[row] === label),
      random,
    );
    for (const [i, row] of own.entries()) foldOf[row] = i % Math.max(2, folds);
  }
  const all = [...table.label.keys()];
  return Array.from({ length: folds }, (_, fold) => ({
    training: all.filter((row) => foldOf[row] !== fold),
    test: all.filter((row) => foldOf[row] === fold),
  }));
}

/** 97.5 % quantiles of Student's t by degrees of freedom. @see NIST, e-Handbook of Statistical Methods, 1.3.6.7.2 */
const studentT = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];

export function spreadOf(values: readonly number[]): Spread {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  if (values.length < 2) return { mean, within: 0, values };
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (values.length - 1);
  const within = (studentT[values.length - 2] ?? 1.96) * Math.sqrt(variance / values.length);
  return { mean, within, values };
}

/** @returns how much larger the first is, repeat by repeat; undefined where one of them has fewer. */
export const gainOf = (of: Spread, over: Spread): Spread | undefined =>
  of.values.length === over.values.length
    ? spreadOf(of.values.map((value, i) => value - over.values[i]!))
    : undefined;

/** @param folds - runs come fold after fold, several to a fold where enterprises are alone. */
function measuredOf(runs: readonly (Scored | undefined)[], folds: number): Measured | undefined {
  const each = runs.length / folds;
  const byFold = Array.from({ length: folds }, (_, fold) =>
    runs.slice(fold * each, (fold + 1) * each).filter((run) => run !== undefined),
  ).filter((own) => own.length > 0);
  if (byFold.length === 0) return undefined;
  const spread = (of: (run: Scored) => number) =>
    spreadOf(byFold.map((own) => own.reduce((sum, run) => sum + of(run), 0) / own.length));
  return {
    auc: spread(({ auc }) => auc),
    ks: spread(({ ks }) => ks),
    gini: spread(({ auc }) => 2 * auc - 1),
    brier: spread(({ brier }) => brier),
    accuracy: spread(({ accuracy }) => accuracy),
    models: [runs.filter((run) => run !== undefined).length, runs.length],
  };
}
