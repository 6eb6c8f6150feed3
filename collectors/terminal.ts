import type { Collector, CollectorContext } from "./collector.ts";
import { readSecret } from "./runtime/secrets.ts";
import { type Link, type SuperviseLimits, supervise } from "./runtime/supervise.ts";
import { Reference } from "./terminal/clock-guard.ts";
import type { NmeaConfig, TerminalConfig } from "./terminal/config.ts";
import { Fleet, Session } from "./terminal/jt808-session.ts";
import { NmeaSession } from "./terminal/nmea-session.ts";
import { Registrations } from "./terminal/registrations.ts";
import { serve } from "./terminal/server.ts";

/** Longest wait at the end for the store to take what was received. */
const drainMillis = 5_000;

/**
 * Listens for vehicle terminals.
 *
 * JT/T 808: a report is acknowledged when its readings are stored, so the terminal keeps what a crash would lose,
 * and a report that is sent again because of that is recognised. NMEA 0183 has no acknowledgement; the sender is
 * slowed by not reading from it.
 */
export function terminalCollector(
  config: TerminalConfig,
  context: CollectorContext,
  limits: SuperviseLimits = {},
): Collector {
  const name = config.name ?? `${config.protocol} ${config.listen.port}`;
  if (config.protocol === "nmea")
    return supervise(name, context, { run: (link) => listenNmea(link, config) }, limits);
  let fleet: Fleet;
  return supervise(
    name,
    context,
    {
      async prepare() {
        const { authentication } = config;
        fleet = new Fleet(
          config,
          authentication === "none"
            ? undefined
            : new Registrations(await readSecret(authentication.key), authentication.registered),
        );
      },
      run: (link) => listenJt808(link, fleet),
    },
    limits,
  );
}

function listenNmea(link: Link, config: NmeaConfig): Promise<void> {
  const reference = new Reference(link);
  return serve(link, config, (socket) => new NmeaSession(link, config, reference, socket));
}

function listenJt808(link: Link, fleet: Fleet): Promise<void> {
  const reference = new Reference(link);
  const drained = async () => {
    const deadline = link.timer.elapsed() + drainMillis;
    const never = new AbortController().signal;
    while (fleet.waiting > 0 && link.timer.elapsed() < deadline) await link.timer.wait(5, never);
  };
  return serve(link, { ...fleet.config, drained }, (socket) => new Session(link, fleet, reference, socket));
}
