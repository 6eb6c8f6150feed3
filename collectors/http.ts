import type { Collector, CollectorContext } from "./collector.ts";
import type { HttpConfig, ListenConfig, PollConfig } from "./http/config.ts";
import { pollUntilLost, readIdentity } from "./http/poll.ts";
import { openDoorway } from "./http/receive.ts";
import { type Source, type SuperviseLimits, supervise } from "./runtime/supervise.ts";

/**
 * Asks an address for values, or is posted them.
 *
 * A post is answered when its readings are stored, so a sender that hears nothing sends again; what it sends again is
 * recognised by its number, or by the request's Idempotency-Key.
 */
export function httpCollector(
  config: HttpConfig,
  context: CollectorContext,
  limits: SuperviseLimits = {},
): Collector {
  return "poll" in config
    ? supervise(config.name ?? config.poll.replace(/\?.*/, ""), context, polling(config), limits)
    : supervise(config.name ?? `http ${config.listen.port}`, context, receiving(config), limits);
}

function polling(config: PollConfig): Source {
  let identity: Awaited<ReturnType<typeof readIdentity>>;
  return {
    async prepare() {
      identity = await readIdentity(config);
    },
    run: (link) => pollUntilLost(link, config, identity),
  };
}

function receiving(config: ListenConfig): Source {
  let doorway: Awaited<ReturnType<typeof openDoorway>>;
  return {
    async prepare() {
      doorway = await openDoorway(config);
    },
    run: (link) => doorway(link),
  };
}
