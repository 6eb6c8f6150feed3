import type { Reading } from "../../collectors/reading.ts";

/** 2026-03-02 00:00 UTC, a Monday, in microseconds. */
export const monday = Date.UTC(2026, 2, 2) * 1000;
export const second = 1_000_000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * hour;

/** A good live reading; only what matters is given. */
export const reading = (
  device: string,
  metric: string,
  value: Reading["value"],
  time: number,
  rest: Partial<Reading> = {},
): Reading => ({
  device,
  metric,
  value,
  unit: "1",
  time,
  received: time + 20_000,
  quality: "good",
  status: "Good",
  historical: false,
  ...rest,
});
