import { type Random, uniform } from "../core/random.ts";

/** The four enterprises of the demo; each lends to sites of another part of the same economy. */
export const enterprises = [
  { id: "lathe-works", organisation: "Lathe Works", industry: "machining", sites: 110, strain: 0.1 },
  { id: "cold-fleet", organisation: "Cold Fleet", industry: "cold-chain", sites: 65, strain: 0.5 },
  { id: "corner-shops", organisation: "Corner Shops", industry: "retail", sites: 85, strain: -0.5 },
  { id: "river-mill", organisation: "River Mill", industry: "textile", sites: 50, strain: 0.9 },
] as const;

export type Enterprise = (typeof enterprises)[number];

/** Complete months of history before the current one. */
export const monthsBack = 18;

/** What a study reads; all but the last are features that the node computes from its readings. */
export const features = [
  { name: "operating_rate", kind: "numeric" },
  { name: "energy_per_unit", kind: "numeric" },
  { name: "order_delay_rate", kind: "numeric" },
  { name: "inventory_turnover", kind: "numeric" },
  { name: "debt_ratio_last", kind: "numeric" },
  { name: "days_overdue_max", kind: "numeric" },
  { name: "industry", kind: "categorical", levels: enterprises.map((e) => e.industry) },
] as const;

/** One borrower's month: how it worked, and how its loan stood afterwards. */
export interface SiteMonth {
  readonly operatingRate: number;
  /** kW·h a reported piece. */
  readonly energyPerUnit: number;
  readonly orderDelayRate: number;
  /** A year. */
  readonly inventoryTurnover: number;
  readonly debtRatio: number;
  readonly daysOverdue: number;
  /** P(bad | this month): no model can rank better than this. */
  readonly badProbability: number;
  readonly creditStatus: string;
}

export interface Borrower {
  readonly site: string;
  /** Oldest first. */
  readonly months: readonly SiteMonth[];
}

/** Standard normal by Box–Muller. */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - uniform(random))) * Math.cos(2 * Math.PI * uniform(random));
}

const clamp = (x: number, low: number, high: number): number => Math.min(high, Math.max(low, x));

/**
 * The borrowers of one enterprise under the demo's documented rule:
 *
 *   logit P(bad) = −3.1 + 3.0·(0.75 − operating_rate) + 0.8·(order_delay_rate − 0.1)/0.1 + 0.55·(debt_ratio − 0.5)/0.2
 *                  + 0.05·days_overdue − 0.25·(inventory_turnover − 6)/2 + 3.5·[operating_rate < 0.7 and energy_per_unit > 10.5]
 *
 * The last term is what a linear model misses: a machine at rest says little, one at rest that draws power says much.
 * Sites differ much from each other and little from month to month. Of the loans that are not bad, 4 % are 16–30 days
 * overdue (indeterminate), 8 % in grace, the rest normal.
 */
export function borrowersOf(
  { id, sites, strain }: Omit<Enterprise, "sites"> & { readonly sites: number },
  random: Random,
): Borrower[] {
  return Array.from({ length: sites }, (_, i) => {
    const own = {
      strain: strain + normal(random),
      rate: 0.09 * normal(random),
      energy: 2 * normal(random),
      delay: 0.05 * normal(random),
      turnover: 1.5 * normal(random),
      debt: 0.15 * normal(random),
      overdue: 7 * normal(random),
    };
    const months = Array.from({ length: monthsBack }, () => siteMonth(own, random));
    return { site: `${id}-${String(i + 1).padStart(3, "0")}`, months };
  });
}

type Nature = Readonly<
  Record<"strain" | "rate" | "energy" | "delay" | "turnover" | "debt" | "overdue", number>
>;

function siteMonth(own: Nature, random: Random): SiteMonth {
  const strain = own.strain + 0.2 * normal(random);
  const operatingRate = clamp(0.74 - 0.08 * strain + own.rate + 0.02 * normal(random), 0.05, 0.99);
  const energyPerUnit = clamp(10 + 0.3 * strain + own.energy + 0.5 * normal(random), 2, 40);
  const orderDelayRate = clamp(0.1 + 0.05 * strain + own.delay + 0.02 * normal(random), 0, 0.9);
  const inventoryTurnover = clamp(6 - 0.6 * strain + own.turnover + 0.4 * normal(random), 0.2, 20);
  const debtRatio = clamp(0.5 + 0.06 * strain + own.debt + 0.02 * normal(random), 0.02, 1.6);
  const daysOverdue = Math.floor(clamp(4 + 4 * strain + own.overdue + 3 * normal(random), 0, 60));
  const logit =
    -3.1 +
    3.0 * (0.75 - operatingRate) +
    0.8 * ((orderDelayRate - 0.1) / 0.1) +
    0.55 * ((debtRatio - 0.5) / 0.2) +
    0.05 * daysOverdue -
    0.25 * ((inventoryTurnover - 6) / 2) +
    (operatingRate < 0.7 && energyPerUnit > 10.5 ? 3.5 : 0);
  const badProbability = 1 / (1 + Math.exp(-logit));
  const bad = uniform(random) < badProbability;
  const grade = uniform(random);
  return {
    operatingRate,
    energyPerUnit,
    orderDelayRate,
    inventoryTurnover,
    debtRatio,
    daysOverdue,
    badProbability,
    creditStatus: bad ? badGrade(grade) : goodGrade(grade),
  };
}

const badGrade = (grade: number): string => (grade < 0.5 ? "written_off" : "overdue_31_90");
const goodGrade = (grade: number): string =>
  grade < 0.04 ? "overdue_16_30" : grade < 0.12 ? "grace" : "normal";
