import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { extremeLimit, robust, share } from "./limit.ts";
import { Past } from "./past.ts";
import { type AnomalySettings, leastSteps } from "./settings.ts";

export interface MachineJudged {
  /** How far, as a share of the limit: more than 1 is not usual. */
  readonly score: number;
  /** The same where both the step and the steps before it are out. */
  readonly lately: number;
  /** together: unusually far in a way that the channels go together (T²). apart: not together as usual (Q). */
  readonly kind: "together" | "apart";
  /** The channel that departs most from what the others say of it. */
  readonly channel: string;
}

interface Fit {
  readonly names: readonly string[];
  readonly centres: readonly number[];
  readonly spreads: readonly number[];
  /** Unit vectors over the channels, and the variance along each. */
  readonly components: readonly { readonly direction: readonly number[]; readonly variance: number }[];
  /** Middle of log T² and log Q, so that their exponential means start where they are. */
  readonly middle: readonly [number, number];
  readonly limits: readonly number[];
}

/** Share of the variance that the kept components carry. */
const explained = 0.9;
/** A value beyond so many spreads says no more about how channels go together. */
const clip = 4;
const fewestChannels = 3;
const mostChannels = 64;
/** A channel takes part where it is there in this share of the steps. */
const present = 0.9;
const tiny = 1e-12;

type Row = ReadonlyMap<string, number>;

/**
 * A machine's channels together: T² and Q of the principal components of its robustly scaled channels. Each may be
 * within its own range while they no longer go together.
 *
 * @see Jackson & Mudholkar 1979, Control procedures for residuals associated with principal component analysis
 */
export class MachineAnomaly {
  readonly #settings: AnomalySettings;
  readonly #past: Past<{ readonly step: number; readonly row: Row }>;
  #fit: Fit | undefined;
  #means: readonly [number, number] = [0, 0];

  constructor(settings: AnomalySettings) {
    this.#settings = settings;
    this.#past = new Past(settings.quietSteps);
  }

  /** @param row - a value of every channel that has one. @returns undefined while it learns, or too little is there. */
  observe(step: number, row: Row): MachineJudged | undefined {
    if (row.size < fewestChannels) return undefined;
    const judged = this.#fit && this.#judge(this.#fit, row);
    if (this.#past.add({ step, row })) this.#learn();
    return judged;
  }

  /** It is as usual again: how far it was away is not remembered. */
  settle(): void {
    this.#means = [0, 0];
  }

  /** What came in the last quiet period is what is usual now; all before is forgotten. */
  relearn(): void {
    this.#past.forget();
    this.#learn();
  }

  #judge(fit: Fit, row: Row): MachineJudged | undefined {
    const values = fit.names.map((name) => row.get(name));
    if (!values.every((one) => one !== undefined)) return undefined;
    const { residual, statistics } = this.#statistics(fit, values);
    const scores = statistics.map((one, i) => share(one, fit.limits[i]!));
    const score = Math.max(...scores);
    const [t, q, meanT, meanQ] = scores as [number, number, number, number];
    const away = residual.map(Math.abs);
    return {
      score,
      lately: Math.max(Math.min(t, meanT), Math.min(q, meanQ)),
      kind: scores.indexOf(score) % 2 === 0 ? "together" : "apart",
      channel: fit.names[away.indexOf(Math.max(...away))]!,
    };
  }

  /** T, Q^½ and the exponential means of the logarithms of their squares, above the middle. */
  #statistics(
    fit: Omit<Fit, "limits">,
    values: readonly number[],
  ): { statistics: number[]; residual: number[] } {
    const scaled = values.map((one, i) => (one - fit.centres[i]!) / fit.spreads[i]!);
    const residual = [...scaled];
    let t2 = 0;
    for (const { direction, variance } of fit.components) {
      const along = direction.reduce((sum, one, i) => sum + one * scaled[i]!, 0);
      t2 += (along * along) / variance;
      for (const [i, one] of direction.entries()) residual[i]! -= along * one;
    }
    const q = residual.reduce((sum, one) => sum + one * one, 0);
    const weight = 1 / Math.max(4, this.#past.quiet / 96);
    const [before, other] = this.#means;
    this.#means = [
      before + weight * (Math.log(t2 + tiny) - fit.middle[0] - before),
      other + weight * (Math.log(q + tiny) - fit.middle[1] - other),
    ];
    return { statistics: [Math.sqrt(t2), Math.sqrt(q), ...this.#means], residual };
  }

  #learn(): void {
    this.#fit = undefined;
    const count = new Map<string, number>();
    for (const { row } of this.#past.steps)
      for (const name of row.keys()) count.set(name, (count.get(name) ?? 0) + 1);
    const names = [...count]
      .filter(([, steps]) => steps >= present * this.#past.steps.length)
      .map(([name]) => name)
      .sort()
      .slice(0, mostChannels);
    const rows = this.#past.steps
      .filter(({ row }) => names.every((name) => row.has(name)))
      .map(({ row }) => names.map((name) => row.get(name)!));
    if (names.length < fewestChannels || rows.length < leastSteps / 2) return;
    const scales = names.map((_, i) => robust(rows.map((row) => row[i]!)));
    const moving = scales.map(({ spread }) => spread > 0);
    if (moving.filter(Boolean).length < fewestChannels) return;
    const pick = <T>(all: readonly T[]): T[] => all.filter((_, i) => moving[i]!);
    this.#fitTo(
      pick(names),
      rows.map((row) => pick(row)),
      pick(scales),
    );
  }

  #fitTo(
    names: readonly string[],
    rows: readonly (readonly number[])[],
    scales: readonly { readonly centre: number; readonly spread: number }[],
  ): void {
    const centres = scales.map((one) => one.centre);
    const spreads = scales.map((one) => one.spread);
    const scaled = new Matrix(
      rows.map((row) =>
        row.map((one, i) => Math.max(-clip, Math.min(clip, (one - centres[i]!) / spreads[i]!))),
      ),
    );
    const covariance = scaled.transpose().mmul(scaled).div(rows.length);
    const found = new EigenvalueDecomposition(covariance, { assumeSymmetric: true });
    const all = found.realEigenvalues
      .map((variance, i) => ({ variance, direction: found.eigenvectorMatrix.getColumn(i) }))
      .sort((a, b) => b.variance - a.variance);
    const total = all.reduce((sum, one) => sum + Math.max(0, one.variance), 0);
    const components: (typeof all)[number][] = [];
    let carried = 0;
    for (const one of all) {
      // Something must be left over, or nothing could fall apart.
      if (carried >= explained * total || components.length === names.length - 1) break;
      carried += one.variance;
      components.push({ ...one, variance: Math.max(one.variance, tiny) });
    }
    const centred = { names, centres, spreads, components };
    const seen = (middle: readonly [number, number]): number[][] => {
      this.#means = [0, 0];
      return rows.map((row) => this.#statistics({ ...centred, middle }, row).statistics);
    };
    const plain = seen([0, 0]);
    const middleOf = (k: 0 | 1): number => robust(plain.map((one) => Math.log(one[k]! ** 2 + tiny))).centre;
    const middle = [middleOf(0), middleOf(1)] as const;
    const columns = seen(middle);
    const limits = [0, 1, 2, 3].map((k) =>
      extremeLimit(
        columns.map((one) => one[k]!),
        this.#settings.returnBlocks,
      ),
    );
    this.#fit = { ...centred, middle, limits };
  }
}
