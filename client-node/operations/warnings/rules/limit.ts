import { Condition } from "../condition.ts";
import { type Change, none, type RuleType, seconds } from "../rule.ts";

/** What the enterprise's own limits say: a value above or below, for so long. */
export const ownLimits: RuleType = {
  metrics: undefined,
  create({ device, limits }) {
    const mine = limits.filter(
      (one) =>
        (one.device === undefined || one.device === device.id) &&
        (one.class === undefined || one.class === device.class) &&
        (one.site === undefined || one.site === device.site),
    );
    if (mine.length === 0) return undefined;
    const watched = mine.map((limit) => ({
      limit,
      condition: new Condition(),
      dwell: { openAfter: seconds(limit.openAfterSeconds), closeAfter: seconds(limit.closeAfterSeconds) },
    }));
    return {
      observe({ excluded, metric, time, value }) {
        if (value === undefined) return none;
        const changes: Change[] = [];
        for (const { condition, dwell, limit } of watched) {
          if (limit.metric !== metric) continue;
          const { above = Number.POSITIVE_INFINITY, below = Number.NEGATIVE_INFINITY, hysteresis } = limit;
          const passed = !excluded && (value > above || value < below);
          const ended = excluded || (value <= above - hysteresis && value >= below + hysteresis);
          const found = condition.observe(time, passed, ended, dwell);
          if (found === undefined) continue;
          const bound = value > above || below === Number.NEGATIVE_INFINITY ? above : below;
          changes.push({
            ...found,
            type: "own_limit",
            subject: limit.name,
            severity: limit.severity,
            explanation:
              found.change === "opened"
                ? `${limit.name}: ${metric} at ${value}, limit ${bound}`
                : `${limit.name}: ${metric} back at ${value}`,
            numbers: { value, limit: bound },
          });
        }
        return changes;
      },
    };
  },
};
