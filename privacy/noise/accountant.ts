import { gaussianEpsilon } from "./analytic.ts";
import type { PrivacyEvent } from "./event.ts";
import { type Step, subsampledEpsilon } from "./loss-distribution.ts";

/**
 * What events have cost together. Whatever a table's rows took part in counts, in any order.
 *
 * @param events - all of them.
 * @param delta - δ in (0, 1).
 * @param unit - whose privacy. What bounds a subject bounds each of its records, too; not the other way round.
 * @returns the least ε for which this accountant can show (ε, δ)-differential privacy, rounded up; Infinity where a
 *   sum had no noise, or says nothing of the unit.
 */
export function epsilonOf(
  events: readonly PrivacyEvent[],
  delta: number,
  unit: PrivacyEvent["unit"] = "record",
): number {
  if (!(delta > 0 && delta < 1)) throw new RangeError("delta must lie between 0 and 1");
  const touching = events.filter(({ sensitivity }) => sensitivity > 0);
  const isUnbounded = ({ mechanism, sigma, unit: of }: PrivacyEvent): boolean =>
    mechanism === "none" || sigma === 0 || (unit === "subject" && of === "record");
  if (touching.some(isUnbounded)) return Number.POSITIVE_INFINITY;
  const whole = touching.filter(({ samplingRate }) => samplingRate === 1);
  const mu = Math.sqrt(whole.reduce((sum, one) => sum + one.count * (one.sensitivity / one.sigma) ** 2, 0));
  const sampled = touching.filter(({ samplingRate }) => samplingRate < 1);
  if (sampled.length === 0) return gaussianEpsilon(mu, delta);
  const together: Step[] = mu > 0 ? [{ noiseMultiplier: 1 / mu, samplingRate: 1, count: 1 }] : [];
  return subsampledEpsilon([...together, ...sampled.map(stepOf)], delta);
}

/** @returns the event as loss distributions and Rényi's bound see it. */
export const stepOf = ({ sensitivity, sigma, samplingRate, count }: PrivacyEvent): Step => ({
  noiseMultiplier: sigma / sensitivity,
  samplingRate,
  count,
});
