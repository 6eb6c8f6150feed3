import { Condition } from "../condition.ts";
import { distanceMetres, distanceToLineMetres, type Point } from "../geo.ts";
import { type Change, none, type RuleType, seconds } from "../rule.ts";

/**
 * A vehicle that stands where nothing explains it, and one that leaves its route.
 *
 * A stop is explained by a known place, or by a jam: other vehicles of ours crawl around it. One that creeps
 * does not stand. Leaving the corridor must be proven against the fix's accuracy, and last.
 */
export const journey: RuleType = {
  metrics: undefined,
  create({ device, fences, fleet, profile, route }) {
    const { stop, fence } = profile;
    const standing = new Condition();
    const stopDwell = { openAfter: seconds(stop.openAfter), closeAfter: 0 };
    const astray = new Condition();
    const routeDwell = {
      openAfter: seconds(profile.route.openAfter),
      closeAfter: seconds(profile.route.closeAfter),
    };
    let place: Point | undefined;

    const explained = (at: Point): boolean =>
      fences.some((one) => distanceMetres(at, one) <= one.radiusMetres + fence.marginMetres) ||
      fleet.crawlingNear(device.id, at, stop.jam, stop.jamMetres) >= stop.jamVehicles;

    return {
      observe(observation) {
        const { metric, value, time } = observation;
        const changes: Change[] = [];
        if (observation.place !== undefined) {
          place = observation.place;
          if (route !== undefined) {
            const { accuracyMetres } = observation.place;
            const away = distanceToLineMetres(place, route.line);
            const found = astray.observe(
              time,
              away - accuracyMetres > route.corridorMetres,
              away + accuracyMetres < route.corridorMetres,
              routeDwell,
            );
            if (found !== undefined) {
              changes.push({
                ...found,
                type: "route_deviation",
                severity: "warning",
                explanation: `${Math.round(away)} m from its route, whose corridor is ${route.corridorMetres} m`,
                numbers: { metres: away, corridorMetres: route.corridorMetres },
              });
            }
          }
        }
        if (metric !== "speed" || value === undefined) return changes.length === 0 ? none : changes;
        if (place !== undefined) fleet.report(device.id, place, value);
        const stands = value < stop.slow;
        const about = stands && standing.since !== undefined && !standing.isOpen;
        const due = about && time - standing.since! >= stopDwell.openAfter;
        if (due && (place === undefined || explained(place))) {
          // It goes on being looked at: the jam may dissolve around it.
          return changes;
        }
        const found = standing.observe(time, stands, !stands, stopDwell);
        if (found !== undefined) {
          const minutes = (time - found.since) / 60_000_000;
          changes.push({
            ...found,
            type: "unexplained_stop",
            severity: "notice",
            explanation:
              found.change === "opened"
                ? `stands for ${minutes.toFixed(0)} min at no known place, with no jam around`
                : "moves again",
            numbers: { minutes, ...(place === undefined ? {} : { lat: place.lat, lon: place.lon }) },
          });
        }
        return changes;
      },
    };
  },
};
