import type { Reading } from "../../../collectors/reading.ts";
import type { WarningType } from "../../../core/warning-types.ts";
import {
  day,
  device,
  every,
  hour,
  metered,
  minute,
  reading,
  second,
  site,
  type WorldOptions,
} from "../world.ts";
import { Course, type Draw } from "./draw.ts";

/** What was planted, and what has to be said of it. */
export interface Event {
  /** Any of these tells it. */
  readonly types: readonly WarningType[];
  /** Device or site. */
  readonly where: string;
  readonly onset: number;
  readonly until: number;
  /** Told later than this it was missed. */
  readonly deadline: number;
}

/** One enterprise's quarter. */
export interface Quarter {
  readonly world: WorldOptions;
  readonly readings: Iterable<Reading>;
  readonly event?: Event;
}

export const quarterDays = 91;

/** An enterprise of a case: its numbers stay, everything else is drawn. */
export interface Kind {
  /** Of the case whose numbers it keeps. */
  readonly id: string;
  readonly what: string;
  /** @param from - the quarter's first day, µs UTC. @param planted - without, the quarter is quiet. */
  draw(draw: Draw, from: number, planted: boolean): Quarter;
}

/** After a baseline could be learned, and with time left to be seen in. */
const anyDay = (draw: Draw, from: number): number => from + draw.whole(35, 75) * day;

const c1: Kind = {
  id: "C1",
  what: "operating rate 75 % → 40 %",
  draw(draw, from, planted) {
    const until = from + quarterDays * day;
    const names = Array.from({ length: draw.whole(3, 12) }, (_, i) => `plant-machine-${i}`);
    const onset = anyDay(draw, from);
    const course = new Course(draw, from, quarterDays, { scatter: draw.between(0.01, 0.04), weekend: 1 });
    function* readings(): Generator<Reading> {
      for (const time of every(from, until, 15 * minute)) {
        const rate = Math.min(0.98, (planted && time >= onset ? 0.4 : 0.75) * course.level(time));
        for (const name of names) yield reading(name, "run_state", draw.chance(rate) ? 1 : 0, "1", time);
      }
    }
    return {
      world: {
        sites: [site("plant", "machining", {}, draw.whole(-5, 9))],
        devices: names.map((id) => device(id, "plant")),
      },
      readings: readings(),
      ...(planted
        ? {
            event: {
              types: ["operating_rate_fall"] as const,
              where: "plant",
              onset,
              until,
              deadline: onset + 2 * day,
            },
          }
        : {}),
    };
  },
};

const c3: Kind = {
  id: "C3",
  what: "late orders 5 % → 25 %, stock turns 30 % slower",
  draw(draw, from, planted) {
    const until = from + quarterDays * day;
    const onset = anyDay(draw, from);
    const due = draw.whole(40, 200);
    const sold = draw.between(50_000, 500_000);
    const course = new Course(draw, from, quarterDays, { scatter: 0.1, weekend: 0.8 });
    function* readings(): Generator<Reading> {
      for (const time of every(from, until, day)) {
        const hit = planted && time >= onset;
        const orders = Math.max(5, Math.round(due * course.level(time)));
        yield reading("erp", "orders_due", orders, "1", time);
        yield reading("erp", "orders_late", draw.binomial(orders, hit ? 0.25 : 0.05), "1", time);
        yield reading("erp", "goods_sold_cost", sold * course.level(time) * (hit ? 0.7 : 1), "{CNY}", time);
        yield reading("erp", "inventory_value", sold * 60 * (1 + 0.01 * draw.normal()), "{CNY}", time);
      }
    }
    return {
      world: { sites: [site("parts", "auto-parts")], devices: [device("erp", "parts")] },
      readings: readings(),
      ...(planted
        ? {
            event: {
              types: ["order_loss"] as const,
              where: "parts",
              onset,
              until,
              deadline: onset + 15 * day,
            },
          }
        : {}),
    };
  },
};

const c4: Kind = {
  id: "C4",
  what: "machines turn 70 % of the time on 50 % of the energy",
  draw(draw, from, planted) {
    const until = from + quarterDays * day;
    const onset = anyDay(draw, from);
    const sensors = Array.from({ length: draw.whole(6, 16) }, (_, i) => `hall-vibration-${i}`);
    const norm = draw.between(2_000, 60_000);
    const course = new Course(draw, from, quarterDays, { scatter: draw.between(0.01, 0.04), weekend: 1 });
    function* readings(): Generator<Reading> {
      for (const time of every(from, until, 20 * minute))
        for (const sensor of sensors) {
          const turns = draw.chance(0.7);
          yield reading(sensor, "vibration_rms", turns ? 3 + 0.2 * draw.normal() : 0.1, "mm/s", time);
        }
      const drawn = (time: number): number =>
        norm * course.level(time) * (planted && time >= onset ? 0.5 : 0.75);
      yield* metered("hall-meter", "active_energy", "kW.h", from, until, drawn, hour);
    }
    return {
      world: {
        sites: [site("hall", "machining", { active_energy: norm })],
        devices: [...sensors, "hall-meter"].map((id) => device(id, "hall")),
      },
      readings: readings(),
      ...(planted
        ? {
            event: {
              types: ["idle_operation"] as const,
              where: "hall",
              onset,
              until,
              deadline: onset + 3 * day,
            },
          }
        : {}),
    };
  },
};

const c5: Kind = {
  id: "C5",
  what: "cold chain 2 °C → 8 °C for 1.5 h",
  draw(draw, from, planted) {
    const until = from + quarterDays * day;
    const onset = anyDay(draw, from) + draw.whole(0, 20) * hour;
    const opened = new Set(
      Array.from({ length: 200 }, () => Math.floor(draw.between(0, (quarterDays * day) / (30 * second)))),
    );
    function* readings(): Generator<Reading> {
      let step = 0;
      for (const time of every(from, until, 30 * second)) {
        const warm = planted && time >= onset && time < onset + 1.5 * hour;
        // A door stands open for less than a reading.
        const door = opened.has(step++) ? 5 : 0;
        yield reading("truck", "cargo_temperature", (warm ? 8 : 2 + door) + 0.2 * draw.normal(), "Cel", time);
      }
    }
    return {
      world: {
        sites: [site("cold", "cold-chain", { cargo_temperature_limit: 6 })],
        devices: [device("truck", "cold")],
      },
      readings: readings(),
      ...(planted
        ? {
            event: {
              types: ["temperature_breach"] as const,
              where: "truck",
              onset,
              until: onset + 1.5 * hour,
              deadline: onset + 2 * minute,
            },
          }
        : {}),
    };
  },
};

const c7: Kind = {
  id: "C7",
  what: "one peak above 5 g",
  draw(draw, from, planted) {
    const until = from + quarterDays * day;
    const at = draw.whole(35 * 144, 85 * 144);
    const usual = draw.between(1, 2.5);
    function* readings(): Generator<Reading> {
      let step = 0;
      for (const time of every(from, until, 10 * minute)) {
        const peak = planted && step++ === at ? 6.2 : usual + 0.3 * draw.normal();
        yield reading("crank", "vibration_peak", Math.max(0.1, peak), "[g]", time);
      }
    }
    const onset = from + at * 10 * minute;
    return {
      world: { sites: [site("press", "machining")], devices: [device("crank", "press")] },
      readings: readings(),
      ...(planted
        ? {
            event: {
              types: ["vibration_peak"] as const,
              where: "crank",
              onset,
              until: onset + hour,
              deadline: onset + minute,
            },
          }
        : {}),
    };
  },
};

const c8: Kind = {
  id: "C8",
  what: "a container stays for more than 72 h",
  draw(draw, from, planted) {
    const until = from + quarterDays * day;
    const centre = { lat: draw.between(25, 40), lon: draw.between(105, 121) };
    const long = draw.whole(8, 18);
    const visits: { readonly from: number; readonly until: number }[] = [];
    let time = from + 10 * hour;
    for (let n = 0; time < until - 5 * day; n++) {
      const stay = (planted && n === long ? draw.between(80, 120) : draw.between(8, 50)) * hour;
      visits.push({ from: time, until: time + stay });
      time += stay + draw.between(12, 60) * hour;
    }
    const visit = visits[long];
    function* readings(): Generator<Reading> {
      for (const now of every(from, until, 10 * minute)) {
        const inside = visits.some((one) => now >= one.from && now < one.until);
        const north = (inside ? 50 : 5_000) + 15 * draw.normal();
        const position = {
          lat: centre.lat + north / 111_195,
          lon: centre.lon,
          datum: "WGS-84" as const,
          source: "beidou" as const,
          accuracyMetres: 20,
        };
        yield reading("container", "position", null, "1", now, { position });
      }
    }
    return {
      world: {
        sites: [site("port", "logistics")],
        devices: [device("container", "port")],
        fences: [{ id: "bonded", ...centre, radiusMetres: 300, dwellLimitHours: 72 }],
        tickSeconds: 3600,
      },
      readings: readings(),
      ...(planted && visit !== undefined
        ? {
            event: {
              types: ["dwell"] as const,
              where: "container",
              onset: visit.from + 72 * hour,
              until: visit.until,
              deadline: visit.from + 74 * hour,
            },
          }
        : {}),
    };
  },
};

const c9: Kind = {
  id: "C9",
  what: "energy 500,000 → 350,000 kWh a month, reported production unchanged",
  draw(draw, from, planted) {
    const until = from + quarterDays * day;
    const onset = anyDay(draw, from);
    const norms = { active_energy: 500_000 / 30, water_volume: 400, reported_output: 10_000 };
    const course = new Course(draw, from, quarterDays, { scatter: draw.between(0.01, 0.04), weekend: 1 });
    const share = (time: number): number => course.level(time) * (planted && time >= onset ? 0.7 : 1);
    function* readings(): Generator<Reading> {
      const energy = (time: number): number => share(time) * norms.active_energy;
      yield* metered("meter", "active_energy", "kW.h", from, until, energy, hour);
      yield* metered("water", "water_volume", "m3", from, until, (time) => share(time) * 400, hour);
      for (const time of every(from, until, day))
        yield reading("ledger", "reported_output", 10_000 * course.level(time), "1", time + 20 * hour);
    }
    return {
      world: {
        sites: [site("mill", "textile", norms)],
        devices: ["meter", "water", "ledger"].map((id) => device(id, "mill")),
      },
      readings: readings(),
      ...(planted
        ? {
            event: {
              types: ["energy_production_mismatch"] as const,
              where: "mill",
              onset,
              until,
              deadline: onset + 15 * day,
            },
          }
        : {}),
    };
  },
};

/** What is declared for a year is held against whole months. */
function firstWholeMonthEnds(from: number): number {
  const first = new Date(from / 1000);
  const begun = first.getUTCDate() === 1 ? 0 : 1;
  return Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + begun + 1, 1) * 1000;
}

const c2: Kind = {
  id: "C2",
  what: "18 M a year declared where the tills show 0.8 M a month; 3 shops closed",
  draw(draw, from, planted) {
    const until = from + quarterDays * day;
    const shops = Array.from({ length: draw.whole(6, 12) }, (_, i) => `dining-shop-${i}`);
    const open = planted ? shops.slice(3) : shops;
    const course = new Course(draw, from, quarterDays, { scatter: draw.between(0.03, 0.12), weekend: 1.3 });
    // What an honest restaurant declares is its takings as a good month has them.
    const seen = ((800_000 * 12) / 365) * 365;
    function* readings(): Generator<Reading> {
      for (const time of every(from, until, day))
        for (const shop of shops) {
          const takes = open.includes(shop)
            ? (((800_000 * 12) / 365 / open.length) * course.level(time)) / 1.086
            : 0;
          yield reading(shop, "sales_amount", takes, "{CNY}", time + 20 * hour);
          yield reading(shop, "transactions", Math.round(takes / 80), "1", time + 20 * hour);
        }
    }
    const year = { from: from - 30 * day, until: from + 335 * day };
    return {
      world: {
        sites: [site("dining", "catering")],
        devices: shops.map((id) => device(id, "dining", "shop")),
        declarations: [
          {
            site: "dining",
            measure: "revenue",
            ...year,
            amount: planted ? 18_000_000 : seen * draw.between(0.95, 1.05),
          },
        ],
      },
      readings: readings(),
      ...(planted
        ? {
            event: {
              types: ["declared_revenue_gap"] as const,
              where: "dining",
              onset: from,
              until,
              deadline: firstWholeMonthEnds(from) + 2 * day,
            },
          }
        : {}),
    };
  },
};

const c15: Kind = {
  id: "C15",
  what: "receipts 40 % above what was paid and what left the stock",
  draw(draw, from, planted) {
    const until = from + quarterDays * day;
    const onset = anyDay(draw, from);
    const end = onset + draw.whole(14, 21) * day;
    const takes = draw.between(5_000, 50_000);
    const course = new Course(draw, from, quarterDays, { scatter: draw.between(0.03, 0.08), weekend: 1.5 });
    function* readings(): Generator<Reading> {
      for (const time of every(from, until, day)) {
        const real = takes * course.level(time);
        const shown = real * (planted && time >= onset && time < end ? 1.4 : 1);
        const evening = time + 20 * hour;
        yield reading("till", "sales_amount", shown, "{CNY}", evening);
        yield reading("till", "transactions", Math.round(shown / 50), "1", evening);
        yield reading("till", "payment_amount", real * draw.between(0.97, 1), "{CNY}", evening);
        yield reading("till", "stock_used", real * 0.4 * (1 + 0.02 * draw.normal()), "{CNY}", evening);
      }
    }
    return {
      world: {
        sites: [site("market", "retail", { stock_share: 0.4 })],
        devices: [device("till", "market", "shop")],
      },
      readings: readings(),
      ...(planted
        ? {
            event: {
              types: ["sales_mismatch"] as const,
              where: "market",
              onset,
              until: end,
              deadline: onset + 15 * day,
            },
          }
        : {}),
    };
  },
};

const c16: Kind = {
  id: "C16",
  what: "shops at 30 % for three days, beside a festival and a promotion that were announced",
  draw(draw, from, planted) {
    const until = from + quarterDays * day;
    const onset = anyDay(draw, from);
    const end = onset + 3 * day;
    const shops = Array.from({ length: draw.whole(3, 30) }, (_, i) => `chain-shop-${i}`);
    const course = new Course(draw, from, quarterDays, {
      scatter: draw.between(0.03, 0.08),
      weekend: draw.between(1.2, 1.7),
    });
    const festival = from + draw.whole(3, 20) * day;
    const promotion = from + draw.whole(80, 86) * day;
    const dated = (time: number): string => new Date(time / 1000).toISOString().slice(0, 10);
    function* readings(): Generator<Reading> {
      for (const time of every(from, until, day)) {
        const level =
          time >= festival && time < festival + 9 * day
            ? 0.3
            : time >= promotion && time < promotion + 3 * day
              ? 1.8
              : planted && time >= onset && time < end
                ? 0.3
                : 1;
        for (const shop of shops) {
          const takes = 10_000 * level * course.level(time) * (1 + 0.1 * draw.normal());
          yield reading(shop, "sales_amount", Math.max(0, takes), "{CNY}", time + 20 * hour);
          yield reading(shop, "transactions", Math.max(0, Math.round(takes / 50)), "1", time + 20 * hour);
        }
      }
    }
    return {
      world: {
        sites: [site("chain", "retail")],
        devices: shops.map((id) => device(id, "chain", "shop")),
        specialDays: [
          { name: "Spring Festival", from: dated(festival), until: dated(festival + 8 * day) },
          { name: "promotion", from: dated(promotion), until: dated(promotion + 2 * day) },
        ],
      },
      readings: readings(),
      ...(planted
        ? {
            event: {
              types: ["revenue_fall"] as const,
              where: "chain",
              onset,
              until: end,
              deadline: onset + 2 * day,
            },
          }
        : {}),
    };
  },
};

const c17: Kind = {
  id: "C17",
  what: "electricity at 40 %, water and gas as usual; or all three near zero",
  draw(draw, from, planted) {
    const until = from + quarterDays * day;
    const onset = anyDay(draw, from);
    const end = onset + draw.whole(3, 10) * day;
    const full = draw.chance(0.5);
    const norms = { active_energy: draw.between(1_000, 50_000), water_volume: 48, gas_volume: 96 };
    const course = new Course(draw, from, quarterDays, { scatter: draw.between(0.01, 0.04), weekend: 1 });
    const share = (time: number, isEnergy: boolean): number =>
      course.level(time) * (planted && time >= onset && time < end ? (full ? 0.02 : isEnergy ? 0.4 : 1) : 1);
    function* readings(): Generator<Reading> {
      const energy = (time: number): number => norms.active_energy * share(time, true);
      yield* metered("works-meter", "active_energy", "kW.h", from, until, energy, hour);
      const others = (time: number): number => share(time, false);
      yield* metered("works-water", "water_volume", "m3", from, until, (time) => 48 * others(time), hour);
      yield* metered("works-gas", "gas_volume", "m3", from, until, (time) => 96 * others(time), hour);
    }
    return {
      world: {
        sites: [site("works", "machining", norms)],
        devices: ["works-meter", "works-water", "works-gas"].map((id) => device(id, "works")),
      },
      readings: readings(),
      ...(planted
        ? {
            event: {
              types: [full ? ("full_shutdown" as const) : ("partial_shutdown" as const)],
              where: "works",
              onset,
              until: end,
              deadline: onset + 2 * day,
            },
          }
        : {}),
    };
  },
};

export const kinds: readonly Kind[] = [c1, c2, c3, c4, c5, c7, c8, c9, c15, c16, c17];
