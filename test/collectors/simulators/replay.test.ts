import test from "ava";
import fc from "fast-check";
import { modbusConfig } from "../../../collectors/modbus/config.ts";
import { modbusCollector } from "../../../collectors/modbus.ts";
import { startModbusServer } from "../../../collectors/simulators/modbus-server.ts";
import {
  acceleratedTime,
  replayEvents,
  replayModbus,
  type Series,
  valueAt,
} from "../../../collectors/simulators/replay.ts";

const series = (metric: string, values: number[], stepMillis: number): Series => ({
  device: "meter",
  metric,
  times: values.map((_, i) => 1_000_000 + i * stepMillis),
  values,
});

test("the value at a time is the last one before it", (t) => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat(1000), { minLength: 1 }),
      fc.integer({ min: -5, max: 1005 }),
      (unsorted, time) => {
        const times = unsorted.toSorted((a, b) => a - b);
        const expected = times.filter((at) => at <= time).at(-1);
        t.is(valueAt({ device: "d", metric: "m", times, values: times }, time), expected);
      },
    ),
  );
});

test("an hour of a meter is read over Modbus in a moment, at the recording's own times", async (t) => {
  const power = series(
    "power",
    Array.from({ length: 60 }, (_, i) => i / 2),
    60_000,
  );
  const energy = series(
    "energy",
    Array.from({ length: 60 }, (_, i) => 100 + i),
    60_000,
  );
  const time = acceleratedTime(1_000_000, 36_000);
  const server = await startModbusServer(
    new Map([
      [
        1,
        replayModbus(
          [
            { table: "input", address: 52, type: "f32", order: "ABCD", series: power },
            { table: "input", address: 54, type: "u32", order: "CDAB", scale: 0.1, series: energy },
          ],
          time.now,
        ),
      ],
    ]),
  );
  const collector = modbusCollector(
    modbusConfig.parse({
      host: "127.0.0.1",
      port: server.port,
      unit: 1,
      device: "meter",
      registers: [
        { address: 30053, type: "f32", metric: "power", unit: "kW", every: "1m" },
        {
          address: 30055,
          type: "u32",
          order: "CDAB",
          scale: 0.1,
          metric: "energy",
          unit: "kW.h",
          every: "1m",
        },
      ],
    }),
    { ...time, random: Math.random, log() {} },
  );
  await collector.start();
  let read = 0;
  for await (const batch of collector) {
    for (const reading of batch.readings) {
      const truth = reading.metric === "power" ? power : energy;
      const possible = [valueAt(truth, reading.time / 1000), valueAt(truth, reading.time / 1000 - 60_000)];
      // The value was served up to a moment before it was taken, which is much simulated time.
      t.true(truth.values[0]! <= Number(reading.value) && Number(reading.value) <= possible[0]! + 1e-9);
      read++;
    }
    batch.stored();
    if (read >= 40) break;
  }
  await collector.stop();
  await server.close();
});

test("events of several series come in the order of time", async (t) => {
  const waits: number[] = [];
  let now = 1_000_000;
  const timer = {
    elapsed: () => now,
    async wait(milliseconds: number) {
      waits.push(milliseconds);
      now += milliseconds;
    },
  };
  const seen: [string, number][] = [];
  for await (const event of replayEvents(
    [series("a", [1, 2, 3], 10), series("b", [4, 5], 15)],
    { now: () => now, timer },
    new AbortController().signal,
  ))
    seen.push([event.series.metric, event.value]);
  t.deepEqual(seen, [
    ["a", 1],
    ["b", 4],
    ["a", 2],
    ["b", 5],
    ["a", 3],
  ]);
  t.deepEqual(waits, [10, 5, 5]);
  t.throws(() => acceleratedTime(0, 0), { instanceOf: RangeError });
});
