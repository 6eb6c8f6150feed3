import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { passRates } from "../client-node/operations/quality/quality.ts";
import type { Warning } from "../client-node/operations/warnings/warning.ts";
import type { Reading } from "../collectors/reading.ts";
import { seededRandom, uniform, uniformInteger } from "../core/random.ts";
import { type Bench, type Figure, noted } from "./bench.ts";
import { device, hour, inWorld, minute, type Seen, site, type World } from "./cases/world.ts";
import { nodeTables, readNodes } from "./recordings/nodes.ts";
import { files, modbus, mqtt, opcua, terminals } from "./recordings/protocols.ts";
import { meterRegisters, readMeters } from "./recordings/registers.ts";
import { type Protocol, replay } from "./recordings/replay.ts";
import { bakery, maintenance, pedestrians, spanOf, steel, temperatures, tracks } from "./recordings/sets.ts";

/** Where the recordings are when nobody says. */
const defaultData = join("..", "shared", "data");

/**
 * Real recordings through their protocols and the node's own pipeline: what arrives, and what quality, completion
 * and warnings make of it.
 */
export const bench: Bench = async (args, progress) => {
  const { values } = parseArgs({
    args: [...args],
    options: { data: { type: "string" }, json: { type: "boolean" } },
  });
  const data = values.data ?? defaultData;
  const sets: [string, (data: string) => Promise<Figure[]>][] = [
    ["temperatures", labelledBoth],
    ["steel plant", steelPlant],
    ["predictive maintenance", predictive],
    ["GPS tracks", gps],
    ["bakery", shop],
    ["pedestrians", passersBy],
    ["energy meters' registers", registers],
    ["machine's nodes", nodes],
  ];
  const figures: Figure[] = [];
  for (const [name, run] of sets) {
    if (!existsSync(data)) {
      figures.push(figure(name, "no data", ""));
      continue;
    }
    const began = performance.now();
    figures.push(...(await run(data)).map((one) => ({ ...one, name: `${name}: ${one.name}` })));
    progress(`${name}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
  }
  return { bench: "recordings", runs: 1, figures };
};

const figure = (name: string, value: number | string, unit = "1"): Figure =>
  noted(
    name,
    typeof value === "string" || Number.isInteger(value) ? value : Number(value.toPrecision(4)),
    unit,
  );

const devicesOf = (readings: readonly Reading[]) =>
  [...new Set(readings.map((one) => one.device))].map((id) => device(id, "recorded"));

/** Plays a recording at one site and looks at it. */
function through<T>(
  readings: readonly Reading[],
  industry: string,
  look: (world: World, seen: Seen, period: { from: number; until: number }) => Promise<T> | T,
): Promise<T> {
  const period = spanOf(readings);
  return inWorld({ sites: [site("recorded", industry)], devices: devicesOf(readings) }, async (world) => {
    await world.play(readings);
    return look(world, await world.refresh(period), period);
  });
}

/** Sends a recording through a protocol to one site, and looks at what became of it. */
function over(
  [name, protocol]: readonly [name: string, protocol: Protocol],
  readings: readonly Reading[],
  industry: string,
  look: (world: World, seen: Seen, period: { from: number; until: number }) => Promise<Figure[]> | Figure[],
): Promise<Figure[]> {
  const period = spanOf(readings);
  return inWorld({ sites: [site("recorded", industry)], devices: devicesOf(readings) }, async (world) => {
    const { sent, read, lost, doubled, changed, connectMillis, seconds } = await replay(
      world,
      readings,
      protocol,
    );
    const none = (what: string, value: number): Figure => ({
      ...figure(what, value),
      target: "0",
      holds: value === 0,
    });
    const looked = await look(world, await world.refresh(period), period);
    const told = Map.groupBy(
      world.told.filter((one) => one.closed === undefined),
      (one) => one.type,
    );
    return [
      figure(`readings sent over ${name}`, sent),
      figure("readings read", read),
      none("lost", lost),
      none("doubled", doubled),
      none("changed on the way", changed),
      figure("connected after", connectMillis, "ms"),
      figure("readings a second, device to durable and judged", read / seconds, "1/s"),
      ...looked,
      figure("warned", [...told].map(([type, some]) => `${type} ${some.length}`).join(", ") || "nothing", ""),
    ];
  });
}

const quality = (seen: Seen): Figure[] => {
  const rates = passRates(seen.quality.counts);
  const faults = seen.quality.faults.map((one) => `${one.metric} ${one.used} of ${one.readings} used`);
  return [
    figure(
      "pass rate delivered → cleaned → verified → completed",
      [rates.delivered, rates.cleaned, rates.verified, rates.completed].map((r) => r.toFixed(4)).join(" → "),
      "",
    ),
    figure("readings", faults.join("; "), ""),
  ];
};

/** Both at once: an OPC UA server publishes every 50 ms at best, and each has a day for every publication. */
async function labelledBoth(data: string): Promise<Figure[]> {
  const both = (["machine", "ambient"] as const).map(async (name) =>
    (await labelled(data, name)).map((one) => ({ ...one, name: `${name}: ${one.name}` })),
  );
  return (await Promise.all(both)).flat();
}

/**
 * Warnings against labelled windows: a warning is right when it opened in one, a window is found when a
 * warning opened in it.
 */
async function labelled(data: string, name: "machine" | "ambient"): Promise<Figure[]> {
  const { readings, windows } = temperatures(data, name);
  return over(["OPC UA", opcua()], readings, "machining", async (world, seen) => {
    const inside = (warning: Warning): boolean =>
      windows.some(([from, until]) => warning.onset <= until && warning.detected >= from);
    const opened = world.opened("anomaly");
    const right = opened.filter(inside).length;
    const found = windows.filter(([from, until]) =>
      opened.some((one) => one.onset <= until && one.detected >= from),
    ).length;
    const metric = readings[0]!.metric;
    return [
      ...quality(seen),
      figure("warnings", opened.length),
      figure("precision", opened.length === 0 ? 0 : right / opened.length),
      figure(`recall over ${windows.length} labelled windows`, found / windows.length),
      ...(await hiddenGaps(readings, metric, 5.0 / 9)),
    ];
  });
}

/** Hides gaps that the catalogue allows to fill, and compares what was filled with what was there. */
async function hiddenGaps(readings: readonly Reading[], metric: string, toUnit: number): Promise<Figure[]> {
  const random = seededRandom(metric);
  const sorted = [...readings].sort((a, b) =>
    a.device < b.device ? -1 : a.device > b.device ? 1 : a.time - b.time,
  );
  const hidden = new Map<string, number>();
  const kept: Reading[] = [];
  const most = metric === "footfall" ? 3 : 24;
  for (let i = 0; i < sorted.length; ) {
    const length = uniform(random) < 0.01 ? 1 + uniformInteger(random, most) : 0;
    for (let k = 0; k < length && i < sorted.length; k++, i++) {
      hidden.set(`${sorted[i]!.device}/${sorted[i]!.time}`, Number(sorted[i]!.value));
    }
    if (i < sorted.length) kept.push(sorted[i++]!);
  }
  return through(kept, "machining", async (world, _, period) => {
    const filled = await world.query(
      period,
      `SELECT device, cell_us, method, coalesce(total, mean) AS value FROM filled WHERE status = 'imputed'`,
    );
    const offset = metric === "footfall" ? 0 : 32;
    const errors: number[] = [];
    const truths: number[] = [];
    for (const row of filled) {
      const truth = hidden.get(`${row.device}/${row.cell_us}`);
      if (truth === undefined) continue;
      truths.push((truth - offset) * toUnit);
      errors.push(Number(row.value) - truths.at(-1)!);
    }
    const mean = (values: number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;
    return [
      figure(`hidden values of 1 % gaps (${hidden.size}): filled`, errors.length / hidden.size),
      figure(
        "mean absolute error of the filled",
        mean(errors.map(Math.abs)),
        metric === "footfall" ? "1" : "Cel",
      ),
      figure("mean of what was there", mean(truths), metric === "footfall" ? "1" : "Cel"),
    ];
  });
}

async function steelPlant(data: string): Promise<Figure[]> {
  const { readings, total } = steel(data);
  return over(["Modbus TCP", modbus(900, 0.01)], readings, "machining", (_, seen) => {
    const days = seen.features.filter((row) => row.window === "day");
    const sum = days.reduce((all, row) => all + (row.values.get("energy_total") ?? 0), 0);
    const mean = (weekend: boolean): number => {
      const some = days.filter((row) => [0, 6].includes(new Date(row.from / 1000).getUTCDay()) === weekend);
      return some.reduce((all, row) => all + (row.values.get("energy_total") ?? 0), 0) / some.length;
    };
    return [
      ...quality(seen),
      figure("energy of all days against the recording's own sum", sum / total),
      figure("working day", mean(false), "kW.h"),
      figure("weekend day", mean(true), "kW.h"),
    ];
  });
}

async function predictive(data: string): Promise<Figure[]> {
  const { readings, failures } = maintenance(data);
  return over(["MQTT", mqtt()], readings, "machining", (world, seen) => {
    const warnings = world.opened("anomaly");
    const near = failures.filter((time) =>
      warnings.some((one) => Math.abs(one.onset - time) < 30 * minute),
    ).length;
    return [
      ...quality(seen),
      figure("level warnings", warnings.length),
      figure(`of ${failures.length} labelled failures within half an hour of one`, near / failures.length),
    ];
  });
}

async function gps(data: string): Promise<Figure[]> {
  const readings = tracks(data);
  return over(["JT/T 808", terminals()], readings, "logistics", (world, seen) => {
    const stops = world.opened("unexplained_stop");
    const longest = Math.max(0, ...world.told.map((one) => one.numbers.minutes ?? 0));
    return [
      ...quality(seen),
      figure("stops longer than 20 min at no known place", stops.length),
      figure("silences", world.opened("signal_lost").length),
      figure("longest of both", longest / 60, "h"),
    ];
  });
}

async function shop(data: string): Promise<Figure[]> {
  const { readings, receipts } = bakery(data);
  return over(["CSV files", files()], readings, "retail", async (world, seen, period) => {
    const [sum] = await world.query(
      period,
      "SELECT sum(total) AS n FROM filled WHERE metric = 'transactions'",
    );
    return [
      figure("receipts kept against the till's", Number(sum!.n) / receipts),
      figure(
        "revenue inferred without prices",
        seen.features.some((row) => row.values.has("sales_total")) ? "some" : "none",
        "",
      ),
      figure("warnings other than silence", world.told.filter((one) => one.type !== "signal_lost").length),
    ];
  });
}

async function passersBy(data: string): Promise<Figure[]> {
  const readings = pedestrians(data);
  return over(["MQTT", mqtt()], readings, "retail", async (world, seen) => [
    ...quality(seen),
    figure(
      "silences of an hour's counter, longer than four hours",
      world.opened("signal_lost").filter((one) => one.detected - one.onset > 4 * hour).length,
    ),
    ...(await hiddenGaps(readings, "footfall", 1)),
  ]);
}

async function registers(data: string): Promise<Figure[]> {
  const found = await readMeters(meterRegisters(data));
  const all = (name: string, value: number): Figure => ({
    ...figure(name, value),
    target: `${found.registers}`,
    holds: value === found.registers,
  });
  return [
    figure("models, a Modbus TCP server each", found.models),
    all("registers read", found.read),
    all("registers read with the meter's value", found.equal),
    figure("requests", found.requests),
  ];
}

async function nodes(data: string): Promise<Figure[]> {
  const example = join(data, "iot_opcua_nodeids", "Opc.Ua.Machinery.Examples.NodeSet2.xml");
  const found = await readNodes(example, nodeTables(data));
  const of = (name: string, value: number, all: number): Figure => ({
    ...figure(name, value),
    target: `${all}`,
    holds: value === all,
  });
  return [
    of("variables of the example machine found by browsing", found.browsed, found.instance),
    figure("of those with a value", found.valued),
    ...found.subscribed.map(({ specification, variables, answered }) =>
      of(`variables of ${specification} that a subscription reads`, answered, variables),
    ),
    figure("connected after", found.connectMillis, "ms"),
  ];
}
