/** What an enterprise's egress ledger says of a period. */
import type { Entry, EntryOf } from "../../privacy/log/entry.ts";
import { allHold, type Check } from "../../privacy/log/verify.ts";
import { isWithin, type Period } from "./account.ts";
import { Entries } from "./entries.ts";

export interface Departure {
  readonly kind: string;
  readonly destination: string;
  messages: number;
  bytes: number;
  readonly entries: Entries;
}

export class LedgerAccount {
  readonly enterprise: string;
  /** Of the comparison with the bank's log. */
  readonly checks: readonly Check[];
  readonly departures = new Map<string, Departure>();
  readonly policies: { readonly entry: EntryOf<"policy.changed">; readonly entries: Entries }[] = [];
  readonly desensitized: { readonly entry: EntryOf<"desensitization.ran">; readonly entries: Entries }[] = [];
  readonly days = new Entries();
  readonly #period: Period;

  constructor(enterprise: string, checks: readonly Check[], period: Period) {
    this.enterprise = enterprise;
    this.checks = checks;
    this.#period = period;
  }

  get reconciles(): boolean {
    return allHold(this.checks);
  }

  take(entry: Entry, index: number): void {
    // No rule orders a ledger's times: each entry is looked at by its own.
    if (!isWithin(entry.time, this.#period)) return;
    if (entry.type === "policy.changed") this.policies.push({ entry, entries: Entries.of(index) });
    if (entry.type === "desensitization.ran") this.desensitized.push({ entry, entries: Entries.of(index) });
    if (entry.type === "data.committed") this.days.add(index);
    if (entry.type !== "egress.sent") return;
    const { kind, destination } = entry;
    const key = `${destination} ${kind}`;
    const known = this.departures.get(key) ?? {
      kind,
      destination,
      messages: 0,
      bytes: 0,
      entries: new Entries(),
    };
    known.messages++;
    known.bytes += entry.bytes;
    known.entries.add(index);
    this.departures.set(key, known);
  }
}
