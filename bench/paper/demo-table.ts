import { seededRandom } from "../../core/random.ts";
import { borrowersOf, features as demoFeatures, enterprises } from "../../demo/economy.ts";
import { manifest as demoManifest } from "../../demo/study.ts";
import { concatRows, takeRows } from "../../models/rows.ts";
import { manifestSchema } from "../../models/study.ts";
import type { Table } from "../../models/table.ts";
import type { Method } from "./methods.ts";
import { foldsOf, type Spread, spreadOf, trained } from "./settings.ts";

const financial = ["debt_ratio_last", "days_overdue_max"];
const operating = ["operating_rate", "energy_per_unit", "order_delay_rate", "inventory_turnover"];
/** What a study of the demo's enterprises may see. */
const kinds = {
  "financial ratios": financial,
  "operating features": operating,
  both: [...financial, ...operating],
} as const;

export interface DemoRow {
  readonly method: string;
  readonly sees: keyof typeof kinds;
  /** AUC on all enterprises' held-out loans. */
  readonly federated: Spread | null;
  /** Mean over the enterprises. */
  readonly alone: Spread | null;
}

/** The article's question: what the operating data of enterprises adds to their financial ratios. */
export async function demoTable(
  used: readonly Method[],
  folds: number,
  progress: (line: string) => void,
): Promise<DemoRow[]> {
  const tables = enterprises.map(loansOf);
  const manifest = manifestSchema.parse(demoManifest);
  const rows: DemoRow[] = [];
  for (const [sees, columns] of Object.entries(kinds) as [DemoRow["sees"], readonly string[]][]) {
    progress(`demo's enterprises: ${sees}`);
    const seen = {
      ...manifest,
      features: manifest.features.filter(({ name }) => columns.includes(name)),
    };
    const federated = new Map<string, number[]>();
    const alone = new Map<string, number[]>();
    const split = tables.map((table, i) => foldsOf(table, folds, `demo ${i}`));
    for (let fold = 0; fold < folds; fold++) {
      const training = tables.map((table, i) => takeRows(table, split[i]![fold]!.training));
      const heldOut = concatRows(tables.map((table, i) => takeRows(table, split[i]![fold]!.test)));
      for (const [method, { auc }] of await trained(seen, used, training, heldOut))
        federated.set(method, [...(federated.get(method) ?? []), auc]);
      const own = new Map<string, number[]>();
      for (const table of training)
        for (const [method, { auc }] of await trained(seen, used, [table], heldOut))
          own.set(method, [...(own.get(method) ?? []), auc]);
      for (const [method, aucs] of own)
        alone.set(method, [...(alone.get(method) ?? []), aucs.reduce((sum, x) => sum + x, 0) / aucs.length]);
    }
    const spread = (values: readonly number[] | undefined) =>
      values === undefined ? null : spreadOf(values);
    for (const { name: method } of used)
      rows.push({ method, sees, federated: spread(federated.get(method)), alone: spread(alone.get(method)) });
  }
  return rows;
}

/** One enterprise's loans as its node would make them; the indeterminate ones are left out. */
function loansOf(enterprise: (typeof enterprises)[number]): Table {
  const { bad, good } = demoManifest.label;
  const months = borrowersOf(enterprise, seededRandom(`paper ${enterprise.id}`))
    .flatMap(({ months }) => months)
    .filter(({ creditStatus }) => [...bad, ...good].includes(creditStatus as never));
  const column = (of: (month: (typeof months)[number]) => number) =>
    ({ kind: "numeric", values: Float64Array.from(months, of) }) as const;
  const industry = demoFeatures.find(({ name }) => name === "industry");
  const levels = industry?.kind === "categorical" ? industry.levels : [];
  return {
    rows: months.length,
    columns: new Map<
      string,
      ReturnType<typeof column> | { kind: "categorical"; codes: Int32Array; levels: string[] }
    >([
      ["operating_rate", column((month) => month.operatingRate)],
      ["energy_per_unit", column((month) => month.energyPerUnit)],
      ["order_delay_rate", column((month) => month.orderDelayRate)],
      ["inventory_turnover", column((month) => month.inventoryTurnover)],
      ["debt_ratio_last", column((month) => month.debtRatio)],
      ["days_overdue_max", column((month) => month.daysOverdue)],
      [
        "industry",
        {
          kind: "categorical",
          codes: new Int32Array(months.length).fill(levels.indexOf(enterprise.industry)),
          levels: [...levels],
        },
      ],
    ]),
    label: Uint8Array.from(months, ({ creditStatus }) => (bad.includes(creditStatus as never) ? 1 : 0)),
    // good values come before bad ones
    outcome: Uint8Array.from(months, ({ creditStatus }) => [...good, ...bad].indexOf(creditStatus as never)),
    subject: Int32Array.from(months.keys()),
    holdout: new Uint8Array(months.length),
  };
}
