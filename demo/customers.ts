import { seededRandom } from "../core/random.ts";
import { borrowersOf, type Enterprise, type SiteMonth } from "./economy.ts";

/**
 * Whom an enterprise sells to on credit: twenty for each borrower, each seen once. A model that noise keeps from telling of
 * any one of them needs many; of the few hundred borrowers, whose months are many rows each, it would leave nothing.
 */
const customersOf = (enterprise: Enterprise): SiteMonth[] =>
  borrowersOf(
    { ...enterprise, sites: 20 * enterprise.sites },
    seededRandom(`demo customers ${enterprise.id}`),
  ).map(({ months }) => months[0]!);

/** The table as the enterprise's own people export it. */
export function customersCsv(enterprise: Enterprise): string {
  const lines = [
    "customer,operating_rate,energy_per_unit,order_delay_rate,inventory_turnover,debt_ratio_last,days_overdue_max,industry,credit_status",
  ];
  for (const [i, one] of customersOf(enterprise).entries())
    lines.push(
      [
        `${enterprise.id}-c${i + 1}`,
        one.operatingRate.toFixed(4),
        one.energyPerUnit.toFixed(3),
        one.orderDelayRate.toFixed(4),
        one.inventoryTurnover.toFixed(3),
        one.debtRatio.toFixed(4),
        one.daysOverdue,
        enterprise.industry,
        one.creditStatus,
      ].join(","),
    );
  return `${lines.join("\n")}\n`;
}
