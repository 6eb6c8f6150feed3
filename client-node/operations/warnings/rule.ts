import type { Position } from "../../../collectors/reading.ts";
import type { Severity, WarningType } from "../../../core/warning-types.ts";
import type { Device, Site } from "../device-registry.ts";
import type { Catalogue } from "../features/catalogue.ts";
import type { Cell } from "./anomaly/channel.ts";
import type { Point } from "./geo.ts";
import type { Profile } from "./profiles.ts";

/** A reading as rules see it: usable, in the catalogue's unit, later than all before it of its metric. */
export interface Observation {
  readonly metric: string;
  /** Absent for texts and for readings that only carry a position. */
  readonly value: number | undefined;
  /** µs UTC, by the source. */
  readonly time: number;
  /** µs UTC, when it came: a day's takings, or what a device kept, may come long after its time. */
  readonly received: number;
  /** In WGS-84. */
  readonly place?: Point & { readonly source: Position["source"]; readonly accuracyMetres: number };
  /** In planned maintenance. */
  readonly excluded: boolean;
}

/** A place that explains a stop, and may limit a stay. */
export interface Fence extends Point {
  readonly id: string;
  readonly radiusMetres: number;
  /** A longer stay inside is warned about. */
  readonly dwellLimitHours?: number;
}

export interface Route {
  readonly line: readonly Point[];
  readonly corridorMetres: number;
}

/** What a device's gauges showed in past steps, kept between starts. */
export interface Past {
  /** @param length - of a step, µs. @returns by step, ascending, and metric. */
  of(device: string, length: number): ReadonlyMap<number, ReadonlyMap<string, Cell>>;
  keep(device: string, length: number, step: number, cells: ReadonlyMap<string, Cell>): void;
}

/** Of a stream that ends with its process. */
export const noPast: Past = { of: () => new Map(), keep() {} };

/** A limit of the enterprise's own, in the metric's unit. */
export interface OwnLimit {
  readonly name: string;
  readonly metric: string;
  readonly above?: number | undefined;
  readonly below?: number | undefined;
  readonly hysteresis: number;
  readonly openAfterSeconds: number;
  readonly closeAfterSeconds: number;
  readonly severity: Severity;
  /** Every device where none of the three is given. */
  readonly device?: string | undefined;
  readonly class?: string | undefined;
  readonly site?: string | undefined;
}

export interface RuleContext {
  readonly catalogue: Catalogue;
  readonly past: Past;
  /** Each channel that is watched against its past takes memory: whether there is room for one more. */
  readonly room: (device: string, metric: string) => boolean;
  readonly limits: readonly OwnLimit[];
  readonly device: Device;
  readonly site: Site;
  readonly profile: Profile;
  readonly fences: readonly Fence[];
  readonly route: Route | undefined;
  readonly fleet: Fleet;
}

/** Where the other vehicles crawl: what tells a jam from a stop. */
export interface Fleet {
  report(device: string, place: Point, speed: number): void;
  /** Other vehicles slower than `speed` within `metres`. */
  crawlingNear(device: string, place: Point, speed: number, metres: number): number;
}

export interface Change {
  readonly change: "opened" | "closed";
  readonly type: WarningType;
  /** Tells several conditions of one type on one device apart. */
  readonly subject?: string;
  readonly severity: Severity;
  /** When what changed began. */
  readonly since: number;
  readonly explanation: string;
  readonly numbers: Readonly<Record<string, number>>;
}

/** One device's state of one rule. */
export interface Rule {
  observe(observation: Observation): readonly Change[];
  /** Time passes without a reading. @param now - µs UTC */
  tick?(now: number): readonly Change[];
}

/** Makes a device's state, or undefined where the rule has nothing to say about the device. */
export interface RuleType {
  /** Metrics it looks at; undefined = every reading of the device. */
  readonly metrics: readonly string[] | undefined;
  create(context: RuleContext): Rule | undefined;
}

export const none: readonly Change[] = [];
export const seconds = (count: number): number => count * 1_000_000;
export const hours = (micros: number): number => micros / 3_600_000_000;
