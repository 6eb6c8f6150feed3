/** A model as other software can take it: what the formats of `models/export/` are made of. */
import { type Binned, valueBins } from "./binning.ts";
import type { Network } from "./network/mlp.ts";
import type { FeatureSchema } from "./table.ts";
import type { Tree } from "./tree.ts";

export type Portable = SumOfTerms | SumOfTrees | PortableNetwork;

/** Log-odds of bad: `base` and what each column adds. */
export interface SumOfTerms {
  readonly kind: "terms";
  readonly features: readonly FeatureSchema[];
  readonly base: number;
  readonly terms: readonly Term[];
  /** Points of bins, where analysts read the model by them. */
  readonly points?: readonly PointsOfBins[];
}

export type Term =
  /** `constant` + `slope` · (x − `mean`). */
  | {
      readonly kind: "linear";
      readonly feature: string;
      readonly slope: number;
      readonly mean: number;
      readonly constant: number;
      readonly missing: number;
    }
  /**
   * `constant`, and `within` + ½ · ((x − mean₀)² ÷ variance₀ − (x − mean₁)² ÷ variance₁), no farther from zero than
   * `most`.
   */
  | {
      readonly kind: "normal";
      readonly feature: string;
      readonly constant: number;
      readonly within: number;
      readonly mean: readonly [number, number];
      readonly variance: readonly [number, number];
      readonly most: number;
      readonly missing: number;
    }
  /** By level, in the feature's order. */
  | {
      readonly kind: "levels";
      readonly feature: string;
      readonly effects: readonly number[];
      readonly missing: number;
    }
  /** By bin: of values, then of special values, then of a missing one. */
  | {
      readonly kind: "bins";
      readonly feature: string;
      readonly binned: Binned;
      readonly effects: readonly number[];
    };

/** A column's points by bin, and how they average over the rows that the model was trained on. */
export interface PointsOfBins {
  readonly feature: string;
  readonly binned: Binned;
  readonly points: readonly number[];
  readonly average: number;
}

/** A column's bins joined to few, in an order that cuts make sense in; special and missing values are the last. */
export interface OrderedColumn {
  readonly binned: Binned;
  /** The coarse bin of each bin. */
  readonly coarse: readonly number[];
}

/** What trees on coarse bins add up to. */
export interface SumOfTrees {
  readonly kind: "trees";
  readonly features: readonly FeatureSchema[];
  readonly columns: Readonly<Record<string, OrderedColumn>>;
  readonly base: number;
  readonly trees: readonly Tree[];
  readonly depth: number;
  /** Whether the sum is log-odds of bad, or the probability itself. */
  readonly gives: "log-odds" | "probability";
}

export interface PortableNetwork {
  readonly kind: "network";
  readonly features: readonly FeatureSchema[];
  readonly design: {
    /** Each an input: (the value, or 1 where it is missing or has the level, less the mean) ÷ scale; 0 where unknown. */
    readonly columns: readonly {
      readonly feature: string;
      readonly kind: "value" | "missing" | "level";
      readonly code: number;
      readonly mean: number;
      readonly scale: number;
    }[];
    /** Codes of each categorical feature that occurred in training; −1 = missing. */
    readonly known: Readonly<Record<string, readonly number[]>>;
  };
  readonly network: Network;
  /** Flat, shape [network.length]. */
  readonly weights: Float32Array;
  /** Inputs are cut off at this magnitude. */
  readonly farthest: number;
}

/** @returns the term of bins, neighbours that add the same joined to one. */
export function joinedTerm(feature: string, binned: Binned, effects: readonly number[]): Term {
  if (binned.kind === "categorical") return { kind: "bins", feature, binned, effects };
  const values = valueBins(binned);
  const first = (bin: number) => bin >= values || bin === 0 || effects[bin] !== effects[bin - 1];
  const cuts = binned.cuts.filter((_, cut) => first(cut + 1));
  return {
    kind: "bins",
    feature,
    binned: { ...binned, cuts },
    effects: effects.filter((_, bin) => first(bin)),
  };
}
