import { setTimeout as sleep } from "node:timers/promises";
import { gcj02Of } from "../../client-node/operations/warnings/geo.ts";
import type { Batch, Collector } from "../../collectors/collector.ts";
import type { Position, Reading } from "../../collectors/reading.ts";
import { type Case, check, near } from "./case.ts";
import { at, day, device, every, hour, inWorld, minute, reading, recorded, second, site } from "./world.ts";

const fix = (lat: number, lon: number, rest: Partial<Position> = {}): { position: Position } => ({
  position: { lat, lon, datum: "WGS-84", source: "beidou", accuracyMetres: 10, ...rest },
});
const degreesNorth = (metres: number): number => metres / 111_195;

/** A sensor's unrest: up to a twentieth of a degree. */
const ripple = (time: number): number => 0.05 * Math.sin(time / (37 * minute));

/** C5: one and a half hours too warm. */
const c5: Case = {
  id: "C5",
  title: "cold chain 2 °C → 8 °C for 1.5 h",
  target: "warned at once, closed when it ends; a door opened for 20 s stays quiet",
  async run() {
    const from = at("2026-03-02");
    const warm = from + 10 * hour;
    const back = warm + 1.5 * hour;
    const until = from + day;
    return inWorld(
      {
        sites: ["warm", "door"].map((name) => site(name, "cold-chain", { cargo_temperature_limit: 6 })),
        devices: [device("truck-warm", "warm"), device("truck-door", "door")],
      },
      async (world) => {
        await world.play(
          [...every(from, until, 10 * second)].flatMap((time) => [
            reading(
              "truck-warm",
              "cargo_temperature",
              (time >= warm && time < back ? 8 : 2) + ripple(time),
              "Cel",
              time,
            ),
            // Another maker's logger speaks kelvin.
            reading(
              "truck-door",
              "cargo_temperature",
              (time >= warm && time < warm + 20 * second ? 281.15 : 275.15) + ripple(time),
              "K",
              time,
            ),
          ]),
        );
        const seen = await world.refresh({ from, until });
        const feature = (name: string) => seen.feature("warm", "day", from, name);
        const [opened] = world.opened("temperature_breach", "truck-warm");
        const [closed] = world.closed("temperature_breach", "truck-warm");
        return [
          check(
            "seconds to the warning",
            opened?.onset === warm && opened.detected - warm <= minute,
            opened && (opened.detected - warm) / second,
          ),
          check("closed when it ended", closed?.closed === back, closed?.explanation),
          near("minutes above the limit", feature("cargo_breach_minutes"), 90, 1),
          near("warmest", feature("cargo_temperature_max"), 8, 0.06),
          check("door of 20 s", world.typesOf("truck-door") === "", world.typesOf("truck-door") || "quiet"),
        ];
      },
    );
  },
};

/** C8: a container that stays. */
const c8: Case = {
  id: "C8",
  title: "container in the bonded area > 72 h (normal 24 h), Beidou outdoors, UWB indoors",
  target:
    "dwell warning; hand-over between position sources is no exit; the one that leaves after 24 h stays quiet",
  async run() {
    const from = at("2026-03-02");
    const centre = { lat: 31.33, lon: 121.6 };
    const fence = { id: "bonded-7", ...centre, radiusMetres: 300, dwellLimitHours: 72 };
    const leaves = { long: 80 * hour, normal: 24 * hour };
    const far = { lat: centre.lat + degreesNorth(5000), lon: centre.lon };
    const place = (since: number): { position: Position } => {
      if (since < 20 * hour) {
        // The terminal's chip reports the shifted datum.
        const shown = gcj02Of({ lat: centre.lat + degreesNorth(120), lon: centre.lon });
        return fix(shown.lat, shown.lon, { datum: "GCJ-02" });
      }
      // Indoors: now and then a satellite fix through the roof, half a kilometre off and as coarse.
      if (Math.floor(since / (5 * minute)) % 12 < 2) {
        return fix(centre.lat + degreesNorth(480), centre.lon, { accuracyMetres: 400 });
      }
      return fix(centre.lat - degreesNorth(60), centre.lon, { source: "uwb", accuracyMetres: 0.3 });
    };
    return inWorld(
      {
        sites: [site("port", "logistics")],
        devices: [device("container-long", "port"), device("container-normal", "port")],
        fences: [fence],
        tickSeconds: 3600 * 4,
      },
      async (world) => {
        const until = from + 82 * hour;
        await world.play(
          (["long", "normal"] as const).flatMap((name) =>
            [...every(from, until, 5 * minute)].map((time) => {
              const inside = time - from < leaves[name];
              const rest = inside ? place(time - from) : fix(far.lat, far.lon);
              return reading(`container-${name}`, "position", null, "1", time, rest);
            }),
          ),
        );
        const [opened, ...more] = world.opened("dwell", "container-long");
        const [closed] = world.closed("dwell", "container-long");
        return [
          check(
            "warned after 72 h, and once",
            more.length === 0 && opened !== undefined && opened.onset === from + 72 * hour,
            opened?.explanation,
          ),
          near("minutes to the warning", opened && (opened.detected - opened.onset) / minute, 5, 5.1),
          near("hours stayed, when it left", closed?.numbers.hours, 80, 0.1),
          check(
            "left after 24 h",
            world.typesOf("container-normal") === "",
            world.typesOf("container-normal") || "quiet",
          ),
        ];
      },
    );
  },
};

const road = [
  { lat: 31, lon: 121 },
  { lat: 31, lon: 121.5 },
];
const route = { line: road, corridorMetres: 500 };

/** C12: three ways to stand still, and one to go astray. */
const c12: Case = {
  id: "C12",
  title: "truck stops in congestion / at an unexplained place; leaves its route",
  target: "only the last two warn",
  async run() {
    const from = at("2026-03-02T08:00");
    const until = from + hour;
    const jammed = ["truck-jam", "truck-near-1", "truck-near-2", "truck-near-3"];
    const all = [...jammed, "truck-odd", "truck-astray", "truck-depot"];
    const depot = { id: "depot", lat: 31, lon: 121.3, radiusMetres: 150 };
    function* drive(id: string): Generator<Reading> {
      for (const time of every(from, until, 10 * second)) {
        const minutes = (time - from) / minute;
        const stopped = minutes >= 10 && minutes < 45;
        const driven = 121.05 + 0.005 * Math.min(minutes, 10);
        let [lat, lon, speed] = [31, driven, stopped ? 0 : 60];
        if (id === "truck-odd") lon += 0.3;
        if (id === "truck-depot") lon = stopped ? depot.lon : depot.lon + 0.01;
        if (id.startsWith("truck-near")) {
          lon += 0.002 * Number(id.at(-1));
          speed = stopped ? 4 : 60;
        }
        if (id === "truck-astray") {
          speed = 60;
          lon = 121.2;
          lat += minutes >= 20 && minutes < 40 ? degreesNorth(2000) : 0;
        }
        yield reading(id, "speed", speed, "km/h", time, fix(lat, lon));
      }
    }
    return inWorld(
      {
        sites: [site("fleet", "logistics")],
        devices: all.map((id) => device(id, "fleet")),
        fences: [depot],
        routes: new Map(all.map((id) => [id, route])),
      },
      async (world) => {
        await world.play(all.flatMap((id) => [...drive(id)]));
        const odd = world.opened("unexplained_stop", "truck-odd")[0];
        const astray = world.opened("route_deviation", "truck-astray")[0];
        const quiet = [...jammed, "truck-depot"].map((id) => world.typesOf(id)).join("");
        return [
          check("stands in a jam, or at the depot", quiet === "", quiet || "quiet"),
          check(
            "stands unexplained: minutes to the warning",
            odd !== undefined && odd.onset === from + 10 * minute && odd.detected - odd.onset <= 21 * minute,
            odd && (odd.detected - odd.onset) / minute,
          ),
          check("and closed when it moved", world.closed("unexplained_stop", "truck-odd").length === 1, ""),
          check(
            "left its route",
            astray !== undefined &&
              astray.onset === from + 20 * minute &&
              astray.detected - astray.onset <= 3 * minute,
            astray?.explanation,
          ),
          check(
            "and nothing else of either",
            world.typesOf("truck-odd") === "unexplained_stop" &&
              world.typesOf("truck-astray") === "route_deviation",
            `${world.typesOf("truck-odd")}; ${world.typesOf("truck-astray")}`,
          ),
        ];
      },
    );
  },
};

/** C13: no power, no claims. */
const c13: Case = {
  id: "C13",
  title: "terminal loses power on a long haul",
  target: "a gap, not zeros; temperature claims nothing for the gap; the silence itself is told",
  async run() {
    const from = at("2026-03-02");
    const until = from + day;
    const lost = from + 10 * hour;
    const back = lost + 2.5 * hour;
    // A blip just before and just after: joined over the gap they would be a breach of hours.
    const blip = (time: number): boolean =>
      (time >= lost - 10 * second && time < lost) || (time >= back && time < back + 10 * second);
    return inWorld(
      {
        sites: [site("haul", "cold-chain", { cargo_temperature_limit: 6 })],
        devices: [device("truck-1", "haul")],
        tickSeconds: 600,
      },
      async (world) => {
        await world.play(
          [...every(from, lost, 10 * second), ...every(back, until, 10 * second)].flatMap((time) => [
            reading("truck-1", "cargo_temperature", (blip(time) ? 7 : 3) + ripple(time), "Cel", time),
            reading("truck-1", "speed", 70, "km/h", time),
          ]),
        );
        const seen = await world.refresh({ from, until });
        const feature = (name: string) => seen.feature("haul", "day", from, name);
        const cells = await world.query(
          { from, until },
          `SELECT status, count(*) AS cells, min(low) AS low FROM filled
           WHERE metric = 'cargo_temperature' AND cell_us >= ${lost} AND cell_us < ${back} GROUP BY status`,
        );
        return [
          check(
            "150 minutes of gap, no value in it",
            cells.length === 1 && cells[0]!.status === "gap" && cells[0]!.cells === 150,
            cells.map((row) => `${row.cells} × ${row.status}, low ${row.low}`).join("; "),
          ),
          near("share observed", feature("cargo_observed_share"), 1 - 2.5 / 24, 0.001),
          near("mean, over what was observed", feature("cargo_temperature_mean"), 3, 0.01),
          near("minutes above the limit", feature("cargo_breach_minutes"), 0, 0),
          near("vehicle time without signal", feature("vehicle_gap_share"), 2.5 / 24, 0.001),
          check("breach", world.opened("temperature_breach").length === 0, world.typesOf("truck-1")),
          check(
            "silence told and ended",
            world.opened("signal_lost", "truck-1")[0]?.onset === lost - 10 * second &&
              world.closed("signal_lost", "truck-1")[0]?.closed === back,
            world.closed("signal_lost", "truck-1")[0]?.explanation,
          ),
        ];
      },
    );
  },
};

/** C14: fences and fixes as they are. */
const c14: Case = {
  id: "C14",
  title: "fence too wide / too narrow; signal lost in a tunnel",
  target: "hysteresis and minimum dwell; fallback source; no false alarm, and the true stay is still told",
  async run() {
    const from = at("2026-03-02T08:00");
    const until = from + 4 * hour;
    const yard = { id: "yard", lat: 31.2, lon: 121.2, radiusMetres: 100, dwellLimitHours: 2 };
    const district = { id: "district", lat: 31, lon: 121.25, radiusMetres: 3000, dwellLimitHours: 2 };
    const all = ["truck-edge", "truck-passing", "truck-tunnel"];
    function* readings(): Generator<Reading> {
      for (const time of every(from, until, 20 * second)) {
        const step = Math.round((time - from) / (20 * second));
        const minutes = (time - from) / minute;
        // Parked on the boundary, with a fix that jumps 40 m to either side of it.
        const north = 100 + (step % 2 === 0 ? 40 : -40);
        yield reading(
          "truck-edge",
          "position",
          null,
          "1",
          time,
          fix(yard.lat + degreesNorth(north), yard.lon, { accuracyMetres: 25 }),
        );
        const lon = 121.1 + (0.3 * minutes) / 240;
        yield reading(
          "truck-passing",
          "speed",
          80,
          "km/h",
          time,
          fix(31, 121.1 + 0.0125 * Math.min(minutes, 24)),
        );
        // Six minutes of tunnel: coarse beacons only; then a minute of fixes thrown half a kilometre off.
        const inTunnel = minutes >= 60 && minutes < 66;
        const thrown = minutes >= 66 && minutes < 67;
        if (inTunnel && step % 3 !== 0) continue;
        const place = inTunnel
          ? fix(31 + degreesNorth(350), lon, { source: "uwb", accuracyMetres: 200 })
          : thrown
            ? fix(31 + degreesNorth(900), lon)
            : fix(31, lon);
        yield reading("truck-tunnel", "speed", 60, "km/h", time, place);
      }
    }
    return inWorld(
      {
        sites: [site("fleet", "logistics")],
        devices: all.map((id) => device(id, "fleet")),
        fences: [yard, district],
        routes: new Map(all.slice(1).map((id) => [id, route])),
        tickSeconds: 600,
      },
      async (world) => {
        await world.play([...readings()]);
        const stays = world.opened("dwell", "truck-edge");
        return [
          check(
            "parked on a narrow fence's edge: told once, no exit between",
            stays.length === 1 && world.closed("dwell", "truck-edge").length === 0,
            stays.map((one) => one.explanation).join("; "),
          ),
          check(
            "passing through a wide fence",
            world.typesOf("truck-passing") === "",
            world.typesOf("truck-passing") || "quiet",
          ),
          check("tunnel", world.typesOf("truck-tunnel") === "", world.typesOf("truck-tunnel") || "quiet"),
        ];
      },
    );
  },
};

/** C20: the whole fleet at once. */
const c20: Case = {
  id: "C20",
  title: "10,000 vehicles at 1 Hz",
  target: "p99 from reading to decision < 1 s on two cores, nothing lost",
  async run({ scale, paced }) {
    const vehicles = Math.round(10_000 * scale);
    const seconds = 45;
    const warm = Math.max(1, Math.round(vehicles / 100));
    const ids = Array.from({ length: vehicles }, (_, i) => `truck-${i}`);
    const slots = 20;
    return inWorld(
      {
        sites: [site("fleet", "cold-chain")],
        devices: ids.map((id) => device(id, "fleet")),
        fences: [{ id: "depot", lat: 31, lon: 121.3, radiusMetres: 150, dwellLimitHours: 24 }],
        routes: new Map(ids.map((id) => [id, route])),
      },
      async (world) => {
        const start = paced ? Date.now() * 1000 : at("2026-03-02");
        let sent = 0;
        let acknowledged = 0;
        let judged = 0;
        const delays: number[] = [];
        world.onJudged = (readings) => {
          const now = Date.now() * 1000;
          judged += readings.length;
          if (paced) for (const one of readings) delays.push((now - one.time) / 1000);
        };
        /** Each vehicle speaks once a second, in one of twenty slots. */
        async function* speak(): AsyncGenerator<Batch> {
          for (let slot = 0; slot < seconds * slots; slot++) {
            const time = start + (slot * second) / slots;
            const early = time / 1000 - Date.now();
            if (paced && early > 0) await sleep(early);
            const readings: Reading[] = [];
            for (let i = slot % slots; i < vehicles; i += slots) {
              const place = fix(31, 121.1 + ((i * 37) % 1000) / 5000 + slot / 1e6);
              readings.push(
                i < warm
                  ? reading(ids[i]!, "cargo_temperature", 8, "Cel", time, { ...place, received: time })
                  : reading(ids[i]!, "speed", 60, "km/h", time, { ...place, received: time }),
              );
            }
            sent += readings.length;
            yield {
              readings,
              stored: () => {
                acknowledged += readings.length;
              },
            };
          }
        }
        const collector: Collector = { ...recorded([]), [Symbol.asyncIterator]: () => speak() };
        await world.pipeline.take(collector);
        delays.sort((a, b) => a - b);
        const p99 = delays[Math.floor(delays.length * 0.99)];
        const spooled = world.spooled.readings;
        const breaches = world.opened("temperature_breach").length;
        return [
          ...(paced ? [check("p99 from reading to decision, ms", p99 !== undefined && p99 < 1000, p99)] : []),
          check("readings sent", sent === vehicles * seconds, `${vehicles} × ${seconds} = ${sent}`),
          check(
            "lost",
            spooled === sent && acknowledged === sent && judged === sent,
            sent - Math.min(spooled, acknowledged, judged),
          ),
          check(
            "warm vehicles warned, and no other",
            breaches === warm && world.told.length === warm,
            breaches,
          ),
        ];
      },
    );
  },
};

export const fleetCases: readonly Case[] = [c5, c8, c12, c13, c14, c20];
