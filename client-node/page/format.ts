import { type Html, html } from "../../core/pages/html.ts";
import type { LiveSeries } from "../operations/live-board.ts";
import type { Locale } from "./locale.ts";

const offsetName = (hours: number): string => {
  const minutes = Math.round(Math.abs(hours) * 60);
  const two = (n: number): string => String(n).padStart(2, "0");
  return `${hours < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
};

const formats = new Map<string, Intl.DateTimeFormat>();

/** Made once: to make one takes longer than to use it. */
function formatOf(tag: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${tag} ${JSON.stringify(options)}`;
  const made = formats.get(key) ?? new Intl.DateTimeFormat(tag, options);
  formats.set(key, made);
  return made;
}

/** A moment to the second, in the time zone of this machine. @param micros - µs UTC */
export const clockTime = ({ tag }: Locale, micros: number): string =>
  formatOf(tag, { dateStyle: "medium", timeStyle: "medium" }).format(micros / 1000);

/** Of the last hours its time alone. @param micros, now - µs UTC */
export const recentTime = (locale: Locale, micros: number, now: number): string =>
  Math.abs(now - micros) < 12 * 3_600_000_000
    ? formatOf(locale.tag, { timeStyle: "medium" }).format(micros / 1000)
    : clockTime(locale, micros);

/** A day as people of a site count it. @param micros - µs UTC */
export const siteDay = ({ tag }: Locale, micros: number, utcOffsetHours: number): string =>
  formatOf(tag, { dateStyle: "medium", timeZone: offsetName(utcOffsetHours) }).format(micros / 1000);

/** A moment of a site, for its people in their own offset and for programs. @param micros - µs UTC */
export const siteMoment = ({ tag }: Locale, micros: number, utcOffsetHours: number): Html =>
  html`<time datetime="${new Date(micros / 1000).toISOString()}">${formatOf(tag, {
    ...{ year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" },
    ...{ timeZoneName: "short", timeZone: offsetName(utcOffsetHours) },
  }).format(micros / 1000)}</time>`;

/** UCUM's codes, as people write them; its "1" and annotations in braces are not shown as such. */
export const unitName = (unit: string, { words }: Locale): string =>
  unit === "1" ? "" : (words.unitNames[unit] ?? unit.replace(/^\{(.*)\}$/, "$1"));

/** @param isState - whether 1 means that something is so, and 0 that it is not. */
export function valueText(
  { value, unit }: Pick<LiveSeries, "value" | "unit">,
  isState: boolean,
  locale: Locale,
): string {
  const { words, number } = locale;
  if (value === null) return words.absent;
  if (typeof value === "boolean" || (isState && (value === 0 || value === 1)))
    return value ? words.yes : words.no;
  const text = typeof value === "number" ? number(value) : String(value).slice(0, 80);
  const name = typeof value === "number" ? unitName(unit, locale) : "";
  return name === "" ? text : `${text} ${name}`;
}

/** Names in a row, in the reader's punctuation. */
export const listed = ({ words }: Locale, names: readonly string[]): string => names.join(words.and);

/** ε with two digits behind the point, rounded up. */
export const epsilonText = (epsilon: number, { words, fixed }: Locale): string =>
  Number.isFinite(epsilon) ? fixed(Math.ceil(epsilon * 100) / 100, 2) : words.notBounded;

/** @param until - ISO date, the day after a month. @returns that month */
export function monthBefore(until: string, { month }: Locale): string {
  const day = new Date(until);
  day.setUTCMonth(day.getUTCMonth() - 1);
  return month(day.toISOString().slice(0, 10));
}
