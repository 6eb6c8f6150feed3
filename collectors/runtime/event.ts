import { hash } from "node:crypto";
import type { Reading } from "../reading.ts";

/** A longer identity is known by its digest. */
const mostChars = 120;

/** What tells an event apart: `#` and its number where it has one, else the place it came from. */
export const eventId = (...parts: readonly (string | number)[]): string => {
  const text = parts.join("/");
  return text.length <= mostChars ? text : hash("sha256", text.toWellFormed());
};

/** For each field, how many before it have its metric: two amounts of one record are two events. */
export function ordinals(metrics: readonly string[]): number[] {
  const seen = new Map<string, number>();
  return metrics.map((metric) => {
    const nth = seen.get(metric) ?? 0;
    seen.set(metric, nth + 1);
    return nth;
  });
}

/** How a status begins that says why something is no reading at all. */
export const unreadableStatus = "unreadable: ";

/** What came and cannot be read, on its way to the door, where it is set aside with its reason. */
export const unreadable = (
  device: string,
  metric: string,
  text: string,
  why: string,
  received: number,
): Reading => ({
  device,
  metric,
  value: text.slice(0, 2_000),
  unit: "1",
  time: Number.NaN,
  received,
  quality: "bad",
  status: `${unreadableStatus}${why}`,
  historical: false,
});
