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
  readonly #cohorts: NonNullable<Progress["cohorts"]>;

  /** @param known - as it stood at the last look. */
  constructor(thresholds: Alarms["thresholds"], known: Pick<Progress, "attempts" | "cohorts"> = {}) {
    this.#thresholds = thresholds;
    this.#attempts = known.attempts ?? { ends: [], isAbove: false };
    this.#cohorts = structuredClone(known.cohorts) ?? { studies: {}, open: {} };
  }

  /** What has to be known at the next look. */
  get known(): Pick<Progress, "attempts" | "cohorts"> {
    return { attempts: this.#attempts, cohorts: structuredClone(this.#cohorts) };
  }

  /** @returns what breaches a threshold, in words; undefined for most entries. */
  take(entry: Entry): string | undefined {
    const { noise } = this.#thresholds;
    switch (entry.type) {
      case "study.proposed":
        this.#cohorts.studies[entry.study] = { name: entry.name };
        return noise === "required" && entry.unprotected.includes("noise")
          ? `study ${entry.name} is proposed without noise`
          : undefined;
      case "round.opened":
        this.#cohorts.open[entry.roundId] = entry.study;
        return undefined;
      case "round.survivors":
        return this.#summed(entry.roundId, entry.survivors.length);
      case "member.expelled":
        return `${entry.enterprise} was expelled: ${entry.reason ?? "no reason given"}`;
      case "epoch.complaint":
        return `${entry.accuser} accused ${entry.accused} at a key epoch; guilty is ${entry.guilty}`;
      case "round.split":
        return `round ${shortDigest(entry.roundId)} was split: its sum was no sum of valid vectors`;
      case "round.released":
        return this.#ended(entry.roundId, true);
      case "round.aborted":
      case "round.rerun":
      case "round.lost":
        return this.#ended(entry.roundId, false);
      default:
        return undefined;
    }
  }

  /** Says so once a study, and again only of a sum that is smaller than what was told: a study takes many sums. */
  #summed(roundId: string, enterprises: number): string | undefined {
    const { cohort } = this.#thresholds;
    if (cohort === undefined || enterprises >= cohort) return undefined;
    const digest = this.#cohorts.open[roundId];
    const study = digest === undefined ? undefined : this.#cohorts.studies[digest];
    const small = `sums ${enterprises} enterprises, fewer than ${cohort}`;
    // A memory of an older version knows neither the attempt nor its study.
    if (study === undefined) return `round ${shortDigest(roundId)} ${small}`;
    if (study.told !== undefined && study.told <= enterprises) return undefined;
    study.told = enterprises;
    return `study ${study.name} ${small}; of its later sums only smaller ones are told`;
  }

  /** Says so once, and again only after the share was below in between. */
  #ended(roundId: string, hasSum: boolean): string | undefined {
    delete this.#cohorts.open[roundId];
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
