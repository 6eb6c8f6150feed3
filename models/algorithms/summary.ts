import { z } from "zod";
import { Refusal } from "../../core/reasons.ts";
import type { Block } from "../../privacy/sum/layout.ts";
import type { FederatedAlgorithm } from "../algorithm.ts";
import {
  type Accumulator,
  accumulate,
  accumulateSquare,
  type FixedPoint,
  joinLimbs,
  limbBlocks,
  ratio,
  splitIntoLimbs,
} from "../numerics/exact-sum.ts";
import { parseParameters, priorResult } from "../parameters.ts";
import { categoricalColumn, checkRows, numericColumn } from "../rows.ts";
import type { FeatureSchema } from "../table.ts";
import type { ColumnRange, RangeResult } from "./range.ts";

const parameters = z.strictObject({});

export type NumericSummary = {
  readonly kind: "numeric";
  readonly present: number;
  readonly missing: number;
  readonly mean: number;
  /** Of a sample: divided by present − 1. */
  readonly variance: number;
  readonly standardDeviation: number;
};

export type CategoricalSummary = {
  readonly kind: "categorical";
  readonly missing: number;
  readonly counts: { readonly [level: string]: number };
};

export type SummaryResult = {
  readonly rows: number;
  readonly bad: number;
  readonly good: number;
  readonly columns: { readonly [name: string]: NumericSummary | CategoricalSummary };
};

type SummaryState = {
  readonly features: readonly FeatureSchema[];
  readonly maxRowsPerParty: number;
  readonly ranges: { readonly [name: string]: ColumnRange };
  readonly result: SummaryResult | null;
};

/** Counts and pooled moments; the moments are those of all rows together to 1e-9 and better. */
export const summary: FederatedAlgorithm<SummaryState, SummaryResult> = {
  name: "summary",
  parameters,
  needs: [["range"]],
  rows: "training",

  start(schema, params, prior) {
    parseParameters("summary", parameters, params);
    const { columns } = priorResult(prior, "range", "summary") as RangeResult;
    return {
      features: schema.features,
      maxRowsPerParty: schema.maxRowsPerParty,
      ranges: columns,
      result: null,
    };
  },

  layout(state) {
    const numeric = state.features.filter((feature) => feature.kind === "numeric").length;
    const blocks: Block[] = [
      { name: "counts", length: countsLength(state), bound: state.maxRowsPerParty, step: 1 },
    ];
    if (numeric > 0)
      blocks.push(
        ...limbBlocks("sum", numeric, limbBound(state)),
        ...limbBlocks("squares", numeric, limbBound(state)),
      );
    return { blocks };
  },

  contribute(state, table) {
    checkRows(state, table);
    const counts: number[] = [table.rows, table.label.reduce((bad, label) => bad + label, 0)];
    const sums: Accumulator[] = [];
    const squares: Accumulator[] = [];
    for (const feature of state.features)
      if (feature.kind === "numeric") {
        const moments = sumColumn(state, feature.name, numericColumn(table, feature.name).values);
        counts.push(moments.missing);
        sums.push(moments.sum);
        squares.push(moments.squares);
      } else {
        const levels = new Array<number>(feature.levels.length + 1).fill(0);
        for (const code of categoricalColumn(table, feature).codes) levels[code + 1]! += 1;
        counts.push(...levels);
      }
    return Float64Array.of(
      ...counts,
      ...splitIntoLimbs(sums, limbBound(state)),
      ...splitIntoLimbs(squares, limbBound(state)),
    );
  },

  advance(state, sum) {
    const [rows, bad] = sum.values as unknown as [number, number];
    const numeric = state.features.filter((feature) => feature.kind === "numeric").length;
    const limbs = sum.values.subarray(countsLength(state));
    const squares = limbs.subarray(limbs.length / 2);
    const columns: [string, NumericSummary | CategoricalSummary][] = [];
    let at = 2;
    let i = 0;
    for (const feature of state.features)
      if (feature.kind === "numeric") {
        const missing = sum.values[at++]!;
        const moments = momentsOf(
          rows - missing,
          joinLimbs(limbs, numeric, i, limbBound(state)),
          joinLimbs(squares, numeric, i, limbBound(state)),
          unitOf(state, feature.name),
        );
        columns.push([feature.name, { kind: "numeric", present: rows - missing, missing, ...moments }]);
        i++;
      } else {
        const missing = sum.values[at++]!;
        const counts = feature.levels.map((level) => [level, sum.values[at++]!] as const);
        columns.push([feature.name, { kind: "categorical", missing, counts: Object.fromEntries(counts) }]);
      }
    return { ...state, result: { rows, bad, good: rows - bad, columns: Object.fromEntries(columns) } };
  },

  result: (state) => state.result ?? undefined,
};

const countsLength = (state: SummaryState): number =>
  state.features.reduce((n, feature) => n + 1 + (feature.kind === "numeric" ? 0 : feature.levels.length), 2);

const limbBound = (state: SummaryState): number => 2 ** Math.ceil(Math.log2(state.maxRowsPerParty));

/** @returns the power of two that scales a column into −1…1. */
function unitOf(state: SummaryState, name: string): number {
  const { low, high } = state.ranges[name]!;
  return Math.max(Math.abs(low), Math.abs(high)) || 1;
}

/** @throws Refusal value_out_of_bounds */
function sumColumn(state: SummaryState, name: string, values: Float64Array) {
  const { low, high } = state.ranges[name]!;
  const unit = unitOf(state, name);
  const sum = { high: 0, low: 0 };
  const squares = { high: 0, low: 0 };
  let missing = 0;
  for (const x of values) {
    if (Number.isNaN(x)) {
      missing += 1;
      continue;
    }
    if (!(x >= low && x <= high)) throw outOfBounds(name, low, high);
    accumulate(sum, x / unit);
    accumulateSquare(squares, x / unit);
  }
  return { missing, sum, squares };
}

/** A value that arrived after the bounds were found, or that a returning party holds. */
export const outOfBounds = (column: string, low: number, high: number): Refusal =>
  new Refusal("value_out_of_bounds", `column ${column} holds a value outside ${low}…${high}`, {
    hint: "the study's bounds were summed without this value: take part from the range step on",
  });

/** @param unit - what the sums are in units of. */
function momentsOf(present: number, sum: FixedPoint, squares: FixedPoint, unit: number) {
  if (present === 0) return { mean: 0, variance: 0, standardDeviation: 0 };
  const n = BigInt(present);
  const fraction = BigInt(-sum.exponent);
  const mean = ratio(sum.units, n << fraction) * unit;
  if (present === 1) return { mean, variance: 0, standardDeviation: 0 };
  const spread = n * (squares.units << fraction) - sum.units ** 2n;
  const scaled = ratio(spread, (n * (n - 1n)) << (2n * fraction));
  const standardDeviation = Math.sqrt(Math.max(0, scaled)) * unit;
  // Below this the rounding of the squares shows, not the data: the column holds one value.
  if (standardDeviation <= 1e-13 * Math.abs(mean)) return { mean, variance: 0, standardDeviation: 0 };
  return { mean, variance: standardDeviation ** 2, standardDeviation };
}
