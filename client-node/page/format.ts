import { type Html, html } from "../../core/pages/html.ts";
import type { LiveSeries } from "../operations/live-board.ts";

const hourMicros = 3_600_000_000;

/** @returns `2026-03-02 08:00:05`, at that offset. */
export function clockTime(micros: number, utcOffsetHours = 0): string {
  return new Date((micros + utcOffsetHours * hourMicros) / 1000).toISOString().slice(0, 19).replace("T", " ");
}

const offsetName = (hours: number): string => {
  if (hours === 0) return "UTC";
  const minutes = Math.round(Math.abs(hours) * 60);
  const two = (n: number): string => String(n).padStart(2, "0");
  return `UTC${hours < 0 ? "−" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
};

/** A moment, for people in their own offset and for programs. @param micros - µs UTC */
export const moment = (micros: number, utcOffsetHours = 0): Html =>
  html`<time datetime="${new Date(micros / 1000).toISOString()}">${clockTime(micros, utcOffsetHours)} ${offsetName(utcOffsetHours)}</time>`;

/** Four significant digits, no exponent where it can be helped. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (Number.isInteger(value)) return value.toLocaleString("en");
  return value.toLocaleString("en", { maximumSignificantDigits: 4 });
}

export const percent = (share: number): string =>
  Number.isFinite(share) ? `${(share * 100).toFixed(1)} %` : "–";

export const bytes = (count: number): string => {
  const units = ["bytes", "kB", "MB", "GB"];
  let [value, unit] = [count, 0];
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
};

/** UCUM's "1" and annotations in braces are not shown as such. */
export const unitName = (unit: string): string => (unit === "1" ? "" : unit.replace(/^\{(.*)\}$/, "$1"));

export function valueText({ value, unit }: Pick<LiveSeries, "value" | "unit">): string {
  if (value === null) return "absent";
  const text = typeof value === "number" ? number(value) : String(value).slice(0, 80);
  const name = typeof value === "number" ? unitName(unit) : "";
  return name === "" ? text : `${text} ${name}`;
}
