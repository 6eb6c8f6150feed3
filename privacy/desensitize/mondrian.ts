import { Refusal } from "../../core/reasons.ts";
import {
  Attribute,
  measureAnonymity,
  type QuasiColumn,
  type Reached,
  type SensitiveColumn,
} from "./anonymity.ts";
import type { Anonymity } from "./policy.ts";

export interface Anonymized {
  /** Records that stay, ascending. */
  readonly kept: Int32Array;
  /** Their quasi-identifiers, generalized; shape [kept.length] each. */
  readonly quasi: readonly QuasiColumn[];
  readonly reached: Reached;
  /** Share of records left out. */
  readonly suppressionRate: number;
}

/**
 * Reaches k, l and t by Mondrian: records are cut in two along one quasi-identifier after the other for as long as
 * both halves hold to the policy; a part that can be cut no further becomes one class. Its numbers become their
 * mean, its categories become missing unless all agree. A few records that alone stand in the way of a cut are
 * left out, as far as the policy lets.
 *
 * @param rows - number of records.
 * @throws Refusal anonymity_unreachable, where all records together do not hold to the policy.
 * @see LeFevre, DeWitt and Ramakrishnan 2006, "Mondrian multidimensional k-anonymity"
 */
export function anonymize(
  quasi: readonly QuasiColumn[],
  sensitive: readonly SensitiveColumn[],
  rows: number,
  policy: Anonymity,
): Anonymized {
  const anonymized = partition(quasi, sensitive, rows, policy);
  if (anonymized.reached.t <= policy.t + tolerance) return anonymized;
  // Leaving records out moved the distribution that t is measured against.
  return partition(quasi, sensitive, rows, { ...policy, maxSuppressionRate: 0 });
}

/** What adding up shares may be off by. */
const tolerance = 1e-9;

function partition(
  quasi: readonly QuasiColumn[],
  sensitive: readonly SensitiveColumn[],
  rows: number,
  policy: Anonymity,
): Anonymized {
  const attributes = sensitive.map((column) => new Attribute(column));
  const all = Int32Array.from({ length: rows }, (_, row) => row);
  const holds = (part: Part): boolean =>
    part.length >= policy.k &&
    attributes.every(
      (attribute) =>
        (policy.l === 1 || attribute.distinct(part) >= policy.l) &&
        (policy.t === 1 || attribute.distance(part) <= policy.t + tolerance),
    );
  if (!holds(all))
    throw new Refusal(
      "anonymity_unreachable",
      `${rows} rows cannot reach k = ${policy.k}, l = ${policy.l}, t = ${policy.t}`,
    );

  const spread = quasi.map((column) => spreadOf(column, all));
  let suppressible = Math.floor(rows * policy.maxSuppressionRate);
  const done: Part[] = [];
  const open: Part[] = [all];
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    const cut = bestCut(part);
    if (cut === undefined) done.push(part);
    else open.push(...cut);
  }

  /** @returns the parts to go on with; undefined where no cut holds to the policy. */
  function bestCut(part: Part): readonly Part[] | undefined {
    if (part.length < policy.k + 1) return undefined;
    const byWidth = quasi
      .map((column, i) => ({ column, width: spreadOf(column, part) / (spread[i]! || 1) }))
      .filter(({ width }) => width > 0)
      .sort((a, b) => b.width - a.width);
    for (const { column } of byWidth)
      for (const halves of cutsOf(column, part)) {
        const [small, large] =
          halves[0].length <= halves[1].length ? halves : ([halves[1], halves[0]] as const);
        if (small.length === 0) continue;
        if (small.length < policy.k) {
          // A tenth at most: a part of 2k − 1 records is not worth half of them.
          if (small.length > suppressible || 10 * small.length > part.length || !holds(large)) continue;
          suppressible -= small.length;
          return [large];
        }
        if (holds(small) && holds(large)) return halves;
      }
    return undefined;
  }

  return settle(quasi, sensitive, done, rows);
}

/** Record numbers. */
type Part = Int32Array;

/** @returns how far a column's values lie apart in a part, plus 1 where some are missing and some not; 0 where all agree. */
function spreadOf(column: QuasiColumn, part: Part): number {
  if (column.kind === "categorical") return new Set(part.map((row) => column.codes[row]!)).size - 1;
  let [low, high, missing] = [Infinity, -Infinity, 0];
  for (const row of part) {
    const x = column.values[row]!;
    if (Number.isNaN(x)) missing++;
    else {
      low = Math.min(low, x);
      high = Math.max(high, x);
    }
  }
  const apart = high > low ? high - low : 0;
  return missing > 0 && missing < part.length ? apart + 1 : apart;
}

/** Cuts to try, in order: missing from present, then the most frequent category from the rest, or at the median. */
function* cutsOf(column: QuasiColumn, part: Part): Generator<readonly [Part, Part]> {
  const by = (inFirst: (row: number) => boolean): readonly [Part, Part] => [
    part.filter(inFirst),
    part.filter((row) => !inFirst(row)),
  ];
  if (column.kind === "categorical") {
    const counts = new Map<number, number>();
    for (const row of part) {
      const code = column.codes[row]!;
      counts.set(code, (counts.get(code) ?? 0) + 1);
    }
    const [first] = [...counts].sort(([a, n], [b, m]) => m - n || a - b);
    if (first !== undefined) yield by((row) => column.codes[row] === first[0]);
    return;
  }
  const { values } = column;
  const present = part.filter((row) => !Number.isNaN(values[row]!));
  if (present.length < part.length) {
    yield by((row) => Number.isNaN(values[row]!));
    return;
  }
  const median = Float64Array.from(present, (row) => values[row]!).sort()[(present.length - 1) >> 1]!;
  // Where many records share the median, only one of the two sides of it may hold.
  yield by((row) => values[row]! <= median);
  yield by((row) => values[row]! < median);
}

function settle(
  quasi: readonly QuasiColumn[],
  sensitive: readonly SensitiveColumn[],
  parts: readonly Part[],
  rows: number,
): Anonymized {
  const partOf = new Int32Array(rows).fill(-1);
  for (const [id, part] of parts.entries()) for (const row of part) partOf[row] = id;
  const kept = Int32Array.from({ length: rows }, (_, row) => row).filter((row) => partOf[row]! >= 0);
  const generalized = quasi.map((column): QuasiColumn => {
    const shared = parts.map((part) => generalize(column, part));
    const of = (row: number): number => shared[partOf[row]!]!;
    return column.kind === "numeric"
      ? { kind: "numeric", values: Float64Array.from(kept, of) }
      : { kind: "categorical", codes: Int32Array.from(kept, of) };
  });
  const left = sensitive.map(({ codes, ordered }) => ({
    codes: Int32Array.from(kept, (row) => codes[row]!),
    ordered,
  }));
  return {
    kept,
    quasi: generalized,
    reached: measureAnonymity(generalized, left, kept.length),
    suppressionRate: (rows - kept.length) / rows,
  };
}

/** @returns what stands for all of a part: the mean, or missing where one is missing or categories differ. */
function generalize(column: QuasiColumn, part: Part): number {
  if (column.kind === "categorical") {
    const first = column.codes[part[0]!]!;
    return part.every((row) => column.codes[row] === first) ? first : -1;
  }
  const first = column.values[part[0]!]!;
  if (part.every((row) => column.values[row] === first)) return first;
  return part.reduce((sum, row) => sum + column.values[row]!, 0) / part.length;
}
