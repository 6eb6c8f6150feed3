import type { Calibration } from "../../client-node/operations/device-registry.ts";
import type { Reading } from "../../collectors/reading.ts";
import { type Random, seededRandom, uniform } from "../../core/random.ts";
import { at, day, hour, minute, reading } from "./world.ts";

/** What was planted into one cell of the stream. */
export type Planted =
  | "none"
  | "unit"
  | "clock"
  | "drift"
  | "long gap"
  | "stuck"
  | "short gap"
  | "spike"
  | "bad quality"
  | "range"
  | "second reading";

export interface PlantedStream {
  readonly readings: readonly Reading[];
  readonly calibrations: readonly Calibration[];
  readonly from: number;
  readonly until: number;
  readonly devices: readonly string[];
  /** The temperature that was really there, °C. @param time - µs */
  truth(device: string, time: number): number;
  readonly planted: ReadonlyMap<Planted, number>;
  readonly cells: number;
}

const step = 5 * minute;
const days = 7;
const cellsPerDevice = (days * day) / step;

/**
 * Machine temperatures of a week whose every value is known, with faults planted at stated shares of the
 * cells. Most of what a plant delivers wrong can be put right or filled; what is long gone cannot.
 *
 * @param faulty - false: the same stream as it should have come.
 */
export function plantedStream(seed: string, deviceCount: number, faulty: boolean): PlantedStream {
  const random = seededRandom(seed);
  const from = at("2026-03-02");
  const readings: Reading[] = [];
  const calibrations: Calibration[] = [];
  const counts = new Map<Planted, number>();
  const devices = Array.from({ length: deviceCount }, (_, i) => `motor-${i}`);
  const truth = (device: string, time: number): number => {
    const phase = Number(device.slice(6));
    const base = 60 + 8 * Math.sin((2 * Math.PI * (time - from)) / day + phase);
    return base + 1.5 * Math.sin((2 * Math.PI * (time - from)) / (5 * hour) + 2 * phase);
  };
  for (const device of devices) {
    const plan = faulty ? planOf(random) : new Array<Planted>(cellsPerDevice).fill("none");
    const firstDrift = plan.indexOf("drift");
    const lastDrift = plan.lastIndexOf("drift");
    const drift = { from: from + firstDrift * step, until: from + (lastDrift + 1) * step };
    if (firstDrift >= 0) {
      // Found 5 % high at the end of the stretch, right at its start.
      calibrations.push({ device, metric: "machine_temperature", ...drift, relativeError: 0.05 });
    }
    let held = 0;
    for (const [cell, fault] of plan.entries()) {
      counts.set(fault, (counts.get(fault) ?? 0) + 1);
      const time = from + cell * step + 1_000_000;
      const value = truth(device, time) + 0.2 * (uniform(random) - 0.5);
      if (fault !== "stuck") held = value;
      readings.push(...deliver(fault, device, time, value, held, drift, random));
    }
  }
  return {
    readings,
    calibrations,
    from,
    until: from + days * day,
    devices,
    truth,
    planted: counts,
    cells: cellsPerDevice * deviceCount,
  };
}

function deliver(
  fault: Planted,
  device: string,
  time: number,
  value: number,
  held: number,
  drift: { from: number; until: number },
  random: Random,
): Reading[] {
  const usual = (v: number, rest: Partial<Reading> = {}): Reading =>
    reading(device, "machine_temperature", v, "Cel", time, rest);
  switch (fault) {
    case "none":
      return [usual(value)];
    case "unit":
      return [usual(value * 1.8 + 32, { unit: "[degF]" })];
    case "clock":
      // The device's clock is an hour ahead; it arrives when it should.
      return [{ ...usual(value), time: time + hour }];
    case "drift":
      return [usual(value * (1 + (0.05 * (time - drift.from)) / (drift.until - drift.from)))];
    case "long gap":
    case "short gap":
      return [];
    case "stuck":
      return [usual(held)];
    case "spike":
      return [usual(value + (uniform(random) < 0.5 ? -1 : 1) * (15 + 25 * uniform(random)))];
    case "bad quality":
      return [usual(value + 5 * uniform(random), { quality: "bad", status: "sensor fault" })];
    case "range":
      return [usual(uniform(random) < 0.5 ? 850 : -200)];
    case "second reading":
      return [usual(value), usual(value + 3, { received: time + 2_000_000 })];
  }
}

/** Shares of a device's cells, and lengths in cells. Together 35 % of what is delivered does not pass. */
const stretches: readonly [Planted, number][] = [
  ["unit", 117],
  ["clock", 95],
  ["drift", 101],
  ["long gap", 80],
  ["stuck", 76],
];
const shortGaps = [2, 3, 4, 6, 8, 10, 12, 14, 16, 18];
const singles: readonly [Planted, number][] = [
  ["spike", 50],
  ["bad quality", 57],
  ["range", 36],
  ["second reading", 40],
];

/** Places every stretch apart from the others, and the single faults where nothing else is. */
function planOf(random: Random): Planted[] {
  const plan = new Array<Planted>(cellsPerDevice).fill("none");
  const free = (start: number, length: number, margin: number): boolean =>
    start >= margin &&
    start + length + margin <= plan.length &&
    plan.slice(start - margin, start + length + margin).every((one) => one === "none");
  const place = (fault: Planted, length: number, margin: number): void => {
    for (let tries = 0; tries < 100_000; tries++) {
      const start = Math.floor(uniform(random) * plan.length);
      if (!free(start, length, margin)) continue;
      plan.fill(fault, start, start + length);
      return;
    }
    throw new RangeError(`no room for ${fault}`);
  };
  for (const [fault, length] of stretches) place(fault, length, 12);
  for (const length of shortGaps) place("short gap", length, 6);
  for (const [fault, count] of singles) for (let i = 0; i < count; i++) place(fault, 1, 2);
  return plan;
}
