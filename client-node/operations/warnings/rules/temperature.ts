import { Condition } from "../condition.ts";
import { none, type RuleType, seconds } from "../rule.ts";

/** A gap this long says nothing about what was between. */
const gap = seconds(600);

/** Goods warmer than the limit, while they are. */
export const temperature: RuleType = {
  metrics: ["cargo_temperature"],
  create({ profile }) {
    const { limit, hysteresis, openAfter, closeAfter } = profile.cargo;
    const dwell = { openAfter: seconds(openAfter), closeAfter: seconds(closeAfter) };
    const breach = new Condition();
    let last = 0;
    let warmest = Number.NEGATIVE_INFINITY;
    return {
      observe({ value, time }) {
        if (value === undefined) return none;
        if (time - last > gap) breach.forgetPending();
        last = time;
        warmest = breach.since === undefined ? value : Math.max(warmest, value);
        const found = breach.observe(time, value > limit, value <= limit - hysteresis, dwell);
        if (found === undefined) return none;
        const numbers = { limit, warmest, now: value };
        return [
          {
            ...found,
            type: "temperature_breach",
            severity: "alarm",
            explanation:
              found.change === "opened"
                ? `${value.toFixed(1)} °C, above ${limit} °C`
                : `back at ${value.toFixed(1)} °C; warmest ${warmest.toFixed(1)} °C`,
            numbers,
          },
        ];
      },
    };
  },
};
