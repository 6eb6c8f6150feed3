import { Condition } from "../condition.ts";
import { none, type RuleType, seconds } from "../rule.ts";

/** Standard deviations beyond which a deviation teaches no more. */
const clip = 2.5;

/** Weight of a new value in an exponential mean over `constant` after `elapsed`. */
const weight = (elapsed: number, constant: number): number => 1 - Math.exp(-elapsed / constant);

/**
 * A level that is not this machine's own: the mean of the last hour against the mean and spread of the last
 * weeks. What lies far out moves both only as far as the clip (Huber's estimate), so that one failure neither
 * hides the next nor becomes usual.
 */
export const levelAnomaly: RuleType = {
  metrics: ["machine_temperature", "ambient_temperature"],
  create({ profile }) {
    const { fast, slow, deviations, openAfter, closeAfter } = profile.level;
    const dwell = { openAfter: seconds(openAfter), closeAfter: seconds(closeAfter) };
    const off = new Condition();
    let first: number | undefined;
    let last = 0;
    let level = 0;
    let usual = 0;
    let variance = 0;
    return {
      observe({ value, time }) {
        if (value === undefined) return none;
        if (first === undefined) {
          first = last = time;
          level = usual = value;
          return none;
        }
        const elapsed = time - last;
        last = time;
        level += weight(elapsed, seconds(fast)) * (value - level);
        const spread = Math.sqrt(variance);
        // The first quarter of the slow constant only learns.
        const learned = time - first > seconds(slow) / 4;
        const score = learned && spread > 0 ? Math.abs(level - usual) / spread : 0;
        // A young mean learns from all it has seen, an old one from the slow constant.
        const pace = Math.min(seconds(slow), Math.max(seconds(fast), time - first));
        const share = weight(elapsed, pace);
        const most = learned ? clip * spread : Number.POSITIVE_INFINITY;
        const deviation = Math.max(-most, Math.min(most, level - usual));
        usual += share * deviation;
        variance = (1 - share) * (variance + share * deviation * deviation);
        const found = off.observe(time, score > deviations, score < deviations / 2, dwell);
        if (found === undefined) return none;
        return [
          {
            ...found,
            type: "level_anomaly",
            severity: "warning",
            explanation: `level ${level.toFixed(1)}, usually ${usual.toFixed(1)} ± ${spread.toFixed(1)}`,
            numbers: { level, usual, spread, deviations: score },
          },
        ];
      },
    };
  },
};
