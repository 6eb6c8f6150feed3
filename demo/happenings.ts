import type { Warning } from "../client-node/operations/warnings/warning.ts";
import type { WarningType } from "../core/warning-types.ts";

/** A warning that a node raised by its own rules. */
export interface RaisedWarning {
  /** The situation of the design that it belongs to, C1 … C22. */
  readonly case: string;
  readonly enterprise: string;
  /** From when it began, by the source's clock, to when the node knew. */
  readonly secondsAfterOnset: number;
}

const caseOf: Readonly<Record<WarningType, string>> = {
  operating_rate_fall: "C1",
  declared_revenue_gap: "C2",
  order_loss: "C3",
  idle_operation: "C4",
  temperature_breach: "C5",
  revenue_fall: "C6",
  vibration_peak: "C7",
  anomaly: "C7",
  own_limit: "C7",
  dwell: "C8",
  energy_production_mismatch: "C9",
  stoppage: "C11",
  unexplained_stop: "C12",
  route_deviation: "C12",
  signal_lost: "C13",
  sales_mismatch: "C15",
  partial_shutdown: "C17",
  full_shutdown: "C17",
  low_conversion: "C21",
};

/** Notes what nodes warn about at the enterprises' own sites. */
export class Happenings {
  readonly raised: RaisedWarning[] = [];
  /** Resolves when everything was raised that should be. */
  readonly allRaised: Promise<void>;
  readonly #expected: Map<string, WarningType>;
  readonly #done: () => void;
  readonly #say: (line: string) => void;
  readonly #seen = new Set<string>();

  /** @param expected - by enterprise. */
  constructor(expected: ReadonlyMap<string, WarningType>, say: (line: string) => void) {
    this.#expected = new Map(expected);
    this.#say = say;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.allRaised = promise;
    this.#done = resolve;
  }

  get missing(): string[] {
    return [...this.#expected].map(([enterprise, type]) => `${enterprise}: ${type}`);
  }

  onWarning(enterprise: string, warning: Warning): void {
    const { closed, detected, explanation, onset, type } = warning;
    const where = `${type}/${warning.device ?? warning.site}`;
    // After a restart the rule finds anew what still lasts.
    if (closed !== undefined || this.#seen.has(`${enterprise}/${where}`)) return;
    this.#seen.add(`${enterprise}/${where}`);
    const secondsAfterOnset = Math.round((detected - onset) / 1e6);
    this.raised.push({ case: caseOf[type], enterprise, secondsAfterOnset });
    this.#say(
      `${enterprise}: ${warning.severity.toUpperCase()} ${caseOf[type]} ${where.replaceAll("_", " ")}: ${explanation} (${secondsAfterOnset} s after its onset)`,
    );
    if (this.#expected.get(enterprise) === type) this.#expected.delete(enterprise);
    if (this.#expected.size === 0) this.#done();
  }
}
