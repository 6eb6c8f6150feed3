import { z } from "zod";
import { seededRandom, uniform } from "../../core/random.ts";
import { Refusal } from "../../core/reasons.ts";
import type { Study } from "../algorithm.ts";
import { type Count, count } from "../blocks.ts";
import { defineAlgorithm } from "../define.ts";
import {
  type Design,
  type DesignBasis,
  designFrom,
  designMatrix,
  designNeeds,
  designParameters,
  designSchema,
  trainingMatrix,
} from "../design.ts";

const parameters = z.strictObject({
  ...designParameters,
  neighbours: z
    .int()
    .min(1)
    .max(10_000)
    .default(5)
    .describe("rows that a bucket of a table holds on average: what a row is compared with"),
  tables: z.int().min(1).max(200).default(40).describe("ways of dealing the rows to buckets, averaged"),
  seed: z.string().default("neighbours").describe("draws how rows are dealt to buckets: public"),
});

const mostBits = 12;

const result = z
  .strictObject({
    /** Buckets of a table are 2^bits. */
    bits: z.int().min(1).max(mostBits),
    seed: z.string(),
    design: designSchema,
    /** Of all rows; of buckets, table after table. */
    good: z.array(z.int().min(0)),
    bad: z.array(z.int().min(0)),
  })
  .refine(
    ({ bits, good, bad }) => good.length === bad.length && good.length > 0 && good.length % 2 ** bits === 0,
    "not the buckets of whole tables",
  );

type NeighboursResult = Readonly<z.output<typeof result>>;

type Types = {
  params: z.output<typeof parameters>;
  prior: DesignBasis;
  state: object;
  result: NeighboursResult;
  blocks: { readonly good: Count; readonly bad: Count };
};

/**
 * Nearest neighbours, told by public hashes instead of distances: rows on the same side of `bits` hyperplanes drawn
 * from a seed share a bucket, and the class counts of the buckets of all tables are one sum. A row is scored by the
 * share of bad rows in its bucket of each table, averaged over the tables: were every row weighed alike, the buckets that
 * hold most, which say least, would decide.
 * @see Charikar 2002, doi:10.1145/509907.509965; Aha, Kibler and Albert 1991, doi:10.1007/BF00153759, for IBk
 */
export const neighbours = defineAlgorithm<Types>({
  name: "neighbours",
  parameters,
  result,
  needs: designNeeds,
  maxSteps: () => 1,

  start(study) {
    designFrom(study.schema, study.prior);
    return { next: {} };
  },

  state: () => z.strictObject({}),

  blocks(_, study) {
    const buckets = count(study.params.tables * 2 ** bitsFor(study));
    return { good: buckets, bad: buckets };
  },

  contribute(_, party, study) {
    const design = designFrom(study.schema, study.prior);
    const matrix = trainingMatrix(design, study.schema, party);
    const { label } = party.training;
    const bits = bitsFor(study);
    const places = bucketsOf(matrix, { design, bits, seed: study.params.seed }, study.params.tables);
    const [good, bad] = [0, 1].map(() => new Float64Array(study.params.tables * 2 ** bits));
    for (const [i, place] of places.entries())
      (label[Math.floor(i / study.params.tables)] === 1 ? bad! : good!)[place]! += 1;
    return { good: good!, bad: bad! };
  },

  advance(_, sums, study) {
    const total = (counts: Float64Array) => counts.reduce((sum, n) => sum + n, 0);
    if (total(sums.good) + total(sums.bad) === 0)
      throw new Refusal("rows_missing", "no party has rows for training");
    return {
      done: {
        bits: bitsFor(study),
        seed: study.params.seed,
        design: designFrom(study.schema, study.prior),
        good: [...sums.good],
        bad: [...sums.bad],
      },
    };
  },

  // A row is in one bucket of each table.
  sensitivity: (_, { params }) => ({ good: Math.sqrt(params.tables), bad: Math.sqrt(params.tables) }),

  features: ({ design }) => design.features,

  score(model, rows) {
    const tables = model.good.length / 2 ** model.bits;
    const places = bucketsOf(designMatrix(model.design, rows), model, tables);
    const all = model.bad.reduce((sum, n) => sum + n, 0);
    const share = all / (all + model.good.reduce((sum, n) => sum + n, 0));
    return Float64Array.from({ length: rows.rows }, (_, row) => {
      // One vote for the average of all rows: every bucket may be empty.
      let votes = 1;
      let sum = share;
      for (let t = 0; t < tables; t++) {
        const place = places[row * tables + t]!;
        const here = model.bad[place]! + model.good[place]!;
        if (here === 0) continue;
        votes++;
        sum += model.bad[place]! / here;
      }
      return sum / votes;
    });
  },
});

/** @returns so many hyperplanes that a bucket holds `neighbours` rows, if they were spread evenly. */
function bitsFor({ params, prior }: Study<Types>): number {
  let bits = 1;
  while (bits < mostBits && prior.summary.rows > params.neighbours * 2 ** (bits + 1)) bits++;
  return bits;
}

/**
 * @param matrix - standardized rows, row-major.
 * @returns the place of each row's bucket in each table, row after row, shape [rows, tables].
 */
function bucketsOf(
  matrix: Float64Array,
  { design, bits, seed }: { readonly design: Design; readonly bits: number; readonly seed: string },
  tables: number,
): Uint32Array {
  const width = design.columns.length;
  const rows = width === 0 ? 0 : matrix.length / width;
  const places = new Uint32Array(rows * tables);
  for (let t = 0; t < tables; t++) {
    const random = seededRandom(`hash ${seed} ${t}`);
    for (let bit = 0; bit < bits; bit++) {
      const normal = Float64Array.from({ length: width }, () => 2 * uniform(random) - 1);
      // Through where rows are: columns are standardized, and a normal's entries have variance 1/3.
      const offset = (2 * uniform(random) - 1) * Math.sqrt(width / 3);
      for (let row = 0; row < rows; row++) {
        let side = -offset;
        for (let j = 0; j < width; j++) side += normal[j]! * matrix[row * width + j]!;
        if (side > 0) places[row * tables + t]! += 2 ** bit;
      }
    }
    for (let row = 0; row < rows; row++) places[row * tables + t]! += t * 2 ** bits;
  }
  return places;
}
