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
import type { MemoKey } from "../memory.ts";
import { probabilityOf } from "../numerics/logistic-sums.ts";
import { agreed } from "../numerics/rounding.ts";

const mostBits = 12;
const mostTables = 200;
/** Of all tables together, unless they are told. */
const mostBuckets = 40 * 2 ** mostBits;

const parameters = z.strictObject({
  ...designParameters,
  neighbours: z
    .int()
    .min(1)
    .max(10_000)
    .default(5)
    .describe("rows that a bucket of a table holds on average: what a row is compared with"),
  tables: z
    .int()
    .min(1)
    .max(mostTables)
    .exactOptional()
    .describe(
      "ways of dealing the rows to buckets, averaged; where absent, 200, or as many as have 163,840 buckets together: 40 of many rows",
    ),
  seed: z.string().default("neighbours").describe("draws how rows are dealt to buckets: public"),
});

const buckets = z.array(z.int().min(0));

const result = z
  .strictObject({
    /** Buckets of a table are 2^bits. */
    bits: z.int().min(1).max(mostBits),
    seed: z.string(),
    design: designSchema,
    /** Of all rows; of buckets, table after table. */
    good: buckets,
    bad: buckets,
    /** Log-odds of bad by those of the buckets' average share. */
    calibration: z.strictObject({ intercept: z.number(), slope: z.number().min(0) }),
  })
  .refine(
    ({ bits, good, bad }) => good.length === bad.length && good.length > 0 && good.length % 2 ** bits === 0,
    "not the buckets of whole tables",
  );

type NeighboursResult = Readonly<z.output<typeof result>>;

type Types = {
  params: z.output<typeof parameters>;
  prior: DesignBasis;
  state: State;
  result: NeighboursResult;
  blocks: { readonly good: Count; readonly bad: Count };
};

/** Rows of the buckets once they are counted. */
type Buckets = Pick<NeighboursResult, "good" | "bad">;
type State = Partial<Buckets>;

/**
 * Nearest neighbours, told by public hashes instead of distances: rows on the same side of `bits` hyperplanes drawn
 * from a seed share a bucket, and the class counts of the buckets of all tables are one sum. A row is scored by the
 * share of bad rows in its bucket of each table, averaged over the tables: were every row weighed alike, the buckets that
 * hold most, which say least, would decide. Such an average ranks rows but lies too close to the share of all, so that
 * a second sum counts training rows by theirs, themselves left out, and a logistic curve makes probabilities of it.
 * @see Charikar 2002, doi:10.1145/509907.509965; Aha, Kibler and Albert 1991, doi:10.1007/BF00153759, for IBk; Platt 1999,
 *   Probabilistic Outputs for Support Vector Machines, for the curve
 */
export const neighbours = defineAlgorithm<Types>({
  name: "neighbours",
  parameters,
  result,
  needs: designNeeds,
  maxSteps: () => 2,

  start(study) {
    designFrom(study.schema, study.prior);
    return { next: {} };
  },

  state: (study) => {
    const all = buckets.length(bucketsIn(study)).exactOptional();
    return z
      .strictObject({ good: all, bad: all })
      .refine(({ good, bad }) => (good === undefined) === (bad === undefined), "rows of one class only");
  },

  blocks(state, study) {
    const rows = count(areCounted(state) ? shareBands : bucketsIn(study));
    return { good: rows, bad: rows };
  },

  contribute(state, party, study) {
    const { seed } = study.params;
    const tables = tablesFor(study);
    const { label } = party.training;
    const places = party.memo.keep(placesKey, () => {
      const design = designFrom(study.schema, study.prior);
      const matrix = trainingMatrix(design, study.schema, party);
      return bucketsOf(matrix, { design, bits: bitsFor(study), seed }, tables);
    });
    const counted = areCounted(state) ? state : undefined;
    const size = counted === undefined ? bucketsIn(study) : shareBands;
    const rows = [new Float64Array(size), new Float64Array(size)] as const;
    for (let row = 0; row < label.length; row++) {
      const own = rows[label[row] === 1 ? 1 : 0];
      const at = places.subarray(row * tables, (row + 1) * tables);
      if (counted === undefined) for (const place of at) own[place]! += 1;
      else own[bandOf(averageShare(counted, at, shareOf(counted, tables), label[row]))]! += 1;
    }
    return { good: rows[0], bad: rows[1] };
  },

  advance(state, sums, study) {
    const done = (counted: Buckets, calibration: NeighboursResult["calibration"]) => ({
      done: {
        bits: bitsFor(study),
        seed: study.params.seed,
        design: designFrom(study.schema, study.prior),
        ...counted,
        calibration,
      },
    });
    if (areCounted(state)) return done({ good: state.good, bad: state.bad }, calibrated(sums));
    const [good, bad] = [total(sums.good), total(sums.bad)];
    if (good + bad === 0) throw new Refusal("rows_missing", "no party has rows for training");
    const counted = { good: [...sums.good], bad: [...sums.bad] };
    // There is nothing to tell apart.
    if (good === 0 || bad === 0) return done(counted, { intercept: 0, slope: 1 });
    return { next: counted };
  },

  // A row is in one bucket of each table, then in one band of shares.
  sensitivity(state, study) {
    const rows = areCounted(state) ? 1 : Math.sqrt(tablesFor(study));
    return { good: rows, bad: rows };
  },

  features: ({ design }) => design.features,

  score(model, rows) {
    const tables = model.good.length / 2 ** model.bits;
    const places = bucketsOf(designMatrix(model.design, rows), model, tables);
    const share = shareOf(model, tables);
    const { intercept, slope } = model.calibration;
    return Float64Array.from({ length: rows.rows }, (_, row) => {
      const average = averageShare(model, places.subarray(row * tables, (row + 1) * tables), share);
      return probabilityOf(intercept + slope * logOddsOf(average));
    });
  },
});

const placesKey: MemoKey<Uint32Array> = { name: "buckets" };

const areCounted = (state: State): state is Buckets => state.good !== undefined && state.bad !== undefined;

const bucketsIn = (study: Study<Types>): number => tablesFor(study) * 2 ** bitsFor(study);

const total = (counts: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < counts.length; i++) sum += counts[i]!;
  return sum;
};

/** @returns the share of bad rows among all. */
function shareOf({ good, bad }: Buckets, tables: number): number {
  const inTable = bad.length / tables;
  const ofBad = total(bad.slice(0, inTable));
  return ofBad / (ofBad + total(good.slice(0, inTable)));
}

/**
 * @param places - a row's buckets, one of each table.
 * @param share - of bad rows among all: it has one vote, since every bucket may be empty.
 * @param label - of a row that is counted among them and is to say nothing of itself.
 */
function averageShare({ good, bad }: Buckets, places: Uint32Array, share: number, label?: number): number {
  let votes = 1;
  let sum = share;
  for (const place of places) {
    // Rows of a party that came later are in no bucket.
    const ofGood = Math.max(0, good[place]! - (label === 0 ? 1 : 0));
    const ofBad = Math.max(0, bad[place]! - (label === 1 ? 1 : 0));
    if (ofGood + ofBad === 0) continue;
    votes++;
    sum += ofBad / (ofGood + ofBad);
  }
  return sum / votes;
}

const logOddsOf = (share: number): number => Math.log(share / (1 - share));

/** Bands of log-odds of shares, of equal width, the outer ones open. */
const shareBands = 256;
const bandsPerUnit = 16;

const bandOf = (share: number): number =>
  Math.min(shareBands - 1, Math.max(0, Math.floor(logOddsOf(share) * bandsPerUnit + shareBands / 2)));

const middleOf = (band: number): number => (band + 0.5 - shareBands / 2) / bandsPerUnit;

const mostSteps = 50;

/** @returns the logistic curve through the bands that is most likely, its slope drawn towards 1 by one row's weight. */
function calibrated({ good, bad }: { readonly good: Float64Array; readonly bad: Float64Array }) {
  let [intercept, slope] = [0, 1];
  for (let step = 0; step < mostSteps; step++) {
    let [g0, g1, h00, h01, h11] = [0, 1 - slope, 0, 0, 1];
    for (let band = 0; band < shareBands; band++) {
      const rows = good[band]! + bad[band]!;
      if (rows === 0) continue;
      const x = middleOf(band);
      const p = agreed(probabilityOf(intercept + slope * x));
      const weight = rows * p * (1 - p);
      g0 += bad[band]! - rows * p;
      g1 += x * (bad[band]! - rows * p);
      h00 += weight;
      h01 += x * weight;
      h11 += x * x * weight;
    }
    const determinant = h00 * h11 - h01 * h01;
    if (!(determinant > 0)) break;
    const moves = [(h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant] as const;
    const longest = Math.max(...moves.map(Math.abs));
    const share = Math.min(1, 1 / longest);
    intercept += share * moves[0];
    slope += share * moves[1];
    if (longest < 1e-9) break;
  }
  // Where shares say nothing, or the opposite, nothing is made of them.
  return { intercept, slope: Math.max(0, slope) };
}

const tablesFor = (study: Study<Types>): number =>
  study.params.tables ?? Math.min(mostTables, Math.floor(mostBuckets / 2 ** bitsFor(study)));

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
