import { extremeLimit, quantile, robust, share } from "./limit.ts";
import { Past } from "./past.ts";
import type { AnomalySettings } from "./settings.ts";

/** What is known of one channel in one step of its grid. */
export interface Cell {
  /** Number of the step since the epoch. */
  readonly step: number;
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** Ways in which a channel can be unlike itself. */
export type Kind = "level" | "trend" | "jump" | "unrest" | "stuck";

export interface Judged {
  /** How far, as a share of the limit: more than 1 is not usual. */
  readonly score: number;
  /** The same of the latest steps alone: the memory of having been away is no reason to be thought away. */
  readonly lately: number;
  readonly kind: Kind;
  readonly usual: number;
  readonly spread: number;
}

/** A channel now: deviations in spreads, changes in usual changes, unrest as a logarithm of the usual one. */
interface Features {
  readonly now: number;
  readonly short: number;
  readonly long: number;
  readonly jump: number;
  readonly unrest: number;
  /** Unrest of the latest steps, in which one leap counts little. */
  readonly stir: number;
}

const statistics: readonly {
  readonly kind: Kind;
  readonly tail: "light" | "heavy";
  of(features: Features): number;
}[] = [
  { kind: "level", tail: "light", of: ({ now }) => Math.abs(now) },
  { kind: "level", tail: "light", of: ({ short }) => Math.abs(short) },
  { kind: "trend", tail: "light", of: ({ long }) => Math.abs(long) },
  { kind: "jump", tail: "heavy", of: ({ jump }) => jump },
  { kind: "unrest", tail: "light", of: ({ unrest }) => unrest },
  { kind: "stuck", tail: "light", of: ({ unrest }) => -unrest },
];

/** What a channel's usual behaviour is, by the steps that are remembered. */
interface Fit {
  readonly usual: number;
  readonly spread: number;
  /** By hour of the day, above `usual`. */
  readonly profile: readonly number[] | undefined;
  readonly change: number;
  readonly unrest: number;
  /** Usual number of steps from one cell to the next. */
  readonly pace: number;
  readonly limits: readonly number[];
}

const hoursOfDay = 24;
/** Unrest below this share of the usual one counts as none. */
const still = 0.02;
/** Usual changes, as which a larger one counts where the latest steps are looked at. */
const mostOfALeap = 8;

/**
 * One channel against its own past: level, trend, jumps and unrest, each with a limit of its own that the channel's
 * past set. What is usual may depend on the hour of the day. The past is fitted anew as it grows.
 */
export class ChannelAnomaly {
  readonly #settings: AnomalySettings;
  readonly #past: Past<Cell>;
  #fit: Fit | undefined;
  /** Step in which the memory of having been away was given up last. */
  #settled = Number.NEGATIVE_INFINITY;
  #last: { cell: Cell; short: number; long: number; unrest: number; recent: number } | undefined;

  constructor(settings: AnomalySettings) {
    this.#settings = settings;
    this.#past = new Past(settings.quietSteps);
  }

  /** @returns undefined while it only learns. */
  observe(cell: Cell): Judged | undefined {
    const judged = this.#fit && this.#judge(this.#fit, cell);
    if (this.#past.add(cell)) this.#learn();
    return judged;
  }

  /** It is as usual again: how far it was away is not remembered. */
  settle(): void {
    if (this.#last === undefined || this.#fit === undefined) return;
    this.#last = { ...this.#last, short: 0, long: 0, unrest: this.#fit.unrest };
    this.#settled = this.#last.cell.step;
  }

  /** What came in the last quiet period is what is usual now; all before is forgotten. */
  relearn(): void {
    this.#past.forget();
    this.#last = undefined;
    this.#learn();
  }

  #judge(fit: Fit, cell: Cell): Judged {
    const all = this.#features(fit, cell);
    // A long mean that began anew swings wider at first than one that never stopped.
    const anew = cell.step - this.#settled < (fit.pace * this.#past.quiet) / 8;
    const features = anew ? { ...all, long: 0 } : all;
    const scores = statistics.map((one, i) => share(one.of(features), fit.limits[i]!));
    const score = Math.max(...scores);
    const { kind } = statistics[scores.indexOf(score)]!;
    const { long, short, stir, unrest } = features;
    const latest = {
      ...features,
      // A level that came back bears the long mean out no more.
      long: short / long > 0.5 ? long : 0,
      unrest: Math.abs(stir) < Math.abs(unrest) ? stir : unrest,
    };
    const lately = Math.max(...statistics.map((one, i) => share(one.of(latest), fit.limits[i]!)));
    return { score, lately, kind, usual: this.#usual(fit, cell.step), spread: fit.spread };
  }

  #usual({ profile, usual }: Pick<Fit, "profile" | "usual">, step: number): number {
    return profile === undefined ? usual : usual + profile[this.#hour(step)]!;
  }

  #hour(step: number): number {
    const { stepsPerDay } = this.#settings;
    return Math.floor(((step % stepsPerDay) * hoursOfDay) / stepsPerDay);
  }

  /** Moves the exponential means on by one cell. */
  #features(fit: Omit<Fit, "limits">, cell: Cell): Features {
    const quiet = this.#past.quiet;
    const usual = this.#usual(fit, cell.step);
    const now = Math.max(cell.high - usual, usual - cell.low) / fit.spread;
    const last = this.#last;
    const gap = last === undefined ? Number.POSITIVE_INFINITY : (cell.step - last.cell.step) / fit.pace;
    // After a long pause nothing is known of what was before.
    if (last === undefined || gap > quiet / 8) {
      this.#last = { cell, short: 0, long: 0, unrest: fit.unrest, recent: fit.unrest };
      return { now, short: 0, long: 0, jump: 0, unrest: 0, stir: 0 };
    }
    const deviation = (cell.mean - usual) / fit.spread;
    const change = Math.abs(cell.mean - last.cell.mean);
    const short = last.short + (deviation - last.short) / Math.max(4, quiet / 96);
    const long = last.long + (deviation - last.long) / Math.max(8, quiet / 8);
    const unrest = last.unrest + (change - last.unrest) / Math.max(8, quiet / 48);
    const leap = Math.min(change, mostOfALeap * fit.change);
    const recent = last.recent + (leap - last.recent) / Math.max(4, quiet / 96);
    this.#last = { cell, short, long, unrest, recent };
    const none = still * fit.unrest;
    const above = (one: number): number => Math.log((one + none) / (fit.unrest + none));
    return {
      now,
      short,
      long,
      jump: gap > 2 ? 0 : change / fit.change,
      unrest: above(unrest),
      stir: above(recent),
    };
  }

  #learn(): void {
    const past = this.#past.steps;
    const means = past.map((one) => one.mean);
    const finest = resolution(means);
    const profile = this.#profile();
    const rest = profile === undefined ? means : past.map((one) => one.mean - profile[this.#hour(one.step)]!);
    const { centre, spread } = robust(rest);
    const changes = past
      .slice(1)
      .map((one, i) => Math.abs(one.mean - past[i]!.mean))
      .sort((a, b) => a - b);
    const fit: Omit<Fit, "limits"> = {
      usual: centre,
      spread: Math.max(spread, finest),
      profile,
      change: Math.max(1.4826 * quantile(changes, 0.5), finest),
      unrest: Math.max(changes.reduce((sum, one) => sum + one, 0) / changes.length, finest / 4),
      pace: Math.max(1, (past.at(-1)!.step - past[0]!.step) / (past.length - 1)),
    };
    const before = this.#last;
    this.#last = undefined;
    const seen = past.map((cell) => this.#features(fit, cell));
    const limits = statistics.map(({ of, tail }) =>
      extremeLimit(seen.map(of), this.#settings.returnBlocks, tail),
    );
    this.#fit = { ...fit, limits };
    // What was told of and is over comes back by no new fit.
    if (before !== undefined) this.#last = before;
  }

  /** A level of its own for every hour of the day, where that takes a quarter off the spread. */
  #profile(): number[] | undefined {
    const past = this.#past.steps;
    const { stepsPerDay } = this.#settings;
    if (stepsPerDay < hoursOfDay || past.at(-1)!.step - past[0]!.step < 3 * stepsPerDay) return undefined;
    const { centre, spread } = robust(past.map((one) => one.mean));
    const byHour: number[][] = Array.from({ length: hoursOfDay }, () => []);
    for (const one of past) byHour[this.#hour(one.step)]!.push(one.mean);
    if (byHour.some((one) => one.length < 3)) return undefined;
    const profile = byHour.map((one) => robust(one).centre - centre);
    const rest = robust(past.map((one) => one.mean - profile[this.#hour(one.step)]!)).spread;
    return rest < 0.75 * spread ? profile : undefined;
  }
}

/** Smallest usual step between two different values: nothing finer says anything. */
function resolution(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const largest = Math.max(Math.abs(sorted[0]!), Math.abs(sorted.at(-1)!), 1e-300);
  const steps: number[] = [];
  for (let i = 1; i < sorted.length; i++) {
    const step = sorted[i]! - sorted[i - 1]!;
    if (step > 1e-9 * largest) steps.push(step);
  }
  return steps.length === 0
    ? 1e-3 * largest
    : quantile(
        steps.sort((a, b) => a - b),
        0.1,
      );
}
