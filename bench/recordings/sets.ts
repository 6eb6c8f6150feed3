import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { parse } from "csv-parse/sync";
import { distanceMetres } from "../../client-node/operations/warnings/geo.ts";
import type { Reading } from "../../collectors/reading.ts";
import { at, day, minute, reading, second } from "../cases/world.ts";

/** Rows of a CSV file as texts by column; gzip by the file's ending. @throws Error where the file is missing */
export function rowsOf(data: string, file: string): Record<string, string>[] {
  const bytes = readFileSync(join(data, file));
  const text = (file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
  return parse(text, { columns: true, skip_empty_lines: true, relax_column_count: true });
}

/** NAB: temperatures in °F with labelled windows, [from, until] in µs. */
export function temperatures(data: string, name: "machine" | "ambient") {
  const file = `${name}_temperature_system_failure.csv`;
  const metric = name === "machine" ? "machine_temperature" : "ambient_temperature";
  const rows = rowsOf(data, `iot_nab/${file}.gz`);
  const windows = JSON.parse(readFileSync(join(data, "iot_nab/anomaly_windows.json"), "utf8")) as Record<
    string,
    [string, string][]
  >;
  const micros = (text: string): number => at(text.replace(" ", "T").slice(0, 19));
  return {
    readings: rows.map((row) =>
      reading(`sensor-${name}`, metric, Number(row.value), "[degF]", micros(row.timestamp!)),
    ),
    windows: windows[`realKnownCause/${file}`]!.map(
      ([from, until]) => [micros(from), micros(until)] as const,
    ),
  };
}

/** A steel plant's energy in quarter hours, as its meter would show it. */
export function steel(data: string): { readings: Reading[]; total: number } {
  const rows = rowsOf(data, "iot_steel/steel_industry.csv.gz");
  let total = 0;
  const start = at("2018-01-01");
  const readings = rows.map((row, i) => {
    total += Number(row.Usage_kWh);
    // The stamp of midnight names the day that ends; order and spacing are sound.
    return reading("meter-steel", "active_energy", total, "kW.h", start + (i + 1) * 15 * minute);
  });
  return { readings: [reading("meter-steel", "active_energy", 0, "kW.h", start), ...readings], total };
}

/** The predictive-maintenance set; it has no times, so one row a minute. */
export function maintenance(data: string): { readings: Reading[]; failures: number[] } {
  const start = at("2026-03-02");
  const failures: number[] = [];
  const readings = rowsOf(data, "iot_ai4i/ai4i2020.csv.gz").flatMap((row, i) => {
    const time = start + i * minute;
    if (row.Machine_failure === "1") failures.push(time);
    const of = (metric: string, column: string, unit: string): Reading =>
      reading("mill-1", metric, Number(row[column]), unit, time);
    return [
      of("ambient_temperature", "Air temperature [K]", "K"),
      of("machine_temperature", "Process temperature [K]", "K"),
      of("rotation", "Rotational speed [rpm]", "{rpm}"),
      of("torque", "Torque [Nm]", "N.m"),
      of("tool_wear", "Tool wear [min]", "min"),
    ];
  });
  return { readings, failures };
}

/** GPS tracks; speed is what two neighbouring fixes make of it. */
export function tracks(data: string): Reading[] {
  const readings: Reading[] = [];
  let before: { user: string; lat: number; lon: number; time: number } | undefined;
  for (const row of rowsOf(data, "logistics_geolife/geolife_sample.csv.gz")) {
    const [user, lat, lon] = [row.uid!, Number(row.lat), Number(row.lng)];
    const time = at(row.datetime!.replace(" ", "T"));
    const last = before;
    before = { user, lat, lon, time };
    if (last === undefined || last.user !== user || time <= last.time) continue;
    const hours = (time - last.time) / (3600 * second);
    // Rounded as a terminal reports it, whose field ends at 6,553.5 km/h; outliers beyond every vehicle stay.
    const speed = Math.min(6553.5, Math.round(distanceMetres(last, { lat, lon }) / 100 / hours) / 10);
    readings.push(
      reading(`traveller-${user}`, "speed", speed, "km/h", time, {
        position: { lat, lon, datum: "WGS-84", source: "gps", accuracyMetres: 10 },
      }),
    );
  }
  return readings;
}

/** A bakery's receipts an hour; the set has no prices. */
export function bakery(data: string): { readings: Reading[]; receipts: number } {
  const byHour = new Map<number, Set<string>>();
  for (const row of rowsOf(data, "retail_bakery_pos/bread_basket.csv.gz")) {
    const time = at(`${row.Date}T${row.Time!.slice(0, 2)}:00`);
    const known = byHour.get(time);
    if (known === undefined) byHour.set(time, new Set([row.Transaction!]));
    else known.add(row.Transaction!);
  }
  const readings = [...byHour].map(([time, receipts]) =>
    reading("till-bakery", "transactions", receipts.size, "1", time),
  );
  return { readings, receipts: readings.reduce((sum, one) => sum + Number(one.value), 0) };
}

/** Passers-by an hour at four counters. */
export const pedestrians = (data: string): Reading[] =>
  rowsOf(data, "retail_pedestrian/melbourne_pedestrian_2015_2016.csv.gz").map((row) =>
    reading(
      `counter-${row.Sensor!.split(" ")[0]!.toLowerCase()}`,
      "footfall",
      Number(row.Count),
      "1",
      at(row.Date_Time!),
    ),
  );

/** First day and the day after the last. */
export function spanOf(readings: readonly Reading[]): { from: number; until: number } {
  let [low, high] = [Number.POSITIVE_INFINITY, 0];
  for (const { time } of readings) {
    low = Math.min(low, time);
    high = Math.max(high, time);
  }
  return { from: Math.floor(low / day) * day, until: Math.floor(high / day + 1) * day };
}
