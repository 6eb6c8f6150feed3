import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SimulatedMeter } from "../../collectors/simulators/meter-server.ts";
import { dayMillis, dayStart, hourMillis, utcOffsetHours, weekStart } from "../calendar.ts";
import { type PastValue, pastTable } from "../history.ts";
import { moments, type Plant, unrest } from "./plant.ts";

/** A month of 30 days at 500,000 kW·h. */
const energyADay = 500_000 / 30;
const officeADay = 300;
const waterADay = 400;
const piecesADay = 1000;
/** What is left of energy and water since last week; production is reported as ever. */
const left = 0.7;
const reportAfterMillis = 12_000;

const installed = Date.UTC(2024, 0, 1);

/** Amount since installation: a day's worth each day, and less from `since` on. */
function meterAt(time: number, aDay: number, since: number): number {
  const less = Math.max(0, time - since) / dayMillis;
  return ((time - installed) / dayMillis - (1 - left) * less) * aDay;
}

/** The meters count what their current transformers leave of it. */
const scale = 100;

const lastWeek = (now: number): number => weekStart(now) - 7 * dayMillis;

/** What the mill says it made, each Sunday for the week. */
const reported = (from: number, until: number): PastValue[] =>
  moments(from, until, 7 * dayMillis).map((week) => ({
    device: "mes",
    metric: "reported_output",
    time: week + 6 * dayMillis + 18 * hourMillis,
    value: 7 * piecesADay,
  }));

/**
 * The textile mill: electricity and water meters that speak DL/T 645. Since last week it draws 70 % of what it did;
 * then its production report for that week comes in, and says that nothing has changed.
 */
export const riverMill: Plant = {
  happening: {
    type: "energy_production_mismatch",
    what: "a week's production is reported as ever, on 70 % of the electricity",
  },
  refreshDays: 15,
  sites: () => ({
    sites: [
      {
        id: "weaving-hall",
        industry: "textile",
        utcOffsetHours,
        norms: { active_energy: energyADay, water_volume: waterADay, reported_output: piecesADay },
      },
    ],
    devices: [
      { id: "hall-meter", site: "weaving-hall", class: "meter", source: "meters" },
      { id: "office-meter", site: "weaving-hall", class: "meter", source: "meters", role: "office" },
      { id: "water-meter", site: "weaving-hall", class: "meter", source: "meters" },
      { id: "mes", site: "weaving-hall", class: "mes", source: "exports" },
    ],
  }),
  past: (now) => [
    ...moments(dayStart(now) - 64 * dayMillis, now - hourMillis, hourMillis).flatMap((time) => [
      {
        device: "hall-meter",
        metric: "active_energy",
        time,
        value: meterAt(time, energyADay, lastWeek(now)),
      } as const,
      {
        device: "office-meter",
        metric: "active_energy",
        time,
        value: meterAt(time, officeADay, now),
      } as const,
      {
        device: "water-meter",
        metric: "water_volume",
        time,
        value: meterAt(time, waterADay, lastWeek(now)),
      } as const,
    ]),
    ...reported(lastWeek(now) - 8 * 7 * dayMillis, lastWeek(now)),
  ],
  collectors: ({ gateway }) => {
    const energy = { identifier: "00 01 00 00", metric: "active_energy", unit: "kW.h", scale, every: "2s" };
    const power = {
      identifier: "02 03 00 00",
      bytes: 3,
      decimals: 4,
      scale,
      metric: "active_power",
      unit: "kW",
      every: "1s",
    };
    return [
      {
        meter: {
          name: "meters",
          host: "127.0.0.1",
          port: Number(gateway),
          meters: [
            { address: "1", device: "hall-meter", registers: [energy, power] },
            { address: "2", device: "office-meter", registers: [energy] },
            {
              address: "3",
              device: "water-meter",
              registers: [{ ...energy, metric: "water_volume", unit: "m3" }],
            },
          ],
        },
      },
    ];
  },
  async start({ inbox, now }) {
    const { encodeDigits } = await import("../../collectors/dlt645.ts");
    const { startMeterServer } = await import("../../collectors/simulators/meter-server.ts");
    const total = (aDay: number, since: number) => () =>
      encodeDigits(meterAt(Date.now(), aDay, since) / scale, { bytes: 4, decimals: 2, signed: false });
    const hall = total(energyADay, lastWeek(now));
    const meters: [string, SimulatedMeter][] = [
      [
        "1",
        (identifier) =>
          identifier === "02030000"
            ? encodeDigits(((left * energyADay) / 24 + unrest(Date.now(), 20)) / scale, {
                bytes: 3,
                decimals: 4,
                signed: false,
              })
            : hall(),
      ],
      ["2", total(officeADay, now)],
      ["3", total(waterADay, lastWeek(now))],
    ];
    const server = await startMeterServer(
      new Map(meters.map(([address, one]) => [address.padStart(12, "0"), one])),
    );
    const report = setTimeout(async () => {
      const file = join(inbox, "own-production.csv");
      await writeFile(`${file}.part`, pastTable(reported(lastWeek(now), weekStart(now))));
      await rename(`${file}.part`, file);
    }, reportAfterMillis);
    return {
      addresses: { gateway: server.port },
      async close() {
        clearTimeout(report);
        await server.close();
      },
    };
  },
};
