import test from "ava";
import fc from "fast-check";
import { Refusal } from "../../../core/reasons.ts";
import type { TimeUnit } from "../../../privacy/desensitize/policy.ts";
import { shiftDate, subjectShiftDays, truncateTime } from "../../../privacy/desensitize/time.ts";

const key = Buffer.alloc(32, 7);

// ISO weeks: ISO 8601 (2005) 2.2.10 and the examples of Wikipedia's "ISO week date".
const truncations: [string, TimeUnit, string][] = [
  ["2026-03-31", "year", "2026"],
  ["2026-03-31T23:59:59Z", "quarter", "2026-Q1"],
  ["2026-10-01", "quarter", "2026-Q4"],
  ["2026-03-31", "month", "2026-03"],
  ["1977-01-01", "week", "1976-W53"],
  ["1977-12-31", "week", "1977-W52"],
  ["1980-12-29", "week", "1981-W01"],
  ["1981-12-31", "week", "1981-W53"],
  ["2026-03-31 08:15", "day", "2026-03-31"],
  ["2026-03-31T08:15:30.25+08:00", "hour", "2026-03-31T08"],
];
for (const [text, unit, expected] of truncations)
  test(`${text} to the ${unit} is ${expected}`, (t) => t.is(truncateTime(text, unit), expected));

for (const text of ["31.03.2026", "2026-02-30", "2026-13-01", "2026-03-31T24:00", "2026-03-31x", "20260331"])
  test(`${text} is no date, and refused without the value`, (t) => {
    const error = t.throws(() => truncateTime(text, "year"), { instanceOf: Refusal });
    t.is(error?.reason, "cell_malformed");
    t.false(error!.message.includes(text));
  });

test("a date without a time has no hour", (t) => {
  t.is(t.throws(() => truncateTime("2026-03-31", "hour"), { instanceOf: Refusal })?.reason, "cell_malformed");
});

test("a shift crosses months and leap days, and leaves the time of day", (t) => {
  t.is(shiftDate("2024-02-28", 2), "2024-03-01");
  t.is(shiftDate("2026-01-01T08:15:00+08:00", -1), "2025-12-31T08:15:00+08:00");
  t.is(t.throws(() => shiftDate("9999-12-31", 1), { instanceOf: Refusal })?.reason, "cell_malformed");
});

test("all dates of a subject keep their distances, and none stays where it was", (t) => {
  const date = fc
    .integer({ min: 0, max: 40_000 })
    .map((days) => new Date(days * 86_400_000).toISOString().slice(0, 10));
  fc.assert(
    fc.property(date, date, fc.string(), fc.integer({ min: 1, max: 3650 }), (a, b, subject, maxDays) => {
      const days = subjectShiftDays(subject, maxDays, key);
      t.true(days !== 0 && Math.abs(days) <= maxDays);
      const apart = Date.parse(b) - Date.parse(a);
      return Date.parse(shiftDate(b, days)) - Date.parse(shiftDate(a, days)) === apart;
    }),
  );
});

test("every shift occurs, and each about as often", (t) => {
  const counts = new Map<number, number>();
  for (let i = 0; i < 6000; i++) {
    const days = subjectShiftDays(`subject ${i}`, 3, key);
    counts.set(days, (counts.get(days) ?? 0) + 1);
  }
  t.deepEqual(
    [...counts.keys()].sort((a, b) => a - b),
    [-3, -2, -1, 1, 2, 3],
  );
  // 1000 ± 5.5 standard deviations of 29
  for (const count of counts.values()) t.true(Math.abs(count - 1000) < 160, String(count));
});
