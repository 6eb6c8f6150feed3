import { dateOf, dayMillis, dayStart, hourMillis, monthStart, utcOffsetHours } from "../calendar.ts";
import { eachSecond, moments, type Plant } from "./plant.ts";

const market = Array.from({ length: 8 }, (_, i) => `till-${i + 1}`);
const closed = new Set(market.slice(5));
const kiosk = "till-kiosk";
/** What all open tills of the market together take in a month, CNY. */
const monthly = 800_000;
const declaredByMarket = 1_500_000;
const kioskMonthly = 90_000;

const daysIn = (start: number): number => (monthStart(start, 1) - start) / dayMillis;

/** Takings of one till on the day that begins at `day`. */
function takings(till: string, day: number): { sales_amount: number; transactions: number } {
  const share = 1 / daysIn(monthStart(day));
  if (till === kiosk) return { sales_amount: kioskMonthly * share, transactions: 90 };
  if (closed.has(till)) return { sales_amount: 0, transactions: 0 };
  return { sales_amount: (monthly * share) / (market.length - closed.size), transactions: 400 };
}

const closingTime = 22 * hourMillis;

/**
 * The convenience chain: tills behind a gateway that speaks Sparkplug B over MQTT. The gateway was cut off and kept
 * last month's closing totals; when they arrive, the market has taken little more than half of what it declared.
 */
export const cornerShops: Plant = {
  happening: {
    type: "declared_revenue_gap",
    what: "the tills of the market show 0.8 million where 1.5 million was declared",
  },
  refreshDays: 63,
  sites: (now) => {
    const span = { from: dateOf(monthStart(now, -1)), until: dateOf(monthStart(now)) };
    const site = (id: string, amount: number) => ({
      id,
      industry: "retail",
      utcOffsetHours,
      norms: {},
      declared: [{ measure: "revenue" as const, ...span, amount }],
    });
    const till = (id: string, where: string) =>
      ({ id, site: where, class: "till", source: "tills", role: "shop" }) as const;
    return {
      sites: [site("market", declaredByMarket), site("kiosk", kioskMonthly)],
      devices: [...market.map((id) => till(id, "market")), till(kiosk, "kiosk")],
    };
  },
  past: (now) =>
    moments(monthStart(now, -2), monthStart(now, -1), dayMillis).flatMap((day) =>
      [...market, kiosk].flatMap((device) =>
        Object.entries(takings(device, day)).map(([metric, value]) => ({
          device,
          time: day + closingTime,
          value,
          metric: metric as "sales_amount" | "transactions",
        })),
      ),
    ),
  collectors: ({ mqtt }) => [
    {
      mqtt: {
        name: "tills",
        url: `mqtt://127.0.0.1:${mqtt}`,
        protocol: "3.1.1",
        clientId: "corner-shops-node",
        identity: "anonymous",
        sparkplug: {
          group: "corner-shops",
          devices: Object.fromEntries([...market, kiosk].map((till) => [`gateway/${till}`, till])),
          metrics: [
            { name: "Sales", metric: "sales_amount", unit: "{CNY}" },
            { name: "Receipts", metric: "transactions", unit: "1" },
            { name: "Footfall", metric: "footfall", unit: "1" },
          ],
        },
      },
    },
  ],
  async start({ now }) {
    const { startBroker } = await import("../../collectors/simulators/mqtt-broker.ts");
    const { startSparkplugEdge } = await import("../../collectors/simulators/sparkplug-edge.ts");
    const broker = await startBroker();
    const gateway = await startSparkplugEdge({
      url: `mqtt://127.0.0.1:${broker.port}`,
      group: "corner-shops",
      edge: "gateway",
      devices: Object.fromEntries(
        [...market, kiosk].map((till) => [till, ["Sales", "Receipts", "Footfall"]]),
      ),
      now: Date.now,
    });
    let secondsHeard = 0;
    const deliver = async (): Promise<void> => {
      for (const day of moments(monthStart(now, -1), Math.min(monthStart(now), dayStart(now)), dayMillis))
        for (const till of [...market, kiosk]) {
          const { sales_amount: sales, transactions } = takings(till, day);
          const kept = { time: day + closingTime, historical: true };
          await gateway.data(till, "Sales", sales, kept);
          await gateway.data(till, "Receipts", transactions, kept);
        }
    };
    const stop = eachSecond((n) => {
      for (const till of market.slice(0, 5)) void gateway.data(till, "Footfall", 3 + (n % 4));
      // A host that missed the births asks for them: once it has them, somebody listens.
      if (gateway.births >= 2 && ++secondsHeard === 3) void deliver();
    });
    return {
      addresses: { mqtt: broker.port },
      async close() {
        stop();
        await gateway.close();
        await broker.close();
      },
    };
  },
};
