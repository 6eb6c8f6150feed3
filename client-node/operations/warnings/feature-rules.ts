import type { Severity, WarningType } from "../../../core/warning-types.ts";
import type { FeatureRow } from "../features/features.ts";
import type { Verification } from "../quality/quality.ts";
import type { Usual } from "./baseline.ts";
import type { Profile } from "./profiles.ts";

/** What a window of one site shows, to be judged. */
export interface Evidence {
  readonly row: FeatureRow;
  readonly profile: Profile;
  /** The site's own usual value of a feature for such a window. */
  usual(feature: string): Usual | undefined;
  /** Cross-source rules that do not hold in this window. */
  readonly broken: readonly Verification[];
}

export interface Finding {
  readonly type: WarningType;
  readonly severity: Severity;
  readonly explanation: string;
  readonly numbers: Readonly<Record<string, number>>;
}

type FeatureRule = (evidence: Evidence) => Finding | undefined;

const day = 86_400_000_000;
/** A site's windows differ by themselves: what lies within so many spreads of the usual is none of the falls. */
export const spreadsOfAFall = 3;

/** @returns how far a feature lies below what is usual, as a share of it; undefined where the site's windows scatter as far. */
function fallOf(
  { row, usual }: Evidence,
  feature: string,
): { now: number; before: number; fall: number } | undefined {
  const now = row.values.get(feature);
  const usually = usual(feature);
  if (now === undefined || usually === undefined || usually.level <= 0) return undefined;
  const { level: before, spread } = usually;
  return before - now < spreadsOfAFall * spread ? undefined : { now, before, fall: 1 - now / before };
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;

const operatingRateFall: FeatureRule = (evidence) => {
  const limit = evidence.profile.operatingRate.fall;
  const found = fallOf(evidence, "operating_rate");
  if (evidence.row.window !== "day" || found === undefined || found.fall < limit) return undefined;
  return {
    type: "operating_rate_fall",
    severity: found.fall > 2 * limit ? "alarm" : "warning",
    explanation: `operating rate ${percent(found.now)}, usually ${percent(found.before)}`,
    numbers: found,
  };
};

const idleOperation: FeatureRule = ({ row, profile }) => {
  const idle = row.values.get("idle_ratio");
  const capacity = row.values.get("real_capacity");
  const vibrating = row.values.get("vibrating_share");
  const energy = row.values.get("energy_ratio");
  if (row.window !== "day") return undefined;
  if (idle === undefined || capacity === undefined || vibrating === undefined || energy === undefined) {
    return undefined;
  }
  if (idle < profile.idle.idleRatio || 1 - capacity < profile.idle.capacityFall) return undefined;
  return {
    type: "idle_operation",
    severity: "warning",
    explanation: `machines turn ${percent(vibrating)} of the time on ${percent(energy)} of the usual energy: real capacity about ${percent(capacity)}`,
    numbers: { vibrating, energy, capacity, idle },
  };
};

const energyProductionMismatch: FeatureRule = ({ row, broken }) => {
  const found = broken.find((one) => one.rule === "energy_production");
  if (found === undefined) return undefined;
  const water = row.values.get("water_ratio");
  const follows = water !== undefined && Math.abs(water - found.seen) < 0.1;
  const tooLittle = found.seen < found.expected;
  return {
    type: "energy_production_mismatch",
    severity: follows ? "alarm" : "warning",
    explanation: `production at ${percent(found.expected)} of its norm is reported on ${percent(found.seen)} of the energy${
      follows ? `, and water follows (${percent(water)})` : ""
    }: ${tooLittle ? "outsourced, or not made" : "made, and not reported"}`,
    numbers: {
      reported: found.expected,
      energy: found.seen,
      ...(water === undefined ? {} : { water }),
    },
  };
};

const shutdown: FeatureRule = ({ row, profile }) => {
  const { low, normal, nearZero } = profile.utilities;
  const energy = row.values.get("energy_ratio");
  const water = row.values.get("water_ratio");
  const gas = row.values.get("gas_ratio");
  if (row.window !== "day" || energy === undefined || water === undefined || gas === undefined)
    return undefined;
  const numbers = { energy, water, gas };
  const levels = `electricity ${percent(energy)}, water ${percent(water)}, gas ${percent(gas)} of the norm`;
  if (Math.max(energy, water, gas) < nearZero) {
    return { type: "full_shutdown", severity: "alarm", explanation: levels, numbers };
  }
  if (energy < low && water >= normal && gas >= normal) {
    return { type: "partial_shutdown", severity: "warning", explanation: levels, numbers };
  }
  return undefined;
};

const declaredRevenueGap: FeatureRule = ({ row, profile }) => {
  const gap = row.values.get("revenue_gap");
  const sales = row.values.get("sales_total");
  const declared = row.values.get("declared_revenue");
  if (gap === undefined || sales === undefined || declared === undefined) return undefined;
  if (gap < profile.revenue.declaredGap) return undefined;
  const closed = row.values.get("closed_shops") ?? 0;
  return {
    type: "declared_revenue_gap",
    severity: "alarm",
    explanation: `receipts of ${Math.round(sales)} where ${Math.round(declared)} was declared${
      closed > 0 ? `; ${closed} shops sold nothing` : ""
    }`,
    numbers: { sales, declared, gap, missing: declared - sales, closedShops: closed },
  };
};

const orderLoss: FeatureRule = ({ row, profile, usual }) => {
  const delay = row.values.get("order_delay_rate");
  const usualDelay = usual("order_delay_rate")?.level;
  const turnover = row.values.get("inventory_turnover");
  const usualTurnover = usual("inventory_turnover")?.level;
  if (delay === undefined || usualDelay === undefined) return undefined;
  if (turnover === undefined || usualTurnover === undefined || usualTurnover <= 0) return undefined;
  const fall = 1 - turnover / usualTurnover;
  if (delay - usualDelay < profile.orders.delayRise || fall < profile.orders.turnoverFall) return undefined;
  return {
    type: "order_loss",
    severity: "alarm",
    explanation: `late orders ${percent(delay)}, usually ${percent(usualDelay)}; stock turns ${percent(fall)} slower`,
    numbers: { delay, usualDelay, turnover, usualTurnover, turnoverFall: fall },
  };
};

const revenueFall: FeatureRule = (evidence) => {
  const { row, profile } = evidence;
  const found = fallOf(evidence, row.values.has("flow_revenue") ? "flow_revenue" : "sales_total");
  if (row.window === "month" || found === undefined || found.fall < profile.revenue.fall) return undefined;
  // An amount of half a day is no fall.
  if (row.until - row.from < day) return undefined;
  return {
    type: "revenue_fall",
    severity: "warning",
    explanation: `revenue ${percent(found.fall)} below what such a ${row.window} usually brings`,
    numbers: found,
  };
};

const salesMismatch: FeatureRule = ({ row, broken }) => {
  const found = broken.find((one) => one.rule === "pos_payments_inventory");
  if (found === undefined) return undefined;
  const payments = row.values.get("payment_cover");
  const stock = row.values.get("stock_cover");
  return {
    type: "sales_mismatch",
    severity: "alarm",
    explanation: `receipts are borne by payments to ${payments === undefined ? "?" : percent(payments)} and by goods used to ${
      stock === undefined ? "?" : percent(stock)
    }`,
    numbers: {
      ...(payments === undefined ? {} : { payments }),
      ...(stock === undefined ? {} : { stock }),
      unexplained: 1 - found.seen,
    },
  };
};

const lowConversion: FeatureRule = (evidence) => {
  const found = fallOf(evidence, "conversion_rate");
  if (evidence.row.window !== "day" || found === undefined) return undefined;
  if (found.fall < evidence.profile.conversion.fall) return undefined;
  return {
    type: "low_conversion",
    severity: "notice",
    explanation: `${percent(found.now)} of passers-by buy, usually ${percent(found.before)}`,
    numbers: found,
  };
};

export const featureRules: readonly FeatureRule[] = [
  operatingRateFall,
  idleOperation,
  energyProductionMismatch,
  shutdown,
  declaredRevenueGap,
  orderLoss,
  revenueFall,
  salesMismatch,
  lowConversion,
];
