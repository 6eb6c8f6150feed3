import { z } from "zod";
import { Refusal } from "../core/reasons.ts";
import type { Needs, Party } from "./algorithm.ts";
import { type ColumnRange, columnRangeSchema, type RangeResult, range } from "./algorithms/range.ts";
import {
  type CategoricalSummary,
  type NumericSummary,
  outOfBounds,
  type SummaryResult,
  summary,
} from "./algorithms/summary.ts";
import type { MemoKey } from "./memory.ts";
import { resultOf } from "./needs.ts";
import type { LabelledRows } from "./numerics/logistic-sums.ts";
import { resultName } from "./parameters.ts";
import { categoricalColumn, checkRowCount, checkRows, isStored, numericColumn, partsOf } from "./rows.ts";
import { featureSchema } from "./study.ts";
import type { StudySchema, Table } from "./table.ts";

const designColumn = z.strictObject({
  /** As in results: the feature's name, `feature=level`, or `feature=missing`. */
  name: z.string(),
  feature: z.string(),
  /** What the value is: the feature itself (its mean where missing), or 1 where it is missing or has the level. */
  kind: z.enum(["value", "missing", "level"]),
  /** Index of the level; −1 for the other kinds. */
  code: z.int().min(-1),
  mean: z.number(),
  /** Standard deviation. */
  scale: z.number().positive(),
  /** Public bound on the magnitude of an entry. */
  bound: z.number().positive(),
});

/** How rows become a matrix: public, the same at every party, and all that scoring needs. */
export const designSchema = z.strictObject({
  features: z.array(featureSchema),
  ranges: z.record(z.string(), columnRangeSchema),
  /** Codes of each categorical feature that occurred in training; −1 = missing. */
  known: z.record(z.string(), z.array(z.int().min(-1))),
  columns: z.array(designColumn),
  /** Features left out: they hold one value in every row. */
  constant: z.array(z.string()).exactOptional(),
});

/** One column of the design matrix: (value − mean) / scale. */
type DesignColumn = Readonly<z.output<typeof designColumn>>;

export type Design = Readonly<z.output<typeof designSchema>>;

/** Parameters of every algorithm that learns from the design matrix. */
export const designParameters = { range: resultName("range"), summary: resultName("summary") };

/** What the design matrix follows from. */
export interface DesignBasis {
  readonly range: RangeResult;
  readonly summary: SummaryResult;
}

export const designNeeds = (params: {
  readonly range: string;
  readonly summary: string;
}): Needs<DesignBasis> => ({
  range: resultOf(range, params.range),
  summary: resultOf(summary, params.summary),
});

/**
 * Numeric features → z-scores, missing → mean, an indicator where any is missing; categorical
 * features → one indicator per level that occurs except the first, and one where any is missing. A feature of one
 * value has no column, and is named.
 * @throws Refusal parameters_invalid | rows_missing | single_class | column_constant
 */
export function designFrom(schema: Pick<StudySchema, "features">, { range, summary }: DesignBasis): Design {
  const ranges = range.columns;
  if (summary.rows === 0) throw new Refusal("rows_missing", "no party has rows for training");
  if (summary.bad === 0 || summary.good === 0)
    throw new Refusal("single_class", `all ${summary.rows} labels are equal`);
  const columns = schema.features.flatMap((feature) => {
    const moments = summary.columns[feature.name]!;
    return feature.kind === "numeric"
      ? numericDesign(feature.name, moments as NumericSummary, ranges[feature.name]!, summary.rows)
      : categoricalDesign(feature.name, feature.levels, moments as CategoricalSummary, summary.rows);
  });
  if (columns.length === 0)
    throw new Refusal("column_constant", "every column holds one value in every row", {
      hint: "choose columns that differ from row to row",
    });
  const constant = schema.features
    .map(({ name }) => name)
    .filter((name) => !columns.some(({ feature }) => feature === name));
  const names = ["intercept", ...columns.map((column) => column.name)];
  const seen = new Set<string>();
  const twice = names.find((name) => seen.size === seen.add(name).size);
  if (twice !== undefined)
    throw new Refusal("parameters_invalid", `two columns of the design are called ${twice}`, {
      hint: "rename the feature or the level",
    });
  const known = schema.features.flatMap((feature) =>
    feature.kind === "numeric"
      ? []
      : [
          [
            feature.name,
            knownCodes(feature.levels, summary.columns[feature.name] as CategoricalSummary),
          ] as const,
        ],
  );
  const features = schema.features.map((feature) =>
    feature.kind === "numeric" ? feature : { ...feature, levels: [...feature.levels] },
  );
  const design = { features, ranges, known: Object.fromEntries(known), columns };
  return constant.length === 0 ? design : { ...design, constant };
}

const knownCodes = (levels: readonly string[], { counts, missing }: CategoricalSummary): number[] => [
  ...(missing > 0 ? [-1] : []),
  ...levels.flatMap((level, code) => (counts[level]! > 0 ? [code] : [])),
];

function numericDesign(
  name: string,
  moments: NumericSummary,
  range: ColumnRange,
  rows: number,
): DesignColumn[] {
  const missing = indicator(name, "missing", -1, `${name}=missing`, moments.missing, rows);
  if (moments.standardDeviation === 0) return missing;
  const { mean, standardDeviation: scale } = moments;
  const withinRange = Math.max(Math.abs(range.low - mean), Math.abs(range.high - mean)) / scale;
  const bound = Math.min(withinRange, farthest(moments));
  const value: DesignColumn = { name, feature: name, kind: "value", code: -1, mean, scale, bound };
  return [value, ...missing];
}

/**
 * Of n values none is farther from their mean than √n standard deviations. Where values lie close together and far from
 * zero, the range says so much less that sums on a grid for it would show nothing of them.
 * @returns how many standard deviations away a value can be; infinite where rounding leaves too few digits to tell.
 * @see Samuelson 1968, How deviant can you be?, Journal of the American Statistical Association 63 (324)
 */
function farthest({ mean, standardDeviation, present }: NumericSummary): number {
  const isPrecise = Math.abs(mean) < 2 ** 40 * standardDeviation;
  return isPrecise ? 1.01 * Math.sqrt(present) : Number.POSITIVE_INFINITY;
}

function categoricalDesign(
  name: string,
  levels: readonly string[],
  { counts, missing }: CategoricalSummary,
  rows: number,
): DesignColumn[] {
  const occurring = levels.flatMap((level, code) => (counts[level]! > 0 ? [{ level, code }] : []));
  const columns = occurring
    .slice(1)
    .flatMap(({ level, code }) => indicator(name, "level", code, `${name}=${level}`, counts[level]!, rows));
  columns.push(...indicator(name, "missing", -1, `${name}=missing`, missing, rows));
  return columns;
}

function indicator(
  feature: string,
  kind: "missing" | "level",
  code: number,
  name: string,
  count: number,
  rows: number,
): DesignColumn[] {
  if (count === 0 || count === rows) return [];
  const mean = count / rows;
  const scale = Math.sqrt(mean * (1 - mean));
  return [{ name, feature, kind, code, mean, scale, bound: Math.max(mean, 1 - mean) / scale }];
}

const matrixKey: MemoKey<Float64Array> = { name: "design matrix" };

/**
 * {@link designMatrix} of rows that the public bounds hold, made once. Not to be modified: rounds share it.
 * @throws Refusal value_out_of_bounds | value_not_finite | column_unknown, naming the column
 */
export const trainingMatrix = (
  design: Design,
  { maxRowsPerParty }: StudySchema,
  { training, memo }: Pick<Party, "training" | "memo">,
): Float64Array =>
  memo.keep(matrixKey, () => {
    checkAgainstDesign(design, maxRowsPerParty, training);
    return designMatrix(design, training);
  });

/** The same in parts: of rows that do not lie in memory the matrix is made anew in each round. */
export function* trainingParts(
  design: Design,
  schema: StudySchema,
  party: Pick<Party, "training" | "memo">,
): Generator<LabelledRows> {
  const { training } = party;
  if (!isStored(training)) {
    yield { matrix: trainingMatrix(design, schema, party), label: training.label };
    return;
  }
  checkRowCount(schema, training);
  for (const { part } of partsOf(training)) {
    checkAgainstDesign(design, Number.POSITIVE_INFINITY, part);
    yield { matrix: designMatrix(design, part), label: part.label };
  }
}

function checkAgainstDesign(design: Design, maxRowsPerParty: number, table: Table): void {
  checkRows({ features: design.features, maxRowsPerParty }, table);
  for (const feature of design.features)
    if (feature.kind === "numeric") {
      const { low, high } = design.ranges[feature.name]!;
      const imputed = design.columns.some((c) => c.kind === "missing" && c.feature === feature.name);
      const { values } = numericColumn(table, feature.name);
      for (let row = 0; row < values.length; row++) {
        const x = values[row]!;
        if (Number.isNaN(x) ? !imputed : !(x >= low && x <= high)) throw outOfBounds(feature.name, low, high);
      }
    } else {
      const known = new Set(design.known[feature.name]);
      for (const code of categoricalColumn(table, feature).codes)
        if (!known.has(code))
          throw new Refusal(
            "value_out_of_bounds",
            `column ${feature.name} holds ${feature.levels[code] ?? "a missing value"}, which the summary did not count`,
            { hint: "take part from the range step on" },
          );
    }
}

/**
 * A level or a missing value that did not occur in training stands at the column's mean.
 * @returns the standardized rows, row-major, shape [table.rows, design.columns.length].
 * @throws Refusal value_not_finite | column_unknown, naming the column
 */
export function designMatrix(design: Design, table: Table): Float64Array {
  checkRows({ features: design.features, maxRowsPerParty: Infinity }, table);
  const width = design.columns.length;
  const matrix = new Float64Array(table.rows * width);
  for (const [j, column] of design.columns.entries()) {
    const feature = design.features.find(({ name }) => name === column.feature)!;
    const { mean, scale } = column;
    if (feature.kind === "numeric") {
      const { values } = numericColumn(table, feature.name);
      for (let row = 0, at = j; row < table.rows; row++, at += width) {
        const x = values[row]!;
        if (column.kind === "missing") matrix[at] = ((Number.isNaN(x) ? 1 : 0) - mean) / scale;
        else if (!Number.isNaN(x)) matrix[at] = (x - mean) / scale;
      }
    } else {
      const { codes } = categoricalColumn(table, feature);
      const seen = new Set(design.known[feature.name]);
      for (let row = 0, at = j; row < table.rows; row++, at += width)
        if (seen.has(codes[row]!)) matrix[at] = ((codes[row] === column.code ? 1 : 0) - mean) / scale;
    }
  }
  return matrix;
}
