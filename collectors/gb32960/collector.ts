import type { Collector, CollectorContext } from "../collector.ts";
import { readSecret } from "../runtime/secrets.ts";
import { type SuperviseLimits, supervise } from "../runtime/supervise.ts";
import { Reference } from "../terminal/clock-guard.ts";
import { untilStored } from "../terminal/deliveries.ts";
import { serve } from "../terminal/server.ts";
import type { Gb32960Config } from "./config.ts";
import { Gb32960Session, Vehicles } from "./session.ts";

/** Listens for electric vehicles; a report is acknowledged when its readings are stored. */
export function gb32960Collector(
  config: Gb32960Config,
  context: CollectorContext,
  limits: SuperviseLimits = {},
): Collector {
  const vehicles = new Vehicles(config);
  return supervise(
    config.name ?? `gb32960 ${config.listen.port}`,
    context,
    {
      async prepare() {
        const { authentication } = config;
        if (typeof authentication === "object") vehicles.password = await readSecret(authentication.password);
      },
      run(link) {
        const reference = new Reference(link);
        const drained = () => untilStored(link.timer, () => vehicles.waiting);
        return serve(
          link,
          { ...config, drained },
          (socket) => new Gb32960Session(link, vehicles, reference, socket),
        );
      },
    },
    limits,
  );
}
