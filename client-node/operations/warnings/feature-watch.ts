import type { Site } from "../device-registry.ts";
import type { FeatureRow } from "../features/features.ts";
import type { Verification } from "../quality/quality.ts";
import { baseline, type SpecialDays } from "./baseline.ts";
import { featureRules } from "./feature-rules.ts";
import type { Profiles } from "./profiles.ts";
import { openWarning, type Warning } from "./warning.ts";

/** A day so far is judged from this share of it on. */
const judgedShare = 0.4;
const day = 86_400_000_000;

/**
 * Warnings from features: what a day, a week or a month of a site shows against its own past.
 * A warning stays open from the window that raised it until a later window of the same length does not.
 */
export class FeatureWatch {
  readonly #profiles: Profiles;
  readonly #sites: ReadonlyMap<string, Site>;
  readonly #special: readonly SpecialDays[];
  readonly #open = new Map<string, Warning>();
  /** By site, window and type: end of the latest window judged, so that each is judged once when complete. */
  readonly #judged = new Map<string, number>();

  constructor(options: { profiles: Profiles; sites: readonly Site[]; specialDays: readonly SpecialDays[] }) {
    this.#profiles = options.profiles;
    this.#sites = new Map(options.sites.map((site) => [site.id, site]));
    this.#special = options.specialDays;
  }

  open(): Warning[] {
    return [...this.#open.values()];
  }

  /**
   * @param rows - all known, oldest first; the past is the baseline.
   * @param now - µs UTC.
   * @returns warnings that opened or closed.
   */
  evaluate(rows: readonly FeatureRow[], verifications: readonly Verification[], now: number): Warning[] {
    const changes: Warning[] = [];
    // A site has few windows of a length, all sites together very many.
    const histories = new Map<string, FeatureRow[]>();
    for (const row of rows) {
      const site = this.#sites.get(row.site);
      const key = `${row.site}/${row.window}`;
      const history = histories.get(key) ?? [];
      histories.set(key, history);
      if (site !== undefined && this.#isDue(row)) {
        changes.push(...this.#judge(row, site, history, verifications, now));
      }
      history.push(row);
    }
    return changes;
  }

  #isDue(row: FeatureRow): boolean {
    if (row.window === "day" && row.until - row.from < judgedShare * day) return false;
    const key = `${row.site}/${row.window}`;
    if (row.until <= (this.#judged.get(key) ?? 0)) return false;
    this.#judged.set(key, row.until);
    return true;
  }

  #judge(
    row: FeatureRow,
    site: Site,
    history: readonly FeatureRow[],
    verifications: readonly Verification[],
    now: number,
  ): Warning[] {
    const evidence = {
      row,
      profile: this.#profiles.of(site.industry),
      usual: (feature: string) => baseline(history, row, feature, site, this.#special),
      broken: verifications.filter(
        (one) => one.site === row.site && one.from === row.from && one.until === row.until && !one.holds,
      ),
    };
    const findings = featureRules.map((rule) => rule(evidence)).filter((found) => found !== undefined);
    const changes: Warning[] = [];
    for (const [key, warning] of this.#open) {
      const [siteId, window, type] = key.split("/");
      if (siteId !== row.site || window !== row.window || findings.some((found) => found.type === type))
        continue;
      this.#open.delete(key);
      changes.push({ ...warning, closed: row.from });
    }
    for (const found of findings) {
      const key = `${row.site}/${row.window}/${found.type}`;
      if (this.#open.has(key)) continue;
      const warning = openWarning({ ...found, site: row.site, onset: row.from, detected: now });
      this.#open.set(key, warning);
      changes.push(warning);
    }
    return changes;
  }
}
