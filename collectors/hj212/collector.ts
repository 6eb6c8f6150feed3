import type { Collector, CollectorContext } from "../collector.ts";
import { readSecret } from "../runtime/secrets.ts";
import { type SuperviseLimits, supervise } from "../runtime/supervise.ts";
import { Reference } from "../terminal/clock-guard.ts";
import { Deliveries, untilStored } from "../terminal/deliveries.ts";
import { serve } from "../terminal/server.ts";
import type { Hj212Config } from "./config.ts";
import { digestOf, Hj212Session, type Station } from "./session.ts";

/**
 * Listens for emission monitors. A report that asks for an answer gets it when its readings are stored, so a station
 * keeps what a crash would lose, and a report that is sent again because of that is recognised.
 */
export function hj212Collector(
  config: Hj212Config,
  context: CollectorContext,
  limits: SuperviseLimits = {},
): Collector {
  const stations = new Map<string, Station>();
  const waiting = () => [...stations.values()].reduce((sum, { deliveries }) => sum + deliveries.waiting, 0);
  return supervise(
    config.name ?? `hj212 ${config.listen.port}`,
    context,
    {
      async prepare() {
        for (const { mn, device, password } of config.stations) {
          const deliveries = stations.get(mn)?.deliveries ?? new Deliveries();
          stations.set(mn, { device, password: digestOf(await readSecret(password)), deliveries });
        }
      },
      run(link) {
        const reference = new Reference(link);
        const drained = () => untilStored(link.timer, waiting);
        return serve(
          link,
          { ...config, drained },
          (socket) => new Hj212Session(link, config, stations, reference, socket),
        );
      },
    },
    limits,
  );
}
