import type { CollectorInput } from "../collectors/config.ts";
import { dateOf, dayMillis, monthStart, thursdays } from "./calendar.ts";
import { type Borrower, type Enterprise, monthsBack } from "./economy.ts";

/** kW·h that a borrower's site draws in a day. */
const energyADay = 1200;
const stockOnHand = 1_000_000;
const ordersAWeek = 250;

/** The device that stands for a borrower's own books. */
export const bookkeeper = (site: string): string => `erp-${site}`;

/**
 * What borrowers report each Thursday, as their systems export it: `weekly.csv` of the watched folder. Over a month
 * the reports add up to what the economy says of that month.
 */
export function weeklyReports(borrowers: readonly Borrower[], now: number): string {
  const first = monthStart(now, -monthsBack);
  // A meter's first reading is what the next one is compared with: one week ahead of all months.
  const weeks = thursdays(first - 7 * dayMillis, monthStart(now));
  const meters = borrowers.map((_, i) => 1000 * i);
  const lines = [
    "device,time,at_work,energy_kwh,output,orders_due,orders_late,cost_of_sales,stock,debt_ratio,days_overdue",
  ];
  for (const week of weeks) {
    const start = monthStart(week);
    const end = monthStart(week, 1);
    const share = 1 / thursdays(start, end).length;
    const days = (end - start) / dayMillis;
    const month = Math.max(0, Math.round((start - first) / (30.4 * dayMillis)));
    for (const [i, { site, months }] of borrowers.entries()) {
      const seen = months[month]!;
      const energy = energyADay * days * share;
      meters[i]! += energy;
      lines.push(
        [
          bookkeeper(site),
          new Date(week).toISOString(),
          seen.operatingRate.toFixed(4),
          meters[i]!.toFixed(2),
          (energy / seen.energyPerUnit).toFixed(2),
          ordersAWeek,
          Math.round(ordersAWeek * seen.orderDelayRate),
          ((seen.inventoryTurnover * stockOnHand * days * share) / 365.25).toFixed(0),
          stockOnHand,
          seen.debtRatio.toFixed(4),
          seen.daysOverdue,
        ].join(","),
      );
    }
  }
  return `${lines.join("\n")}\n`;
}

/** The loan book: each borrower's loan as it stood after each month. */
export function loanBook({ industry }: Enterprise, borrowers: readonly Borrower[], now: number): string {
  const lines = ["site,date,industry,credit_status"];
  for (const { site, months } of borrowers)
    for (const [month, { creditStatus }] of months.entries())
      lines.push([site, dateOf(monthStart(now, month + 1 - monthsBack)), industry, creditStatus].join(","));
  return `${lines.join("\n")}\n`;
}

/** One value of an enterprise's own devices before they were connected. */
export interface PastValue {
  readonly device: string;
  readonly metric: keyof typeof pastUnits;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly value: number;
}

const pastUnits = {
  run_state: "1",
  active_energy: "kW.h",
  water_volume: "m3",
  reported_output: "1",
  cargo_temperature: "Cel",
  sales_amount: "{CNY}",
  transactions: "1",
} as const;

/** A table with one row for each value: `own-….csv` of the watched folder. */
export const pastTable = (values: readonly PastValue[]): string =>
  [
    "device,time,metric,value",
    ...values.map((one) =>
      [one.device, new Date(one.time).toISOString(), one.metric, one.value.toFixed(3)].join(","),
    ),
    "",
  ].join("\n");

/** Collectors of the files that are put into a node's folder `inbox`. */
export function fileCollectors(folder: string, state: (name: string) => string): CollectorInput[] {
  const shared = {
    folder,
    format: "csv",
    device: { column: "device" },
    time: { column: "time" },
    every: "250ms",
    settle: "200ms",
  } as const;
  const number = (column: string, metric: string, unit: string) => ({ column, metric, unit });
  return [
    {
      file: {
        ...shared,
        name: "borrowers",
        files: "weekly*.csv",
        state: state("weekly"),
        columns: [
          number("at_work", "run_state", "1"),
          number("energy_kwh", "active_energy", "kW.h"),
          number("output", "reported_output", "1"),
          number("orders_due", "orders_due", "1"),
          number("orders_late", "orders_late", "1"),
          number("cost_of_sales", "goods_sold_cost", "{CNY}"),
          number("stock", "inventory_value", "{CNY}"),
          number("debt_ratio", "debt_ratio", "1"),
          number("days_overdue", "days_overdue", "d"),
        ],
      },
    },
    {
      file: {
        ...shared,
        name: "exports",
        files: "own-*.csv",
        state: state("own"),
        rows: {
          metric: "metric",
          value: "value",
          metrics: Object.fromEntries(
            Object.entries(pastUnits).map(([metric, unit]) => [metric, { metric, unit }]),
          ),
        },
      },
    },
  ];
}
