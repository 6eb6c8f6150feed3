/** Which entries of a log an auditor wants to hear of at once. */
import { shortDigest } from "../../core/ids.ts";
import type { Entry } from "../../privacy/log/entry.ts";
import type { Alarms } from "./config.ts";
import type { Progress } from "./delivery.ts";

/** Attempts over which the share of those without a sum is taken. */
const attempts = 20;

export class Breaches {
  readonly #thresholds: Alarms["thresholds"];
  #attempts: NonNullable<Progress["attempts"]>;

  /** @param attempts - as they stood at the last look. */
  constructor(thresholds: Alarms["thresholds"], attempts: Progress["attempts"]) {
    this.#thresholds = thresholds;
    this.#attempts = attempts ?? { ends: [], isAbove: false };
  }

  get attempts(): Progress["attempts"] {
    return this.#attempts;
  }

  /** @returns what breaches a threshold, in words; undefined for most entries. */
  take(entry: Entry): string | undefined {
    const { cohort, noise } = this.#thresholds;
    switch (entry.type) {
      case "study.proposed":
        return noise === "required" && entry.unprotected.includes("noise")
          ? `study ${entry.name} is proposed without noise`
          : undefined;
      case "round.survivors":
        return cohort !== undefined && entry.survivors.length < cohort
          ? `round ${shortDigest(entry.roundId)} sums ${entry.survivors.length} enterprises, fewer than ${cohort}`
          : undefined;
      case "member.expelled":
        return `${entry.enterprise} was expelled: ${entry.reason ?? "no reason given"}`;
      case "epoch.complaint":
        return `${entry.accuser} accused ${entry.accused} at a key epoch; guilty is ${entry.guilty}`;
      case "round.split":
        return `round ${shortDigest(entry.roundId)} was split: its sum was no sum of valid vectors`;
      case "round.released":
        return this.#ended(true);
      case "round.aborted":
      case "round.rerun":
      case "round.lost":
        return this.#ended(false);
      default:
        return undefined;
    }
  }

  /** Says so once, and again only after the share was below in between. */
  #ended(hasSum: boolean): string | undefined {
    const { endedShare } = this.#thresholds;
    if (endedShare === undefined) return undefined;
    const { ends: before, isAbove: wasAbove } = this.#attempts;
    const ends = [...before, hasSum].slice(-attempts);
    const without = ends.filter((has) => !has).length;
    const isAbove = without > endedShare * attempts;
    this.#attempts = { ends, isAbove };
    return isAbove && !wasAbove ? `${without} of the last ${ends.length} attempts came to no sum` : undefined;
  }
}
