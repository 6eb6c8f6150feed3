import type { Binding, Calibration, Declaration, Device, Exclusion, Site } from "../device-registry.ts";
import type { Engine } from "../engine.ts";
import type { Catalogue } from "../features/catalogue.ts";
import { conversion } from "../features/units.ts";

/** µs UTC, end exclusive. */
export interface Period {
  readonly from: number;
  readonly until: number;
}

/** What is known beside the readings. */
export interface Reference {
  readonly catalogue: Catalogue;
  readonly devices: readonly Device[];
  readonly bindings: readonly Binding[];
  readonly sites: readonly Site[];
  readonly exclusions: readonly Exclusion[];
  /** Source status texts that mean planned maintenance. */
  readonly excludedStatuses: readonly string[];
  readonly calibrations: readonly Calibration[];
  readonly declarations: readonly Declaration[];
}

/** Which metrics each cross-source rule puts in doubt when it does not hold. */
export const ruleMetrics = {
  energy_production: ["reported_output"],
  pos_payments_inventory: ["sales_amount", "transactions"],
  logistics_production: ["shipments"],
  vibration_energy: ["vibration_rms"],
  revenue_declared: [],
} as const satisfies Record<string, readonly string[]>;

export type VerificationRule = keyof typeof ruleMetrics;

const second = 1_000_000;
const hour = 3600 * second;
const day = 24 * hour;
/** Later than any time: bindings that have not ended. */
const never = 2 ** 52;

/** Loads everything but the readings. Tables are replaced, so a refresh starts from a clean slate. */
export async function loadReference(engine: Engine, reference: Reference, period: Period): Promise<void> {
  const { devices, sites } = reference;
  const metrics = [...reference.catalogue.metrics];
  await load(engine, "metric", {
    metric: metrics.map(([id]) => id),
    kind: metrics.map(([, metric]) => metric.kind),
    unit: metrics.map(([, metric]) => metric.unit),
    event: metrics.map(([, metric]) => metric.event ?? false),
    low: metrics.map(([, metric]) => metric.range[0]),
    high: metrics.map(([, metric]) => metric.range[1]),
    rate: metrics.map(([, metric]) => metric.rate ?? null),
    spike: metrics.map(([, metric]) => metric.spike ?? null),
    step_us: metrics.map(([, metric]) => micros(metric.step * second)),
    stuck_us: metrics.map(([, metric]) =>
      metric.stuck === undefined ? null : micros(metric.stuck * second),
    ),
    interpolate_us: metrics.map(([, metric]) => micros(metric.fill[0] * second)),
    seasonal_us: metrics.map(([, metric]) => micros(metric.fill[1] * second)),
  });
  await load(engine, "device", {
    device: devices.map((one) => one.id),
    source: devices.map((one) => one.source),
    class: devices.map((one) => one.class),
    role: devices.map((one) => one.role ?? null),
  });
  const bindings = reference.bindings;
  await load(engine, "binding", {
    device: bindings.map((one) => one.device),
    site: bindings.map((one) => one.site),
    from_us: bindings.map((one) => micros(one.from)),
    until_us: bindings.map((one) =>
      micros(
        bindings.reduce(
          (end, other) =>
            other.device === one.device && other.from > one.from && other.from < end ? other.from : end,
          never,
        ),
      ),
    ),
  });
  const norms = sites.flatMap((site) =>
    Object.entries(site.norms).map(([measure, amount]) => ({ site: site.id, measure, amount })),
  );
  await load(engine, "site_norm", {
    site: norms.map((one) => one.site),
    measure: norms.map((one) => one.measure),
    amount: norms.map((one) => one.amount),
  });
  const exclusions = mergeExclusions(reference.exclusions);
  await load(engine, "excluded", {
    device: exclusions.map((one) => one.device),
    from_us: exclusions.map((one) => micros(one.from)),
    until_us: exclusions.map((one) => micros(one.until)),
  });
  await load(engine, "excluded_status", { status: [...reference.excludedStatuses] });
  const calibrations = reference.calibrations;
  await load(engine, "calibration", {
    device: calibrations.map((one) => one.device),
    metric: calibrations.map((one) => one.metric),
    from_us: calibrations.map((one) => micros(one.from)),
    until_us: calibrations.map((one) => micros(one.until)),
    error_per_us: calibrations.map((one) => one.relativeError / (one.until - one.from)),
  });
  const declarations = reference.declarations;
  await load(engine, "declaration", {
    site: declarations.map((one) => one.site),
    measure: declarations.map((one) => one.measure),
    from_us: declarations.map((one) => micros(one.from)),
    until_us: declarations.map((one) => micros(one.until)),
    amount: declarations.map((one) => one.amount),
  });
  const rules = Object.entries(ruleMetrics).flatMap(([rule, names]) =>
    names.map((metric) => ({ rule, metric })),
  );
  await load(engine, "rule_metric", {
    rule: rules.map((one) => one.rule),
    metric: rules.map((one) => one.metric),
  });
  const windows = sites.flatMap((site) => windowsOf(site, period));
  await load(engine, "time_window", {
    site: windows.map((one) => one.site),
    kind: windows.map((one) => one.kind),
    from_us: windows.map((one) => micros(one.from)),
    until_us: windows.map((one) => micros(one.until)),
  });
  await load(engine, "period", { from_us: [micros(period.from)], until_us: [micros(period.until)] });
}

/** Numbers 0, 1, 2 … as many as the densest channel has cells in the period: reads the table `pace`. */
export async function loadTicks(engine: Engine, period: Period): Promise<void> {
  const [densest] = await engine.rows("SELECT min(pace_us) AS pace FROM pace");
  const pace = Number(densest?.pace ?? 0);
  const ticks = pace > 0 ? Math.ceil((period.until - period.from) / pace) + 1 : 0;
  await engine.run("CREATE OR REPLACE TABLE tick (n BIGINT)");
  await engine.append("tick", [BigInt64Array.from({ length: ticks }, (_, n) => BigInt(n))]);
}

/** Conversions for the units that were in fact delivered: reads the table `series`. */
export async function loadConversions(engine: Engine, catalogue: Catalogue): Promise<void> {
  const seen = await engine.rows("SELECT DISTINCT metric, unit FROM series");
  const known = seen.flatMap(({ metric, unit }) => {
    const target = catalogue.metrics.get(String(metric))?.unit;
    const found = target === undefined ? undefined : conversion(String(unit), target);
    return found === undefined ? [] : [{ metric: String(metric), unit: String(unit), ...found }];
  });
  await load(engine, "unit_conversion", {
    metric: known.map((one) => one.metric),
    unit: known.map((one) => one.unit),
    factor: known.map((one) => one.factor),
    shift: known.map((one) => one.shift),
  });
}

export interface TimeWindow extends Period {
  readonly site: string;
  readonly kind: "day" | "week" | "month";
}

/** Local days, weeks (from Monday) and calendar months that end in or overlap the period. */
export function windowsOf(site: Pick<Site, "id" | "utcOffsetHours">, period: Period): TimeWindow[] {
  const offset = site.utcOffsetHours * hour;
  const windows: TimeWindow[] = [];
  const firstDay = Math.floor((period.from + offset) / day) * day;
  for (let from = firstDay; from < period.until + offset; from += day) {
    // The day that is still running counts as far as it goes.
    const until = Math.min(from + day - offset, period.until);
    windows.push({ site: site.id, kind: "day", from: from - offset, until });
    // 1970-01-05 was a Monday.
    if ((from / day - 4) % 7 === 0) {
      windows.push({ site: site.id, kind: "week", from: from - offset, until: from + 7 * day - offset });
    }
    const date = new Date(from / 1000);
    if (date.getUTCDate() === 1) {
      const next = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) * 1000;
      windows.push({ site: site.id, kind: "month", from: from - offset, until: next - offset });
    }
  }
  // A week or month is a feature only when the period holds all of it.
  return windows.filter((one) => one.kind === "day" || one.until <= period.until);
}

/** Two windows that overlap are one: a reading is in maintenance once. */
function mergeExclusions(exclusions: readonly Exclusion[]): Exclusion[] {
  const merged: Exclusion[] = [];
  const sorted = [...exclusions].sort((a, b) =>
    a.device < b.device ? -1 : a.device > b.device ? 1 : a.from - b.from,
  );
  for (const one of sorted) {
    const last = merged.at(-1);
    if (last?.device === one.device && one.from <= last.until) {
      merged[merged.length - 1] = { ...last, until: Math.max(last.until, one.until) };
    } else merged.push(one);
  }
  return merged;
}

type Value = string | number | bigint | boolean | null;

const micros = (value: number): bigint => BigInt(Math.round(value));

const sqlType = (name: string, values: readonly Value[]): string => {
  if (name.endsWith("_us") && name !== "error_per_us") return "BIGINT";
  const sample = values.find((value) => value !== null);
  if (typeof sample === "bigint") return "BIGINT";
  if (typeof sample === "boolean") return "BOOLEAN";
  const texts = [
    "device",
    "metric",
    "unit",
    "site",
    "measure",
    "status",
    "rule",
    "kind",
    "source",
    "class",
    "role",
  ];
  return texts.includes(name) ? "VARCHAR" : "DOUBLE";
};

async function load(engine: Engine, table: string, columns: Record<string, Value[]>): Promise<void> {
  const names = Object.keys(columns);
  const types = names.map((name) => sqlType(name, columns[name]!));
  await engine.run(
    `CREATE OR REPLACE TABLE ${table} (${names.map((name, i) => `${name} ${types[i]}`).join(", ")})`,
  );
  await engine.appendValues(
    table,
    types,
    names.map((name) => columns[name]!),
  );
}
