import { type Random, uniform } from "../../privacy/random.ts";

/** The four enterprises of the demo; each sees another part of the same economy. */
export const enterprises = [
  { id: "lathe-works", organisation: "Lathe Works", industry: "machining", rows: 2600, strain: 0.1 },
  { id: "cold-fleet", organisation: "Cold Fleet", industry: "cold-chain", rows: 1400, strain: 0.5 },
  { id: "corner-shops", organisation: "Corner Shops", industry: "retail", rows: 1800, strain: -0.5 },
  { id: "river-mill", organisation: "River Mill", industry: "textile", rows: 1100, strain: 0.9 },
] as const;

export type Enterprise = (typeof enterprises)[number];

export const features = [
  { name: "operating_rate", kind: "numeric" },
  { name: "idle_ratio", kind: "numeric" },
  { name: "energy_per_unit", kind: "numeric" },
  { name: "order_delay_rate", kind: "numeric" },
  { name: "inventory_turnover", kind: "numeric" },
  { name: "debt_ratio", kind: "numeric" },
  { name: "past_overdue", kind: "numeric" },
  { name: "industry", kind: "categorical", levels: enterprises.map((e) => e.industry) },
] as const;

/** Standard normal by Box–Muller. */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - uniform(random))) * Math.cos(2 * Math.PI * uniform(random));
}

const clamp = (x: number, low: number, high: number): number => Math.min(high, Math.max(low, x));

export interface GeneratedRows {
  /** With header; the label column is `credit_status`. */
  readonly csv: string;
  /** P(bad | features) of every row: no model can rank better than this. */
  readonly badProbability: Float64Array;
}

/**
 * Rows of one enterprise under the demo's documented rule. One row is one borrower over 90 days:
 *
 *   logit P(bad) = −2.9 + 3.0·(0.75 − operating_rate) + 0.8·(order_delay_rate − 0.1)/0.1 + 0.55·(debt_ratio − 0.5)/0.2
 *                  + 0.5·past_overdue − 0.25·(inventory_turnover − 6)/2 + 3.5·[idle_ratio > 0.24 and energy_per_unit > 10.5]
 *
 * The last term is what a linear model misses: an idle machine says little, an idle machine that draws power says much.
 * Of the rows that are not bad, 4 % are 16–30 days overdue (indeterminate), 8 % in grace, the rest normal.
 */
export function generateRows(enterprise: Enterprise, random: Random): GeneratedRows {
  const lines = [...features.map((f) => f.name), "credit_status"].join(",");
  const out = [lines];
  const badProbability = new Float64Array(enterprise.rows);
  for (let row = 0; row < enterprise.rows; row++) {
    const strain = enterprise.strain + normal(random);
    const operatingRate = clamp(0.74 - 0.1 * strain + 0.08 * normal(random), 0.02, 1);
    const idleRatio = clamp(0.22 + 0.01 * strain + 0.1 * normal(random), 0, 0.95);
    const energyPerUnit = clamp(10 + 0.3 * strain + 2 * normal(random), 2, 40);
    const orderDelayRate = clamp(0.1 + 0.05 * strain + 0.06 * normal(random), 0, 0.9);
    const inventoryTurnover = clamp(6 - 0.6 * strain + 1.6 * normal(random), 0.2, 20);
    const debtRatio = clamp(0.5 + 0.06 * strain + 0.15 * normal(random), 0.02, 1.6);
    const pastOverdue = Math.floor(clamp(0.4 + 0.4 * strain + 0.8 * normal(random), 0, 6));
    const poweredIdle = idleRatio > 0.24 && energyPerUnit > 10.5 ? 1 : 0;
    const logit =
      -2.9 +
      3.0 * (0.75 - operatingRate) +
      0.8 * ((orderDelayRate - 0.1) / 0.1) +
      0.55 * ((debtRatio - 0.5) / 0.2) +
      0.5 * pastOverdue -
      0.25 * ((inventoryTurnover - 6) / 2) +
      3.5 * poweredIdle;
    const p = 1 / (1 + Math.exp(-logit));
    badProbability[row] = p;
    const bad = uniform(random) < p;
    const grade = uniform(random);
    const status = bad
      ? grade < 0.5
        ? "written_off"
        : "overdue_31_90"
      : grade < 0.04
        ? "overdue_16_30"
        : grade < 0.12
          ? "grace"
          : "normal";
    out.push(
      [
        operatingRate.toFixed(4),
        idleRatio.toFixed(4),
        energyPerUnit.toFixed(3),
        orderDelayRate.toFixed(4),
        inventoryTurnover.toFixed(3),
        debtRatio.toFixed(4),
        pastOverdue,
        enterprise.industry,
        status,
      ].join(","),
    );
  }
  return { csv: `${out.join("\n")}\n`, badProbability };
}
