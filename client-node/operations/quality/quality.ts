import type { Engine } from "../engine.ts";
import { buildTable, selectOf } from "../sql-files.ts";
import { loadTicks, type Period, ruleMetrics, type VerificationRule } from "./reference.ts";

const clean = new URL("clean/", import.meta.url);
const verify = new URL("verify/", import.meta.url);
const complete = new URL("complete/", import.meta.url);

/** Cells that should be there and how many pass after each step; the check is the same at every step. */
export interface PassCount {
  readonly device: string;
  readonly source: string;
  readonly metric: string;
  readonly expected: number;
  /** In planned maintenance: neither expected nor counted. */
  readonly excluded: number;
  /** As delivered, before anything was put right. */
  readonly delivered: number;
  readonly cleaned: number;
  readonly verified: number;
  readonly completed: number;
  readonly imputed: number;
  readonly gaps: number;
  readonly stuck: number;
}

export type Fault =
  | "unit"
  | "absent"
  | "quality"
  | "clock"
  | "range"
  | "drift"
  | "duplicate"
  | "spike"
  | "rate"
  | "excluded";

export type FaultCount = { readonly device: string; readonly source: string; readonly metric: string } & {
  readonly readings: number;
  readonly used: number;
} & Readonly<Record<Fault, number>>;

export interface Verification {
  readonly rule: VerificationRule;
  readonly site: string;
  readonly from: number;
  readonly until: number;
  readonly expected: number;
  readonly seen: number;
  readonly holds: boolean;
}

export interface QualityReport {
  readonly counts: readonly PassCount[];
  readonly faults: readonly FaultCount[];
  readonly verifications: readonly Verification[];
  /** Metrics that came in and are not in the catalogue: kept in the segments, used by nothing. */
  readonly unknownMetrics: readonly string[];
}

/** Shares of expected cells that pass after each step. */
export interface PassRates {
  readonly delivered: number;
  readonly cleaned: number;
  readonly verified: number;
  readonly completed: number;
}

/**
 * Clean, verify, complete: from the days of a period (`openDays`) to the table `filled`, on which features are
 * computed. Everything else it builds can be looked at too: `cell`, `stuck`, `verification`, `disputed`, `known`.
 */
export async function runQuality(engine: Engine, period: Period): Promise<QualityReport> {
  for (const table of ["pace", "cell", "stuck", "cleaned"]) await buildTable(engine, clean, table);

  await buildTable(engine, verify, "tally");
  const rules = Object.keys(ruleMetrics).map(
    (rule) =>
      `SELECT '${rule}' AS rule, site, from_us, until_us, expected, seen, holds
       FROM (${selectOf(new URL(`${rule}.sql`, verify))}) r WHERE holds IS NOT NULL`,
  );
  await engine.build("verification", rules.join(" UNION ALL "));
  await buildTable(engine, verify, "disputed");

  await loadTicks(engine, period);
  for (const table of ["grid", "known", "season", "empty", "imputed", "filled"]) {
    await buildTable(engine, complete, table);
  }
  return readReport(engine);
}

async function readReport(engine: Engine): Promise<QualityReport> {
  const select = (name: string) => selectOf(new URL(`${name}.sql`, import.meta.url));
  const verifications = await engine.rows("SELECT * FROM verification ORDER BY rule, site, from_us");
  const unknown = await engine.rows(
    "SELECT DISTINCT metric FROM series WHERE metric NOT IN (SELECT metric FROM metric) ORDER BY metric",
  );
  return {
    counts: (await engine.rows(`${select("count")} ORDER BY 1, 3`)) as unknown as PassCount[],
    faults: (await engine.rows(`${select("fault")} ORDER BY 1, 3`)) as unknown as FaultCount[],
    verifications: verifications.map((row) => ({
      rule: row.rule as VerificationRule,
      site: String(row.site),
      from: Number(row.from_us),
      until: Number(row.until_us),
      expected: Number(row.expected),
      seen: Number(row.seen),
      holds: Boolean(row.holds),
    })),
    unknownMetrics: unknown.map((row) => String(row.metric)),
  };
}

/** @returns rates over all counts given; NaN where nothing was expected. */
export function passRates(counts: readonly PassCount[]): PassRates {
  const total = (of: (count: PassCount) => number): number => counts.reduce((sum, one) => sum + of(one), 0);
  const expected = total((one) => one.expected);
  return {
    delivered: total((one) => one.delivered) / expected,
    cleaned: total((one) => one.cleaned) / expected,
    verified: total((one) => one.verified) / expected,
    completed: total((one) => one.completed) / expected,
  };
}
