import { powerOfTwo } from "./powers-of-two.ts";

/** Below the largest magnitude by so many powers of two, cells are of equal width: what is there is close to zero. */
const binades = 12;
/** What is smaller counts as zero where zero is told apart. */
const smallest = powerOfTwo(-20);

/**
 * A public grid that is fine everywhere: each power of two below the largest magnitude is cut into equally many cells,
 * and zero has one of its own. A skewed column is resolved as well as an even one, without anybody's quantiles.
 * @param low,high - bounds of the column, each zero or a power of two, negative or positive, as `range` gives them.
 * @param cells - at most so many.
 * @returns the lower ends of all cells but the first, ascending, exact in 40 bits.
 */
export function gridCuts(low: number, high: number, cells: number): Float64Array {
  const floor = Math.max(Math.abs(low), Math.abs(high)) * powerOfTwo(-binades);
  const ends = [...magnitudes(0 - Math.min(high, 0), 0 - low, floor).map((x) => -x)];
  ends.push(...magnitudes(Math.max(low, 0), high, floor));
  const pieces = [...new Set(ends.map((end) => end + 0))].sort((a, b) => a - b);
  // A column that holds nothing but zero, or nothing at all, has one cell.
  if (pieces.length < 2) return new Float64Array();
  let each = 1;
  while (2 * each * (pieces.length - 1) < cells) each *= 2;
  const cuts: number[] = [];
  for (let i = 0; i + 1 < pieces.length; i++) {
    const [from, to] = [pieces[i]!, pieces[i + 1]!];
    for (let c = 0; c < each; c++) {
      cuts.push(from + ((to - from) / each) * c);
      if (from === 0 && c === 0 && (to - from) / each > smallest) cuts.push(smallest);
    }
  }
  return Float64Array.from(cuts.slice(1));
}

/** A cell without rows is one with the cell before it. */
export const joinedToLast = -1;
/** A cell is cut into 2^12 pieces at most, whose ends are exact in 40 bits. */
export const finestPieces = 12;

/**
 * @param low,high,cuts - of a grid, as {@link gridCuts} has it.
 * @param finer - of each of its cells: the power of two of pieces it is cut into, or {@link joinedToLast}.
 * @returns the lower ends of all finer cells but the first, ascending.
 */
export function finerCuts(
  low: number,
  high: number,
  cuts: ArrayLike<number>,
  finer: readonly number[],
): Float64Array {
  const ends = [low, ...Array.from(cuts), high];
  const starts = finer.flatMap((exponent, cell) => {
    if (exponent === joinedToLast) return [];
    const [from, to] = [ends[cell]!, ends[cell + 1]!];
    // What is closer to zero than can be told apart is one value.
    if (to - from <= smallest) return [from];
    const count = powerOfTwo(exponent);
    return Array.from({ length: count }, (_, piece) => from + ((to - from) / count) * piece);
  });
  return Float64Array.from(starts.slice(1));
}

/** @returns the ends of the pieces between two magnitudes: powers of two from `floor` on. */
function magnitudes(from: number, to: number, floor: number): number[] {
  if (!(to > from)) return [];
  const ends = [from];
  for (let end = Math.max(from * 2, floor); end < to; end *= 2) ends.push(end);
  ends.push(to);
  return ends;
}

/**
 * @param cuts - lower ends of all cells but the first, ascending.
 * @returns the cell that holds x: of values below and above all cells, the outermost.
 */
export function cellOf(cuts: ArrayLike<number>, x: number): number {
  let first = 0;
  let last = cuts.length;
  while (first < last) {
    const middle = (first + last) >>> 1;
    if (x >= cuts[middle]!) first = middle + 1;
    else last = middle;
  }
  return first;
}
