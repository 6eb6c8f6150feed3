import type { Reading } from "../../collectors/reading.ts";
import { type Case, check, near } from "./case.ts";
import { at, day, device, every, hour, inWorld, reading, site } from "./world.ts";

/** What shops take in a day, evening by evening. */
function* takings(
  shop: string,
  from: number,
  until: number,
  of: (time: number) => Partial<Record<string, number>>,
): Generator<Reading> {
  for (const time of every(from, until, day)) {
    for (const [metric, amount] of Object.entries(of(time))) {
      if (amount === undefined) continue;
      const unit = metric.endsWith("amount") || metric === "stock_used" ? "{CNY}" : "1";
      yield reading(shop, metric, amount, unit, time + 20 * hour);
    }
  }
}

const shops = (site: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${site}-shop-${i}`);
const weekday = (time: number): number => new Date(time / 1000).getUTCDay();
const isWeekend = (time: number): boolean => weekday(time) === 0 || weekday(time) === 6;

/** C2: 18 million declared, 0.8 million a month on the tills, three shops closed. */
const c2: Case = {
  id: "C2",
  title:
    "restaurant declares 18 M a year; POS shows 0.8 M a month where 1.5 M would be needed; 3 shops closed",
  target:
    "declared-revenue gap flagged with its size, closed shops seen; quiet where declared and seen agree",
  async run() {
    const from = at("2026-03-01");
    const until = at("2026-04-01");
    const year = { from: at("2026-01-01"), until: at("2027-01-01") };
    const all = shops("dining", 8);
    const open = all.slice(0, 5);
    return inWorld(
      {
        sites: [site("dining", "catering"), site("honest", "catering")],
        devices: [
          ...all.map((id) => device(id, "dining", "shop")),
          ...shops("honest", 8).map((id) => device(id, "honest", "shop")),
        ],
        declarations: [
          { site: "dining", measure: "revenue", ...year, amount: 18_000_000 },
          { site: "honest", measure: "revenue", ...year, amount: 9_800_000 },
        ],
      },
      async (world) => {
        const daily = 800_000 / 31;
        await world.play([
          ...all.flatMap((id) => [
            ...takings(id, from, until, () => ({
              sales_amount: open.includes(id) ? daily / open.length : 0,
              transactions: open.includes(id) ? 60 : 0,
            })),
          ]),
          ...shops("honest", 8).flatMap((id) => [
            ...takings(id, from, until, () => ({ sales_amount: daily / 8, transactions: 60 })),
          ]),
        ]);
        const seen = await world.refresh({ from, until });
        const feature = (name: string) => seen.feature("dining", "month", from, name);
        const [warning] = world.opened("declared_revenue_gap", "dining");
        return [
          near("on the tills in the month", feature("sales_total"), 800_000, 1),
          near("declared for the month", feature("declared_revenue"), 1_500_000, 30_000),
          near("gap", feature("revenue_gap"), 0.47, 0.01),
          near("closed shops", feature("closed_shops"), 3, 0),
          check(
            "flagged with its size",
            warning !== undefined && Math.abs(warning.numbers.missing! - 728_767) < 1,
            warning?.explanation,
          ),
          check("honest neighbour", world.typesOf("honest") === "", world.typesOf("honest") || "quiet"),
        ];
      },
    );
  },
};

/** C3: ratios that pass, orders that do not. */
const c3: Case = {
  id: "C3",
  title:
    "auto parts: debt ratio 55 %, current ratio 1.2; order delay rate 5 % → 25 %, inventory turnover −30 %",
  target: "order-loss warning although the financial ratios pass; a neighbour at 6 % stays quiet",
  async run() {
    const from = at("2026-01-01");
    const change = at("2026-04-01");
    const until = at("2026-05-01");
    const names = ["parts", "steady"];
    return inWorld(
      {
        sites: names.map((name) => site(name, "auto-parts")),
        devices: names.map((name) => device(`erp-${name}`, name)),
      },
      async (world) => {
        await world.play(
          names.flatMap((name) =>
            [...every(from, until, day)].flatMap((time) => {
              const hit = name === "parts" && time >= change;
              const erp = `erp-${name}`;
              return [
                reading(erp, "orders_due", 100, "1", time),
                reading(
                  erp,
                  "orders_late",
                  hit ? 25 : name === "parts" ? 5 : time < change ? 5 : 6,
                  "1",
                  time,
                ),
                reading(erp, "goods_sold_cost", hit ? 70_000 : 100_000, "{CNY}", time),
                reading(erp, "inventory_value", 6_000_000, "{CNY}", time),
                reading(erp, "debt_ratio", 55, "%", time),
                reading(erp, "current_ratio", 1.2, "1", time),
              ];
            }),
          ),
        );
        const seen = await world.refresh({ from, until });
        const april = (name: string) => seen.feature("parts", "month", change, name);
        const march = seen.feature("parts", "month", at("2026-03-01"), "inventory_turnover")!;
        const [first] = world.opened("order_loss", "parts").sort((a, b) => a.onset - b.onset);
        return [
          near("late orders", april("order_delay_rate"), 0.25, 0.001),
          near("turnover against March", april("inventory_turnover")! / march - 1, -0.3, 0.001),
          near("debt ratio passes (≤ 70 %)", april("debt_ratio_last"), 0.55, 1e-9),
          near("current ratio passes (≥ 1)", april("current_ratio_last"), 1.2, 1e-9),
          check(
            "order loss warned, in its first whole week",
            first !== undefined && first.onset < change + 7 * day,
            first?.explanation,
          ),
          check("steady neighbour", world.typesOf("steady") === "", world.typesOf("steady") || "quiet"),
        ];
      },
    );
  },
};

/** C6: fewer people, fuller baskets. */
const c6: Case = {
  id: "C6",
  title: "200 shops after the Spring Festival: traffic −20 % week on week, basket +15 %",
  target:
    "revenue = flow × conversion × basket about stable: no warning, holidays apart; −20 % with an unchanged basket and weaker conversion warns",
  async run({ scale }) {
    const from = at("2026-01-12");
    const festival = at("2026-02-15");
    const after = at("2026-02-24");
    const until = at("2026-03-09");
    const sizes = { chain: Math.max(10, Math.round(200 * scale)), weak: 10 };
    const names = Object.keys(sizes) as (keyof typeof sizes)[];
    const day3 = (name: string, time: number) => {
      const late = time >= after;
      const closed = time >= festival && time < after;
      const flow = (isWeekend(time) ? 600 : 400) * (closed ? 0.3 : late ? 0.8 : 1);
      const conversion = late && name === "weak" ? 0.22 : 0.25;
      const basket = late && name === "chain" ? 69 : 60;
      const transactions = Math.round(flow * conversion);
      return { transactions, sales_amount: transactions * basket, flow };
    };
    return inWorld(
      {
        sites: names.map((name) => site(name, "retail")),
        devices: names.flatMap((name) => shops(name, sizes[name]).map((id) => device(id, name, "shop"))),
        specialDays: [{ name: "Spring Festival", from: "2026-02-15", until: "2026-02-23" }],
      },
      async (world) => {
        await world.play(
          names.flatMap((name) =>
            shops(name, sizes[name]).flatMap((id) => [
              ...takings(id, from, until, (time) => {
                const { transactions, sales_amount } = day3(name, time);
                return { transactions, sales_amount };
              }),
              ...[...every(from, until, 4 * hour)].map((time) =>
                reading(id, "footfall", day3(name, time).flow / 6, "1", time),
              ),
            ]),
          ),
        );
        const seen = await world.refresh({ from, until });
        const week = (start: string, name: string) => seen.feature("chain", "week", at(start), name)!;
        const change = (name: string): number => week("2026-03-02", name) / week("2026-02-02", name) - 1;
        return [
          near("traffic, week against week", change("footfall_total"), -0.2, 0.01),
          near("basket", change("basket"), 0.15, 0.001),
          near("revenue", change("flow_revenue"), -0.08, 0.01),
          near(
            "revenue is flow × conversion × basket",
            week("2026-03-02", "flow_revenue"),
            week("2026-03-02", "sales_total"),
            1,
          ),
          check("chain of 200", world.typesOf("chain") === "", world.typesOf("chain") || "quiet"),
          check(
            "weak chain",
            world.opened("revenue_fall", "weak").length > 0,
            world.opened("revenue_fall", "weak")[0]?.explanation,
          ),
        ];
      },
    );
  },
};

/** C15: receipts nobody paid and nothing left the stock for. */
const c15: Case = {
  id: "C15",
  title: "fake POS transactions",
  target: "mismatch with payment flow and inventory found; a true promotion stays quiet",
  async run() {
    const from = at("2026-03-02");
    const fake = at("2026-03-23");
    const until = at("2026-03-30");
    const names = ["fake", "promotion"];
    return inWorld(
      {
        sites: names.map((name) => site(name, "retail", { stock_share: 0.4 })),
        devices: names.map((name) => device(`till-${name}`, name, "shop")),
      },
      async (world) => {
        await world.play(
          names.flatMap((name) => [
            ...takings(`till-${name}`, from, until, (time) => {
              const more = time < fake ? 1 : 1.4;
              const real = name === "fake" ? 1 : more;
              return {
                sales_amount: 10_000 * more,
                transactions: 200 * more,
                payment_amount: 9_900 * real,
                stock_used: 4_000 * real,
              };
            }),
          ]),
        );
        const seen = await world.refresh({ from, until });
        const [warning] = world.opened("sales_mismatch", "fake");
        const cover = (name: string) => seen.feature("fake", "week", fake, name);
        return [
          near("payments cover", cover("payment_cover"), 0.99 / 1.4, 0.001),
          near("stock covers", cover("stock_cover"), 1 / 1.4, 0.001),
          check("mismatch warned for the week", warning?.onset === fake, warning?.explanation),
          check(
            "receipts disputed, and so not counted as passing",
            seen.quality.verifications.some((one) => !one.holds && one.site === "fake"),
            seen.quality.verifications.filter((one) => !one.holds).length,
          ),
          check("true promotion", world.typesOf("promotion") === "", world.typesOf("promotion") || "quiet"),
        ];
      },
    );
  },
};

/** C16: days that are compared with their like. */
const c16: Case = {
  id: "C16",
  title: "Spring Festival, weekend, promotion",
  target: "own baseline: none of them warns; an ordinary day at the festival's level does",
  async run() {
    const from = at("2026-01-05");
    const until = at("2026-03-16");
    const festival = [at("2026-02-15"), at("2026-02-24")] as const;
    const promotion = [at("2026-03-02"), at("2026-03-05")] as const;
    const badDay = at("2026-03-11");
    const names = ["shop", "bad"];
    return inWorld(
      {
        sites: names.map((name) => site(name, "retail")),
        devices: names.map((name) => device(`till-${name}`, name, "shop")),
        specialDays: [
          { name: "Spring Festival", from: "2026-02-15", until: "2026-02-23" },
          { name: "promotion", from: "2026-03-02", until: "2026-03-04" },
        ],
      },
      async (world) => {
        await world.play(
          names.flatMap((name) => [
            ...takings(`till-${name}`, from, until, (time) => {
              const inside = ([start, end]: readonly [number, number]): boolean =>
                time >= start && time < end;
              const level = inside(festival)
                ? 0.3
                : inside(promotion)
                  ? 1.8
                  : name === "bad" && time === badDay
                    ? 0.3
                    : isWeekend(time)
                      ? 1.6
                      : 1;
              return { sales_amount: 10_000 * level, transactions: 200 * level };
            }),
          ]),
        );
        const seen = await world.refresh({ from, until });
        const sales = (time: number) => seen.feature("shop", "day", time, "sales_total");
        const bad = world.opened("revenue_fall", "bad").filter((one) => one.onset === badDay);
        return [
          near("a festival day", sales(at("2026-02-17")), 3000, 1),
          near("a Saturday", sales(at("2026-03-14")), 16_000, 1),
          near("a promotion day", sales(at("2026-03-03")), 18_000, 1),
          check("all of them", world.typesOf("shop") === "", world.typesOf("shop") || "quiet"),
          check("an ordinary Wednesday at 30 %", bad.length === 1, bad[0]?.explanation),
        ];
      },
    );
  },
};

/** C21: many pass, few enter, fewer pay. */
const c21: Case = {
  id: "C21",
  title: "mall: high traffic, low entry and transaction rate",
  target:
    "conversion funnel as features; no revenue inferred from traffic; double traffic stays quiet, half the conversion is noticed",
  async run() {
    const from = at("2026-03-02");
    const change = at("2026-03-18");
    const until = change + day;
    const names = ["mall", "crowded", "turned"];
    const funnel = (name: string, time: number) => {
      const late = time >= change;
      const footfall = name === "crowded" && late ? 24_000 : 12_000;
      const entries = footfall * 0.05;
      return { footfall, entries, transactions: entries * (name === "turned" && late ? 0.02 : 0.04) };
    };
    return inWorld(
      {
        sites: names.map((name) => site(name, "retail")),
        devices: names.map((name) => device(`door-${name}`, name)),
      },
      async (world) => {
        await world.play(
          names.flatMap((name) =>
            [...every(from, until, hour)].flatMap((time) => {
              const { footfall, entries, transactions } = funnel(name, time);
              return [
                reading(`door-${name}`, "footfall", footfall / 24, "1", time),
                reading(`door-${name}`, "entries", entries / 24, "1", time),
                reading(`door-${name}`, "transactions", transactions / 24, "1", time),
              ];
            }),
          ),
        );
        const seen = await world.refresh({ from, until });
        const feature = (name: string) => seen.feature("mall", "day", change, name);
        const [noticed] = world.opened("low_conversion", "turned");
        return [
          near("passed by", feature("footfall_total"), 12_000, 1),
          near("entry rate", feature("entry_rate"), 0.05, 1e-6),
          near("transaction rate", feature("transaction_rate"), 0.04, 1e-6),
          near("conversion", feature("conversion_rate"), 0.002, 1e-6),
          check(
            "no revenue without receipts' amounts",
            feature("sales_total") === undefined && feature("flow_revenue") === undefined,
            feature("flow_revenue") ?? "none",
          ),
          check(
            "mall, and mall with double traffic",
            world.typesOf("mall") === "" && world.typesOf("crowded") === "",
            `${world.typesOf("mall")}${world.typesOf("crowded")}` || "quiet",
          ),
          check("half the conversion", noticed?.onset === change, noticed?.explanation),
        ];
      },
    );
  },
};

export const tradeCases: readonly Case[] = [c2, c3, c6, c15, c16, c21];
