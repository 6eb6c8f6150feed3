import { z } from "zod";
import { Refusal, refuseAll } from "../../core/reasons.ts";
import type { Model } from "../algorithm.ts";
import { type Count, count, type Sum, sum } from "../blocks.ts";
import { defineAlgorithm } from "../define.ts";
import { modelsNamed } from "../needs.ts";
import { binOf, evaluationSchema, metricsFrom, type ScoreCounts, scoreBins } from "../numerics/metrics.ts";
import { plausibleCounts } from "../numerics/noisy-counts.ts";
import { powerOfTwo } from "../numerics/powers-of-two.ts";
import { quantileCuts } from "../numerics/quantile-cuts.ts";
import { nameSchema } from "../parameters.ts";
import { categoricalColumn, checkRows } from "../rows.ts";
import { segmentsFrom, segmentsSchema } from "../segments.ts";
import { bandCells, bandOf, swapBands, swapFrom, swapSchema } from "../swap-set.ts";
import type { StudySchema, Table } from "../table.ts";

const parameters = z.strictObject({
  models: z
    .array(nameSchema)
    .min(1)
    .optional()
    .describe("names of the results to evaluate; all models that ran before by default"),
  segments: z
    .array(z.string())
    .default([])
    .describe("features of levels by which each model is evaluated apart, too"),
  segmentRows: z
    .int()
    .min(2)
    .default(50)
    .describe(
      "fewest held-out rows of a segment at an enterprise, those of one data subject counted once: where it has fewer, it adds none of them",
    ),
  swap: z
    .strictObject({
      champion: nameSchema.describe("name of the result that decides today"),
      challenger: nameSchema.describe("name of the result that would decide"),
    })
    .describe("two models of which is summed whom either would approve; takes a second sum")
    .optional(),
});

type Params = z.output<typeof parameters>;

const models = z.record(z.string(), evaluationSchema);

const result = z.strictObject({
  models,
  /** By feature and level. */
  segments: segmentsSchema.exactOptional(),
  swap: swapSchema.exactOptional(),
});

export type EvaluateResult = z.output<typeof result>;

const bands = z
  .array(
    z
      .int()
      .min(1)
      .max(scoreBins - 1),
  )
  .max(swapBands - 1);

const compared = z.strictObject({
  models,
  segments: segmentsSchema.exactOptional(),
  /** Of each of the two models, the first bins of its bands of scores but the first. */
  champion: bands,
  challenger: bands,
});

/** Nothing before the first sum. */
type State = { readonly compared: z.output<typeof compared> | null };

/** Of each model, by name. */
type Counts = { readonly [rows: `${"good" | "bad" | "calledBad"}.${string}`]: Count };
type Errors = { readonly [error: `squaredError.${string}`]: Sum };
/** Rows of a segment by score, level after level: of the feature and the model. */
type Segments = { readonly [rows: `segment.${number}.${"good" | "bad"}.${string}`]: Count };
/** Of good rows and of bad ones. */
type Swap = { readonly [rows: `swap.${number}`]: Count };

interface Study {
  readonly schema: StudySchema;
  readonly params: Params;
  readonly prior: { readonly models: ReadonlyMap<string, Model> };
}

/** How well every model of the study scores held-out rows, from sums of histograms. */
export const evaluate = defineAlgorithm<{
  params: Params;
  prior: { readonly models: ReadonlyMap<string, Model> };
  state: State;
  result: EvaluateResult;
  blocks: Counts & Errors & Segments & Swap;
}>({
  name: "evaluate",
  parameters,
  result,
  needs: ({ models, swap }) => ({
    models: modelsNamed(
      models === undefined || swap === undefined
        ? models
        : [...new Set([...models, swap.champion, swap.challenger])],
    ),
  }),
  maxSteps: ({ swap }) => (swap === undefined ? 1 : 2),

  start({ schema, params, prior, noise }) {
    const faults = params.segments
      .filter((name) => !schema.features.some((one) => one.kind === "categorical" && one.name === name))
      .map((name) => new Refusal("parameters_invalid", `evaluate.segments: ${name} is no feature of levels`));
    for (const name of Object.values(params.swap ?? {}))
      if (!prior.models.has(name))
        faults.push(new Refusal("parameters_invalid", `evaluate.swap: no model is called ${name}`));
    if (noise !== undefined && (params.segments.length > 0 || params.swap !== undefined))
      faults.push(
        new Refusal("parameters_invalid", "evaluate compares no segments and swaps no models under noise", {
          hint: "leave segments and swap out, or evaluate them in a study without noise",
        }),
      );
    refuseAll(faults);
    return { next: { compared: null } };
  },

  state: ({ params }) =>
    z.strictObject({ compared: params.swap === undefined ? z.null() : compared.nullable() }),

  blocks({ compared }, study) {
    const { schema, prior } = study;
    if (compared !== null) {
      const swap: Swap = { "swap.0": count(bandCells), "swap.1": count(bandCells) };
      const none: Counts & Errors & Segments = {};
      return { ...none, ...swap };
    }
    const bins = study.noise === undefined ? scoreBins : noisyBins;
    const counts: Counts = ofEach(prior.models, (name) => ({
      [`good.${name}`]: count(bins),
      [`bad.${name}`]: count(bins),
      // Good and bad rows that score 0.5 or more.
      [`calledBad.${name}`]: count(2),
    }));
    // Σ squared error ≤ rows; a grid of 2⁻⁴⁰ keeps the Brier score to 12 digits.
    const errors: Errors = ofEach(prior.models, (name) => ({
      [`squaredError.${name}`]: sum(1, schema.maxRowsPerParty, powerOfTwo(-40)),
    }));
    const segments: Segments = ofSegments(study, (levels, s, name) => ({
      [`segment.${s}.good.${name}`]: count(levels.length * scoreBins),
      [`segment.${s}.bad.${name}`]: count(levels.length * scoreBins),
    }));
    const none: Swap = {};
    return { ...counts, ...errors, ...segments, ...none };
  },

  contribute({ compared }, { heldOut }, study) {
    const { schema, params, prior } = study;
    checkRows(schema, heldOut);
    if (compared !== null) {
      const cells = [new Float64Array(bandCells), new Float64Array(bandCells)] as const;
      const champion = prior.models.get(params.swap!.champion)!.score(heldOut);
      const challenger = prior.models.get(params.swap!.challenger)!.score(heldOut);
      for (let row = 0; row < heldOut.rows; row++) {
        const cell =
          bandOf(compared.champion, champion[row]!) * swapBands +
          bandOf(compared.challenger, challenger[row]!);
        cells[heldOut.label[row] === 1 ? 1 : 0][cell]! += 1;
      }
      return { "swap.0": cells[0], "swap.1": cells[1] };
    }
    const scores = new Map([...prior.models].map(([name, model]) => [name, model.score(heldOut)] as const));
    const whole = ofEach(prior.models, (name) =>
      countsOf(name, scores.get(name)!, heldOut, study.noise !== undefined),
    );
    const segments = ofSegments(study, (levels, s, name) => {
      const column = { name: params.segments[s]!, levels };
      return segmentCounts(heldOut, column, scores.get(name)!, params.segmentRows, [
        `segment.${s}.good.${name}`,
        `segment.${s}.bad.${name}`,
      ]);
    });
    return { ...whole, ...segments };
  },

  advance({ compared }, sums, study) {
    const { params, prior } = study;
    if (compared !== null) {
      const { champion, challenger, ...before } = compared;
      const counts = { good: sums["swap.0"]!, bad: sums["swap.1"]! };
      return { done: { ...before, swap: swapFrom(params.swap!, { champion, challenger, counts }) } };
    }
    const models = ofEach(prior.models, (name) => {
      const counts: ScoreCounts = {
        good: sums[`good.${name}`]!,
        bad: sums[`bad.${name}`]!,
        goodCalledBad: sums[`calledBad.${name}`]![0]!,
        badCalledBad: sums[`calledBad.${name}`]![1]!,
        squaredError: sums[`squaredError.${name}`]![0]!,
      };
      return { [name]: metricsFrom(study.noise === undefined ? counts : plausible(counts)) };
    });
    const apart = params.segments.map((segment, s) => {
      const levels = levelsOf(study.schema, segment);
      const counts = [...prior.models.keys()].map((name) => ({
        name,
        good: sums[`segment.${s}.good.${name}`]!,
        bad: sums[`segment.${s}.bad.${name}`]!,
      }));
      return [segment, segmentsFrom(levels, counts)] as const;
    });
    const found = { models, ...(apart.length === 0 ? {} : { segments: Object.fromEntries(apart) }) };
    if (params.swap === undefined) return { done: found };
    const bandsOf = (name: string): number[] => {
      const [good, bad] = [sums[`good.${name}`]!, sums[`bad.${name}`]!];
      return quantileCuts(
        good.map((rows, bin) => rows + bad[bin]!),
        swapBands,
      );
    };
    const { champion, challenger } = params.swap;
    return {
      next: { compared: { ...found, champion: bandsOf(champion), challenger: bandsOf(challenger) } },
    };
  },

  takesNoise: true,
  // Of each model a row is in one bin of one class, perhaps among those called bad, and has an error.
  joint: (_, { prior }) => Math.sqrt(3 * prior.models.size),

  // A row is in one bin of its class; its squared error is at most 1. Of a segment that one row more lets count, more
  // rows come than one: of those no bound is said.
  sensitivity({ compared }, { params, prior }) {
    if (compared !== null) return { "swap.0": 1, "swap.1": 1 };
    const whole = ofEach(prior.models, (name) => ({
      [`good.${name}`]: 1,
      [`bad.${name}`]: 1,
      [`calledBad.${name}`]: 1,
      [`squaredError.${name}`]: 1,
    }));
    const apart = params.segments.flatMap((_, s) =>
      [...prior.models.keys()].flatMap((name) => [
        [`segment.${s}.good.${name}`, params.segmentRows] as const,
        [`segment.${s}.bad.${name}`, params.segmentRows] as const,
      ]),
    );
    return { ...whole, ...Object.fromEntries(apart) };
  },
});

/** @returns fewest subjects of a segment that an enterprise adds; infinite where none is evaluated apart. */
export function smallestSegment(params: unknown): number {
  const { segments, segmentRows } = parameters.parse(params);
  return segments.length > 0 ? segmentRows : Infinity;
}

/** @returns one model's rows by score and class. */
function countsOf(name: string, scores: Float64Array, heldOut: Table, isNoisy: boolean) {
  const bins = [new Float64Array(scoreBins), new Float64Array(scoreBins)] as const;
  const calledBad = new Float64Array(2);
  let squaredError = 0;
  for (let row = 0; row < heldOut.rows; row++) {
    const score = scores[row]!;
    const bad = heldOut.label[row] === 1 ? 1 : 0;
    bins[bad][binOf(score)]! += 1;
    if (score >= 0.5) calledBad[bad]! += 1;
    squaredError += (score - bad) ** 2;
  }
  return {
    [`good.${name}`]: isNoisy ? coarse(bins[0]) : bins[0],
    [`bad.${name}`]: isNoisy ? coarse(bins[1]) : bins[1],
    [`calledBad.${name}`]: calledBad,
    [`squaredError.${name}`]: [squaredError],
  };
}

/** A level with fewer rows than `least` here adds none: a sum over it would say too much about them. */
function segmentCounts(
  heldOut: Table,
  column: { readonly name: string; readonly levels: readonly string[] },
  scores: Float64Array,
  least: number,
  [good, bad]: readonly [string, string],
): Record<string, Float64Array> {
  const { codes } = categoricalColumn(heldOut, column);
  const cells = () => new Float64Array(column.levels.length * scoreBins);
  const [goodRows, badRows] = [cells(), cells()];
  const subjects = column.levels.map(() => new Set<number>());
  for (const [row, code] of codes.entries()) subjects[code]?.add(heldOut.subject[row]!);
  for (let row = 0; row < heldOut.rows; row++) {
    const code = codes[row]!;
    if (code < 0 || subjects[code]!.size < least) continue;
    (heldOut.label[row] === 1 ? badRows : goodRows)[code * scoreBins + binOf(scores[row]!)]! += 1;
  }
  return { [good]: goodRows, [bad]: badRows };
}

const levelsOf = ({ features }: StudySchema, name: string): readonly string[] => {
  const feature = features.find((one) => one.name === name);
  return feature?.kind === "categorical" ? feature.levels : [];
};

/** @returns what `make` gives for each segment and model, put together. */
const ofSegments = <T>(
  { schema, params, prior }: Study,
  make: (levels: readonly string[], s: number, name: string) => Readonly<Record<string, T>>,
): Record<string, T> =>
  Object.assign(
    {},
    ...params.segments.map((segment, s) =>
      ofEach(prior.models, (name) => make(levelsOf(schema, segment), s, name)),
    ),
  );

/** Bins of scores where noise is added to each. */
const noisyBins = 32;

const coarse = (bins: Float64Array): Float64Array => {
  const sums = new Float64Array(noisyBins);
  for (const [bin, rows] of bins.entries()) sums[Math.floor((bin * noisyBins) / scoreBins)]! += rows;
  return sums;
};

/** @returns counts that rows could have, each bin's in its middle. */
function plausible({ good, bad, goodCalledBad, badCalledBad, squaredError }: ScoreCounts): ScoreCounts {
  const spread = (bins: Float64Array): Float64Array => {
    const wide = new Float64Array(scoreBins);
    const width = scoreBins / noisyBins;
    for (const [bin, rows] of plausibleCounts(bins).entries()) wide[bin * width + width / 2] = rows;
    return wide;
  };
  const [ofGood, ofBad] = [spread(good), spread(bad)];
  const within = (rows: number, all: Float64Array): number =>
    Math.min(
      all.reduce((sum, one) => sum + one, 0),
      Math.max(0, rows),
    );
  return {
    good: ofGood,
    bad: ofBad,
    goodCalledBad: within(goodCalledBad, ofGood),
    badCalledBad: within(badCalledBad, ofBad),
    squaredError: Math.max(0, squaredError),
  };
}

/** @returns what `make` gives for each model, put together. */
const ofEach = <T>(
  models: ReadonlyMap<string, Model>,
  make: (name: string, model: Model) => Readonly<Record<string, T>>,
): Record<string, T> => Object.assign({}, ...[...models].map(([name, model]) => make(name, model)));
