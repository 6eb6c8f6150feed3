import { Refusal } from "../../core/reasons.ts";
import { keyedDigest } from "./keys.ts";
import type { TimeUnit } from "./policy.ts";

/** Dates are taken as written, in the calendar of their own time zone. @see ISO 8601, extended format */
const written =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ]([01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:[.,]\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/;

interface WrittenDate {
  /** Midnight of the date, as if it were UTC. */
  readonly day: Date;
  readonly hour: string | undefined;
  /** What stands after the date. */
  readonly rest: string;
}

/** @throws Refusal cell_malformed */
function parseDate(text: string): WrittenDate {
  const match = written.exec(text);
  const day = match === null ? undefined : new Date(`${text.slice(0, 10)}T00:00:00Z`);
  if (day === undefined || Number.isNaN(day.getTime()) || isoDate(day) !== text.slice(0, 10))
    throw new Refusal("cell_malformed", "not a date (2026-03-31 or 2026-03-31T08:00:00Z)");
  return { day, hour: match?.[4], rest: text.slice(10) };
}

const isoDate = (day: Date): string => day.toISOString().slice(0, 10);

/**
 * @returns the year `2026`, quarter `2026-Q1`, month `2026-03`, ISO week `2026-W14`, day `2026-03-31` or hour
 *   `2026-03-31T08`.
 * @throws Refusal cell_malformed
 */
export function truncateTime(text: string, unit: TimeUnit): string {
  const { day, hour } = parseDate(text);
  const date = isoDate(day);
  switch (unit) {
    case "year":
      return date.slice(0, 4);
    case "quarter":
      return `${date.slice(0, 4)}-Q${Math.floor(day.getUTCMonth() / 3) + 1}`;
    case "month":
      return date.slice(0, 7);
    case "week":
      return isoWeek(day);
    case "day":
      return date;
    case "hour":
      if (hour === undefined) throw new Refusal("cell_malformed", "a date without a time");
      return `${date}T${hour}`;
  }
}

const dayMillis = 86_400_000;

/** The week belongs to the year that holds its Thursday. */
function isoWeek(day: Date): string {
  const thursday = new Date(day.getTime() + (3 - ((day.getUTCDay() + 6) % 7)) * dayMillis);
  const year = thursday.getUTCFullYear();
  const week = Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / dayMillis / 7) + 1;
  return `${year}-W${String(week).padStart(2, "0")}`;
}

/**
 * @param subject - whose date it is: all dates of a subject move by the same number of days.
 * @returns days in ±1…±maxDays, never 0.
 */
export function subjectShiftDays(subject: string, maxDays: number, key: Uint8Array): number {
  // 2^48 / 7300 > 2^35: the remainder favours no shift by more than 2^-35
  const draw = Buffer.from(keyedDigest(key, subject)).readUIntBE(0, 6) % (2 * maxDays);
  return draw < maxDays ? draw - maxDays : draw - maxDays + 1;
}

/** @returns the date that many days later; time of day and zone as they were. @throws Refusal cell_malformed */
export function shiftDate(text: string, days: number): string {
  const { day, rest } = parseDate(text);
  const shifted = isoDate(new Date(day.getTime() + days * dayMillis));
  // Beyond these years a date begins with a sign.
  if (!/^\d/.test(shifted)) throw new Refusal("cell_malformed", "a date outside the years 0000 to 9999");
  return shifted + rest;
}
