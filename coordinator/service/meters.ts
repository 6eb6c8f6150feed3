/** What is counted for the bank's own monitoring as it happens. */
import { Counter, Histogram, Registry } from "prom-client";

export interface Meters {
  readonly registry: Registry;
  readonly refusals: Counter<"reason">;
  readonly phaseSeconds: Histogram<"phase">;
}

export function newMeters(): Meters {
  const registry = new Registry();
  const registers = [registry];
  return {
    registry,
    refusals: new Counter({
      name: "fedcredit_refusals_total",
      help: "calls refused, by the code of docs/refusals.md",
      labelNames: ["reason"],
      registers,
    }),
    phaseSeconds: new Histogram({
      name: "fedcredit_phase_seconds",
      help: "how long attempts were in a phase",
      labelNames: ["phase"],
      buckets: [0.1, 0.5, 1, 5, 15, 60, 300, 1800],
      registers,
    }),
  };
}
