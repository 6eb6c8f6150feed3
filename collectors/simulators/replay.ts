import type { CollectorContext, Timer } from "../collector.ts";
import { type Encoding, encode, type RegisterPlace, type Table, width } from "../modbus/registers.ts";
import { systemTimer } from "../runtime/timer.ts";
import type { SimulatedUnit } from "./modbus-server.ts";

/** What one metric of one device did: `values[i]` from `times[i]` (milliseconds since the epoch, ascending) on. */
export interface Series {
  readonly device: string;
  readonly metric: string;
  readonly times: ArrayLike<number>;
  readonly values: ArrayLike<number>;
}

/** Time that starts at `start` and runs `speed` times as fast as the machine's: for a collector and its device. */
export function acceleratedTime(
  start: number,
  speed: number,
  timer: Timer = systemTimer,
): Required<Pick<CollectorContext, "now" | "timer">> {
  if (!(speed > 0)) throw new RangeError("speed must be > 0");
  const origin = timer.elapsed();
  const elapsed = () => (timer.elapsed() - origin) * speed;
  return {
    now: () => start + elapsed(),
    timer: { elapsed, wait: (milliseconds, signal) => timer.wait(milliseconds / speed, signal) },
  };
}

/** @returns the last value at or before `time`, or undefined before the first. */
export function valueAt({ times, values }: Series, time: number): number | undefined {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! <= time) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? undefined : values[low - 1];
}

/** A register that shows a series. */
export interface ReplayRegister extends RegisterPlace, Encoding {
  /** The raw value is the series' value divided by it. */
  readonly scale?: number;
  readonly series: Series;
}

/**
 * A Modbus unit whose registers show recorded series at the time of `now`. Before a series begins its registers
 * are all ones (NaN where they are read as a float); a read of anything unmapped gets exception 2.
 */
export function replayModbus(registers: readonly ReplayRegister[], now: () => number): SimulatedUnit {
  const places = new Map<string, { register: ReplayRegister; word: number }>();
  for (const register of registers)
    for (let word = 0; word < width(register.type); word++)
      places.set(placeKey(register.table, register.address + word), { register, word });

  return (table, address, count) => {
    const time = now();
    const bits = table === "coil" || table === "discrete";
    const answer = new Uint8Array(bits ? Math.ceil(count / 8) : 2 * count);
    for (let i = 0; i < count; i++) {
      const place = places.get(placeKey(table, address + i));
      if (place === undefined) return { exception: 2 };
      const { register, word } = place;
      const value = valueAt(register.series, time);
      if (bits) answer[i >> 3]! |= (value ? 1 : 0) << (i & 7);
      else answer.set(rawBytes(register, value).subarray(2 * word, 2 * word + 2), 2 * i);
    }
    return answer;
  };
}

const placeKey = (table: Table, address: number): string => `${table} ${address}`;

function rawBytes(register: ReplayRegister, value: number | undefined): Uint8Array {
  if (value === undefined) return new Uint8Array(2 * width(register.type)).fill(0xff);
  const raw = value / (register.scale ?? 1);
  const whole = register.type === "f32" || register.type === "f64" ? raw : Math.round(raw);
  return encode(whole, register);
}

/** Yields every value of all series in the order of time, each when its time has come. */
export async function* replayEvents(
  series: readonly Series[],
  { now, timer }: Required<Pick<CollectorContext, "now" | "timer">>,
  signal: AbortSignal,
): AsyncGenerator<{ readonly series: Series; readonly time: number; readonly value: number }> {
  const next = series.map(() => 0);
  while (!signal.aborted) {
    let first: number | undefined;
    for (const [i, { times }] of series.entries()) {
      if (next[i]! >= times.length) continue;
      if (first === undefined || times[next[i]!]! < series[first]!.times[next[first]!]!) first = i;
    }
    if (first === undefined) return;
    const chosen = series[first]!;
    const at = next[first]!++;
    const time = chosen.times[at]!;
    const early = time - now();
    if (early > 0) await timer.wait(early, signal);
    if (!signal.aborted) yield { series: chosen, time, value: chosen.values[at]! };
  }
}
