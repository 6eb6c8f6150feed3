/**
 * k-anonymity, l-diversity and t-closeness of a table, measured. Records that share all their quasi-identifiers
 * form a class.
 *
 * @see Sweeney 2002 (k); Machanavajjhala et al. 2007, "distinct l-diversity"; Li, Li and Venkatasubramanian 2007 (t)
 */

/** A quasi-identifier as a column; a missing entry is NaN or −1, and equals another missing one. */
export type QuasiColumn =
  | { readonly kind: "numeric"; readonly values: Float64Array }
  | { readonly kind: "categorical"; readonly codes: Int32Array };

/** A sensitive attribute as a column. */
export interface SensitiveColumn {
  /** Integers from 0 on, one a record. */
  readonly codes: Int32Array;
  /** Whether codes are ranks: distances between them then count. */
  readonly ordered: boolean;
}

export interface Reached {
  /** Records of the smallest class. */
  readonly k: number;
  /** Fewest distinct values of a sensitive attribute in a class; 1 where there is no sensitive attribute. */
  readonly l: number;
  /** Largest distance of a class's distribution from that of all records, 0…1. */
  readonly t: number;
}

/** Most ranks of a sensitive number: neighbouring values count as one, for l as for t. */
const rankBins = 64;

/** @returns ranks of a sensitive number, in bins of about equal frequency; missing has a rank of its own. */
export function rankedColumn(values: Float64Array): SensitiveColumn {
  const sorted = values.filter((x) => !Number.isNaN(x)).sort();
  const edges: number[] = [];
  const perBin = Math.max(1, sorted.length / rankBins);
  for (let at = 0; at < sorted.length; at += perBin) {
    const edge = sorted[Math.floor(at)]!;
    if (edges.at(-1) !== edge) edges.push(edge);
  }
  const rankOf = (x: number): number => {
    let [low, high] = [0, edges.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (edges[middle]! <= x) low = middle;
      else high = middle;
    }
    return low;
  };
  const codes = Int32Array.from(values, (x) => (Number.isNaN(x) ? 0 : rankOf(x) + 1));
  return { codes, ordered: true };
}

/** @returns a categorical column's codes, from 0 on: missing becomes a value of its own. */
export const categoricalSensitive = (codes: Int32Array): SensitiveColumn => ({
  codes: codes.map((code) => code + 1),
  ordered: false,
});

/** Which class each record is in, from 0 on. */
export interface Classes {
  readonly of: Int32Array;
  readonly count: number;
}

/** @param rows - number of records; without quasi-identifiers all are in one class. */
export function equivalenceClasses(quasi: readonly QuasiColumn[], rows: number): Classes {
  let classes: Classes = { of: new Int32Array(rows), count: Math.min(1, rows) };
  for (const column of quasi) {
    const values = column.kind === "numeric" ? column.values : column.codes;
    const refined = Array.from({ length: classes.count }, () => new Map<number, number>());
    let count = 0;
    const of = classes.of.map((before, row) => {
      const known = refined[before]!;
      const value = values[row]!;
      if (!known.has(value)) known.set(value, count++);
      return known.get(value)!;
    });
    classes = { of, count };
  }
  return classes;
}

/** @returns what the classes of these columns reach. @throws {RangeError} without records. */
export function measureAnonymity(
  quasi: readonly QuasiColumn[],
  sensitive: readonly SensitiveColumn[],
  rows: number,
): Reached {
  if (rows === 0) throw new RangeError("no records to measure");
  const { of: classOf, count } = equivalenceClasses(quasi, rows);
  const members: number[][] = Array.from({ length: count }, () => []);
  for (const [row, id] of classOf.entries()) members[id]!.push(row);
  let reached: Reached = { k: rows, l: sensitive.length === 0 ? 1 : rows, t: 0 };
  const attributes = sensitive.map((column) => new Attribute(column));
  for (const rowsOfClass of members)
    reached = {
      k: Math.min(reached.k, rowsOfClass.length),
      l: Math.min(reached.l, ...attributes.map((attribute) => attribute.distinct(rowsOfClass))),
      t: Math.max(reached.t, ...attributes.map((attribute) => attribute.distance(rowsOfClass))),
    };
  return reached;
}

/** A sensitive attribute and its distribution over all records. */
export class Attribute {
  readonly #column: SensitiveColumn;
  readonly #shares: Float64Array;

  constructor(column: SensitiveColumn) {
    const { codes } = column;
    const values = codes.reduce((most, code) => Math.max(most, code + 1), 0);
    const shares = new Float64Array(values);
    for (const code of codes) shares[code]! += 1 / codes.length;
    this.#column = column;
    this.#shares = shares;
  }

  /** @returns how many values occur among these records. */
  distinct(rows: Iterable<number>): number {
    const seen = new Set<number>();
    for (const row of rows) seen.add(this.#column.codes[row]!);
    return seen.size;
  }

  /**
   * @returns the earth mover's distance of these records' values from all records', 0…1: with ranks that occur as
   *   places 1/(m−1) apart where the attribute is ordered, else with every two values at distance 1.
   * @see Li, Li and Venkatasubramanian 2007, section 4.2
   */
  distance(rows: ArrayLike<number> & Iterable<number>): number {
    const gaps = this.#shares.map((share) => -share);
    for (const row of rows) gaps[this.#column.codes[row]!]! += 1 / rows.length;
    if (!this.#column.ordered) return gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / 2;
    let [moved, carried, values] = [0, 0, 0];
    for (const [code, gap] of gaps.entries()) {
      if (this.#shares[code] === 0) continue;
      values++;
      carried += gap;
      moved += Math.abs(carried);
    }
    return values < 2 ? 0 : Math.min(1, moved / (values - 1));
  }
}
