import type { Collector, CollectorContext } from "../../../collectors/collector.ts";
import type { SuperviseLimits } from "../../../collectors/runtime/supervise.ts";
import type { FaultProxy } from "../../../collectors/simulators/fault-proxy.ts";

/**
 * How a collector joins the compliance suite: write `test/collectors/compliance/NAME.ts` that exports an
 * `Adapter`, and add it to the table in `compliance.test.ts`. The suite opens the rig once and runs its
 * claims one after the other against it, each with a collector of its own.
 */
export interface Adapter {
  readonly name: string;
  /**
   * `keeps`: the source holds a value until it is acknowledged (or keeps history), so not one may be missing
   * after a broken line. `samples`: a value not read in time is gone; then order and uniqueness are claimed.
   * `repeats`: it keeps, but after a broken line sends out of order or again without saying so; then only
   * completeness is claimed.
   */
  readonly source: "keeps" | "samples" | "repeats";
  open(): Promise<Rig>;
}

/** A real protocol server on the loopback interface with at least two devices behind it. */
export interface Rig {
  /** Each device offers one metric whose values are 0, 1, 2, … */
  readonly devices: readonly [string, string];
  /** The breakable line between collector and server; absent where there is none (files). */
  readonly line?: FaultProxy;
  /** Whether the devices dial the collector: it then knows nothing of calls that do not reach it. */
  readonly listens?: boolean;
  /** A new collector; `limits` keeps its queue and its backoff small. Deadlines should be some 300 ms: shorter ones fail on a busy machine, longer ones make the suite slow. */
  collector(context: CollectorContext, limits: SuperviseLimits): Collector;
  /** Makes the device offer its next `count` values; resolves at once where every poll sees a new one. */
  produce(device: string, count: number): Promise<void>;
  /** The device falls silent (loses power), the server does not; `revive` brings it back. */
  kill(device: string): void | Promise<void>;
  revive(device: string): void | Promise<void>;
  /** The server ends and starts again on its port; its devices count on. Absent where there is no server. */
  restart?(): Promise<void>;
  /** Values acknowledged to the source since it was opened; for sources that are acknowledged. */
  acknowledged?(): number;
  /** Values that left the source; for sources that can be slowed. */
  handedOut?(): number;
  close(): Promise<void>;
}
