import { z } from "zod";
import { Refusal } from "../../core/reasons.ts";
import type { FederatedAlgorithm, SealedSum } from "../algorithm.ts";
import { parseParameters } from "../parameters.ts";
import { checkRows, numericColumn } from "../rows.ts";
import type { FeatureSchema } from "../table.ts";

/** Values up to 2^largest in magnitude are told apart by the power of two above them. */
const smallest = -20;
const largest = 50;
const magnitudes = largest - smallest + 1;
/** Negative magnitudes, zero, positive magnitudes, missing. */
const bucketsPerColumn = 2 * magnitudes + 2;
const zeroBucket = magnitudes;
const missingBucket = 2 * magnitudes + 1;

const parameters = z.strictObject({});

/** Public bounds of one numeric column: every value lies in low…high. */
export type ColumnRange = {
  readonly low: number;
  readonly high: number;
  readonly present: number;
  readonly missing: number;
};

export type RangeResult = { readonly columns: { readonly [name: string]: ColumnRange } };

type RangeState = {
  readonly features: readonly FeatureSchema[];
  readonly maxRowsPerParty: number;
  readonly result: RangeResult | null;
};

/**
 * Public bounds from counts per power of two and sign: they hold every value and give away nobody's extremes.
 */
export const range: FederatedAlgorithm<RangeState, RangeResult> = {
  name: "range",
  parameters,
  needs: [],
  rows: "training",

  start(schema, params) {
    parseParameters("range", parameters, params);
    return { features: schema.features, maxRowsPerParty: schema.maxRowsPerParty, result: null };
  },

  layout: (state) => ({
    blocks: [
      {
        name: "buckets",
        length: Math.max(1, numericNames(state).length * bucketsPerColumn),
        bound: state.maxRowsPerParty,
        step: 1,
      },
    ],
  }),

  contribute(state, table) {
    checkRows(state, table);
    const names = numericNames(state);
    const counts = new Float64Array(Math.max(1, names.length * bucketsPerColumn));
    for (const [i, name] of names.entries()) {
      const { values } = numericColumn(table, name);
      for (let row = 0; row < values.length; row++)
        counts[i * bucketsPerColumn + bucketOf(values[row]!, name)]! += 1;
    }
    return counts;
  },

  advance(state, sum) {
    const columns = numericNames(state).map(
      (name, i) => [name, boundsOf(sum, i * bucketsPerColumn)] as const,
    );
    return { ...state, result: { columns: Object.fromEntries(columns) } };
  },

  result: (state) => state.result ?? undefined,
};

const numericNames = (state: RangeState): string[] =>
  state.features.filter((feature) => feature.kind === "numeric").map((feature) => feature.name);

function bucketOf(x: number, column: string): number {
  if (Number.isNaN(x)) return missingBucket;
  if (x === 0) return zeroBucket;
  const magnitude = magnitudeOf(Math.abs(x));
  if (magnitude > largest)
    throw new Refusal("value_out_of_bounds", `column ${column} holds a magnitude above 2^${largest}`, {
      hint: "use a larger unit for this column",
    });
  return zeroBucket + Math.sign(x) * (magnitude - smallest + 1);
}

const float = new Float64Array(1);
/** Of `float`, low and high, little-endian. */
const words = new Uint32Array(float.buffer);

/**
 * @returns the smallest integer e >= `smallest` with x <= 2^e, or more than `largest`; `x` > 0.
 * @see IEEE 754-2019, 3.4: 1 sign bit, 11 bits exponent + 1023, 52 bits fraction
 */
function magnitudeOf(x: number): number {
  float[0] = x;
  const exponent = (words[1]! >>> 20) - 1023;
  const isPower = (words[1]! & 0xfffff) === 0 && words[0] === 0;
  return Math.min(largest + 1, Math.max(smallest, isPower ? exponent : exponent + 1));
}

function boundsOf(sum: SealedSum, offset: number): ColumnRange {
  let low = Infinity;
  let high = -Infinity;
  let present = 0;
  for (let bucket = 0; bucket < missingBucket; bucket++) {
    const count = sum.values[offset + bucket]!;
    if (count === 0) continue;
    present += count;
    const [from, to] = edges(bucket - zeroBucket);
    low = Math.min(low, from);
    high = Math.max(high, to);
  }
  const missing = sum.values[offset + missingBucket]!;
  return present === 0 ? { low: 0, high: 0, present, missing } : { low, high, present, missing };
}

function edges(signed: number): readonly [low: number, high: number] {
  if (signed === 0) return [0, 0];
  const magnitude = Math.abs(signed) - 1 + smallest;
  const inner = magnitude === smallest ? 0 : 2 ** (magnitude - 1);
  return signed > 0 ? [inner, 2 ** magnitude] : [-(2 ** magnitude), -inner];
}
