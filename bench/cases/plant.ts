import type { Reading } from "../../collectors/reading.ts";
import { type Case, check, near } from "./case.ts";
import { at, day, device, every, hour, inWorld, metered, minute, reading, second, site } from "./world.ts";

/** Machines of which the given share is at work in any one sampling step, each with its own pattern. */
function* running(
  names: readonly string[],
  from: number,
  until: number,
  share: (time: number) => number,
  step = 5 * minute,
): Generator<Reading> {
  for (const time of every(from, until, step)) {
    for (const [i, name] of names.entries()) {
      const slot = Math.floor(time / step) * 37 + i * 61;
      yield reading(name, "run_state", slot % 100 < Math.round(share(time) * 100) ? 1 : 0, "1", time);
    }
  }
}

const machines = (site: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${site}-machine-${i}`);

/** C1: the quarterly report looks stable, the machines do not. */
const c1: Case = {
  id: "C1",
  title: "raw-material shock: operating rate 75 % → 40 % while the quarterly report looks stable",
  target: "warned the same day, weeks before the report; the steady neighbour stays quiet",
  async run({ scale }) {
    const from = at("2026-03-02");
    const shock = at("2026-03-23");
    const noon = shock + 12 * hour;
    const published = at("2026-04-30");
    const shocked = machines("shocked", Math.max(3, Math.round(10 * scale)));
    const steady = machines("steady", 3);
    return inWorld(
      {
        sites: [site("shocked", "machining"), site("steady", "machining")],
        devices: [...shocked.map((id) => device(id, "shocked")), ...steady.map((id) => device(id, "steady"))],
      },
      async (world) => {
        await world.play([
          ...running(shocked, from, noon, (time) => (time < shock ? 0.75 : 0.4)),
          ...running(steady, from, noon, () => 0.75),
        ]);
        const seen = await world.refresh({ from, until: noon });
        const [warning] = world.opened("operating_rate_fall", "shocked");
        return [
          near("rate before", seen.feature("shocked", "day", shock - day, "operating_rate"), 0.75, 0.02),
          near("rate now", seen.feature("shocked", "day", shock, "operating_rate"), 0.4, 0.02),
          check(
            "hours from the shock to the warning",
            warning !== undefined && warning.onset === shock && warning.detected - shock <= day,
            warning && (warning.detected - shock) / hour,
          ),
          check(
            "days before the report",
            warning !== undefined && published - warning.detected > 21 * day,
            warning && (published - warning.detected) / day,
          ),
          check("one warning", world.opened("operating_rate_fall").length === 1, world.told.length),
          check(
            "steady neighbour",
            world.opened("operating_rate_fall", "steady").length === 0,
            world.typesOf("steady") || "quiet",
          ),
        ];
      },
    );
  },
};

/** C4: what vibrates does not work, if it draws half. */
const c4: Case = {
  id: "C4",
  title: "120 vibration sensors and energy meters: operating rate 70 %, energy 50 % of normal",
  target: "idle operation; real capacity about −40 %; quiet where the energy bears the vibration out",
  async run({ scale }) {
    const from = at("2026-03-02");
    const until = from + 12 * hour;
    const norms = { active_energy: 24_000 };
    const sensors = (name: string): string[] =>
      Array.from({ length: Math.max(20, Math.round(120 * scale)) }, (_, i) => `${name}-vibration-${i}`);
    function* shop(name: string, energy: number): Generator<Reading> {
      for (const time of every(from, until, minute)) {
        for (const [i, sensor] of sensors(name).entries()) {
          const vibrates = (Math.floor(time / minute) * 7 + i * 13) % 100 < 70;
          yield reading(
            sensor,
            "vibration_rms",
            vibrates ? 3 + (i % 5) / 10 : 0.1 + (i % 3) / 100,
            "mm/s",
            time,
          );
        }
      }
      for (let i = 0; i < 4; i++) {
        yield* metered(
          `${name}-meter-${i}`,
          "active_energy",
          "kW.h",
          from,
          until + 1,
          () => 6000 * energy,
          5 * minute,
        );
      }
    }
    const all = (name: string) => [
      ...sensors(name),
      ...Array.from({ length: 4 }, (_, i) => `${name}-meter-${i}`),
    ];
    return inWorld(
      {
        sites: [site("idle", "machining", norms), site("busy", "machining", norms)],
        devices: ["idle", "busy"].flatMap((name) => all(name).map((id) => device(id, name))),
      },
      async (world) => {
        await world.play([...shop("idle", 0.5), ...shop("busy", 0.72)]);
        const seen = await world.refresh({ from, until });
        const capacity = seen.feature("idle", "day", from, "real_capacity");
        const [warning] = world.opened("idle_operation", "idle");
        return [
          near("vibrating share", seen.feature("idle", "day", from, "vibrating_share"), 0.7, 0.01),
          near("energy of normal", seen.feature("idle", "day", from, "energy_ratio"), 0.5, 0.01),
          near("real capacity", capacity, 0.6, 0.02),
          check("idle operation warned", warning !== undefined, warning?.explanation),
          check(
            "vibration × energy rule",
            seen.quality.verifications.some((one) => one.rule === "vibration_energy" && !one.holds),
            seen.quality.verifications
              .map((one) => `${one.site} ${one.holds ? "holds" : "broken"}`)
              .join(", "),
          ),
          check("busy neighbour", world.typesOf("busy") === "", world.typesOf("busy") || "quiet"),
        ];
      },
    );
  },
};

/** C9: the meter of the mill, not of its office. */
const c9: Case = {
  id: "C9",
  title: "textile mill: 500,000 → 350,000 kWh a month, reported production unchanged, water follows",
  target: "outsourcing/misreport flag with office consumption excluded; quiet where reports fell too",
  async run() {
    const from = at("2026-03-01");
    const drop = at("2026-04-01");
    const until = at("2026-05-01");
    const norms = { active_energy: 500_000 / 30, water_volume: 400, reported_output: 10_000 };
    function* mill(name: string, reported: number): Generator<Reading> {
      const share = (time: number): number => (time < drop ? 1 : 0.7);
      const meter = `meter-${name}`;
      yield* metered(meter, "active_energy", "MW.h", from, until, (time) => (share(time) * 500) / 30, hour);
      yield* metered(`water-${name}`, "water_volume", "m3", from, until, (time) => share(time) * 400, hour);
      yield* metered(`office-${name}`, "active_energy", "kW.h", from, until, () => 2000, hour);
      for (const time of every(from, until, day)) {
        yield reading(
          `ledger-${name}`,
          "reported_output",
          time < drop ? 10_000 : 10_000 * reported,
          "1",
          time + 20 * hour,
        );
      }
    }
    const devices = (name: string) => [
      device(`meter-${name}`, name),
      device(`water-${name}`, name),
      device(`office-${name}`, name, "office"),
      device(`ledger-${name}`, name),
    ];
    return inWorld(
      {
        sites: [site("mill", "textile", norms), site("honest", "textile", norms)],
        devices: [...devices("mill"), ...devices("honest")],
      },
      async (world) => {
        await world.play([...mill("mill", 1), ...mill("honest", 0.7)]);
        const seen = await world.refresh({ from, until });
        const [warning] = world.opened("energy_production_mismatch", "mill");
        const april = (name: string) => seen.feature("mill", "month", drop, name);
        return [
          near("kWh in March", seen.feature("mill", "month", from, "energy_total"), 516_667, 3000),
          near("kWh in April", april("energy_total"), 350_000, 2000),
          near("office kWh, apart", april("office_energy"), 60_000, 1000),
          near("pieces reported in April", april("reported_output_total"), 300_000, 1),
          check("flag", warning !== undefined && warning.severity === "alarm", warning?.explanation),
          check(
            "flagged in the week of the drop",
            warning !== undefined && warning.onset <= drop && warning.onset + 7 * day > drop,
            warning?.id,
          ),
          check("honest neighbour", world.typesOf("honest") === "", world.typesOf("honest") || "quiet"),
        ];
      },
    );
  },
};

/** C11: downtime that was planned. */
const c11: Case = {
  id: "C11",
  title: "temporary maintenance downtime",
  target:
    "no stoppage, by window or by status, and no fall of the rate; the same rest unplanned is warned about",
  async run() {
    const from = at("2026-03-02");
    const until = from + day;
    const down = [from + 9 * hour, from + 14 * hour] as const;
    const ids = ["press-planned", "press-status", "press-broken"];
    return inWorld(
      {
        sites: ids.map((id) => site(`site-${id}`, "machining")),
        devices: ids.map((id) => device(id, `site-${id}`)),
        exclusions: [{ device: "press-planned", from: down[0], until: down[1], reason: "bearing" }],
        excludedStatuses: ["maintenance"],
      },
      async (world) => {
        await world.play(
          ids.flatMap((id) =>
            [...every(from, until, 5 * minute)].map((time) => {
              const rests = time >= down[0] && time < down[1];
              const status = rests && id === "press-status" ? "maintenance" : "Good";
              return reading(id, "run_state", rests ? 0 : 1, "1", time, { status });
            }),
          ),
        );
        const seen = await world.refresh({ from, until });
        const [warning] = world.opened("stoppage", "press-broken");
        const rate = (id: string) => seen.feature(`site-${id}`, "day", from, "operating_rate");
        return [
          check(
            "planned by window",
            world.typesOf("press-planned") === "" && rate("press-planned") === 1,
            world.typesOf("press-planned") || "quiet",
          ),
          check(
            "planned by status",
            world.typesOf("press-status") === "" && rate("press-status") === 1,
            world.typesOf("press-status") || "quiet",
          ),
          near(
            "stoppage hours, planned",
            seen.feature("site-press-planned", "day", from, "stoppage_hours"),
            0,
            0,
          ),
          near(
            "stoppage hours, broken",
            seen.feature("site-press-broken", "day", from, "stoppage_hours"),
            5,
            0.01,
          ),
          check(
            "unplanned: warned after two hours of rest",
            warning !== undefined && warning.onset === down[0] && warning.detected - down[0] <= 2.1 * hour,
            warning?.explanation,
          ),
          check(
            "and closed when it worked",
            world.closed("stoppage", "press-broken")[0]?.closed === down[1],
            "",
          ),
        ];
      },
    );
  },
};

/** C17: which of the three utilities is low. */
const c17: Case = {
  id: "C17",
  title: "electricity low, water and gas normal / all three near zero",
  target: "partial and full shutdown told apart; a normal day quiet",
  async run() {
    const from = at("2026-03-02");
    const until = from + day;
    const norms = { active_energy: 2400, water_volume: 48, gas_volume: 96 };
    const levels = { partial: [0.4, 1, 1], full: [0.03, 0.02, 0.01], normal: [0.95, 1.02, 0.98] } as const;
    const names = Object.keys(levels) as (keyof typeof levels)[];
    return inWorld(
      {
        sites: names.map((name) => site(name, "machining", norms)),
        devices: names.map((name) => device(`meter-${name}`, name)),
      },
      async (world) => {
        await world.play(
          names.flatMap((name) => {
            const [energy, water, gas] = levels[name];
            const meter = `meter-${name}`;
            return [
              ...metered(meter, "active_energy", "kW.h", from, until, () => 2400 * energy),
              ...metered(meter, "water_volume", "L", from, until, () => 48_000 * water),
              ...metered(meter, "gas_volume", "m3", from, until, () => 96 * gas),
            ];
          }),
        );
        const seen = await world.refresh({ from, until });
        return [
          check("electricity low", world.typesOf("partial") === "partial_shutdown", world.typesOf("partial")),
          check("all near zero", world.typesOf("full") === "full_shutdown", world.typesOf("full")),
          check("normal", world.typesOf("normal") === "", world.typesOf("normal") || "quiet"),
          near(
            "water in litres, as m³ of the norm",
            seen.feature("partial", "day", from, "water_ratio"),
            1,
            0.02,
          ),
        ];
      },
    );
  },
};

/** C19: one fall, two industries. */
const c19: Case = {
  id: "C19",
  title: "operating rate −10 % in two industries",
  target: "warns in the one whose profile says so",
  async run() {
    const from = at("2026-03-02");
    const fall = at("2026-03-16");
    const until = fall + day;
    const industries = ["textile", "machining"];
    return inWorld(
      {
        sites: industries.map((name) => site(name, name)),
        devices: industries.flatMap((name) => machines(name, 4).map((id) => device(id, name))),
      },
      async (world) => {
        await world.play(
          industries.flatMap((name) => [
            ...running(machines(name, 4), from, until, (time) => (time < fall ? 0.8 : 0.72)),
          ]),
        );
        const seen = await world.refresh({ from, until });
        const count = (name: string): number => world.opened("operating_rate_fall", name).length;
        return [
          near("rate, textile", seen.feature("textile", "day", fall, "operating_rate"), 0.72, 0.01),
          near("rate, machining", seen.feature("machining", "day", fall, "operating_rate"), 0.72, 0.01),
          check("textile (limit 8 %)", count("textile") === 1, count("textile")),
          check("machining (limit 15 %)", count("machining") === 0, count("machining")),
        ];
      },
    );
  },
};

/** C7: one sample among six thousand. */
const c7: Case = {
  id: "C7",
  title: "presses: 10 Hz at crankshaft and slider, above 5 g",
  target: "maintenance warning on a single instantaneous peak; 4.8 g stays quiet",
  async run() {
    const from = at("2026-03-02T08:00");
    const until = from + 10 * minute;
    const peakAt = from + 4 * minute + 300_000;
    const devices = ["crank-a", "slider-a", "crank-b", "slider-b"];
    return inWorld(
      {
        sites: [site("press-a", "machining"), site("press-b", "machining")],
        devices: devices.map((id) => device(id, id.endsWith("a") ? "press-a" : "press-b")),
      },
      async (world) => {
        await world.play(
          [...every(from, until, 100_000)].flatMap((time) => [
            reading("crank-a", "vibration_peak", time === peakAt ? 6.2 : 2.1, "[g]", time),
            // The same sensor elsewhere speaks m/s².
            reading("slider-a", "vibration_peak", time === peakAt ? 58.8 : 20, "m/s2", time),
            reading("crank-b", "vibration_peak", time === peakAt ? 4.8 : 2.1, "[g]", time),
            reading("slider-b", "vibration_peak", 2.4, "[g]", time),
          ]),
        );
        const seen = await world.refresh({ from: at("2026-03-02"), until });
        const crank = world.opened("vibration_peak", "crank-a")[0];
        const slider = world.opened("vibration_peak", "slider-a")[0];
        return [
          check(
            "crankshaft: warned with the sample itself",
            crank?.onset === peakAt && crank.detected - peakAt < second,
            crank?.explanation,
          ),
          check("slider, in m/s²", slider?.onset === peakAt, slider?.explanation),
          check("4.8 g", world.typesOf("press-b") === "", world.typesOf("press-b") || "quiet"),
          near(
            "largest value, not averaged away",
            seen.feature("press-a", "day", peakAt, "vibration_peak_max"),
            6.2,
            1e-9,
          ),
          near("of the quiet press", seen.feature("press-b", "day", peakAt, "vibration_peak_max"), 4.8, 1e-9),
        ];
      },
    );
  },
};

export const plantCases: readonly Case[] = [c1, c4, c7, c9, c11, c17, c19];
