import { Condition } from "../condition.ts";
import { hours, none, type RuleType, seconds } from "../rule.ts";

const hour = 3_600_000_000;

/** A machine at rest when it should work, and no maintenance planned. */
export const stoppage: RuleType = {
  metrics: ["run_state"],
  create({ profile, site }) {
    const { openAfter, shift, weekend } = profile.stoppage;
    const stopped = new Condition();
    const dwell = { openAfter: seconds(openAfter), closeAfter: 0 };
    const workExpected = (time: number): boolean => {
      const local = new Date((time + site.utcOffsetHours * hour) / 1000);
      const hourOfDay = local.getUTCHours();
      const isWeekend = local.getUTCDay() === 0 || local.getUTCDay() === 6;
      return hourOfDay >= shift[0] && hourOfDay < shift[1] && (weekend || !isWeekend);
    };
    return {
      observe({ value, time, excluded }) {
        const rests = value !== undefined && value < 0.5 && !excluded && workExpected(time);
        const works = (value !== undefined && value >= 0.5) || excluded;
        const found = stopped.observe(time, rests, works, dwell);
        if (found === undefined) return none;
        return [
          {
            ...found,
            type: "stoppage",
            severity: "warning",
            explanation:
              found.change === "opened"
                ? `at rest for ${hours(time - found.since).toFixed(1)} h in working hours`
                : "works again",
            numbers: { hours: hours(time - found.since) },
          },
        ];
      },
    };
  },
};
