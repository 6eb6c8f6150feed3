import type { Reading } from "../../../collectors/reading.ts";
import type { DeviceRegistry, Exclusion, Site } from "../device-registry.ts";
import { aheadMicros } from "../door.ts";
import type { Catalogue } from "../features/catalogue.ts";
import { conversion } from "../features/units.ts";
import { SquareFleet } from "./fleet.ts";
import { toWgs84 } from "./geo.ts";
import type { Profiles } from "./profiles.ts";
import {
  type Change,
  type Fence,
  noPast,
  type Observation,
  type OwnLimit,
  type Past,
  type Route,
  type Rule,
} from "./rule.ts";
import { anomaly } from "./rules/anomaly.ts";
import { journey } from "./rules/journey.ts";
import { ownLimits } from "./rules/limit.ts";
import { silence } from "./rules/silence.ts";
import { stay } from "./rules/stay.ts";
import { stoppage } from "./rules/stoppage.ts";
import { temperature } from "./rules/temperature.ts";
import { vibrationPeak } from "./rules/vibration-peak.ts";
import { openWarning, type Warning } from "./warning.ts";

const ruleTypes = [temperature, vibrationPeak, anomaly, ownLimits, stoppage, stay, journey, silence];

export interface StreamOptions {
  readonly catalogue: Catalogue;
  readonly registry: DeviceRegistry;
  readonly sites: readonly Site[];
  readonly profiles: Profiles;
  readonly exclusions: readonly Exclusion[];
  readonly excludedStatuses: readonly string[];
  readonly fences: readonly Fence[];
  /** By device id. */
  readonly routes: ReadonlyMap<string, Route>;
  /** Nothing is remembered, nor kept, where absent. */
  readonly past?: Past;
  readonly limits?: readonly OwnLimit[];
}

/** Gauges that are watched against their past: each keeps up to six weeks of half hours, about 0.3 MB. */
const mostWatched = 2000;

interface DeviceState {
  readonly site: string;
  readonly byMetric: Map<string, readonly Rule[]>;
  readonly everyReading: readonly Rule[];
  readonly specific: readonly { readonly metrics: readonly string[]; readonly rule: Rule }[];
  readonly all: readonly Rule[];
  readonly lastTime: Map<string, number>;
  readonly exclusions: readonly Exclusion[];
}

/**
 * Warnings from the stream of readings, at once. State is per device; a reading costs its device's rules only.
 * Readings that are bad, not convertible, or not later than what was seen are no observations.
 */
export class WarningStream {
  #options: StreamOptions;
  readonly #devices = new Map<string, DeviceState | undefined>();
  readonly #open = new Map<string, Warning>();
  readonly #fleet = new SquareFleet();
  #excludedStatuses!: ReadonlySet<string>;
  #sites!: ReadonlyMap<string, Site>;
  #exclusions!: ReadonlyMap<string, readonly Exclusion[]>;
  readonly #watched = new Set<string>();
  readonly #unwatched = new Set<string>();

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#index(options);
  }

  /**
   * Goes on under other options. Devices that are what they were keep their state; the others begin anew.
   *
   * @param now - µs UTC.
   * @returns warnings that were open about those that begin anew or are gone, closed.
   */
  reconfigure(options: StreamOptions, isSame: (device: string) => boolean, now: number): Warning[] {
    this.#options = options;
    this.#index(options);
    for (const id of this.#devices.keys()) if (!isSame(id)) this.#devices.delete(id);
    for (const channels of [this.#watched, this.#unwatched])
      for (const channel of channels)
        if (!isSame((JSON.parse(channel) as [string])[0])) channels.delete(channel);
    const ended: Warning[] = [];
    for (const [key, warning] of this.#open) {
      if (warning.device === undefined || isSame(warning.device)) continue;
      this.#open.delete(key);
      const explanation = `${warning.explanation}; its device or its rules were configured anew`;
      ended.push({ ...warning, closed: now, explanation });
    }
    return ended;
  }

  #index({ exclusions, excludedStatuses, sites }: StreamOptions): void {
    this.#excludedStatuses = new Set(excludedStatuses);
    this.#sites = new Map(sites.map((site) => [site.id, site]));
    this.#exclusions = Map.groupBy(exclusions, ({ device }) => device);
  }

  /** Gauges for which there was no room to watch them against their past. */
  get unwatched(): number {
    return this.#unwatched.size;
  }

  /** Warnings that are open now. */
  open(): Warning[] {
    return [...this.#open.values()];
  }

  /** @returns warnings that this reading opened or closed. */
  observe(reading: Reading): Warning[] {
    const state = this.#stateOf(reading.device, reading.time);
    if (state === undefined || reading.quality === "bad") return [];
    const ahead = reading.time > reading.received + aheadMicros;
    // A plan says nothing about now. A source whose clock is ahead does: its time never moves ours.
    if (ahead && reading.historical) return [];
    const time = ahead ? reading.received : reading.time;
    if (time <= (state.lastTime.get(reading.metric) ?? 0)) return [];
    const observation = this.#observationOf(reading, time, state);
    if (observation === undefined) return [];
    state.lastTime.set(reading.metric, time);

    let warnings: Warning[] | undefined;
    const apply = (rule: Rule): void => {
      for (const change of rule.observe(observation)) {
        const warning = this.#apply(change, reading.device, state.site, reading.received);
        if (warning !== undefined) {
          warnings ??= [];
          warnings.push(warning);
        }
      }
    };
    for (const rule of this.#rulesFor(state, reading.metric)) apply(rule);
    for (const rule of state.everyReading) apply(rule);
    return warnings ?? [];
  }

  /** Time passed: call about once a minute. @param now - µs UTC */
  tick(now: number): Warning[] {
    const warnings: Warning[] = [];
    for (const [device, state] of this.#devices) {
      for (const rule of state?.all ?? []) {
        for (const change of rule.tick?.(now) ?? []) {
          const warning = this.#apply(change, device, state!.site, now);
          if (warning !== undefined) warnings.push(warning);
        }
      }
    }
    return warnings;
  }

  #observationOf(reading: Reading, time: number, state: DeviceState): Observation | undefined {
    let value: number | undefined;
    if (typeof reading.value === "number" || typeof reading.value === "boolean") {
      const metric = this.#options.catalogue.metrics.get(reading.metric);
      if (metric === undefined) return undefined;
      value = Number(reading.value);
      if (reading.unit !== metric.unit) {
        const found = conversion(reading.unit, metric.unit);
        if (found === undefined) return undefined;
        value = value * found.factor + found.shift;
      }
      if (!(value >= metric.range[0] && value <= metric.range[1])) return undefined;
    } else if (reading.position === undefined) return undefined;
    return {
      metric: reading.metric,
      value,
      time,
      received: reading.received,
      ...(reading.position === undefined
        ? {}
        : {
            place: {
              ...toWgs84(reading.position),
              source: reading.position.source,
              accuracyMetres: reading.position.accuracyMetres,
            },
          }),
      excluded:
        this.#excludedStatuses.has(reading.status) ||
        state.exclusions.some((one) => time >= one.from && time < one.until),
    };
  }

  #apply(change: Change, device: string, site: string, detected: number): Warning | undefined {
    const key = `${change.type}/${device}/${change.subject ?? ""}`;
    const { explanation, numbers } = change;
    if (change.change === "opened") {
      const { type, severity, since: onset } = change;
      const warning = openWarning({
        type,
        severity,
        site,
        device,
        ...(change.subject === undefined ? {} : { subject: change.subject }),
        onset,
        detected,
        explanation,
        numbers,
      });
      this.#open.set(key, warning);
      return warning;
    }
    const warning = this.#open.get(key);
    if (warning === undefined) return undefined;
    this.#open.delete(key);
    return { ...warning, closed: change.since, explanation, numbers };
  }

  #rulesFor(state: DeviceState, metric: string): readonly Rule[] {
    let rules = state.byMetric.get(metric);
    if (rules === undefined) {
      rules = state.specific.filter((one) => one.metrics.includes(metric)).map((one) => one.rule);
      state.byMetric.set(metric, rules);
    }
    return rules;
  }

  #stateOf(id: string, time: number): DeviceState | undefined {
    const known = this.#devices.get(id);
    const { catalogue, registry, profiles, fences, limits = [], past = noPast, routes } = this.#options;
    const siteId = registry.siteOf(id, time);
    // A device that moved to another site starts anew under that site's profile.
    if (known !== undefined && (known.site === siteId || siteId === undefined)) return known;
    const device = registry.device(id);
    const site = siteId === undefined ? undefined : this.#sites.get(siteId);
    if (device === undefined || site === undefined) return undefined;
    const context = {
      catalogue,
      past,
      room: (metricOf: string, metric: string): boolean => {
        const channel = JSON.stringify([metricOf, metric]);
        const room = this.#watched.has(channel) || this.#watched.size < mostWatched;
        (room ? this.#watched : this.#unwatched).add(channel);
        return room;
      },
      limits,
      device,
      site,
      profile: profiles.of(site.industry),
      fences,
      route: routes.get(id),
      fleet: this.#fleet,
    };
    const specific: { metrics: readonly string[]; rule: Rule }[] = [];
    const everyReading: Rule[] = [];
    for (const type of ruleTypes) {
      const rule = type.create(context);
      if (rule === undefined) continue;
      if (type.metrics === undefined) everyReading.push(rule);
      else specific.push({ metrics: type.metrics, rule });
    }
    const state: DeviceState = {
      site: site.id,
      byMetric: new Map(),
      everyReading,
      specific,
      all: [...specific.map((one) => one.rule), ...everyReading],
      lastTime: new Map(),
      exclusions: this.#exclusions.get(id) ?? [],
    };
    this.#devices.set(id, state);
    return state;
  }
}
