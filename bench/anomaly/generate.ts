import { type Random, seededRandom, uniform, uniformInteger } from "../../core/random.ts";
import { at, minute } from "../cases/world.ts";
import type { Recording } from "./recording.ts";

const rows = 7000;
/** A week, so that what is usual at a weekend is known. */
const quiet = 2016;
const step = 5 * minute;
const day = 288;

/** A standard normal value. */
const normal = (random: Random): number =>
  Math.sqrt(-2 * Math.log(1 - uniform(random))) * Math.cos(2 * Math.PI * uniform(random));

const series = (of: (row: number) => number, count = rows): number[] =>
  Array.from({ length: count }, (_, row) => of(row));

function autoregressive(random: Random, memory: number, count = rows): number[] {
  let x = 0;
  const share = Math.sqrt(1 - memory * memory);
  return series(() => {
    x = memory * x + share * normal(random);
    return x;
  }, count);
}

/** Ways in which a healthy channel behaves; mean about 0, spread about 1. */
export const behaviours: Readonly<Record<string, (random: Random) => number[]>> = {
  noise: (random) => series(() => normal(random)),
  "heavy tails": (random) => series(() => normal(random) / Math.sqrt(0.4 + uniform(random))),
  inertia: (random) => autoregressive(random, 0.9 + 0.09 * uniform(random)),
  daily(random) {
    const phase = 2 * Math.PI * uniform(random);
    const rest = autoregressive(random, 0.7);
    return series((row) => 1.3 * Math.sin((2 * Math.PI * row) / day + phase) + 0.35 * rest[row]!);
  },
  weekly(random) {
    const rest = autoregressive(random, 0.7);
    return series((row) => {
      const hour = (row % day) / 12;
      const weekend = Math.floor(row / day) % 7 >= 5;
      return (!weekend && hour >= 7 && hour < 19 ? 1.2 : -0.8) + 0.25 * rest[row]!;
    });
  },
  // A machine that works and rests in spells of no fixed length.
  "two states"(random) {
    let works = true;
    const rest = autoregressive(random, 0.5);
    return series((row) => {
      if (uniform(random) < (works ? 1 / 40 : 1 / 20)) works = !works;
      return (works ? 0.7 : -1.3) + 0.15 * rest[row]!;
    });
  },
  // A coarse sensor.
  steps: (random) => autoregressive(random, 0.8).map((one) => Math.round(one * 4) / 4),
};

interface Event {
  readonly name: string;
  /** Rows it lasts. */
  readonly length: number;
  /** @returns the value shown instead of the healthy one. */
  apply(healthy: number, into: number, held: number, random: Random): number;
}

const events: Readonly<Record<string, (random: Random) => Event>> = {
  spike(random) {
    const size = (uniform(random) < 0.5 ? -1 : 1) * (8 + 6 * uniform(random));
    return { name: "spike", length: 2, apply: (x) => x + size };
  },
  "level shift"(random) {
    const size = (uniform(random) < 0.5 ? -1 : 1) * (4 + 3 * uniform(random));
    return { name: "level shift", length: 150, apply: (x) => x + size };
  },
  drift(random) {
    const size = (uniform(random) < 0.5 ? -1 : 1) * (5 + 3 * uniform(random));
    return { name: "drift", length: 300, apply: (x, into) => x + (size * into) / 300 };
  },
  stuck: () => ({ name: "stuck", length: 200, apply: (_, __, held) => held }),
  unrest: (random) => ({ name: "unrest", length: 150, apply: (x) => x + 3 * normal(random) }),
  dead: () => ({ name: "dead", length: 150, apply: () => -9 }),
};

/** Rows in which an event may be found: an operator who hears of it a little later still hears of it. */
const grace = 48;

function planted(
  name: string,
  healthy: number[],
  random: Random,
  kinds: readonly string[],
  regime: boolean,
): Recording {
  const values = [...healthy];
  const windows: [number, number][] = [];
  const names: string[] = [];
  const room = (rows - quiet) / (kinds.length + 1);
  for (const [i, kind] of kinds.entries()) {
    const event = events[kind]!(random);
    const from = Math.floor(quiet + room * (i + 0.4) + 0.3 * room * uniform(random));
    const held = values[from]!;
    for (let into = 0; into < event.length; into++)
      values[from + into] = event.apply(healthy[from + into]!, into, held, random);
    windows.push([from, Math.min(rows - 1, from + event.length + grace)]);
    names.push(kind);
  }
  if (regime) {
    // What changes and stays is told of once; from then on it is usual.
    const from = Math.floor(quiet + room * (kinds.length + 0.3));
    const size = (uniform(random) < 0.5 ? -1 : 1) * (4 + 2 * uniform(random));
    for (let row = from; row < rows; row++) values[row] = values[row]! + size;
    windows.push([from, Math.min(rows - 1, from + 200)]);
    names.push("regime");
  }
  const scale = 10 ** (3 * uniform(random) - 1);
  const offset = 50 * scale * uniform(random);
  return {
    name,
    times: series((row) => at("2026-03-02") + row * step),
    channels: new Map([["value", values.map((one) => offset + scale * one)]]),
    windows,
    quiet,
    planted: names,
  };
}

/** Single channels: every behaviour with events drawn at random, and every behaviour left alone. */
export function single(seed: string): { faulty: Recording[]; healthy: Recording[] } {
  const faulty: Recording[] = [];
  const healthy: Recording[] = [];
  for (const [name, behaviour] of Object.entries(behaviours)) {
    const random = seededRandom(`anomaly ${seed} ${name}`);
    const all = Object.keys(events);
    const drawn = Array.from({ length: 3 }, () => all[uniformInteger(random, all.length)]!);
    faulty.push(planted(name, behaviour(random), random, drawn, uniform(random) < 0.5));
    healthy.push(planted(`${name}, healthy`, behaviour(random), random, [], false));
  }
  return { faulty, healthy };
}

/**
 * A machine of eight channels that follow three hidden causes. What is planted keeps every channel within its own
 * usual range: a channel goes its own way, two are exchanged, or a cause acts with another weight.
 */
export function machine(seed: string): { faulty: Recording; healthy: Recording } {
  const random = seededRandom(`anomaly machine ${seed}`);
  const channels = 8;
  const causes = 3;
  const draw = (broken: boolean): Recording => {
    const hidden = Array.from({ length: causes }, () => autoregressive(random, 0.9));
    const weights = Array.from({ length: channels }, () =>
      Array.from({ length: causes }, () => normal(random)),
    );
    const values = weights.map((row) => {
      const size = Math.hypot(...row);
      return series(
        (t) => row.reduce((sum, w, k) => sum + (w / size) * hidden[k]![t]!, 0) + 0.2 * normal(random),
      );
    });
    const windows: [number, number][] = [];
    const names: string[] = [];
    if (broken)
      for (let i = 0; i < 4; i++) {
        const from = quiet + 300 + i * 1150 + Math.floor(300 * uniform(random));
        const length = 150;
        const one = uniformInteger(random, channels);
        const other = (one + 1 + uniformInteger(random, channels - 1)) % channels;
        const kind = uniformInteger(random, 3);
        const own = autoregressive(random, 0.9, length);
        for (let into = 0; into < length; into++) {
          const t = from + into;
          const a = values[one]![t]!;
          const b = values[other]![t]!;
          if (kind === 0) values[one]![t] = own[into]!;
          else if (kind === 1) [values[one]![t], values[other]![t]] = [b, a];
          else values[one]![t] = -a;
        }
        windows.push([from, from + length + grace]);
        names.push(["goes its own way", "exchanged", "turned round"][kind]!);
      }
    return {
      name: broken ? "machine" : "machine, healthy",
      times: series((row) => at("2026-03-02") + row * step),
      channels: new Map(values.map((one, i) => [`channel ${i}`, one.map((x) => 20 + 3 * x)])),
      windows,
      quiet,
      planted: names,
    };
  };
  return { faulty: draw(true), healthy: draw(false) };
}
