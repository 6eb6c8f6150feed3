import test from "ava";
import { HourlyLimit } from "../../../coordinator/service/hourly-limit.ts";
import { Refusal } from "../../../core/reasons.ts";

test("so many an hour, each for itself; a clock that is set back locks nobody out", (t) => {
  let now = 1_000_000_000_000;
  const hour = 3_600_000;
  const limit = new HourlyLimit(2, () => now);
  const takes = (key: string): boolean => {
    try {
      limit.take(key, "calls");
      return true;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return false;
    }
  };
  t.deepEqual([takes("a"), takes("a"), takes("a"), takes("b")], [true, true, false, true]);
  now += hour;
  t.deepEqual([takes("a"), takes("a"), takes("a")], [true, true, false]);
  now -= 24 * 365 * hour;
  t.deepEqual(
    [takes("a"), takes("a"), takes("a")],
    [true, true, false],
    "a year later it would be free again",
  );
});
