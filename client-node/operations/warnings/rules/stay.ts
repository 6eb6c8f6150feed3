import { Condition } from "../condition.ts";
import { distanceMetres } from "../geo.ts";
import { type Change, type Fence, hours, none, type Observation, type RuleType, seconds } from "../rule.ts";

const hour = 3_600_000_000;

/**
 * Longer inside a fence than allowed. A fix proves an exit only when it lies outside by more than the margin
 * and its own accuracy: a hand-over from satellite to ultra-wideband, a coarse fix in a hall or a jitter on
 * the boundary ends no stay.
 */
export const stay: RuleType = {
  metrics: undefined,
  create({ fences, profile }) {
    const limited = fences.filter((fence) => fence.dwellLimitHours !== undefined);
    if (limited.length === 0) return undefined;
    const { marginMetres, enterAfter, exitAfter } = profile.fence;
    const dwell = { openAfter: seconds(enterAfter), closeAfter: seconds(exitAfter) };
    const stays = limited.map((fence) => ({ fence, inside: new Condition(), since: 0, warned: false }));

    const overstayed = (one: (typeof stays)[number], now: number): readonly Change[] => {
      const limit = one.fence.dwellLimitHours!;
      if (!one.inside.isOpen || one.warned || now - one.since <= limit * hour) return none;
      one.warned = true;
      return [change("opened", one.fence, one.since + limit * hour, now - one.since)];
    };
    return {
      observe({ place, time }: Observation) {
        if (place === undefined) return none;
        const changes: Change[] = [];
        for (const one of stays) {
          const distance = distanceMetres(place, one.fence);
          const provenOut = distance - place.accuracyMetres > one.fence.radiusMetres + marginMetres;
          // On the boundary a fix jumps to and fro: what came in stays in until the contrary is proven.
          const inside = distance <= one.fence.radiusMetres || (one.inside.since !== undefined && !provenOut);
          const found = one.inside.observe(time, inside, provenOut, dwell);
          if (found?.change === "opened") one.since = found.since;
          if (found?.change === "closed" && one.warned) {
            one.warned = false;
            changes.push(change("closed", one.fence, found.since, found.since - one.since));
          }
          changes.push(...overstayed(one, time));
        }
        return changes;
      },
      tick: (now) => stays.flatMap((one) => overstayed(one, now)),
    };
  },
};

const change = (kind: Change["change"], fence: Fence, since: number, stayed: number): Change => ({
  change: kind,
  type: "dwell",
  subject: fence.id,
  severity: "warning",
  since,
  explanation: `${hours(stayed).toFixed(1)} h in ${fence.id}, where ${fence.dwellLimitHours} h are allowed`,
  numbers: { hours: hours(stayed), limitHours: fence.dwellLimitHours! },
});
