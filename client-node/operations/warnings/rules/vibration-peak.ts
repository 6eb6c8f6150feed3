import { Condition } from "../condition.ts";
import { none, type RuleType, seconds } from "../rule.ts";

/** One sample above the limit is the message: no minimum dwell, and no averaging before it. */
export const vibrationPeak: RuleType = {
  metrics: ["vibration_peak"],
  create({ profile }) {
    const { limit, closeAfter } = profile.vibrationPeak;
    const dwell = { openAfter: 0, closeAfter: seconds(closeAfter) };
    const peak = new Condition();
    return {
      observe({ value, time }) {
        if (value === undefined) return none;
        const found = peak.observe(time, value > limit, value <= limit, dwell);
        if (found === undefined) return none;
        return [
          {
            ...found,
            type: "vibration_peak",
            severity: "warning",
            explanation:
              found.change === "opened"
                ? `${value.toFixed(1)} g, above ${limit} g: maintenance is due`
                : `below ${limit} g for ${closeAfter} s`,
            numbers: { limit, peak: value },
          },
        ];
      },
    };
  },
};
