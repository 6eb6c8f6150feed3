import type { Site } from "../device-registry.ts";
import type { FeatureRow } from "../features/features.ts";
import { robust } from "./anomaly/limit.ts";

/** Days that are like no others: a festival, the weeks after it, a promotion. Days as YYYY-MM-DD, inclusive. */
export interface SpecialDays {
  readonly name: string;
  readonly from: string;
  readonly until: string;
  /** All sites where absent. */
  readonly site?: string;
}

const hour = 3_600_000_000;
/** Rows of one kind looked back at, at most and at least. */
const most = 8;
const least = 3;
/** A spread needs more of them than a level to be known as well. */
const mostForSpread = 24;

/**
 * @returns what a window may be compared with: the name of special days it overlaps; else `weekend` or
 *   `workday` for a day, `ordinary` for a week or a month.
 */
export function dayKind(
  row: Pick<FeatureRow, "site" | "from" | "until" | "window">,
  site: Pick<Site, "utcOffsetHours">,
  special: readonly SpecialDays[],
): string {
  const local = new Date((row.from + site.utcOffsetHours * hour) / 1000);
  const first = local.toISOString().slice(0, 10);
  const last = new Date((row.until - 1 + site.utcOffsetHours * hour) / 1000).toISOString().slice(0, 10);
  const named = special.find(
    (one) => last >= one.from && first <= one.until && (one.site === undefined || one.site === row.site),
  );
  if (named !== undefined) return named.name;
  if (row.window !== "day") return "ordinary";
  return local.getUTCDay() === 0 || local.getUTCDay() === 6 ? "weekend" : "workday";
}

/** What a window of a site may be compared with. */
export interface Usual {
  /** The median of the latest windows before this one of the same length and the same kind of day. */
  readonly level: number;
  /** How far such windows are from each other: as a standard deviation, robust. */
  readonly spread: number;
}

/**
 * A site's own usual value of a feature. A festival is compared with festivals, never with working days.
 *
 * @param history - of this site, oldest first.
 * @returns undefined where fewer than three such windows are known.
 */
export function baseline(
  history: readonly FeatureRow[],
  row: FeatureRow,
  feature: string,
  site: Site,
  special: readonly SpecialDays[],
): Usual | undefined {
  const kind = dayKind(row, site, special);
  const values: number[] = [];
  // From the latest back, and no further than needed: a history may be of years.
  for (let i = history.length - 1; i >= 0 && values.length < mostForSpread; i--) {
    const other = history[i]!;
    if (other.site !== row.site || other.window !== row.window || other.from >= row.from) continue;
    const value = other.values.get(feature);
    if (value !== undefined && dayKind(other, site, special) === kind) values.push(value);
  }
  if (values.length < least) return undefined;
  return { level: robust(values.slice(0, most)).centre, spread: robust(values).spread };
}
